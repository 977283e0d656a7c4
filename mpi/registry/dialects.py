"""Everything that SQLite and PostgreSQL do differently: engines, transactions, locks, bulk writes and packed reads.

No other module asks which database it is on. Errors leave here as one line without values of rows.
"""

# ruff: noqa: D102 (the methods are described once, in `Dialect`)

import fcntl
import os
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import psycopg
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.exc import ArgumentError, DBAPIError

from mpi.domain.errors import InvalidInputError, RegistryError, RunConflictError

_BULK_LOCK = 0x6D70695F62756C6B
_SCHEMA_LOCK = 0x6D70695F73636865
_ALL_KEYS_LOCK = 0x6D70695F616C6C6B
_BUSY_SECONDS = 30.0
_BULK_LOCK_SECONDS = 1.0
_FEW_ROWS = 1_000
_CONNECTIONS = 20
_REST_SECONDS = 1.0
_READ_ONLY = "mpi_read_only"
_READER_CACHE, _WRITER_CACHE = -8_192, -65_536  # Kilobytes, written as SQLite wants them.

DATABASE_ERRORS: tuple[type[Exception], ...] = (DBAPIError, sqlite3.Error, psycopg.Error)
"""What SQLAlchemy raises, and the drivers themselves in the bulk paths that go round it."""

_PLAIN_PLANS = "SELECT set_config('join_collapse_limit', '1', true), " + ", ".join(
    f"set_config('enable_{way}', 'off', true)" for way in ("seqscan", "hashjoin", "mergejoin")
)
"""Joins in the order that they are written in, each by an index."""

_GONE = ("08", "080", "57P")
"""SQLSTATEs of a lost connection and of a server that stops or starts; none at all says the same."""

