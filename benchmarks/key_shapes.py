"""`python -m benchmarks.key_shapes [--persons N]`: the same blocking keys in tables of four shapes, for ADR 13.

Seconds to load, bytes on disk, microseconds to look up the keys of a record that is not there and to add them. Every
shape is loaded in the way that suits it best and asked through the bare driver, warm, with one connection.
"""

import argparse
import sqlite3
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from numpy.typing import NDArray
from rich.console import Console

from benchmarks import tables
from benchmarks.cities import city, standard_records
from benchmarks.environment import describe_environment
from benchmarks.places import WORK
from benchmarks.scenario import KEY, RESULTS, log, rules_entry, trained_model, write_json
from mpi.batch.tables import columns_of_table
from mpi.matching.blocking import blocking_plan
from mpi.matching.scorer import Scorer
from mpi.matching.sorting import sort_by_code
from mpi.matching.stored_keys import key_pages, stored_keys
from mpi.registry.blocking_keys import _PAGE, _ROWS, _ROWS_OF_A_BLOCK
from mpi.registry.tables import METADATA, blocking_key, blocking_key_page
from tests.postgres import postgres_server

SEED = 6001
UNSEEN = 3_000
"""Records that are kept back, to be looked up and then added."""

WARM_UP = 500
TOGETHER = 16
"""Records that are added in one transaction."""

REFINING_BITS = 24
_CHUNK = 1_000_000

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
        """Read what is near a record's keys; gives the number of rows read."""

    @abstractmethod
    def add(self, records: Sequence[tuple[int, list[int]]]) -> None:
        """Store some records' keys in one transaction."""

    @abstractmethod
    def stored_bytes(self) -> int:
        """Bytes on disk."""


class _Sqlite(Shape):
    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{type(self).__name__}.db"
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("page_size = 8192", "journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {pragma}")
        for table in (blocking_key, blocking_key_page):
            self._connection.execute(_ddl(table, f"sqlite:///{self._path}"))

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

    def _rows(self, keys: list[int]) -> int:
        execute, found = self._connection.execute, 0
        for key in keys:
            low = key >> REFINING_BITS << REFINING_BITS
            found += len(execute(_ROWS.sqlite, (low, low + (1 << REFINING_BITS) - 1, _ROWS_OF_A_BLOCK)).fetchall())
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

    name = "SQLite, sorted pages and rows since"

    def load(self, keys: Keys) -> None:
        """Store everything."""
        pages = key_pages(keys.keys, keys.record_ids)
        with self._transaction():
            rows = zip(pages.first_keys.tolist(), pages.blobs(), strict=True)
            self._connection.executemany("INSERT INTO blocking_key_page VALUES (?, ?)", rows)

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        execute = self._connection.execute
        pages = [row for key in keys for row in execute(_PAGE.sqlite, (key,))]
        return len(pages) + self._rows(keys)


class _Postgres(Shape):
    table = "blocking_key"

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._cursor = self._connection.cursor(binary=True)
        for table in (blocking_key, blocking_key_page):
            self._cursor.execute(_ddl(table, "postgresql+psycopg://").encode())

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

    def _rows(self, keys: list[int]) -> int:
        lows = [key >> REFINING_BITS << REFINING_BITS for key in keys]
        highs = [low + (1 << REFINING_BITS) - 1 for low in lows]
        return self._read(_ROWS.postgresql, [lows, highs, _ROWS_OF_A_BLOCK])

    def _read(self, statement: str, values: list[Any]) -> int:
        return len(self._cursor.execute(statement.encode(), values, prepare=True).fetchall())


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
        blocks = (keys.keys[order] >> REFINING_BITS).astype(">i8")
        record_ids, starts = np.unique(keys.record_ids[order], return_index=True)
        stops = np.append(starts[1:], len(blocks))
        self._copy("record_blocks (record_id, blocks)", _arrays(record_ids, blocks, starts, stops))
        self._cursor.execute("CREATE INDEX ix_record_blocks ON record_blocks USING gin (blocks)")
        self._settle()

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        blocks = [key >> REFINING_BITS for key in keys]
        return self._read("SELECT record_id FROM record_blocks WHERE blocks && %s::int8[]", [blocks])

    def add(self, records: Sequence[tuple[int, list[int]]]) -> None:
        """Store some more."""
        rows = [(record_id, [key >> REFINING_BITS for key in keys]) for record_id, keys in records]
        with self._connection.transaction():
            for row in rows:
                self._cursor.execute("INSERT INTO record_blocks VALUES (%s, %s::int8[])", row, prepare=True)


class PostgresPages(_Postgres):
    """Pages, and a row a key since."""

    name = "PostgreSQL, sorted pages and rows since"
    table = "blocking_key_page"

    def load(self, keys: Keys) -> None:
        """Store everything."""
        pages = key_pages(keys.keys, keys.record_ids)
        self._copy("blocking_key_page (first_key, entries)", _blobs(pages.first_keys, pages.blobs()))
        self._settle()

    def look_up(self, keys: list[int]) -> int:
        """Read what is near."""
        return self._read(_PAGE.postgresql, [keys]) + self._rows(keys)


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


