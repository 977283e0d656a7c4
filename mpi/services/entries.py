"""The lifelong health record: source systems register pointers to their entries, readers list one person's from all.

Entries hang on records, so the list of a person follows links, merges and withdrawals by itself.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import merge
from itertools import islice

import numpy as np

from mpi.domain.entries import EntryChange, EntryKind, HealthRecordEntry
from mpi.domain.errors import (
    InvalidInputError,
    MpiError,
    RecordWithdrawnError,
    UnknownRecordError,
    UnknownSourceSystemError,
)
from mpi.domain.records import RecordKey
from mpi.registry import entries, events, persons, withdrawals
from mpi.registry.entries import Bearer, EntryKey, EntryRange, StoredEntry
from mpi.registry.registry import Registry
from mpi.registry.source_records import source_system_names
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.answering import WritingCall, answer_once

VERB = "RegisterHealthRecordEntries"

MOST_A_PAGE = 1_000

_MOST_A_READ = 200
_END_OF_DAY = "~"
"""Behind a day's text: sorts after every entry of the day and before the next day."""

Position = tuple[str, str, str]
"""Where a page ended: day, source system and entry id of its last entry."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of each entry, in order: what was done or why nothing was. `revision` is the registry's newest."""

    results: tuple[EntryChange | MpiError, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries of one person, by day, source system and entry id; `next_after` is None on the last page.

    `enterprise_id` is the survivor's where the person asked for was merged. `revision` is the registry's newest.
    """

    enterprise_id: str
    entries: tuple[HealthRecordEntry, ...]
    next_after: Position | None
    revision: int


def register(
    registry: Registry,
    request_id: str,
    payload_digest: bytes,
    given: Sequence[HealthRecordEntry],
    encode: Callable[[Registered], bytes],
) -> bytes:
    """Register entries, once for every request id; gives the answer's bytes.

    An entry known by its source system and id is replaced where it says something else, also by a later one of the
    same request. Each stands for itself: one with an unknown or withdrawn record is answered with its error, and the
    others are registered. Raises RequestReusedError.
    """

    def work(uow: UnitOfWork) -> bytes:
        return encode(Registered(_register(uow, given), events.last_revision(uow)))

    systems = {entry.record.source_system for entry in given}
    alone = [f"entries of {system}" for system in sorted(systems)]
    return answer_once(registry, WritingCall(request_id, VERB, payload_digest), work, alone=alone)


def _register(uow: UnitOfWork, given: Sequence[HealthRecordEntry]) -> tuple[EntryChange | MpiError, ...]:
    systems = {name: number for number, name in source_system_names(uow).items()}
    homes = _homes(uow, systems, {entry.record for entry in given})
    keys = [(systems.get(entry.record.source_system, -1), entry.entry_id) for entry in given]
    known = entries.known_entries(uow, sorted({key for key in keys if key[0] >= 0}))
    stands = dict(known)
    results: list[EntryChange | MpiError] = []
    for entry, key in zip(given, keys, strict=True):
        home = homes[entry.record]
        if isinstance(home, MpiError):
            results.append(home)
            continue
        says = StoredEntry(home, entry.kind.value, entry.date.isoformat(), entry.facility, entry.locator)
        before = stands.get(key)
        stands[key] = says
        if before is None:
            results.append(EntryChange.NEW)
        else:
            results.append(EntryChange.UNCHANGED if before == says else EntryChange.REPLACED)
    _store(uow, known, stands)
    return tuple(results)


def _store(uow: UnitOfWork, known: dict[EntryKey, StoredEntry], stands: dict[EntryKey, StoredEntry]) -> None:
    entries.insert_entries(uow, {key: says for key, says in stands.items() if key not in known})
    entries.replace_entries(uow, {key: says for key, says in stands.items() if key in known and known[key] != says})


def _homes(uow: UnitOfWork, systems: dict[str, int], keys: set[RecordKey]) -> dict[RecordKey, int | MpiError]:
    """The number of each record that is a person's, or why entries cannot hang on it."""
    known = sorted((systems[key.source_system], key.source_record_id) for key in keys if key.source_system in systems)
    numbers = entries.record_ids_of(uow, known)
    ids = np.array(sorted(numbers.values()), dtype=np.int64)
    placed = set(persons.links_of_records(uow, ids).record_ids.tolist())
    withdrawn = set(withdrawals.withdrawn_among(uow, ids).tolist())
    homes: dict[RecordKey, int | MpiError] = {}
    for key in keys:
        about = {"source_system": key.source_system}
        number = numbers.get((systems.get(key.source_system, -1), key.source_record_id), -1)
        if number in placed:
            homes[key] = number
        elif number in withdrawn:
            homes[key] = RecordWithdrawnError("the record was withdrawn by its source", metadata=about)
        elif key.source_system in systems:
            homes[key] = UnknownRecordError(f"{key.source_system} has no record of this id", metadata=about)
        else:
            message = f"no record ever came from a source system {key.source_system}"
            homes[key] = UnknownSourceSystemError(message, metadata=about)
    return homes


def of_person(
    registry: Registry,
    enterprise_id: str,
    *,
    kinds: Collection[EntryKind] = (),
    since: date | None = None,
    until: date | None = None,
    page_size: int,
    after: Sequence[str] | None = None,
    at_least: int = 0,
) -> EntryPage:
    """One page of a person's entries: of some kinds (all where there is none), from the day `since` to before `until`.

    `after` is the `next_after` of the page before. Entries registered, and people merged, between two pages take their
    places: no entry that was there all the time is left out or comes twice.
    Raises InvalidInputError, UnknownPersonError, NotYetVisibleError.
    """
    if not 1 <= page_size <= MOST_A_PAGE:
        raise InvalidInputError(f"a page has 1 to {MOST_A_PAGE} entries", metadata={"field": "page_size"})
    if after is not None and len(after) != 3:
        raise InvalidInputError("this is no place in a list of entries", metadata={"field": "page_token"})
    wanted = EntryRange(kinds, since.isoformat() if since else None, until.isoformat() if until else None)
    with registry.snapshot() as uow:
        revision = events.reached(uow, at_least)
        person = persons.resolve_enterprise_id(uow, enterprise_id)
        records = persons.members(uow, np.array([person.person_id], dtype=np.int64)).record_ids
        names = source_system_names(uow)
        page = min(page_size + 1, _MOST_A_READ)
        lists = [
            _of_record(uow, bearer, names[bearer.source_system_id], wanted, after=after, page=page)
            for bearer in entries.bearers(uow, records)
        ]
        found = list(islice(merge(*lists, key=lambda each: each[0]), page_size + 1))
    last = found[page_size - 1][0] if len(found) > page_size else None
    return EntryPage(person.enterprise_id, tuple(entry for _, entry in found[:page_size]), last, revision)


def _of_record(
    uow: UnitOfWork, bearer: Bearer, system: str, wanted: EntryRange, *, after: Sequence[str] | None, page: int
) -> Iterator[tuple[Position, HealthRecordEntry]]:
    """The entries of one record behind a position, each with its own."""
    start = None
    if after is not None:
        day, of_system, entry_id = after
        # on the day itself systems after that one come whole, and those before it not at all
        start = (day, entry_id) if system == of_system else (day if system > of_system else day + _END_OF_DAY, "")
    key = RecordKey(system, bearer.source_record_id)
    for entry_id, says in entries.entries_of(uow, bearer.record_id, wanted, after=start, page=page):
        happened = date.fromisoformat(says.entry_date)
        entry = HealthRecordEntry(key, entry_id, EntryKind(says.kind), happened, says.facility, says.locator)
        yield (says.entry_date, system, entry_id), entry
