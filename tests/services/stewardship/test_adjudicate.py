"""A reader's answer: what it does to people, who must read it again, what refuses it, and how it is taken back."""

from datetime import date

import pytest

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.errors import (
    ContradictionError,
    InvalidInputError,
    MissingRightError,
    OwnReadingError,
    StaleVersionError,
    TaskClosedError,
    UndoBlockedError,
    UnknownTaskError,
)
from mpi.domain.review import DecisionKind, Stage, TaskKind, Verdict
from mpi.persons import adjudication
from mpi.registry import review_tasks
from mpi.registry.registry import Registry
from mpi.services.enquire import person, person_as_of
from mpi.services.entries import register
from mpi.services.resolution import PersonChange
from mpi.services.stewardship import review_queue
from mpi.services.stewardship.adjudicate import Standing, last_act
from mpi.services.stewardship.earlier_readings import earlier_readings
from tests.online.desk import Desk
from tests.services.stewardship.doubts import LAN_THI, SLIPPED, doubt, established
from tests.services.stewardship.stewards import AUDITOR, HOA, LAN, MINH, Stewards, key


@pytest.fixture
def stewards(registry: Registry) -> Stewards:
    return Stewards(Desk(registry))


def test_same_makes_one_person_and_the_oldest_id_stays(stewards: Stewards) -> None:
    task = doubt(stewards)
    older, younger = stewards.id_of("a:1"), stewards.id_of("b:1")
    outcome = stewards.answer(task, Verdict.SAME)
    assert (outcome.standing, outcome.kind) == (Standing.APPLIED, DecisionKind.MERGE)
    assert {stewards.id_of("a:1"), stewards.id_of("b:1")} == {older}
    assert [(each.enterprise_id, each.change, each.superseded_by) for each in outcome.affected] == [
        (older, PersonChange.MERGED, None),
        (younger, PersonChange.SUPERSEDED, older),
    ]
    assert stewards.tasks() == ()
    assert stewards.closed_reason(task.task_id) == "judged same"


def test_different_is_never_asked_again_whatever_comes(stewards: Stewards) -> None:
    outcome = stewards.answer(doubt(stewards), Verdict.DIFFERENT)
    assert (outcome.kind, outcome.affected) == (DecisionKind.JUDGE, ())
    apart = stewards.id_of("a:1"), stewards.id_of("b:1")
    # what the rules alone would take for one person
    stewards.desk.comes("b:1", **LAN_THI, number="71")
    stewards.desk.comes("a:1", **LAN_THI, number="71")
    assert (stewards.id_of("a:1"), stewards.id_of("b:1")) == apart
    assert stewards.tasks() == ()


def test_unsure_needs_two_and_binds_nobody(stewards: Stewards) -> None:
    task = doubt(stewards)
    first = stewards.answer(task, Verdict.UNSURE)
    assert (first.standing, first.second_reasons) == (Standing.SECOND_READING, ("unsure",))
    second = stewards.answer(stewards.task(task.task_id, MINH), Verdict.UNSURE, by=MINH)
    assert (second.standing, second.kind, second.affected) == (Standing.APPLIED, DecisionKind.JUDGE, ())
    assert stewards.closed_reason(task.task_id) == "unsure: nobody could tell"
    assert stewards.id_of("a:1") != stewards.id_of("b:1")
    stewards.desk.comes("b:1", **LAN_THI, number="71")
    stewards.desk.comes("a:1", **LAN_THI, number="71")
    assert stewards.id_of("a:1") == stewards.id_of("b:1")


def test_two_possible_matches_of_one_record_accepted_leave_one_person(stewards: Stewards) -> None:
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", name="lan thi", birth="19850301")
    stewards.desk.comes("c:1", **SLIPPED)
    while stewards.tasks(HOA):
        stewards.settle(stewards.tasks(HOA)[0], Verdict.SAME, by=LAN, then=HOA)
    assert len({stewards.id_of(each) for each in ("a:1", "b:1", "c:1")}) == 1


