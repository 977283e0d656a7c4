"""Fast writers: equally long columns in, rows out, inside the caller's transaction.

PostgreSQL takes them by binary COPY, SQLite by executemany on the driver's connection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError
from mpi.registry.dialect import Changes, Rows
from mpi.registry.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Every:
    """The same value in every row of a column."""

    value: Any


Column = NDArray[Any] | Sequence[Any] | Every
"""int64[n], float64[n], uint8[n, width] (one byte string a row), a sequence of n plain values, or one for all."""


def insert(uow: UnitOfWork, table: sa.Table, columns: Mapping[str, Column]) -> int:
    """Appends rows; returns how many. Raises InvalidInputError when the columns differ in length."""
    count = _count(columns)
    if count and uow.later is not None:
        uow.later.append(Rows(table, _lists(columns, count)))
    elif count:
        uow.dialect.copy(uow.connection, table, _lists(columns, count))
    return count


def insert_missing(uow: UnitOfWork, table: sa.Table, columns: Mapping[str, Column]) -> None:
    """Appends the rows whose primary key is not there yet; fit for some hundreds of rows."""
    count = _count(columns)
    rows = Rows(table, _lists(columns, count), only_missing=True)
    if count and uow.later is not None:
        uow.later.append(rows)
    elif count:
        uow.dialect.write_together(uow.connection, [rows])


def send(uow: UnitOfWork) -> None:
    """Writes what the unit of work has noted for later, in one trip to the database, in the order of the notes."""
    if uow.later:
        uow.dialect.write_together(uow.connection, uow.later)
        uow.later.clear()


def update(uow: UnitOfWork, table: sa.Table, *, keys: Mapping[str, Column], values: Mapping[str, Column]) -> int:
    """Sets `values` in the rows whose `keys` are equal; returns how many rows there were.

    Raises InvalidInputError when the columns differ in length.
    """
    changes = _changes(table, keys, values)
    return uow.dialect.update(uow.connection, changes) if changes else 0


def update_later(uow: UnitOfWork, table: sa.Table, *, keys: Mapping[str, Column], values: Mapping[str, Column]) -> None:
    """As `update`, for those who need not know how many rows there were: may be sent with others."""
    changes = _changes(table, keys, values)
    if changes and uow.later is not None:
        uow.later.append(changes)
    elif changes:
        uow.dialect.update(uow.connection, changes)


def _changes(table: sa.Table, keys: Mapping[str, Column], values: Mapping[str, Column]) -> Changes | None:
    count = _count({**keys, **values})
    return Changes(table, _lists(keys, count), _lists(values, count)) if count else None


def optional(values: NDArray[Any] | None, missing: NDArray[np.bool_] | None = None) -> Column:
    """A numeric column whose missing places become NULL: NaN, numbers below zero in integers, or those marked."""
    if values is None:
        return Every(None)
    if missing is None:
        missing = np.isnan(values) if values.dtype.kind == "f" else values < 0
    boxed = values.astype(object)
    boxed[missing] = None
    return list(boxed.tolist())


def as_bytes(rows: NDArray[np.uint8]) -> list[bytes]:
    """uint8[n, width] as n byte strings."""
    count, width = rows.shape
    if width == 0:
        return [b""] * count
    return list(np.ascontiguousarray(rows).view(f"V{width}").ravel().tolist())


def _count(columns: Mapping[str, Column]) -> int:
    lengths = {len(column) for column in columns.values() if not isinstance(column, Every)}
    if len(lengths) != 1:
        raise InvalidInputError(f"columns of a bulk write must be equally long, these have {sorted(lengths)} rows")
    return lengths.pop()


def _lists(columns: Mapping[str, Column], count: int) -> dict[str, Sequence[Any]]:
    return {name: _list(column, count) for name, column in columns.items()}


def _list(column: Column, count: int) -> Sequence[Any]:
    if isinstance(column, Every):
        return [column.value] * count
    if isinstance(column, np.ndarray):
        return as_bytes(column) if column.ndim == 2 else list(column.tolist())
    return column
