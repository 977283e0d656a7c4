"""Opening a registry, its secret, its transactions and its bulk lock; every refusal is one plain line."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from mpi.domain.errors import InvalidInputError, RegistryError, RegistrySecretError, RunConflictError
from mpi.registry import source_records
from mpi.registry.dialect import Purpose
from mpi.registry.dialects import dialect_for
from mpi.registry.events import last_revision
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret, default_secret_path
from mpi.registry.tables import registry_setting
from tests.registry.rows import store_persons, store_records

SECRET = RegistrySecret(bytes(range(16)))
OTHER = RegistrySecret(bytes(16))

HOLD_THE_LOCK = """
import sys
from mpi.registry.registry import Registry
with Registry.open(sys.argv[1], secret=None, create=False) as registry, registry.lock_for_bulk():
    print("held", flush=True)
    sys.stdin.read()
"""

WRITE_HALF_A_BATCH = """
import sys
from mpi.registry.registry import Registry
from tests.registry.rows import store_persons, store_records
with Registry.open(sys.argv[1], secret=None, create=False) as registry, registry.begin() as uow:
    records = store_records(uow, [f"r{number}" for number in range(20_000)])
    store_persons(uow, [[int(record)] for record in records])
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def secret_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where secrets of PostgreSQL registries go in this test and its subprocesses."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def _start(script: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_open_creates_migrates_and_opens_again(empty_url: str, secret_home: Path) -> None:
    with pytest.raises(RegistryError, match="there is no registry"):
        Registry.open(empty_url, secret=None, create=False)
    with Registry.open(empty_url, secret=None, create=True) as registry:
        key = registry.secret
        with registry.begin() as uow:
            store_records(uow, ["a"])
    for create in (False, True):
        with Registry.open(empty_url, secret=None, create=create) as registry, registry.snapshot() as uow:
            assert registry.secret == key
            assert source_records.count(uow) == 1


def test_the_secret_lies_outside_the_database_for_its_owner_alone(empty_url: str, secret_home: Path) -> None:
    path = default_secret_path(dialect_for(empty_url).url)
    with Registry.open(empty_url, secret=None, create=True) as registry:
        assert path.read_text().strip() == registry.secret.hex()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with registry.snapshot() as uow:
            stored = uow.connection.scalars(sa.select(registry_setting.c.value)).all()
        assert registry.secret.hex() not in "".join(stored)
        assert repr(RegistrySecret(registry.secret)).count(registry.secret.hex()) == 0
    assert list(path.parent.glob("*.secret*")) == [path]


def test_another_secret_is_refused(registry_url: str, secret_home: Path) -> None:
    Registry.open(registry_url, secret=SECRET, create=False).close()
    with pytest.raises(RegistrySecretError, match="not the secret"):
        Registry.open(registry_url, secret=OTHER, create=True)
    with pytest.raises(RegistrySecretError, match="is missing"):
        Registry.open(registry_url, secret=None, create=True)
    Registry.open(registry_url, secret=SECRET, create=False).close()


def test_a_database_used_for_something_else_is_refused(empty_url: str) -> None:
    engine = dialect_for(empty_url).engine(Purpose.WRITING, few_rows=False)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE theirs (a integer)"))
    engine.dispose()
    with pytest.raises(RegistryError, match="not empty and holds no registry"):
        Registry.open(empty_url, secret=SECRET, create=True)


def test_a_registry_of_a_newer_version_is_refused(registry_url: str) -> None:
    engine = dialect_for(registry_url).engine(Purpose.WRITING, few_rows=False)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for create in (False, True):
        with pytest.raises(RegistryError, match="newer version"):
            Registry.open(registry_url, secret=SECRET, create=create)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://host/db", "begins with sqlite:/// or postgresql://"),
        ("nonsense", "looks like"),
        ("sqlite://", "needs a file"),
        ("sqlite:////nowhere/at/all/registry.db", "cannot open"),
        ("postgresql://mpi:hunter2@127.0.0.1:1/mpi", "refused"),
    ],
)
def test_what_cannot_be_opened_is_one_plain_line(url: str, words: str) -> None:
    with pytest.raises((RegistryError, InvalidInputError), match=words) as refused:
        Registry.open(url, secret=SECRET, create=True)
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_no_database_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("not a database at all, but a letter to my aunt" * 100)
    before = path.read_bytes()
    with pytest.raises(RegistryError, match="not a database"):
        Registry.open(f"sqlite:///{path}", secret=SECRET, create=True)
    assert path.read_bytes() == before


