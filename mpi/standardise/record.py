"""Records and tables to standard values, as a rule file's fields ask for them.

The table path calls the same functions as the record path, once per distinct value: the two are equal row for row.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mpi.domain.errors import InvalidInputError
from mpi.domain.model import FieldRule
from mpi.domain.records import ColumnKind, SourceRecord, StandardRecord, StandardValue
from mpi.standardise.catalogue import STANDARDISERS, Output, Reducer, Standardiser, Values

__all__ = ["STANDARDISERS", "Output", "Standardiser", "standard_columns", "standardise_record", "standardise_table"]

_ARROW_TYPES = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.INTEGER: pa.int32(),
    ColumnKind.TEXTS: pa.list_(pa.string()),
}
_KEY_LIMIT = 2**62
_SLICE = 1 << 12


@dataclass(frozen=True, slots=True)
class _Distinct:
    """A column as its distinct values and, for each row, the place of its value among them."""

    values: list[Any]
    codes: npt.NDArray[np.int64]


def _standardiser(rule: FieldRule) -> Standardiser:
    """The standardiser of a field. Raises InvalidInputError for an unknown standardiser, or an input it does not
    have."""
    standardiser = STANDARDISERS.get(rule.standardiser)
    if standardiser is None:
        raise InvalidInputError(
            f"field {rule.prefix}: unknown standardiser {rule.standardiser!r}; "
            f"known: {', '.join(sorted(STANDARDISERS))}"
        )
    if unknown := sorted(set(rule.inputs) - set(standardiser.inputs)):
        raise InvalidInputError(
            f"field {rule.prefix}: {rule.standardiser} has no input {unknown[0]!r}; "
            f"known: {', '.join(standardiser.inputs)}"
        )
    return standardiser


def _column_name(rule: FieldRule, output: Output) -> str:
    return f"{rule.prefix}_{output.name}" if output.name else rule.prefix


def standard_columns(fields: Sequence[FieldRule]) -> dict[str, ColumnKind]:
    """Names and kinds of all standard columns, in the order of the fields.

    Raises InvalidInputError for an unknown standardiser or input, a width of a column that is no text of the field,
    or a
    column that two fields yield.
    """
    columns: dict[str, ColumnKind] = {}
    for rule in fields:
        own = {_column_name(rule, output): output.kind for output in _standardiser(rule).outputs}
        for column in own:
            if column in columns:
                raise InvalidInputError(f"field {rule.prefix}: column {column} is also that of another field")
        for column in rule.widths:
            if own.get(column) is not ColumnKind.TEXT:
                raise InvalidInputError(
                    f"field {rule.prefix}: width of {column}, which is no text column of this field"
                )
        columns.update(own)
    return columns


def _cut(value: StandardValue, width: int) -> StandardValue:
    """At most `width` bytes of a text; a letter that would be halved goes whole."""
    if not isinstance(value, str) or (len(value) <= width and value.isascii()):
        return value
    return value.encode()[:width].decode(errors="ignore").rstrip() or None


class _Part(NamedTuple):
    """One field of a plan: what combines its reduced inputs (given by their places), and its columns, some cut to a
    width."""

    combine: Callable[..., Values]
    inputs: tuple[int, ...]
    columns: tuple[str, ...]
    cuts: tuple[tuple[str, int], ...]


class _Plan(NamedTuple):
    """Fields made ready for records: raw columns, what reduces each (by its place; the place behind the last is that
    of a missing value), and the fields."""

    columns: tuple[str, ...]
    reductions: tuple[tuple[int, Reducer | None], ...]
    parts: tuple[_Part, ...]


_FieldKey = tuple[str, str, tuple[tuple[str, str], ...], tuple[tuple[str, int], ...]]


@lru_cache(maxsize=256)
def _compiled(fields: tuple[_FieldKey, ...]) -> _Plan:
    """Look standardisers and columns up once; a reducer that several fields ask for on one column runs once a
    record."""
    rules = [FieldRule(prefix, name, dict(inputs), dict(widths)) for prefix, name, inputs, widths in fields]
    columns = list(dict.fromkeys(column for rule in rules for column in rule.inputs.values()))
    reductions: dict[tuple[int, Reducer | None], int] = {}
    parts: list[_Part] = []
    for rule in rules:
        standardiser = _standardiser(rule)
        places: list[int] = []
        for name, reducer in zip(standardiser.inputs, standardiser.reducers, strict=True):
            column = columns.index(rule.inputs[name]) if name in rule.inputs else len(columns)
            places.append(reductions.setdefault((column, reducer), len(reductions)))
        names = tuple(_column_name(rule, output) for output in standardiser.outputs)
        cuts = tuple((column, width) for column, width in rule.widths.items() if column in names)
        parts.append(_Part(standardiser.combine, tuple(places), names, cuts))
    return _Plan(tuple(columns), tuple(reductions), tuple(parts))


_PLANS = 64
_plans: dict[int, tuple[Sequence[FieldRule], _Plan]] = {}
"""Plans by the identity of the fields, which they keep alive: no other object can take it."""


def _plan(fields: Sequence[FieldRule]) -> _Plan:
    known = _plans.get(id(fields))
    if known is not None:
        return known[1]
    key = tuple(
        (rule.prefix, rule.standardiser, tuple(rule.inputs.items()), tuple(rule.widths.items())) for rule in fields
    )
    plan = _compiled(key)
    if isinstance(fields, tuple):
        if len(_plans) >= _PLANS:
            _plans.clear()
        _plans[id(fields)] = (fields, plan)
    return plan


def standardise_record(record: SourceRecord, fields: Sequence[FieldRule]) -> StandardRecord:
    """The standard values of one source record; columns that it lacks are missing.

    Raises InvalidInputError for an unknown standardiser or input.
    """
    plan = _plan(fields)
    own: dict[str, str | None] = {
        "source_record_id": record.key.source_record_id,
        "recorded_at": record.recorded_at,
    }
    given, absent = record.values.get, own.get
    raw = [given(column, absent(column)) for column in plan.columns]
    raw.append(None)
    reduced = [raw[place] if reducer is None else reducer(raw[place]) for place, reducer in plan.reductions]
    values: dict[str, StandardValue] = {}
    for combine, inputs, columns, cuts in plan.parts:
        values.update(zip(columns, combine(*[reduced[place] for place in inputs]), strict=True))
        for column, width in cuts:
            values[column] = _cut(values[column], width)
    return StandardRecord(record.key, values)


def _distinct(table: pa.Table, column: str | None) -> _Distinct:
    """The distinct raw strings of a column; a column that the table lacks is missing throughout."""
    if column is None or column not in table.column_names:
        return _Distinct([None], np.zeros(table.num_rows, dtype=np.int64))
    array = table.column(column)
    if pa.types.is_dictionary(array.type) or not pa.types.is_string(array.type):
        array = array.cast(pa.string())
    encoded = pc.dictionary_encode(array, null_encoding="encode").combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = (
            pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
        )
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return _Distinct(encoded.dictionary.to_pylist(), codes)


def _reduced(distinct: _Distinct, reducer: Reducer | None) -> _Distinct:
    """The column after the reducer of one input: fewer distinct values, the same rows."""
    if reducer is None:
        return distinct
    places: dict[Any, int] = {}
    of_value = np.fromiter(
        (places.setdefault(reducer(value), len(places)) for value in distinct.values),
        dtype=np.int64,
        count=len(distinct.values),
    )
    return _Distinct(list(places), of_value[distinct.codes])


def _combined(columns: Sequence[_Distinct]) -> tuple[list[_Distinct], npt.NDArray[np.int64]]:
    """The columns at their distinct combinations of values, and the place of each row's combination among these."""
    keys, size = columns[0].codes, max(1, len(columns[0].values))
    if len(columns) == 1:
        return [_Distinct(columns[0].values, np.arange(len(columns[0].values)))], keys
    for column in columns[1:]:
        width = max(1, len(column.values))
        if size * width >= _KEY_LIMIT:
            uniques, keys = np.unique(keys, return_inverse=True)
            size = len(uniques)
        keys = keys * width + column.codes
        size *= width
    encoded = pa.array(keys).dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    some_row = np.empty(len(encoded.dictionary), dtype=np.int64)
    some_row[codes] = np.arange(len(codes))
    return [_Distinct(column.values, column.codes[some_row]) for column in columns], codes