def test_a_judgement_answers_for_those_who_join_later(stewards: Stewards) -> None:
    stewards.answer(doubt(stewards, "a:1", "b:1"), Verdict.DIFFERENT)
    stewards.desk.comes("c:1", name="lan thi", birth="19850301")
    of = {frozenset(map(str, (each.record_a, each.record_b))): each for each in stewards.tasks()}
    asked = of[frozenset(("c:1", "b:1"))]
    stewards.settle(of[frozenset(("c:1", "a:1"))], Verdict.SAME)
    assert stewards.closed_reason(asked.task_id) == "a steward judged them different"
    assert stewards.tasks(HOA) == ()


def test_the_path_is_named(stewards: Stewards) -> None:
    stewards.answer(doubt(stewards, "a:1", "b:1"), Verdict.DIFFERENT)
    stewards.desk.comes("c:1", name="minh", birth="19900909")
    a, b, c = (stewards.id_of(each) for each in ("a:1", "b:1", "c:1"))
    assert a is not None
    assert b is not None
    assert c is not None
    stewards.merge(a, c)
    with pytest.raises(ContradictionError, match=r"different, judgement 1 by lan on") as refused:
        stewards.merge(b, c if stewards.id_of("c:1") == c else a)
    assert "a:1" in refused.value.metadata["path"]
    assert "b:1" in refused.value.metadata["path"]
    assert refused.value.metadata["judgement"] == "1"


def test_a_second_reader_decides_with_the_first(stewards: Stewards) -> None:
    task = established(stewards)
    first = stewards.answer(task, Verdict.SAME)
    assert (first.standing, first.second_reasons, first.affected) == (
        Standing.SECOND_READING,
        ("established",),
        (),
    )
    assert stewards.id_of("a:1") != stewards.id_of("b:1")
    assert stewards.tasks(LAN) == ()
    with pytest.raises(OwnReadingError):
        review_queue.claim(stewards.registry, LAN, task.task_id)
    again = stewards.task(task.task_id)
    with pytest.raises(OwnReadingError):
        stewards.answer(again, Verdict.SAME)
    waiting = stewards.only_task(MINH)
    assert (waiting.stage, waiting.weight_hidden) == (Stage.SECOND, True)
    assert (waiting.match_weight, waiting.enterprise_id_a, waiting.reason) == (None, None, "")
    assert stewards.answer(waiting, Verdict.SAME, by=MINH).standing is Standing.APPLIED
    assert stewards.id_of("a:1") == stewards.id_of("b:1")


def test_readers_who_disagree_leave_it_to_a_lead(stewards: Stewards) -> None:
    task = established(stewards)
    stewards.answer(task, Verdict.SAME)
    second = stewards.answer(stewards.only_task(MINH), Verdict.DIFFERENT, by=MINH)
    assert second.standing is Standing.ADJUDICATION
    assert stewards.tasks(MINH) == ()
    with pytest.raises(OwnReadingError):
        stewards.answer(stewards.task(task.task_id), Verdict.DIFFERENT, by=MINH)
    third = Stewards(stewards.desk)
    other = type(LAN)("thu", LAN.role)
    with pytest.raises(MissingRightError):
        third.answer(stewards.task(task.task_id), Verdict.DIFFERENT, by=other)
    outcome = stewards.answer(stewards.only_task(HOA), Verdict.DIFFERENT, by=HOA)
    assert (outcome.standing, outcome.kind) == (Standing.APPLIED, DecisionKind.JUDGE)


def test_escalated_goes_to_a_lead(stewards: Stewards) -> None:
    task = doubt(stewards)
    assert stewards.answer(task, None).standing is Standing.ADJUDICATION
    assert stewards.tasks(MINH) == ()
    assert stewards.answer(stewards.only_task(HOA), Verdict.SAME, by=HOA).standing is Standing.APPLIED


