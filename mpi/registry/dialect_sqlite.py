"""SQLite as a registry's database: one file, WAL, one writer at a time."""

# ruff: noqa: D102 (the methods are described once, in `Dialect`)

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from mpi.domain.errors import InvalidInputError, RegistryError, RunConflictError
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

_BUSY_SECONDS = 30.0
_READER_CACHE, _WRITER_CACHE = -8_192, -65_536  # Kilobytes, written as SQLite wants them.


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

    def engine(self, purpose: Purpose, *, few_rows: bool) -> sa.Engine:
        engine = sa.create_engine(
            self.url,
            hide_parameters=True,
            pool_size=CONNECTIONS,
            pool_use_lifo=True,
            connect_args={"timeout": _BUSY_SECONDS},
        )
        # Readers come by the dozen in one process, and find what they seldom read twice in the system's own cache.
        cache = _WRITER_CACHE if purpose is Purpose.WRITING else _READER_CACHE

        def prepare(driver: Any, _record: Any) -> None:
            _prepare(driver, cache)

        def begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if purpose is Purpose.WRITING else "BEGIN")

        sa.event.listen(engine, "connect", prepare)
        sa.event.listen(engine, "begin", begin)
        return engine

    def doubt(self, engine: sa.Engine) -> None:
        """Nothing to do: a file is not lost for one connection alone."""

    def begin_looking(self, driver: Any) -> None:
        driver.execute("BEGIN")

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
            raise RunConflictError(BULK_LOCK_TAKEN) from None
        try:
            yield
        finally:
            os.close(handle)

    def copy(self, connection: sa.Connection, table: sa.Table, columns: ColumnLists) -> None:
        self._insert(connection, Rows(table, columns), "INSERT")

    def update(self, connection: sa.Connection, changes: Changes) -> int:
        assignments = ", ".join(f"{name} = ?" for name in changes.values)
        conditions = " AND ".join(f"{name} = ?" for name in changes.keys)
        cursor = driver_of(connection).executemany(
            f"UPDATE {changes.table.name} SET {assignments} WHERE {conditions}",
            zip(*changes.values.values(), *changes.keys.values(), strict=True),
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
        return numbers, matrix_of(b"".join([row[integers] for row in rows]), len(rows))

    def write_together(self, connection: sa.Connection, parts: Sequence[Rows | Changes]) -> None:
        for part in parts:
            if isinstance(part, Rows):
                self._insert(connection, part, "INSERT OR IGNORE" if part.only_missing else "INSERT")
            else:
                self.update(connection, part)

    def _insert(self, connection: sa.Connection, rows: Rows, verb: str) -> None:
        names = ", ".join(rows.columns)
        marks = ", ".join("?" * len(rows.columns))
        driver_of(connection).executemany(
            f"{verb} INTO {rows.table.name} ({names}) VALUES ({marks})", zip(*rows.columns.values(), strict=True)
        )

    def lock_keys(self, driver: Any, keys: Sequence[int], *, all_keys: bool) -> None:
        """Nothing to do: a writing transaction began IMMEDIATE and is the only one."""

    def read(self, driver: Any, statement: Statement, keys: Keys, *rest: Any) -> Found:
        found: Found = driver.execute(statement.sqlite, (_json(keys), *rest) if keys else rest).fetchall()
        return found

    def id_set(self, ids: Integers) -> sa.Select[Any]:
        text = "[" + ",".join(map(str, ids.tolist())) + "]"
        return sa.select(sa.func.json_each(text).table_valued("value").c.value)


def _json(keys: Keys) -> str:
    """Keys as a JSON array, the quick way for whole numbers."""
    if len(keys) > 1:
        return json.dumps(list(zip(*keys, strict=True)))
    if all(type(key) is int for key in keys[0]):
        return f"[{','.join(map(str, keys[0]))}]"
    return json.dumps(list(keys[0]))


def _prepare(driver: Any, cache: int) -> None:
    driver.isolation_level = None  # The driver begins nothing by itself; the engine does.
    for pragma in (
        f"cache_size = {cache}",
        "page_size = 8192",  # Only for a new file: rows of half a kilobyte load a fifth faster than with 4096.
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        driver.execute(f"PRAGMA {pragma}")
