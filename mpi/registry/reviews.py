"""Questions for stewards: one open task a question, closed with a reason when the question is gone or answered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import RegistryError
from mpi.domain.review import Stage
from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.persons import stream
from mpi.registry.source_records import source_system_names
from mpi.registry.tables import health_record_entry, link, person, review_task, source_record, withdrawn_record
from mpi.registry.unit_of_work import UnitOfWork, now_text

Integers = NDArray[np.int64]

UNSURE = "unsure"
"""How the reason of a task begins that was closed because nobody could tell."""

_PEOPLE_A_READ = 50_000
_QUESTIONS_A_READ = 500

REVIEW_TASK_SCHEMA = pa.schema(
    [
        ("task_id", pa.int64()),
        ("kind", pa.string()),
        ("source_system_a", pa.string()),
        ("source_record_id_a", pa.string()),
        ("source_system_b", pa.string()),
        ("source_record_id_b", pa.string()),
        ("enterprise_id_a", pa.string()),
        ("enterprise_id_b", pa.string()),
        ("match_weight", pa.float64()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class TaskRows:
    """Review tasks to be opened, n rows. `questions` are stable keys: the same question has the same key in every run.

    Ids below zero (`record_b`, `person_a`, `person_b`) mean none; `match_weights` float64[n] in bits, NaN for none;
    `level_codes` int8[n, comparisons]; `priorities` float64[n], the larger the more urgent.
    """

    task_ids: Integers
    kinds: Sequence[str]
    questions: Sequence[str]
    record_a: Integers
    record_b: Integers
    person_a: Integers
    person_b: Integers
    match_weights: NDArray[np.float64]
    level_codes: NDArray[np.int8]
    reasons: Sequence[str]
    priorities: NDArray[np.float64]


def open_tasks(uow: UnitOfWork, rows: TaskRows, *, run_id: int | None) -> None:
    """Opens tasks. Raises RegistryError (when the unit of work is left) for a question that is open already."""
    bulk.insert(
        uow,
        review_task,
        {
            "task_id": rows.task_ids,
            "kind": rows.kinds,
            "question": rows.questions,
            "record_a": rows.record_a,
            "record_b": bulk.optional(rows.record_b),
            "person_a": bulk.optional(rows.person_a),
            "person_b": bulk.optional(rows.person_b),
            "match_weight": bulk.optional(rows.match_weights),
            "level_codes": rows.level_codes.view(np.uint8),
            "reason": rows.reasons,
            "status": Every("open"),
            "created_run": Every(run_id),
            "closed_run": Every(None),
            "closed_reason": Every(None),
            "version": Every(1),
            "stage": Every(Stage.FIRST.value),
            "priority": rows.priorities,
            "opened_at": Every(now_text()),
            **{name: Every(None) for name in ("closed_at", "claimed_by", "claimed_until", "gold_verdict")},
            "decision_id": Every(None),
        },
    )


def close_tasks(uow: UnitOfWork, task_ids: Integers, *, reasons: str | Sequence[str], run_id: int | None) -> None:
    """Closes open tasks. Raises RegistryError when one of them is not open."""
    closed = bulk.update(
        uow,
        review_task,
        keys={"task_id": task_ids, "status": Every("open")},
        values={
            "status": Every("closed"),
            "closed_reason": Every(reasons) if isinstance(reasons, str) else reasons,
            "closed_run": Every(run_id),
            "closed_at": Every(now_text()),
        },
    )
    if closed != len(task_ids):
        raise RegistryError("a review task that should be closed is not open")


def open_questions(uow: UnitOfWork) -> dict[str, int]:
    """The open questions, each with the number of its task."""
    query = sa.select(review_task.c.question, review_task.c.task_id).where(review_task.c.status == "open")
    return dict(uow.connection.execute(query).all())


def open_questions_of(uow: UnitOfWork, questions: Sequence[str]) -> dict[str, int]:
    """Those of some questions that are open, each with the number of its task."""
    task = review_task.c
    query = sa.select(task.question, task.task_id).where(task.status == "open", task.question.in_(questions))
    return dict(uow.connection.execute(query).all())


def asked_pairs(uow: UnitOfWork) -> Integers:
    """Record ids int64 (n, 2) of the open questions about two people, in the order of the tasks; records in force."""
    task = review_task.c
    gone = sa.exists().where(withdrawn_record.c.record_id.in_([task.record_a, task.record_b]))
    query = (
        sa.select(task.record_a, task.record_b)
        .where(task.status == "open", task.question.startswith("people:"), task.record_b.is_not(None), ~gone)
        .order_by(task.task_id)
    )
    pairs = [tuple(row) for row in uow.connection.execute(query)]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def count_open(uow: UnitOfWork) -> int:
    """How many tasks are open."""
    query = sa.select(sa.func.count()).select_from(review_task).where(review_task.c.status == "open")
    return int(uow.connection.scalar(query) or 0)


def export_open(uow: UnitOfWork) -> Iterator[pa.RecordBatch]:
    """Streams the open tasks with the keys of their records and the enterprise IDs of their people."""
    names = source_system_names(uow)
    record_a, record_b = source_record.alias("record_one"), source_record.alias("record_two")
    person_a, person_b = person.alias("person_one"), person.alias("person_two")
    task = review_task.c
    query = (
        sa.select(
            task.task_id,
            task.kind,
            record_a.c.source_system_id,
            record_a.c.source_record_id,
            record_b.c.source_system_id,
            record_b.c.source_record_id,
            person_a.c.enterprise_id,
            person_b.c.enterprise_id,
            task.match_weight,
            task.reason,
        )
        .select_from(review_task)
        .join(record_a, record_a.c.record_id == task.record_a)
        .outerjoin(record_b, record_b.c.record_id == task.record_b)
        .outerjoin(person_a, person_a.c.person_id == task.person_a)
        .outerjoin(person_b, person_b.c.person_id == task.person_b)
        .where(task.status == "open")
        .order_by(task.task_id)
    )
    for rows in stream(uow, query):
        columns = [list(column) for column in zip(*rows, strict=True)]
        for at in (2, 4):
            columns[at] = [None if system is None else names[system] for system in columns[at]]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, REVIEW_TASK_SCHEMA, strict=True)]
        yield pa.record_batch(arrays, schema=REVIEW_TASK_SCHEMA)


@dataclass(frozen=True, slots=True)
class Harm:
    """What hangs on n people, int64 (n,) each: entries of the health record, source systems, records."""

    entries: Integers
    systems: Integers
    records: Integers


def harm_counts(uow: UnitOfWork, person_ids: Integers) -> Harm:
    """What hangs on some people, in their order; a number below zero is nobody."""
    people = np.unique(person_ids[person_ids >= 0])
    counts = np.zeros((len(people) + 1, 3), dtype=np.int64)  # the last row is nobody's
    for start in range(0, len(people), _PEOPLE_A_READ):
        some = people[start : start + _PEOPLE_A_READ]
        entries = (
            sa.select(sa.func.count())
            .where(health_record_entry.c.record_id == link.c.record_id)
            .correlate(link)
            .scalar_subquery()
        )
        each = (
            sa.select(link.c.person_id, source_record.c.source_system_id, entries.label("entries"))
            .join(source_record, source_record.c.record_id == link.c.record_id)
            .where(link.c.person_id.in_(uow.dialect.id_set(some)), link.c.valid_to_revision.is_(None))
            .subquery()
        )
        query = sa.select(
            each.c.person_id,
            sa.func.sum(each.c.entries),
            sa.func.count(each.c.source_system_id.distinct()),
            sa.func.count(),
        ).group_by(each.c.person_id)
        rows = [[int(number) for number in row] for row in uow.connection.execute(query)]
        found = np.array(rows, dtype=np.int64).reshape(-1, 4)
        counts[np.searchsorted(people, found[:, 0])] = found[:, 1:]
    chosen = counts[np.where(person_ids >= 0, np.searchsorted(people, person_ids), len(people))]
    return Harm(chosen[:, 0], chosen[:, 1], chosen[:, 2])


def last_unsure(uow: UnitOfWork, questions: Sequence[str]) -> dict[str, float | None]:
    """Questions whose last task was closed as unsure, each with the weight (bits) that it had then."""
    found: dict[str, float | None] = {}
    task = review_task.c
    for start in range(0, len(questions), _QUESTIONS_A_READ):
        some = questions[start : start + _QUESTIONS_A_READ]
        last = sa.select(sa.func.max(task.task_id)).where(task.question.in_(some)).group_by(task.question)
        query = sa.select(task.question, task.match_weight).where(
            task.task_id.in_(last), task.status == "closed", task.closed_reason.startswith(UNSURE)
        )
        found.update((question, weight) for question, weight in uow.connection.execute(query))
    return found