def test_the_deceased_are_read_twice(stewards: Stewards) -> None:
    task = doubt(stewards)
    entry = HealthRecordEntry(key("a:1"), "E1", EntryKind.DEATH, date(2026, 1, 2), "", "x")
    register(stewards.registry, "r1", b"", [entry], lambda _: b"")
    assert stewards.answer(task, Verdict.SAME).second_reasons == ("deceased",)


def test_what_was_not_seen_is_not_decided(stewards: Stewards) -> None:
    task = doubt(stewards)
    stewards.desk.comes("c:1", **LAN_THI, number="71")
    stewards.desk.comes("a:1", **LAN_THI, number="71")
    with pytest.raises(StaleVersionError) as refused:
        stewards.answer(task, Verdict.DIFFERENT)
    assert set(refused.value.metadata) == {"enterprise_id", "changed", "revision"}
    assert refused.value.metadata["enterprise_id"] == stewards.id_of("a:1")
    assert stewards.answer(stewards.task(task.task_id), Verdict.DIFFERENT).standing is Standing.APPLIED


def test_a_task_that_moved_on_is_stale(stewards: Stewards) -> None:
    task = established(stewards)
    stewards.answer(task, Verdict.SAME)
    with pytest.raises(StaleVersionError, match="waits for second"):
        stewards.answer(task, Verdict.SAME, by=MINH)


def test_a_closed_task_takes_no_answer(stewards: Stewards) -> None:
    task = doubt(stewards)
    stewards.answer(task, Verdict.DIFFERENT)
    with pytest.raises(TaskClosedError, match="judged different"):
        stewards.answer(stewards.task(task.task_id), Verdict.SAME, by=MINH)
    with pytest.raises(UnknownTaskError):
        stewards.task(99)


def test_an_answer_is_given_once_for_every_request_id(stewards: Stewards) -> None:
    task = doubt(stewards)
    one, again = (stewards.answer(task, Verdict.SAME, request_id="r-1") for _ in range(2))
    assert one == again


def test_questions_follow_their_records(stewards: Stewards) -> None:
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", **SLIPPED)
    stewards.desk.comes("c:1", name="lan thi", birth="19850301")
    before = {frozenset(map(str, (each.record_a, each.record_b))): each for each in stewards.tasks()}
    assert set(before) == {frozenset(("a:1", "b:1")), frozenset(("a:1", "c:1")), frozenset(("b:1", "c:1"))}
    outcome = stewards.answer(before[frozenset(("a:1", "b:1"))], Verdict.SAME)
    asked = [frozenset(map(str, (each.record_a, each.record_b))) for each in stewards.tasks()]
    # of two questions about the same two people one is left
    assert len(asked) == 1
    assert asked[0] & {"c:1"}
    stewards.undo(outcome)
    assert len(stewards.tasks()) >= 2
    for task in stewards.tasks():
        assert task.enterprise_id_a == stewards.id_of(str(task.record_a))


def test_undo_gives_back_what_was_there_and_asks_again(stewards: Stewards) -> None:
    task = doubt(stewards)
    before = stewards.state()
    outcome = stewards.answer(task, Verdict.SAME)
    assert last_act(stewards.registry, LAN) is not None
    undone = stewards.undo(outcome)
    assert stewards.state() == before
    assert undone.task is not None
    assert (undone.task.is_open, undone.task.task_id) == (True, stewards.only_task().task_id)
    assert last_act(stewards.registry, LAN) is None
    assert [each.change for each in undone.affected] == [PersonChange.RESTORED, PersonChange.UNMERGED]
    with pytest.raises(UndoBlockedError, match="was undone by decision"):
        stewards.undo(outcome)


