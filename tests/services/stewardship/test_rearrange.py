"""Merge, unmerge, split and move without a task: previews change nothing and tell what then happens."""

import pickle
from collections.abc import Callable
from datetime import date

import pytest

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.errors import (
    ContradictionError,
    InvalidInputError,
    RunInProgressError,
    StaleVersionError,
    UnknownPersonError,
    UnknownRecordError,
)
from mpi.domain.review import Actor, DecisionKind, Stage, Verdict
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry import runs
from mpi.registry.registry import Registry
from mpi.services import enquire
from mpi.services.entries import register
from mpi.services.resolution import PersonChange
from mpi.services.stewardship import rearrange
from mpi.services.stewardship.adjudicate import Outcome, Standing
from mpi.services.stewardship.rearrange import MergePreview, MergeRequest, SplitRequest, UnmergeRequest
from tests.online.desk import Desk
from tests.services.linking import contents
from tests.services.stewardship.replayed import look
from tests.services.stewardship.stewards import HOA, LAN, MINH, NOW, Stewards, call, key
from tests.services.stored import LAN as LAN_OF_THREE
from tests.services.stored import MODEL, SCORER, index, record, store

LAN_THI = {"name": "lan thi", "birth": "19850101"}
HUNG = {"name": "hung", "birth": "19900909"}
MINH_AN = {"name": "minh an", "birth": "19700303"}


@pytest.fixture
def stewards(registry: Registry) -> Stewards:
    return Stewards(Desk(registry))


def ids(stewards: Stewards, *records: str) -> list[str]:
    found = [stewards.id_of(each) for each in records]
    assert None not in found
    return [each for each in found if each is not None]


def two(stewards: Stewards) -> list[str]:
    """Two people who have nothing in common."""
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", **HUNG)
    return ids(stewards, "a:1", "b:1")


def preview(stewards: Stewards, one: str, other: str) -> MergePreview:
    return rearrange.preview_merge(stewards.registry, stewards.desk.rules, LAN, (one, other))


# previews


def test_a_preview_of_a_merge_changes_nothing_and_tells_what_then_happens(registry: Registry) -> None:
    other = record("clinic", "C1", at="2026-01-01", full_name="Trần Thị Lân", birth_date="1984-03-20", phone="0918")
    lan, clinic = store(registry, [LAN_OF_THREE, [other]])
    index(registry)
    stewards = Stewards(Desk(registry, SCORER))
    entry = HealthRecordEntry(key("hospital:H1"), "E1", EntryKind.ENCOUNTER, date(2026, 1, 2), "", "x")
    register(registry, "r1", b"", [entry], lambda _: b"")
    before = contents(registry, without=())
    told = preview(stewards, clinic, lan)
    assert contents(registry, without=()) == before
    assert (told.survivor.enterprise_id, told.superseded.enterprise_id) == (lan, clinic)
    assert (told.survivor.entries, told.superseded.entries) == (1, 0)
    assert [str(each) for each in told.changed_records] == ["clinic:C1"]
    assert told.source_systems == ("clinic",)
    assert (told.second_reasons, told.contradiction) == ((), None)
    outcome = stewards.merge(clinic, lan)
    assert (outcome.standing, outcome.kind) == (Standing.APPLIED, DecisionKind.MERGE)
    now = enquire.person(registry, MODEL, clinic)
    assert now.enterprise_id == lan
    assert now.golden == told.golden_after
    assert len(now.golden.survivors) > 3
    assert now.golden != told.survivor.golden
    assert {each.key for each in now.records} == {*told.survivor.records, *told.superseded.records}


def test_a_preview_of_a_split_tells_who_gets_which_id(stewards: Stewards) -> None:
    (person,) = family(stewards, "a:1", "a:2", "a:3")
    before = contents(stewards.registry, without=())
    split = [key("a:1"), key("a:3")]
    told = rearrange.preview_split(stewards.registry, stewards.desk.rules, LAN, person, split)
    assert contents(stewards.registry, without=()) == before
    assert ([str(each) for each in told.leaving], [str(each) for each in told.staying]) == (["a:1", "a:3"], ["a:2"])
    # the larger part keeps the ID, though it is the one that leaves
    assert (told.leaving_id, told.staying_id) == (person, None)
    stewards.split(person, "a:1", "a:3")
    assert ids(stewards, "a:1", "a:3") == [person] * 2
    assert ids(stewards, "a:2") != [person]


