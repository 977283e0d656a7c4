"""Blocking keys in tables of several shapes, each loaded in the way that suits it best: what `key_shapes` measures.

All are asked through the bare driver over one connection; the registry's own shape by the registry's own code.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.matching.key_chains import KeyChains
from mpi.matching.stored_keys import OPEN_BITS, key_pages
from mpi.registry.blocking_keys import StoredKeys
from mpi.registry.dialect_postgresql import _FOR_FEW_ROWS
from mpi.registry.dialects import dialect_for
from mpi.registry.tables import METADATA, blocking_key_page, recent_blocking_keys, registry_counter
from mpi.registry.unit_of_work import Reading

_CHUNK = 1_000_000
_ENTRY_BYTES = 16
_OF_THE_REGISTRY = (blocking_key_page, recent_blocking_keys, registry_counter)
_FIRST_COUNTERS = f"INSERT INTO registry_counter VALUES (1{', 0' * (len(registry_counter.columns) - 1)})"

_ROWS_OF_A_BLOCK = 256
_A_ROW_A_KEY = (
    "CREATE TABLE blocking_key (key int8, record_id int8, CONSTRAINT pk_blocking_key PRIMARY KEY (key, record_id))"
)
_NEAREST = "SELECT entries FROM blocking_key_page WHERE first_key <= {} ORDER BY first_key DESC LIMIT 1"
_BLOCK = "SELECT key, record_id FROM blocking_key WHERE key BETWEEN {} AND {} LIMIT {}"
_NEAREST_OF_EACH = (
    "SELECT page.entries FROM unnest(%s::int8[]) AS wanted(key)"
    f" CROSS JOIN LATERAL ({_NEAREST.format('wanted.key')}) AS page"
)
_BLOCK_OF_EACH = (
    "SELECT near.key, near.record_id FROM unnest(%s::int8[], %s::int8[]) AS wanted(low, high)"
    f" CROSS JOIN LATERAL ({_BLOCK.format('wanted.low', 'wanted.high', '%s')}) AS near"
)

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of all records but the unseen ones, in their order: int64 (n,) each; and those of every unseen record."""

    keys: Integers
    record_ids: Integers
    records: int
    unseen: list[list[int]]
    seconds_to_sort: float


class Shape(ABC):
    """A way to keep keys."""

    name: str

    @abstractmethod
    def load(self, keys: Keys) -> None:
        """Store everything in an empty database."""

    @abstractmethod
    def look_up(self, keys: list[int]) -> int:
        """Read what is near a record's keys; gives the number of entries read."""

    @abstractmethod
    def add(self, records: Sequence[tuple[int, list[int]]]) -> None:
        """Store some records' keys in one transaction."""

    @abstractmethod
    def stored_bytes(self) -> int:
        """Bytes on disk."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""


class _InMemory:
    """What the registry does: entries of the pages, and those of rows since, which the process knows by heart."""

    def __init__(self, driver: Any, url: str) -> None:
        self._reading = Reading(driver, dialect_for(url))
        self._known = StoredKeys()
        self._batch = 0
        one = np.ones(1, dtype=np.int64)
        chains = KeyChains()  # compiled now, not under the clock
        chains.add(one, one)
        chains.near(one)

    def look_up(self, keys: list[int]) -> int:
        """Learn what is new, and find what is near a record's keys; gives the number of entries."""
        near, _ = self._known.near(self._reading, np.array(keys, dtype=np.int64))
        return len(near.entries)

    def rows(self, records: Sequence[tuple[int, list[int]]]) -> list[tuple[int, int, bytes]]:
        """Rows of the next batch."""
        self._batch += 1
        return [(self._batch, record_id, np.array(keys, dtype="<i8").tobytes()) for record_id, keys in records]


