"""What the team's figures are made of: readings and open tasks, counted by the database. Read only.

Nothing here is told apart by who read: the figures are the team's.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from mpi.domain.review import Stage, TaskKind
from mpi.registry.tables import reading, review_task
from mpi.registry.unit_of_work import UnitOfWork

_STANDS = reading.c.withdrawn_at.is_(None)
_ESCALATE = "escalate"


def readings_by_span(uow: UnitOfWork, begins: Sequence[str]) -> dict[tuple[int, Stage], int]:
    """How many readings stand, by place of the span of time in which they were made and by stage.

    `begins` are times as the registry writes them, growing: a span lasts until the next one begins, the last for ever.
    """
    span = sa.func.coalesce(*_last_begun(begins, reading.c.read_at))
    query = (
        sa.select(span.label("span"), reading.c.stage, sa.func.count())
        .where(_STANDS, reading.c.read_at >= begins[0])
        .group_by(sa.literal_column("span"), reading.c.stage)
    )
    return {(int(place), Stage(stage)): count for place, stage, count in uow.connection.execute(query)}


def seconds_since(uow: UnitOfWork, begin: str) -> list[float]:
    """The seconds that every reading took which stands and was timed, shortest first, from a time on."""
    query = (
        sa.select(reading.c.seconds)
        .where(_STANDS, reading.c.seconds.is_not(None), reading.c.read_at >= begin)
        .order_by(reading.c.seconds)
    )
    return list(uow.connection.scalars(query))


def first_and_second(uow: UnitOfWork, begin: str) -> dict[tuple[str, str], int]:
    """How often first and second readers of one task said what: counts by (first verdict, second verdict).

    The second reading was made from a time on; a task handed on to a lead has no verdict to compare.
    """
    first, second = reading.alias("one"), reading.alias("two")
    query = (
        sa.select(first.c.verdict, second.c.verdict, sa.func.count())
        .join_from(second, first, first.c.task_id == second.c.task_id)
        .where(
            second.c.stage == Stage.SECOND.value,
            first.c.stage == Stage.FIRST.value,
            second.c.read_at >= begin,
            *(each.c.withdrawn_at.is_(None) for each in (first, second)),
            *(each.c.verdict != _ESCALATE for each in (first, second)),
        )
        .group_by(first.c.verdict, second.c.verdict)
    )
    return {(one, two): count for one, two, count in uow.connection.execute(query)}


def gold_and_read(uow: UnitOfWork, begin: str) -> dict[tuple[str, str], int]:
    """How often readings of gold pairs said what, from a time on: counts by (gold verdict, verdict read)."""
    query = (
        sa.select(review_task.c.gold_verdict, reading.c.verdict, sa.func.count())
        .join_from(reading, review_task, reading.c.task_id == review_task.c.task_id)
        .where(
            _STANDS,
            reading.c.read_at >= begin,
            reading.c.verdict != _ESCALATE,
            review_task.c.gold_verdict.is_not(None),
        )
        .group_by(review_task.c.gold_verdict, reading.c.verdict)
    )
    return {(gold, read): count for gold, read, count in uow.connection.execute(query)}


def backlog_by_span(uow: UnitOfWork, begins: Sequence[str]) -> dict[tuple[TaskKind, int], int]:
    """How many tasks are open, by kind and by place of the span of time in which they were opened (see
    `readings_by_span`); tasks from before the first span count as of it. Gold pairs are no backlog."""
    span = sa.func.coalesce(*_last_begun(begins, review_task.c.opened_at), sa.literal_column("0"))
    query = (
        sa.select(review_task.c.kind, span.label("span"), sa.func.count())
        .where(review_task.c.status == "open", review_task.c.gold_verdict.is_(None))
        .group_by(review_task.c.kind, sa.literal_column("span"))
    )
    return {(TaskKind(kind), int(place)): count for kind, place, count in uow.connection.execute(query)}


def _last_begun(begins: Sequence[str], column: sa.Column[str]) -> list[sa.Case[int]]:
    """The places of the spans that have begun at a column's time, the last first, as expressions that are NULL
    where they have not."""
    places = reversed(list(enumerate(begins)))
    return [sa.case((column >= begin, sa.literal_column(str(place)))) for place, begin in places]
