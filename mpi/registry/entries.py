"""Entries of the lifelong health record, as they hang on records: an entry follows its record through merges.

Each record's entries are read in the order of date and id, which is the order of their index.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from mpi.domain.entries import EntryKind
from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.dialect import Statement
from mpi.registry.known_records import Integers
from mpi.registry.tables import health_record_entry, source_record
from mpi.registry.unit_of_work import UnitOfWork, now_text

_CONTENT = "record_id, kind, entry_date, facility, locator"
_KNOWN = Statement(
    sqlite=f"SELECT wanted.key, {_CONTENT} FROM json_each(?) AS wanted CROSS JOIN health_record_entry"
    " ON source_system_id = json_extract(wanted.value, '$[0]') AND entry_id = json_extract(wanted.value, '$[1]')",
    postgresql=f"SELECT wanted.place - 1, {_CONTENT} FROM unnest(%s::int2[], %s::text[]) WITH ORDINALITY"
    " AS wanted(source_system_id, entry_id, place) JOIN health_record_entry USING (source_system_id, entry_id)",
)
_RECORDS = Statement(
    sqlite="SELECT wanted.key, record_id FROM json_each(?) AS wanted CROSS JOIN source_record"
    " ON source_system_id = json_extract(wanted.value, '$[0]')"
    " AND source_record_id = json_extract(wanted.value, '$[1]')",
    postgresql="SELECT wanted.place - 1, record_id FROM unnest(%s::int2[], %s::text[]) WITH ORDINALITY"
    " AS wanted(source_system_id, source_record_id, place) JOIN source_record"
    " USING (source_system_id, source_record_id)",
)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """What is stored of an entry beside its key: the record it hangs on, and its content as text."""

    record_id: int
    kind: str
    entry_date: str
    facility: str
    locator: str


EntryKey = tuple[int, str]
"""The number of a source system, and its own id of an entry."""


def record_ids_of(uow: UnitOfWork, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The numbers of records by (number of the source system, its own id); unknown ones are left out."""
    found = uow.dialect.read(uow.driver, _RECORDS, _columns(keys)) if keys else []
    return {keys[place]: record_id for place, record_id in found}


def known_entries(uow: UnitOfWork, keys: Sequence[EntryKey]) -> dict[EntryKey, StoredEntry]:
    """What is stored of some entries; unknown ones are left out."""
    found = uow.dialect.read(uow.driver, _KNOWN, _columns(keys)) if keys else []
    return {keys[place]: StoredEntry(*content) for place, *content in found}


def insert_entries(uow: UnitOfWork, entries: dict[EntryKey, StoredEntry]) -> None:
    """Stores entries that are new."""
    if entries:
        systems, ids = _columns(list(entries))
        bulk.insert(uow, health_record_entry, {"source_system_id": systems, "entry_id": ids, **_content(entries)})


def replace_entries(uow: UnitOfWork, entries: dict[EntryKey, StoredEntry]) -> None:
    """Stores what known entries say now, and on which record they hang."""
    if entries:
        systems, ids = _columns(list(entries))
        keys: dict[str, bulk.Column] = {"source_system_id": systems, "entry_id": ids}
        bulk.update(uow, health_record_entry, keys=keys, values=_content(entries))


def _columns(keys: Sequence[tuple[int, str]]) -> tuple[list[int], list[str]]:
    return [system for system, _ in keys], [text for _, text in keys]


def _content(entries: dict[EntryKey, StoredEntry]) -> dict[str, bulk.Column]:
    rows = entries.values()
    return {
        "record_id": [row.record_id for row in rows],
        "kind": [row.kind for row in rows],
        "entry_date": [row.entry_date for row in rows],
        "facility": [row.facility for row in rows],
        "locator": [row.locator for row in rows],
        "registered_at": Every(now_text()),
    }


@dataclass(frozen=True, slots=True)
class Bearer:
    """A record whose entries are read: its number, its source system's, and its own id."""

    record_id: int
    source_system_id: int
    source_record_id: str


def bearers(uow: UnitOfWork, record_ids: Integers) -> list[Bearer]:
    """Those of some records that have any entry, in the order of their numbers."""
    stored = source_record.c
    has_any = sa.exists().where(health_record_entry.c.record_id == stored.record_id)
    query = (
        sa.select(stored.record_id, stored.source_system_id, stored.source_record_id)
        .where(stored.record_id.in_(uow.dialect.id_set(record_ids)), has_any)
        .order_by(stored.record_id)
    )
    return [Bearer(*row) for row in uow.connection.execute(query)]


def bearers_of_death(uow: UnitOfWork, record_ids: Integers) -> Integers:
    """Those of some records, ascending int64[n], on which the death of their person is registered."""
    entry = health_record_entry.c
    query = (
        sa.select(entry.record_id)
        .distinct()
        .where(entry.record_id.in_(uow.dialect.id_set(record_ids)), entry.kind == EntryKind.DEATH.value)
        .order_by(entry.record_id)
    )
    return np.array(uow.connection.scalars(query).all(), dtype=np.int64)


def count_of_records(uow: UnitOfWork, record_ids: Integers) -> Integers:
    """How many entries hang on each of some records, int64[n] in the order given."""
    entry = health_record_entry.c
    query = (
        sa.select(entry.record_id, sa.func.count())
        .where(entry.record_id.in_(uow.dialect.id_set(record_ids)))
        .group_by(entry.record_id)
    )
    found = dict(map(tuple, uow.connection.execute(query)))
    return np.array([found.get(record_id, 0) for record_id in record_ids.tolist()], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class EntryRange:
    """Which entries of records are wanted: kinds (all where there is none), first day, and the day after the last."""

    kinds: Collection[EntryKind] = ()
    since: str | None = None
    until: str | None = None


def entries_of(
    uow: UnitOfWork, record_id: int, wanted: EntryRange, *, after: tuple[str, str] | None, page: int
) -> Iterator[tuple[str, StoredEntry]]:
    """One record's entries with their ids, in the order of date and id, from behind `after` (a date and an id) on.

    They are read `page` at a time, as they are asked for.
    """
    entry = health_record_entry.c
    place = sa.tuple_(entry.entry_date, entry.entry_id)
    query = (
        sa.select(entry.entry_id, entry.record_id, entry.kind, entry.entry_date, entry.facility, entry.locator)
        .where(entry.record_id == record_id)
        .order_by(entry.entry_date, entry.entry_id)
        .limit(page)
    )
    if wanted.kinds:
        query = query.where(entry.kind.in_([kind.value for kind in wanted.kinds]))
    if wanted.since is not None:
        query = query.where(entry.entry_date >= wanted.since)
    if wanted.until is not None:
        query = query.where(entry.entry_date < wanted.until)
    while True:
        rest = query if after is None else query.where(place > sa.tuple_(*map(sa.literal, after)))
        rows = uow.connection.execute(rest).all()
        yield from ((row.entry_id, StoredEntry(*row[1:])) for row in rows)
        if len(rows) < page:
            return
        after = (rows[-1].entry_date, rows[-1].entry_id)
