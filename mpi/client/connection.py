"""What every client is built on: one connection, deadlines, and tries that are made again only when that is safe.

Reads are safe always, writes because they bear a request id, which stays the same over all tries. All tries of a call
together keep to its timeout.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from grpc import aio

from mpi.client.errors import IdentityError, error_of, pause_before

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A server that is gone without a word is noticed while a stream waits for it.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)
"""How all clients connect."""

Metadata = tuple[tuple[str, str], ...]
Reply = TypeVar("Reply")


def bearing(token: str) -> Metadata:
    """What a call bears so that the service knows whose it is."""
    return (("authorization", f"Bearer {token}"),)


class _Tries:
    """The tries of one call: how long it may still take, and when it is made again."""

    def __init__(self, timeout: float, attempts: int) -> None:
        self._until = time.monotonic() + timeout
        self._attempts = attempts
        self._made = 0

    def seconds_left(self) -> float:
        """Seconds for the next try."""
        return max(self._until - time.monotonic(), 0.001)

    def pause_after(self, error: IdentityError) -> float:
        """Seconds to wait after a try that failed; raises the error where there is to be no other."""
        self._made += 1
        pause = pause_before(self._made, error)
        if not error.transient or self._made >= self._attempts or time.monotonic() + pause >= self._until:
            raise error
        return pause


class Connection:
    """A connection for threads, to `host:port`. Close it, or use it as a context manager.

    `timeout` is how many seconds a call gets, all tries together; `attempts` how many tries; `metadata` goes with every
    call. Without `credentials` the connection is not encrypted.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout: float,
        attempts: int,
        credentials: grpc.ChannelCredentials | None,
        metadata: Metadata = (),
    ) -> None:
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
        self._timeout = timeout
        self._attempts = attempts
        self._metadata = metadata
        self._closed = False

    def close(self) -> None:
        """End all calls and the connection."""
        self._closed = True
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Callable[..., Reply], request: Any, timeout: float | None) -> Reply:
        """One call with its tries."""
        tries = _Tries(self._timeout if timeout is None else timeout, self._attempts)
        while True:
            try:
                return method(request, timeout=tries.seconds_left(), metadata=self._metadata)
            except grpc.RpcError as failed:
                error = error_of(failed)
            time.sleep(tries.pause_after(error))


class AsyncConnection:
    """The same for one event loop. Use it as an async context manager, or close it."""

    def __init__(
        self,
        target: str,
        *,
        timeout: float,
        attempts: int,
        credentials: grpc.ChannelCredentials | None,
        metadata: Metadata = (),
    ) -> None:
        if credentials is None:
            self._channel = aio.insecure_channel(target, options=CHANNEL_OPTIONS)
        else:
            self._channel = aio.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
        self._timeout = timeout
        self._attempts = attempts
        self._metadata = metadata
        self._closed = False

    async def close(self) -> None:
        """End all calls and the connection."""
        self._closed = True
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
        """One call with its tries."""
        tries = _Tries(self._timeout if timeout is None else timeout, self._attempts)
        while True:
            try:
                return await method(request, timeout=tries.seconds_left(), metadata=self._metadata)
            except grpc.RpcError as failed:
                error = error_of(failed)
            await asyncio.sleep(tries.pause_after(error))
