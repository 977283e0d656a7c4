"""Registries of a city on both databases, linked once and kept; every use gets a copy of its own to write into.

A kept registry's name carries a digest of the code that made it. Databases are durable, with the settings that they
come with, but for the memory that a copy's PostgreSQL has (see `warm`). A copy is in memory when it is given.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.cities import City, code_digest
from benchmarks.online import warm
from benchmarks.online.split import Split
from benchmarks.places import WORK
from benchmarks.processes import run_worker
from benchmarks.scenario import KEY, log, read_json, trained_model, write_json
from tests.postgres import PostgresServer, postgres_server

DATABASES = ("sqlite", "postgresql")
_CODE = ("data", "domain", "synthetic", "standardise", "matching", "persons", "batch", "registry", "services")
_SUMMARY = "summary.json"
_FILE = "registry.db"
_NAME = "registry"


@dataclass(frozen=True, slots=True)
class Kept:
    """A registry as the bulk run left it: files in `folder`, people and records in it, seconds that linking took."""

    database: str
    folder: Path
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copied:
    """A running copy: its URL, the file of its secret, and the server's folder, if it has one."""

    url: str
    secret_file: Path
    server: Path | None

    def keep_warm(self) -> None:
        """See that what lies in files is still in memory: PostgreSQL keeps its own, the system forgets."""
        if self.server is None:
            warm.read_files(self.secret_file.parent, f"{_FILE}*")


def kept(made: City, parts: Split, database: str) -> Kept:
    """The registry of a city's seen records; linked when it is not there. Raises PostgresUnavailableError."""
    digest = code_digest(*_CODE, also=trained_model().digest + made.folder.name + parts.unseen.parent.name)
    name = f"online-{database}-{made.persons}"
    folder = WORK / "registries" / f"{name}-{digest}"
    summary = read_json(folder / _SUMMARY)
    if summary is None:
        for stale in folder.parent.glob(f"{name}-*"):
            shutil.rmtree(stale)
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        log.info("linking the city of %s people into %s", f"{made.persons:,}", database)
        summary = _link_sqlite(unfinished, parts) if database == "sqlite" else _link_postgresql(unfinished, parts)
        write_json(unfinished / _SUMMARY, summary)
        summary = read_json(unfinished / _SUMMARY) or summary
        unfinished.rename(folder)
    return Kept(database, folder, summary)


def _link(url: str, folder: Path, parts: Split) -> dict[str, Any]:
    sources = {system: str(path) for system, path in parts.sources.items()}
    given = {"work": "link", "url": url, "folder": str(folder), "sources": sources}
    figures = run_worker("benchmarks.run_link", given).figures
    summary = figures["summary"]
    return {"seconds": figures["seconds"], "people": summary["people"], "records": summary["records"]}


def _link_sqlite(folder: Path, parts: Split) -> dict[str, Any]:
    summary = _link(f"sqlite:///{folder / _FILE}", folder, parts)
    return summary | {"bytes": sum(path.stat().st_size for path in folder.glob(f"{_FILE}*"))}


def _link_postgresql(folder: Path, parts: Split) -> dict[str, Any]:
    with postgres_server() as server:
        url = server.create_database(_NAME)
        summary = _link(url, folder, parts)
        with psycopg.connect(url, autocommit=True) as connection:
            # As its own housekeeping leaves it after a while.
            connection.execute("VACUUM (ANALYZE)")
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        server.stop()
        _copy(server.folder / "data", folder / "data")
    return summary | {"bytes": row[0] if row else 0}


@contextmanager
def copied(registry: Kept) -> Iterator[Copied]:
    """A copy that may be written into, in memory; gone when the block ends."""
    with tempfile.TemporaryDirectory(dir=WORK / "registries", prefix="copy-") as name:
        folder = Path(name)
        secret_file = folder / "online.secret"
        secret_file.touch(0o600)
        secret_file.write_text(KEY.hex())
        if registry.database == "postgresql":
            with _postgresql(registry) as server:
                copy = Copied(server.url(_NAME), secret_file, server.folder)
                warm.load_postgres(copy.url)
                yield copy
            return
        for path in registry.folder.glob(f"{_FILE}*"):
            shutil.copy2(path, folder / path.name)
        copy = Copied(f"sqlite:///{folder / _FILE}", secret_file, None)
        copy.keep_warm()
        yield copy


@contextmanager
def _postgresql(registry: Kept) -> Iterator[PostgresServer]:
    with postgres_server(settings=warm.postgres_settings()) as server:
        server.stop()
        shutil.rmtree(server.folder / "data")
        _copy(registry.folder / "data", server.folder / "data")
        server.start()
        yield server


def _copy(source: Path, target: Path) -> None:
    """Copies a folder with its owners, which shutil does not keep."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