def test_who_takes_a_decision_back_has_not_said_it(stewards: Stewards) -> None:
    task = established(stewards)
    outcome = stewards.settle(task, Verdict.SAME)
    assert outcome.decision_id is not None

    def said() -> list[str]:
        with stewards.registry.snapshot() as uow:
            return [each.reader for each in review_tasks.readings(uow, task.task_id)]

    assert said() == ["lan", "minh"]
    stewards.undo_decision(outcome.decision_id, by=MINH)
    assert said() == ["lan"]


def test_an_undo_is_undone(stewards: Stewards) -> None:
    outcome = stewards.answer(doubt(stewards), Verdict.SAME)
    merged = stewards.state()["people"]
    undone = stewards.undo(outcome)
    stewards.undo(undone)
    assert stewards.state()["people"] == merged
    assert stewards.id_of("a:1") == stewards.id_of("b:1")
    stewards.undo(outcome)
    assert stewards.id_of("a:1") != stewards.id_of("b:1")


def test_different_is_undone_too(stewards: Stewards) -> None:
    outcome = stewards.answer(doubt(stewards), Verdict.DIFFERENT)
    assert stewards.undo(outcome).task == stewards.only_task()
    stewards.answer(stewards.only_task(), Verdict.SAME)
    assert stewards.id_of("a:1") == stewards.id_of("b:1")


def test_an_undo_on_which_something_rests_is_refused_naming_it(stewards: Stewards) -> None:
    outcome = stewards.answer(doubt(stewards), Verdict.SAME)
    stewards.desk.comes("c:1", name="minh", birth="19900909")
    a, c = stewards.id_of("a:1"), stewards.id_of("c:1")
    assert a is not None
    assert c is not None
    later = stewards.merge(a, c)
    with pytest.raises(UndoBlockedError) as refused:
        stewards.undo(outcome)
    assert refused.value.metadata["decision"] == str(later.decision_id)
    stewards.undo_decision(later.decision_id or 0, by=HOA)
    stewards.undo(outcome)
    assert len({stewards.id_of(each) for each in ("a:1", "b:1", "c:1")}) == 3


def test_somebody_elses_decision_is_a_leads_to_undo(stewards: Stewards) -> None:
    outcome = stewards.answer(doubt(stewards), Verdict.SAME)
    with pytest.raises(MissingRightError):
        stewards.undo(outcome, by=MINH)
    with pytest.raises(MissingRightError):
        stewards.undo(outcome, by=AUDITOR)
    assert stewards.undo(outcome, by=HOA).standing is Standing.APPLIED


def test_a_reading_is_taken_back_while_nobody_has_read_on(stewards: Stewards) -> None:
    task = established(stewards)
    stewards.answer(task, Verdict.SAME)
    act = last_act(stewards.registry, LAN)
    assert act is not None
    assert (act.task_id, act.decision_id) == (task.task_id, None)
    back = stewards.undo_reading(task.task_id)
    assert back.task is not None
    assert back.task.stage is Stage.FIRST
    stewards.answer(stewards.only_task(), Verdict.SAME)
    stewards.answer(stewards.only_task(MINH), Verdict.DIFFERENT, by=MINH)
    with pytest.raises(UndoBlockedError, match="read by somebody else"):
        stewards.undo_reading(task.task_id)
    stewards.undo_reading(task.task_id, by=MINH)
    assert stewards.only_task(MINH).stage is Stage.SECOND


def test_records_that_came_since_are_placed_when_a_merge_is_undone(stewards: Stewards) -> None:
    task = doubt(stewards)
    outcome = stewards.answer(task, Verdict.SAME)
    younger = outcome.affected[1].enterprise_id
    stewards.desk.comes("c:1", **SLIPPED, number="72")
    stewards.desk.comes("b:1", **SLIPPED, number="72")
    stewards.desk.comes("c:2", **LAN_THI, phone="0901234567")
    assert {stewards.id_of(each) for each in ("c:1", "c:2")} == {stewards.id_of("a:1")}
    stewards.undo(outcome, by=HOA)
    assert stewards.id_of("b:1") == stewards.id_of("c:1") == younger
    assert stewards.id_of("a:1") == stewards.id_of("c:2") != younger


