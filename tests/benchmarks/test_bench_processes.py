"""Workers in processes of their own: figures come back, memory of children counts, failures are told."""

from pathlib import Path

import pytest

from benchmarks.processes import WorkerError, run_worker

_WORKER = """
import json, subprocess, sys, time
given = json.load(open(sys.argv[1]))
if given["fail"]:
    raise SystemExit("the worker's own words")
held = "held = bytearray(b'x' * 200_000_000); import time; time.sleep(1.5)"
child = subprocess.run([sys.executable, "-c", held]) if given["child"] else time.sleep(given["seconds"])
json.dump({"doubled": 2 * given["number"]}, open(sys.argv[2], "w"))
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "work.py"
    path.write_text(_WORKER)
    return str(path)


def test_figures_and_memory_of_children(program: str) -> None:
    worked = run_worker(program, {"number": 21, "fail": False, "child": True})
    assert worked.figures == {"doubled": 42}
    assert worked.peak_mb > 200
    assert worked.seconds >= 1.5


def test_failure_tells_what_the_worker_said(program: str) -> None:
    with pytest.raises(WorkerError, match="the worker's own words"):
        run_worker(program, {"fail": True})


def test_a_worker_that_takes_too_long_is_ended(program: str) -> None:
    with pytest.raises(WorkerError, match="more than 1 seconds"):
        run_worker(program, {"number": 1, "fail": False, "child": False, "seconds": 60}, timeout=1)
