"""Stored blocking keys: sorted pages written by bulk runs, and a row a record for those that came one by one since.

A key is looked up by one seek in the pages. Of the rows every process keeps a copy in memory, which it brings up to
date whenever it looks: their batches are numbered in the order of their commits. Entries of older versions and of
withdrawn records stay until the next bulk run: they bring candidates that are then weighed as they are.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import itemgetter

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.matching.key_chains import KeyChains
from mpi.matching.stored_keys import KeyPages
from mpi.registry import bulk
from mpi.registry.counters import Counters, allocate
from mpi.registry.dialect import Found, Statement
from mpi.registry.online import Numbers
from mpi.registry.tables import (
    blocking_key_page,
    capped_value,
    recent_blocking_keys,
    registry_counter,
    registry_setting,
)
from mpi.registry.unit_of_work import Readable, UnitOfWork

Integers = NDArray[np.int64]
Codes = NDArray[np.uint64]

_MADE_BY = "blocking_keys"
_KEY_BYTES, _ENTRY_BYTES = 8, 16
_UNKNOWN = -1
_NOTHING_NEWER = 1 << 62

# rows of three kinds: the counters, keys of single records, and the page near each key, whose place comes first
_COUNTERS, _RECENT = -1, -2
_COUNTER_ROW = f"SELECT {_COUNTERS}, record, judgement, revision, paged_key_batch, NULL FROM registry_counter"
_RECENT_ROWS = f"SELECT {_RECENT}, key_batch, record_id, 0, 0, keys FROM recent_blocking_keys WHERE key_batch > {{}}"
_NEAREST = "SELECT entries FROM blocking_key_page WHERE first_key <= {} ORDER BY first_key DESC LIMIT 1"

_NEAR = Statement(
    sqlite=f"{_COUNTER_ROW} UNION ALL {_RECENT_ROWS.format('?2')} UNION ALL"
    f" SELECT wanted.key, 0, 0, 0, 0, ({_NEAREST.format('wanted.value')}) FROM json_each(?1) AS wanted",
    postgresql="WITH wanted AS MATERIALIZED (SELECT * FROM unnest(%s::int8[]) WITH ORDINALITY AS one(key, place))"
    f" {_COUNTER_ROW} UNION ALL {_RECENT_ROWS.format('%s')} UNION ALL"
    f" SELECT wanted.place - 1, 0, 0, 0, 0, ({_NEAREST.format('wanted.key')}) FROM wanted",
)

_CAPPED = Statement(
    sqlite="SELECT wanted.key FROM json_each(?) AS wanted CROSS JOIN capped_value"
    " ON standard_column = json_extract(wanted.value, '$[0]') AND code = json_extract(wanted.value, '$[1]')",
    postgresql="SELECT wanted.place - 1 FROM unnest(%s::text[], %s::int8[]) WITH ORDINALITY"
    " AS wanted(standard_column, code, place) JOIN capped_value USING (standard_column, code)",
)

_EVERY_CAPPED = "SELECT standard_column, code FROM capped_value"
_ALL_CAPPED = Statement(sqlite=_EVERY_CAPPED, postgresql=_EVERY_CAPPED)


@dataclass(frozen=True, slots=True)
class NearEntries:
    """Entries near q keys: entries starts[k]:starts[k + 1] of `entries` int64 (n, 2), of (key, record id), lie near
    key k. They hold its block or, of a large block, the part around the key; and others beside it."""

    entries: Integers
    starts: Integers


class StoredKeys:
    """The stored keys of one registry as a process knows them; safe to share between threads.

    What no page holds yet is kept in memory: some half a kilobyte a record that came since the last bulk run.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paged = _UNKNOWN
        self._newest = _NOTHING_NEWER
        self._recent = KeyChains()

    def __len__(self) -> int:
        """How many entries are kept in memory."""
        return len(self._recent)

    def near(self, reading: Readable, keys: Integers) -> tuple[NearEntries, Numbers]:
        """What is stored near some keys, int64 (q,), and the counters of the same moment.

        A transaction looks before it stores keys itself: what it sees is remembered, and it may be rolled back.
        """
        wanted = keys.tolist()
        rows = reading.dialect.read(reading.driver, _NEAR, [wanted], self._newest)
        known = self._near_known(keys, rows)
        if known is None:
            # pages and rows again by one statement, for on PostgreSQL two statements may see two moments
            rows = reading.dialect.read(reading.driver, _NEAR, [wanted], _UNKNOWN)
            known = self._near_anew(keys, rows)
        recent, starts = known
        pages = [b""] * len(wanted)
        for row in rows:
            if row[0] >= 0 and row[5] is not None:
                pages[row[0]] = row[5]
        parts = [pages]
        if len(recent):
            packed = recent.astype("<i8", copy=False).tobytes()
            parts.append([packed[_ENTRY_BYTES * a : _ENTRY_BYTES * b] for a, b in pairwise(starts.tolist())])
        joined = list(map(b"".join, zip(*parts, strict=True)))
        begins = [0, *accumulate(len(part) // _ENTRY_BYTES for part in joined)]
        entries = np.frombuffer(b"".join(joined), dtype="<i8").reshape(-1, 2)
        return NearEntries(entries, np.array(begins, dtype=np.int64)), Numbers(*_counters(rows)[:3])

    def _near_known(self, keys: Integers, rows: Found) -> tuple[Integers, Integers] | None:
        """Entries near keys that came after the pages that a transaction sees, of which `rows` are those beyond what
        was known before it. None when these are not the pages that this process knows."""
        paged = _counters(rows)[3]
        with self._lock:
            if self._paged != paged:
                return None
            self._learn(rows)
            return self._recent.near(keys)

    def _near_anew(self, keys: Integers, rows: Found) -> tuple[Integers, Integers]:
        """The same of all rows that a transaction sees: this process knows them from now on, if it knew older pages."""
        own = StoredKeys()
        own._paged = own._newest = _counters(rows)[3]
        own._learn(rows)
        with self._lock:
            if own._paged > self._paged:
                self._paged, self._newest, self._recent = own._paged, own._newest, own._recent
                return self._recent.near(keys)
        return own._recent.near(keys)

    def _learn(self, rows: Found) -> None:
        """Take in rows of batches that are not known yet. All batches between are among them, or known by now."""
        new = sorted((row for row in rows if row[0] == _RECENT and row[1] > self._newest), key=itemgetter(1, 2))
        if new:
            keys = np.frombuffer(b"".join([row[5] for row in new]), dtype="<i8")
            ids = np.array([row[2] for row in new], dtype=np.int64)
            self._recent.add(keys, np.repeat(ids, [len(row[5]) // _KEY_BYTES for row in new]))
            self._newest = new[-1][1]


def _counters(rows: Found) -> tuple[int, ...]:
    """The counters among the rows of `_NEAR`: record, judgement, revision and paged_key_batch."""
    (counters,) = (row[1:5] for row in rows if row[0] == _COUNTERS)
    return counters


def add(uow: UnitOfWork, keys: Codes, record_ids: Integers, *, batch: int) -> None:
    """Stores the keys, uint64 (n, slots), 0 for none, of records that came by themselves, int64 (n,).

    `batch` was taken from the counters (`key_batch`) in this transaction, so that batches follow one another as
    commits do.
    """
    rows = [each[each != 0].astype("<u8", copy=False).tobytes() for each in keys]
    bulk.insert(uow, recent_blocking_keys, {"key_batch": bulk.Every(batch), "record_id": record_ids, "keys": rows})


def replace_all(uow: UnitOfWork, parts: Iterable[KeyPages], *, made_by: str) -> int:
    """Replaces every stored key by pages, given in the order of their keys; returns how many entries they hold.

    `made_by` names the rules and the layout of rows that the keys were made with (see `made_by`).
    """
    batch = allocate(uow, Counters(key_batch=1)).key_batch
    uow.connection.execute(sa.update(registry_counter).values(paged_key_batch=batch))
    for table in (blocking_key_page, recent_blocking_keys):
        uow.connection.execute(sa.delete(table))
    entries = 0
    for pages in parts:
        bulk.insert(uow, blocking_key_page, {"first_key": pages.first_keys, "entries": pages.blobs()})
        entries += int((pages.stops - pages.starts).sum())
    note_made_by(uow, made_by)
    return entries


def made_by(uow: UnitOfWork) -> str | None:
    """The name of what made the stored keys; None where no key was ever stored."""
    return uow.connection.scalar(sa.select(registry_setting.c.value).where(registry_setting.c.key == _MADE_BY))


def note_made_by(uow: UnitOfWork, name: str) -> None:
    """Notes what makes the stored keys from now on."""
    uow.connection.execute(sa.delete(registry_setting).where(registry_setting.c.key == _MADE_BY))
    uow.connection.execute(sa.insert(registry_setting).values({"key": _MADE_BY, "value": name}))


def capped_among(uow: UnitOfWork, columns: Sequence[str], codes: Codes) -> NDArray[np.bool_]:
    """Which values, by standard column and code uint64 (n,), are shared too widely to mean anything: bool (n,)."""
    capped = np.zeros(len(codes), dtype=np.bool_)
    if len(codes):
        found = uow.dialect.read(uow.driver, _CAPPED, [columns, codes.view(np.int64).tolist()])
        capped[[place for (place,) in found]] = True
    return capped


def replace_capped(uow: UnitOfWork, capped: Sequence[tuple[str, Codes]]) -> None:
    """Replaces the values that are shared too widely: codes uint64 (n,) by standard column."""
    uow.connection.execute(sa.delete(capped_value))
    for column, codes in capped:
        bulk.insert(uow, capped_value, {"standard_column": bulk.Every(column), "code": codes.view(np.int64)})


def add_capped(uow: UnitOfWork, column: str, codes: Codes) -> None:
    """Notes values that have become shared too widely."""
    rows = {"standard_column": [column] * len(codes), "code": codes.view(np.int64).tolist()}
    bulk.insert_missing(uow, capped_value, rows)


def capped_values(reading: Readable) -> dict[str, Codes]:
    """Every value that is shared too widely: sorted codes uint64 (n,) by standard column."""
    found: dict[str, list[int]] = {}
    for column, code in reading.dialect.read(reading.driver, _ALL_CAPPED, ()):
        found.setdefault(column, []).append(code)
    return {column: np.sort(np.array(codes, dtype=np.int64).view(np.uint64)) for column, codes in found.items()}
