"""How a review task ended: the decision that closed it, who made it, and whether it stands. Read only."""

from dataclasses import dataclass

from mpi.domain.review import Actor, Right
from mpi.registry import decisions, review_tasks
from mpi.registry.registry import Registry
from mpi.services.access import require
from mpi.services.stewardship.gold import may_be_gold


@dataclass(frozen=True, slots=True)
class TaskEnding:
    """The decision that closed a task: its events have the revisions `decision_id` to `last_revision`; `undone_by`
    names the decision that took it back. `may_be_gold`: the actor may let the pair test readers."""

    decision_id: int
    last_revision: int
    made_by: str
    made_at: str
    undone_by: int | None
    may_be_gold: bool


def task_ending(registry: Registry, actor: Actor, task_id: int) -> TaskEnding | None:
    """How a task ended; None for one that is open, or that closed by itself. Raises MissingRightError,
    UnknownTaskError."""
    require(actor, Right.REVIEW)
    with registry.snapshot() as uow:
        task = review_tasks.find(uow, task_id)
        if task.is_open or task.decision_id is None:
            return None
        made = decisions.find(uow, task.decision_id)
    return TaskEnding(
        decision_id=made.decision_id,
        last_revision=made.last_revision,
        made_by=made.made_by,
        made_at=made.made_at,
        undone_by=made.undone_by,
        may_be_gold=may_be_gold(registry, actor, task_id),
    )
