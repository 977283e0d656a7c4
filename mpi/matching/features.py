"""Feature rows: the fixed-width image of standard records, the only thing that scorer and blocking see.

A row is `layout.width` bytes: what comparisons read, then what only blocking keys read, then short byte strings.
Rows of one layout can be stored, sent and compared on any machine of the same byte order (little-endian).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import RuleFileError
from mpi.domain.model import AllOf, AnyOf, Condition, LinkageModel, Predicate
from mpi.domain.records import ColumnKind, StandardRecord, StandardValue
from mpi.matching.levels import EDIT_OPCODES, LEVEL_KINDS, MAXIMUM_MEMBERS, MAXIMUM_SYLLABLES, Representation
from mpi.matching.packing import Cells, Shown, pack
from mpi.matching.siphash import PUBLIC_KEY, hash_strings, key_words

MISSING_INTEGER = np.int32(-(2**31))
"""What an integer slot holds when the value is missing."""

MAXIMUM_WIDTH = 64
"""The widest byte string a row may hold: the similarity kernels use one machine word of flags."""

Slot = tuple[str, Representation]


_BLOCK = 1_024
"""Rows that are packed together: they stay in the processor's second cache."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the packing kernel reads: columns by their kind, those whose terms are looked up, and its table of slots
    (int32 (k, 4))."""

    texts: tuple[str, ...]
    sets: tuple[str, ...]
    integers: tuple[str, ...]
    terms: tuple[str, ...]
    slots: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each (column, representation) lies in a row: byte offsets, the width in bytes, and a digest that names
    the layout.

    `byte_widths` gives the bytes kept of each BYTES slot; `columns` is what rows are packed from. Two models with equal
    digests can share rows.
    """

    offsets: Mapping[Slot, int]
    byte_widths: Mapping[str, int]
    width: int
    digest: str
    columns: Columns = field(compare=False, repr=False)

    def offset(self, column: str, representation: Representation) -> int:
        """Byte offset of a slot. Raises KeyError when the layout has no such slot."""
        return self.offsets[column, representation]


def predicates(condition: Condition | None) -> Iterable[Predicate]:
    """Every predicate of a condition, left to right."""
    match condition:
        case None:
            return
        case Predicate():
            yield condition
        case AnyOf(conditions) | AllOf(conditions):
            for inner in conditions:
                yield from predicates(inner)


def representation_of(kind: ColumnKind) -> Representation:
    """The representation that stands for equality of a column of this kind."""
    return {
        ColumnKind.TEXT: Representation.CODE,
        ColumnKind.INTEGER: Representation.INTEGER,
        ColumnKind.TEXTS: Representation.MEMBERS,
    }[kind]


def _compared_slots(model: LinkageModel) -> list[Slot]:
    """Slots that comparisons read, in the order in which they are first asked for."""
    slots: dict[Slot, None] = {}
    for comparison in model.comparisons:
        for level in comparison.levels:
            for predicate in predicates(level.condition):
                kind = LEVEL_KINDS[predicate.kind]
                for column in predicate.columns:
                    opcode, representation = kind.opcodes[model.columns[column]]
                    slots[column, representation] = None
                    if opcode in EDIT_OPCODES:
                        slots[column, Representation.SIGNATURE] = None
                        slots[column, Representation.BYTES] = None
            if level.tf_column is not None:
                slots[level.tf_column, Representation.FREQUENCY] = None
    return list(slots)


def _key_slots(model: LinkageModel) -> list[Slot]:
    """Slots that blocking keys and frequency caps read."""
    columns = [column for rule in model.blocking for column in (*rule.columns, *rule.refine)]
    columns += [column for cap in model.frequency_caps for column in (cap.column, *cap.per)]
    return [(column, representation_of(model.columns[column])) for column in columns]


_SIZES = {
    Representation.CODE: 8,
    Representation.MEMBERS: 8 * MAXIMUM_MEMBERS,
    Representation.SIGNATURE: 8,
    Representation.INTEGER: 4,
    Representation.FREQUENCY: 4,
    Representation.SYLLABLES: 4 * (1 + MAXIMUM_SYLLABLES),
}


