"""PostgreSQL as a registry's database: a server; many rows go by binary COPY, few by one statement."""

# ruff: noqa: D102 (the methods are described once, in `Dialect`)

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import psycopg
import sqlalchemy as sa
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGresult
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from mpi.domain.errors import RunConflictError
from mpi.registry.dialect import (
    BULK_LOCK_TAKEN,
    CONNECTIONS,
    Bytes,
    Changes,
    ColumnLists,
    Dialect,
    Found,
    Integers,
    Keys,
    Purpose,
    Rows,
    Statement,
    driver_of,
    matrix_of,
)

_BULK_LOCK = 0x6D70695F62756C6B
_SCHEMA_LOCK = 0x6D70695F73636865
_ALL_KEYS_LOCK = 0x6D70695F616C6C6B
_BULK_LOCK_SECONDS = 1.0
_FEW_ROWS = 1_000
_LOCK_KEYS = (
    "SELECT pg_advisory_xact_lock_shared(%s) UNION ALL SELECT pg_advisory_xact_lock(key) FROM unnest(%s::int8[]) AS key"
)
_REST_SECONDS = 1.0

_BEGIN = {Purpose.WRITING: b"BEGIN", Purpose.SNAPSHOT: b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}

_FOR_FEW_ROWS = [
    f"set_config('{name}', '{value}', false)"
    for name, value in {
        "plan_cache_mode": "force_generic_plan",
        "join_collapse_limit": "1",
        "jit": "off",
        **{f"enable_{way}": "off" for way in ("seqscan", "hashjoin", "mergejoin", "bitmapscan")},
    }.items()
]
"""Joins in the order that they are written in, each by an index, planned once: plans made while tables are small would
read all of them for every key, and be kept while they grow."""


