from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi.domain.errors import InvalidInputError
from mpi.domain.model import FieldRule
from mpi.domain.records import CANONICAL_COLUMNS, ColumnKind, RecordKey, SourceRecord
from mpi.standardise.record import STANDARDISERS, standard_columns, standardise_record, standardise_table
from tests.strategies import raw_records

FIELDS = (
    FieldRule("name", "vn_name", {"name": "full_name"}, {"name_folded": 14, "name_accented": 9}),
    FieldRule("mother", "vn_mother_name", {"name": "mother_name"}),
    FieldRule("birth", "vn_birth_date", {"date": "birth_date", "recorded_at": "recorded_at"}),
    FieldRule("sex", "vn_sex", {"sex": "sex"}),
    FieldRule(
        "id",
        "vn_identifiers",
        {
            "citizen": "citizen_id",
            "insurance": "health_insurance_number",
            "birth_date": "birth_date",
            "sex": "sex",
            "recorded_at": "recorded_at",
        },
    ),
    FieldRule("phone", "vn_phone", {"phone": "phone", "recorded_at": "recorded_at"}),
    FieldRule("address", "vn_address", {"ward": "ward_code", "address": "address", "recorded_at": "recorded_at"}),
)
GENERIC = tuple(
    FieldRule(f"any_{name}", name, {"value": "full_name"}) for name in ("text", "token", "digits", "date", "integer")
)
COLUMNS = tuple(column for column in CANONICAL_COLUMNS if column != "source_record_id")


def scalar_rows(records: Sequence[dict[str, str | None]], fields: Sequence[FieldRule]) -> list[dict[str, object]]:
    """What the record path gives, with sets as the lists that Arrow returns."""
    made: list[dict[str, object]] = []
    for record in records:
        values = {column: value for column, value in record.items() if value is not None}
        standard = standardise_record(SourceRecord(RecordKey("s", "1"), values), fields)
        made.append(
            {name: list(value) if isinstance(value, tuple) else value for name, value in standard.values.items()}
        )
    return made


def arrow(records: Sequence[dict[str, str | None]]) -> pa.Table:
    return pa.table({column: pa.array([record.get(column) for record in records], pa.string()) for column in COLUMNS})


@given(raw_records())
def test_context_alone_gives_no_value(record: dict[str, str | None]) -> None:
    for field in FIELDS:
        context = {name: raw for name, raw in field.inputs.items() if name in STANDARDISERS[field.standardiser].context}
        alone = scalar_rows([record], [replace(field, inputs=context)])
        assert set(alone[0].values()) == {None}, field.prefix


@settings(max_examples=60, deadline=None)
@given(st.lists(raw_records(), max_size=6))
def test_tables_and_records_agree(records: list[dict[str, str | None]]) -> None:
    fields = (*FIELDS, *GENERIC)
    records = records + records[:2]
    table = standardise_table(arrow(records), fields)
    assert table.to_pylist() == scalar_rows(records, fields)


@given(
    st.lists(
        st.fixed_dictionaries({column: st.one_of(st.none(), st.text(max_size=20)) for column in COLUMNS}), max_size=3
    )
)
@settings(max_examples=60, deadline=None)
def test_junk_agrees_too(records: list[dict[str, str | None]]) -> None:
    assert standardise_table(arrow(records), FIELDS).to_pylist() == scalar_rows(records, FIELDS)


def test_columns_have_their_declared_kinds() -> None:
    columns = standard_columns(FIELDS)
    table = standardise_table(arrow([]), FIELDS)
    types = {ColumnKind.TEXT: pa.string(), ColumnKind.INTEGER: pa.int32(), ColumnKind.TEXTS: pa.list_(pa.string())}
    assert table.schema == pa.schema([(name, types[kind]) for name, kind in columns.items()])
    assert (columns["sex"], columns["birth_year"], columns["phone"]) == (
        ColumnKind.TEXT,
        ColumnKind.INTEGER,
        ColumnKind.TEXTS,
    )
    assert columns["name_folded"] is ColumnKind.TEXT


