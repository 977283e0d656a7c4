"""Open questions after people have changed: those that are answered or gone close, others follow their records."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mpi.domain.review import TaskKind
from mpi.registry import review_tasks
from mpi.registry.counters import Counters, allocate
from mpi.registry.review_tasks import StoredTask
from mpi.services import task_reasons
from mpi.services.people_now import PeopleNow

ABOUT_ONE = (TaskKind.OVERLAY, TaskKind.SUSPECTED_WRONG_MERGE)
"""Questions whether one person is two; the others ask whether two are one."""


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of a question: why it closes (None: it stays as it is), and as what it is asked again."""

    closes: str | None
    question: str | None = None
    people: tuple[int | None, int | None] = (None, None)


_STAYS = _Fate(None)


def settle(now: PeopleNow, people: Collection[int]) -> None:
    """Bring the open questions about some people up to what they are now."""
    uow = now.uow
    tasks = review_tasks.about_people(uow, np.array(sorted(people), dtype=np.int64))
    if not tasks:
        return
    owners = now.owners({record for each in tasks for record in each.records})
    for each in tasks:
        fate = _fate(now, each, owners)
        if fate.closes is None:
            continue
        review_tasks.close(uow, each, reason=fate.closes)
        if fate.question is not None:
            number = allocate(uow, Counters(task=1)).task
            review_tasks.ask_again(uow, each, task_id=number, question=fate.question, people=fate.people)


def reopen(now: PeopleNow, task: StoredTask) -> int | None:
    """Ask a closed question again, of the people of today; the new task's number, None where there is no question."""
    owners = now.owners(task.records)
    fate = _fate(now, task, owners)
    if fate.closes is not None and fate.question is None:
        return None
    question, people = (
        (fate.question, fate.people) if fate.question else (task.question, (task.person_a, task.person_b))
    )
    number = allocate(now.uow, Counters(task=1)).task
    asked = review_tasks.ask_again(now.uow, task, task_id=number, question=question, people=people)
    return number if asked else None


def question_of(kind: TaskKind, record: int, people: tuple[int, int]) -> str:
    """The stable key of a question: of overlays the record that changed, of suspects the person, else both people."""
    if kind is TaskKind.OVERLAY:
        return f"overlay:{record}"
    if kind is TaskKind.SUSPECTED_WRONG_MERGE:
        return f"suspect:{people[0]}"
    return f"people:{min(people)}-{max(people)}"


def _fate(now: PeopleNow, task: StoredTask, owners: dict[int, int]) -> _Fate:
    """What becomes of a question now that its records are whose they are."""
    a = owners.get(task.record_a)
    b = None if task.record_b is None else owners.get(task.record_b)
    if a is None or b is None or task.record_b is None:
        return _Fate(task_reasons.RECORD_WITHDRAWN)
    about_one = task.kind in ABOUT_ONE
    if (a == b) != about_one:
        return _Fate(task_reasons.PARTED if about_one else task_reasons.JOINED)
    judged = now.judged([*now.records_of(a), *now.records_of(b)])
    if about_one and judged.against_two_people([task.record_a], [task.record_b]) is not None:
        return _Fate(task_reasons.JUDGED_SAME)
    if not about_one and judged.against_one_person(now.records_of(a), now.records_of(b)) is not None:
        return _Fate(task_reasons.JUDGED_DIFFERENT)
    if (a, b) == (task.person_a, task.person_b):
        return _STAYS
    return _Fate(task_reasons.PEOPLE_CHANGED, question_of(task.kind, task.record_a, (a, b)), (a, b))