_OF_A_VALUE: tuple[type[Exception], ...] = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    sqlite3.DataError,
    sqlite3.IntegrityError,
)
"""What a database says of the values that it was given, whatever else it can do."""

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
ColumnLists = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to be appended to a table, by column; with `only_missing` those whose primary key is there already stay."""

    table: sa.Table
    columns: ColumnLists
    only_missing: bool = False


Keys = Sequence[Sequence[Any]]
Found = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Statement:
    """A look-up of the hot path. `sqlite` is run once a key (marks `?`, the key's columns first); `postgresql` once for
    all keys (marks `%s`, arrays first) and gives the place of the key, from 0, before each row."""

    sqlite: str
    postgresql: str


@dataclass(frozen=True, slots=True)
class Look:
    """One look-up among several: see `Dialect.read_each`."""

    statement: Statement
    keys: Keys
    rest: tuple[Any, ...] = ()


class Dialect(ABC):
    """What the registry needs of a database. One object a registry; connections are passed in."""

    name: ClassVar[str]

    def __init__(self, url: sa.URL) -> None:
        self.url = url

    @abstractmethod
    def check_target(self, *, create: bool) -> None:
        """Refuses a target that cannot be opened, and with `create` makes room for it. Raises RegistryError."""

    @abstractmethod
    def engine(self) -> sa.Engine:
        """A new engine. Writers exclude each other on SQLite (BEGIN IMMEDIATE) and run side by side on PostgreSQL."""

    @abstractmethod
    def reader_options(self) -> dict[str, Any]:
        """Execution options of a connection that reads one unchanging snapshot."""

    @abstractmethod
    def lock_schema(self, connection: sa.Connection) -> None:
        """Waits until no other process migrates; held until the transaction ends."""

    @abstractmethod
    def bulk_lock(self, engine: sa.Engine) -> AbstractContextManager[None]:
        """Holds the one right to run a bulk job in a `with` block. Raises RunConflictError when it is taken."""

    @abstractmethod
    def copy(self, connection: sa.Connection, table: sa.Table, columns: ColumnLists) -> None:
        """Appends rows given as equally long columns."""

    @abstractmethod
    def update(self, connection: sa.Connection, table: sa.Table, *, keys: ColumnLists, values: ColumnLists) -> int:
        """Sets `values` where `keys` are equal, row by row of the columns; returns how many rows were changed."""

    @abstractmethod
    def read_packed(
        self, connection: sa.Connection, query: sa.Select[Any], *, integers: int
    ) -> tuple[list[Integers], Bytes | None]:
        """Reads a query's rows as arrays: `integers` whole-number columns first, then at most one blob column.

        The query must order its rows by its first column. Returns int64[n] a column and uint8[n, width] (None without a
        blob column). All blobs of one reading have one width.
        """

    @abstractmethod
    def insert_together(self, connection: sa.Connection, parts: Sequence["Rows"]) -> None:
        """Appends some rows to several tables, in order, in as few trips to the database as can be."""

    @abstractmethod
    def lock_keys(self, connection: sa.Connection, keys: Sequence[int], *, all_keys: bool) -> None:
        """Holds 64-bit keys, given in ascending order, against other writers until the transaction ends.

        `all_keys` holds every key there is, whoever asks for it. Waits for others; whoever takes keys takes them once,
        and before any row is locked.
        """

    @abstractmethod
    def read_each(self, connection: sa.Connection, statement: "Statement", keys: "Keys", *rest: Any) -> "Found":
        """Runs a statement of the hot path for each key, on the driver itself: (place of the key, *row) of every row.

        `keys` are equally long columns; `rest` are values that are the same for all.
        """

    @abstractmethod
    def read_together(self, connection: sa.Connection, *wanted: "Look") -> "list[Found]":
        """What `read_each` gives for each of several look-ups, in as few trips to the database as can be."""

    @abstractmethod
    def together(self, connection: sa.Connection) -> AbstractContextManager[Any]:
        """What runs inside on the driver itself goes to the database in as few trips as can be."""

    @abstractmethod
    def id_set(self, ids: Integers) -> sa.Select[Any]:
        """A one-column select of many ids, for `column.in_(...)`."""


class SqliteDialect(Dialect):
    """One file, WAL, one writer at a time."""

    name = "sqlite"

    @property
    def path(self) -> Path:
        """The database file."""
        return Path(self.url.database or "")

    def check_target(self, *, create: bool) -> None:
        if self.url.database in (None, "", ":memory:"):
            raise InvalidInputError("a registry needs a file: sqlite:///path/to/registry.db")
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise RegistryError(
                f"cannot open {self.path}: {'it is' if self.path.is_dir() else 'there is'} no such place"
            )
        if self.path.exists():
            return
        if not create:
            raise RegistryError(f"there is no registry at {self.path}")
        try:
            # Personal data: for the owner's eyes alone. SQLite gives its -wal and -shm files the same mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise RegistryError(f"cannot create {self.path}: {error.strerror}") from None

    def engine(self) -> sa.Engine:
        engine = sa.create_engine(
            self.url, hide_parameters=True, pool_size=_CONNECTIONS, connect_args={"timeout": _BUSY_SECONDS}
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine

    def reader_options(self) -> dict[str, Any]:
        return {_READ_ONLY: True}

    def lock_schema(self, connection: sa.Connection) -> None:
        """Nothing to do: the transaction began IMMEDIATE."""

    @contextmanager
    def bulk_lock(self, engine: sa.Engine) -> Iterator[None]:
        lock_path = self.path.with_name(self.path.name + ".lock")
        try:
            handle = os.open(lock_path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise RegistryError(f"cannot open {lock_path}: {error.strerror}") from None
        try:
            # flock belongs to this opening of the file, so two runs in one process exclude each other as well; it falls
            # with the process however that ends.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise RunConflictError("another bulk run holds this registry") from None
        try:
            yield
        finally:
            os.close(handle)

    def copy(self, connection: sa.Connection, table: sa.Table, columns: ColumnLists) -> None:
        self._insert(connection, Rows(table, columns), "INSERT")

    def update(self, connection: sa.Connection, table: sa.Table, *, keys: ColumnLists, values: ColumnLists) -> int:
        assignments = ", ".join(f"{name} = ?" for name in values)
        conditions = " AND ".join(f"{name} = ?" for name in keys)
        cursor = _driver(connection).executemany(
            f"UPDATE {table.name} SET {assignments} WHERE {conditions}",
            zip(*values.values(), *keys.values(), strict=True),
        )
        return int(cursor.rowcount)

    def read_packed(
        self, connection: sa.Connection, query: sa.Select[Any], *, integers: int
    ) -> tuple[list[Integers], Bytes | None]:
        cursor = connection.execute(query).cursor
        rows = cursor.fetchall() if cursor is not None else []
        numbers = [np.fromiter([row[at] for row in rows], dtype=np.int64, count=len(rows)) for at in range(integers)]
        if len(query.selected_columns) == integers:
            return numbers, None
        return numbers, _matrix(b"".join([row[integers] for row in rows]), len(rows))

    def insert_together(self, connection: sa.Connection, parts: Sequence[Rows]) -> None:
        for part in parts:
            self._insert(connection, part, "INSERT OR IGNORE" if part.only_missing else "INSERT")

    def _insert(self, connection: sa.Connection, rows: Rows, verb: str) -> None:
        names = ", ".join(rows.columns)
        marks = ", ".join("?" * len(rows.columns))
        _driver(connection).executemany(
            f"{verb} INTO {rows.table.name} ({names}) VALUES ({marks})", zip(*rows.columns.values(), strict=True)
        )

    def lock_keys(self, connection: sa.Connection, keys: Sequence[int], *, all_keys: bool) -> None:
        """Nothing to do: a writing transaction began IMMEDIATE and is the only one."""

    def read_each(self, connection: sa.Connection, statement: Statement, keys: Keys, *rest: Any) -> Found:
        execute = _driver(connection).execute
        return [
            (place, *row)
            for place, key in enumerate(zip(*keys, strict=True))
            for row in execute(statement.sqlite, (*key, *rest))
        ]

    def read_together(self, connection: sa.Connection, *wanted: Look) -> list[Found]:
        return [self.read_each(connection, look.statement, look.keys, *look.rest) for look in wanted]

    def together(self, connection: sa.Connection) -> AbstractContextManager[Any]:
        """Nothing to do: there are no trips."""
        return nullcontext()

    def id_set(self, ids: Integers) -> sa.Select[Any]:
        text = "[" + ",".join(map(str, ids.tolist())) + "]"
        return sa.select(sa.func.json_each(text).table_valued("value").c.value)


class PostgresDialect(Dialect):
    """A server; bulk rows go by binary COPY."""

    name = "postgresql"

    def check_target(self, *, create: bool) -> None:
        """Nothing to do: a server answers for itself when the first connection is made."""

    def engine(self) -> sa.Engine:
        url = self.url.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, hide_parameters=True, pool_size=_CONNECTIONS)
        _ping_after_rest(engine)
        return engine

    def reader_options(self) -> dict[str, Any]:
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

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
                    raise RunConflictError("another bulk run holds this registry")
                time.sleep(0.02)
            try:
                yield
            finally:
                # Closing the session frees the lock even where a polite unlock could not be sent any more.
                connection.invalidate()

    def copy(self, connection: sa.Connection, table: sa.Table, columns: ColumnLists) -> None:
        if len(next(iter(columns.values()))) <= _FEW_ROWS:
            with _driver(connection).cursor() as cursor:
                _insert_few(cursor, Rows(table, columns))
            return
        with _driver(connection).cursor() as cursor:
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
            with _driver(connection).cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table.name} SET {assignments}"
                    f" FROM unnest({arrays}) AS staged({', '.join(columns)}) WHERE {conditions}",
                    [_array(row) for row in rows],
                )
                return int(cursor.rowcount)
        with _driver(connection).cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE staged ({shape}) ON COMMIT DROP")
            _copy(cursor, "staged", targets, columns)
            cursor.execute("ANALYZE staged")
            cursor.execute(f"UPDATE {table.name} SET {assignments} FROM staged WHERE {conditions}")
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
        matrix = _matrix(packed, count) if count else np.empty((0, 8 * integers), dtype=np.uint8)
        words = np.ascontiguousarray(matrix[:, : 8 * integers]).view(">i8").reshape(count, integers)
        numbers = [words[:, at].astype(np.int64) for at in range(integers)]
        return numbers, np.ascontiguousarray(matrix[:, 8 * integers :]) if len(columns) > integers else None

    def insert_together(self, connection: sa.Connection, parts: Sequence[Rows]) -> None:
        with _driver(connection).pipeline(), _driver(connection).cursor() as cursor:
            for part in parts:
                _insert_few(cursor, part)

    def lock_keys(self, connection: sa.Connection, keys: Sequence[int], *, all_keys: bool) -> None:
        with _driver(connection).cursor() as cursor:
            if all_keys:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ALL_KEYS_LOCK])
            else:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock_shared(%s) UNION ALL"
                    " SELECT pg_advisory_xact_lock(key) FROM unnest(%s::int8[]) AS key",
                    [_ALL_KEYS_LOCK, _array(keys)],
                )

    def read_each(self, connection: sa.Connection, statement: Statement, keys: Keys, *rest: Any) -> Found:
        with _driver(connection).cursor(binary=True) as cursor:
            cursor.execute(statement.postgresql, [*map(_array, keys), *rest], prepare=True)
            found: Found = cursor.fetchall()
            return found

    def read_together(self, connection: sa.Connection, *wanted: Look) -> list[Found]:
        driver = _driver(connection)
        with driver.pipeline():
            # Plans made while tables are small read all of them for every key, and are kept while they grow.
            driver.execute(_PLAIN_PLANS)
            cursors = [driver.cursor(binary=True) for _ in wanted]
            for cursor, look in zip(cursors, wanted, strict=True):
                cursor.execute(look.statement.postgresql, [*map(_array, look.keys), *look.rest], prepare=True)
            return [cursor.fetchall() for cursor in cursors]

    def together(self, connection: sa.Connection) -> AbstractContextManager[Any]:
        pipeline: AbstractContextManager[Any] = _driver(connection).pipeline()
        return pipeline

    def id_set(self, ids: Integers) -> sa.Select[Any]:
        return sa.select(sa.func.unnest(sa.cast(ids.tolist(), ARRAY(sa.BigInteger))))


_DIALECTS: dict[str, type[Dialect]] = {"sqlite": SqliteDialect, "postgresql": PostgresDialect}

_COPY_TYPES: dict[type[Any], str] = {
    sa.BigInteger: "int8",
    sa.Integer: "int4",
    sa.SmallInteger: "int2",
    sa.Double: "float8",
    sa.Text: "text",
    sa.LargeBinary: "bytea",
}


def dialect_for(url: str) -> Dialect:
    """The dialect of `sqlite:///path` or `postgresql://user@host/database`. Raises InvalidInputError for others."""
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidInputError("a registry URL looks like sqlite:///path or postgresql://user@host/database") from None
    if parsed.drivername not in _DIALECTS:
        raise InvalidInputError(f"a registry URL begins with sqlite:/// or postgresql://, not {parsed.drivername}")
    return _DIALECTS[parsed.drivername](parsed)


def append_only_ddl(dialect: str, table: str) -> list[str]:
    """Statements, for the dialect of that name, that make the database refuse UPDATE and DELETE on a table."""
    if dialect == SqliteDialect.name:
        return [
            f"CREATE TRIGGER tr_{table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'table {table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION fn_{table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'table {table} is append-only'; END $$",
        f"CREATE TRIGGER tr_{table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION fn_{table}_append_only()",
    ]


def database_error(error: Exception) -> RegistryError:
    """One line for a driver's error: what the database said first, without the rows' values that follow it.

    A database that crashed, was stopped or cannot be reached is told apart from one that refuses. The metadata hold
    `fault` "values" where it refuses what it was given and would take other rows.
    """
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    metadata: dict[str, str] = {}
    text = str(cause)
    if isinstance(cause, psycopg.Error):
        text = cause.diag.message_primary or text
        if cause.sqlstate:
            metadata["sqlstate"] = cause.sqlstate
        if cause.diag.constraint_name:
            metadata["constraint"] = cause.diag.constraint_name
    if isinstance(cause, _OF_A_VALUE):
        metadata["fault"] = "values"
    line = text.strip().splitlines()[0] if text.strip() else type(cause).__name__
    if isinstance(cause, psycopg.OperationalError) and metadata.get("sqlstate", "08")[:3] in _GONE:
        message = f"the registry's database is gone: {line}; run the same command again when it is back"
        return RegistryError(message, metadata=metadata)
    return RegistryError(f"the registry's database refused: {line}", metadata=metadata)


def _driver(connection: sa.Connection) -> Any:
    """The driver's own connection, inside the same transaction."""
    return connection.connection.driver_connection


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


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # The driver begins nothing by itself; `_begin_sqlite` does.
    for pragma in (
        "page_size = 8192",  # Only for a new file: rows of half a kilobyte load a fifth faster than with 4096.
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    # Readers come by the dozen in one process, and find what they seldom read twice in the system's own cache.
    connection.exec_driver_sql(f"PRAGMA cache_size = {_READER_CACHE if read_only else _WRITER_CACHE}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


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


def _matrix(packed: bytes, count: int) -> Bytes:
    """Equally long byte strings, joined, as uint8[count, width]."""
    if count == 0:
        return np.empty((0, 0), dtype=np.uint8)
    if len(packed) % count:
        raise RegistryError("the registry holds rows of unequal width where one width was expected")
    return np.frombuffer(packed, dtype=np.uint8).reshape(count, -1)
