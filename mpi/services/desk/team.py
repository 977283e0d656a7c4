"""The team's figures: what was done, how long it took, how far readers agree, and what waits. Read only.

Figures are of the whole team: nothing is said, or can be asked, about one steward.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from statistics import median

from mpi.domain.review import Actor, Right, Stage, TaskKind
from mpi.persons.agreement import Agreement, agreement
from mpi.registry import team_reads
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import written
from mpi.services.access import require

DAYS = 14
"""Days whose work is shown, today the last."""

AGREEMENT_DAYS = 90
"""Days whose readings agreement is measured over."""

AGES = (1, 7, 30)
"""Where an open task's age in days turns from fresh to older, to old, to oldest."""


@dataclass(frozen=True, slots=True)
class DayDone:
    """How many readings were made on a day, by stage; every stage is there."""

    day: date
    done: Mapping[Stage, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.done.values())


@dataclass(frozen=True, slots=True)
class KindWaiting:
    """How many tasks of a kind are open, by age: up to AGES[0] days, up to AGES[1], up to AGES[2], and older."""

    kind: TaskKind
    by_age: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_age)


@dataclass(frozen=True, slots=True)
class TeamFigures:
    """The figures as they stood at `read_at` (a moment with a zone).

    `median_seconds` is of the `timed` readings of the last DAYS days, None where none was timed. `readers` compares
    first with second readings, `gold` readings with pairs whose answer is known, both of AGREEMENT_DAYS days.
    """

    days: tuple[DayDone, ...]
    median_seconds: float | None
    timed: int
    readers: Agreement
    gold: Agreement
    backlog: tuple[KindWaiting, ...]
    read_at: datetime

    @property
    def done(self) -> int:
        """Readings of all the days."""
        return sum(day.total for day in self.days)

    @property
    def waiting(self) -> int:
        """Open tasks of all kinds."""
        return sum(each.total for each in self.backlog)


def team_figures(registry: Registry, actor: Actor, *, zone: tzinfo, now: datetime | None = None) -> TeamFigures:
    """The team's figures now; days begin at midnight of the zone. Raises MissingRightError."""
    require(actor, Right.SEE_TEAM)
    now = now or datetime.now(UTC)
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    begins = [written(datetime.combine(day, time(), zone)) for day in days]
    compared = written(now - timedelta(days=AGREEMENT_DAYS))
    with registry.snapshot() as uow:
        done = team_reads.readings_by_span(uow, begins)
        seconds = team_reads.seconds_since(uow, begins[0])
        readers = agreement(team_reads.first_and_second(uow, compared))
        gold = agreement(team_reads.gold_and_read(uow, compared))
        opened = [written(now - timedelta(days=age)) for age in reversed(AGES)]
        # the first span takes what is older than all of them
        waiting = team_reads.backlog_by_span(uow, ["", *opened])
    oldest = len(AGES)
    return TeamFigures(
        days=tuple(
            DayDone(day, {stage: done.get((place, stage), 0) for stage in Stage}) for place, day in enumerate(days)
        ),
        median_seconds=median(seconds) if seconds else None,
        timed=len(seconds),
        readers=readers,
        gold=gold,
        backlog=tuple(
            KindWaiting(kind, tuple(waiting.get((kind, oldest - age), 0) for age in range(oldest + 1)))
            for kind in TaskKind
        ),
        read_at=now,
    )