class PostgresDialect(Dialect):
    """A server; bulk rows go by binary COPY."""

    name = "postgresql"

    def check_target(self, *, create: bool) -> None:
        """Nothing to do: a server answers for itself when the first connection is made."""

    def engine(self, purpose: Purpose, *, few_rows: bool) -> sa.Engine:
        url = self.url.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, hide_parameters=True, pool_size=CONNECTIONS, pool_use_lifo=True)

        begin = _BEGIN.get(purpose)

        def prepare(driver: Any, _record: Any) -> None:
            driver.autocommit = True
            driver.prepare_threshold = None  # Preparing is `_run`'s: the driver gives all back with each of its own.
            if few_rows:
                driver.execute(f"SELECT {', '.join(_FOR_FEW_ROWS)}")
            driver.autocommit = begin is None

        def begin_at_once(connection: sa.Connection) -> None:
            driver = driver_of(connection)
            if driver.autocommit:
                return
            try:
                _checked(driver, driver.pgconn.exec_(begin))
            except psycopg.OperationalError:
                connection.invalidate()
                self.doubt(engine)
                raise

        sa.event.listen(engine, "connect", prepare)
        if begin is not None:
            sa.event.listen(engine, "begin", begin_at_once)
        _ping_after_rest(engine)
        return engine

    def doubt(self, engine: sa.Engine) -> None:
        _doubted[engine] = time.monotonic()

    def begin_looking(self, driver: Any) -> None:
        """Nothing to do: every statement is by itself."""

    def lock_schema(self, connection: sa.Connection) -> None:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))

    @contextmanager
    def bulk_lock(self, engine: sa.Engine) -> Iterator[None]:
        # A connection of its own, outside any transaction: the lock lives and dies with the session.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # The server needs a moment to see that a killed run is gone.
            patience = time.monotonic() + _BULK_LOCK_SECONDS
            while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_BULK_LOCK))):
                if time.monotonic() > patience:
                    raise RunConflictError(BULK_LOCK_TAKEN)
                time.sleep(0.02)
            try:
                yield
            finally:
                # Closing the session frees the lock even where a polite unlock could not be sent any more.
                connection.invalidate()

    def copy(self, connection: sa.Connection, table: sa.Table, columns: ColumnLists) -> None:
        if len(next(iter(columns.values()))) <= _FEW_ROWS:
            self.write_together(connection, [Rows(table, columns)])
            return
        with driver_of(connection).cursor() as cursor:
            _copy(cursor, table.name, [table.c[name] for name in columns], columns)

    def update(self, connection: sa.Connection, changes: Changes) -> int:
        columns, targets = _staged(changes)
        rows = list(columns.values())
        if len(rows[0]) <= _FEW_ROWS:
            return _run(driver_of(connection), _change(changes), list(map(_array, rows))).command_tuples or 0
        shape = ", ".join(f"{name} {_copy_type(target)}" for name, target in zip(columns, targets, strict=True))
        with driver_of(connection).cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE staged ({shape}) ON COMMIT DROP")
            _copy(cursor, "staged", targets, columns)
            cursor.execute("ANALYZE staged")
            cursor.execute(_change_from(changes, "staged"))
            changed = cursor.rowcount
            cursor.execute("DROP TABLE staged")
        return int(changed)

    def read_packed(
        self, connection: sa.Connection, query: sa.Select[Any], *, integers: int
    ) -> tuple[list[Integers], Bytes | None]:
        # The server joins the rows into one byte string, so that no Python object is made a row.
        rows = query.subquery("packed")
        columns = list(rows.columns)
        parts = [sa.cast(sa.func.int8send(column), sa.LargeBinary) for column in columns[:integers]]
        parts += [sa.cast(column, sa.LargeBinary) for column in columns[integers:]]
        row: sa.ColumnElement[Any] = parts[0]
        for part in parts[1:]:
            row = row.op("||")(part)
        joined = sa.func.string_agg(row, aggregate_order_by(sa.literal(b"", sa.LargeBinary), columns[0]))
        packed, count = connection.execute(sa.select(joined, sa.func.count()).select_from(rows)).one()
        matrix = matrix_of(packed, count) if count else np.empty((0, 8 * integers), dtype=np.uint8)
        words = np.ascontiguousarray(matrix[:, : 8 * integers]).view(">i8").reshape(count, integers)
        numbers = [words[:, at].astype(np.int64) for at in range(integers)]
        return numbers, np.ascontiguousarray(matrix[:, 8 * integers :]) if len(columns) > integers else None

    def write_together(self, connection: sa.Connection, parts: Sequence[Rows | Changes]) -> None:
        # One statement: what it writes is checked at its end, whichever part refers to which.
        statements = [_insertion(part) if isinstance(part, Rows) else _change(part) for part in parts]
        columns = [part.columns if isinstance(part, Rows) else _staged(part)[0] for part in parts]
        values = [_array(column) for each in columns for column in each.values()]
        first = ", ".join(f"part_{place} AS ({statement})" for place, statement in enumerate(statements[:-1]))
        _run(driver_of(connection), f"WITH {first} {statements[-1]}" if first else statements[-1], values)

    def lock_keys(self, driver: Any, keys: Sequence[int], *, all_keys: bool) -> None:
        if all_keys:
            _run(driver, "SELECT pg_advisory_xact_lock(%s)", [str(_ALL_KEYS_LOCK)])
        else:
            _run(driver, _LOCK_KEYS, [str(_ALL_KEYS_LOCK), _array(keys)])

    def read(self, driver: Any, statement: Statement, keys: Keys, *rest: Any) -> Found:
        result = _run(driver, statement.postgresql, [*map(_array, keys), *map(str, rest)])
        transformer = Transformer(driver)
        transformer.set_pgresult(result)
        found: Found = transformer.load_rows(0, result.ntuples, tuple)
        return found

    def id_set(self, ids: Integers) -> sa.Select[Any]:
        return sa.select(sa.func.unnest(sa.cast(ids.tolist(), ARRAY(sa.BigInteger))))


_COPY_TYPES: dict[type[Any], str] = {
    sa.BigInteger: "int8",
    sa.Integer: "int4",
    sa.SmallInteger: "int2",
    sa.Double: "float8",
    sa.Text: "text",
    sa.LargeBinary: "bytea",
}


def _ping_after_rest(engine: sa.Engine) -> None:
    """Tries a connection that has rested before it is used: a ping a call would be a third of a short call's time.

    One that broke without a rest fails its call, and all that are pooled then are doubted.
    """

    def note(_connection: Any, record: Any) -> None:
        record.info["rested_since"] = time.monotonic()

    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        rested_since = record.info.get("rested_since", 0.0)
        if rested_since < max(time.monotonic() - _REST_SECONDS, _doubted.get(engine, 0.0)):
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as error:
                raise sa.exc.DisconnectionError(str(error)) from None

    sa.event.listen(engine, "checkin", note)
    sa.event.listen(engine, "checkout", ping)


