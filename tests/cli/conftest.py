"""One small city, made and linked once a test process by the commands themselves; commands run in this process."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mpi.cli.main import run

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Mpi = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine's reaches a test, and no test writes outside its folder."""
    for name in [name for name in os.environ if name.startswith("MPI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def mpi(capsys: pytest.CaptureFixture[str]) -> Mpi:
    """Runs a command in this process: `mpi("runs", "--db", url)`."""

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    return ran


@dataclass(frozen=True, slots=True)
class City:
    """A city's folder and what `mpi link` takes of it."""

    folder: Path

    @property
    def truth(self) -> Path:
        return self.folder / "truth.parquet"

    @property
    def sources(self) -> list[str]:
        names = ("student", "station", "hospital", "insurance")
        return [part for name in names for part in ("--source", f"{name}={self.folder}/{name}.parquet")]


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """300 people."""
    folder = tmp_path_factory.mktemp("city")
    assert run(["synth", str(folder), "--persons", "300", "--seed", "5", "--json"]) == 0
    return City(folder)


@pytest.fixture(scope="session")
def linked(city: City, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a registry in which the city is linked; for reading only."""
    folder = tmp_path_factory.mktemp("linked")
    url = f"sqlite:///{folder}/registry.db"
    assert run(["link", *city.sources, "--db", url, "--rejects", str(folder / "rejects.parquet"), "--json"]) == 0
    return url
