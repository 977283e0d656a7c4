"""Review tasks one by one, as readers meet them: found, claimed, read, moved on. See reviews.py for those of a run.

A claim is a lease: it ends by itself. What changes a task's question or stage raises its version.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import UnknownTaskError
from mpi.domain.review import Stage, TaskKind, Verdict
from mpi.registry.tables import reading, review_task
from mpi.registry.unit_of_work import UnitOfWork, now_text, written

Integers = NDArray[np.int64]

ESCALATE = "escalate"
"""What a reading says beside the verdicts: a lead is to decide."""

_task = review_task.c


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A review task as the registry has it. `gold_verdict` is set where the answer is known and readers are tested;
    times are ISO 8601 UTC; `match_weight` is in bits."""

    task_id: int
    kind: TaskKind
    question: str
    record_a: int
    record_b: int | None
    person_a: int | None
    person_b: int | None
    match_weight: float | None
    level_codes: bytes | None
    reason: str
    status: str
    closed_reason: str | None
    version: int
    stage: Stage
    priority: float
    opened_at: str
    claimed_by: str | None
    claimed_until: str | None
    gold_verdict: str | None
    decision_id: int | None

    @property
    def is_open(self) -> bool:
        """Whether an answer is still wanted."""
        return self.status == "open"

    @property
    def people(self) -> list[int]:
        """The people that it is about, each once."""
        return sorted({person for person in (self.person_a, self.person_b) if person is not None})

    @property
    def records(self) -> list[int]:
        """The records that it is about."""
        return [record for record in (self.record_a, self.record_b) if record is not None]

    def holder(self) -> str | None:
        """Who has claimed it and whose lease has not ended."""
        return self.claimed_by if self.claimed_until is not None and self.claimed_until > now_text() else None


@dataclass(frozen=True, slots=True)
class StoredReading:
    """What one reader said of a task, at which stage; `verdict` is a Verdict's value or ESCALATE. `leaving` are the
    records that the reader would let leave a person, by number; none where nobody leaves."""

    task_id: int
    place: int
    stage: Stage
    reader: str
    verdict: str
    comment: str
    seconds: float | None
    read_at: str
    leaving: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open tasks a reader wants: kinds and stages (none named: all), only those that they hold, those opened
    before a time (ISO 8601 UTC), and those behind a place (priority, task number) in the queue."""

    kinds: Collection[TaskKind] = ()
    stages: Collection[Stage] = ()
    held_by: str | None = None
    after: tuple[float, int] | None = None
    opened_before: str | None = None


_COLUMNS = [_task[name] for name in StoredTask.__slots__]


def find(uow: UnitOfWork, task_id: int) -> StoredTask:
    """One task. Raises UnknownTaskError."""
    row = uow.connection.execute(sa.select(*_COLUMNS).where(_task.task_id == task_id)).one_or_none()
    if row is None:
        raise UnknownTaskError(f"there is no review task {task_id}")
    return _stored(row)


def queue(uow: UnitOfWork, reader: str, *, adjudicates: bool, wanted: Wanted, limit: int) -> list[StoredTask]:
    """Open tasks that a reader may read, the most urgent first."""
    query = (
        sa.select(*_COLUMNS)
        .where(*_readable(reader, adjudicates), *_chosen(wanted), *_behind(wanted.after))
        .order_by(_task.priority.desc(), _task.task_id)
        .limit(limit)
    )
    return [_stored(row) for row in uow.connection.execute(query)]


def count(uow: UnitOfWork, reader: str, *, adjudicates: bool, wanted: Wanted) -> int:
    """How many open tasks a reader may read, wherever they stand in the queue."""
    query = sa.select(sa.func.count()).select_from(review_task)
    return int(uow.connection.scalar(query.where(*_readable(reader, adjudicates), *_chosen(wanted))) or 0)


def count_by_kind(uow: UnitOfWork, reader: str, *, adjudicates: bool) -> dict[TaskKind, tuple[int, int]]:
    """How many open tasks of each kind a reader may read, and how many of these they hold; kinds without any are left
    out."""
    held = sa.case((sa.and_(*_chosen(Wanted(held_by=reader))), 1), else_=0)
    query = sa.select(_task.kind, sa.func.count(), sa.func.sum(held)).where(*_readable(reader, adjudicates))
    found = uow.connection.execute(query.group_by(_task.kind))
    return {TaskKind(kind): (int(number), int(own)) for kind, number, own in found}


def about_people(uow: UnitOfWork, person_ids: Integers) -> list[StoredTask]:
    """The open tasks about some people, by number; those that test readers are not among them."""
    people = uow.dialect.id_set(person_ids)
    sides = (
        sa.select(_task.task_id).where(_task.status == "open", side.in_(people))
        for side in (_task.person_a, _task.person_b)
    )
    query = sa.select(*_COLUMNS).where(_task.task_id.in_(sa.union(*sides))).order_by(_task.task_id)
    return [_stored(row) for row in uow.connection.execute(query)]


def claim(uow: UnitOfWork, task_id: int, reader: str, *, seconds: float) -> None:
    """Gives a task to a reader for some seconds; whether they may have it is the caller's to know."""
    until = written(datetime.now(UTC) + timedelta(seconds=seconds))
    _set(uow, task_id, claimed_by=reader, claimed_until=until)


