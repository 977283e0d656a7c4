"""The suite's own rule that a skip is a failure, shown on small suites of their own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_suite(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_sample.py").write_text(f"import pytest\n{text}\n")
    without = ("cacheprovider", "hypothesispytest", "tests.registries")
    command = [sys.executable, "-m", "pytest", "-q", *(f"-pno:{plugin}" for plugin in without)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "text",
    [
        "def test_it():\n    pytest.skip('no server')",
        "@pytest.mark.skip(reason='no server')\ndef test_it():\n    pass",
        "@pytest.mark.skipif(True, reason='no server')\ndef test_it():\n    pass",
        "pytest.skip('no server', allow_module_level=True)",
    ],
    ids=["inside", "mark", "condition", "module"],
)
def test_a_skip_fails_the_run_and_says_why(tmp_path: Path, text: str) -> None:
    run = run_suite(tmp_path, text)
    assert run.returncode != 0
    assert "no server (a skip counts as a failure here)" in run.stdout
    assert "skipped" not in run.stdout.splitlines()[-1]


def test_a_missing_library_fails_the_run(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "pytest.importorskip('no_such_library')")
    assert run.returncode != 0
    assert "could not import 'no_such_library'" in run.stdout


def test_passing_and_expected_failures_pass(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "def test_it():\n    pass\n@pytest.mark.xfail\ndef test_bug():\n    assert False")
    assert run.returncode == 0
    assert "1 passed, 1 xfailed" in run.stdout