_doubted: WeakKeyDictionary[sa.Engine, float] = WeakKeyDictionary()
"""When a connection of an engine was last found to be lost, of time.monotonic()."""

_prepared: WeakKeyDictionary[Any, dict[str, bytes]] = WeakKeyDictionary()
"""The names of the statements that `_run` has prepared on each connection."""


def _run(driver: Any, query: str, values: Sequence[str]) -> PGresult:
    """Runs a query as a prepared statement in one call of libpq's, which waits without the interpreter.

    A cursor would come back to Python for every eight kilobytes of an answer: half the time of a short look-up.
    """
    names = _prepared.setdefault(driver, {})
    if query not in names:
        name = f"mpi_{len(names)}".encode()
        parts = query.split("%s")
        numbered = parts[0] + "".join(f"${place}{part}" for place, part in enumerate(parts[1:], 1))
        _checked(driver, driver.pgconn.prepare(name, numbered.encode()))
        names[query] = name
    given = [value.encode() for value in values]
    return _checked(driver, driver.pgconn.exec_prepared(names[query], given, None, Format.BINARY))


def _checked(driver: Any, result: PGresult) -> PGresult:
    """A result, or what the driver would raise for it."""
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return result
    # What no server said the client did: the connection is lost, though its status may still be good.
    if driver.pgconn.status == ConnStatus.BAD or not result.error_field(DiagnosticField.SQLSTATE):
        raise psycopg.OperationalError(result.get_error_message())
    raise psycopg.errors.error_from_result(result)


def _insertion(rows: Rows) -> str:
    """A statement that appends rows given as an array a column: COPY would take three trips to the server."""
    shape = ", ".join(f"%s::{_copy_type(rows.table.c[name])}[]" for name in rows.columns)
    otherwise = " ON CONFLICT DO NOTHING" if rows.only_missing else ""
    return f"INSERT INTO {rows.table.name} ({', '.join(rows.columns)}) SELECT * FROM unnest({shape}){otherwise}"


def _staged(changes: Changes) -> tuple[dict[str, Sequence[Any]], list[sa.Column[Any]]]:
    """The columns that say what changes, keys first under names of their own, and the columns they are for."""
    columns = {**{f"k_{name}": rows for name, rows in changes.keys.items()}, **changes.values}
    return columns, [changes.table.c[name] for name in (*changes.keys, *changes.values)]


def _change(changes: Changes) -> str:
    """A statement that changes rows given as an array a column."""
    columns, targets = _staged(changes)
    arrays = ", ".join(f"%s::{_copy_type(target)}[]" for target in targets)
    return _change_from(changes, f"unnest({arrays}) AS staged({', '.join(columns)})")


def _change_from(changes: Changes, staged: str) -> str:
    table = changes.table.name
    assignments = ", ".join(f"{name} = staged.{name}" for name in changes.values)
    conditions = " AND ".join(f"{table}.{name} = staged.k_{name}" for name in changes.keys)
    return f"UPDATE {table} SET {assignments} FROM {staged} WHERE {conditions}"


def _array(values: Sequence[Any]) -> str:
    """An array as PostgreSQL reads it: the driver's own way costs a microsecond and a half a number."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return f"{{{','.join(map(str, values))}}}"
    if kinds == {bytes}:
        return '{"\\\\x' + '","\\\\x'.join([value.hex() for value in values]) + '"}'
    if kinds == {str}:
        text = '","'.join(values)
        if "\\" not in text and text.count('"') == 2 * (len(values) - 1):
            return '{"' + text + '"}'
    return f"{{{','.join(map(_array_element, values))}}}"


def _array_element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


def _copy_type(column: sa.Column[Any]) -> str:
    return _COPY_TYPES[type(column.type)]


def _copy(cursor: Any, target: str, shape: Sequence[sa.Column[Any]], columns: ColumnLists) -> None:
    with cursor.copy(f"COPY {target} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([_copy_type(column) for column in shape])
        write_row = copy.write_row
        for row in zip(*columns.values(), strict=True):
            write_row(row)
