"""Rows that could not be read: what is said of each, and the Parquet file they go to.

A reject never stops its file. Excerpts are personal data: they go to the rejects file alone, never to a log.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from mpi.batch.whole_files import WholeFile
from mpi.domain.errors import InvalidInputError, MpiError

EXCERPT_CHARACTERS = 200
"""Most characters of a row that an excerpt shows."""

REJECT_SCHEMA = pa.schema(
    [("file", pa.string()), ("row", pa.int64()), ("reason", pa.string()), ("excerpt", pa.string())]
)
REJECTS_FILE_SCHEMA = pa.schema([pa.field("source", pa.string()), *REJECT_SCHEMA])


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that could not be read: its file, its 1-based data row there, why, and how the row begins."""

    file: str
    row: int
    reason: str
    excerpt: str | None = None


@dataclass(frozen=True, slots=True)
class RawRows:
    """Some rows of one file, in order: text columns by the file's own names, 1-based row numbers, and rejects."""

    columns: Mapping[str, pa.Array]
    rows: pa.Int64Array
    rejects: Sequence[Reject]


def excerpt_of(row: bytes | str) -> str:
    """The beginning of a row as printable text: control characters and undecodable bytes become U+FFFD."""
    text = row[: EXCERPT_CHARACTERS * 4].decode("utf-8", "replace") if isinstance(row, bytes) else row
    return "".join(c if c.isprintable() else "\ufffd" for c in text.rstrip("\r\n")[:EXCERPT_CHARACTERS])


def rejects_table(rejects: Sequence[Reject]) -> pa.Table:
    """Rejects as a table of REJECT_SCHEMA."""
    return pa.table(
        {
            "file": [reject.file for reject in rejects],
            "row": [reject.row for reject in rejects],
            "reason": [reject.reason for reject in rejects],
            "excerpt": [reject.excerpt for reject in rejects],
        },
        schema=REJECT_SCHEMA,
    )


class RejectsWriter:
    """Writes rejects of all sources to one Parquet file (REJECTS_FILE_SCHEMA) that only its owner can read.

    The file appears whole at `close` and is written even when nothing was rejected, so that its absence always means
    that the run did not finish. As a context manager it closes on success and leaves nothing behind on an error.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the writer beside `path`. Raises InvalidInputError when the folder cannot be written to."""
        self.path = Path(path)
        self.count = 0
        try:
            self._file = WholeFile(self.path)
        except OSError as error:
            raise InvalidInputError(
                f"{self.path}: the rejects file cannot be written here: {error.strerror}"
            ) from error
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(self._file.stream, REJECTS_FILE_SCHEMA)

    def write(self, source: str, rejects: pa.Table) -> None:
        """Append rejects (a table of REJECT_SCHEMA) of one source system."""
        if self._writer is None:
            raise ValueError("the rejects file is closed")
        if rejects.num_rows:
            named = rejects.add_column(0, REJECTS_FILE_SCHEMA.field("source"), pa.array([source] * rejects.num_rows))
            with self._told():
                self._writer.write_table(named.cast(REJECTS_FILE_SCHEMA))
            self.count += rejects.num_rows

    def close(self) -> None:
        """Finish the file and move it into place. Closing twice is closing once."""
        if self._writer is None:
            return
        try:
            with self._told():
                self._writer.close()
                self._file.put_in_place()
        except MpiError:
            self.abandon()
            raise
        self._writer = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A full disk or a lost folder is an error of one line. Raises MpiError."""
        try:
            yield
        except OSError as error:
            raise MpiError(f"{self.path}: the rejects file cannot be written: {error.strerror or error}") from error

    def abandon(self) -> None:
        """Drop what was written; a file that stood at the path before stays as it was."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            # what cannot be written any more is not missed
            with suppress(OSError):
                writer.close()
            self._file.drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()
