"""Batches of the threaded client: a stream of items that is begun again where it broke."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc

from mpi.client.errors import IdentityError, error_of, error_of_status, pause_before


class Batch:
    """One batch over as many streams as it takes; at most `at_once` items are on their way."""

    def __init__(self, method: Callable[..., Any], item: Callable[..., Any], attempts: int, at_once: int) -> None:
        self._method = method
        self._item = item
        self._attempts = attempts
        self._room = threading.Semaphore(at_once)
        self._open: dict[str, Any] = {}
        self._taken = 0
        self._exhausted = False
        self._lock = threading.Lock()

    def run(self, asked: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """(request, response or error) until all are answered."""
        source = iter(asked)
        failures = 0
        while True:
            feed = _Feed(self, source)
            stream = self._method(feed)
            try:
                for reply in stream:
                    request = self._open.pop(reply.item_id, None)
                    if request is None:
                        continue
                    failures = 0
                    self._room.release()
                    failed = reply.WhichOneof("result") == "error"
                    yield request, error_of_status(reply.error) if failed else reply.response
                error = IdentityError(grpc.StatusCode.UNAVAILABLE, "the stream ended early")
            except grpc.RpcError as broken:
                error = error_of(broken)
            finally:
                self.leave(feed)
                stream.cancel()
            if feed.error is not None:
                raise feed.error
            if self._exhausted and not self._open:
                return
            failures += 1
            if not error.transient or failures >= self._attempts:
                raise error
            time.sleep(pause_before(failures, error))

    def take(self, feed: "_Feed", source: Iterator[Any]) -> Any | None:
        """The next item for a feed that is still wanted, once there is room; None when there is no next one."""
        while not self._room.acquire(timeout=0.1):
            if feed.closed:
                return None
        with self._lock:
            if not feed.closed and not self._exhausted:
                request = next(source, None)
                if request is not None:
                    self._taken += 1
                    item_id = str(self._taken)
                    self._open[item_id] = request
                    return self._item(item_id=item_id, request=request)
                self._exhausted = True
        self._room.release()
        return None

    def unanswered(self) -> list[Any]:
        """The items that were sent on a stream that broke."""
        return [self._item(item_id=item_id, request=request) for item_id, request in self._open.items()]

    def leave(self, feed: "_Feed") -> None:
        """A feed takes no more from here on."""
        with self._lock:
            feed.closed = True


class _Feed:
    """The items of one stream: first those that the stream before it left unanswered, then new ones."""

    def __init__(self, batch: Batch, source: Iterator[Any]) -> None:
        self.closed = False
        self.error: Exception | None = None
        self._batch = batch
        self._source = source
        self._again = batch.unanswered()[::-1]

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> Any:
        if self._again:
            return self._again.pop()
        try:
            item = self._batch.take(self, self._source)
        except Exception as error:
            self.error = error
            raise StopIteration from None
        if item is None:
            raise StopIteration
        return item
