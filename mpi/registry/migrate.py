"""Brings a database to this version's schema, in one transaction: all of it or nothing.

Callable from code alone; there is no alembic.ini. Nothing migrates unless somebody asks.
"""

from pathlib import Path

import sqlalchemy as sa

from mpi.domain.errors import RegistryError
from mpi.registry.dialect import Dialect, Purpose
from mpi.registry.dialects import dialect_for
from mpi.registry.unit_of_work import database_errors

SCHEMA_VERSION = "0004"
"""The schema version that this code works with: the newest file in migrations/versions."""

SCRIPTS = Path(__file__).parent / "migrations"

_stored = sa.table("alembic_version", sa.column("version_num", sa.Text()))


def stored_version(connection: sa.Connection) -> str | None:
    """The schema version of a database; None when it holds no registry."""
    if not sa.inspect(connection).has_table(_stored.name):
        return None
    return connection.scalar(sa.select(_stored.c.version_num))


def check_version(connection: sa.Connection) -> None:
    """Raises RegistryError when the database does not have exactly this version's schema."""
    stored = stored_version(connection)
    if stored is None:
        raise RegistryError("there is no registry in this database: it has not been migrated")
    if stored != SCHEMA_VERSION:
        advice = "migrate it first" if stored < SCHEMA_VERSION else "it was made by a newer version of this program"
        raise RegistryError(f"the registry has schema {stored}, this program needs {SCHEMA_VERSION}: {advice}")


def migrate_connection(connection: sa.Connection, dialect: Dialect) -> None:
    """Migrates inside the caller's transaction. Raises RegistryError for a database that is used for something else."""
    dialect.lock_schema(connection)
    stored = stored_version(connection)
    if stored is None and sa.inspect(connection).get_table_names():
        raise RegistryError("the database is not empty and holds no registry: give an empty one")
    if stored is None or stored < SCHEMA_VERSION:
        upgrade(connection)
    check_version(connection)


def upgrade(connection: sa.Connection, target: str = "head") -> None:
    """Runs the migrations up to a schema version, the newest unless said otherwise, in the caller's transaction."""
    # Imported when needed: every command opens a registry, hardly any migrates one, and this takes half a second.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def migrate(url: str) -> None:
    """Creates the registry's tables in an empty database, or brings an older registry up to date; else changes nothing.

    Raises RegistryError when the database is unreachable, of a newer version, or used for something else.
    """
    dialect = dialect_for(url)
    dialect.check_target(create=True)
    engine = dialect.engine(Purpose.WRITING, few_rows=False)
    try:
        with database_errors(), engine.begin() as connection:
            migrate_connection(connection, dialect)
    finally:
        engine.dispose()