def test_one_person_found_to_be_two_is_split(stewards: Stewards) -> None:
    stewards.desk.comes("a:1", **LAN_THI, number="71", phone="0901234567")
    stewards.desk.comes("b:1", **LAN_THI, phone="0901234567")
    stewards.desk.comes("a:2", **LAN_THI, number="71", phone="0901234567")
    assert len({stewards.id_of(each) for each in ("a:1", "a:2", "b:1")}) == 1
    kept = stewards.id_of("a:1")
    stewards.desk.comes("b:1", **LAN_THI, number="72", phone="0901234567")
    (task,) = (each for each in stewards.tasks() if each.kind is TaskKind.OVERLAY)
    before = stewards.state()["links"]
    outcome = stewards.settle(task, Verdict.DIFFERENT)
    assert outcome.kind is DecisionKind.SPLIT
    assert stewards.id_of("a:1") == stewards.id_of("a:2") == kept != stewards.id_of("b:1")
    stewards.desk.comes("c:1", **LAN_THI, number="71", phone="0901234567")
    assert stewards.id_of("b:1") != kept
    assert outcome.decision_id is not None
    stewards.undo_decision(outcome.decision_id, by=HOA)
    assert stewards.id_of("b:1") == kept
    assert [row for row in stewards.state()["links"] if row[0] != 4] == before


def overlaid(stewards: Stewards) -> review_queue.ReviewTask:
    """A person of five records of whom one has become somebody else's, in a task that is read twice."""
    for record in ("a:1", "a:2", "a:3", "c:1"):
        stewards.desk.comes(record, **LAN_THI, number="71", phone="0901234567")
    stewards.desk.comes("b:1", **LAN_THI, phone="0901234567")
    stewards.desk.comes("b:1", **LAN_THI, number="72", phone="0901234567")
    (task,) = (each for each in stewards.tasks() if each.kind is TaskKind.OVERLAY)
    return task


