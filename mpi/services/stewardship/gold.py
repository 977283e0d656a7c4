"""Gold pairs: questions whose answer is known, asked again among the others, so that agreement can be measured."""

from mpi.domain.errors import InvalidInputError
from mpi.domain.review import Actor, Right, Verdict
from mpi.registry import decisions, review_tasks
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import StoredTask
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.access import require

AGREED = 2
"""Readers who must have said the same before a pair may test others."""


def add_gold(registry: Registry, actor: Actor, task_id: int) -> int:
    """Ask a settled question again of everybody who has not read it, as a test; gives the new task's number.

    Raises MissingRightError, UnknownTaskError, InvalidInputError for a task that is open, that ended without a verdict
    of SAME or DIFFERENT on which two readers agree, whose decision was undone, or that tests readers already.
    """
    require(actor, Right.ADJUDICATE)
    with registry.begin() as uow:
        task = review_tasks.find(uow, task_id)
        verdict = _agreed(uow, task)
        number = allocate(uow, Counters(task=1)).task
        if not review_tasks.add_gold(uow, task, task_id=number, verdict=verdict):
            raise InvalidInputError(f"the pair of task {task_id} tests readers already", metadata={"field": "task_id"})
        return number


def may_be_gold(registry: Registry, actor: Actor, task_id: int) -> bool:
    """Whether `add_gold` would take a task. Raises UnknownTaskError."""
    if not actor.may(Right.ADJUDICATE):
        return False
    with registry.snapshot() as uow:
        try:
            _agreed(uow, review_tasks.find(uow, task_id))
        except InvalidInputError:
            return False
    return True


def _agreed(uow: UnitOfWork, task: StoredTask) -> Verdict:
    """What two readers said of a task whose answer stands. Raises InvalidInputError."""
    said = [each.verdict for each in review_tasks.readings(uow, task.task_id)]
    stands = task.decision_id is not None and decisions.find(uow, task.decision_id).undone_by is None
    for verdict in (Verdict.SAME, Verdict.DIFFERENT):
        if said.count(verdict) >= AGREED and stands and task.record_b is not None:
            return verdict
    raise InvalidInputError(
        f"task {task.task_id} has no answer on which {AGREED} readers agree", metadata={"field": "task_id"}
    )
