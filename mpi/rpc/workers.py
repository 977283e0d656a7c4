"""Processes that serve side by side: forked from a parent that has loaded everything and opened nothing.

The parent forks, restarts who died, passes signals on and waits. It starts no thread and has no gRPC object and no
connection, so that it may fork at any time. A forked process shares with it whatever was loaded: 80 MB of its own.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mpi.domain.errors import MpiError

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_STARTING_TICK = 0.01
_TICK = 1.0
_PATIENCE_BEYOND_GRACE = 5.0
"""Seconds after the grace until processes that still run are killed."""

_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0
_LONG_LIFE = 30.0
"""Seconds of life after which a death counts as the first one again."""

STOPPED, FAILED = 0, 1

_log = logging.getLogger(__name__)

TellReady = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Role:
    """What one process does: it calls what it is given once it is ready, with one line, and returns its exit code."""

    name: str
    run: Callable[[TellReady], int]


@dataclass(slots=True)
class _Place:
    """A role and the process that has it, if there is one."""

    role: Role
    pid: int = 0
    started: float = 0.0
    deaths: int = 0
    start_at: float = 0.0
    ready: str | None = None
    reports: int = -1


@dataclass(slots=True)
class Workers:
    """The parent of some processes.

    `told` is called once, with the line of each role, when all are ready; `gone` with the number of a process that
    has ended. `grace` is how many seconds processes have to end.
    """

    roles: Sequence[Role]
    told: Callable[[Sequence[str]], None]
    gone: Callable[[int], None]
    grace: float
    _places: list[_Place] = field(init=False)
    _all_ready: bool = False
    _stop_by: float | None = None
    _failed: bool = False

    def run(self) -> int:
        """Start all roles and keep them running until a signal comes.

        Returns STOPPED, or FAILED when a role ended before all were ready, or would not end, or ended badly.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        self._places = [_Place(role) for role in self.roles]
        while True:
            self._start_due()
            self._hear_signal()
            self._reap()
            if not self._all_ready:
                self._hear_reports()
            if self._stop_by is not None:
                if not any(place.pid for place in self._places):
                    return FAILED if self._failed else STOPPED
                if time.monotonic() > self._stop_by:
                    self._failed = True
                    self._send(signal.SIGKILL)

    def _start_due(self) -> None:
        for place in self._places:
            if not place.pid and self._stop_by is None and time.monotonic() >= place.start_at:
                self._start(place)

    def _start(self, place: _Place) -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            os.close(reading)
            _be(place.role, writing)
        os.close(writing)
        if place.reports >= 0:
            os.close(place.reports)
        place.pid, place.started, place.reports = pid, time.monotonic(), reading

    def _hear_signal(self) -> None:
        waiting = [place.start_at - time.monotonic() for place in self._places if not place.pid]
        longest = _TICK if self._all_ready and self._stop_by is None else _STARTING_TICK
        heard = signal.sigtimedwait(_SIGNALS, max(min([longest, *waiting]), 0.0))
        if heard is None or heard.si_signo == signal.SIGCHLD:
            return
        if self._stop_by is not None:
            self._send(signal.SIGKILL)
            self._failed = True
        else:
            self._stop()

    def _stop(self) -> None:
        self._stop_by = time.monotonic() + self.grace + _PATIENCE_BEYOND_GRACE
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        for place in self._places:
            if place.pid:
                os.kill(place.pid, number)

    def _reap(self) -> None:
        for place in self._places:
            pid, status = os.waitpid(place.pid, os.WNOHANG) if place.pid else (0, 0)
            if pid:
                place.pid = 0
                self.gone(pid)
                self._mourn(place, os.waitstatus_to_exitcode(status))

    def _mourn(self, place: _Place, code: int) -> None:
        if self._stop_by is not None:
            self._failed = self._failed or code != 0
            return
        if not self._all_ready:
            self._failed = True
            self._stop()
            return
        place.deaths = 0 if time.monotonic() - place.started > _LONG_LIFE else place.deaths + 1
        delay = min(_FIRST_DELAY * 2 ** max(place.deaths - 1, 0), _LONGEST_DELAY)
        place.start_at = time.monotonic() + delay
        _log.warning("%s ended with %s; starting another in %.1f s", place.role.name, code, delay)

    def _hear_reports(self) -> None:
        for place in self._places:
            if place.ready is None:
                try:
                    place.ready = os.read(place.reports, 4096).decode().rstrip() or None
                except BlockingIOError:
                    continue
        if all(place.ready is not None for place in self._places):
            self._all_ready = True
            self.told([place.ready or "" for place in self._places])


def _be(role: Role, writing: int) -> None:
    """Be the new process; never returns."""
    code = FAILED

    def tell_ready(line: str) -> None:
        os.write(writing, f"{line}\n".encode())

    try:
        code = role.run(tell_ready)
        sys.stdout.flush()
        sys.stderr.flush()
    except MpiError as error:
        _log.error("%s: %s", role.name, error)
    except BaseException as error:
        # What an exception says may hold a person's data.
        _log.error("%s ended with %s", role.name, type(error).__name__)
    finally:
        os._exit(code)


def wait_for_end(seconds: float, parent: int) -> bool:
    """Waits at most so long in a worker; whether it is to end: by a signal, or because its parent is gone.

    A worker hears SIGTERM from its parent. SIGINT, which a terminal sends to all of them, stays blocked.
    """
    return signal.sigtimedwait((signal.SIGTERM,), seconds) is not None or os.getppid() != parent
