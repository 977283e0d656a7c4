"""Arrow tables as matching columns: whatever the chunks, slices and string types, the values are the same."""

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from mpi.batch.tables import columns_of_table, without_values
from mpi.domain.errors import InvalidInputError
from mpi.domain.records import ColumnKind
from mpi.matching.features import MISSING_INTEGER, IntegerColumn, TextColumn, TextsColumn
from mpi.matching.siphash import PUBLIC_KEY, hash_text

KINDS = {"name": ColumnKind.TEXT, "year": ColumnKind.INTEGER, "wards": ColumnKind.TEXTS}

texts = st.none() | st.text(alphabet="anĐặ ", min_size=1, max_size=9)
sets = st.none() | st.lists(st.text("07", min_size=1, max_size=5), max_size=4)
rows = st.lists(
    st.tuples(
        texts,
        st.none() | st.integers(-9999, 9999),
        st.none() | st.lists(st.text("07", min_size=1, max_size=5), max_size=4),
    ),
    max_size=30,
)


def _values(column: TextColumn) -> list[str]:
    assert column.offsets[0] == 0
    assert column.offsets.dtype == np.int64
    return [bytes(column.data[a:b]).decode() for a, b in zip(column.offsets[:-1], column.offsets[1:], strict=True)]


def _sets(column: TextsColumn) -> list[list[str]]:
    members = _values(column.members)
    return [members[a:b] for a, b in zip(column.offsets[:-1], column.offsets[1:], strict=True)]


def _check(table: pa.Table) -> None:
    columns = columns_of_table(table, KINDS)
    name, year, wards = columns["name"], columns["year"], columns["wards"]
    assert isinstance(name, TextColumn)
    assert isinstance(year, IntegerColumn)
    assert isinstance(wards, TextsColumn)
    assert _values(name) == [value or "" for value in table["name"].to_pylist()]
    assert year.values.tolist() == [
        int(MISSING_INTEGER) if value is None else value for value in table["year"].to_pylist()
    ]
    assert year.values.dtype == np.int32
    assert _sets(wards) == [list(value or ()) for value in table["wards"].to_pylist()]


def _table(data: list[tuple[str | None, int | None, list[str] | None]], large: bool) -> pa.Table:
    text = pa.large_string() if large else pa.string()
    listed = pa.large_list(text) if large else pa.list_(text)
    names, years, wards = zip(*data, strict=True) if data else ((), (), ())
    return pa.table(
        {
            "name": pa.array(names, type=text),
            "year": pa.array(years, type=pa.int64() if large else pa.int32()),
            "wards": pa.array(wards, type=listed),
        }
    )


@given(rows, st.booleans(), st.integers(0, 5))
def test_values_survive_slices_and_chunks(
    data: list[tuple[str | None, int | None, list[str] | None]], large: bool, cut: int
) -> None:
    table = _table(data, large)
    _check(table)
    _check(table.slice(cut))
    _check(pa.concat_tables([table.slice(cut), table.slice(0, cut), table.slice(1)]))


def test_a_table_without_chunks_is_empty() -> None:
    _check(_table([("a", 1, ["b"])], large=False).schema.empty_table())
    _check(pa.Table.from_batches([], schema=_table([], large=True).schema))


def test_bytes_under_a_null_are_not_read() -> None:
    offsets = pa.array([0, 2, 4, 5], type=pa.int32()).buffers()[1]
    valid = pa.array([True, False, True]).buffers()[1]
    text = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"abXXc"), null_bitmap=valid)
    members = pa.array(["07", "08", "XX", "YY", "09"])
    wards = pa.Array.from_buffers(pa.list_(pa.string()), 3, [valid, offsets], children=[members])
    columns = columns_of_table(
        pa.table({"name": text, "wards": wards}), {"name": ColumnKind.TEXT, "wards": ColumnKind.TEXTS}
    )
    name, sets = columns["name"], columns["wards"]
    assert isinstance(name, TextColumn)
    assert isinstance(sets, TextsColumn)
    assert _values(name) == ["ab", "", "c"]
    assert _sets(sets) == [["07", "08"], [], ["09"]]


@pytest.mark.parametrize("type_", [pa.dictionary(pa.int8(), pa.string()), pa.string_view()])
def test_other_text_types_are_read(type_: pa.DataType) -> None:
    table = pa.table({"name": pa.array(["an", None, "bình", "an"]).cast(type_)})
    name = columns_of_table(table, {"name": ColumnKind.TEXT})["name"]
    assert isinstance(name, TextColumn)
    assert _values(name) == ["an", "", "bình", "an"]


def test_a_column_of_nulls_alone_is_missing_everywhere() -> None:
    table = pa.table(dict.fromkeys(KINDS, pa.nulls(3)))
    _check(table)


def test_one_chunk_shares_its_buffer() -> None:
    array = pa.array(["an", "bình"], type=pa.large_string())
    name = columns_of_table(pa.table({"name": array}), {"name": ColumnKind.TEXT})["name"]
    assert isinstance(name, TextColumn)
    assert name.data.ctypes.data == array.buffers()[2].address
    assert name.offsets.ctypes.data == array.buffers()[1].address


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (pa.array([1, 2]), ColumnKind.TEXT, "column c of the standard table is int64, not text"),
        (pa.array(["1"]), ColumnKind.INTEGER, "is string, not integer"),
        (pa.array([2**40]), ColumnKind.INTEGER, "is int64, not integer"),
        (pa.array(["1"]), ColumnKind.TEXTS, "is string, not texts"),
        (pa.array([["1", None]]), ColumnKind.TEXTS, "a missing member"),
    ],
)
def test_other_types_are_refused(values: pa.Array, kind: ColumnKind, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        columns_of_table(pa.table({"c": values}), {"c": kind})


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidInputError, match="no column sex"):
        columns_of_table(pa.table({"name": ["a"]}), {"sex": ColumnKind.TEXT})


@given(data=rows, large=st.booleans(), cut=st.integers(0, 30))
def test_values_are_voided_by_their_codes(
    data: list[tuple[str | None, int | None, list[str] | None]], large: bool, cut: int
) -> None:
    table = _table(data, large)
    table = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    for name in KINDS:
        before = table[name].to_pylist()
        present = [member for value in before if value is not None for member in _members(value)]
        void = set(present[::2])
        codes = [value + 2**32 + 1 if value < 0 else value + 1 for value in void if isinstance(value, int)]
        codes += [hash_text(value, PUBLIC_KEY) for value in void if isinstance(value, str)]
        found, changed = without_values(table[name], KINDS[name], np.array(codes, dtype=np.uint64), key=PUBLIC_KEY)
        kept = [[member for member in _members(value) if member not in void] for value in before]
        assert [_members(value) for value in found.to_pylist()] == kept
        assert changed == sum(len(_members(value)) != len(left) for value, left in zip(before, kept, strict=True))


def _members(value: str | int | list[str] | None) -> list[str | int]:
    """What a cell holds: an empty text is as missing as none."""
    if isinstance(value, list):
        return list(value)
    return [] if value is None or value == "" else [value]
