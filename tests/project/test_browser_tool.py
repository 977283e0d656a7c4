"""What `make test` does about the browser: nothing where one is, an installation as root, else one plain line."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.chromium import PROGRAMS

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "browser.sh"


def run_tool(
    folder: Path, programs: dict[str, str], *, user: int
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the script where PATH holds `programs` (name to script) alone; what it said, and what apt-get was asked."""
    asked = folder / "asked"
    programs = {name: text.replace("ASKED", str(asked)) for name, text in programs.items()} | {"id": f"echo {user}"}
    for name, text in programs.items():
        (folder / name).write_text(f"#!{shutil.which('sh')}\n{text}\n")
        (folder / name).chmod(0o755)
    command = [shutil.which("sh") or "sh", str(SCRIPT)]
    environment = {**os.environ, "PATH": str(folder)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return run, asked.read_text().splitlines() if asked.exists() else []


APT_GET = 'echo "$*" >> "ASKED"'


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_browser_that_is_there_is_left_alone(name: str, tmp_path: Path) -> None:
    run, asked = run_tool(tmp_path, {name: "", "apt-get": APT_GET}, user=0)
    assert (run.returncode, run.stdout, run.stderr, asked) == (0, "", "", [])


def test_root_installs_debians(tmp_path: Path) -> None:
    run, asked = run_tool(tmp_path, {"apt-get": APT_GET}, user=0)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "browser: installing Debian's chromium for the browser tests\n"
    assert asked == ["install -y -qq --no-install-recommends chromium fonts-dejavu-core"]


def test_lists_of_packages_are_fetched_where_there_are_none(tmp_path: Path) -> None:
    fails_once = f'{APT_GET}\n[ "$1" = update ] || [ "$(grep -c install ASKED)" = 2 ]'
    programs = {"apt-get": fails_once, "grep": f'exec {shutil.which("grep")} "$@"'}
    run, asked = run_tool(tmp_path, programs, user=0)
    assert (run.returncode, run.stderr) == (0, "")
    assert [line.split()[0] for line in asked] == ["install", "update", "install"]


@pytest.mark.parametrize(
    ("programs", "user", "why"),
    [
        ({}, 0, "there is no apt-get to install one with"),
        ({"apt-get": APT_GET}, 1000, "installing one needs root (apt-get install chromium fonts-dejavu-core)"),
        ({"apt-get": "exit 100"}, 0, "apt-get could not install one"),
    ],
)
def test_what_cannot_be_installed_is_one_plain_line(
    programs: dict[str, str], user: int, why: str, tmp_path: Path
) -> None:
    run, asked = run_tool(tmp_path, programs, user=user)
    assert (run.returncode, asked) == (0, [])
    line = f"browser: no Chrome or Chromium is here and {why}; the browser tests will fail until one is installed\n"
    assert run.stderr == line
