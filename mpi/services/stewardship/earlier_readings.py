"""What readers said of a task before it came to a lead. Read only.

Only who decides where readers disagree sees it, and only then: a second reader must not lean on the first.
"""

from dataclasses import dataclass

import numpy as np

from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Right, Stage
from mpi.registry import review_tasks
from mpi.registry.registry import Registry
from mpi.registry.source_records import keys_of
from mpi.services.access import require


@dataclass(frozen=True, slots=True)
class EarlierReading:
    """One reading, without its reader: `said` is a verdict's value or "escalate"; `read_at` is ISO 8601 UTC; `leaving`
    are the records that the reader would let leave a person."""

    said: str
    comment: str
    read_at: str
    leaving: tuple[RecordKey, ...]


def earlier_readings(registry: Registry, actor: Actor, task_id: int) -> tuple[EarlierReading, ...]:
    """The readings of a task that waits for a lead, in order; nothing of one at another stage.

    Raises MissingRightError, UnknownTaskError.
    """
    require(actor, Right.ADJUDICATE)
    with registry.snapshot() as uow:
        task = review_tasks.find(uow, task_id)
        if task.stage is not Stage.ADJUDICATION or task.gold_verdict is not None:
            return ()
        found = review_tasks.readings(uow, task_id)
        numbers = sorted({record for each in found for record in each.leaving})
        keys = keys_of(uow, np.array(numbers, dtype=np.int64))
    return tuple(
        EarlierReading(each.verdict, each.comment, each.read_at, tuple(keys[record] for record in each.leaving))
        for each in found
    )
