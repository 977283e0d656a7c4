"""One person as the desk shows them: masked values with their reasons, records, IDs, entries and what happened. Read
only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.errors import InvalidInputError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Right, Stage, TaskKind
from mpi.persons.survivorship import Survivor
from mpi.registry import audit_reads, entries, persons, review_tasks
from mpi.registry.audit_reads import EventsWanted
from mpi.registry.provenance import merged_into
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import StoredTask
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services import entries as lifelong
from mpi.services.access import require
from mpi.services.desk.event_notes import NotedEvent, noted
from mpi.services.desk.masking import Masking
from mpi.services.desk.reveal import MOST_RECORDS
from mpi.services.enquire import LinkView, RecordView, person_as_of
from mpi.services.neighbourhood import OnlineRules
from mpi.services.stewardship.blind_readers import weights_hidden

HISTORY_SHOWN = 40
"""Events of the history that are shown; older ones are in the audit trail."""

ENTRIES_A_PAGE = 25
MOST_PAGES = 400
"""Pages of entries that can be leafed through: ten thousand entries."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PersonAsked:
    """Which person, and how: as of a revision or a time (neither: today), and which entries on which page."""

    enterprise_id: str
    revision: int | None = None
    time: datetime | None = None
    kind: EntryKind | None = None
    page: int = 1

    @property
    def is_past(self) -> bool:
        """Whether another moment than now is asked for."""
        return self.revision is not None or self.time is not None


@dataclass(frozen=True, slots=True)
class GoldenValue:
    """What is held to be true of one field: masked value, the record it is from, and why it won; then the masked values
    that did not win. `hides` says that there is something to reveal."""

    field: str
    value: str
    key: RecordKey
    reason: str
    others: tuple[tuple[str, RecordKey], ...]
    hides: bool


@dataclass(frozen=True, slots=True)
class RecordShown:
    """One record: masked values, when it was captured, why it is this person's, and the event that placed it."""

    key: RecordKey
    values: Mapping[str, str]
    recorded_at: str | None
    link: LinkView | None
    placed: NotedEvent | None


