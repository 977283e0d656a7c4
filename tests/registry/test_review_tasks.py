"""Review tasks one by one: who may read what, in which order, whose they are for how long, and how they end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from mpi.domain.errors import UnknownTaskError
from mpi.domain.review import Stage, TaskKind, Verdict
from mpi.registry import review_tasks, reviews
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import ESCALATE, StoredReading, Wanted
from mpi.registry.reviews import TaskRows
from mpi.registry.unit_of_work import UnitOfWork, written
from tests.registry.rows import store_persons, store_records

ALL = Wanted()


def tasks_of(
    priorities: Sequence[float],
    *,
    first: int = 1,
    kind: TaskKind = TaskKind.POSSIBLE_MATCH,
    people: tuple[int, int] = (1, 2),
    questions: Sequence[str] | None = None,
) -> TaskRows:
    """Tasks about records 1 and 2, numbered from `first`, with these priorities."""
    count = len(priorities)
    numbers = np.arange(first, first + count)
    return TaskRows(
        task_ids=numbers,
        kinds=[kind.value] * count,
        questions=questions or [f"q{number}" for number in numbers.tolist()],
        record_a=np.full(count, 1),
        record_b=np.full(count, 2),
        person_a=np.full(count, people[0]),
        person_b=np.full(count, people[1]),
        match_weights=np.full(count, 3.5),
        level_codes=np.full((count, 2), 1, dtype=np.int8),
        reasons=["between review and link"] * count,
        priorities=np.array(priorities, dtype=np.float64),
    )


@pytest.fixture
def desk(registry: Registry) -> Registry:
    """Records 1 to 4, one person each."""
    with registry.begin() as uow:
        store_persons(uow, [[record] for record in store_records(uow, ["a", "b", "c", "d"]).tolist()])
    return registry


def queue(
    uow: UnitOfWork, reader: str = "lan", wanted: Wanted = ALL, *, lead: bool = False, limit: int = 99
) -> list[int]:
    found = review_tasks.queue(uow, reader, adjudicates=lead, wanted=wanted, limit=limit)
    numbers = [each.task_id for each in found]
    if wanted.after is None and limit == 99:
        assert review_tasks.count(uow, reader, adjudicates=lead, wanted=wanted) == len(numbers)
    return numbers


def read(uow: UnitOfWork, task: int, reader: str, *, at: str = "2026-01-01", verdict: str = "same") -> None:
    said = StoredReading(task, 0, Stage.FIRST, reader, verdict, "comment", 2.5, f"{at}T00:00:00.000000+00:00")
    review_tasks.add_reading(uow, said)


def test_the_most_urgent_first_and_page_by_page(desk: Registry) -> None:
    with desk.begin() as uow:
        reviews.open_tasks(uow, tasks_of([1.0, 5.0, 5.0, 5.0, 3.0]), run_id=None)
        assert queue(uow) == [2, 3, 4, 5, 1]
        seen: list[int] = []
        after = None
        for _ in range(3):
            page = review_tasks.queue(uow, "lan", adjudicates=False, wanted=Wanted(after=after), limit=2)
            seen += [each.task_id for each in page]
            after = page[-1].priority, page[-1].task_id
        assert seen == [2, 3, 4, 5, 1]
        assert queue(uow, wanted=Wanted(after=after)) == []


def test_nobody_reads_a_task_twice_and_leads_alone_adjudicate(desk: Registry) -> None:
    with desk.begin() as uow:
        reviews.open_tasks(uow, tasks_of([3.0, 2.0, 1.0]), run_id=None)
        read(uow, 1, "lan")
        review_tasks.move_on(uow, review_tasks.find(uow, 2), Stage.ADJUDICATION)
        assert queue(uow, "lan") == [3]
        assert queue(uow, "minh") == [1, 3]
        assert queue(uow, "hoa", lead=True) == [1, 2, 3]
        assert queue(uow, "lan", lead=True) == [2, 3]
        review_tasks.withdraw_readings(uow, 1, [1])
        assert queue(uow, "lan") == [1, 3]
        assert queue(uow, "hoa", Wanted(stages=(Stage.ADJUDICATION,)), lead=True) == [2]
        assert queue(uow, "minh", Wanted(stages=(Stage.ADJUDICATION,))) == []


def test_only_what_is_wanted(desk: Registry) -> None:
    with desk.begin() as uow:
        reviews.open_tasks(uow, tasks_of([1.0, 2.0]), run_id=None)
        reviews.open_tasks(uow, tasks_of([3.0], first=3, kind=TaskKind.OVERLAY), run_id=None)
        review_tasks.claim(uow, 1, "lan", seconds=60)
        review_tasks.claim(uow, 2, "lan", seconds=-1)
        assert queue(uow, wanted=Wanted(kinds=(TaskKind.OVERLAY,))) == [3]
        assert queue(uow, wanted=Wanted(kinds=(TaskKind.OVERLAY, TaskKind.POSSIBLE_MATCH))) == [3, 2, 1]
        assert queue(uow, wanted=Wanted(kinds=(TaskKind.SUSPECTED_WRONG_MERGE,))) == []
        # a lease that has ended is nobody's
        assert queue(uow, wanted=Wanted(held_by="lan")) == [1]
        assert queue(uow, wanted=Wanted(held_by="minh")) == []
        moment = datetime.now(UTC)
        assert queue(uow, wanted=Wanted(opened_before=written(moment + timedelta(minutes=1)))) == [3, 2, 1]
        assert queue(uow, wanted=Wanted(opened_before=written(moment - timedelta(minutes=1)))) == []


def test_a_lease_ends_by_itself_and_by_its_holder(desk: Registry) -> None:
    with desk.begin() as uow:
        reviews.open_tasks(uow, tasks_of([1.0]), run_id=None)
        review_tasks.claim(uow, 1, "lan", seconds=60)
        held = review_tasks.find(uow, 1)
        assert (held.holder(), held.version) == ("lan", 1)
        review_tasks.release(uow, 1)
        assert review_tasks.find(uow, 1).holder() is None
        review_tasks.claim(uow, 1, "lan", seconds=0)
        ended = review_tasks.find(uow, 1)
        assert (ended.holder(), ended.claimed_by) == (None, "lan")


def test_who_passes_a_task_on_gives_it_up(desk: Registry) -> None:
    with desk.begin() as uow:
        reviews.open_tasks(uow, tasks_of([1.0]), run_id=None)
        review_tasks.claim(uow, 1, "lan", seconds=60)
        review_tasks.move_on(uow, review_tasks.find(uow, 1), Stage.SECOND)
        moved = review_tasks.find(uow, 1)
        assert (moved.stage, moved.version, moved.claimed_by, moved.is_open) == (Stage.SECOND, 2, None, True)
        review_tasks.claim(uow, 1, "minh", seconds=60)
        review_tasks.close(uow, review_tasks.find(uow, 1), reason="judged same", decision_id=7)
        closed = review_tasks.find(uow, 1)
        assert (closed.is_open, closed.closed_reason, closed.decision_id) == (False, "judged same", 7)
        assert (closed.version, closed.claimed_by) == (3, None)
        assert queue(uow, "hoa") == []
        with pytest.raises(UnknownTaskError):
            review_tasks.find(uow, 2)


def test_open_tasks_about_people(desk: Registry) -> None:
    with desk.begin() as uow:
        for first, people in ((1, (1, 2)), (2, (2, 3)), (3, (3, 3)), (4, (1, 4))):
            reviews.open_tasks(uow, tasks_of([1.0], first=first, people=people), run_id=None)
        review_tasks.close(uow, review_tasks.find(uow, 4), reason="gone")

        def about(*numbers: int) -> list[int]:
            return [each.task_id for each in review_tasks.about_people(uow, np.array(numbers, dtype=np.int64))]

        assert (about(1), about(2), about(3), about(4), about()) == ([1], [1, 2], [2, 3], [], [])
        assert about(3, 1) == [1, 2, 3]
        assert review_tasks.find(uow, 3).people == [3]
        assert review_tasks.find(uow, 2).people == [2, 3]


def test_a_question_is_asked_again_of_other_people_but_once(desk: Registry) -> None:
    with desk.begin() as uow:
        reviews.open_tasks(uow, tasks_of([2.0]), run_id=5)
        read(uow, 1, "lan")
        review_tasks.close(uow, review_tasks.find(uow, 1), reason="the people asked about have changed", decision_id=7)
        task = review_tasks.find(uow, 1)
        assert review_tasks.ask_again(uow, task, task_id=2, question="people:1-3", people=(1, 3))
        assert not review_tasks.ask_again(uow, task, task_id=3, question="people:1-3", people=(3, 1))
        again = review_tasks.find(uow, 2)
        assert (again.people, again.question, again.stage, again.version) == ([1, 3], "people:1-3", Stage.FIRST, 1)
        assert (again.is_open, again.decision_id, again.closed_reason) == (True, None, None)
        assert (again.match_weight, again.level_codes, again.priority) == (3.5, b"\x01\x01", 2.0)
        assert again.reason == task.reason
        # the reading is of the old task
        assert queue(uow, "lan") == [2]
        assert review_tasks.readings(uow, 2) == []


def test_pairs_that_test_readers_are_of_nobody(desk: Registry) -> None:
    with desk.begin() as uow:
        reviews.open_tasks(uow, tasks_of([2.0]), run_id=None)
        review_tasks.close(uow, review_tasks.find(uow, 1), reason="judged same")
        assert review_tasks.add_gold(uow, review_tasks.find(uow, 1), task_id=2, verdict=Verdict.SAME)
        assert not review_tasks.add_gold(uow, review_tasks.find(uow, 1), task_id=3, verdict=Verdict.DIFFERENT)
        gold = review_tasks.find(uow, 2)
        assert (gold.gold_verdict, gold.people, gold.records) == ("same", [], [1, 2])
        assert review_tasks.about_people(uow, np.array([1, 2])) == []
        assert len(reviews.asked_pairs(uow)) == 0
        review_tasks.close_gold(uow, 3, reason="withdrawn")
        assert review_tasks.find(uow, 2).is_open
        review_tasks.close_gold(uow, 2, reason="withdrawn")
        assert review_tasks.find(uow, 2).closed_reason == "withdrawn"


def test_readings_are_kept_in_order_and_taken_back(desk: Registry) -> None:
    with desk.begin() as uow:
        reviews.open_tasks(uow, tasks_of([1.0, 1.0]), run_id=None)
        read(uow, 1, "lan")
        read(uow, 1, "minh", verdict=ESCALATE)
        read(uow, 2, "lan", at="2026-01-02")
        assert [(each.place, each.reader, each.verdict) for each in review_tasks.readings(uow, 1)] == [
            (1, "lan", "same"),
            (2, "minh", "escalate"),
        ]
        newest = review_tasks.last_reading(uow, "lan")
        assert newest is not None
        assert (newest.task_id, newest.seconds, newest.comment, newest.stage) == (2, 2.5, "comment", Stage.FIRST)
        review_tasks.withdraw_readings(uow, 2, [1])
        newest = review_tasks.last_reading(uow, "lan")
        assert newest is not None
        assert newest.task_id == 1
        review_tasks.withdraw_readings(uow, 1, [2])
        read(uow, 1, "hoa")
        assert [(each.place, each.reader) for each in review_tasks.readings(uow, 1)] == [(1, "lan"), (3, "hoa")]
        review_tasks.close(uow, review_tasks.find(uow, 1), reason="judged same")
        assert review_tasks.last_reading(uow, "lan") is None
        assert review_tasks.last_reading(uow, "nobody") is None