def family(stewards: Stewards, *records: str) -> list[str]:
    """One person of several records that tell the same; their one ID."""
    for each in records:
        stewards.desk.comes(each, **LAN_THI, number="71")
    (found,) = set(ids(stewards, *records))
    return [found]


@pytest.mark.parametrize("leaving", [("a:1", "a:2"), ("a:3", "a:4")])
def test_of_two_parts_alike_the_one_with_the_oldest_record_keeps_the_id(
    stewards: Stewards, leaving: tuple[str, ...]
) -> None:
    (person,) = family(stewards, "a:1", "a:2", "a:3", "a:4")
    told = rearrange.preview_split(stewards.registry, stewards.desk.rules, LAN, person, [key(each) for each in leaving])
    outcome = stewards.split(person, *leaving)
    assert ids(stewards, "a:1", "a:2") == [person] * 2
    assert told.leaving_id == (person if "a:1" in leaving else None)
    (new,) = set(ids(stewards, "a:3", "a:4"))
    assert new != person
    assert [(each.enterprise_id, each.change) for each in outcome.affected] == [
        (new, PersonChange.CREATED),
        (person, PersonChange.SPLIT),
    ]
    # four judgements: each of one part against each of the other
    said = [each.verdict for each in look(stewards.registry).judged]
    assert said == [Verdict.DIFFERENT] * 4


def test_a_split_is_proposed_by_what_the_records_say(stewards: Stewards) -> None:
    """c:1 brings two people together, of whom it fits one better."""
    for each in ("a:1", "a:2"):
        stewards.desk.comes(each, **LAN_THI)
    for each in ("b:1", "b:2"):
        stewards.desk.comes(each, number="71", phone="0901234567")
    stewards.desk.comes("c:1", **LAN_THI, number="71")
    (person,) = set(ids(stewards, "a:1", "a:2", "b:1", "b:2", "c:1"))
    assert proposed(stewards, person, "b:2", "a:2") == (["b:1", "b:2"], ["a:1", "a:2", "c:1"])
    with pytest.raises(InvalidInputError):
        proposed(stewards, person, "a:1", "a:1")
    stewards.desk.comes("d:1", **MINH_AN)
    with pytest.raises(InvalidInputError):
        proposed(stewards, person, "a:1", "d:1")


def proposed(stewards: Stewards, person: str, a: str, b: str) -> tuple[list[str], ...]:
    """Who goes with the one and who with the other."""
    parts = rearrange.propose_split(stewards.registry, stewards.desk.rules, LAN, person, key(a), key(b))
    return tuple([str(each) for each in part] for part in parts)


def test_a_proposed_split_obeys_judgements(stewards: Stewards) -> None:
    one, other = two(stewards)
    stewards.merge(one, other)
    stewards.desk.comes("b:2", **HUNG)
    assert ids(stewards, "b:2") == [one]
    assert proposed(stewards, one, "b:2", "a:1") == (["b:2"], ["a:1", "b:1"])
    with pytest.raises(ContradictionError, match="same, judgement 1"):
        proposed(stewards, one, "b:1", "a:1")


# merges


