"""Who must not see the weights of a person: whoever may have to read a question about it a second time."""

import numpy as np

from mpi.domain.review import Actor, Right, Stage
from mpi.registry import review_tasks
from mpi.registry.unit_of_work import UnitOfWork


def weights_hidden(uow: UnitOfWork, actor: Actor, person_id: int) -> bool:
    """Whether a question about a person waits for a second reader or a lead, and the actor has not read it."""
    if not actor.may(Right.REVIEW):
        return False
    about = review_tasks.about_people(uow, np.array([person_id], dtype=np.int64))
    waiting = {task.task_id for task in about if task.stage is not Stage.FIRST}
    if not waiting:
        return False
    return not waiting <= review_tasks.read_by(uow, actor.name, np.array(sorted(waiting), dtype=np.int64))
