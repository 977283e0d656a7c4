"""One transaction: what every repository function takes. Repositories never commit; leaving `Registry.begin()` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from mpi.registry.codec import PersonalDataCodec
from mpi.registry.dialect import Dialect, Rows
from mpi.registry.dialects import DATABASE_ERRORS, database_error


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """An open transaction, the dialect it speaks, and the codec of personal data.

    With `later` bulk inserts are only noted there, to be sent together by `bulk.send`.
    """

    connection: sa.Connection
    dialect: Dialect
    codec: PersonalDataCodec
    later: list[Rows] | None = None


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns what the database refuses into one-line RegistryErrors that repeat no row's values."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise database_error(error) from None


@contextmanager
def open_unit(engine: sa.Engine, dialect: Dialect, *, read_only: bool) -> Iterator[UnitOfWork]:
    """Commits when the block ends, rolls back when it raises. Raises RegistryError for what the database refuses."""
    with database_errors(), engine.connect() as connection:
        if read_only:
            connection = connection.execution_options(**dialect.reader_options())
        with connection.begin():
            yield UnitOfWork(connection, dialect, PersonalDataCodec())


def now_text() -> str:
    """The present moment as the registry writes it: ISO 8601, UTC, microseconds."""
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """A moment with a zone as the registry writes it: texts sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
