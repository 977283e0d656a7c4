"""Questions about one person or one record: who it is, what is held to be true, and what happened. Read only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import LinkageModel
from mpi.domain.records import RecordKey
from mpi.persons.enterprise_id import parse
from mpi.persons.survivorship import GoldenRecord, key_order
from mpi.registry import events, persons
from mpi.registry.events import Event
from mpi.registry.provenance import link_reasons, merged_into
from mpi.registry.registry import Registry
from mpi.registry.source_records import find, keys_of, raw_records
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.golden_records import golden_record_of


@dataclass(frozen=True, slots=True)
class LinkView:
    """Why a record belongs to its person: through which other record and with how many bits, or None for both.

    `made_by` is rules, steward or source; `since_revision` the event that placed it.
    """

    made_by: str
    rule_version: str
    since_revision: int
    via: RecordKey | None
    match_weight: float | None


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record: its raw values, its person today and why. `enterprise_id` and `link` are None before it is placed."""

    key: RecordKey
    values: Mapping[str, str]
    recorded_at: str | None
    enterprise_id: str | None
    link: LinkView | None


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person today: golden record and the records behind it, sorted by key.

    `asked_for` is the ID asked for; where it is not `enterprise_id` that person was merged into this one.
    `merged_ids` are the IDs that lead here.
    """

    enterprise_id: str
    asked_for: str
    golden: GoldenRecord
    records: tuple[RecordView, ...]
    merged_ids: tuple[str, ...]

    @property
    def redirected(self) -> bool:
        """Whether the ID asked for has been superseded by another."""
        return self.asked_for != self.enterprise_id


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event: what kind, whose (by the ID of that time), which records and which other people it touched."""

    revision: int
    recorded_at: str
    kind: str
    enterprise_id: str
    made_by: str
    run_id: int | None
    records: tuple[RecordKey, ...]
    others: tuple[str, ...]


def person(registry: Registry, model: LinkageModel, enterprise_id: str) -> PersonView:
    """The person that an enterprise ID leads to today, following merges.

    Raises InvalidInputError for a mistyped ID, NotFoundError for one that nobody has.
    """
    with registry.snapshot() as uow:
        found = persons.resolve_enterprise_id(uow, enterprise_id)
        record_ids = persons.members(uow, np.array([found.person_id], dtype=np.int64)).record_ids
        records = [record for _, record in raw_records(uow, record_ids)]
        return PersonView(
            enterprise_id=found.enterprise_id,
            asked_for=parse(enterprise_id),
            golden=golden_record_of(model, found.enterprise_id, records),
            records=_views(uow, record_ids),
            merged_ids=tuple(each.enterprise_id for each in merged_into(uow, found.person_id)),
        )


def record(registry: Registry, key: RecordKey) -> RecordView:
    """One record and whose it is. Raises NotFoundError naming the record."""
    with registry.snapshot() as uow:
        (view,) = _views(uow, np.array([find(uow, key)], dtype=np.int64))
        return view


def history(registry: Registry, enterprise_id: str) -> tuple[HistoryEntry, ...]:
    """What happened to a person and to all who were merged into it, oldest first.

    Raises InvalidInputError for a mistyped ID, NotFoundError for one that nobody has.
    """
    with registry.snapshot() as uow:
        survivor = persons.resolve_enterprise_id(uow, enterprise_id)
        people = [survivor, *merged_into(uow, survivor.person_id)]
        found = [event for each in people for event in events.of_person(uow, each.person_id)]
        found.sort(key=lambda event: event.revision)
        keys = keys_of(uow, _numbers(record for event in found for record in _records(event)))
        names = persons.enterprise_ids_of(
            uow, _numbers(number for event in found for number in (event.person_id or 0, *_others(event)))
        )
        return tuple(
            HistoryEntry(
                revision=event.revision,
                recorded_at=event.recorded_at,
                kind=event.kind,
                enterprise_id=names[event.person_id or 0],
                made_by=event.made_by,
                run_id=event.run_id,
                records=tuple(keys[record_id] for record_id in _records(event)),
                others=tuple(names[number] for number in _others(event)),
            )
            for event in found
        )


def link_views(uow: UnitOfWork, record_ids: NDArray[np.int64]) -> dict[int, tuple[str, LinkView]]:
    """The enterprise ID and the link of each record that has a person, by record id."""
    reasons = link_reasons(uow, record_ids)
    names = persons.enterprise_ids_of(uow, _numbers(reason.person_id for reason in reasons.values()))
    through = (reason.via_record_id for reason in reasons.values() if reason.via_record_id is not None)
    keys = keys_of(uow, _numbers(through))
    return {
        record_id: (
            names[reason.person_id],
            LinkView(
                made_by=reason.made_by,
                rule_version=reason.rule_version,
                since_revision=reason.since_revision,
                via=None if reason.via_record_id is None else keys[reason.via_record_id],
                match_weight=reason.match_weight,
            ),
        )
        for record_id, reason in reasons.items()
    }


def _views(uow: UnitOfWork, record_ids: NDArray[np.int64]) -> tuple[RecordView, ...]:
    links = link_views(uow, record_ids)
    views = [
        RecordView(stored.key, stored.values, stored.recorded_at, *links.get(record_id, (None, None)))
        for record_id, stored in raw_records(uow, record_ids)
    ]
    return tuple(sorted(views, key=lambda view: key_order(view.key)))


def _records(event: Event) -> list[int]:
    """The records that an event names."""
    return [int(number) for number in event.payload.get("records", ())]


def _others(event: Event) -> list[int]:
    """The other people that an event names: those it superseded, or the one who survived."""
    survivor = event.payload.get("superseded_by")
    named = [*event.payload.get("superseded", ()), *(() if survivor is None else (survivor,))]
    return [int(number) for number in named]


def _numbers(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.array(sorted(set(numbers)), dtype=np.int64)