def test_a_merge_of_much_goes_to_a_second_reader(stewards: Stewards) -> None:
    for record_key, values in (("a:1", LAN_THI), ("a:2", LAN_THI), ("b:1", HUNG), ("b:2", HUNG)):
        stewards.desk.comes(record_key, **values, number="71" if record_key.startswith("a") else "72")
    one, other = ids(stewards, "a:1", "b:1")
    assert preview(stewards, one, other).second_reasons == ("established",)
    before = stewards.state()
    outcome = merge_once(stewards, one, other)
    assert (outcome.standing, outcome.second_reasons) == (Standing.SECOND_READING, ("established",))
    assert stewards.state() == before
    waiting = stewards.only_task(MINH)
    assert (waiting.stage, waiting.weight_hidden, waiting.reason) == (Stage.SECOND, True, "")
    assert stewards.tasks(LAN) == ()
    with pytest.raises(InvalidInputError, match="waits for another reader"):
        merge_once(stewards, other, one, by=MINH)
    assert stewards.answer(waiting, Verdict.DIFFERENT, by=MINH).standing is Standing.ADJUDICATION
    assert stewards.answer(stewards.only_task(HOA), Verdict.SAME, by=HOA).standing is Standing.APPLIED
    assert ids(stewards, "a:1", "b:2") == [one] * 2


def merge_once(stewards: Stewards, one: str, other: str, *, by: Actor = LAN) -> Outcome:
    """A merge by one reader alone."""
    request = MergeRequest((one, other), "one and the same", NOW)
    answer = rearrange.merge_persons(stewards.registry, stewards.desk.rules, by, call(), request, pickle.dumps)
    outcome = pickle.loads(answer)
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_merge_answers_the_question_about_the_two(stewards: Stewards) -> None:
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", name="lan thi", birth="19850201")
    task = stewards.only_task()
    stewards.merge(*ids(stewards, "a:1", "b:1"))
    assert stewards.closed_reason(task.task_id) == "the people asked about were joined"


def test_a_contradiction_is_told_before_and_refused_then(stewards: Stewards) -> None:
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", name="lan thi", birth="19850201")
    apart = stewards.answer(stewards.only_task(), Verdict.DIFFERENT)
    one, other = ids(stewards, "a:1", "b:1")
    told = preview(stewards, one, other)
    assert told.contradiction is not None
    assert "different, judgement 1 by lan on" in told.contradiction
    before = contents(stewards.registry)
    with pytest.raises(ContradictionError) as refused:
        stewards.merge(one, other)
    assert refused.value.metadata["path"] == told.contradiction
    assert refused.value.metadata["decision"] == str(apart.decision_id)
    assert contents(stewards.registry) == before


def test_what_has_changed_since_is_told(stewards: Stewards) -> None:
    one, other = two(stewards)
    seen = preview(stewards, one, other).seen_revision
    stewards.desk.comes("a:2", **LAN_THI)
    assert ids(stewards, "a:2") == [one]
    rules, registry = stewards.desk.rules, stewards.registry
    asked: list[Callable[[int], object]] = [
        lambda seen: rearrange.merge_persons(registry, rules, LAN, call(), MergeRequest((one, other), "", seen), _told),
        lambda seen: rearrange.split_person(
            registry, rules, LAN, call(), SplitRequest(one, (key("a:2"),), None, "", seen), _told
        ),
        lambda seen: rearrange.split_person(
            registry, rules, LAN, call(), SplitRequest(one, (key("a:2"),), other, "", seen), _told
        ),
    ]
    for each in asked:
        with pytest.raises(StaleVersionError) as refused:
            each(seen)
        assert refused.value.metadata == {"enterprise_id": one, "changed": "linked", "revision": str(seen + 1)}
    asked[0](seen + 1)
    with pytest.raises(StaleVersionError) as refused:
        rearrange.unmerge_persons(registry, rules, LAN, call(), UnmergeRequest(other, "", seen + 1), _told)
    assert refused.value.metadata["changed"] == "merged"


def _told(outcome: object) -> bytes:
    return b"told"


def test_an_id_that_leads_elsewhere_is_stale(stewards: Stewards) -> None:
    one, other = two(stewards)
    stewards.desk.comes("c:1", **MINH_AN)
    (third,) = ids(stewards, "c:1")
    stewards.merge(one, other)
    with pytest.raises(StaleVersionError, match=f"{other} has been merged into {one}") as refused:
        stewards.merge(other, third)
    assert refused.value.metadata["changed"] == "merged"
    with pytest.raises(StaleVersionError):
        preview(stewards, other, third)
    with pytest.raises(UnknownPersonError):
        preview(stewards, one, enterprise_id(77, stewards.registry.secret))
    with pytest.raises(InvalidInputError):
        preview(stewards, one, one)
    with pytest.raises(InvalidInputError):
        stewards.merge(one, one)