def _ordered_slots(model: LinkageModel) -> list[Slot]:
    """What every pair is asked about lies together at the front of a row; texts, which few pairs are, at its end."""
    compared = _compared_slots(model)
    texts = [slot for slot in compared if slot[1] is Representation.BYTES]
    # stable: 32-bit values behind the whole words, each in the order in which they are asked for
    values = sorted((slot for slot in compared if slot not in texts), key=lambda slot: _SIZES[slot[1]] < 8)
    keys = [slot for slot in dict.fromkeys(_key_slots(model)) if slot not in compared]
    return [*values, *sorted(keys, key=lambda slot: -_SIZES[slot[1]]), *texts]


def layout_of(model: LinkageModel) -> Layout:
    """Lay out the rows that a model needs. Raises RuleFileError where a text compared by its characters has no good
    width."""
    widths = model.widths()
    offsets: dict[Slot, int] = {}
    byte_widths: dict[str, int] = {}
    position = 0
    for column, representation in _ordered_slots(model):
        if representation is Representation.BYTES:
            if not 1 <= widths.get(column, 0) <= MAXIMUM_WIDTH:
                raise RuleFileError(
                    f"{model.name}: {column} is compared by its characters"
                    f" and must declare a width of 1 to {MAXIMUM_WIDTH}"
                )
            byte_widths[column] = widths[column]
            size = 1 + byte_widths[column]
        else:
            size = _SIZES[representation]
            unit = min(size, 8)
            position = -(-position // unit) * unit
        offsets[column, representation] = position
        position += size
    width = -(-position // 8) * 8
    description = repr((sorted((c, r.value, o) for (c, r), o in offsets.items()), sorted(byte_widths.items()), width))
    frequencies = repr(
        [(c, t.unseen, sorted(t.frequencies.items())) for c, t in sorted(model.term_frequencies.items())]
    )
    digest = hashlib.sha256((description + frequencies).encode()).hexdigest()[:16]
    return Layout(offsets, byte_widths, width, digest, _columns(model, offsets, byte_widths))


def _columns(model: LinkageModel, offsets: Mapping[Slot, int], byte_widths: Mapping[str, int]) -> Columns:
    kinds = {column: model.columns[column] for column, _ in offsets}
    names = {kind: tuple(column for column in kinds if kinds[column] is kind) for kind in ColumnKind}
    terms = tuple(column for column, shown in offsets if shown is Representation.FREQUENCY)
    slots = []
    for (column, shown), offset in offsets.items():
        extra = 0
        if shown in (Representation.BYTES, Representation.SIGNATURE):
            extra = byte_widths[column]
        elif shown is Representation.FREQUENCY:
            extra = terms.index(column)
        slots.append((Shown[shown.name], names[kinds[column]].index(column), offset, extra))
    table = np.array(slots, dtype=np.int32).reshape(-1, 4)
    return Columns(names[ColumnKind.TEXT], names[ColumnKind.TEXTS], names[ColumnKind.INTEGER], terms, table)


@dataclass(frozen=True, slots=True)
class TextColumn:
    """n texts: `data` uint8 UTF-8 bytes end to end, `offsets` int64 (n + 1,); a missing text is empty."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextsColumn:
    """n sets of texts: set i is members offsets[i]:offsets[i + 1]; `offsets` int64 (n + 1,)."""

    members: TextColumn
    offsets: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class IntegerColumn:
    """n integers, int32 (n,), MISSING_INTEGER where there is none."""

    values: NDArray[np.int32]


Column = TextColumn | TextsColumn | IntegerColumn
C = TypeVar("C", TextColumn, TextsColumn, IntegerColumn)


def text_column(values: Sequence[str | None]) -> TextColumn:
    """Lay texts end to end."""
    encoded = [(value or "").encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    return TextColumn(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)


def columns_of(records: Sequence[StandardRecord], kinds: Mapping[str, ColumnKind]) -> dict[str, Column]:
    """Columns of a few standard records, for the online path. `kinds` names the columns to take."""
    columns: dict[str, Column] = {}
    for name, kind in kinds.items():
        values: list[StandardValue] = [record.values.get(name) for record in records]
        if kind is ColumnKind.TEXT:
            columns[name] = text_column([str(value) if value is not None else None for value in values])
        elif kind is ColumnKind.INTEGER:
            numbers = [value if isinstance(value, int) else int(MISSING_INTEGER) for value in values]
            columns[name] = IntegerColumn(np.array(numbers, dtype=np.int32))
        else:
            sets = [value if isinstance(value, tuple) else () for value in values]
            offsets = np.zeros(len(sets) + 1, dtype=np.int64)
            np.cumsum([len(members) for members in sets], out=offsets[1:])
            columns[name] = TextsColumn(text_column([member for members in sets for member in members]), offsets)
    return columns


def hash_column(column: TextColumn, key: bytes) -> NDArray[np.uint64]:
    """Keyed codes of a text column, uint64 (n,), 0 where missing."""
    codes = np.empty(len(column.offsets) - 1, dtype=np.uint64)
    hash_strings(column.data, column.offsets, key_words(key), codes)
    return codes


@dataclass(frozen=True, slots=True)
class FrequencyTable:
    """Frozen term frequencies of a model as arrays: for each column its first index and sorted public hashes.

    `log2` float64: entry 0 stands for missing; at a column's first index lies the value for unseen terms, then one
    entry a hash. `codes` uint64: the hash of each entry, 0 where it has none.
    """

    first: Mapping[str, int]
    hashes: Mapping[str, NDArray[np.uint64]]
    log2: NDArray[np.float64]
    codes: NDArray[np.uint64]

    def indices(self, column: str, values: TextColumn) -> NDArray[np.uint32]:
        """Index into `log2` of each value, uint32 (n,); 0 where missing."""
        codes = hash_column(values, PUBLIC_KEY)
        known = self.hashes[column]
        first = self.first[column]
        found = np.full(len(codes), first, dtype=np.uint32)
        if len(known):
            place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
            found = np.where(known[place] == codes, first + 1 + place, first).astype(np.uint32)
        found[codes == 0] = 0
        return found


def frequency_table(model: LinkageModel) -> FrequencyTable:
    """Compile a model's term frequencies."""
    first: dict[str, int] = {}
    hashes: dict[str, NDArray[np.uint64]] = {}
    parts: list[NDArray[np.float64]] = [np.zeros(1)]
    codes: list[NDArray[np.uint64]] = [np.zeros(1, dtype=np.uint64)]
    position = 1
    for column, terms in sorted(model.term_frequencies.items()):
        ordered = sorted(terms.frequencies.items())
        first[column] = position
        hashes[column] = np.array([code for code, _ in ordered], dtype=np.uint64)
        codes += [np.zeros(1, dtype=np.uint64), hashes[column]]
        parts.append(np.log2(np.array([terms.unseen, *(frequency for _, frequency in ordered)])))
        position += 1 + len(ordered)
    return FrequencyTable(first, hashes, np.concatenate(parts), np.concatenate(codes))


def pack_rows(
    columns: Mapping[str, Column], layout: Layout, frequencies: FrequencyTable, key: bytes
) -> NDArray[np.uint8]:
    """Pack standard columns into feature rows, uint8 (n, layout.width), C-contiguous.

    `key` is the registry's 16-byte secret: codes of one registry cannot be compared with another's.
    """
    sizes = {_length(column) for column in columns.values()}
    if len(sizes) > 1:
        raise ValueError(f"columns of different lengths: {sorted(sizes)}")
    rows = np.zeros((sizes.pop() if sizes else 0, layout.width), dtype=np.uint8)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        _pack(_cells_of_columns(columns, layout.columns, start, start + len(block)), layout, frequencies, key, block)
    return rows


def pack_records(
    records: Sequence[StandardRecord], layout: Layout, frequencies: FrequencyTable, key: bytes
) -> NDArray[np.uint8]:
    """Feature rows of a few standard records: what `pack_rows` makes of their columns, without the columns."""
    rows = np.zeros((len(records), layout.width), dtype=np.uint8)
    _pack(_cells_of_records(records, layout.columns), layout, frequencies, key, rows)
    return rows


@lru_cache(maxsize=16)
def _keys(key: bytes) -> NDArray[np.uint64]:
    return np.stack([key_words(key), key_words(PUBLIC_KEY)])


def _pack(cells: Cells, layout: Layout, frequencies: FrequencyTable, key: bytes, rows: NDArray[np.uint8]) -> None:
    bounds = [(frequencies.first[name], len(frequencies.hashes[name])) for name in layout.columns.terms]
    terms = frequencies.codes, np.array(bounds, dtype=np.int64).reshape(-1, 2)
    views = rows, rows.view(np.uint32), rows.view(np.int32), rows.view(np.uint64)
    pack(cells, layout.columns.slots, terms, _keys(key), views)


def _cells_of_records(records: Sequence[StandardRecord], columns: Columns) -> Cells:
    given = [record.values.get for record in records]
    encoded = [b"" if value is None else str(value).encode() for value in _by_column(given, columns.texts)]
    sets = [0]
    texts = len(encoded)
    for members in _by_column(given, columns.sets):
        if isinstance(members, tuple):
            encoded += [member.encode() for member in members]
        sets.append(len(encoded) - texts)
    missing = int(MISSING_INTEGER)
    numbers = [value if isinstance(value, int) else missing for value in _by_column(given, columns.integers)]
    return Cells(
        np.frombuffer(bytearray().join(encoded), dtype=np.uint8),
        np.fromiter(accumulate(map(len, encoded), initial=0), np.int64, len(encoded) + 1),
        np.array(sets, dtype=np.int64),
        np.array(numbers, dtype=np.int32),
    )


def _by_column(given: Sequence[Callable[[str], StandardValue]], names: Sequence[str]) -> Iterable[StandardValue]:
    """The values that records give, column by column."""
    return chain.from_iterable(zip(*[map(get, names) for get in given], strict=True))


def _cells_of_columns(columns: Mapping[str, Column], named: Columns, start: int, stop: int) -> Cells:
    """Records `start` to `stop` of the columns as cells."""
    texts = [(column, start, stop) for column in _of_kind(TextColumn, columns, named.texts)]
    sets = [(column, column.offsets[start : stop + 1]) for column in _of_kind(TextsColumn, columns, named.sets)]
    texts += [(column.members, int(offsets[0]), int(offsets[-1])) for column, offsets in sets]
    spans = [column.offsets[first : last + 1] for column, first, last in texts]
    data = [column.data[span[0] : span[-1]] for (column, _, _), span in zip(texts, spans, strict=True)]
    numbers = [column.values[start:stop] for column in _of_kind(IntegerColumn, columns, named.integers)]
    return Cells(
        np.concatenate([np.empty(0, dtype=np.uint8), *data]),
        _end_to_end(spans),
        _end_to_end([offsets for _, offsets in sets]),
        np.concatenate([np.empty(0, dtype=np.int32), *numbers]),
    )


def _of_kind(kind: type[C], columns: Mapping[str, Column], names: Sequence[str]) -> list[C]:
    found = [column for name in names if isinstance(column := columns[name], kind)]
    if len(found) < len(names):
        raise TypeError(f"not all {kind.__name__}: {', '.join(names)}")
    return found


def _end_to_end(spans: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Offsets of parts laid end to end, each given by its own (n + 1,)."""
    shift = 0
    parts = [np.zeros(1, dtype=np.int64)]
    for offsets in spans:
        parts.append(offsets[1:] + (shift - offsets[0]))
        shift += int(offsets[-1] - offsets[0])
    return np.concatenate(parts)


def _length(column: Column) -> int:
    return len(column.values) if isinstance(column, IntegerColumn) else len(column.offsets) - 1
