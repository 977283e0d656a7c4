"""What happens around every call: bytes to a checked request, the deadline, errors to a status, a log line, a count.

Methods take and give bytes: gRPC parses nothing itself, so that what is no message is the caller's error, and stored
answers leave as they are.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Never, TypeAlias, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from mpi.rpc.errors import (
    Blame,
    DeadlinePassedError,
    MalformedMessageError,
    TooManyCallsError,
    code_of,
    end_call,
    status_of,
)
from mpi.rpc.metrics import CallMeter
from mpi.rpc.validation import check

LONGEST_CALL = 30.0
"""Seconds that a unary call gets at most, and without a deadline of its own."""

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
else:
    Handler = grpc.RpcMethodHandler  # No generic class outside its stubs.
_Request = TypeVar("_Request", bound=Message)

Answer = Callable[[bytes, grpc.ServicerContext, float], bytes]
"""A request's bytes, its call and the seconds it may take, to the bytes of its reply."""

UnaryMethod = Callable[[Any, float], bytes]
"""A checked request and the seconds it may take, to the bytes of its reply."""

StreamMethod = Callable[[Any, grpc.ServicerContext], Iterator[bytes]]
"""A request's bytes, or an iterator of them, to the bytes of the replies."""


class Pool(ThreadPoolExecutor):
    """Threads that know how much work they have: what runs and what waits for a thread."""

    def __init__(self, threads: int, name: str) -> None:
        super().__init__(threads, thread_name_prefix=name)
        self.threads = threads
        self._load = 0
        self._load_lock = threading.Lock()

    @property
    def load(self) -> int:
        """Calls that run or wait."""
        return self._load

    @property
    def waiting(self) -> int:
        """Calls that wait for a thread."""
        return max(self._load - self.threads, 0)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """As every executor does."""
        with self._load_lock:
            self._load += 1
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._end)
        return future

    def _end(self, _future: "Future[Any]") -> None:
        with self._load_lock:
            self._load -= 1


class UnaryCall:
    """One unary method with all that belongs to a call of it."""

    def __init__(self, name: str, answer: Answer, blame: Blame) -> None:
        self._name = name
        self._answer = answer
        self._blame = blame
        self._meter = CallMeter(name)

    def __call__(self, data: bytes, context: grpc.ServicerContext) -> bytes:
        """Answer a call, or end it with its status."""
        began = time.perf_counter()
        try:
            remaining = context.time_remaining()
            if remaining <= 0:
                raise DeadlinePassedError("the deadline passed before the call was begun")
            reply = self._answer(data, context, min(remaining, LONGEST_CALL))
        except Exception as error:
            status = status_of(error, self._blame)
            self._end(code_of(status), began)
            end_call(context, status)
        self._end(grpc.StatusCode.OK, began)
        return reply

    def _end(self, code: grpc.StatusCode, began: float) -> None:
        note(self._name, self._meter, code, began)


class StreamCall:
    """One method that answers with a stream. Its threads are its own, so that streams take none from unary calls."""

    def __init__(self, name: str, method: StreamMethod, blame: Blame, threads: Pool) -> None:
        self.experimental_thread_pool = threads  # The name by which gRPC asks for it.
        self._name = name
        self._method = method
        self._blame = blame
        self._meter = CallMeter(name)

    def __call__(self, argument: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Answer with replies, and end with a status when something went wrong."""
        began = time.perf_counter()
        code = grpc.StatusCode.OK
        try:
            yield from self._method(argument, context)
        except (GeneratorExit, grpc.RpcError):
            code = grpc.StatusCode.CANCELLED
            raise
        except Exception as error:
            status = status_of(error, self._blame)
            code = code_of(status)
            end_call(context, status)
        finally:
            note(self._name, self._meter, code, began)


class Refusal:
    """Answers a call that there is no room for, without reading it."""

    def __init__(self, name: str, threads: Pool) -> None:
        self.experimental_thread_pool = threads
        self._name = name
        self._meter = CallMeter(name)

    def __call__(self, _requests: object, context: grpc.ServicerContext) -> Never:
        """End the call."""
        began = time.perf_counter()
        status = status_of(TooManyCallsError(f"the server has as many calls of {self._name} as it takes"))
        note(self._name, self._meter, code_of(status), began)
        end_call(context, status)


class Method:
    """A method as the server holds it: what answers, how many calls may run or wait, and what answers the others."""

    def __init__(self, handler: Handler, pool: Pool, limit: int, refusal: Handler) -> None:
        self._handler = handler
        self._pool = pool
        self._limit = limit
        self._refusal = refusal

    def choose(self) -> Handler:
        """What answers the next call."""
        return self._handler if self._pool.load < self._limit else self._refusal


class Methods(grpc.GenericRpcHandler):
    """All methods of a service by full name; looked up for every call, before a thread is taken."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self._methods = methods

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """The handler of one call; None for a method that is not here."""
        method = self._methods.get(handler_call_details.method)
        return None if method is None else method.choose()


def for_anybody(request: type[Message], method: UnaryMethod) -> Answer:
    """A method that does not ask who calls."""
    return lambda data, _context, seconds: method(parsed(data, request), seconds)


def parsed(data: bytes, request: type[_Request]) -> _Request:
    """A checked request. Raises MalformedMessageError, InvalidFieldError or TooManyItemsError."""
    try:
        message = request.FromString(data)
    except DecodeError:
        name = request.DESCRIPTOR.name
        raise MalformedMessageError(
            f"the bytes are no {name}: not the wire format, or text that is not UTF-8"
        ) from None
    check(message)
    return message


def note(name: str, meter: CallMeter, code: grpc.StatusCode, began: float) -> None:
    """Count a call that has ended and write its line; `began` is of time.perf_counter()."""
    seconds = time.perf_counter() - began
    meter(code, seconds)
    if _log.isEnabledFor(logging.INFO):
        _log.info("%s %s %.1f ms", name, code.name, seconds * 1e3)
