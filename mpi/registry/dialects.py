"""Which database a URL means, and what else SQLite and PostgreSQL do differently outside their `Dialect`.

No other module asks which database it is on. Errors leave here as one line without values of rows.
"""

import sqlite3

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from mpi.domain.errors import InvalidInputError, RegistryError
from mpi.registry.dialect import Dialect
from mpi.registry.dialect_postgresql import PostgresDialect
from mpi.registry.dialect_sqlite import SqliteDialect

DATABASE_ERRORS: tuple[type[Exception], ...] = (DBAPIError, sqlite3.Error, psycopg.Error)
"""What SQLAlchemy raises, and the drivers themselves in the bulk paths that go round it."""

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

_DIALECTS: dict[str, type[Dialect]] = {"sqlite": SqliteDialect, "postgresql": PostgresDialect}


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
