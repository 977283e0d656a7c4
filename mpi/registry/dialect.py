"""What the registry needs of a database: one object a registry, the same questions for SQLite and PostgreSQL."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import RegistryError

BULK_LOCK_TAKEN = "another bulk run holds this registry"

CONNECTIONS = 20
"""Connections that a registry keeps."""

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
ColumnLists = Mapping[str, Sequence[Any]]


class Purpose(Enum):
    """What an engine is for.

    Writers exclude each other on SQLite (BEGIN IMMEDIATE) and run side by side on PostgreSQL (READ COMMITTED). A
    snapshot is a transaction that sees one moment and cannot write. Those who look run a few statements as fast as can
    be: on PostgreSQL each sees its own moment, for every trip to the server counts.
    """

    WRITING = "writing"
    SNAPSHOT = "snapshot"
    LOOKING = "looking"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to be appended to a table, by column; with `only_missing` those whose primary key is there already stay."""

    table: sa.Table
    columns: ColumnLists
    only_missing: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows of a table to be changed: `values` are set where `keys` are equal, row by row of the columns."""

    table: sa.Table
    keys: ColumnLists
    values: ColumnLists


Keys = Sequence[Sequence[Any]]
Found = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the hot path, which is run once for all keys that it is about.

    `sqlite` finds the keys in one JSON array (`json_each(?1)`, a JSON array a key where they have several columns),
    `postgresql` in an array a column (`unnest(%s, ...)`); further values follow.
    """

    sqlite: str
    postgresql: str


class Dialect(ABC):
    """What the registry needs of a database. One object a registry; connections are passed in."""

    name: ClassVar[str]

    def __init__(self, url: sa.URL) -> None:
        self.url = url

    @abstractmethod
    def check_target(self, *, create: bool) -> None:
        """Refuses a target that cannot be opened, and with `create` makes room for it. Raises RegistryError."""

    @abstractmethod
    def engine(self, purpose: Purpose, *, few_rows: bool) -> sa.Engine:
        """A new engine. `few_rows` promises that every statement asks for few rows by their keys."""

    @abstractmethod
    def doubt(self, engine: sa.Engine) -> None:
        """A connection of an engine was lost: the others are tried before they are used again."""

    @abstractmethod
    def begin_looking(self, driver: Any) -> None:
        """Begins to look, on the driver of an engine for it; a roll back ends it."""

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
    def update(self, connection: sa.Connection, changes: Changes) -> int:
        """Changes rows; returns how many were changed."""

    @abstractmethod
    def read_packed(
        self, connection: sa.Connection, query: sa.Select[Any], *, integers: int
    ) -> tuple[list[Integers], Bytes | None]:
        """Reads a query's rows as arrays: `integers` whole-number columns first, then at most one blob column.

        The query must order its rows by its first column. Returns int64[n] a column and uint8[n, width] (None without a
        blob column). All blobs of one reading have one width.
        """

    @abstractmethod
    def write_together(self, connection: sa.Connection, parts: Sequence[Rows | Changes]) -> None:
        """Writes a little into several tables, in order, in one trip to the database. No row may be written twice."""

    @abstractmethod
    def lock_keys(self, driver: Any, keys: Sequence[int], *, all_keys: bool) -> None:
        """Holds 64-bit keys, given in ascending order, against other writers until the transaction ends.

        `all_keys` holds every key there is, whoever asks for it. Waits for others; whoever takes keys takes them once,
        and before any row is locked.
        """

    @abstractmethod
    def read(self, driver: Any, statement: "Statement", keys: "Keys", *rest: Any) -> "Found":
        """Runs a statement of the hot path on the driver itself; gives its rows, in no order.

        `keys` are equally long columns, none at all for a statement without keys; `rest` are further values.
        """

    @abstractmethod
    def id_set(self, ids: Integers) -> sa.Select[Any]:
        """A one-column select of many ids, for `column.in_(...)`."""


def driver_of(connection: sa.Connection) -> Any:
    """The driver's own connection, inside the same transaction."""
    return connection.connection.driver_connection


def matrix_of(packed: bytes, count: int) -> Bytes:
    """Equally long byte strings, joined, as uint8[count, width]."""
    if count == 0:
        return np.empty((0, 0), dtype=np.uint8)
    if len(packed) % count:
        raise RegistryError("the registry holds rows of unequal width where one width was expected")
    return np.frombuffer(packed, dtype=np.uint8).reshape(count, -1)