class _Sqlite(Shape):
    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{type(self).__name__}.db"
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("page_size = 8192", "journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._url = f"sqlite:///{self._path}"
        for table in _OF_THE_REGISTRY:
            self._connection.execute(_ddl(table, self._url))
        self._connection.execute(f"{_A_ROW_A_KEY} WITHOUT ROWID")
        self._connection.execute(_FIRST_COUNTERS)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        yield
        self._connection.execute("COMMIT")

    def add(self, records: Sequence[tuple[int, list[int]]]) -> None:
        """Store some more."""
        with self._transaction():
            rows = [(key, record_id) for record_id, keys in records for key in keys]
            self._connection.executemany("INSERT OR IGNORE INTO blocking_key VALUES (?, ?)", rows)

    def stored_bytes(self) -> int:
        """Bytes on disk."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self._path.stat().st_size

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _rows(self, keys: list[int]) -> int:
        execute, found = self._connection.execute, 0
        for key in keys:
            low, high = _block(key)
            found += len(execute(_BLOCK.format("?", "?", "?"), (low, high, _ROWS_OF_A_BLOCK)).fetchall())
        return found


class SqliteRows(_Sqlite):
    """A row a key."""

    name = "SQLite, a row a key (WITHOUT ROWID)"

    def load(self, keys: Keys) -> None:
        """Store everything."""
        with self._transaction():
            for start in range(0, len(keys.keys), _CHUNK):
                part = slice(start, start + _CHUNK)
                rows = zip(keys.keys[part].tolist(), keys.record_ids[part].tolist(), strict=True)
                self._connection.executemany("INSERT INTO blocking_key VALUES (?, ?)", rows)

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        return self._rows(keys)


class SqlitePages(_Sqlite):
    """Pages, and a row a key since."""

    name = "SQLite, pages, and a row a key since"

    def load(self, keys: Keys) -> None:
        """Store everything."""
        pages = key_pages(keys.keys, keys.record_ids)
        with self._transaction():
            rows = zip(pages.first_keys.tolist(), pages.blobs(), strict=True)
            self._connection.executemany("INSERT INTO blocking_key_page VALUES (?, ?)", rows)

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        execute = self._connection.execute
        pages = [page for key in keys for (page,) in execute(_NEAREST.format("?"), (key,))]
        return sum(map(len, pages)) // _ENTRY_BYTES + self._rows(keys)


class SqliteRecent(SqlitePages):
    """Pages, and a row a record since, kept in memory."""

    name = "SQLite, pages, and a row a record since, kept in memory"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._memory = _InMemory(self._connection, self._url)

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        return self._memory.look_up(keys)

    def add(self, records: Sequence[tuple[int, list[int]]]) -> None:
        """Store some more."""
        with self._transaction():
            insert = "INSERT INTO recent_blocking_keys VALUES (?, ?, ?)"
            self._connection.executemany(insert, self._memory.rows(records))


class _Postgres(Shape):
    table = "blocking_key"

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._cursor = self._connection.cursor(binary=True)
        for table in _OF_THE_REGISTRY:
            self._cursor.execute(_ddl(table, "postgresql+psycopg://").encode())
        self._cursor.execute(_A_ROW_A_KEY.encode())
        self._cursor.execute(_FIRST_COUNTERS.encode())

    def _copy(self, statement: str, parts: Iterator[bytes]) -> None:
        with self._cursor.copy(f"COPY {statement} FROM STDIN (FORMAT BINARY)".encode()) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for part in parts:
                copy.write(part)
            copy.write(b"\xff\xff")

    def _settle(self) -> None:
        self._cursor.execute(f"VACUUM (ANALYZE) {self.table}".encode())

    def add(self, records: Sequence[tuple[int, list[int]]]) -> None:
        """Store some more."""
        keys = [key for _, each in records for key in each]
        record_ids = [record_id for record_id, each in records for _ in each]
        insert = "INSERT INTO blocking_key SELECT * FROM unnest(%s::int8[], %s::int8[]) ON CONFLICT DO NOTHING"
        with self._connection.transaction():
            self._cursor.execute(insert, [keys, record_ids], prepare=True)

    def stored_bytes(self) -> int:
        """Bytes on disk."""
        row = self._cursor.execute("SELECT pg_total_relation_size(%s::text::regclass)", [self.table]).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _rows(self, keys: list[int]) -> int:
        blocks = list(map(_block, keys))
        lows, highs = ([block[end] for block in blocks] for end in (0, 1))
        return len(self._read(_BLOCK_OF_EACH, [lows, highs, _ROWS_OF_A_BLOCK]))

    def _read(self, statement: str, values: list[Any]) -> list[Any]:
        return self._cursor.execute(statement.encode(), values, prepare=True).fetchall()


class PostgresRows(_Postgres):
    """A row a key."""

    name = "PostgreSQL, a row a key (heap and B-tree)"

    def load(self, keys: Keys) -> None:
        """Store everything."""
        primary = "pk_blocking_key"
        self._cursor.execute(f"ALTER TABLE blocking_key DROP CONSTRAINT {primary}".encode())
        self._copy("blocking_key (key, record_id)", _pairs(keys.keys, keys.record_ids))
        adding = f"ALTER TABLE blocking_key ADD CONSTRAINT {primary} PRIMARY KEY (key, record_id)"
        self._cursor.execute(adding.encode())
        self._settle()

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        return self._rows(keys)


class PostgresGin(_Postgres):
    """A row a record with an array of its blocks: equality is all that the index knows, so nothing refines them."""

    name = "PostgreSQL, an array a record (GIN)"
    table = "record_blocks"

    def load(self, keys: Keys) -> None:
        """Store everything."""
        create = "CREATE TABLE record_blocks (record_id int8 PRIMARY KEY, blocks int8[] NOT NULL)"
        self._cursor.execute(create)
        order = np.argsort(keys.record_ids, kind="stable")
        blocks = (keys.keys[order] >> OPEN_BITS[0]).astype(">i8")
        record_ids, starts = np.unique(keys.record_ids[order], return_index=True)
        stops = np.append(starts[1:], len(blocks))
        self._copy("record_blocks (record_id, blocks)", _arrays(record_ids, blocks, starts, stops))
        self._cursor.execute("CREATE INDEX ix_record_blocks ON record_blocks USING gin (blocks)")
        self._settle()

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        blocks = [key >> OPEN_BITS[0] for key in keys]
        return len(self._read("SELECT record_id FROM record_blocks WHERE blocks && %s::int8[]", [blocks]))

    def add(self, records: Sequence[tuple[int, list[int]]]) -> None:
        """Store some more."""
        rows = [(record_id, [key >> OPEN_BITS[0] for key in keys]) for record_id, keys in records]
        with self._connection.transaction():
            for row in rows:
                self._cursor.execute("INSERT INTO record_blocks VALUES (%s, %s::int8[])", row, prepare=True)


class PostgresPages(_Postgres):
    """Pages, and a row a key since."""

    name = "PostgreSQL, pages, and a row a key since"
    table = "blocking_key_page"

    def load(self, keys: Keys) -> None:
        """Store everything."""
        pages = key_pages(keys.keys, keys.record_ids)
        self._copy("blocking_key_page (first_key, entries)", _blobs(pages.first_keys, pages.blobs()))
        self._settle()

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        pages = self._read(_NEAREST_OF_EACH, [keys])
        return sum(len(page) for (page,) in pages) // _ENTRY_BYTES + self._rows(keys)


class PostgresRecent(PostgresPages):
    """Pages, and a row a record since, kept in memory; statements are planned as a server's are."""

    name = "PostgreSQL, pages, and a row a record since, kept in memory"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._cursor.execute(f"SELECT {', '.join(_FOR_FEW_ROWS)}".encode())
        self._memory = _InMemory(self._connection, url)

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        return self._memory.look_up(keys)

    def add(self, records: Sequence[tuple[int, list[int]]]) -> None:
        """Store some more."""
        columns = [list(column) for column in zip(*self._memory.rows(records), strict=True)]
        insert = "INSERT INTO recent_blocking_keys SELECT * FROM unnest(%s::int8[], %s::int8[], %s::bytea[])"
        with self._connection.transaction():
            self._cursor.execute(insert, columns, prepare=True)


def _block(key: int) -> tuple[int, int]:
    """The lowest and the highest key of a key's block."""
    low = key >> OPEN_BITS[0] << OPEN_BITS[0]
    return low, low + (1 << OPEN_BITS[0]) - 1


def _ddl(table: sa.Table, url: str) -> str:
    """The statement that makes one of the registry's own tables."""
    dialect = sa.make_url(url).get_dialect()()
    return str(sa.schema.CreateTable(METADATA.tables[table.name]).compile(dialect=dialect))


def _pairs(keys: Integers, record_ids: Integers) -> Iterator[bytes]:
    """Rows of two bigints as COPY takes them."""
    row = np.dtype([("n", ">i2"), ("a", ">i4"), ("key", ">i8"), ("b", ">i4"), ("record_id", ">i8")])
    for start in range(0, len(keys), _CHUNK):
        part = np.empty(len(keys[start : start + _CHUNK]), dtype=row)
        part["n"], part["a"], part["b"] = 2, 8, 8
        part["key"], part["record_id"] = keys[start : start + _CHUNK], record_ids[start : start + _CHUNK]
        yield part.tobytes()


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big", signed=True)


def _blobs(first_keys: Integers, blobs: Sequence[bytes]) -> Iterator[bytes]:
    for key, blob in zip(first_keys.tolist(), blobs, strict=True):
        yield b"".join((_number(2, 2), _number(8, 4), _number(key, 8), _number(len(blob), 4), blob))


def _arrays(record_ids: Integers, blocks: Any, starts: Any, stops: Any) -> Iterator[bytes]:
    row = np.dtype([("size", ">i4"), ("value", ">i8")])
    items = np.empty(len(blocks), dtype=row)
    items["size"], items["value"] = 8, blocks
    data = items.tobytes()
    bigint = 20  # The number by which PostgreSQL knows the type.
    for record_id, start, stop in zip(record_ids.tolist(), starts.tolist(), stops.tolist(), strict=True):
        head = b"".join(_number(each, 4) for each in (1, 0, bigint, stop - start, 1))
        array = head + data[12 * start : 12 * stop]
        yield b"".join((_number(2, 2), _number(8, 4), _number(record_id, 8), _number(len(array), 4), array))
