"""Parquet as rows: every type that has a plain text form becomes that text, without loss.

Integers are digits, floats as in `ndjson.float_text`, decimals lose trailing zeros of the fraction, dates and
timestamps are ISO 8601 (a midnight without a time zone is a date), booleans are true and false.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mpi.batch.ndjson import float_text
from mpi.batch.rejects import RawRows, Reject
from mpi.domain.errors import SourceUnreadableError

_BATCH_ROWS = 16_384
_BUFFER_BYTES = 1 << 18


class ParquetRows:
    """One Parquet file, read once, a buffer of each column at a time."""

    def __init__(self, path: Path, name: str) -> None:
        """Open the file and read its footer. Raises SourceUnreadableError."""
        self.name = name
        try:
            self._size = path.stat().st_size
            if not self._size:
                raise SourceUnreadableError(f"{name}: is empty; a Parquet file is wanted")
            # A buffer size makes Arrow stream column chunks; without it a row group is held whole.
            self._file = pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise SourceUnreadableError(
                f"{name}: is not a whole Parquet file; copy it again ({_first_line(error)})"
            ) from error
        self.columns: list[str] = list(self._file.schema_arrow.names)
        self.rows: int | None = int(self._file.metadata.num_rows)
        self._row = 0

    @property
    def bytes_read(self) -> int:
        """Bytes consumed of the file, estimated from the rows read."""
        return self._size * self._row // self.rows if self.rows else self._size

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, wanted: Sequence[str]) -> Iterator[RawRows]:
        """Rows of the `wanted` columns, each of which is in `columns`. Raises SourceUnreadableError."""
        schema = self._file.schema_arrow
        for column in wanted:
            if not _has_text_form(schema.field(column).type):
                raise SourceUnreadableError(
                    f"{self.name}: column {column} holds {schema.field(column).type}; text, numbers or dates are wanted"
                )
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, columns=list(wanted)):
                yield self._rows(batch, wanted)
        except (pa.ArrowException, OSError) as error:
            raise SourceUnreadableError(f"{self.name}: is damaged; copy it again ({_first_line(error)})") from error

    def _rows(self, batch: pa.RecordBatch, wanted: Sequence[str]) -> RawRows:
        numbers = np.arange(self._row + 1, self._row + batch.num_rows + 1, dtype=np.int64)
        self._row += batch.num_rows
        columns: dict[str, pa.Array] = {}
        damaged: dict[int, str] = {}
        for column in wanted:
            columns[column], bad = text_array(batch.column(column))
            damaged.update(dict.fromkeys(bad, f"{column} is not valid utf-8"))
        if not damaged:
            return RawRows(columns, pa.array(numbers), ())
        rejects = [Reject(self.name, int(numbers[index]), reason) for index, reason in sorted(damaged.items())]
        kept = pa.array(np.delete(np.arange(batch.num_rows), list(damaged)))
        return RawRows(
            {name: array.take(kept) for name, array in columns.items()}, pa.array(numbers).take(kept), rejects
        )


def text_array(array: pa.Array) -> tuple[pa.Array, list[int]]:
    """An array of any type that has a text form as strings (empty is null), and the positions of undecodable values."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = array.type
    if pa.types.is_dictionary(kind):
        return text_array(array.dictionary_decode())
    bad: list[int] = []
    if pa.types.is_floating(kind):
        text = pa.array([None if value is None else float_text(value) for value in array.to_pylist()], pa.string())
    elif pa.types.is_decimal(kind):
        text = pc.replace_substring_regex(array.cast(pa.string()), r"(\.\d*?)0+$", r"\1")
        text = pc.replace_substring_regex(text, r"\.$", "")
    elif pa.types.is_date64(kind):
        text = array.cast(pa.date32()).cast(pa.string())
    elif pa.types.is_timestamp(kind):
        text = _timestamp_text(array)
    elif _is_textual(kind):
        text, bad = _decoded(array)
    else:
        text = array.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text), bad


def _timestamp_text(array: pa.Array) -> pa.Array:
    if array.type.tz is not None:
        zoned = pc.strftime(array, format="%Y-%m-%dT%H:%M:%S%z")
        zoned = pc.replace_substring_regex(zoned, r"\.0+([+-]\d{4})$", r"\1")
        return pc.replace_substring_regex(zoned, r"([+-]\d\d)(\d\d)$", r"\1:\2")
    text = pc.replace_substring_regex(array.cast(pa.string()), r"\.0+$", "")
    text = pc.replace_substring_regex(text, r" 00:00:00$", "")
    return pc.replace_substring(text, " ", "T", max_replacements=1)


def _decoded(array: pa.Array) -> tuple[pa.Array, list[int]]:
    # Parquet does not check that its strings are UTF-8, and older writers declare text as plain binary.
    try:
        text = array.cast(pa.string())
        text.validate(full=True)
        return text, []
    except pa.ArrowInvalid:
        values: list[str | None] = []
        bad = []
        for index, value in enumerate(array.cast(pa.large_binary()).to_pylist()):
            try:
                values.append(None if value is None else value.decode("utf-8"))
            except UnicodeDecodeError:
                values.append(None)
                bad.append(index)
        return pa.array(values, pa.string()), bad


def _is_textual(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )  # fmt: skip


def _has_text_form(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _has_text_form(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _has_text_form(kind.value_type)
    return (
        _is_textual(kind)
        or (pa.types.is_primitive(kind) and not pa.types.is_duration(kind))
        or bool(pa.types.is_null(kind) or pa.types.is_decimal(kind))
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
