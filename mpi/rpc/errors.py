"""How calls fail: one table from reasons to gRPC codes and ErrorReason, and the google.rpc.Status that is sent.

No status holds a value of a person, and what nobody foresaw is told by a word that only the log explains.
"""

import dataclasses
import logging
import secrets
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Never

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from mpi.domain.errors import InvalidInputError, MpiError, NotFoundError, RegistryError

DOMAIN = "mpi.identity.v1"
"""The `domain` of every google.rpc.ErrorInfo that leaves here."""

STATUS_KEY = "grpc-status-details-bin"
"""The trailing metadata in which gRPC carries a google.rpc.Status."""

_LONGEST_MESSAGE = 500
_log = logging.getLogger(__name__)


class MalformedMessageError(InvalidInputError):
    """The bytes of a request are no message of its type."""

    reason = "MALFORMED_MESSAGE"


class PageTokenError(InvalidInputError):
    """A page token is none of this registry's, or belongs to a request with other fields."""

    reason = "INVALID_PAGE_TOKEN"


class ConsistencyTokenError(InvalidInputError):
    """A consistency token is none of this registry's."""

    reason = "CONSISTENCY_TOKEN_INVALID"


class ResumeTokenError(InvalidInputError):
    """A resume token is none of this registry's."""

    reason = "RESUME_TOKEN_INVALID"


class DeadlinePassedError(MpiError):
    """The call's deadline, or the server's cap on it, has passed."""

    reason = "DEADLINE_PASSED"


class DrainingError(MpiError):
    """The server is going down."""

    reason = "SERVER_DRAINING"


