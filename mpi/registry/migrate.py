"""Brings a database to this version's schema, in one transaction: all of it or nothing.

Callable from code alone; there is no alembic.ini. Nothing migrates unless somebody asks.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from mpi.domain.errors import RegistryError
from mpi.registry.dialects import Dialect, database_error, dialect_for

_SCRIPTS = Path(__file__).parent / "migrations"


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest_version() -> str:
    """The schema version that this code works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def stored_version(connection: sa.Connection) -> str | None:
    """The schema version of a database; None when it holds no registry."""
    return MigrationContext.configure(connection).get_current_revision()


def check_version(connection: sa.Connection) -> None:
    """Raises RegistryError when the database does not have exactly this version's schema."""
    stored, newest = stored_version(connection), newest_version()
    if stored is None:
        raise RegistryError("there is no registry in this database: it has not been migrated")
    if stored != newest:
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        advice = "migrate it first" if stored in known else "it was made by a newer version of this program"
        raise RegistryError(f"the registry has schema {stored}, this program needs {newest}: {advice}")


def migrate_connection(connection: sa.Connection, dialect: Dialect) -> None:
    """Migrates inside the caller's transaction. Raises RegistryError for a database that is used for something else."""
    dialect.lock_schema(connection)
    stored = stored_version(connection)
    if stored == newest_version():
        return
    if stored is None and sa.inspect(connection).get_table_names():
        raise RegistryError("the database is not empty and holds no registry: give an empty one")
    if stored is not None and stored not in {
        s.revision for s in ScriptDirectory.from_config(_config()).walk_revisions()
    }:
        check_version(connection)
    command.upgrade(_config(connection), "head")


def migrate(url: str) -> None:
    """Creates the registry's tables in an empty database, or brings an older registry up to date; else changes nothing.

    Raises RegistryError when the database is unreachable, of a newer version, or used for something else.
    """
    dialect = dialect_for(url)
    dialect.check_target(create=True)
    engine = dialect.engine()
    try:
        with engine.begin() as connection:
            migrate_connection(connection, dialect)
    except sa.exc.DBAPIError as error:
        raise database_error(error) from None
    finally:
        engine.dispose()
