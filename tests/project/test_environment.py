"""`make setup`: what it says when it cannot, and what the Makefile offers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_setup(checkout: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script in a bare checkout where PATH holds the shell's own tools and `programs` (name to script)."""
    tools = checkout / "programs"
    tools.mkdir(parents=True)
    for name in ("sh", "dirname", "grep", "rm", "mkdir", "cat"):
        (tools / name).symlink_to(shutil.which(name) or name)
    for name, text in programs.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    (checkout / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "environment.sh", checkout / "tools")
    (checkout / "lock.txt").touch()
    command = [str(checkout / "tools" / "environment.sh"), "lock.txt"]
    environment = {**os.environ, "PATH": str(tools)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_no_python_is_one_plain_line(tmp_path: Path) -> None:
    run = run_setup(tmp_path / "a checkout", {})
    assert run.returncode == 1
    assert run.stderr == "setup: Python 3.11 or newer with its venv module is needed, and none was found on PATH.\n"


def test_an_old_python_is_passed_over(tmp_path: Path) -> None:
    run = run_setup(tmp_path / "a checkout", {"python3.12": "exit 1", "python3": "exit 1"})
    assert run.returncode == 1
    assert "Python 3.11 or newer" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_a_failed_install_says_which_lock_and_exits_1(tmp_path: Path) -> None:
    python = f'case "$*" in *venv*--clear*) exit 1;; esac; exec "{sys.executable}" "$@"'
    run = run_setup(tmp_path / "a checkout", {"python3.11": python, "uv": "exit 2"})
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        "setup: uv could not install it; trying pip",
        "setup: the packages of lock.txt could not be installed; the lines above say why.",
    ]


def test_help_lists_every_public_target() -> None:
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = [line.split()[1] for line in listed.stdout.splitlines()]
    assert names == "help setup demo serve test check proto screens bench lock clean".split()
