"""A merged person gets its ID back: exactly as it was, unless something rests on the merge, which is named then."""

from typing import Any

import pytest
import sqlalchemy as sa

from mpi.domain.errors import ContradictionError, InvalidInputError, UndoBlockedError
from mpi.domain.review import DecisionKind, Verdict
from mpi.registry import tables
from mpi.registry.registry import Registry
from mpi.services import enquire
from mpi.services.resolution import PersonChange
from tests.online.desk import Desk
from tests.services.linking import query, record_id
from tests.services.stewardship.replayed import look
from tests.services.stewardship.stewards import Stewards
from tests.services.stewardship.test_rearrange import LAN_THI, MINH_AN, ids, preview, two


@pytest.fixture
def stewards(registry: Registry) -> Stewards:
    return Stewards(Desk(registry))


def test_a_merge_by_rules_is_taken_back(stewards: Stewards) -> None:
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", number="71")
    one, other = ids(stewards, "a:1", "b:1")
    before = links(stewards)
    stewards.desk.comes("a:1", **LAN_THI, number="71")
    assert ids(stewards, "b:1") == [one]
    outcome = stewards.unmerge(other)
    assert outcome.kind is DecisionKind.UNMERGE
    assert links(stewards) == before
    assert [(each.enterprise_id, each.change) for each in outcome.affected] == [
        (other, PersonChange.RESTORED),
        (one, PersonChange.UNMERGED),
    ]
    # the rules never join them again, nor ask
    stewards.desk.comes("b:1", **LAN_THI, number="71")
    assert ids(stewards, "a:1", "b:1") == [one, other]
    assert stewards.tasks() == ()


def links(stewards: Stewards) -> list[Any]:
    return list(stewards.state()["links"])


def test_the_record_that_made_the_rules_merge_is_judged_by_nobody(stewards: Stewards) -> None:
    """c:1 brought a:1 and b:1 together. It has to be one of the two, and a steward has said nothing of it."""
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", number="71")
    one, other = ids(stewards, "a:1", "b:1")
    stewards.desk.comes("c:1", **LAN_THI, number="71")
    assert ids(stewards, "a:1", "b:1", "c:1") == [one] * 3
    stewards.unmerge(other)
    assert ids(stewards, "a:1", "b:1") == [one, other]
    a, b = (record_id(stewards.registry, each) for each in ("a:1", "b:1"))
    assert [(each.record_a, each.record_b) for each in look(stewards.registry).judged] == [(a, b)]
    # it is with the one that it fits best, and may go to the other when it learns better
    assert ids(stewards, "c:1") == [one]


def test_a_merge_of_three_by_rules_gives_one_back(stewards: Stewards) -> None:
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", number="71")
    stewards.desk.comes("b:2", phone="0903718264", name="thi", birth="19700101")
    one, other, third = ids(stewards, "a:1", "b:1", "b:2")
    stewards.desk.comes("c:1", **LAN_THI, number="71")
    stewards.merge(one, third)
    stewards.undo_decision(last_decision(stewards))
    assert ids(stewards, "a:1", "b:1", "b:2") == [one, one, third]
    stewards.unmerge(other)
    assert ids(stewards, "a:1", "b:1", "b:2") == [one, other, third]


def last_decision(stewards: Stewards) -> int:
    [(found,)] = query(stewards.registry, sa.select(sa.func.max(tables.decision.c.decision_id)))
    return int(found)


def test_a_merge_by_stewards_is_taken_back_exactly(stewards: Stewards) -> None:
    one, other = two(stewards)
    before = stewards.state()
    merged = stewards.merge(one, other)
    parted = stewards.unmerge(other)
    assert stewards.state() == before
    assert [each.verdict for each in look(stewards.registry).judged] == [Verdict.DIFFERENT]
    with pytest.raises(UndoBlockedError, match=f"was undone by decision {parted.decision_id}"):
        stewards.undo(merged)
    with pytest.raises(InvalidInputError, match="is not merged"):
        stewards.unmerge(other)
    with pytest.raises(ContradictionError):
        stewards.merge(one, other)


