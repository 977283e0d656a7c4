"""Counting attempts by anything that has a name, in memory: a few are let through, then there is a wait."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from mpi.domain.errors import TooManyAttemptsError

_MOST_KEYS = 10_000


def refuse_for(seconds: float) -> TooManyAttemptsError:
    """The error that tells how long to wait, in whole seconds."""
    whole = max(1, int(seconds) + 1)
    return TooManyAttemptsError(f"too many attempts; try again in {whole} seconds", metadata={"seconds": str(whole)})


class Attempts:
    """At most `most` attempts a key within `seconds`; safe for threads. The keys longest unused are forgotten."""

    def __init__(self, *, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._made: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, key: str) -> None:
        """Raises TooManyAttemptsError where a key has used up its attempts."""
        with self._lock:
            self._check(key, self._recent(key))

    def note(self, key: str) -> None:
        """Counts an attempt. Raises TooManyAttemptsError, and counts nothing, where the key has used up its own."""
        with self._lock:
            recent = self._recent(key)
            self._check(key, recent)
            self._made[key] = [*recent, self._clock()]
            self._made.move_to_end(key)
            if len(self._made) > _MOST_KEYS:
                self._made.popitem(last=False)

    def forget(self, key: str) -> None:
        """Begins anew for a key."""
        with self._lock:
            self._made.pop(key, None)

    def _recent(self, key: str) -> list[float]:
        since = self._clock() - self._seconds
        return [moment for moment in self._made.get(key, ()) if moment > since]

    def _check(self, key: str, recent: list[float]) -> None:
        if len(recent) >= self._most:
            raise refuse_for(recent[-self._most] + self._seconds - self._clock())
