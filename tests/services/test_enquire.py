"""Enquiries: a person today, whoever was asked for; a record and whose it is; what happened."""

import pytest

from mpi.domain.errors import InvalidInputError, NotFoundError
from mpi.domain.records import RecordKey
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry.registry import Registry
from mpi.services.enquire import history, person, record
from mpi.services.golden_records import golden_record_of
from tests.registry.rows import KEY
from tests.services.stored import HUNG, LAN, MAI, MODEL, merge, store, store_unplaced


def test_a_person_with_golden_record_and_cross_references(registry: Registry) -> None:
    lan, _ = store(registry, [LAN, HUNG])
    view = person(registry, MODEL, lan.lower())
    assert (view.enterprise_id, view.asked_for, view.redirected, view.merged_ids) == (lan, lan, False, ())
    assert view.golden == golden_record_of(MODEL, lan, LAN)
    assert [str(each.key) for each in view.records] == ["hospital:H1", "insurance:I1", "station:S1"]
    assert [each.values for each in view.records] == [each.values for each in LAN]
    began, joined, _ = (each.link for each in view.records)
    assert began is not None
    assert joined is not None
    assert (began.made_by, began.via, began.match_weight, began.since_revision) == ("rules", None, None, 1)
    assert (joined.via, joined.match_weight) == (LAN[0].key, 12.5)


def test_a_superseded_id_answers_with_the_survivor_and_says_so(registry: Registry) -> None:
    first, second, third = store(registry, [MAI[:1], MAI[1:], HUNG])
    merge(registry, third, second)
    merge(registry, second, first)
    view = person(registry, MODEL, third)
    assert (view.enterprise_id, view.asked_for, view.redirected) == (first, third, True)
    assert view.merged_ids == (second, third)
    assert len(view.records) == 3
    assert {each.enterprise_id for each in view.records} == {first}
    moved = record(registry, HUNG[0].key).link
    assert moved is not None
    assert (moved.made_by, moved.via, moved.since_revision) == ("steward", None, 6)


def test_history_tells_of_a_person_and_of_those_merged_into_it(registry: Registry) -> None:
    lan, mai, copy = store(registry, [LAN, MAI[:1], MAI[1:]])
    merge(registry, copy, mai)
    entries = history(registry, copy)
    assert entries == history(registry, mai)
    assert [(each.kind, each.enterprise_id, each.made_by, each.others) for each in entries] == [
        ("person_created", mai, "rules", ()),
        ("person_created", copy, "rules", ()),
        ("person.merged", mai, "steward", (copy,)),
        ("person.superseded", copy, "steward", (mai,)),
    ]
    assert [each.revision for each in entries] == [2, 3, 4, 5]
    assert [each.records for each in entries] == [(MAI[0].key,), (MAI[1].key,), (MAI[1].key,), ()]
    assert [each.records for each in history(registry, lan)] == [tuple(each.key for each in LAN)]


def test_a_record_and_whose_it_is(registry: Registry) -> None:
    (hung,) = store(registry, [HUNG])
    store_unplaced(registry, MAI)
    view = record(registry, HUNG[0].key)
    assert (view.key, view.values, view.recorded_at) == (HUNG[0].key, HUNG[0].values, None)
    assert view.enterprise_id == hung
    nobody = record(registry, MAI[0].key)
    assert (nobody.enterprise_id, nobody.link, nobody.recorded_at) == (None, None, "2025-09-05")


def test_unknown_and_mistyped(registry: Registry) -> None:
    with pytest.raises(NotFoundError, match="no record hospital:X in the registry"):
        record(registry, RecordKey("hospital", "X"))
    for question in (lambda text: person(registry, MODEL, text), lambda text: history(registry, text)):
        with pytest.raises(NotFoundError, match="no person"):
            question(enterprise_id(77, KEY))
        with pytest.raises(InvalidInputError):
            question("K7Q")