def keys_of_city(persons: int) -> Keys:
    """The stored keys of a city's records."""
    model = trained_model()
    scorer = Scorer(model)
    path = standard_records(city(persons, seed=SEED), model)
    plan = blocking_plan(model, scorer.layout)
    parts = []
    for batch in pq.ParquetFile(path).iter_batches(100_000, columns=list(scorer.columns)):
        rows = scorer.pack(columns_of_table(pa.Table.from_batches([batch]), scorer.columns), KEY)
        parts.append(stored_keys(plan, rows, KEY))
    made = np.concatenate(parts)
    chosen = np.random.default_rng(SEED).permutation(len(made))[:UNSEEN]
    unseen = [made[row][made[row] != 0].view(np.int64).tolist() for row in chosen]
    made[chosen] = 0
    records, slots = np.nonzero(made)
    start = time.perf_counter()
    sign = np.uint64(1 << 63)
    codes, words = made[records, slots] ^ sign, records.astype(np.uint64)
    sort_by_code(codes, words)
    seconds = time.perf_counter() - start
    return Keys((codes ^ sign).view(np.int64), words.view(np.int64), len(made) - UNSEEN, unseen, seconds)


def measure(shape: Shape, keys: Keys) -> dict[str, Any]:
    """The figures of one shape."""
    log.info("%s", shape.name)
    start = time.perf_counter()
    shape.load(keys)
    loading = time.perf_counter() - start
    size = shape.stored_bytes()
    reads = [shape.look_up(each) for each in keys.unseen[:WARM_UP]]
    before = _microseconds(shape.look_up, keys.unseen[WARM_UP:])
    numbered = list(enumerate(keys.unseen, start=keys.records + UNSEEN))
    groups = [numbered[at : at + TOGETHER] for at in range(0, len(numbered), TOGETHER)]
    adding = _microseconds(shape.add, groups) / TOGETHER
    after = _microseconds(shape.look_up, keys.unseen[WARM_UP:])
    return {
        "name": shape.name,
        "seconds_to_load": loading,
        "bytes": size,
        "bytes_a_key": size / len(keys.keys),
        "rows_read": float(np.mean(reads)),
        "look_up_us": _spread(before),
        "look_up_after_adding_us": _spread(after),
        "add_a_record_us": float(adding.mean()),
    }


def _microseconds(call: Callable[[Any], object], arguments: Sequence[Any]) -> NDArray[np.float64]:
    taken = []
    for argument in arguments:
        start = time.perf_counter()
        call(argument)
        taken.append(time.perf_counter() - start)
    return np.array(taken) * 1e6


def _spread(microseconds: NDArray[np.float64]) -> dict[str, float]:
    return {f"p{share}": float(np.percentile(microseconds, share)) for share in (50, 99)}


def run(persons: int) -> dict[str, Any]:
    """Every shape for one city."""
    keys = keys_of_city(persons)
    environment = describe_environment()
    WORK.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK, prefix="keys-")))
        shapes = [measure(shape(folder), keys) for shape in (SqliteRows, SqlitePages)]
        server = stack.enter_context(postgres_server())
        urls = {shape: server.create_database(shape.__name__) for shape in (PostgresRows, PostgresGin, PostgresPages)}
        shapes += [measure(shape(url), keys) for shape, url in urls.items()]
    return {
        "environment": environment | {"load_after": describe_environment()["load"]},
        "rules": rules_entry(trained_model()),
        "persons": persons,
        "records": keys.records,
        "keys": len(keys.keys),
        "seconds_to_sort": keys.seconds_to_sort,
        "shapes": shapes,
    }


def section(result: dict[str, Any]) -> tables.Section:
    """The figures as a table."""
    rows = [
        (
            shape["name"],
            f"{shape['seconds_to_load']:.1f} s",
            f"{shape['bytes'] / 1e6:,.0f} MB",
            f"{shape['bytes_a_key']:.1f}",
            *(f"{shape['look_up_us'][share]:,.0f} us" for share in ("p50", "p99")),
            *(f"{shape['look_up_after_adding_us'][share]:,.0f} us" for share in ("p50", "p99")),
            f"{shape['add_a_record_us']:,.0f} us",
        )
        for shape in result["shapes"]
    ]
    keys, records = result["keys"], result["records"]
    note = f"{records:,} records, {keys:,} keys; sorted beforehand in {result['seconds_to_sort']:.1f} s."
    columns = ("shape", "load", "size", "bytes a key", "look up p50", "p99", "after adding p50", "p99", "add a record")
    return tables.Section("The same keys in tables of other shapes", columns, rows, note)


def main() -> None:
    """Measure, keep and show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.key_shapes")
    parser.add_argument("--persons", type=int, default=200_000, help="people in the city; 200,000 unless told")
    result = run(parser.parse_args().persons)
    write_json(RESULTS / f"key_shapes_{result['persons']}.json", result)
    console = Console(width=160)
    console.print(f"measured on {tables.environment_line(result)}")
    tables.show(section(result), console)


if __name__ == "__main__":
    main()
