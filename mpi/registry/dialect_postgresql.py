"""PostgreSQL as a registry's database: a server; many rows go by binary COPY, few by one statement."""

# ruff: noqa: D102 (the methods are described once, in `Dialect`)

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import psycopg
import sqlalchemy as sa
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from mpi.domain.errors import RunConflictError
from mpi.registry.dialect import (
    BULK_LOCK_TAKEN,
    CONNECTIONS,
    Bytes,
    ColumnLists,
    Dialect,
    Found,
    Integers,
    Keys,
    Look,
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
_REST_SECONDS = 1.0

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

        def prepare(driver: Any, _record: Any) -> None:
            if few_rows:
                driver.execute(f"SELECT {', '.join(_FOR_FEW_ROWS)}")
                driver.commit()
            if purpose is Purpose.SNAPSHOT:
                driver.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                driver.read_only = True
            driver.autocommit = purpose is Purpose.LOOKING

        def forget(connection: sa.Connection) -> None:
            if not connection.invalidated:
                _prepared.pop(driver_of(connection), None)

        sa.event.listen(engine, "connect", prepare)
        sa.event.listen(engine, "rollback", forget)
        _ping_after_rest(engine)
        return engine

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
            with driver_of(connection).cursor() as cursor:
                _insert_few(cursor, Rows(table, columns))
            return
        with driver_of(connection).cursor() as cursor:
            _copy(cursor, table.name, [table.c[name] for name in columns], columns)

    def update(self, connection: sa.Connection, table: sa.Table, *, keys: ColumnLists, values: ColumnLists) -> int:
        columns = {**{f"k_{name}": rows for name, rows in keys.items()}, **values}
        targets = [*(table.c[name] for name in keys), *(table.c[name] for name in values)]
        shape = ", ".join(f"{name} {_copy_type(target)}" for name, target in zip(columns, targets, strict=True))
        assignments = ", ".join(f"{name} = staged.{name}" for name in values)
        conditions = " AND ".join(f"{table.name}.{name} = staged.k_{name}" for name in keys)
        rows = list(columns.values())
        if len(rows[0]) <= _FEW_ROWS:
            arrays = ", ".join(f"%s::{_copy_type(target)}[]" for target in targets)
            with driver_of(connection).cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table.name} SET {assignments}"
                    f" FROM unnest({arrays}) AS staged({', '.join(columns)}) WHERE {conditions}",
                    [_array(row) for row in rows],
                )
                return int(cursor.rowcount)
        with driver_of(connection).cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE staged ({shape}) ON COMMIT DROP")
            _copy(cursor, "staged", targets, columns)
            cursor.execute("ANALYZE staged")
            cursor.execute(f"UPDATE {table.name} SET {assignments} FROM staged WHERE {conditions}")
            changed = cursor.rowcount
            cursor.execute("DROP TABLE staged")
        _prepared.pop(driver_of(connection), None)
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

    def insert_together(self, connection: sa.Connection, parts: Sequence[Rows]) -> None:
        with driver_of(connection).pipeline(), driver_of(connection).cursor() as cursor:
            for part in parts:
                _insert_few(cursor, part)

    def lock_keys(self, driver: Any, keys: Sequence[int], *, all_keys: bool) -> None:
        with driver.cursor() as cursor:
            if all_keys:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ALL_KEYS_LOCK])
            else:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock_shared(%s) UNION ALL"
                    " SELECT pg_advisory_xact_lock(key) FROM unnest(%s::int8[]) AS key",
                    [_ALL_KEYS_LOCK, _array(keys)],
                )

    def read(self, driver: Any, statement: Statement, keys: Keys, *rest: Any) -> Found:
        return _fetch(driver, statement.postgresql, [*map(_array, keys), *map(str, rest)])

    def read_together(self, driver: Any, *wanted: Look) -> list[Found]:
        with driver.pipeline():
            cursors = [driver.cursor(binary=True) for _ in wanted]
            for cursor, look in zip(cursors, wanted, strict=True):
                cursor.execute(look.statement.postgresql, [*map(_array, look.keys), *look.rest], prepare=True)
            return [cursor.fetchall() for cursor in cursors]

    def together(self, driver: Any) -> AbstractContextManager[Any]:
        pipeline: AbstractContextManager[Any] = driver.pipeline()
        return pipeline

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

    One that broke without a rest fails its call, and with it all that are pooled are thrown away.
    """

    def note(_connection: Any, record: Any) -> None:
        record.info["rested_since"] = time.monotonic()

    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rested_since", 0.0) > _REST_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as error:
                raise sa.exc.DisconnectionError(str(error)) from None

    sa.event.listen(engine, "checkin", note)
    sa.event.listen(engine, "checkout", ping)


_prepared: WeakKeyDictionary[Any, dict[str, bytes]] = WeakKeyDictionary()
"""The names of the statements that `_fetch` has prepared on each connection. A roll back or a DROP may lose them: the
driver then gives back its own, if it has any, and all others with them."""


def _fetch(driver: Any, query: str, values: Sequence[str]) -> Found:
    """Runs a query as a prepared statement in one call of libpq's, which waits without the interpreter.

    A cursor would come back to Python for every eight kilobytes of an answer: half the time of a short look-up.
    """
    connection = driver.pgconn
    names = _prepared.get(driver)
    if names is None:
        driver.execute("DEALLOCATE ALL")
        names = _prepared[driver] = {}
    if not driver.autocommit and connection.transaction_status == TransactionStatus.IDLE:
        driver.execute("SELECT 1")  # The driver begins its transaction with its own first statement.
    if query not in names:
        name = f"mpi_{len(names)}".encode()
        parts = query.split("%s")
        numbered = parts[0] + "".join(f"${place}{part}" for place, part in enumerate(parts[1:], 1))
        _checked(driver, connection.prepare(name, numbered.encode()))
        names[query] = name
    result = connection.exec_prepared(names[query], [value.encode() for value in values], None, Format.BINARY)
    _checked(driver, result)
    transformer = Transformer(driver)
    transformer.set_pgresult(result)
    found: Found = transformer.load_rows(0, result.ntuples, tuple)
    return found


def _checked(driver: Any, result: Any) -> None:
    """Raises what the driver would raise for a result."""
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return
    if driver.pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
    raise psycopg.errors.error_from_result(result, encoding="utf-8")


def _insert_few(cursor: Any, rows: Rows) -> None:
    """Appends some rows by one prepared statement: COPY would take three trips to the server."""
    shape = ", ".join(f"%s::{_copy_type(rows.table.c[name])}[]" for name in rows.columns)
    otherwise = " ON CONFLICT DO NOTHING" if rows.only_missing else ""
    cursor.execute(
        f"INSERT INTO {rows.table.name} ({', '.join(rows.columns)}) SELECT * FROM unnest({shape}){otherwise}",
        [_array(column) for column in rows.columns.values()],
        prepare=True,
    )


def _array(values: Sequence[Any]) -> str:
    """An array as PostgreSQL reads it: the driver's own way costs a microsecond and a half a number."""
    if all(type(value) is int for value in values):
        return f"{{{','.join(map(str, values))}}}"
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
