"""Stored blocking keys: sorted pages written by bulk runs, and a row a key for records that came one by one since.

A key is looked up by one seek in each: the page that its place lies in, and the rows of its block. Entries of older
versions and of withdrawn records stay until the next bulk run: they bring candidates that are then weighed as they are.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.matching.stored_keys import OPEN_BITS, KeyPages
from mpi.registry import bulk
from mpi.registry.dialect import Found, Keys, Look, Statement
from mpi.registry.tables import blocking_key, blocking_key_page, capped_value, registry_setting
from mpi.registry.unit_of_work import UnitOfWork

Integers = NDArray[np.int64]
Codes = NDArray[np.uint64]

_MADE_BY = "blocking_keys"
_ROWS_OF_A_BLOCK = 256
_ENTRY_BYTES = 16

_PAGE = Statement(
    sqlite="SELECT entries FROM blocking_key_page WHERE first_key <= ? ORDER BY first_key DESC LIMIT 1",
    postgresql="SELECT wanted.place - 1, page.entries FROM unnest(%s::int8[]) WITH ORDINALITY AS wanted(key, place)"
    " CROSS JOIN LATERAL (SELECT entries FROM blocking_key_page WHERE first_key <= wanted.key"
    " ORDER BY first_key DESC LIMIT 1) AS page",
)

_ROWS = Statement(
    sqlite="SELECT key, record_id FROM blocking_key WHERE key BETWEEN ? AND ? LIMIT ?",
    postgresql="SELECT wanted.place - 1, near.key, near.record_id"
    " FROM unnest(%s::int8[], %s::int8[]) WITH ORDINALITY AS wanted(low, high, place)"
    " CROSS JOIN LATERAL (SELECT key, record_id FROM blocking_key"
    " WHERE key BETWEEN wanted.low AND wanted.high LIMIT %s) AS near",
)

_CAPPED = Statement(
    sqlite="SELECT 1 FROM capped_value WHERE standard_column = ? AND code = ?",
    postgresql="SELECT wanted.place - 1, 1 FROM unnest(%s::text[], %s::int8[]) WITH ORDINALITY"
    " AS wanted(standard_column, code, place) JOIN capped_value USING (standard_column, code)",
)


@dataclass(frozen=True, slots=True)
class NearEntries:
    """Entries near q keys: entries starts[k]:starts[k + 1] of `entries` int64 (n, 2), of (key, record id), lie near
    key k. They hold its block or, of a large block, the part around the key; and others beside it."""

    entries: Integers
    starts: Integers


def near(uow: UnitOfWork, keys: Integers) -> NearEntries:
    """What is stored near some keys, int64 (q,)."""
    wanted = keys.tolist()
    parts = [[b"", b""] for _ in wanted]
    pages, rows = uow.dialect.read_together(
        uow.connection, Look(_PAGE, [wanted]), Look(_ROWS, _range(wanted, OPEN_BITS[0]), (_ROWS_OF_A_BLOCK,))
    )
    for place, page in pages:
        parts[place][0] = page
    for place, block in _refined(uow, wanted, rows).items():
        parts[place][1] = struct.pack(f"<{2 * len(block)}q", *chain.from_iterable(block))
    starts = [0, *accumulate((len(page) + len(block)) // _ENTRY_BYTES for page, block in parts)]
    entries = np.frombuffer(b"".join(chain.from_iterable(parts)), dtype="<i8").reshape(-1, 2)
    return NearEntries(entries, np.array(starts, dtype=np.int64))


def _range(keys: Sequence[int], open_bits: int) -> Keys:
    """The lowest and the highest key that differ from each of some keys in the open bits only."""
    lows = [key >> open_bits << open_bits for key in keys]
    return [lows, [low + (1 << open_bits) - 1 for low in lows]]


def _refined(uow: UnitOfWork, keys: Sequence[int], rows: Found) -> dict[int, list[tuple[int, int]]]:
    """Rows of each key's block, given as (place, key, record id), by place; of a block with too many rows, so many and
    those of its part around the key: whoever counts them sees that the block is large."""
    blocks: dict[int, list[tuple[int, int]]] = {}
    places: Sequence[int] = range(len(keys))
    for open_bits in (*OPEN_BITS[1:], None):
        found: dict[int, list[tuple[int, int]]] = {}
        for at, key, record_id in rows:
            found.setdefault(places[at], []).append((key, record_id))
        for place, block in found.items():
            blocks[place] = sorted({*blocks[place], *block}) if place in blocks else block
        places = [place for place, block in found.items() if len(block) == _ROWS_OF_A_BLOCK]
        if not places or open_bits is None:
            break
        narrowed = _range([keys[place] for place in places], open_bits)
        rows = uow.dialect.read_each(uow.connection, _ROWS, narrowed, _ROWS_OF_A_BLOCK)
    return blocks


def add(uow: UnitOfWork, keys: Integers, record_ids: Integers, *, first_new: int) -> None:
    """Stores keys, int64 (n,), of records that came by themselves; those that are there already stay.

    Records from the number `first_new` on are stored in this transaction: none of their keys is there.
    """
    entries = np.unique(np.stack([keys, record_ids], axis=1), axis=0)
    is_new = entries[:, 1] >= first_new
    for write, rows in ((bulk.insert, entries[is_new]), (bulk.insert_missing, entries[~is_new])):
        if len(rows):
            write(uow, blocking_key, {"key": rows[:, 0], "record_id": rows[:, 1]})


def replace_all(uow: UnitOfWork, parts: Iterable[KeyPages], *, made_by: str) -> int:
    """Replaces every stored key by pages, given in the order of their keys; returns how many entries they hold.

    `made_by` names the rules and the layout of rows that the keys were made with (see `made_by`).
    """
    for table in (blocking_key_page, blocking_key):
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
        found = uow.dialect.read_each(uow.connection, _CAPPED, [columns, codes.view(np.int64).tolist()])
        capped[[row[0] for row in found]] = True
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


def capped_values(uow: UnitOfWork) -> dict[str, Codes]:
    """Every value that is shared too widely: sorted codes uint64 (n,) by standard column."""
    found: dict[str, list[int]] = {}
    for column, code in uow.connection.execute(sa.select(capped_value.c.standard_column, capped_value.c.code)):
        found.setdefault(column, []).append(code)
    return {column: np.sort(np.array(codes, dtype=np.int64).view(np.uint64)) for column, codes in found.items()}
