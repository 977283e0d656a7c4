"""Opening a registry: its database, its secret, its transactions and the one bulk lock.

Nothing happens at import, and nothing is created or migrated unless `create` says so.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import TracebackType

import sqlalchemy as sa

from mpi.domain.errors import RegistrySecretError
from mpi.registry.dialect import Dialect, Purpose
from mpi.registry.dialects import dialect_for
from mpi.registry.migrate import check_version, migrate_connection
from mpi.registry.secret import RegistrySecret, default_secret_path, load_or_create
from mpi.registry.tables import registry_setting
from mpi.registry.unit_of_work import Reading, UnitOfWork, database_errors, open_reading, open_unit

_FINGERPRINT = "secret_fingerprint"
_STORED_FINGERPRINT = sa.select(registry_setting.c.value).where(registry_setting.c.key == _FINGERPRINT)


@dataclass(frozen=True, slots=True)
class _Engines:
    """A registry's engines, and what they were made for."""

    writing: sa.Engine
    snapshot: sa.Engine
    looking: sa.Engine
    few_rows: bool

    @classmethod
    def of(cls, dialect: Dialect, *, few_rows: bool) -> "_Engines":
        def engine(purpose: Purpose) -> sa.Engine:
            return dialect.engine(purpose, few_rows=few_rows)

        return cls(engine(Purpose.WRITING), engine(Purpose.SNAPSHOT), engine(Purpose.LOOKING), few_rows)

    def dispose(self) -> None:
        for engine in (self.writing, self.snapshot, self.looking):
            engine.dispose()


class Registry:
    """One open registry. Use `Registry.open`; close it, or use it as a context manager."""

    def __init__(self, dialect: Dialect, secret: RegistrySecret, engines: "_Engines") -> None:
        self._dialect = dialect
        self._secret = secret
        self._engines = engines

    @classmethod
    def open(cls, url: str, *, secret: RegistrySecret | None, create: bool, single_records: bool = False) -> "Registry":
        """Opens a registry and checks its schema and its secret.

        `create` makes the tables in an empty database and migrates an older registry. Without a `secret` the one at the
        default place is used, made there for a new registry. `single_records` promises that every statement is about
        few records, as a server's are: databases then plan for that.
        Raises InvalidInputError for a URL of another kind, RegistryError when the database is unreachable, not migrated
        or not a registry, RegistrySecretError when the secret is missing or another one.
        """
        dialect = dialect_for(url)
        dialect.check_target(create=create)
        engines = _Engines.of(dialect, few_rows=single_records)
        try:
            if create:
                with database_errors(), engines.writing.begin() as connection:
                    migrate_connection(connection, dialect)
            # Only reading, so that a registry opens at once while a bulk run is writing.
            with open_unit(engines.snapshot, dialect) as uow:
                check_version(uow.connection)
                stored = uow.connection.scalar(_STORED_FINGERPRINT)
            agreed = _agree_on_secret(dialect, secret, stored)
            if stored is None:
                _claim(engines.writing, dialect, agreed)
            return cls(dialect, agreed, engines)
        except BaseException:
            engines.dispose()
            raise

    @property
    def secret(self) -> bytes:
        """The 16 bytes that key hashes and enterprise IDs (a SipHash key)."""
        return self._secret.key

    @property
    def name(self) -> str:
        """The URL without its password, for messages."""
        return self._dialect.url.render_as_string(hide_password=True)

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """One writing transaction: committed when the block ends, rolled back when it raises.

        On SQLite it is the only one; on PostgreSQL (READ COMMITTED) others run beside it until they take numbers.
        Raises RegistryError for what the database refuses.
        """
        return open_unit(self._engines.writing, self._dialect)

    def snapshot(self) -> AbstractContextManager[UnitOfWork]:
        """One reading transaction that sees a single moment however long it lasts, and hinders no writer."""
        return open_unit(self._engines.snapshot, self._dialect)

    def look(self) -> AbstractContextManager[Reading]:
        """The driver alone, for a few look-ups as fast as can be. On PostgreSQL each sees its own moment."""
        return open_reading(self._engines.looking, self._dialect)

    @contextmanager
    def lock_for_bulk(self) -> Iterator[None]:
        """Holds the right to run a bulk job, across processes and hosts; freed when the process dies.

        Raises RunConflictError within a second when another run holds it.
        """
        with database_errors(), self._dialect.bulk_lock(self._engines.writing):
            yield

    def beside(self) -> "Registry":
        """The same registry with connections of its own, for work that must never wait for others' connections."""
        return Registry(self._dialect, self._secret, _Engines.of(self._dialect, few_rows=self._engines.few_rows))

    def close(self) -> None:
        """Closes every connection."""
        self._engines.dispose()

    def __enter__(self) -> "Registry":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _agree_on_secret(dialect: Dialect, secret: RegistrySecret | None, stored: str | None) -> RegistrySecret:
    """The secret given or found, checked against the stored fingerprint if there is one."""
    if secret is None:
        path = default_secret_path(dialect.url)
        if stored is not None and not path.exists():
            raise RegistrySecretError(f"the registry's secret is missing: it should be at {path}")
        secret = load_or_create(path)
    if stored is not None and stored != secret.fingerprint():
        raise RegistrySecretError("this is not the secret that the registry's keys were made with")
    return secret


def _claim(engine: sa.Engine, dialect: Dialect, secret: RegistrySecret) -> None:
    """Makes a secret the registry's own. Of two that come at once the first wins and the other is refused."""
    with open_unit(engine, dialect) as uow:
        dialect.lock_schema(uow.connection)
        stored = uow.connection.scalar(_STORED_FINGERPRINT)
        if stored is None:
            row = {"key": _FINGERPRINT, "value": secret.fingerprint()}
            uow.connection.execute(sa.insert(registry_setting).values(row))
        else:
            _agree_on_secret(dialect, secret, stored)
