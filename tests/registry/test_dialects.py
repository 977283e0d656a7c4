"""The hot path goes past SQLAlchemy: its statements are prepared, refused and lost without it, and work again after."""

from collections.abc import Iterator

import numpy as np
import psycopg
import pytest

from mpi.domain.errors import RegistryError
from mpi.registry import bulk, judgements, online, tables
from mpi.registry.counters import Counters, allocate
from mpi.registry.dialect import Statement
from mpi.registry.migrate import migrate
from mpi.registry.online import Numbers
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import Readable
from tests.postgres import PostgresServer, postgres_server
from tests.registries import SECRET

NONSENSE = Statement(sqlite="SELECT nonsense", postgresql="SELECT nonsense")
HALVED = Statement(sqlite="SELECT json_extract('[', '$')", postgresql="SELECT 1 / 0")


class _FailedError(Exception):
    """What rolls a transaction back."""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of its own, to be stopped: what was committed must be there afterwards."""
    with postgres_server() as started:
        yield started


def _reads(reading: Readable) -> None:
    """Two statements of the hot path, one of them about keys."""
    assert online.numbers_now(reading) == Numbers(0, 0, 0)
    assert judgements.about(reading, [1, 2]) == []


def _fail(registry: Registry) -> None:
    with registry.begin() as uow:
        _reads(uow)
        allocate(uow, Counters(record=1))
        raise _FailedError


def test_transactions_that_are_rolled_back_leave_connections_that_work(registry: Registry) -> None:
    for _ in range(3):
        with pytest.raises(_FailedError):
            _fail(registry)
        with registry.begin() as uow:
            _reads(uow)
    with registry.look() as reading:
        _reads(reading)


def test_a_bulk_update_leaves_a_connection_that_works(registry: Registry) -> None:
    """On PostgreSQL it makes and drops a table: the driver must not forget the hot path's statements over it."""
    codes = np.arange(1_500)
    with registry.begin() as uow:
        _reads(uow)
        bulk.insert(uow, tables.capped_value, {"standard_column": bulk.Every("phones"), "code": codes})
        for to in ("number", "phones"):
            keys = {"code": codes}
            assert bulk.update(uow, tables.capped_value, keys=keys, values={"standard_column": bulk.Every(to)}) == 1_500
            _reads(uow)
    with registry.begin() as uow:
        _reads(uow)


@pytest.mark.parametrize("broken", [NONSENSE, HALVED], ids=["unknown", "fails"])
def test_a_statement_that_is_refused_spoils_no_connection(broken: Statement, registry: Registry) -> None:
    for _ in range(3):
        with pytest.raises(RegistryError, match="the registry's database refused: "), registry.look() as reading:
            reading.dialect.read(reading.driver, broken, ())
        with registry.look() as reading:
            _reads(reading)
        with pytest.raises(RegistryError, match="the registry's database refused: "), registry.begin() as uow:
            uow.dialect.read(uow.driver, broken, ())
        with registry.begin() as uow:
            _reads(uow)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_lost_connection_is_told_and_made_anew(mode: str, server: PostgresServer) -> None:
    url = server.create_database("lost")
    migrate(url)
    with Registry.open(url, secret=SECRET, create=False) as registry:
        for opened in (registry.look, registry.snapshot, registry.begin):
            with opened() as reading:
                _reads(reading)
        server.stop(mode)
        for opened in (registry.look, registry.snapshot, registry.begin) * 2:
            with pytest.raises(RegistryError, match="the registry's database is gone: "), opened() as reading:
                _reads(reading)
        server.start()
        for opened in (registry.look, registry.snapshot, registry.begin):
            with opened() as reading:
                _reads(reading)


@pytest.mark.parametrize("way", ["look", "snapshot", "begin"])
def test_a_connection_that_is_lost_while_it_is_used(way: str, server: PostgresServer) -> None:
    url = server.create_database("lost")
    migrate(url)
    with Registry.open(url, secret=SECRET, create=False) as registry:
        opened = getattr(registry, way)

        def lose() -> None:
            with opened() as reading:
                _reads(reading)
                server.stop("immediate")
                _reads(reading)

        with pytest.raises(RegistryError, match="the registry's database is gone: "):
            lose()
        server.start()
        with opened() as reading:
            _reads(reading)


def test_whoever_holds_the_bulk_lock_holds_no_transaction_open(server: PostgresServer) -> None:
    """A transaction that stays open for the hours of a run may be ended by the server, and the lock with it."""
    url = server.create_database("registry")
    migrate(url)
    others = "SELECT state FROM pg_stat_activity WHERE datname = 'registry' AND pid <> pg_backend_pid()"
    with (
        Registry.open(url, secret=SECRET, create=False) as registry,
        registry.lock_for_bulk(),
        psycopg.connect(url, autocommit=True) as connection,
    ):
        states = [state for (state,) in connection.execute(others)]
    assert states
    assert set(states) == {"idle"}
