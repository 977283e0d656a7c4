"""Gathering concurrent resolves: calls that wait together share one transaction, and each keeps its own outcome.

One thread writes; the callers' own threads standardise their records beside it. A transaction that fails with several
calls in it is tried again with each by itself, so that no call answers for another.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from mpi.domain.errors import MpiError, OverloadedError, RegistryError
from mpi.services.resolution import ResolveRequest
from mpi.services.resolve import Prepared, Resolver

MOST_TOGETHER = 64
"""Calls that one transaction takes in at most."""

MOST_WAITING = 4_096
"""Calls that may wait; more are refused."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    prepared: Prepared
    answer: "Future[bytes]"


class Gatherer:
    """Takes resolves from any thread and answers each by a future."""

    def __init__(self, resolver: Resolver, *, observe: Callable[[int], None] | None = None) -> None:
        """`observe` is told how many calls each transaction took in."""
        self._resolver = resolver
        self._observe = observe
        self._waiting: deque[_Call] = deque()
        self._change = threading.Condition()
        self._closing = False
        self._writer = threading.Thread(target=self._write, name="gatherer", daemon=True)
        self._writer.start()

    @property
    def waiting(self) -> int:
        """Calls that nobody has taken up yet."""
        return len(self._waiting)

    def submit(self, request: ResolveRequest) -> "Future[bytes]":
        """Hand a resolve in; the future gives the bytes of its answer or raises its error.

        A future cancelled before its call is taken up leaves nothing behind. Raises OverloadedError when too many wait,
        or when closing.
        """
        (prepared,) = self._resolver.prepare([request])
        call = _Call(prepared, Future())
        with self._change:
            if self._closing:
                raise OverloadedError("the service is being stopped: try another server")
            if len(self._waiting) >= MOST_WAITING:
                raise OverloadedError(f"{MOST_WAITING} calls wait already: try again in a moment")
            self._waiting.append(call)
            self._change.notify()
        return call.answer

    def close(self) -> None:
        """Finish what was taken in, take no more."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._writer.join()

    def _write(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._closing:
                    self._change.wait()
                if not self._waiting:
                    return
                calls = self._take()
            if calls:
                self._answer(calls)

    def _take(self) -> list[_Call]:
        """The next calls for one transaction: no record and no request id twice, those wait for the next."""
        taken: list[_Call] = []
        postponed: list[_Call] = []
        names: set[object] = set()
        while self._waiting and len(taken) < MOST_TOGETHER:
            call = self._waiting.popleft()
            own = {call.prepared.request.request_id, call.prepared.key}
            if not names.isdisjoint(own):
                # whoever comes after it under its names waits behind it
                postponed.append(call)
                names |= own
            elif call.answer.set_running_or_notify_cancel():
                taken.append(call)
                names |= own
        self._waiting.extendleft(reversed(postponed))
        return taken

    def _answer(self, calls: list[_Call]) -> None:
        if self._observe:
            self._observe(len(calls))
        try:
            answers = self._resolver.settle([call.prepared for call in calls])
        except Exception as error:
            if len(calls) == 1 or not _may_be_one_calls_fault(error):
                for call in calls:
                    call.answer.set_exception(error)
                return
            _log.warning("a transaction of %d calls failed (%s): each is tried alone", len(calls), type(error).__name__)
            for call in calls:
                self._answer([call])
            return
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, MpiError):
                call.answer.set_exception(answer)
            else:
                call.answer.set_result(answer)


def _may_be_one_calls_fault(error: Exception) -> bool:
    """A registry that is gone, or busy with a bulk run, is nobody's fault: trying each call alone would only wait."""
    return not isinstance(error, RegistryError) or "fault" in error.metadata
