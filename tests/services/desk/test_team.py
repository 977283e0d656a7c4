from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from mpi.domain.errors import MissingRightError
from mpi.domain.review import Actor, Role, Stage, TaskKind
from mpi.persons.agreement import Agreement
from mpi.registry.registry import Registry
from mpi.registry.tables import reading, review_task
from mpi.registry.unit_of_work import written
from mpi.services.desk.team import DAYS, TeamFigures, team_figures
from tests.services.stored import LAN, store

VIETNAM = timezone(timedelta(hours=7))
LEAD = Actor("bich", Role.LEAD)
NOW = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
"""Half past eleven in the morning of 10 March in Vietnam."""


def ago(**span: float) -> str:
    return written(NOW - timedelta(**span))


def task(number: int, **said: Any) -> dict[str, Any]:
    given = {"status": "open", "kind": "possible_match", "opened_at": ago(hours=1), "gold_verdict": None, **said}
    constant = {"record_a": 1, "reason": "", "version": 1, "stage": "first", "priority": 1.0}
    return {"task_id": number, "question": f"people:{number}", **constant, **given}


def read(task_id: int, place: int, **said: Any) -> dict[str, Any]:
    given = {"stage": "first", "reader": "an", "verdict": "same", "seconds": None, "withdrawn_at": None, **said}
    return {"task_id": task_id, "place": place, "comment": "", "read_at": ago(hours=2), "leaving": "[]", **given}


def put(registry: Registry, tasks: Iterable[dict[str, Any]], readings: Iterable[dict[str, Any]] = ()) -> None:
    store(registry, [LAN])
    with registry.begin() as uow:
        uow.connection.execute(sa.insert(review_task), list(tasks))
        if readings := list(readings):
            uow.connection.execute(sa.insert(reading), readings)


def figures(registry: Registry) -> TeamFigures:
    return team_figures(registry, LEAD, zone=VIETNAM, now=NOW)


def test_with_nothing_done_every_figure_is_empty(registry: Registry) -> None:
    found = figures(registry)
    assert [day.day for day in found.days] == [date(2026, 2, 25) + timedelta(days=at) for at in range(DAYS)]
    assert (found.done, found.waiting, found.timed, found.median_seconds) == (0, 0, 0, None)
    assert found.readers == found.gold == Agreement(0, 0, None)
    assert [each.kind for each in found.backlog] == list(TaskKind)


def test_days_begin_at_midnight_in_vietnam_and_readings_taken_back_do_not_count(registry: Registry) -> None:
    first_midnight = datetime(2026, 2, 24, 17, tzinfo=UTC)
    put(
        registry,
        [task(number) for number in range(1, 8)],
        [
            read(1, 1),
            read(1, 2, stage="second", reader="binh"),
            read(2, 1, verdict="escalate", read_at=written(datetime(2026, 3, 9, 17, 0, tzinfo=UTC))),
            read(3, 1, read_at=written(datetime(2026, 3, 9, 16, 59, 59, tzinfo=UTC))),
            read(4, 1, withdrawn_at=ago(hours=1)),
            read(5, 1, read_at=written(first_midnight)),
            read(6, 1, read_at=written(first_midnight - timedelta(microseconds=1))),
            read(7, 1, stage="adjudication", read_at=ago(days=1)),
        ],
    )
    by_day = {day.day: day for day in figures(registry).days}
    assert by_day[date(2026, 3, 10)].done == {Stage.FIRST: 2, Stage.SECOND: 1, Stage.ADJUDICATION: 0}
    assert by_day[date(2026, 3, 9)].done == {Stage.FIRST: 1, Stage.SECOND: 0, Stage.ADJUDICATION: 1}
    assert by_day[date(2026, 2, 25)].total == 1
    assert figures(registry).done == 6


@pytest.mark.parametrize(("seconds", "middle"), [([9.0, 5.0, 70.0], 9.0), ([4.0, 8.0, 12.0, 900.0], 10.0)])
def test_the_median_is_the_middle_of_what_was_timed(registry: Registry, seconds: list[float], middle: float) -> None:
    timed = [read(at, 1, seconds=each) for at, each in enumerate(seconds, start=1)]
    others = [read(8, 1), read(9, 1, seconds=1.0, read_at=ago(days=20)), read(10, 1, seconds=1.0, withdrawn_at=ago())]
    put(registry, [task(number) for number in range(1, 11)], [*timed, *others])
    assert (figures(registry).median_seconds, figures(registry).timed) == (middle, len(seconds))