def test_an_unmerge_is_blocked_by_later_decisions_and_names_them(stewards: Stewards) -> None:
    one, other = two(stewards)
    stewards.desk.comes("c:1", **MINH_AN)
    (third,) = ids(stewards, "c:1")
    stewards.merge(one, other)
    later = stewards.merge(one, third)
    with pytest.raises(UndoBlockedError) as refused:
        stewards.unmerge(other)
    assert refused.value.metadata["decision"] == str(later.decision_id)
    before = stewards.state()
    stewards.unmerge(third)
    stewards.unmerge(other)
    assert ids(stewards, "a:1", "b:1", "c:1") == [one, other, third]
    assert before != stewards.state()


def test_an_unmerge_is_blocked_by_later_merges_of_rules_and_names_them(stewards: Stewards) -> None:
    one, other = two(stewards)
    stewards.desk.comes("c:1", number="71")
    (third,) = ids(stewards, "c:1")
    stewards.merge(one, other)
    stewards.desk.comes("a:1", **LAN_THI, number="71")
    assert ids(stewards, "c:1") == [one]
    with pytest.raises(UndoBlockedError, match=f"{third} was merged into {one} later") as refused:
        stewards.unmerge(other)
    assert refused.value.metadata["enterprise_id"] == third
    stewards.unmerge(third)
    stewards.unmerge(other)
    assert ids(stewards, "a:1", "b:1", "c:1") == [one, other, third]


def test_somebody_without_records_is_merged_with_nobody(stewards: Stewards) -> None:
    one, other = two(stewards)
    stewards.withdraw("b:1")
    told = preview(stewards, one, other)
    assert (told.superseded.records, told.changed_records) == ((), ())
    with pytest.raises(InvalidInputError, match="without records"):
        stewards.merge(one, other)


@pytest.mark.parametrize("gone", ["a:1", "b:1"])
def test_an_id_comes_back_though_the_records_are_withdrawn(stewards: Stewards, gone: str) -> None:
    one, other = two(stewards)
    stewards.merge(one, other)
    stewards.withdraw(gone)
    stewards.unmerge(other)
    left = "b:1" if gone == "a:1" else "a:1"
    assert ids(stewards, left) == [other if left == "b:1" else one]
    assert stewards.id_of(gone) is None
    for each in (one, other):
        assert enquire.person(stewards.registry, stewards.desk.rules.model, each).enterprise_id == each
    found = look(stewards.registry)
    assert found.told == found.there


def test_whoever_the_rules_join_in_the_wake_of_an_unmerge_is_told(stewards: Stewards) -> None:
    """c:1 is a:1 but for the number of b:1, which speaks against it as long as the two are one person."""
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", number="72", phone="0901234567")
    one, other = ids(stewards, "a:1", "b:1")
    stewards.merge(one, other)
    stewards.desk.comes("c:1", **LAN_THI, number="71")
    (third,) = ids(stewards, "c:1")
    assert third != one
    task = stewards.only_task()
    stewards.desk.comes("b:2", number="72", phone="0901234567")
    assert ids(stewards, "b:2") == [one]
    outcome = stewards.unmerge(other)
    assert ids(stewards, "a:1", "b:1", "b:2", "c:1") == [one, other, other, one]
    assert [(each.enterprise_id, each.change, each.superseded_by) for each in outcome.affected] == [
        (other, PersonChange.RESTORED, None),
        (one, PersonChange.UNMERGED, None),
        (one, PersonChange.MERGED, None),
        (other, PersonChange.LINKED, None),
        (third, PersonChange.SUPERSEDED, one),
    ]
    assert stewards.closed_reason(task.task_id) == "the people asked about were joined"
    found = look(stewards.registry)
    assert found.told == found.there
