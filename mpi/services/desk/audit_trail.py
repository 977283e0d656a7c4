"""The audit trail: what happened, newest first, with who did it, by which decision and why. Read only.

A person's trail holds what was done to the person and who looked at the person's records.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Right
from mpi.persons.enterprise_id import parse
from mpi.registry import audit_reads, events, persons
from mpi.registry.audit_reads import EventsWanted
from mpi.registry.change_feed import records_of
from mpi.registry.events import Event, payload_text
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.access import require
from mpi.services.desk.event_notes import REVEALED, NotedEvent, noted
from mpi.services.lookup import find_record

MOST_A_PAGE = 1_000

KINDS = (
    "person.created",
    "person.linked",
    "person.updated",
    "person.merged",
    "person.superseded",
    "person.split",
    "person.unmerged",
    "person.restored",
    "person.withdrawn",
    "review.judged",
    "review.undone",
    "review.read",
    "review.reading_withdrawn",
    REVEALED,
)
"""The kinds of events that there are."""

_A_READ = 500

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What is wanted of the trail: everything that holds all that is given.

    `steward` is an account's name; `first` and `last` are revisions, inclusive. `by_people` leaves out what rules and
    sources did.
    """

    steward: str | None = None
    kinds: tuple[str, ...] = ()
    enterprise_id: str | None = None
    record: RecordKey | None = None
    first: int | None = None
    last: int | None = None
    by_people: bool = False


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Some of the trail, newest first; the next page lies before `next_before`, which is None on the last one.

    `newest` is the registry's newest revision.
    """

    entries: tuple[NotedEvent, ...]
    next_before: int | None
    newest: int


def trail(
    registry: Registry, actor: Actor, wanted: TrailFilter, *, page_size: int = 50, before: int | None = None
) -> TrailPage:
    """One page of the audit trail, of events before the revision `before`.

    Raises MissingRightError, InvalidInputError (a mistyped ID, a kind that there is not), UnknownPersonError,
    UnknownSourceSystemError, UnknownRecordError.
    """
    require(actor, Right.SEE_AUDIT)
    if not 1 <= page_size <= MOST_A_PAGE:
        raise InvalidInputError(f"a page has 1 to {MOST_A_PAGE} events", metadata={"field": "page_size"})
    if unknown := sorted(set(wanted.kinds) - set(KINDS)):
        raise InvalidInputError("there are no events of this kind", metadata={"field": "kinds", "kind": unknown[0]})
    with registry.snapshot() as uow:
        newest = events.last_revision(uow)
        lists = _lists(uow, wanted, before)
        found = list(islice(merge(*lists, key=lambda event: -event.revision), page_size + 1))
        shown = found[:page_size]
        last = shown[-1].revision if len(found) > page_size else None
        return TrailPage(tuple(noted(uow, shown)), last, newest)


def whole_trail(registry: Registry, actor: Actor, wanted: TrailFilter) -> Iterator[NotedEvent]:
    """Everything wanted of the trail, newest first, read a page at a time: nothing is held open in between.

    Raises what `trail` raises, at once and not when the first entry is asked for.
    """
    first = trail(registry, actor, wanted, page_size=MOST_A_PAGE)
    return _onward(registry, actor, wanted, first)


def _onward(registry: Registry, actor: Actor, wanted: TrailFilter, page: TrailPage) -> Iterator[NotedEvent]:
    while True:
        yield from page.entries
        if page.next_before is None:
            return
        page = trail(registry, actor, wanted, page_size=MOST_A_PAGE, before=page.next_before)


_Fits = Callable[[Event], bool]


def _lists(uow: UnitOfWork, wanted: TrailFilter, before: int | None) -> list[Iterator[Event]]:
    """Lists of events, newest first, that together are what is wanted; no event is in two of them."""
    last = wanted.last if before is None else min(before - 1, wanted.last if wanted.last is not None else before - 1)
    asked = EventsWanted(
        first=wanted.first or 1,
        last=last,
        kinds=wanted.kinds,
        by_steward=wanted.by_people or wanted.steward is not None,
        # as it is stored, so that the database sorts out most; the entry itself is looked at again
        mentions="" if wanted.steward is None else payload_text({"steward": wanted.steward})[1:-1],
    )

    def of_steward(event: Event) -> bool:
        return wanted.steward is None or event.payload.get("steward") == wanted.steward

    if wanted.enterprise_id is None and wanted.record is None:
        return [_read(uow, asked, of_steward)]
    people, records = _asked_about(uow, wanted)
    known = set(people.tolist())

    def names_record(event: Event) -> bool:
        return of_steward(event) and bool(records.intersection(records_of(event)))

    def of_others(event: Event) -> bool:
        return names_record(event) and event.person_id not in known

    # who looked at or judged records is told by events that are about nobody in particular, all made by stewards
    elsewhere = replace(asked, by_steward=True, about_nobody=wanted.enterprise_id is not None)
    return [
        _read(uow, replace(asked, about=people), of_steward if wanted.record is None else names_record),
        _read(uow, elsewhere, of_others),
    ]


def _asked_about(uow: UnitOfWork, wanted: TrailFilter) -> tuple[Integers, set[int]]:
    """The people and the records that a filter names; with both, the person's part of the record's past."""
    of_id = np.empty(0, dtype=np.int64)
    if wanted.enterprise_id is not None:
        persons.resolve_enterprise_id(uow, wanted.enterprise_id)
        of_id = audit_reads.people_of_id(uow, parse(wanted.enterprise_id))
    if wanted.record is None:
        return of_id, set(audit_reads.records_ever_of(uow, of_id).tolist())
    record_id = find_record(uow, wanted.record)
    of_record = audit_reads.people_ever_of(uow, record_id)
    return (of_record if wanted.enterprise_id is None else np.intersect1d(of_id, of_record)), {record_id}


def _read(uow: UnitOfWork, wanted: EventsWanted, fits: _Fits) -> Iterator[Event]:
    """Events that fit, newest first, read as they are asked for."""
    while True:
        found = audit_reads.newest_first(uow, wanted, limit=_A_READ)
        yield from filter(fits, found)
        if len(found) < _A_READ:
            return
        wanted = replace(wanted, last=found[-1].revision - 1)