def test_chunked_dictionary_and_absent_columns_are_read() -> None:
    records: list[dict[str, str | None]] = [{"full_name": "Lê Lan", "sex": "1"}, {"full_name": None, "sex": "2"}]
    table = arrow(records).select(["full_name", "sex"])
    odd = pa.table(
        {
            "full_name": pa.chunked_array(
                [table["full_name"].chunk(0).slice(0, 1), table["full_name"].chunk(0).slice(1)]
            ),
            "sex": table["sex"].dictionary_encode(),
        }
    )
    assert standardise_table(odd, FIELDS).to_pylist() == scalar_rows(records, FIELDS)


def test_wide_text_is_cut_by_bytes_and_never_inside_a_letter() -> None:
    values = scalar_rows([{"full_name": "Nguyễn Thị Thanh Hương"}], FIELDS)[0]
    assert values["name_folded"] == "nguyen thi tha"
    assert values["name_accented"] == "nguyễn"


def test_the_record_gives_its_own_date_where_the_column_is_absent() -> None:
    record = SourceRecord(RecordKey("s", "1"), {"phone": "0838123456"}, "2015-05-05")
    assert standardise_record(record, FIELDS).values["phone"] == ("02838123456",)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (FieldRule("a", "vn_nam", {"name": "x"}), "unknown standardiser 'vn_nam'"),
        (FieldRule("a", "vn_name", {"names": "x"}), "no input 'names'"),
        (FieldRule("a", "vn_name", {"name": "x"}, {"a_fold": 3}), "width of a_fold"),
        (FieldRule("a", "vn_phone", {"phone": "x"}, {"a": 3}), "width of a,"),
        (FieldRule("sex", "text", {"value": "x"}), "also that of another field"),
    ],
)
def test_wrong_fields_are_refused(rule: FieldRule, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        standard_columns((*FIELDS, rule))


@pytest.mark.parametrize("name", sorted(STANDARDISERS))
def test_every_standardiser_keeps_its_promise(name: str) -> None:
    one = STANDARDISERS[name]
    assert one.name == name
    assert len(one.reducers) == len(one.inputs)
    for value in (None, "", " ", "\x00", "1", "Lê Lan", "x" * 100_000, "1" * 100_000, "1/" * 50_000, "\u0300" * 50_000):
        results = one.function(*[value] * len(one.inputs))
        assert len(results) == len(one.outputs)
        for output, result in zip(one.outputs, results, strict=True):
            allowed = {ColumnKind.TEXT: str, ColumnKind.INTEGER: int, ColumnKind.TEXTS: tuple}[output.kind]
            assert result is None or (isinstance(result, allowed) and result not in ("", ()))


def test_fields_are_told_apart_by_what_they_say() -> None:
    """Equal fields in another object, others in its place, and a list that changes: none may get another's columns."""
    record = SourceRecord(RecordKey("s", "1"), {"full_name": "Lê Lan", "sex": "1"})
    for prefix in [*map(str, range(100)), "0"]:
        made = standardise_record(record, (FieldRule(prefix, "vn_sex", {"sex": "sex"}),))
        assert dict(made.values) == {prefix: "M"}
    growing = [FieldRule("sex", "vn_sex", {"sex": "sex"})]
    assert dict(standardise_record(record, growing).values) == {"sex": "M"}
    growing.append(FieldRule("text", "text", {"value": "full_name"}, {"text": 4}))
    assert dict(standardise_record(record, growing).values) == {"sex": "M", "text": "le l"}


def test_unknown_standardisers_and_inputs_are_refused_every_time() -> None:
    record = SourceRecord(RecordKey("s", "1"), {})
    for _ in range(2):
        with pytest.raises(InvalidInputError, match="unknown standardiser 'none'"):
            standardise_record(record, (FieldRule("x", "none", {}),))
        with pytest.raises(InvalidInputError, match="has no input 'name'"):
            standardise_record(record, (FieldRule("x", "vn_sex", {"name": "full_name"}),))
