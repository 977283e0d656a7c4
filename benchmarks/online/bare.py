"""The bare database: the rows that a phase wrote, put into a copy of the registry again by the driver alone.

The same rows in the same tables, with the same indexes and as many commits; one connection, rows ready in memory.
What resolving reads, compares and locks is left out: no service that keeps these rows can be faster.
"""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from mpi.registry.tables import METADATA

_COUNTER = "UPDATE registry_counter SET revision = revision + 1"
_COUNTED = {
    "source_record": ("record_id", "record"),
    "record_content": ("record_id", "record"),
    "record_feature": ("record_id", "record"),
    "recent_blocking_keys": ("record_id", "record"),
    "person": ("person_id", "person"),
    "link": ("link_id", "link"),
    "review_task": ("task_id", "task"),
    "event": ("revision", "revision"),
}
"""Tables with the column by which their new rows are known, and its counter."""

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536")
_TYPES: dict[type[Any], str] = {
    sa.BigInteger: "int8",
    sa.Integer: "int4",
    sa.SmallInteger: "int2",
    sa.Double: "float8",
    sa.Text: "text",
    sa.LargeBinary: "bytea",
}

_TASKS = METADATA.tables["review_task"]

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """Rows by table, in the order in which they were written, and how many of them are source records."""

    rows: dict[str, list[Row]]

    @property
    def records(self) -> int:
        """Source records among them."""
        return len(self.rows["source_record"])

    def parts(self, count: int) -> list[dict[str, list[Row]]]:
        """The rows in so many transactions, no task before the records that it is about."""
        parts: list[dict[str, list[Row]]] = [{} for _ in range(count)]
        for name, rows in self.rows.items():
            for place, row in enumerate(rows):
                at = place * count // len(rows)
                if name == _TASKS.name:
                    at = max(self._part_of(row[_TASKS.c.keys().index(end)], count) for end in ("record_a", "record_b"))
                parts[at].setdefault(name, []).append(row)
        return parts

    def _part_of(self, record_id: int | None, count: int) -> int:
        """Which transaction holds a record; the first one for those that were there before."""
        first = self.rows["source_record"][0][0]
        return 0 if record_id is None else max(record_id - first, 0) * count // self.records


def moment(url: str) -> dict[str, Any]:
    """Where a registry stands: its counters, and how many answers it keeps."""
    engine = sa.create_engine(_sqlalchemy_url(url))
    with engine.connect() as connection:
        row = connection.execute(sa.select(METADATA.tables["registry_counter"])).one()
        answered = METADATA.tables["answered_request"].c.answered_at
        newest = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(answered), "")))
    engine.dispose()
    return {**row._mapping, "answered_at": newest}


def written_between(url: str, before: dict[str, Any], after: dict[str, Any]) -> Written:
    """The rows that came between two moments, as they are now. New links of older records are left out: in a copy of
    what was before, the links that they replace are still open."""
    rows = {}
    engine = sa.create_engine(_sqlalchemy_url(url))
    with engine.connect() as connection:
        for name, (column, counter) in _COUNTED.items():
            table = METADATA.tables[name]
            new = sa.select(table).where(table.c[column].between(before[counter] + 1, after[counter]))
            if name == "link":
                new = new.where(table.c.record_id > before["record"])
            rows[name] = [tuple(row) for row in connection.execute(new.order_by(table.c[column]))]
        answers = METADATA.tables["answered_request"]
        at = answers.c.answered_at
        new = sa.select(answers).where(at > before["answered_at"], at <= after["answered_at"]).order_by(at)
        rows[answers.name] = [tuple(row) for row in connection.execute(new)]
    engine.dispose()
    return Written(rows)


def insert_again(url: str, written: Written, transactions: int) -> float:
    """Seconds that the driver takes to insert the rows in so many transactions."""
    parts = written.parts(transactions)
    return _into_sqlite(url, parts) if url.startswith("sqlite") else _into_postgresql(url, parts)


def _into_sqlite(url: str, parts: Sequence[dict[str, list[Row]]]) -> float:
    statements = {
        table.name: f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.columns))})"
        for table in METADATA.tables.values()
    }
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        start = time.perf_counter()
        for part in parts:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_COUNTER)
            for name, rows in part.items():
                connection.executemany(statements[name], rows)
            connection.execute("COMMIT")
        return time.perf_counter() - start


def _into_postgresql(url: str, parts: Sequence[dict[str, list[Row]]]) -> float:
    statements = {}
    for table in METADATA.tables.values():
        columns = ", ".join(f"%s::{_type(column)}[]" for column in table.columns)
        statements[table.name] = f"INSERT INTO {table.name} SELECT * FROM unnest({columns})"
    every = [
        [(statements[name], [list(column) for column in zip(*rows, strict=True)]) for name, rows in part.items()]
        for part in parts
    ]
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor(binary=True) as cursor:
        start = time.perf_counter()
        for inserts in every:
            # Every statement of a transaction in one go: one wait for the server each.
            with connection.pipeline(), connection.transaction():
                cursor.execute(_COUNTER, prepare=True)
                for statement, values in inserts:
                    cursor.execute(statement.encode(), values, prepare=True)
        return time.perf_counter() - start


def _type(column: sa.Column[Any]) -> str:
    return _TYPES[type(column.type)]


def _sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
