"""`mpi serve` as a process of its own."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
READY_SECONDS = 120
"""For a machine that is busy with other things; kernels may have to be compiled too."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its process, where it answers, and what it said of itself."""

    process: "subprocess.Popen[str]"
    address: str
    told: dict[str, Any]

    def end(self, number: int) -> int:
        """Send a signal and give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def workers(self) -> list[int]:
        """The processes that it forked."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mpi.cli.main", "serve", *arguments]


def environment(home: Path) -> dict[str, str]:
    """Without settings of the machine's, and with secrets in a folder of the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MPI_")}
    return {**kept, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(home)}


@contextmanager
def serving(home: Path, url: str, *options: str) -> Iterator[Served]:
    """Runs `mpi serve` on a free port while the block lasts; it is killed at the end if it still runs."""
    arguments = command("--db", url, "--create", "--rpc", "127.0.0.1:0", "--json", *options)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=home, env=environment(home)) as process:
        late = threading.Timer(READY_SECONDS, process.kill)
        late.start()
        try:
            assert process.stdout is not None
            told = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
            late.cancel()
            yield Served(process, told["rpc"], told)
        finally:
            late.cancel()
            process.kill()