# moves


def test_records_move_to_another_person_and_stay_there(stewards: Stewards) -> None:
    (person,) = family(stewards, "a:1", "a:2", "a:3")
    stewards.desk.comes("b:1", **HUNG)
    (into,) = ids(stewards, "b:1")
    told = rearrange.preview_split(stewards.registry, stewards.desk.rules, LAN, person, [key("a:1"), key("a:2")], into)
    assert (told.leaving_id, told.staying_id) == (into, person)
    outcome = stewards.split(person, "a:1", "a:2", into=into)
    assert outcome.kind is DecisionKind.MOVE
    # whoever is moved from keeps the ID, however little is left
    assert ids(stewards, "a:1", "a:2", "a:3", "b:1") == [into, into, person, into]
    verdicts = sorted(each.verdict.value for each in look(stewards.registry).judged)
    assert verdicts == ["different", "different", "same", "same"]
    stewards.desk.comes("a:1", **LAN_THI, number="71", phone="0901234567")
    stewards.desk.comes("a:3", **LAN_THI, number="71", phone="0901234567")
    assert ids(stewards, "a:1", "a:3") == [into, person]
    assert stewards.tasks() == ()


def test_what_cannot_be_moved_or_split_is_refused(stewards: Stewards) -> None:
    (person,) = family(stewards, "a:1", "a:2")
    stewards.desk.comes("b:1", **HUNG)
    (into,) = ids(stewards, "b:1")
    before = contents(stewards.registry)
    for records, target in (
        (("a:1", "a:2"), None),
        ((), None),
        (("b:1",), None),
        (("a:1",), person),
        (("a:1", "a:2"), into),
    ):
        with pytest.raises(InvalidInputError):
            stewards.split(person, *records, into=target)
    with pytest.raises(UnknownRecordError):
        stewards.split(person, "a:77")
    assert contents(stewards.registry) == before


def test_a_move_against_judgements_is_refused(stewards: Stewards) -> None:
    (person,) = family(stewards, "a:1", "a:2", "a:3")
    stewards.desk.comes("b:1", **HUNG)
    (into,) = ids(stewards, "b:1")
    moved = stewards.split(person, "a:3", into=into)
    with pytest.raises(ContradictionError) as refused:
        stewards.split(into, "a:3", into=person)
    assert refused.value.metadata["path"].startswith("a:3; same, judgement ")
    assert refused.value.metadata["decision"] == str(moved.decision_id)
    stewards.undo(moved)
    assert ids(stewards, "a:3") == [person]


# while a bulk run is at work


def test_nobody_is_changed_while_a_bulk_run_is_at_work(stewards: Stewards) -> None:
    (person,) = family(stewards, "a:1", "a:2")
    for each in ("b:1", "b:2"):
        stewards.desk.comes(each, **HUNG, number="72")
    stewards.desk.comes("c:1", **MINH_AN)
    other, third = ids(stewards, "b:1", "c:1")
    merged = stewards.merge(person, third)
    with stewards.registry.begin() as uow:
        run = runs.start_run(uow, "link", request={}, state={})
    before = contents(stewards.registry, without=())
    asked: list[Callable[[], object]] = [
        # one that a second reader must read opens a task, which the run may be about to open too
        lambda: merge_once(stewards, person, other),
        lambda: stewards.unmerge(third),
        lambda: stewards.split(person, "a:2"),
        lambda: stewards.undo(merged),
    ]
    for refused in asked:
        with pytest.raises(RunInProgressError):
            refused()
    assert contents(stewards.registry, without=()) == before
    with stewards.registry.begin() as uow:
        runs.abandon(uow, run.run_id, reason="TEST", message="enough")
    assert merge_once(stewards, person, other).standing is Standing.SECOND_READING
