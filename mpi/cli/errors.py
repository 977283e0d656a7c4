"""How commands fail: one table from errors to exit codes, and one line on standard error.

With --json that line is a JSON object {"error": {"reason", "message", "metadata"}, "exit_code"}. Standard output stays
empty either way.
"""

import errno
import json
import os
import sys
import tempfile
import traceback

from mpi.domain.errors import (
    InvalidInputError,
    MpiError,
    NotFoundError,
    RegistryError,
    RunConflictError,
)

OK, UNEXPECTED, BAD_INPUT, REGISTRY, NOT_FOUND, RUN_CONFLICT, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 4, 5, 130, 141

MEANINGS = {
    OK: "done",
    UNEXPECTED: "unexpected: a defect or a full disk; the line says where the traceback is",
    BAD_INPUT: "bad usage or input: an option, a source file, a rule file, a failed case",
    REGISTRY: "the registry cannot serve: unreachable, not migrated, wrong secret, broken rules",
    NOT_FOUND: "no such record, person, rule family or version",
    RUN_CONFLICT: "another run holds the registry",
    INTERRUPTED: "interrupted (Ctrl-C)",
    BROKEN_PIPE: "the reader of the output went away",
}
"""What each exit code says."""

EXIT_CODES: dict[type[MpiError], int] = {
    MpiError: UNEXPECTED,
    InvalidInputError: BAD_INPUT,
    RegistryError: REGISTRY,
    NotFoundError: NOT_FOUND,
    RunConflictError: RUN_CONFLICT,
}
"""Exit code of an error: that of its nearest class in this table."""

_FILE_ERRORS = {
    errno.EACCES,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}
"""What the system says of a path that the user gave."""


def exit_code_of(error: MpiError) -> int:
    """The exit code of an error."""
    return next(EXIT_CODES[each] for each in type(error).__mro__ if each in EXIT_CODES)


def tell(error: BaseException, *, as_json: bool) -> int:
    """Say in one line what went wrong and give the exit code."""
    if isinstance(error, MpiError):
        return say(str(error), exit_code_of(error), reason=error.reason, metadata=error.metadata, as_json=as_json)
    if isinstance(error, KeyboardInterrupt):
        message = "interrupted; what was written is sound: run the same command again to finish"
        return say(message, INTERRUPTED, reason="INTERRUPTED", as_json=as_json)
    if isinstance(error, OSError) and error.errno in _FILE_ERRORS:
        place = f"{error.filename}: " if error.filename else ""
        message = f"{place}{error.strerror or error}"
        return say(message, BAD_INPUT, reason=InvalidInputError.reason, as_json=as_json)
    return say(_unexpected(error), UNEXPECTED, reason="UNEXPECTED", as_json=as_json)


def say(message: str, code: int, *, reason: str, metadata: dict[str, str] | None = None, as_json: bool = False) -> int:
    """Write one line of error to standard error and give its exit code back."""
    message = " ".join(message.split())
    if as_json:
        told = {"reason": reason, "message": message, "metadata": metadata or {}}
        line = json.dumps({"error": told, "exit_code": code}, ensure_ascii=False)
    else:
        line = f"mpi: error: {message}"
    sys.stderr.write(f"{line}\n")
    return code


def _unexpected(error: BaseException) -> str:
    """Its message may hold a person's data, so it goes to a file that only its owner can read, not to the screen."""
    name = type(error).__name__
    told = "".join(traceback.format_exception(error))
    if os.environ.get("MPI_DEBUG") == "1":
        sys.stderr.write(told)
        return f"unexpected {name}; the traceback stands above"
    try:
        handle, path = tempfile.mkstemp(prefix="mpi-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(told)
    except OSError:
        return f"unexpected {name}; MPI_DEBUG=1 shows the traceback"
    return f"unexpected {name}; the traceback is in {path} (MPI_DEBUG=1 shows it here)"