def _results(standardiser: Standardiser, columns: Sequence[_Distinct]) -> Iterator[list[Values]]:
    """Results of all distinct combinations, a slice at a time: millions of tuples alive at once would keep the
    garbage collector busy for a quarter of the run."""
    total = len(columns[0].codes)
    for start in range(0, total, _SLICE):
        slices = [map(column.values.__getitem__, column.codes[start : start + _SLICE].tolist()) for column in columns]
        yield [standardiser.combine(*values) for values in zip(*slices, strict=True)]


def _arrays(standardiser: Standardiser, columns: Sequence[_Distinct], rule: FieldRule) -> list[pa.Array]:
    """One Arrow array an output, with the results of all distinct combinations."""
    widths = [rule.widths.get(_column_name(rule, output)) for output in standardiser.outputs]
    types = [_ARROW_TYPES[output.kind] for output in standardiser.outputs]
    chunks: list[list[pa.Array]] = [[pa.array([], arrow_type)] for arrow_type in types]
    for results in _results(standardiser, columns):
        for place, values in enumerate(zip(*results, strict=True)):
            width = widths[place]
            kept = values if width is None else [_cut(value, width) for value in values]
            chunks[place].append(pa.array(kept, types[place]))
    return [pa.concat_arrays(arrays) for arrays in chunks]


def standardise_table(table: pa.Table, fields: Sequence[FieldRule]) -> pa.Table:
    """The standard columns of a table of raw strings, row for row as `standardise_record` gives them.

    Text is string, integer is int32, texts is list<string>. Raises InvalidInputError for an unknown standardiser or
    input.
    """
    kinds = standard_columns(fields)
    raw: dict[str | None, _Distinct] = {}
    arrays: dict[str, pa.Array] = {}
    for rule in fields:
        standardiser = _standardiser(rule)
        inputs: list[_Distinct] = []
        for place, name in enumerate(standardiser.inputs):
            column = rule.inputs.get(name)
            if column not in raw:
                raw[column] = _distinct(table, column)
            inputs.append(_reduced(raw[column], standardiser.reducers[place]))
        columns, codes = _combined(inputs)
        indices = pa.array(codes)
        for output, array in zip(standardiser.outputs, _arrays(standardiser, columns, rule), strict=True):
            arrays[_column_name(rule, output)] = array.take(indices)
    schema = pa.schema([(column, _ARROW_TYPES[kind]) for column, kind in kinds.items()])
    return pa.table([arrays[column] for column in kinds], schema=schema)
