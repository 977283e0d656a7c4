"""The whole tree of commands: help with an example that parses, --json everywhere, and help without heavy imports."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typer

from mpi.cli.main import app
from mpi.cli.options import example
from tests.cli.conftest import ROOT, City, Mpi

HEAVY = (
    "alembic",
    "argon2",
    "duckdb",
    "fastapi",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "splink",
    "sqlalchemy",
)


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command with its path."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, command in group.commands.items():
        here = (*path, name)
        found += commands(command, here) if hasattr(command, "commands") else [(here, command)]
    return found


COMMANDS = commands(typer.main.get_command(app))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def test_all_commands_are_there() -> None:
    assert {" ".join(path) for path, _ in COMMANDS} == {
        *("synth", "demo", "link", "evaluate", "export", "person", "explain", "runs", "serve"),
        *("rules list", "rules check", "rules cases", "rules train", "db migrate", "db check", "db index"),
        *(f"accounts {verb}" for verb in ("add", "list", "close", "password", "token", "demo")),
    }


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_command_has_help_an_example_that_parses_and_json(path: tuple[str, ...], command: Any) -> None:
    assert command.help
    assert any("--json" in parameter.opts for parameter in command.params)
    for parameter in command.params:
        assert parameter.help, parameter.name
    lines = [line for line in command.epilog.replace("\\[", "[").split("\n\n") if line.startswith("mpi ")]
    assert lines
    for line in lines:
        words = shlex.split(line)
        assert tuple(words[1 : 1 + len(path)]) == path
        command.make_context(path[-1], words[1 + len(path) :])  # raises for an option that is not there or is missing


@pytest.mark.parametrize("path", [path for path, _ in COMMANDS], ids=" ".join)
def test_help_shows_the_example(path: tuple[str, ...], mpi: Mpi) -> None:
    shown = mpi(*path, "--help")
    assert shown.code == 0
    assert "Example:" in shown.out
    assert f"mpi {' '.join(path)}" in shown.out.split("Example:")[1]


def test_examples_are_shown_as_they_are_typed() -> None:
    assert example("mpi x [a]") == "Example:\n\nmpi x \\[a]"


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from mpi.cli.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment(), cwd="/"
    )
    assert "evaluate" in done.stdout
    assert {name.partition(".")[0] for name in done.stderr.split()} & set(HEAVY) == set()


def test_version(mpi: Mpi) -> None:
    assert re.fullmatch(r"mpi \d+\.\d+\.\d+\n", mpi("--version").out)


@pytest.mark.parametrize("arguments", [(), ("rules",), ("db",)])
def test_group_without_a_command_shows_its_help(arguments: tuple[str, ...], mpi: Mpi) -> None:
    shown = mpi(*arguments)
    assert shown.code == 2
    assert "Commands" in shown.out + shown.err


def test_progress_is_on_standard_error_and_one_line_a_step(tmp_path: Path, mpi: Mpi) -> None:
    made = mpi("synth", tmp_path / "city", "--persons", 50, "--json")
    assert made.json["persons"] == 50
    steps = [re.fullmatch(r"mpi: +\d+\.\d s  (.+)", line) for line in made.err.splitlines()]
    assert [step and step.group(1) for step in steps] == ["people and records", "files"]


def test_bars_are_drawn_on_a_terminal_and_json_stays_alone(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mpi.cli.main", "synth", str(tmp_path / "city"), "--persons", "50", "--json"]
    terminal = {**environment(), "TERM": "xterm"}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=terminal, cwd=tmp_path)
    os.close(theirs)
    drawn = b""
    with suppress(OSError):  # the terminal is gone when its last writer is
        while part := os.read(ours, 4096):
            drawn += part
    out, _ = running.communicate(timeout=60)
    os.close(ours)
    assert "━" in drawn.decode()
    assert "people and records" in drawn.decode()
    assert json.loads(out)["persons"] == 50


def test_closed_pipe_is_quiet(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "mpi.cli.main", "rules", "list"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment(), cwd=tmp_path, check=False)
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 141


def test_interrupted_link_says_so_and_the_same_command_finishes_it(tmp_path: Path, city: City) -> None:
    command = [sys.executable, "-m", "mpi.cli.main", "link", *city.sources, "--db", f"sqlite:///{tmp_path}/r.db"]
    command += ["--workers", "2", "--json"]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=tmp_path,
        start_new_session=True,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "reading sources" in line:
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the command and its workers
            break
    out, err = running.communicate(timeout=120)
    assert (running.returncode, out) == (130, "")
    assert "run the same command again" in err
    assert "Traceback" not in err
    again = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path, check=True)
    assert '"records": ' in again.stdout
