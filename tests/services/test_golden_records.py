"""Golden records of one person and of many are the same, and nothing that says nothing ever wins."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi.domain.model import SurvivorshipRule
from mpi.domain.records import RecordKey, SourceRecord
from mpi.registry.source_records import RawColumns
from mpi.services.golden_records import PeoplesRecords, golden_columns, golden_record_of, golden_table
from tests.services.stored import HUNG, LAN, MODEL, record

VALUES = {
    "full_name": ("Trần Thị Lan", "TRẦN THỊ LAN", "Tran Thi Lan", "Trần Lan", "không rõ", "Lê Văn Hùng", ""),
    "birth_date": ("1984-03-19", "19/3/1984", "1984", "01/01/1900", "x", "20/03/1984"),
    "citizen_id": ("079184000123", "79184000123", "000000000000", "không", "079184000999"),
    "phone": ("0903718264", "+84 903 718 264", "0000000000", "0912604837; 0903718264"),
    "ward_code": ("26740", "27286", "?"),
    "address": ("12 Lê Lợi, Phường 1", "Phường 1", "không"),
}


def by_column(given: Sequence[SourceRecord]) -> RawColumns:
    """Records as the registry gives many of them."""

    def column(values: Iterable[str | None]) -> pa.ChunkedArray:
        return pa.chunked_array([pa.array(values, pa.string())])

    return RawColumns(
        systems=column(each.key.source_system for each in given),
        source_record_ids=column(each.key.source_record_id for each in given),
        recorded_ats=column(each.recorded_at for each in given),
        values=pa.table({name: column(each.values.get(name) for each in given) for name in golden_columns(MODEL)}),
    )


records = st.builds(
    SourceRecord,
    key=st.builds(RecordKey, st.sampled_from(("insurance", "hospital", "elsewhere")), st.sampled_from("123456789")),
    values=st.fixed_dictionaries({}, optional={name: st.sampled_from(each) for name, each in VALUES.items()}),
    recorded_at=st.none() | st.sampled_from(("2025-01-02", "02/01/2025", "2024-12-31T10:00:00", "30/12/2024", "?")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), records), min_size=1, max_size=12, unique_by=lambda row: row[1].key))
def test_many_people_at_once_are_as_each_alone(rows: list[tuple[int, SourceRecord]]) -> None:
    numbers = {person: place for place, person in enumerate(sorted({person for person, _ in rows}))}
    names = [f"P{person}" for person in numbers]
    people = np.array([numbers[person] for person, _ in rows], dtype=np.int64)
    table = golden_table(MODEL, names, PeoplesRecords(by_column([each for _, each in rows]), people)).to_pylist()
    for name, row, person in zip(names, table, numbers, strict=True):
        golden = golden_record_of(MODEL, name, [each for whose, each in rows if whose == person])
        assert (row["enterprise_id"], row["records"]) == (golden.enterprise_id, len(golden.record_keys))
        survivors = {survivor.field: survivor for survivor in golden.survivors}
        for rule in MODEL.survivorship:
            shown = tuple(row[f"{rule.field}{suffix}"] for suffix in ("", "_from", "_reason"))
            each = survivors.get(rule.field)
            assert shown == ((each.value, str(each.key), each.reason) if each else (None, None, None))


def test_placeholders_never_win_and_reasons_are_told() -> None:
    golden = golden_record_of(MODEL, "P1", LAN)
    found = {survivor.field: (survivor.value, str(survivor.key), survivor.reason) for survivor in golden.survivors}
    assert found == {
        "full_name": ("Trần Thị Lan", "insurance:I1", "all 2 records that have a value agree"),
        "birth_date": ("19/03/1984", "insurance:I1", "all 3 records that have a value agree"),
        "citizen_id": ("079184000123", "insurance:I1", "the only value known"),
        "phone": ("0903718264", "hospital:H1", "the only value known"),
    }


def test_a_person_of_whom_nothing_is_known_has_an_empty_row() -> None:
    nobody = record("station", "S9", full_name="không rõ", phone="0000000000")
    given_records = PeoplesRecords(by_column([HUNG[0], nobody]), np.array([1, 0]))
    first, second = golden_table(MODEL, ["P0", "P1"], given_records).to_pylist()
    assert [value for name, value in first.items() if name not in ("enterprise_id", "records")] == [None] * 27
    assert (second["full_name"], second["full_name_reason"]) == ("Lê Văn Hùng", "the only value known")


@pytest.mark.parametrize(
    ("older", "newer"),
    [("30/12/2024", "2025-01-02"), ("2024-12-31", "01/01/2025"), ("2025-01-02", "2025-01-02T08:00:00"), ("?", "2001")],
)
def test_the_later_record_wins_however_its_time_is_written(older: str, newer: str) -> None:
    model = replace(MODEL, survivorship=(SurvivorshipRule("phone", ("recent",)),))
    old = record("a", "1", at=older, phone="0903718264")
    new = record("b", "2", at=newer, phone="0912604837")
    (survivor,) = golden_record_of(model, "P", [new, old]).survivors
    assert survivor.key == new.key
    assert survivor.reason.startswith("recorded last, on 20")
    assert survivor.runners_up == (("0903718264", old.key),)


def test_reasons_of_different_people_are_not_mixed_up() -> None:
    people = (
        (("Nam", "Nam", "Nữ"), "held by 2 of 3 records"),
        (("Nam", "Nam", "Nữ", "không"), "held by 2 of 3 records"),
        (("Nữ", "Nam", "Nữ", "Nữ"), "held by 3 of 4 records"),
        (("Nữ", "Nam", "Nữ", "Nữ", "Nam"), "held by 3 of 5 records"),
        (("Nữ", "Nữ"), "all 2 records that have a value agree"),
        (("Nữ", "Nữ", "Nữ"), "all 3 records that have a value agree"),
        (("Nữ", "Nam"), "first in the alphabet, after a tie in frequency"),
    )
    rows = [(person, sex) for person, (sexes, _) in enumerate(people) for sex in sexes]
    found = [record("hospital", str(at), sex=sex) for at, (_, sex) in enumerate(rows)]
    given_records = PeoplesRecords(by_column(found), np.array([person for person, _ in rows]))
    model = replace(MODEL, survivorship=(SurvivorshipRule("sex", ("frequent",)),))
    table = golden_table(model, [f"P{person}" for person in range(len(people))], given_records)
    assert table["sex_reason"].to_pylist() == [reason for _, reason in people]
