"""Going down: who must hear of it, once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Drain:
    """Says to every open stream that the server is going down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._begun = False

    @property
    def begun(self) -> bool:
        """Whether the server is going down."""
        return self._begun

    def begin(self) -> None:
        """Tell everyone; once."""
        with self._lock:
            self._begun = True
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    @contextmanager
    def heard_by(self, listener: Callable[[], None]) -> Iterator[None]:
        """While the block lasts the listener is called when the server goes down; at once if it does already."""
        with self._lock:
            begun = self._begun
            if not begun:
                self._listeners.append(listener)
        if begun:
            listener()
        try:
            yield
        finally:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)