@pytest.fixture
def all_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task is in the sample."""
    monkeypatch.setattr(adjudication, "SAMPLED_ONE_IN", 1)


@pytest.mark.usefixtures("all_read_twice")
def test_two_who_would_part_a_person_alike_agree(stewards: Stewards) -> None:
    task = overlaid(stewards)
    assert stewards.answer(task, Verdict.DIFFERENT, records=["b:1", "c:1"]).standing is Standing.SECOND_READING
    second = stewards.answer(stewards.only_task(MINH), Verdict.DIFFERENT, by=MINH, records=["c:1", "b:1"])
    assert second.standing is Standing.APPLIED
    assert stewards.id_of("b:1") == stewards.id_of("c:1") != stewards.id_of("a:1")


@pytest.mark.usefixtures("all_read_twice")
def test_who_names_nobody_lets_those_leave_whom_the_rules_propose(stewards: Stewards) -> None:
    task = overlaid(stewards)
    stewards.answer(task, Verdict.DIFFERENT)
    second = stewards.answer(stewards.only_task(MINH), Verdict.DIFFERENT, by=MINH, records=["b:1"])
    assert second.standing is Standing.APPLIED
    assert stewards.id_of("b:1") != stewards.id_of("c:1") == stewards.id_of("a:1")


@pytest.mark.usefixtures("all_read_twice")
def test_what_a_reader_has_not_seen_is_not_carried_out(stewards: Stewards) -> None:
    """The second one is shown the proposal, and not whom the first one chose."""
    task = overlaid(stewards)
    stewards.answer(task, Verdict.DIFFERENT, records=["b:1", "c:1"])
    second = stewards.answer(stewards.only_task(MINH), Verdict.DIFFERENT, by=MINH)
    assert second.standing is Standing.ADJUDICATION
    assert len({stewards.id_of(each) for each in ("a:1", "b:1", "c:1")}) == 1


@pytest.mark.usefixtures("all_read_twice")
def test_readers_who_part_a_person_otherwise_disagree(stewards: Stewards) -> None:
    task = overlaid(stewards)
    stewards.answer(task, Verdict.DIFFERENT, records=["b:1", "c:1"])
    second = stewards.answer(stewards.only_task(MINH), Verdict.DIFFERENT, by=MINH, records=["b:1"])
    assert second.standing is Standing.ADJUDICATION
    (again,) = (each for each in stewards.tasks(HOA) if each.stage is Stage.ADJUDICATION)
    said = earlier_readings(stewards.registry, HOA, again.task_id)
    assert [each.leaving for each in said] == [(key("c:1"), key("b:1")), (key("b:1"),)]
    # a lead who names nobody has the rules part the person
    assert stewards.answer(again, Verdict.DIFFERENT, by=HOA).kind is DecisionKind.SPLIT
    assert stewards.id_of("b:1") != stewards.id_of("c:1") == stewards.id_of("a:1")


@pytest.mark.usefixtures("all_read_twice")
def test_naming_those_who_stay_is_the_same_choice(stewards: Stewards) -> None:
    task = overlaid(stewards)
    stewards.answer(task, Verdict.DIFFERENT, records=["b:1", "c:1"])
    second = stewards.answer(stewards.only_task(MINH), Verdict.DIFFERENT, by=MINH, records=["a:1", "a:2", "a:3"])
    assert second.standing is Standing.APPLIED
    assert stewards.id_of("b:1") == stewards.id_of("c:1") != stewards.id_of("a:1")


@pytest.mark.usefixtures("all_read_twice")
def test_a_choice_that_cannot_be_carried_out_is_refused_to_the_first_reader(stewards: Stewards) -> None:
    task = overlaid(stewards)
    with pytest.raises(InvalidInputError, match="some must stay"):
        stewards.answer(task, Verdict.DIFFERENT, records=["a:1", "a:2", "a:3", "b:1", "c:1"])
    assert stewards.only_task().stage is Stage.FIRST


def test_the_past_is_read_as_it_was(stewards: Stewards) -> None:
    task = doubt(stewards)
    younger = stewards.id_of("b:1")
    assert younger is not None
    merged = stewards.answer(task, Verdict.SAME)
    undone = stewards.undo(merged)
    model = stewards.desk.rules.model
    assert person(stewards.registry, model, younger).enterprise_id == younger
    then = person_as_of(stewards.registry, model, younger, revision=merged.revision)
    assert then.enterprise_id == stewards.id_of("a:1")
    assert then.merged_ids == (younger,)
    assert person_as_of(stewards.registry, model, younger, revision=undone.revision).enterprise_id == younger
    assert person(stewards.registry, model, then.enterprise_id).merged_ids == ()


def test_an_answer_that_cannot_be_carried_out_is_refused_to_the_first_reader(
    stewards: Stewards, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered = {**LAN_THI, "number": "71", "phone": "0901234567"}
    stewards.desk.comes("a:1", **numbered)
    stewards.desk.comes("b:1", **LAN_THI, phone="0901234567")
    stewards.desk.comes("b:1", **LAN_THI, number="72", phone="0901234567")
    task = stewards.only_task()
    stewards.settle(task, Verdict.SAME)
    stewards.desk.comes("b:1", **LAN_THI, number="73", phone="0901234567")
    again = next(each for each in stewards.tasks() if each.kind is TaskKind.OVERLAY)
    # as if the task were in the sample that is read twice
    monkeypatch.setattr(adjudication, "SAMPLED_ONE_IN", 1)
    with pytest.raises(ContradictionError, match="same, judgement 1 by lan"):
        stewards.answer(again, Verdict.DIFFERENT)
    assert stewards.only_task().stage is Stage.FIRST
