"""Run one piece of work in a process of its own and watch it: seconds, and peak memory of it and all its children.

A worker is a module with a `main(arguments) -> figures`; it is given its arguments and gives its figures as JSON.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.places import HERE, WORK

SAMPLE = 0.1
"""Seconds between two looks at a worker's memory."""


class WorkerError(RuntimeError):
    """A worker ended badly or took too long; the message holds the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What a worker gave, its seconds from start to end, and the peak of its processes' resident memory in MB."""

    figures: dict[str, Any]
    seconds: float
    peak_mb: int


def run_worker(
    module: str, arguments: Mapping[str, Any], *, python: Path | str = sys.executable, timeout: float = 3600.0
) -> Worked:
    """Run a module (or a file, for another environment) with JSON arguments and wait for it. Raises WorkerError."""
    program = [module] if module.endswith(".py") else ["-m", module]
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK, prefix="run-") as folder:
        given, gave, said = (Path(folder) / name for name in ("given.json", "gave.json", "said.txt"))
        given.write_text(json.dumps(arguments))
        with said.open("wb") as output:
            process = subprocess.Popen(
                [str(python), *program, str(given), str(gave)],
                cwd=HERE.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            seconds, peak = _watch(process, module, timeout)
        if process.returncode or not gave.exists():
            raise WorkerError(f"{module} ended with {process.returncode}: {said.read_text(errors='replace')[-1500:]}")
        return Worked(json.loads(gave.read_text()), round(seconds, 3), peak)


def _watch(process: "subprocess.Popen[bytes]", module: str, timeout: float) -> tuple[float, int]:
    start, peak = time.perf_counter(), 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, _resident(watched))
        if time.perf_counter() - start > timeout:
            for child in watched.children(recursive=True):
                child.kill()
            process.kill()
            process.wait()
            raise WorkerError(f"{module} took more than {timeout:.0f} seconds")
        time.sleep(SAMPLE)
    return time.perf_counter() - start, peak // 1_000_000


def _resident(process: psutil.Process) -> int:
    """Resident bytes of a process and its descendants; pages that they share count once for each."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for each in family:
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def worker(main: Callable[[dict[str, Any]], dict[str, Any]], argv: Sequence[str] = sys.argv) -> None:
    """The body of a worker module: read arguments, work, write figures."""
    figures = main(json.loads(Path(argv[1]).read_text()))
    Path(argv[2]).write_text(json.dumps(figures))
