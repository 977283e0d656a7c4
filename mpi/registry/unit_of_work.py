"""One transaction: what every repository function takes. Repositories never commit; leaving `Registry.begin()` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa

from mpi.registry.codec import PersonalDataCodec
from mpi.registry.dialect import Changes, Dialect, Rows, driver_of
from mpi.registry.dialects import DATABASE_ERRORS, database_error


class Readable(Protocol):
    """What the look-ups of the hot path need of a transaction."""

    @property
    def driver(self) -> Any:
        """The driver's own connection."""

    @property
    def dialect(self) -> Dialect:
        """The dialect it speaks."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The driver alone, for the look-ups of the hot path: SQLAlchemy's part would take a tenth of a match's time."""

    driver: Any
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """An open transaction, the dialect it speaks, and the codec of personal data.

    With `later` bulk writes are only noted there, to be sent together by `bulk.send`.
    """

    connection: sa.Connection
    dialect: Dialect
    codec: PersonalDataCodec
    later: list[Rows | Changes] | None = None

    @property
    def driver(self) -> Any:
        """The driver's own connection, inside the same transaction."""
        return driver_of(self.connection)


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns what the database refuses into one-line RegistryErrors that repeat no row's values."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise database_error(error) from None


@contextmanager
def open_unit(engine: sa.Engine, dialect: Dialect) -> Iterator[UnitOfWork]:
    """Commits when the block ends, rolls back when it raises. Raises RegistryError for what the database refuses."""
    with database_errors(), engine.begin() as connection:
        yield UnitOfWork(connection, dialect, PersonalDataCodec())


@contextmanager
def open_reading(engine: sa.Engine, dialect: Dialect) -> Iterator[Reading]:
    """A driver of an engine for looking. Raises RegistryError for what the database refuses.

    Where it fails the connection is thrown away and the others are doubted: what broke one may have broken them.
    """
    with database_errors():
        pooled = engine.raw_connection()
        try:
            driver = pooled.driver_connection
            dialect.begin_looking(driver)
            yield Reading(driver, dialect)
        except DATABASE_ERRORS:
            pooled.invalidate()
            dialect.doubt(engine)
            raise
        finally:
            # the pool rolls back, which is all that the end of looking needs
            pooled.close()


def now_text() -> str:
    """The present moment as the registry writes it: ISO 8601, UTC, microseconds."""
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """A moment with a zone as the registry writes it: texts sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
