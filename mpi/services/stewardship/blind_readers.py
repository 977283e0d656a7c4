"""Who must not see the weights of a person: whoever may have to read a question about it a second time."""

from collections.abc import Iterable

import numpy as np

from mpi.domain.review import Actor, Right, Stage
from mpi.registry import review_tasks
from mpi.registry.review_tasks import StoredTask
from mpi.registry.unit_of_work import UnitOfWork


def weights_hidden(uow: UnitOfWork, actor: Actor, about: Iterable[StoredTask]) -> bool:
    """Whether of the open tasks about a person one waits for a second reader or a lead, and the actor has not read
    it."""
    if not actor.may(Right.REVIEW):
        return False
    waiting = {task.task_id for task in about if task.stage is not Stage.FIRST}
    if not waiting:
        return False
    return not waiting <= review_tasks.read_by(uow, actor.name, np.array(sorted(waiting), dtype=np.int64))
