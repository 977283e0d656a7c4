"""The history: events in one unbroken row of revisions, appended and never touched again.

The database itself refuses UPDATE and DELETE (triggers). Revisions are taken under the counters' lock, so transactions
commit in the order of their revisions, and a reader who has seen revision n has seen all before it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import NotYetVisibleError, RegistryError
from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.counters import Counters, allocate
from mpi.registry.dialect import Statement
from mpi.registry.tables import event
from mpi.registry.unit_of_work import UnitOfWork, now_text

_LAST = "SELECT revision, recorded_at FROM event ORDER BY revision DESC LIMIT 1"
_NEWEST = Statement(sqlite=_LAST, postgresql=_LAST)


@dataclass(frozen=True, slots=True)
class EventRows:
    """Events to be appended, n rows. `person_ids` int64[n] is below zero where an event is about nobody in particular.

    `kinds` is one word for all or n of them; `payloads` are JSON texts (see `payload_text`) without personal data.
    """

    kinds: str | Sequence[str]
    person_ids: NDArray[np.int64]
    payloads: Sequence[str]
    made_by: str
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was recorded."""

    revision: int
    kind: str
    person_id: int | None
    payload: Mapping[str, Any]
    made_by: str
    run_id: int | None
    recorded_at: str


def payload_text(payload: Mapping[str, Any]) -> str:
    """A payload as it is stored: JSON, keys sorted, no spaces: the same bytes for the same content."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def append(uow: UnitOfWork, rows: EventRows, *, first_revision: int | None = None) -> int:
    """Appends events and returns the revision of the first; the others follow it.

    `first_revision` is given when the numbers were taken before, with others (`counters.allocate`).
    Their time is now, or that of the event before where a clock was set back: times never fall.
    Raises RegistryError when it does not follow the last event: revisions have no gaps.
    """
    if first_revision is None:
        first_revision = allocate(uow, Counters(revision=len(rows.payloads))).revision
    ((last, last_recorded_at),) = uow.dialect.read(uow.driver, _NEWEST, ()) or [(0, "")]
    if first_revision != last + 1:
        raise RegistryError(f"revision {first_revision} does not follow the last event")
    revisions = np.arange(first_revision, first_revision + len(rows.payloads), dtype=np.int64)
    bulk.insert(
        uow,
        event,
        {
            "revision": revisions,
            "kind": Every(rows.kinds) if isinstance(rows.kinds, str) else rows.kinds,
            "person_id": bulk.optional(rows.person_ids),
            "payload": rows.payloads,
            "made_by": Every(rows.made_by),
            "run_id": Every(rows.run_id),
            "recorded_at": Every(max(now_text(), last_recorded_at)),
        },
    )
    return first_revision


def append_one(
    uow: UnitOfWork,
    kind: str,
    person_id: int | None,
    payload: Mapping[str, Any],
    *,
    made_by: str,
    revision: int | None = None,
) -> int:
    """Appends one event, about nobody in particular where no person is given; returns its revision. As `append`."""
    about = np.array([-1 if person_id is None else person_id], dtype=np.int64)
    return append(uow, EventRows(kind, about, [payload_text(payload)], made_by), first_revision=revision)


def last_revision(uow: UnitOfWork) -> int:
    """The revision of the newest event; 0 before the first."""
    return int(uow.connection.scalar(sa.select(sa.func.max(event.c.revision))) or 0)


def reached(uow: UnitOfWork, at_least: int) -> int:
    """The newest revision. Raises NotYetVisibleError when the caller has seen a newer one (see `at_least` of reads)."""
    newest = last_revision(uow)
    if newest < at_least:
        raise NotYetVisibleError(
            f"the registry stands at revision {newest}, before the one asked for", metadata={"revision": str(newest)}
        )
    return newest


def revision_at(uow: UnitOfWork, moment: str) -> int:
    """The newest revision at or before a time written as `now_text` writes it; 0 before the first event."""
    low, high = 0, last_revision(uow)
    while low < high:
        middle = (low + high + 1) // 2
        if recorded_at(uow, middle) <= moment:
            low = middle
        else:
            high = middle - 1
    return low


def recorded_at(uow: UnitOfWork, revision: int) -> str:
    """When an event was recorded. Raises RegistryError for a revision without one."""
    found = uow.connection.scalar(sa.select(event.c.recorded_at).where(event.c.revision == revision))
    if found is None:
        raise RegistryError(f"revision {revision} has no event")
    return str(found)


def last_of_person(uow: UnitOfWork, person_id: int, revision: int) -> int:
    """The newest revision up to the one given whose event is about a person; 0 where there is none."""
    newest = sa.select(sa.func.max(event.c.revision)).where(
        event.c.person_id == person_id, event.c.revision <= revision
    )
    return int(uow.connection.scalar(newest) or 0)


def read_after(uow: UnitOfWork, revision: int, *, limit: int) -> list[Event]:
    """The events that follow a revision, oldest first."""
    return _read(uow, sa.select(event).where(event.c.revision > revision).order_by(event.c.revision).limit(limit))


def of_person(uow: UnitOfWork, person_id: int) -> list[Event]:
    """The events of one person, oldest first."""
    return _read(uow, sa.select(event).where(event.c.person_id == person_id).order_by(event.c.revision))


def _read(uow: UnitOfWork, query: sa.Select[Any]) -> list[Event]:
    return list(_events(uow.connection.execute(query)))


def _events(rows: sa.Result[Any]) -> Iterator[Event]:
    for row in rows:
        fields = dict(row._mapping)
        yield Event(**{**fields, "payload": json.loads(fields["payload"])})
