"""The history as watchers read it: events after a revision, in order and without gaps, with names instead of numbers.

Writers commit in the order of their revisions (see events.py), so "after the last I saw" misses nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mpi.domain.records import RecordKey
from mpi.persons.enterprise_id import names_of
from mpi.registry import events
from mpi.registry.events import Event
from mpi.registry.source_records import keys_of
from mpi.registry.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event: what kind, whose (None where it is about nobody in particular), the other people and the records that
    it names, who made it and when (ISO 8601, UTC)."""

    revision: int
    kind: str
    enterprise_id: str | None
    others: tuple[str, ...]
    records: tuple[RecordKey, ...]
    made_by: str
    recorded_at: str


def read_feed(uow: UnitOfWork, after: int, *, limit: int, key: bytes) -> list[FeedEvent]:
    """The events that follow a revision, at most `limit`, oldest first. `key` is the registry's secret."""
    found = events.read_after(uow, after, limit=limit)
    people = (number for event in found for number in (event.person_id, *others_of(event)) if number is not None)
    names = names_of(people, key)
    keys = keys_of(uow, _sorted(record for event in found for record in records_of(event)))
    return [
        FeedEvent(
            revision=event.revision,
            kind=event.kind,
            enterprise_id=None if event.person_id is None else names[event.person_id],
            others=tuple(names[number] for number in others_of(event)),
            records=tuple(keys[record] for record in records_of(event) if record in keys),
            made_by=event.made_by,
            recorded_at=event.recorded_at,
        )
        for event in found
    ]


def records_of(event: Event) -> list[int]:
    """The records that an event names."""
    return [int(number) for name in ("records", "moved") for number in event.payload.get(name, ())]


def others_of(event: Event) -> list[int]:
    """The other people that an event names: those it superseded, the one who survived, where records went or came
    from."""
    single = (event.payload.get(name) for name in ("superseded_by", "into", "from", "restored"))
    named = [*event.payload.get("superseded", ()), *(number for number in single if number is not None)]
    return [int(number) for number in named]


def _sorted(numbers: Iterable[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(sorted(set(numbers)), dtype=np.int64)