def test_an_sqlite_registry_is_its_owner_s_alone(tmp_path: Path) -> None:
    with Registry.open(f"sqlite:///{tmp_path}/r.db", secret=SECRET, create=True) as registry, registry.begin() as uow:
        store_records(uow, ["a"])
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
        assert uow.connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert uow.connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert uow.connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_failed_unit_of_work_leaves_nothing(registry: Registry) -> None:
    with pytest.raises(ZeroDivisionError), registry.begin() as uow:
        _ = len(store_records(uow, ["a"])) / 0
    with registry.snapshot() as uow:
        assert source_records.count(uow) == 0


def test_a_snapshot_sees_one_moment_and_cannot_write(registry: Registry) -> None:
    with registry.snapshot() as reader:
        assert source_records.count(reader) == 0
        with registry.begin() as writer:
            store_records(writer, ["a"])
        assert source_records.count(reader) == 0
    with registry.snapshot() as reader:
        assert source_records.count(reader) == 1


def test_one_bulk_run_at_a_time(registry_url: str, secret_home: Path) -> None:
    with Registry.open(registry_url, secret=None, create=False) as registry:
        other = _start(HOLD_THE_LOCK, registry_url)
        try:
            assert _said(other) == "held"
            with pytest.raises(RunConflictError, match="another bulk run"), registry.lock_for_bulk():
                pass
        finally:
            _kill(other)
        with registry.lock_for_bulk(), pytest.raises(RunConflictError), registry.lock_for_bulk():
            pass
        with registry.lock_for_bulk(), registry.begin() as uow:
            store_records(uow, ["a"])


def test_kill_9_in_a_bulk_transaction_leaves_nothing_of_it(registry_url: str, secret_home: Path) -> None:
    with Registry.open(registry_url, secret=None, create=False) as registry:
        with registry.begin() as uow:
            store_records(uow, ["before"])
        other = _start(WRITE_HALF_A_BATCH, registry_url)
        try:
            assert _said(other) == "written"
        finally:
            _kill(other)
        assert other.returncode == -9
        with registry.begin() as uow:
            assert source_records.count(uow) == 1
            assert last_revision(uow) == 0
            # Nothing is locked, and the numbers that died with it are given again.
            assert store_records(uow, ["after"]).tolist() == [2]
            assert store_persons(uow, [[1], [2]]).tolist() == [1, 2]
            assert last_revision(uow) == 2


def test_secrets_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET.key.hex())
    assert RegistrySecret.from_file(path) == SECRET
    for content in ("zz" * 16, "00" * 15, ""):
        path.write_text(content)
        with pytest.raises(RegistrySecretError):
            RegistrySecret.from_file(path)
    with pytest.raises(RegistrySecretError, match="cannot read"):
        RegistrySecret.from_file(tmp_path / "absent")
    assert SECRET.fingerprint() != OTHER.fingerprint()
    assert len({RegistrySecret.generate().key for _ in range(8)}) == 8


def test_the_default_place_of_a_secret_is_by_host_port_and_database(tmp_path: Path) -> None:
    def place(url: str) -> Path:
        return default_secret_path(dialect_for(url).url, data_home=tmp_path)

    assert place("postgresql://u:p@db.example/mpi") == place("postgresql://v:q@db.example:5432/mpi")
    others = ["postgresql://db.example/other", "postgresql://db.example:5433/mpi", "postgresql:///mpi?host=/run/a"]
    assert len({place(url) for url in ["postgresql://db.example/mpi", *others]}) == 4
    assert place("sqlite:////data/r.db") == Path("/data/r.db.secret")
