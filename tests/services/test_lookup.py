"""Look-up by record key and by number: who bears it, in which records, and whether that says anything."""

from typing import Any

import numpy as np
import pytest

from mpi.domain.errors import (
    InvalidInputError,
    NotYetVisibleError,
    RecordWithdrawnError,
    UnknownIdentifierError,
    UnknownRecordError,
    UnknownSourceSystemError,
)
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.features import representation_of
from mpi.registry import blocking_keys
from mpi.registry.registry import Registry
from mpi.services import lookup
from mpi.services.lookup import IdentifiedPerson, look_up
from mpi.services.withdraw import withdraw
from tests.services.plans import scans, statements
from tests.services.stored import HUNG, LAN, MAI, MODEL, SCORER, index, merge, record, store, store_unplaced

NUMBER = "079184000123"
TWIN = record("school", "C1", full_name="Trần Gia Bảo", birth_date="1985-02-03", citizen_id=NUMBER)


def test_by_record_key(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    rules = index(registry)
    found = look_up(registry, rules, key=LAN[1].key)
    every = (LAN[0].key, LAN[1].key, LAN[2].key)
    assert found.people == [IdentifiedPerson(lan, bearing=(LAN[1].key,), cross_references=every)]
    assert (found.shared_widely, found.revision) == (False, 2)
    merge(registry, hung, lan)
    (person,) = look_up(registry, rules, key=HUNG[0].key).people
    assert (person.enterprise_id, len(person.cross_references)) == (lan, 4)


def test_unknown_source_system_and_unknown_record_differ(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    store_unplaced(registry, MAI)
    rules = index(registry)
    with pytest.raises(UnknownSourceSystemError) as system:
        look_up(registry, rules, key=RecordKey("nowhere", "H1"))
    assert system.value.metadata == {"source_system": "nowhere"}
    for key in (RecordKey("hospital", "H77"), MAI[0].key):
        with pytest.raises(UnknownRecordError) as unknown:
            look_up(registry, rules, key=key)
        assert unknown.value.metadata == {"source_system": key.source_system}
        assert key.source_record_id not in str(unknown.value)


@pytest.mark.parametrize("written", [NUMBER, "079 184 000 123", "CCCD: 079184000123", "079.184.000.123 "])
def test_by_citizen_number_in_any_form(registry: Registry, written: str) -> None:
    lan, twin, _ = store(registry, [LAN, [TWIN], HUNG])
    rules = index(registry)
    found = look_up(registry, rules, citizen_id=written)
    assert {each.enterprise_id: each.bearing for each in found.people} == {lan: (LAN[1].key,), twin: (TWIN.key,)}
    assert [each.enterprise_id for each in found.people] == sorted([lan, twin])
    assert len(next(each for each in found.people if each.enterprise_id == lan).cross_references) == 3
    assert not found.shared_widely


def test_what_another_column_holds_is_found_by_what_it_is(registry: Registry) -> None:
    """A citizen number in the insurance column is a citizen number; a card and its last ten digits are one."""
    people = [
        [record("fund", "F1", full_name="Lý Thị Hoa", health_insurance_number=NUMBER)],
        [record("fund", "F2", full_name="Đỗ Văn Nam", health_insurance_number="DN4797912345678")],
        [record("fund", "F3", full_name="Vũ Minh", citizen_id="C8492716")],
    ]
    hoa, nam, minh = store(registry, people)
    rules = index(registry)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"citizen_id": NUMBER}, hoa),
        ({"health_insurance_number": NUMBER}, hoa),
        ({"health_insurance_number": "DN4797912345678"}, nam),
        ({"health_insurance_number": "7912345678"}, nam),
        ({"citizen_id": "c8492716"}, minh),
    ]
    for asked, expected in cases:
        (found,) = look_up(registry, rules, **asked).people
        assert found.enterprise_id == expected


def test_numbers_that_nobody_bears_and_numbers_that_are_none(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    rules = index(registry)
    other = "079184000124"
    with pytest.raises(UnknownIdentifierError) as unknown:
        look_up(registry, rules, citizen_id=other)
    assert unknown.value.metadata == {"field": "citizen_id"}
    assert other not in str(unknown.value)
    for field, value in (("citizen_id", "không có"), ("citizen_id", ""), ("health_insurance_number", "000")):
        asked: dict[str, Any] = {field: value}
        with pytest.raises(InvalidInputError) as bad:
            look_up(registry, rules, **asked)
        assert bad.value.metadata == {"field": field}
    with pytest.raises(InvalidInputError, match="one identifier"):
        look_up(registry, rules)
    with pytest.raises(InvalidInputError, match="one identifier"):
        look_up(registry, rules, citizen_id=NUMBER, key=LAN[0].key)
    with pytest.raises(NotYetVisibleError):
        look_up(registry, rules, citizen_id=NUMBER, at_least=3)


def _namesakes(count: int) -> list[list[SourceRecord]]:
    """People of one number and nothing else in common."""
    given = ["An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khánh", "Linh", "Minh", "Nga"]
    return [
        [record("fund", f"F{n}", full_name=f"Lê {given[n % 10]}", birth_date=f"{1940 + n}-01-02", citizen_id=NUMBER)]
        for n in range(count)
    ]


def test_a_number_of_many_people_is_said_to_be_shared(registry: Registry) -> None:
    cap = next(cap for cap in MODEL.frequency_caps if cap.column == "id_citizen")
    store(registry, _namesakes(cap.limit))
    found = look_up(registry, index(registry), citizen_id=NUMBER)
    assert (len(found.people), found.shared_widely) == (cap.limit, False)
    store(registry, [[record("school", "one more", full_name="Tô Hoài", birth_date="1991-01-02", citizen_id=NUMBER)]])
    found = look_up(registry, index(registry), citizen_id=NUMBER)
    assert (len(found.people), found.shared_widely) == (cap.limit + 1, True)


def test_no_more_people_are_named_than_an_answer_holds(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    names = store(registry, _namesakes(4))
    monkeypatch.setattr(lookup, "MOST_PEOPLE", 3)
    found = look_up(registry, index(registry), citizen_id=NUMBER)
    assert [each.enterprise_id for each in found.people] == sorted(names)[:3]
    assert found.shared_widely


def test_a_capped_number_is_shared_though_no_key_leads_to_it(registry: Registry) -> None:
    store(registry, [HUNG])
    rules = index(registry)
    row = rules.feature_rows([record("x", "x", citizen_id=NUMBER)])
    place = SCORER.layout.offset("id_citizen", representation_of(MODEL.columns["id_citizen"])) // 8
    with registry.begin() as uow:
        blocking_keys.add_capped(uow, "id_citizen", np.ascontiguousarray(row.view(np.uint64)[:, place]))
    found = look_up(registry, rules, citizen_id=NUMBER)
    assert (found.people, found.shared_widely) == ([], True)


def test_a_withdrawn_record_is_found_no_more(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    rules = index(registry)
    withdraw(registry, request_id="r", payload_digest=b"", key=LAN[1].key, reason="error", encode=lambda _: b"done")
    with pytest.raises(RecordWithdrawnError):
        look_up(registry, rules, key=LAN[1].key)
    with pytest.raises(UnknownIdentifierError):
        look_up(registry, rules, citizen_id=NUMBER)


def test_people_are_looked_up_by_indices(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    rules = index(registry)
    with statements(registry) as said:
        look_up(registry, rules, citizen_id=NUMBER)
        look_up(registry, rules, key=LAN[0].key)
    assert len(said) > 5
    assert scans(registry, said) == set()