@dataclass(frozen=True, slots=True)
class LeadingId:
    """An ID that leads here. `through` is the ID that it leads to first: only who leads here directly can be given
    their ID back."""

    enterprise_id: str
    through: str
    merged_at_revision: int


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A review task about the person that is open."""

    task_id: int
    kind: TaskKind
    stage: Stage
    opened_at: str


@dataclass(frozen=True, slots=True)
class EntriesShown:
    """One page of the lifelong record, oldest first; `more` where another page follows."""

    entries: tuple[HealthRecordEntry, ...]
    page: int
    more: bool


@dataclass(frozen=True, slots=True)
class PersonPage:
    """A person at one revision, and the way to the moment asked for.

    `asked_for` is another ID than `enterprise_id` where it leads here. `records` are at most MOST_RECORDS of `total`.
    `history` is newest first; `older` says that there is more. Tasks and entries are today's, empty for the past.
    `weights_hidden`: the viewer may have to read a question about the person a second time; links have no weight then.
    `seen_revision` is the registry's newest when this was read.
    """

    enterprise_id: str
    asked_for: str
    is_past: bool
    golden: tuple[GoldenValue, ...]
    records: tuple[RecordShown, ...]
    total: int
    leading: tuple[LeadingId, ...]
    history: tuple[NotedEvent, ...]
    older: bool
    tasks: tuple[OpenTask, ...]
    entries: EntriesShown
    deceased: bool
    weights_hidden: bool
    created_at: str
    changed_at: str
    revision: int
    seen_revision: int


def person_page(registry: Registry, rules: OnlineRules, actor: Actor, asked: PersonAsked) -> PersonPage:
    """The page of the person that an enterprise ID leads to, or led to at the moment asked for.

    Raises MissingRightError, InvalidInputError (a mistyped ID, both moments), UnknownPersonError,
    PersonNotYetCreatedError, RevisionNotReachedError.
    """
    require(actor, Right.LOOK_UP)
    if not 1 <= asked.page <= MOST_PAGES:
        raise InvalidInputError(f"there are pages 1 to {MOST_PAGES}", metadata={"field": "page"})
    view = person_as_of(registry, rules.model, asked.enterprise_id, revision=asked.revision, time=asked.time)
    masking = Masking(rules.model)
    with registry.snapshot() as uow:
        found = persons.named(uow, view.enterprise_id)
        until = view.revision if asked.is_past else view.read_at
        leading = merged_into(uow, found.person_id, until)
        people = np.array(sorted([found.person_id, *(each.person_id for each in leading)]), dtype=np.int64)
        history = audit_reads.newest_first(uow, EventsWanted(last=until, about=people), limit=HISTORY_SHOWN + 1)
        shown = view.records[:MOST_RECORDS]
        told = {event.revision: event for event in noted(uow, history[:HISTORY_SHOWN])}
        placed = _placed(uow, shown, told)
        redirects = audit_reads.redirects_of(uow, people, until)
        names = persons.enterprise_ids_of(uow, people)
        about = review_tasks.about_people(uow, np.array([found.person_id], dtype=np.int64))
        hidden = weights_hidden(uow, actor, about)
        page = PersonPage(
            enterprise_id=view.enterprise_id,
            asked_for=view.asked_for,
            is_past=asked.is_past,
            golden=tuple(_golden(masking, each) for each in view.golden.survivors),
            records=tuple(_record(masking, each, placed, hidden=hidden) for each in shown),
            total=len(view.records),
            leading=tuple(
                LeadingId(names[dead], names[survivor], since) for dead, survivor, since in redirects if dead in names
            ),
            history=tuple(told[event.revision] for event in history[:HISTORY_SHOWN]),
            older=len(history) > HISTORY_SHOWN,
            tasks=() if asked.is_past else _tasks(about),
            entries=EntriesShown((), 1, False),
            deceased=_is_dead(uow, found.person_id),
            weights_hidden=hidden,
            created_at=view.created_at,
            changed_at=view.changed_at,
            revision=view.revision,
            seen_revision=view.read_at,
        )
    return page if asked.is_past else replace(page, entries=_entries(registry, view.enterprise_id, asked))


def _golden(masking: Masking, survivor: Survivor) -> GoldenValue:
    return GoldenValue(
        field=survivor.field,
        value=masking.value(survivor.field, survivor.value),
        key=survivor.key,
        reason=survivor.reason,
        others=tuple((masking.value(survivor.field, value), key) for value, key in survivor.runners_up),
        hides=masking.hides(survivor.field),
    )


def _record(masking: Masking, view: RecordView, placed: Mapping[int, NotedEvent], *, hidden: bool) -> RecordShown:
    link = view.link
    if hidden and link is not None:
        link = replace(link, match_weight=None)
    since = None if link is None else placed.get(link.since_revision)
    return RecordShown(view.key, masking.values(view.values), view.recorded_at, link, since)


def _placed(uow: UnitOfWork, records: Sequence[RecordView], told: Mapping[int, NotedEvent]) -> Mapping[int, NotedEvent]:
    """The events that placed records, by revision."""
    wanted = {record.link.since_revision for record in records if record.link is not None}
    missing = np.array(sorted(wanted.difference(told)), dtype=np.int64)
    if not len(missing):
        return told
    more = {event.revision: event for event in noted(uow, audit_reads.at_revisions(uow, missing))}
    return {**told, **more}


def _tasks(about: Sequence[StoredTask]) -> tuple[OpenTask, ...]:
    return tuple(OpenTask(each.task_id, each.kind, each.stage, each.opened_at) for each in about)


def _is_dead(uow: UnitOfWork, person_id: int) -> bool:
    """Whether a death is registered with one of the person's records today."""
    records = persons.members(uow, np.array([person_id], dtype=np.int64)).record_ids
    return bool(len(entries.bearers_of_death(uow, records)))


def _entries(registry: Registry, enterprise_id: str, asked: PersonAsked) -> EntriesShown:
    """A page of entries: the ones before it are read and passed over, since what comes between moves the rest."""
    kinds = () if asked.kind is None else (asked.kind,)
    after = None
    for page in range(1, asked.page + 1):
        found = lifelong.of_person(registry, enterprise_id, kinds=kinds, page_size=ENTRIES_A_PAGE, after=after)
        if found.next_after is None or page == asked.page:
            return EntriesShown(found.entries, page, found.next_after is not None)
        after = found.next_after
    raise AssertionError("the page asked for is at least 1")
