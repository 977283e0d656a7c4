"""Questions about one person or one record: who it is or was, what is held to be true, and what happened. Read only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError, RevisionNotReachedError
from mpi.domain.model import LinkageModel
from mpi.domain.records import RecordKey
from mpi.persons.enterprise_id import parse
from mpi.persons.survivorship import GoldenRecord, key_order
from mpi.registry import events, persons
from mpi.registry.change_feed import others_of, records_of
from mpi.registry.provenance import LinkReason, link_reasons, links_of_person_as_of, merged_into
from mpi.registry.record_versions import records_as_of
from mpi.registry.registry import Registry
from mpi.registry.source_records import find, keys_of, raw_records
from mpi.registry.unit_of_work import UnitOfWork, now_text, written
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
    """One person at one revision: golden record and the records behind it, sorted by key.

    `asked_for` is the ID asked for; where it is not `enterprise_id` that person was merged into this one.
    `merged_ids` are the IDs that lead here. `revision` is that of the last event about the person, up to the one asked
    for; the times are those of that event and of the person's first (ISO 8601, UTC). `read_at` is the newest revision
    of the registry when this was read.
    """

    enterprise_id: str
    asked_for: str
    golden: GoldenRecord
    records: tuple[RecordView, ...]
    merged_ids: tuple[str, ...]
    revision: int
    created_at: str
    changed_at: str
    read_at: int

    @property
    def redirected(self) -> bool:
        """Whether the ID asked for has been superseded by another."""
        return self.asked_for != self.enterprise_id


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event: what kind, whose (by the ID of that time), which records and which other people it touched.

    `steward` is the account that decided it and `decision_id` the decision; None where rules or a source did it.
    """

    revision: int
    recorded_at: str
    kind: str
    enterprise_id: str
    made_by: str
    run_id: int | None
    records: tuple[RecordKey, ...]
    others: tuple[str, ...]
    steward: str | None
    decision_id: int | None


def person(registry: Registry, model: LinkageModel, enterprise_id: str) -> PersonView:
    """The person that an enterprise ID leads to today, following merges.

    Raises InvalidInputError for a mistyped ID, UnknownPersonError for one that nobody has.
    """
    return person_as_of(registry, model, enterprise_id)


def person_as_of(
    registry: Registry,
    model: LinkageModel,
    enterprise_id: str,
    *,
    revision: int | None = None,
    time: datetime | None = None,
    at_least: int = 0,
) -> PersonView:
    """The person that an enterprise ID led to right after a revision, or at a time; without either, now.

    Records, links and merges are those of that point, and values are those of the records' versions of that point.
    Raises InvalidInputError for a mistyped ID, a time without a zone or both points given, RevisionNotReachedError for
    a point in the future, PersonNotYetCreatedError, UnknownPersonError, and NotYetVisibleError where the registry has
    not reached `at_least`.
    """
    with registry.snapshot() as uow:
        newest = events.reached(uow, at_least)
        point = _point(uow, newest, revision, time)
        found = persons.person_as_of(uow, enterprise_id, point)
        reasons = links_of_person_as_of(uow, found.person_id, point)
        sources = records_as_of(uow, _numbers(reasons), point)
        links = _link_views(uow, reasons)
        views = [
            RecordView(source.key, source.values, source.recorded_at, found.enterprise_id, links[record_id])
            for record_id, source in sources.items()
        ]
        last = events.last_of_person(uow, found.person_id, point) or found.created_revision
        return PersonView(
            enterprise_id=found.enterprise_id,
            asked_for=parse(enterprise_id),
            golden=golden_record_of(model, found.enterprise_id, [sources[number] for number in sorted(sources)]),
            records=tuple(sorted(views, key=lambda view: key_order(view.key))),
            merged_ids=tuple(each.enterprise_id for each in merged_into(uow, found.person_id, point)),
            revision=last,
            created_at=events.recorded_at(uow, found.created_revision),
            changed_at=events.recorded_at(uow, last),
            read_at=newest,
        )


def _point(uow: UnitOfWork, newest: int, revision: int | None, time: datetime | None) -> int:
    """The revision to look at. Raises InvalidInputError, RevisionNotReachedError."""
    if revision is not None and time is not None:
        raise InvalidInputError("give a revision or a time, not both", metadata={"field": "as_of"})
    future = RevisionNotReachedError(
        f"the registry stands at revision {newest}: what was asked for lies in the future",
        metadata={"revision": str(newest)},
    )
    if time is not None:
        if time.tzinfo is None:
            raise InvalidInputError("a time needs a zone", metadata={"field": "as_of_time"})
        moment = written(time)
        if moment > max(now_text(), events.recorded_at(uow, newest) if newest else ""):
            raise future
        return events.revision_at(uow, moment)
    if revision is None:
        return newest
    if revision < 0:
        raise InvalidInputError(f"there is no revision {revision}", metadata={"field": "as_of_revision"})
    if revision > newest:
        raise future
    return revision


def record(registry: Registry, key: RecordKey) -> RecordView:
    """One record and whose it is. Raises NotFoundError naming the record."""
    with registry.snapshot() as uow:
        (view,) = _views(uow, np.array([find(uow, key)], dtype=np.int64))
        return view


def history(registry: Registry, enterprise_id: str) -> tuple[HistoryEntry, ...]:
    """What happened to a person and to all who were merged into it, oldest first.

    Raises InvalidInputError for a mistyped ID, UnknownPersonError for one that nobody has.
    """
    with registry.snapshot() as uow:
        survivor = persons.resolve_enterprise_id(uow, enterprise_id)
        people = [survivor, *merged_into(uow, survivor.person_id)]
        found = [event for each in people for event in events.of_person(uow, each.person_id)]
        found.sort(key=lambda event: event.revision)
        keys = keys_of(uow, _numbers(record for event in found for record in records_of(event)))
        names = persons.enterprise_ids_of(
            uow, _numbers(number for event in found for number in (event.person_id or 0, *others_of(event)))
        )
        return tuple(
            HistoryEntry(
                revision=event.revision,
                recorded_at=event.recorded_at,
                kind=event.kind,
                enterprise_id=names[event.person_id or 0],
                made_by=event.made_by,
                run_id=event.run_id,
                records=tuple(keys[record_id] for record_id in records_of(event)),
                others=tuple(names[number] for number in others_of(event)),
                steward=event.payload.get("steward"),
                decision_id=event.payload.get("decision"),
            )
            for event in found
        )


def link_views(uow: UnitOfWork, record_ids: NDArray[np.int64]) -> dict[int, tuple[str, LinkView]]:
    """The enterprise ID and the link of each record that has a person, by record id."""
    reasons = link_reasons(uow, record_ids)
    names = persons.enterprise_ids_of(uow, _numbers(reason.person_id for reason in reasons.values()))
    views = _link_views(uow, reasons)
    return {record_id: (names[reason.person_id], views[record_id]) for record_id, reason in reasons.items()}


def _link_views(uow: UnitOfWork, reasons: Mapping[int, LinkReason]) -> dict[int, LinkView]:
    through = (reason.via_record_id for reason in reasons.values() if reason.via_record_id is not None)
    keys = keys_of(uow, _numbers(through))
    return {
        record_id: LinkView(
            made_by=reason.made_by,
            rule_version=reason.rule_version,
            since_revision=reason.since_revision,
            via=None if reason.via_record_id is None else keys[reason.via_record_id],
            match_weight=reason.match_weight,
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


def _numbers(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.array(sorted(set(numbers)), dtype=np.int64)