def release(uow: UnitOfWork, task_id: int) -> None:
    """Takes a claim back."""
    _set(uow, task_id, claimed_by=None, claimed_until=None)


def move_on(uow: UnitOfWork, task: StoredTask, stage: Stage) -> None:
    """Passes a task to the next reader."""
    _set(uow, task.task_id, stage=stage.value, version=task.version + 1, claimed_by=None, claimed_until=None)


def close(uow: UnitOfWork, task: StoredTask, *, reason: str, decision_id: int | None = None) -> None:
    """Closes an open task, by a decision or because its question is gone."""
    _set(
        uow,
        task.task_id,
        status="closed",
        closed_reason=reason,
        closed_at=now_text(),
        version=task.version + 1,
        decision_id=decision_id,
        claimed_by=None,
        claimed_until=None,
    )


def ask_again(uow: UnitOfWork, task: StoredTask, *, task_id: int, question: str, people: Sequence[int | None]) -> bool:
    """Opens a task's question as a new task, perhaps of other people; False where that question is open already."""
    is_asked = sa.select(_task.task_id).where(_task.question == question, _task.status == "open")
    if uow.connection.scalar(is_asked) is not None:
        return False
    values: dict[str, Any] = {name: getattr(task, name) for name in StoredTask.__slots__}
    values |= {
        "task_id": task_id,
        "kind": task.kind.value,
        "question": question,
        "person_a": people[0],
        "person_b": people[1],
        "status": "open",
        "closed_reason": None,
        "version": 1,
        "stage": Stage.FIRST.value,
        "opened_at": now_text(),
        "claimed_by": None,
        "claimed_until": None,
        "decision_id": None,
    }
    uow.connection.execute(sa.insert(review_task).values(values))
    return True


def add_gold(uow: UnitOfWork, task: StoredTask, *, task_id: int, verdict: Verdict) -> bool:
    """Opens a task with a known answer, which tests readers: a closed task asked again, of nobody in particular. False
    where these records test readers already."""
    question = f"gold:{task.record_a}-{task.record_b}"
    if not ask_again(uow, task, task_id=task_id, question=question, people=(None, None)):
        return False
    _set(uow, task_id, gold_verdict=verdict.value)
    return True


def close_gold(uow: UnitOfWork, record_id: int, *, reason: str) -> None:
    """Closes the tasks that test readers with a record."""
    uow.connection.execute(
        sa.update(review_task)
        .where(
            _task.gold_verdict.is_not(None),
            _task.status == "open",
            sa.or_(_task.record_a == record_id, _task.record_b == record_id),
        )
        .values(status="closed", closed_reason=reason, closed_at=now_text())
    )


def readings(uow: UnitOfWork, task_id: int) -> list[StoredReading]:
    """The readings of a task that stand, in order."""
    columns = [reading.c[name] for name in StoredReading.__slots__]
    query = sa.select(*columns).where(reading.c.task_id == task_id, reading.c.withdrawn_at.is_(None))
    rows = uow.connection.execute(query.order_by(reading.c.place))
    return [_stored_reading(row) for row in rows]


