"""The queue of review tasks: what waits, who has what, and what a reader takes next.

A reader never gets a task that they have read before; the score is hidden where it would sway a second look.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mpi.domain.errors import OwnReadingError, TaskClaimedError, TaskClosedError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Right, Stage, TaskKind
from mpi.persons.enterprise_id import enterprise_ids
from mpi.registry import events, persons, requests, review_tasks
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import StoredTask, Wanted
from mpi.registry.source_records import keys_of
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.access import require

LEASE_SECONDS = 600.0
"""How long a claimed task is kept for its reader."""


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """A review task as a reader sees it. Ids are enterprise IDs of today; both are None, like the weight (bits), where
    `weight_hidden`: what a second reader thinks must not hang on them. Times are ISO 8601 UTC.

    Send `version` and `seen_revision`, the registry's newest revision when this was read, back with a decision.
    """

    task_id: int
    version: int
    kind: TaskKind
    stage: Stage
    status: str
    reason: str
    record_a: RecordKey
    record_b: RecordKey | None
    enterprise_id_a: str | None
    enterprise_id_b: str | None
    match_weight: float | None
    weight_hidden: bool
    priority: float
    opened_at: str
    claimed_by: str | None
    claimed_until: str | None
    closed_reason: str | None
    seen_revision: int

    @property
    def is_open(self) -> bool:
        """Whether an answer is still wanted."""
        return self.status == "open"


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are wanted: some kinds and stages (none named: all), those only that the reader holds, or those
    only that were opened before a time (ISO 8601 UTC)."""

    kinds: tuple[TaskKind, ...] = ()
    stages: tuple[Stage, ...] = ()
    claimed_by_me: bool = False
    opened_before: str | None = None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Some tasks by priority, highest first; `next_after` is None on the last page. `total` counts all pages'."""

    tasks: tuple[ReviewTask, ...]
    next_after: tuple[float, int] | None
    total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many open tasks somebody may read: of each kind, all, and those that they hold."""

    of_kind: Mapping[TaskKind, int]
    all: int
    mine: int


def task(registry: Registry, actor: Actor, task_id: int) -> ReviewTask:
    """One task, open or closed. Raises UnknownTaskError, MissingRightError."""
    require(actor, Right.REVIEW)
    with registry.snapshot() as uow:
        return seen(uow, registry.secret, [review_tasks.find(uow, task_id)])[0]


def list_tasks(
    registry: Registry,
    actor: Actor,
    wanted: TaskFilter,
    *,
    page_size: int = 50,
    after: tuple[float, int] | None = None,
) -> TaskPage:
    """The open tasks that the actor may read, the most urgent first. Raises MissingRightError."""
    require(actor, Right.REVIEW)
    adjudicates = actor.may(Right.ADJUDICATE)
    with registry.snapshot() as uow:
        chosen = _wanted(actor, wanted, after)
        found = review_tasks.queue(uow, actor.name, adjudicates=adjudicates, wanted=chosen, limit=page_size + 1)
        total = review_tasks.count(uow, actor.name, adjudicates=adjudicates, wanted=_wanted(actor, wanted, None))
        last = found[page_size - 1] if len(found) > page_size else None
        shown = seen(uow, registry.secret, found[:page_size])
    return TaskPage(tuple(shown), None if last is None else (last.priority, last.task_id), total)


def counts(registry: Registry, actor: Actor) -> Counts:
    """The open tasks that the actor may read, counted. Raises MissingRightError."""
    require(actor, Right.REVIEW)
    with registry.snapshot() as uow:
        found = review_tasks.count_by_kind(uow, actor.name, adjudicates=actor.may(Right.ADJUDICATE))
    of_kind = {kind: found.get(kind, (0, 0))[0] for kind in TaskKind}
    return Counts(of_kind, sum(of_kind.values()), sum(own for _, own in found.values()))


def claim(registry: Registry, actor: Actor, task_id: int, *, seconds: float = LEASE_SECONDS) -> ReviewTask:
    """Take a task, or keep it longer. Two who claim it at once: one gets it.

    Raises UnknownTaskError, TaskClosedError, TaskClaimedError, OwnReadingError, MissingRightError.
    """
    require(actor, Right.REVIEW)
    with registry.begin() as uow:
        found = _locked(uow, task_id)
        refuse_reader(uow, actor, found)
        review_tasks.claim(uow, task_id, actor.name, seconds=seconds)
        return seen(uow, registry.secret, [review_tasks.find(uow, task_id)])[0]


def claim_next(
    registry: Registry, actor: Actor, wanted: TaskFilter, *, after: int | None = None, seconds: float = LEASE_SECONDS
) -> ReviewTask | None:
    """Take the most urgent task that nobody else has, behind task `after` where one is given, and from the start again
    where there is none behind it; None where nothing waits. Raises MissingRightError, UnknownTaskError."""
    require(actor, Right.REVIEW)
    adjudicates = actor.may(Right.ADJUDICATE)
    with registry.begin() as uow:
        _lock(uow)
        start = None
        if after is not None:
            left = review_tasks.find(uow, after)
            start = (left.priority, left.task_id)
        for place in (start, None) if start is not None else (None,):
            chosen = _next_free(uow, actor, adjudicates, wanted, place, but=after)
            if chosen is not None:
                review_tasks.claim(uow, chosen.task_id, actor.name, seconds=seconds)
                return seen(uow, registry.secret, [review_tasks.find(uow, chosen.task_id)])[0]
    return None


def release(registry: Registry, actor: Actor, task_id: int) -> ReviewTask:
    """Give a task back; one that somebody else has by now stays theirs. Raises UnknownTaskError, MissingRightError."""
    require(actor, Right.REVIEW)
    with registry.begin() as uow:
        found = _locked(uow, task_id)
        if found.claimed_by == actor.name:
            review_tasks.release(uow, task_id)
        return seen(uow, registry.secret, [review_tasks.find(uow, task_id)])[0]


def _lock(uow: UnitOfWork) -> None:
    """Nobody else claims, gives back or answers a task until the transaction ends."""
    uow.dialect.lock_keys(uow.driver, [requests.lock_of("review queue")], all_keys=False)


def _locked(uow: UnitOfWork, task_id: int) -> StoredTask:
    """A task that nobody else changes until the transaction ends. Raises UnknownTaskError."""
    _lock(uow)
    return review_tasks.find(uow, task_id)


def refuse_reader(uow: UnitOfWork, actor: Actor, found: StoredTask) -> None:
    """Whether a reader may answer a task now.

    Raises TaskClosedError, OwnReadingError, MissingRightError for an adjudication, TaskClaimedError.
    """
    if not found.is_open:
        raise TaskClosedError(
            f"task {found.task_id} is closed: {found.closed_reason}",
            metadata={"closed_reason": found.closed_reason or ""},
        )
    if any(each.reader == actor.name for each in review_tasks.readings(uow, found.task_id)):
        raise OwnReadingError(f"task {found.task_id} was read by you before: somebody else has to read it now")
    if found.stage is Stage.ADJUDICATION:
        require(actor, Right.ADJUDICATE)
    holder = found.holder()
    if holder is not None and holder != actor.name:
        raise TaskClaimedError(
            f"task {found.task_id} is with {holder} until {found.claimed_until}",
            metadata={"claimed_by": holder, "claimed_until": found.claimed_until or ""},
        )


def seen(uow: UnitOfWork, secret: bytes, found: Sequence[StoredTask]) -> list[ReviewTask]:
    """Tasks as readers see them, in order."""
    records = np.array(sorted({record for each in found for record in each.records}), dtype=np.int64)
    keys = keys_of(uow, records)
    links = persons.links_of_records(uow, records)
    names = dict(zip(links.record_ids.tolist(), enterprise_ids(links.person_ids, secret), strict=True))
    revision = events.last_revision(uow)
    return [_seen(each, keys, names, revision) for each in found]


def _seen(each: StoredTask, keys: dict[int, RecordKey], names: dict[int, str], revision: int) -> ReviewTask:
    gold = each.gold_verdict is not None
    hidden = each.is_open and (gold or each.stage is not Stage.FIRST)
    holder = each.holder()
    return ReviewTask(
        task_id=each.task_id,
        version=each.version,
        kind=each.kind,
        # a pair that tests readers must look like any second reading
        stage=Stage.SECOND if gold else each.stage,
        status=each.status,
        reason="" if hidden else each.reason,
        record_a=keys[each.record_a],
        record_b=None if each.record_b is None else keys[each.record_b],
        enterprise_id_a=None if hidden else names.get(each.record_a),
        enterprise_id_b=None if hidden or each.record_b is None else names.get(each.record_b),
        match_weight=None if hidden else each.match_weight,
        weight_hidden=hidden,
        priority=each.priority,
        opened_at=each.opened_at,
        claimed_by=holder,
        claimed_until=each.claimed_until if holder is not None else None,
        closed_reason=each.closed_reason,
        seen_revision=revision,
    )


def _wanted(actor: Actor, wanted: TaskFilter, after: tuple[float, int] | None) -> Wanted:
    held_by = actor.name if wanted.claimed_by_me else None
    return Wanted(wanted.kinds, wanted.stages, held_by, after, wanted.opened_before)


_LOOK_AT = 50


def _next_free(
    uow: UnitOfWork,
    actor: Actor,
    adjudicates: bool,
    wanted: TaskFilter,
    start: tuple[float, int] | None,
    *,
    but: int | None,
) -> StoredTask | None:
    """The first task behind a place that nobody else has."""
    place = start
    while True:
        chosen = _wanted(actor, wanted, place)
        found = review_tasks.queue(uow, actor.name, adjudicates=adjudicates, wanted=chosen, limit=_LOOK_AT)
        for each in found:
            if each.holder() in (None, actor.name) and each.task_id != but:
                return each
        if len(found) < _LOOK_AT:
            return None
        place = (found[-1].priority, found[-1].task_id)
