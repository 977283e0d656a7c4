"""Standard tables in Arrow seen as the matching core's columns: buffers are shared where Arrow's layout allows it.

Missing is one thing on both sides: an Arrow null, an empty text and an empty set all give an empty value.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError
from mpi.domain.records import ColumnKind
from mpi.matching.features import MISSING_INTEGER, Column, IntegerColumn, TextColumn, TextsColumn, hash_column
from mpi.matching.sharing import integer_codes

_Spans = tuple[NDArray[np.int64], int]


def columns_of_table(table: pa.Table, kinds: Mapping[str, ColumnKind]) -> dict[str, Column]:
    """Matching columns of a standard table. `kinds` names the columns to take.

    Texts may be string, large_string, string_view or a dictionary of them; sets a list of texts; integers any integer
    type that fits 32 bits. A table of one chunk is not copied, but for its 32-bit offsets.
    Raises InvalidInputError for a missing column or one of another type.
    """
    columns: dict[str, Column] = {}
    for name, kind in kinds.items():
        if name not in table.column_names:
            raise InvalidInputError(f"the standard table has no column {name}")
        try:
            columns[name] = _READERS[kind](table.column(name))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise InvalidInputError(
                f"column {name} of the standard table is {table.column(name).type}, not {kind.value}"
            ) from error
    return columns


def without_values(
    column: pa.ChunkedArray, kind: ColumnKind, codes: NDArray[np.uint64], *, key: bytes
) -> tuple[pa.ChunkedArray, int]:
    """A column with some values made missing, and in how many rows there were any.

    The values go by their codes under `key`, whole numbers by what a feature row makes of them (see `sharing`).
    """
    values = _READERS[kind](column)
    if isinstance(values, IntegerColumn):
        void = np.isin(integer_codes(values.values), codes)
        return pc.if_else(pa.array(void), None, column.cast(pa.int32())), int(np.count_nonzero(void))
    if isinstance(values, TextsColumn):
        kept = ~np.isin(hash_column(values.members, key), codes)
        ends = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])
        offsets = ends[values.offsets]
        changed = int(np.count_nonzero(np.diff(offsets) != np.diff(values.offsets)))
        members = _arrow_texts(values.members).filter(pa.array(kept))
        return pa.chunked_array([pa.LargeListArray.from_arrays(pa.array(offsets), members)]), changed
    void = np.isin(hash_column(values, key), codes)
    return pa.chunked_array([pc.if_else(pa.array(void), None, _arrow_texts(values))]), int(np.count_nonzero(void))


def _arrow_texts(texts: TextColumn) -> pa.Array:
    buffers = [None, pa.py_buffer(np.ascontiguousarray(texts.offsets)), pa.py_buffer(np.ascontiguousarray(texts.data))]
    return pa.Array.from_buffers(pa.large_string(), len(texts.offsets) - 1, buffers)


def _integers(column: pa.ChunkedArray) -> IntegerColumn:
    if not (pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
        raise pa.ArrowTypeError("not integers")
    numbers = column.cast(pa.int32())
    if numbers.null_count:
        numbers = pc.fill_null(numbers, int(MISSING_INTEGER))
    return IntegerColumn(numbers.to_numpy())


def _texts(column: pa.ChunkedArray) -> TextColumn:
    return _joined([_text_chunk(chunk) for chunk in column.chunks])


def _sets(column: pa.ChunkedArray) -> TextsColumn:
    chunks = [_set_chunk(chunk) for chunk in column.chunks]
    members = _joined([chunk.members for chunk in chunks])
    return TextsColumn(members, _stacked([(chunk.offsets, len(chunk.members.offsets) - 1) for chunk in chunks]))


_READERS: Mapping[ColumnKind, Callable[[pa.ChunkedArray], Column]] = {
    ColumnKind.TEXT: _texts,
    ColumnKind.INTEGER: _integers,
    ColumnKind.TEXTS: _sets,
}


def _joined(chunks: list[TextColumn]) -> TextColumn:
    if len(chunks) == 1:
        return chunks[0]
    data = np.concatenate([chunk.data for chunk in chunks]) if chunks else np.empty(0, dtype=np.uint8)
    return TextColumn(data, _stacked([(chunk.offsets, len(chunk.data)) for chunk in chunks]))


def _stacked(chunks: list[_Spans]) -> NDArray[np.int64]:
    """Offsets of chunks laid end to end; each chunk starts at 0 and covers `size` items."""
    if len(chunks) == 1:
        return chunks[0][0]
    shift = 0
    parts = [np.zeros(1, dtype=np.int64)]
    for offsets, size in chunks:
        parts.append(offsets[1:] + shift)
        shift += size
    return np.concatenate(parts)


def _text_chunk(chunk: pa.Array) -> TextColumn:
    if pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    if not (pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type)):
        if not (pa.types.is_null(chunk.type) or pa.types.is_string_view(chunk.type)):
            raise pa.ArrowTypeError("not texts")
        chunk = chunk.cast(pa.large_string())
    offsets = _offsets(chunk)
    if _nulls_hold_values(chunk, offsets):
        chunk = pc.fill_null(chunk, "")
        offsets = _offsets(chunk)
    buffer = chunk.buffers()[2]
    data = np.frombuffer(buffer, dtype=np.uint8) if buffer is not None else np.empty(0, dtype=np.uint8)
    return TextColumn(data[offsets[0] : offsets[-1]], offsets - offsets[0] if offsets[0] else offsets)


def _set_chunk(chunk: pa.Array) -> TextsColumn:
    if pa.types.is_fixed_size_list(chunk.type) or pa.types.is_null(chunk.type):
        chunk = chunk.cast(pa.large_list(pa.large_string()))
    if not (pa.types.is_list(chunk.type) or pa.types.is_large_list(chunk.type)):
        raise pa.ArrowTypeError("not sets")
    offsets = _offsets(chunk)
    if _nulls_hold_values(chunk, offsets):
        lengths = np.where(chunk.is_valid().to_numpy(zero_copy_only=False), np.diff(offsets), 0)
        members = chunk.flatten()
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])
    else:
        members = chunk.values.slice(offsets[0], offsets[-1] - offsets[0])
        offsets = offsets - offsets[0] if offsets[0] else offsets
    if members.null_count:
        raise InvalidInputError("a set column of the standard table holds a missing member")
    return TextsColumn(_text_chunk(members), offsets)


def _offsets(chunk: pa.Array) -> NDArray[np.int64]:
    """Offsets int64 (n + 1,) of a string or list chunk, as they lie: a slice does not start at 0."""
    large = pa.types.is_large_string(chunk.type) or pa.types.is_large_list(chunk.type)
    buffer = chunk.buffers()[1]
    if buffer is None or len(chunk) == 0:
        return np.zeros(len(chunk) + 1, dtype=np.int64)
    offsets = np.frombuffer(buffer, dtype=np.int64 if large else np.int32)
    return offsets[chunk.offset : chunk.offset + len(chunk) + 1].astype(np.int64, copy=False)


def _nulls_hold_values(chunk: pa.Array, offsets: NDArray[np.int64]) -> bool:
    """Whether bytes or members lie under a null, which Arrow allows."""
    if not chunk.null_count:
        return False
    missing = chunk.is_null().to_numpy(zero_copy_only=False)
    return bool(np.any(np.diff(offsets)[missing]))
