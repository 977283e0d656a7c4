"""Files that appear whole or not at all, and that only their owner can read: they may hold personal data."""

import os
from contextlib import suppress
from pathlib import Path


class WholeFile:
    """A file being written beside `path` under another name; a file that stands at `path` stays until `put_in_place`.

    `stream` takes the bytes. Every method but `drop` raises the system's OSError as it comes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        handle = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.stream = os.fdopen(handle, "wb")

    def put_in_place(self) -> None:
        """All is written: on the disk first, then under its name."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        self.stream.close()
        os.replace(self._partial, self.path)

    def drop(self) -> None:
        """Leave nothing behind. What cannot be written any more is not missed."""
        with suppress(OSError):
            self.stream.close()
        self._partial.unlink(missing_ok=True)
