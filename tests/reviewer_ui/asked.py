"""Review tasks put straight into a registry: questions about records that tests choose."""

import numpy as np

from mpi.domain.records import RecordKey
from mpi.domain.review import TaskKind
from mpi.registry import persons, review_tasks, reviews
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import StoredReading, StoredTask
from mpi.registry.reviews import TaskRows
from mpi.registry.source_records import find

BETWEEN = "the evidence lies between the review and the link threshold"


def ask(
    registry: Registry,
    left: RecordKey,
    right: RecordKey,
    *,
    kind: TaskKind = TaskKind.POSSIBLE_DUPLICATE,
    priority: float = 1.0,
    weight: float = 3.0,
    reason: str = BETWEEN,
) -> int:
    """Opens a task about two placed records; its number."""
    with registry.begin() as uow:
        ends = [find(uow, left), find(uow, right)]
        links = persons.links_of_records(uow, np.array(sorted(ends), dtype=np.int64))
        owner = dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))
        people = sorted(owner[end] for end in ends)
        task_id = allocate(uow, Counters(task=1)).task
        question = f"people:{people[0]}-{people[1]}" if people[0] != people[1] else f"overlay:{ends[0]}"
        reviews.open_tasks(
            uow,
            TaskRows(
                task_ids=np.array([task_id]),
                kinds=[kind.value],
                questions=[question],
                record_a=np.array(ends[:1]),
                record_b=np.array(ends[1:]),
                person_a=np.array([owner[ends[0]]]),
                person_b=np.array([owner[ends[1]]]),
                match_weights=np.array([weight]),
                level_codes=np.zeros((1, 10), dtype=np.int8),
                reasons=[reason],
                priorities=np.array([priority]),
            ),
            run_id=None,
        )
    return task_id


def stored_task(registry: Registry, task_id: int) -> StoredTask:
    with registry.snapshot() as uow:
        return review_tasks.find(uow, task_id)


def readings(registry: Registry, task_id: int) -> list[StoredReading]:
    with registry.snapshot() as uow:
        return review_tasks.readings(uow, task_id)
