"""How commands fail: exit codes by one table, one line on standard error, never a traceback."""

import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mpi.domain.errors as domain_errors
from mpi.cli import errors
from mpi.domain.errors import MpiError
from mpi.registry.registry import Registry
from tests.cli.conftest import City, Mpi

KINDS = [kind for kind in vars(domain_errors).values() if isinstance(kind, type) and issubclass(kind, MpiError)]


def expected_code(kind: type[MpiError]) -> int:
    """As the project promises: run conflicts before registries, what is not found apart from what is wrong."""
    if issubclass(kind, domain_errors.RunConflictError):
        return 5
    if issubclass(kind, domain_errors.RegistryError):
        return 3
    if issubclass(kind, domain_errors.NotFoundError):
        return 4
    return 2 if issubclass(kind, domain_errors.InvalidInputError) else 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_its_code_and_every_code_a_meaning(kind: type[MpiError]) -> None:
    code = errors.exit_code_of(kind("x"))
    assert code == expected_code(kind)
    assert errors.MEANINGS[code]


@pytest.fixture
def bad(tmp_path: Path, city: City) -> dict[str, Any]:
    """Files and registries with which something is wrong."""
    (tmp_path / "garbage.parquet").write_bytes(b"\0\1garbage" * 1000)
    (tmp_path / "wrong.csv").write_text("colour,shape\nred,round\n", encoding="utf-8")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "columns.parquet")
    (tmp_path / "broken" / "people" / "1.0.0").mkdir(parents=True)
    (tmp_path / "broken" / "people" / "1.0.0" / "rules.yaml").write_text("family: people\nversion: [\n")
    (tmp_path / "secret").write_text("not hexadecimal\n")
    (tmp_path / "map.yaml").write_text("sources:\n  student:\n    columns: {full_nam: Name}\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("dear")
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE mine (x)").connection.close()
    return {"tmp": tmp_path, "city": city.folder}


BAD_INPUT: list[tuple[str, int, str]] = [
    ("link --source Student={city}/student.parquet --db {db}", 2, "a source system's name"),
    ("link --source student={city}/student.parquet --source student={city}/student.parquet --db {db}", 2, "twice"),
    ("link --source student={tmp}/nothing.parquet --db {db}", 2, "there is no such file"),
    ("link --source student={tmp}/garbage.parquet --db {db}", 2, "garbage.parquet"),
    ("link --source student={tmp}/wrong.csv --db {db}", 2, "has no column source_record_id"),
    ("link --source student={city}/student.parquet --map {tmp}/map.yaml --db {db}", 2, "line 3"),
    ("link --source student={city}/student.parquet --rules nobody --db {db}", 4, "unknown rule family 'nobody'"),
    ("link --source student={city}/student.parquet --rules {tmp}/broken/people/1.0.0 --db {db}", 2, "rules.yaml"),
    ("link --source student={city}/student.parquet --db oracle://somewhere", 2, "sqlite:/// or postgresql://"),
    ("link --source student={city}/student.parquet --db postgresql://nobody@127.0.0.1:1/x", 3, "database is gone"),
    ("link --source student={city}/student.parquet --db sqlite:///{tmp}/other.db", 3, "holds no registry"),
    ("link --source student={city}/student.parquet --db {db} --rejects {tmp}/no/r.parquet", 2, "cannot be written"),
    ("link --source student={city}/student.parquet", 2, "give --db URL or set MPI_DB"),
    ("link --db {db}", 2, "--source"),
    ("runs --db sqlite:///{tmp}/nothing.db", 3, "there is no registry"),
    ("evaluate --db {linked} --truth {tmp}/columns.parquet", 2, "has no column source"),
    ("evaluate --db {linked} --truth {tmp}/garbage.parquet", 2, "no readable Parquet"),
    ("export cross-references --db {linked} --out {tmp}/no/x.parquet", 2, "cannot be written"),
    ("export cross-references --db {linked} --out {tmp}/x.docx", 2, ".parquet or .csv"),
    ("export everything --db {linked} --out {tmp}/x.csv", 2, "everything"),
    ("person ABC --db {linked}", 2, "enterprise ID"),
    ("person 000-000-000 --db {linked}", 4, "no person 000-000-000"),
    ("explain student:1 hospital:2 --db {linked}", 4, "no record student:1"),
    ("explain student hospital:2 --db {linked}", 2, "SOURCE:ID"),
    ("rules check {tmp}/broken/people/1.0.0", 2, "rules.yaml"),
    ("rules train --source student={tmp}/nothing.csv --out {tmp}/out", 2, "there is no such file"),
    ("demo --out {tmp}/full --persons 10", 2, "is not empty"),
    ("synth {tmp}/wrong.csv --persons 10", 2, "wrong.csv"),
    ("synth {tmp}/c --persons 0", 2, "--persons"),
]


@pytest.mark.parametrize(("line", "code", "said"), BAD_INPUT, ids=[line for line, _, _ in BAD_INPUT])
def test_bad_input_is_one_line_with_its_code(
    line: str, code: int, said: str, bad: dict[str, Any], linked: str, mpi: Mpi
) -> None:
    arguments = [word.format(**bad, db=f"sqlite:///{bad['tmp']}/new.db", linked=linked) for word in line.split()]
    shown = mpi(*arguments)
    last = shown.err.splitlines()[-1]
    assert (shown.code, shown.out) == (code, "")
    assert last.startswith("mpi: error: ")
    assert said in last
    assert "Traceback" not in shown.err
    as_json = mpi(*arguments, "--json")
    told = json.loads(as_json.err.splitlines()[-1])
    assert (as_json.code, as_json.out, told["exit_code"]) == (code, "", code)
    assert f"mpi: error: {told['error']['message']}" == last
    assert told["error"]["reason"].isupper()


def test_corrupt_secret(bad: dict[str, Any], linked: str, monkeypatch: pytest.MonkeyPatch, mpi: Mpi) -> None:
    monkeypatch.setenv("MPI_SECRET_FILE", str(bad["tmp"] / "secret"))
    shown = mpi("runs", "--db", linked)
    assert (shown.code, shown.err) == (3, "mpi: error: a registry secret is written as 32 hexadecimal digits\n")


def test_setting_of_no_use_is_named(linked: str, monkeypatch: pytest.MonkeyPatch, mpi: Mpi) -> None:
    monkeypatch.setenv("MPI_LOG_LEVEL", "loud")
    shown = mpi("runs", "--db", linked)
    assert shown.code == 2
    assert "MPI_LOG_LEVEL" in shown.err


def test_failed_link_leaves_the_registry_as_it_was(bad: dict[str, Any], city: City, tmp_path: Path, mpi: Mpi) -> None:
    url = f"sqlite:///{tmp_path}/r.db"
    assert mpi("link", *city.sources, "--db", url).code == 0
    mpi("export", "cross-references", "--db", url, "--out", "before.csv")
    assert mpi("link", "--source", f"student={tmp_path}/garbage.parquet", "--db", url).code == 2
    mpi("export", "cross-references", "--db", url, "--out", "after.csv")
    assert Path("before.csv").read_bytes() == Path("after.csv").read_bytes()
    assert mpi("db", "check", "--db", url).code == 0


def test_a_second_run_beside_the_first_is_refused(linked: str, city: City, mpi: Mpi) -> None:
    with Registry.open(linked, secret=None, create=False) as registry, registry.lock_for_bulk():
        shown = mpi("link", *city.sources, "--db", linked)
    assert (shown.code, shown.err.splitlines()[-1]) == (5, "mpi: error: another bulk run holds this registry")


def test_unexpected_errors_tell_their_kind_and_hide_their_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert errors.tell(KeyError("Nguyễn Văn A"), as_json=False) == 1
    line = capsys.readouterr().err
    (written,) = tmp_path.glob("mpi-error-*.txt")
    assert line == f"mpi: error: unexpected KeyError; the traceback is in {written} (MPI_DEBUG=1 shows it here)\n"
    assert "Nguyễn Văn A" in written.read_text(encoding="utf-8")
    assert written.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("MPI_DEBUG", "1")
    errors.tell(KeyError("x"), as_json=False)
    assert "KeyError: 'x'" in capsys.readouterr().err
