"""Servers under measurement, in processes of their own: `mpi serve` as its command starts it, and the echo.

What a server says of itself (seconds of calls, transactions) is read from its metrics; memory and processor time from
the system.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.online.messages import metrics_text
from benchmarks.online.registries import Copied
from benchmarks.places import HERE

_STARTING = 60.0
_STOPPING = 60.0


class ServerError(RuntimeError):
    """A server did not start; the message says what it wrote."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers: its process, address, worker processes, metrics, and seconds from start to ready."""

    process: "subprocess.Popen[str]"
    target: str
    workers: tuple[psutil.Process, ...]
    metrics_url: str | None
    seconds_to_ready: float

    def memory_mb(self) -> list[dict[str, float]]:
        """Memory of each worker: resident, and its proportional part of what processes share."""
        each = [worker.memory_full_info() for worker in self.workers]
        return [{"resident": info.rss / 1e6, "proportional": info.pss / 1e6} for info in each]

    def processor_seconds(self) -> float:
        """Processor time that the workers have had."""
        return processor_seconds(self.workers)

    def samples(self) -> dict[tuple[str, str, str], float]:
        """What is counted so far, by sample, method and upper bound ("" where there is none)."""
        return {} if self.metrics_url is None else samples_of(metrics_text(self.metrics_url))


def samples_of(text: str) -> dict[tuple[str, str, str], float]:
    """What a text of metrics counts, by sample, method and upper bound ("" where there is none)."""
    found: dict[tuple[str, str, str], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = (sample.name, sample.labels.get("method", ""), sample.labels.get("le", ""))
            found[name] = found.get(name, 0.0) + sample.value
    return found


def processor_seconds(processes: Sequence[psutil.Process]) -> float:
    """Processor time that some processes have had; those that are gone count no more."""
    total = 0.0
    for each in processes:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def database_seconds(server: Path | None) -> float:
    """Processor time that a PostgreSQL server in a folder has had, with connections that were closed since."""
    if server is None:
        return 0.0
    postmaster = psutil.Process(int((server / "data" / "postmaster.pid").read_text().split()[0]))
    ended = postmaster.cpu_times()
    running = processor_seconds([postmaster, *postmaster.children(recursive=True)])
    return running + float(ended.children_user + ended.children_system)


@contextmanager
def serving(registry: Copied, workers: int) -> Iterator[Running]:
    """`mpi serve` over a registry while the block lasts. Raises ServerError."""
    command = ["-m", "mpi.cli.main", "serve", "--db", registry.url, "--rpc", "127.0.0.1:0", "--workers", str(workers)]
    environment = {**os.environ, "MPI_SECRET_FILE": str(registry.secret_file)}
    with _started([*command, "--metrics", "127.0.0.1:0", "--json"], environment) as (process, told, seconds):
        children = sorted(psutil.Process(process.pid).children(), key=lambda child: child.pid)
        yield Running(process, told["rpc"], tuple(children[:workers]), told["metrics"], seconds)


@contextmanager
def echoing() -> Iterator[Running]:
    """The echo while the block lasts. Raises ServerError."""
    with _started(["-m", "benchmarks.online.echo"], dict(os.environ)) as (process, told, seconds):
        yield Running(process, told["rpc"], (psutil.Process(process.pid),), None, seconds)


@contextmanager
def _started(
    arguments: list[str], environment: dict[str, str]
) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any], float]]:
    """A server process, what it told in one line of JSON once it was ready, and the seconds until then."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=HERE.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], _STARTING)
        line = process.stdout.readline() if ready else ""
        seconds = time.perf_counter() - began
        if not line:
            raise ServerError(f"{arguments[1]} said nothing within {_STARTING:.0f} seconds, or ended")
        while not line.rstrip().endswith("}"):
            line += process.stdout.readline()
        yield process, json.loads(line), seconds
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def histogram(before: dict[Any, float], after: dict[Any, float], name: str, method: str = "") -> dict[str, Any]:
    """What a histogram counted between two looks: number, mean, and quantiles by straight lines between its bounds."""

    def grown(suffix: str, bound: str = "") -> float:
        key = (f"{name}_{suffix}", method, bound)
        return after.get(key, 0.0) - before.get(key, 0.0)

    count = grown("count")
    if not count:
        return {"count": 0}
    bounds = {bound: float(bound) for sample, of, bound in after if (sample, of) == (f"{name}_bucket", method)}
    below = sorted((number, grown("bucket", bound)) for bound, number in bounds.items() if np.isfinite(number))
    quantiles = {f"p{100 * share:g}": _quantile(below, share * count) for share in (0.5, 0.95, 0.99)}
    return {"count": int(count), "mean": grown("sum") / count, **quantiles}


def _quantile(below: list[tuple[float, float]], wanted: float) -> float:
    """Where `wanted` values lie below, given how many lie below each bound; the last bound for what lies beyond."""
    low, counted = 0.0, 0.0
    for bound, count in below:
        if count >= wanted:
            return low + (bound - low) * (wanted - counted) / (count - counted)
        low, counted = bound, count
    return low
