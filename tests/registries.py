"""Registries for tests, on SQLite and on PostgreSQL: one server a test process, one database a test.

tests/conftest.py makes these fixtures known to every folder of tests.
"""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mpi.registry.migrate import migrate
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret
from tests.postgres import PostgresServer, postgres_server
from tests.used_databases import UsedDatabases

SECRET = RegistrySecret(bytes(range(16)))
_TEMPLATE = "registry_template"
_numbers = itertools.count()
_used: dict[Path, UsedDatabases] = {}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server that has a migrated registry to copy from; not durable, since no test pulls the plug on the machine."""
    with postgres_server(durable=False) as server:
        migrate(server.create_database(_TEMPLATE))
        _used[server.folder] = UsedDatabases(server, _TEMPLATE)
        yield server


@contextmanager
def migrated(server: PostgresServer) -> Iterator[str]:
    """A migrated registry of its own on the server of `postgres`, gone after the block."""
    with _used[server.folder].one() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated registry on SQLite, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "registry.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path}/registry.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"empty_{next(_numbers)}"
    yield server.create_database(name)
    server.drop_database(name)


@pytest.fixture
def registry_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated registry."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "registry.db")
        yield f"sqlite:///{tmp_path}/registry.db"
        return
    with migrated(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture
def registry(registry_url: str) -> Iterator[Registry]:
    with Registry.open(registry_url, secret=SECRET, create=False) as opened:
        yield opened