class TooManyCallsError(MpiError):
    """The server has as many calls or streams of a kind as it takes."""

    reason = "TOO_MANY_CALLS"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What callers are told: the gRPC code, the ErrorReason without its prefix, and seconds after which to try
    again."""

    code: grpc.StatusCode
    reason: str
    retry: float | None = None


_ABORTED, _UNAVAILABLE = grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE
_BAD, _EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED
_NOT_FOUND, _RANGE = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.OUT_OF_RANGE
_DENIED, _UNAUTHENTICATED = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED
_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION

UNEXPECTED = Meaning(grpc.StatusCode.INTERNAL, "UNEXPECTED")
WRITE_CONFLICT = Meaning(_ABORTED, "WRITE_CONFLICT", 0.05)

_MEANINGS = (
    Meaning(_BAD, "INVALID_FIELD"),
    Meaning(_BAD, "TOO_MANY_ITEMS"),
    Meaning(_BAD, "MALFORMED_MESSAGE"),
    Meaning(_EXHAUSTED, "MESSAGE_TOO_LARGE"),
    Meaning(_BAD, "INVALID_PAGE_TOKEN"),
    Meaning(_BAD, "CONSISTENCY_TOKEN_INVALID"),
    Meaning(_BAD, "RESUME_TOKEN_INVALID"),
    Meaning(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"),
    Meaning(_NOT_FOUND, "UNKNOWN_SOURCE_SYSTEM"),
    Meaning(_NOT_FOUND, "UNKNOWN_RECORD"),
    Meaning(_NOT_FOUND, "UNKNOWN_PERSON"),
    Meaning(_NOT_FOUND, "UNKNOWN_IDENTIFIER"),
    Meaning(_PRECONDITION, "RECORD_WITHDRAWN"),
    Meaning(_RANGE, "REVISION_NOT_REACHED"),
    Meaning(_RANGE, "PERSON_NOT_YET_CREATED"),
    Meaning(_UNAVAILABLE, "NOT_YET_VISIBLE", 0.05),
    Meaning(_UNAVAILABLE, "REGISTRY_UNAVAILABLE", 1.0),
    Meaning(_UNAVAILABLE, "BULK_RUN_IN_PROGRESS", 30.0),
    Meaning(_UNAVAILABLE, "RULES_NOT_READY", 5.0),
    Meaning(_UNAVAILABLE, "SERVER_DRAINING", 0.1),
    WRITE_CONFLICT,
    Meaning(_UNAUTHENTICATED, "NOT_SIGNED_IN"),
    Meaning(_DENIED, "MISSING_RIGHT"),
    Meaning(_NOT_FOUND, "UNKNOWN_REVIEW_TASK"),
    Meaning(_NOT_FOUND, "UNKNOWN_DECISION"),
    Meaning(_PRECONDITION, "REVIEW_TASK_CLOSED"),
    Meaning(_PRECONDITION, "REVIEW_TASK_CLAIMED"),
    Meaning(_DENIED, "OWN_SECOND_READING"),
    Meaning(_ABORTED, "STALE_VERSION"),
    Meaning(_PRECONDITION, "JUDGEMENT_CONTRADICTED"),
    Meaning(_PRECONDITION, "UNDO_BLOCKED"),
    Meaning(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_PASSED"),
    Meaning(_EXHAUSTED, "TOO_MANY_CALLS", 0.2),
    Meaning(_ABORTED, "WATCHER_TOO_SLOW"),
    UNEXPECTED,
)

MEANINGS: Mapping[str, Meaning] = {meaning.reason: meaning for meaning in _MEANINGS} | {
    # What the floors below call by other names.
    "INVALID_INPUT": Meaning(_BAD, "INVALID_FIELD"),
    "OVERLOADED": Meaning(_EXHAUSTED, "TOO_MANY_CALLS", 0.2),
}
"""By the reason of an MpiError."""

_BY_CLASS: tuple[tuple[type[MpiError], str], ...] = (
    (InvalidInputError, "INVALID_FIELD"),
    (NotFoundError, "UNKNOWN_RECORD"),
    (RegistryError, "REGISTRY_UNAVAILABLE"),
)
"""For reasons that the table does not name: by the nearest class."""

# PostgreSQL's SQLSTATEs: a deadlock, a failed serialization, a lock not to be had.
_CONFLICTS = frozenset({"40001", "40P01", "55P03"})
# Classes of SQLSTATEs that no second try will cure: data, constraints, syntax. They are our defects, not outages.
_DEFECTS = frozenset({"22", "23", "42"})


@dataclass(frozen=True, slots=True)
class Blame:
    """What a method's errors are about: which reason stands for a bare NOT_FOUND, which field for bad input that names
    none, and what fields are called in the request that services call otherwise."""

    not_found: str = "UNKNOWN_RECORD"
    field: str = ""
    renamed: Mapping[str, str] = dataclasses.field(default_factory=dict)


_NOBODY = Blame()


def meaning_of(error: MpiError, blame: Blame = _NOBODY) -> Meaning:
    """What an error means to callers."""
    state = error.metadata.get("sqlstate", "") if isinstance(error, RegistryError) else ""
    if state in _CONFLICTS:
        return WRITE_CONFLICT
    if state[:2] in _DEFECTS:
        return UNEXPECTED
    if type(error) is NotFoundError:
        return MEANINGS[blame.not_found]
    known = MEANINGS.get(error.reason)
    if known is not None:
        return known
    return next((MEANINGS[reason] for kind, reason in _BY_CLASS if isinstance(error, kind)), UNEXPECTED)


def status_of(error: Exception, blame: Blame = _NOBODY) -> Status:
    """The google.rpc.Status of an error, with ErrorInfo, and BadRequest and RetryInfo where they say something.

    What is a defect of ours is logged here, under a new word, and the caller is told that word alone.
    """
    meaning = meaning_of(error, blame) if isinstance(error, MpiError) else UNEXPECTED
    if meaning is UNEXPECTED:
        return _unexpected(error)
    assert isinstance(error, MpiError)
    message = str(error)[:_LONGEST_MESSAGE]
    metadata = dict(error.metadata)
    status = Status(code=_number(meaning.code), message=message)
    if meaning.code is _BAD:
        named = metadata.get("field", blame.field)
        place = metadata["field"] = blame.renamed.get(named, named)
        violation = error_details_pb2.BadRequest.FieldViolation(field=place, description=message, reason=meaning.reason)
        _attach(status, meaning.reason, metadata)
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    else:
        _attach(status, meaning.reason, metadata)
    if meaning.retry is not None:
        delay = Duration(nanos=round(meaning.retry % 1 * 1e9), seconds=int(meaning.retry))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def _unexpected(error: Exception) -> Status:
    """Logs where it happened, not what the exception says, which may hold a person's data."""
    incident = secrets.token_hex(8)
    frames = traceback.extract_tb(error.__traceback__)
    way = " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames))
    kind = type(error).__name__
    state = error.metadata.get("sqlstate") if isinstance(error, MpiError) else None
    _log.error("incident %s: unexpected %s%s in %s", incident, kind, f" (SQLSTATE {state})" if state else "", way)
    status = Status(
        code=_number(UNEXPECTED.code), message=f"unexpected; the server's log has it as incident {incident}"
    )
    _attach(status, UNEXPECTED.reason, {"incident": incident})
    return status


def _attach(status: Status, reason: str, metadata: Mapping[str, str]) -> None:
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata))


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]
    return number


_CODES: Mapping[int, grpc.StatusCode] = {_number(code): code for code in grpc.StatusCode}


def code_of(status: Status) -> grpc.StatusCode:
    """The gRPC code of a status."""
    return _CODES[status.code]


def end_call(context: grpc.ServicerContext, status: Status) -> Never:
    """Ends a call with a status: the calling thread leaves by the exception that gRPC expects."""
    context.set_trailing_metadata(((STATUS_KEY, status.SerializeToString()),))
    context.abort(_CODES[status.code], status.message)
