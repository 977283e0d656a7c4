"""Taking back what took something back: what stood before may only stand again while it is still true."""

import pickle

import pytest

from mpi.domain.errors import InvalidInputError, UndoBlockedError, UnknownDecisionError
from mpi.domain.review import DecisionKind, Verdict
from mpi.registry.registry import Registry
from mpi.services.stewardship import adjudicate
from mpi.services.stewardship.gold import add_gold, may_be_gold
from mpi.services.stewardship.review_queue import ReviewTask
from tests.online.desk import Desk
from tests.services.stewardship.doubts import LAN_THI, SLIPPED, doubt, established
from tests.services.stewardship.replayed import look
from tests.services.stewardship.stewards import HOA, LAN, MINH, Stewards, call


@pytest.fixture
def stewards(registry: Registry) -> Stewards:
    return Stewards(Desk(registry))


def verdicts(stewards: Stewards) -> list[tuple[str, int, int]]:
    """The judgements that stand."""
    return sorted((each.verdict.value, each.record_a, each.record_b) for each in look(stewards.registry).judged)


def test_different_does_not_stand_again_between_people_who_were_merged_since(stewards: Stewards) -> None:
    apart = stewards.answer(doubt(stewards), Verdict.DIFFERENT)
    undone = stewards.undo(apart)
    merged = stewards.answer(stewards.only_task(), Verdict.SAME)
    with pytest.raises(UndoBlockedError) as refused:
        stewards.undo(undone)
    assert refused.value.metadata["decision"] == str(merged.decision_id)
    assert verdicts(stewards) == [("same", 1, 2)]
    stewards.undo(merged)
    stewards.undo(undone)
    assert verdicts(stewards) == [("different", 1, 2)]
    assert stewards.tasks() == ()


def test_different_does_not_stand_again_where_the_rules_joined_them_since(stewards: Stewards) -> None:
    apart = stewards.answer(doubt(stewards), Verdict.DIFFERENT)
    undone = stewards.undo(apart)
    stewards.desk.comes("b:1", **SLIPPED, number="71")
    joined = stewards.desk.comes("a:1", **LAN_THI, number="71").revision
    assert stewards.id_of("a:1") == stewards.id_of("b:1")
    with pytest.raises(UndoBlockedError) as refused:
        stewards.undo(undone)
    assert refused.value.metadata["decision"] == str(joined)
    assert verdicts(stewards) == []


def test_same_does_not_stand_again_of_records_that_were_parted_since(stewards: Stewards) -> None:
    task = overlay(stewards)
    confirmed = stewards.settle(task, Verdict.SAME)
    undone = stewards.undo(confirmed, by=HOA)
    split = stewards.split(stewards.id_of("a:1") or "", "b:1")
    with pytest.raises(UndoBlockedError) as refused:
        stewards.undo(undone, by=HOA)
    assert refused.value.metadata["decision"] == str(split.decision_id)
    assert [verdict for verdict, _, _ in verdicts(stewards)] == ["different"] * 2
    stewards.undo(split)
    stewards.undo(undone, by=HOA)
    assert [verdict for verdict, _, _ in verdicts(stewards)] == ["same"]
    assert len({stewards.id_of(each) for each in ("a:1", "a:2", "b:1")}) == 1


def overlay(stewards: Stewards) -> ReviewTask:
    """One person of three records, one of which has come to speak against the others; the task that asks."""
    both = {"phone": "0901234567"}
    for record, number in (("a:1", {"number": "71"}), ("b:1", {}), ("a:2", {"number": "71"})):
        stewards.desk.comes(record, **LAN_THI, **both, **number)
    stewards.desk.comes("b:1", **LAN_THI, **both, number="72")
    return stewards.only_task()


@pytest.mark.parametrize("verdict", [Verdict.SAME, Verdict.DIFFERENT])
def test_undone_and_redone_again_and_again(stewards: Stewards, verdict: Verdict) -> None:
    outcome = stewards.answer(doubt(stewards), verdict)
    there = stewards.state(), verdicts(stewards)
    for _ in range(3):
        undone = stewards.undo(outcome)
        assert verdicts(stewards) == []
        stewards.undo(undone)
        assert (stewards.state()["people"], verdicts(stewards)) == (there[0]["people"], there[1])
    # each of the undos was used up by the one after it
    with pytest.raises(UndoBlockedError, match="was undone by"):
        stewards.undo(undone)


def test_an_unmerge_is_undone_with_the_judgements_that_it_took_back(stewards: Stewards) -> None:
    merged = stewards.answer(doubt(stewards), Verdict.SAME)
    younger = merged.affected[1].enterprise_id
    parted = stewards.unmerge(younger)
    assert (parted.kind, verdicts(stewards)) == (DecisionKind.UNMERGE, [("different", 1, 2)])
    with pytest.raises(UndoBlockedError, match=f"was undone by decision {parted.decision_id}"):
        stewards.undo(merged)
    stewards.undo(parted)
    assert verdicts(stewards) == [("same", 1, 2)]
    assert stewards.id_of("a:1") == stewards.id_of("b:1")
    # the merge stands by another decision now; to undo either is to undo that one
    stewards.undo(merged)
    assert stewards.id_of("b:1") == younger
    assert verdicts(stewards) == [("different", 1, 2)]


def test_an_undo_names_just_one_thing_that_there_is(stewards: Stewards) -> None:
    with pytest.raises(UnknownDecisionError):
        stewards.undo_decision(77)
    number = doubt(stewards).task_id
    rules = stewards.desk.rules
    with pytest.raises(InvalidInputError):
        adjudicate.undo(stewards.registry, rules, LAN, call(), decision_id=1, task_id=number, encode=pickle.dumps)


def test_an_answer_that_was_undone_tests_nobody(stewards: Stewards) -> None:
    task = established(stewards)
    outcome = stewards.settle(task, Verdict.SAME)
    undone = stewards.undo(outcome, by=HOA)
    assert not may_be_gold(stewards.registry, HOA, task.task_id)
    with pytest.raises(InvalidInputError):
        add_gold(stewards.registry, HOA, task.task_id)
    stewards.undo(undone, by=HOA)
    assert may_be_gold(stewards.registry, HOA, task.task_id)
    assert not may_be_gold(stewards.registry, MINH, task.task_id)
