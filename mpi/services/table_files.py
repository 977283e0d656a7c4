"""Tables written to a file as they come: Parquet (zstd) or CSV by the name's ending.

The file appears whole or not at all, and only its owner can read it: it may hold personal data.
"""

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from mpi.batch.whole_files import WholeFile
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
        try:
            self._file = WholeFile(self.path)
        except OSError as error:
            raise InvalidInputError(f"{self.path}: cannot be written here: {error.strerror}") from error
        self._writer = (
            pq.ParquetWriter(self._file.stream, schema, compression="zstd")
            if ending == ".parquet"
            else csv.CSVWriter(self._file.stream, schema)
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
            self._file.put_in_place()
        except OSError as error:
            self._drop()
            raise self._failure(error) from error

    def _drop(self) -> None:
        with suppress(OSError):
            self._writer.close()
        self._file.drop()

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
