"""Whether anything is compiled while something else is done, so that whoever waits is told why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

_events: Any = event  # numba says nothing of its types


class _Notice(event.Listener):
    """Calls back the first time that something is compiled; loading from disk is not compiling."""

    def __init__(self, compiling: Callable[[], None]) -> None:
        self._compiling = compiling
        self._told = False

    def on_start(self, event: Any) -> None:
        if not self._told:
            self._told = True
            self._compiling()

    def on_end(self, event: Any) -> None:
        """Nothing is said of the end."""


@contextmanager
def noticing(compiling: Callable[[], None]) -> Iterator[None]:
    """While the block lasts, `compiling` is called the first time that anything is compiled."""
    notice = _Notice(compiling)
    _events.register("numba:compile", notice)
    try:
        yield
    finally:
        _events.unregister("numba:compile", notice)
