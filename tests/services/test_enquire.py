"""Enquiries: a person today, whoever was asked for; a record and whose it is; what happened."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mpi.domain.errors import (
    InvalidInputError,
    NotFoundError,
    NotYetVisibleError,
    PersonNotYetCreatedError,
    RevisionNotReachedError,
)
from mpi.domain.records import RecordKey
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry.events import recorded_at, revision_at
from mpi.registry.registry import Registry
from mpi.services.enquire import history, person, person_as_of
from mpi.services.enquire import record as record_view
from mpi.services.golden_records import golden_record_of
from tests.registry.rows import KEY
from tests.services.plans import scans, statements
from tests.services.stored import HUNG, LAN, MAI, MODEL, merge, record, store, store_unplaced, update


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
    moved = record_view(registry, HUNG[0].key).link
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
    view = record_view(registry, HUNG[0].key)
    assert (view.key, view.values, view.recorded_at) == (HUNG[0].key, HUNG[0].values, None)
    assert view.enterprise_id == hung
    nobody = record_view(registry, MAI[0].key)
    assert (nobody.enterprise_id, nobody.link, nobody.recorded_at) == (None, None, "2025-09-05")


def test_unknown_and_mistyped(registry: Registry) -> None:
    with pytest.raises(NotFoundError, match="no record hospital:X in the registry"):
        record_view(registry, RecordKey("hospital", "X"))
    for question in (lambda text: person(registry, MODEL, text), lambda text: history(registry, text)):
        with pytest.raises(NotFoundError, match="no person"):
            question(enterprise_id(77, KEY))
        with pytest.raises(InvalidInputError):
            question("K7Q")


def _golden(registry: Registry, enterprise_id: str, revision: int) -> dict[str, str]:
    view = person_as_of(registry, MODEL, enterprise_id, revision=revision)
    return {survivor.field: survivor.value for survivor in view.golden.survivors}


def test_a_person_as_it_was(registry: Registry) -> None:
    first, second = store(registry, [MAI[:1], MAI[1:]])
    with registry.snapshot() as uow:
        made = recorded_at(uow, 2)
    changed = record("student", "T2", at="2025-10-05", full_name="Phạm Ngọc Mai", birth_date="2012-01-21", sex="Nữ")
    assert update(registry, changed) == 3
    merge(registry, second, first)

    whole = person_as_of(registry, MODEL, second)
    assert whole == person_as_of(registry, MODEL, second, revision=5)
    assert (whole.enterprise_id, whole.redirected, whole.merged_ids) == (first, True, (second,))
    assert (whole.revision, whole.read_at, len(whole.records)) == (4, 5, 2)

    # links moved at revision 4, which therefore is where the ID leads on
    assert person_as_of(registry, MODEL, second, revision=4).enterprise_id == first
    alone = person_as_of(registry, MODEL, second, revision=3)
    assert (alone.enterprise_id, alone.merged_ids, alone.revision, alone.read_at) == (second, (), 2, 5)
    assert [view.key for view in alone.records] == [MAI[1].key]
    assert (alone.created_at, alone.changed_at) == (made, made)
    began = alone.records[0].link
    assert began is not None
    assert (began.since_revision, began.made_by) == (2, "rules")

    before = person_as_of(registry, MODEL, first, revision=2)
    assert (before.revision, before.merged_ids, [view.values for view in before.records]) == (1, (), [MAI[0].values])
    assert before.golden == golden_record_of(MODEL, first, MAI[:1])
    after = person_as_of(registry, MODEL, first, revision=3)
    assert (after.revision, [view.values for view in after.records]) == (3, [changed.values])
    assert [_golden(registry, first, at)["birth_date"] for at in (2, 3)] == ["2012-01-20", "2012-01-21"]


def test_a_person_at_a_time(registry: Registry) -> None:
    with registry.snapshot() as uow:
        assert revision_at(uow, "2999") == 0
    early = datetime.now(UTC)
    first, second = store(registry, [MAI[:1], MAI[1:]])
    between = datetime.now(UTC)
    merge(registry, second, first)
    hanoi = between.astimezone(timezone(timedelta(hours=7)))
    for time in (between, hanoi):
        assert person_as_of(registry, MODEL, second, time=time).enterprise_id == second
    assert person_as_of(registry, MODEL, second, time=datetime.now(UTC)).enterprise_id == first
    with pytest.raises(PersonNotYetCreatedError) as raised:
        person_as_of(registry, MODEL, second, time=early)
    assert raised.value.metadata == {"create_revision": "2"}
    with pytest.raises(InvalidInputError, match="zone"):
        person_as_of(registry, MODEL, second, time=between.replace(tzinfo=None))


def test_points_that_are_not_there(registry: Registry) -> None:
    first, second = store(registry, [MAI[:1], MAI[1:]])
    point: dict[str, Any]
    for point in ({"revision": 3}, {"time": datetime.now(UTC) + timedelta(hours=1)}):
        with pytest.raises(RevisionNotReachedError) as raised:
            person_as_of(registry, MODEL, first, **point)
        assert raised.value.metadata == {"revision": "2"}
    with pytest.raises(NotYetVisibleError):
        person_as_of(registry, MODEL, first, at_least=3)
    assert person_as_of(registry, MODEL, first, at_least=2).read_at == 2
    with pytest.raises(PersonNotYetCreatedError):
        person_as_of(registry, MODEL, second, revision=1)
    for point in ({"revision": -1}, {"revision": 1, "time": datetime.now(UTC)}):
        with pytest.raises(InvalidInputError):
            person_as_of(registry, MODEL, first, **point)


def test_a_person_is_read_by_indices(registry: Registry) -> None:
    """However large the registry: every table is searched, none is read through."""
    first, second = store(registry, [MAI[:1], MAI[1:]])
    merge(registry, second, first)
    with statements(registry) as said:
        person_as_of(registry, MODEL, second, revision=4)
    assert len(said) > 5
    assert scans(registry, said) == set()
