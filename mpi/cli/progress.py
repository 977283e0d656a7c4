"""Progress on standard error: bars on a terminal, else one plain line a step. Standard output is never touched."""

import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

COMPILING = "compiling the kernels, once"


class Reporter:
    """Shows how far a command is; call it with (step, done, total), total 0 where it is not known."""

    def __init__(self, title: str) -> None:
        self._started = time.monotonic()
        self._steps: dict[str, TaskID | None] = {}
        self._title = title
        self._bars: Progress | None = None
        if sys.stderr.isatty():
            self._bars = Progress(
                SpinnerColumn(finished_text="[green]✓[/]"),
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __call__(self, step: str, done: int, total: int) -> None:
        """Note how far a step is."""
        if step not in self._steps:
            self._begin(step)
        task = self._steps[step]
        if self._bars is not None and task is not None:
            self._bars.update(task, completed=done, total=total or None)

    def _begin(self, step: str) -> None:
        if self._bars is not None:
            self._steps[step] = self._bars.add_task(step, total=None)
            return
        self._steps[step] = None
        with suppress(BrokenPipeError):
            sys.stderr.write(f"mpi: {time.monotonic() - self._started:6.1f} s  {step}\n")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
            self._bars.add_task(f"[bold]{self._title}[/]", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
