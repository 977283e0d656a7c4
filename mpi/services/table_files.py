"""Tables written to a file as they come: Parquet (zstd) or CSV by the name's ending.

The file appears whole or not at all, and only its owner can read it: it may hold personal data.
"""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from mpi.domain.errors import InvalidInputError, MpiError

ENDINGS = (".parquet", ".csv")


class TableFile:
    """A table of one schema being written beside `path`; leaving the `with` block without an error puts it in place.

    A file that stood at the path stays as it was until then. `rows` counts what was written.
    """

    def __init__(self, path: str | Path, schema: pa.Schema) -> None:
        """Raises InvalidInputError for another ending or a folder that cannot be written to."""
        self.path = Path(path)
        self.rows = 0
        ending = self.path.suffix.lower()
        if ending not in ENDINGS:
            raise InvalidInputError(f"{self.path}: exports are written as {' or '.join(ENDINGS)}; name the file so")
        if self.path.is_dir():
            raise InvalidInputError(f"{self.path}: is a folder; name a file in it")
        self._partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.partial")
        try:
            handle = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise InvalidInputError(f"{self.path}: cannot be written here: {error.strerror}") from error
        self._file = os.fdopen(handle, "wb")
        self._writer = (
            pq.ParquetWriter(self._file, schema, compression="zstd")
            if ending == ".parquet"
            else csv.CSVWriter(self._file, schema)
        )

    def write(self, rows: pa.Table | pa.RecordBatch) -> None:
        """Append rows of the file's schema. Raises MpiError when the disk takes no more."""
        try:
            self._writer.write(rows)
        except OSError as error:
            raise self._failure(error) from error
        self.rows += rows.num_rows

    def _finish(self) -> None:
        try:
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._partial, self.path)
        except OSError as error:
            self._drop()
            raise self._failure(error) from error

    def _drop(self) -> None:
        for closing in (self._writer.close, self._file.close):
            with suppress(OSError):
                closing()
        self._partial.unlink(missing_ok=True)

    def _failure(self, error: OSError) -> MpiError:
        return MpiError(f"{self.path}: could not be written: {error.strerror or error}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        else:
            self._drop()