def test_agreement_is_of_first_and_second_readings_of_one_task(registry: Registry) -> None:
    words = [("same", "same")] * 3 + [("different", "different")] * 2 + [("same", "different")]
    pairs = [
        each
        for number, (one, two) in enumerate(words, start=1)
        for each in (read(number, 1, verdict=one), read(number, 2, verdict=two, stage="second", reader="binh"))
    ]
    not_compared = [
        read(10, 1),
        read(11, 1, verdict="escalate"),
        read(11, 2, stage="second"),
        read(12, 1, withdrawn_at=ago(hours=1)),
        read(12, 2, verdict="different", stage="second"),
        read(13, 1, read_at=ago(days=95)),
        read(13, 2, verdict="different", stage="second", read_at=ago(days=91)),
        read(14, 1),
        read(14, 2, verdict="different", stage="adjudication"),
    ]
    put(registry, [task(number) for number in range(1, 15)], [*pairs, *not_compared])
    readers = figures(registry).readers
    assert (readers.pairs, readers.agreed) == (6, 5)
    # chance: 4 of 6 times 3 of 6, and 2 of 6 times 3 of 6: a half
    assert readers.kappa == pytest.approx((5 / 6 - 0.5) / 0.5)


def test_readings_of_gold_pairs_are_held_against_what_is_known(registry: Registry) -> None:
    gold = [task(1, gold_verdict="same"), task(2, gold_verdict="different"), task(3, gold_verdict="same")]
    readings = [
        read(1, 1),
        read(1, 2, reader="binh", verdict="unsure"),
        read(2, 1, verdict="different"),
        read(3, 1, verdict="escalate"),
        read(4, 1, verdict="different"),
    ]
    put(registry, [*gold, task(4)], readings)
    found = figures(registry).gold
    assert (found.pairs, found.agreed) == (3, 2)
    # of three: same twice and different once are known; same, unsure and different were read once each
    assert found.kappa == pytest.approx((2 / 3 - 1 / 3) / (2 / 3))


def test_what_waits_is_counted_by_kind_and_age_without_gold_pairs(registry: Registry) -> None:
    tasks = [
        task(1, opened_at=ago(hours=23)),
        task(2, opened_at=ago(hours=25)),
        task(3, opened_at=ago(days=6.9)),
        task(4, opened_at=ago(days=29)),
        task(5, opened_at=ago(days=300)),
        task(6, opened_at=ago(days=31), kind="overlay"),
        task(7, gold_verdict="same"),
        task(8, status="closed"),
    ]
    put(registry, tasks)
    found = figures(registry)
    waiting = {each.kind: each.by_age for each in found.backlog}
    assert waiting.pop(TaskKind.POSSIBLE_MATCH) == (1, 2, 1, 1)
    assert waiting.pop(TaskKind.OVERLAY) == (0, 0, 0, 1)
    assert set(waiting.values()) == {(0, 0, 0, 0)}
    assert found.waiting == 6


@pytest.mark.parametrize("role", [Role.STEWARD, Role.AUDITOR])
def test_who_may_not_see_the_team_is_told_the_right_that_is_missing(registry: Registry, role: Role) -> None:
    with pytest.raises(MissingRightError) as refused:
        team_figures(registry, Actor("an", role), zone=VIETNAM)
    assert refused.value.metadata == {"right": "see_team"}


def test_no_figure_is_told_apart_by_who_read(registry: Registry) -> None:
    """Who read what may be changed without any figure changing."""
    readings = [read(1, 1, seconds=4.0), read(2, 1, seconds=9.0, verdict="different"), read(2, 2, stage="second")]
    put(registry, [task(1), task(2)], readings)
    before = figures(registry)
    with registry.begin() as uow:
        uow.connection.execute(sa.update(reading).values(reader=sa.case((reading.c.task_id == 1, "chi"), else_="dung")))
    assert figures(registry) == before