def read_by(uow: UnitOfWork, reader: str, task_ids: Integers) -> set[int]:
    """Those of some tasks that have a standing reading of one reader."""
    query = sa.select(reading.c.task_id).where(
        reading.c.task_id.in_(uow.dialect.id_set(task_ids)),
        reading.c.reader == reader,
        reading.c.withdrawn_at.is_(None),
    )
    return set(uow.connection.scalars(query))


def add_reading(uow: UnitOfWork, said: StoredReading) -> None:
    """Keeps a reading; its `place` is ignored: it is the task's next."""
    last = sa.select(sa.func.coalesce(sa.func.max(reading.c.place), 0)).where(reading.c.task_id == said.task_id)
    values: dict[str, Any] = {name: getattr(said, name) for name in StoredReading.__slots__}
    values |= {"place": int(uow.connection.scalar(last) or 0) + 1, "stage": said.stage.value, "withdrawn_at": None}
    values["leaving"] = json.dumps(said.leaving)
    uow.connection.execute(sa.insert(reading).values(values))


def withdraw_readings(uow: UnitOfWork, task_id: int, places: Collection[int]) -> None:
    """Takes readings of a task back."""
    uow.connection.execute(
        sa.update(reading)
        .where(reading.c.task_id == task_id, reading.c.place.in_(places), reading.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now_text())
    )


def last_reading(uow: UnitOfWork, reader: str) -> StoredReading | None:
    """The newest reading of a reader that stands, of a task that is still open."""
    columns = [reading.c[name] for name in StoredReading.__slots__]
    query = (
        sa.select(*columns)
        .join(review_task, _task.task_id == reading.c.task_id)
        .where(reading.c.reader == reader, reading.c.withdrawn_at.is_(None), _task.status == "open")
        .order_by(reading.c.read_at.desc())
        .limit(1)
    )
    row = uow.connection.execute(query).one_or_none()
    return None if row is None else _stored_reading(row)


def _stored_reading(row: sa.Row[Any]) -> StoredReading:
    fields = dict(row._mapping)
    return StoredReading(**fields | {"stage": Stage(fields["stage"]), "leaving": tuple(json.loads(fields["leaving"]))})


def _readable(reader: str, adjudicates: bool) -> list[sa.ColumnElement[bool]]:
    """Open tasks that a reader has not read, and adjudications for those only who may."""
    read = sa.exists().where(
        reading.c.task_id == _task.task_id, reading.c.reader == reader, reading.c.withdrawn_at.is_(None)
    )
    conditions = [_task.status == "open", ~read]
    return conditions if adjudicates else [*conditions, _task.stage != Stage.ADJUDICATION.value]


def _chosen(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.kinds:
        conditions.append(_task.kind.in_([kind.value for kind in wanted.kinds]))
    if wanted.stages:
        # a pair that tests readers must be found where second readings are
        shown = sa.case((_task.gold_verdict.is_not(None), Stage.SECOND.value), else_=_task.stage)
        conditions.append(shown.in_([stage.value for stage in wanted.stages]))
    if wanted.held_by is not None:
        conditions += [_task.claimed_by == wanted.held_by, _task.claimed_until > now_text()]
    if wanted.opened_before is not None:
        conditions.append(_task.opened_at < wanted.opened_before)
    return conditions


def _behind(after: tuple[float, int] | None) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    priority, task_id = after
    same = sa.and_(_task.priority == priority, _task.task_id > task_id)
    return [sa.or_(_task.priority < priority, same)]


def _set(uow: UnitOfWork, task_id: int, **values: Any) -> None:
    uow.connection.execute(sa.update(review_task).where(_task.task_id == task_id).values(**values))


def _stored(row: sa.Row[Any]) -> StoredTask:
    fields = dict(row._mapping)
    return StoredTask(**{**fields, "kind": TaskKind(fields["kind"]), "stage": Stage(fields["stage"])})
