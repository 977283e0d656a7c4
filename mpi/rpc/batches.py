"""Streams of items: each is answered by itself, in any order, and no more are read than there is room for.

One thread reads and starts items, the call's own thread writes replies. An item holds its room until its reply has
left, so a caller who does not read is soon not read from.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status

from mpi.rpc import metrics
from mpi.rpc.draining import Drain
from mpi.rpc.errors import Blame, DrainingError, MalformedMessageError, code_of, status_of
from mpi.rpc.metrics import ItemMeter

_ITEM_ID, _RESPONSE, _ERROR = 0x0A, 0x12, 0x1A
"""Tags of `item_id`, `response` and `error` in the replies of both batch methods: fields 1, 2 and 3, of bytes."""

Item = TypeVar("Item", bound=Message)


class _End:
    """The caller sends no more."""


class _GoingDown:
    """The server is going down."""


class Batch:
    """One batch method: what its items are, how one is started, and how many may be in work for one stream."""

    def __init__(
        self, name: str, item: type[Message], start: Callable[[Any], "Future[bytes]"], drain: Drain, *, room: int
    ) -> None:
        self._item = item
        self._start = start
        self._drain = drain
        self._room = room
        self._meter = ItemMeter(name)

    def answer(self, requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        """Replies to the items of one stream. Raises MalformedMessageError for what is no item, DrainingError."""
        stream = _Stream(requests, self._item, self._start, self._room)
        metrics.batches(1)
        with self._drain.heard_by(stream.go_down):
            threading.Thread(target=stream.read, name="mpi-batch-reader", daemon=True).start()
            try:
                for item_id, outcome in stream.outcomes():
                    code, reply = _reply(item_id, outcome)
                    self._meter(code)
                    yield reply
                    stream.make_room()
            finally:
                stream.close()
                metrics.batches(-1)


class _Stream:
    """What the reading and the writing thread of one stream share."""

    def __init__(
        self, requests: Iterator[bytes], item: type[Message], start: Callable[[Any], "Future[bytes]"], room: int
    ) -> None:
        self._requests = requests
        self._item = item
        self._start = start
        self._room = threading.Semaphore(room)
        self._lock = threading.Lock()
        self._closed = False
        self._started = 0
        self._news: SimpleQueue[Any] = SimpleQueue()

    def read(self) -> None:
        """Reads and starts items until the caller has sent all, or nobody wants more."""
        try:
            while self._take_room():
                data = next(self._requests, None)
                if data is None or not self._begin(data):
                    break
            self._news.put(_End())
        except grpc.RpcError:
            self._news.put(_End())  # The caller is gone; the writing thread hears of it by itself.
        except Exception as error:
            self._news.put(error)

    def _take_room(self) -> bool:
        self._room.acquire()
        return not self._closed

    def _begin(self, data: bytes) -> bool:
        try:
            item: Any = self._item.FromString(data)
        except DecodeError:
            name = self._item.DESCRIPTOR.name
            raise MalformedMessageError(f"the bytes are no {name}; the stream ends here") from None
        with self._lock:
            if self._closed:
                return False
            self._started += 1
        item_id = item.item_id
        try:
            future = self._start(item)
        except Exception as error:
            self._news.put((item_id, status_of(error)))
        else:
            future.add_done_callback(lambda done: self._news.put((item_id, done)))
        return True

    def outcomes(self) -> Iterator[tuple[str, Any]]:
        """(item id, future or status) in the order in which they are ready.

        Raises, once all that was begun is answered, why the stream cannot go on.
        """
        answered = 0
        why: Exception | None = None
        ended = False
        while not ended or answered < self._started:
            news = self._news.get()
            if isinstance(news, tuple):
                answered += 1
                yield news
                continue
            with self._lock:
                self._closed = True
            ended = True
            if isinstance(news, _GoingDown):
                why = DrainingError("the server is going down; what was not answered was not begun")
            elif isinstance(news, Exception):
                why = news
        if why is not None:
            raise why

    def make_room(self) -> None:
        """A reply has left."""
        self._room.release()

    def go_down(self) -> None:
        """Read no more, answer what was begun, end."""
        self._news.put(_GoingDown())

    def close(self) -> None:
        """Let the reading thread go."""
        with self._lock:
            self._closed = True
        self._room.release()


def _reply(item_id: str, outcome: Any) -> tuple[grpc.StatusCode, bytes]:
    """A reply's code and its bytes, put together from bytes: what was stored leaves as it is."""
    try:
        status = outcome if isinstance(outcome, Status) else None
        content = status.SerializeToString() if status is not None else outcome.result()
    except Exception as error:
        status = status_of(error, Blame(field="request"))
        content = status.SerializeToString()
    tag = _RESPONSE if status is None else _ERROR
    name = item_id.encode()
    reply = b"".join((bytes((_ITEM_ID,)), _varint(len(name)), name, bytes((tag,)), _varint(len(content)), content))
    return grpc.StatusCode.OK if status is None else code_of(status), reply


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
