"""The load generator, in a process of its own: `python -m benchmarks.online.load GIVEN.json GAVE.json`.

Closed: each of n clients, with a connection of its own, calls when its last call is answered. Open: calls are begun at
random moments of a fixed rate, whatever becomes of the others, and latency counts from the moment that was intended.
Stream: items of one stream as fast as the server takes them. What began while warming up is not counted; what the
server had counted by then is kept beside it.
"""

import asyncio
import gc
import itertools
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from grpc import aio

from benchmarks.online.messages import ECHO, messages_of, metrics_text
from benchmarks.processes import worker
from mpi.identity.v1 import identity_service_pb2 as service

_SERVICE = "/mpi.identity.v1.IdentityService/"
_OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)
_DEADLINE = 30.0
_SEED = 20261122

PERCENTILES = (50.0, 95.0, 99.0, 99.9)
CURVE = (*range(0, 90, 5), *range(90, 99), *(99 + step / 10 for step in range(10)), 99.95, 99.99, 100)
"""Percentiles that a drawing of latencies is made of."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A method: its path, the messages that go and come, and the request for a record."""

    path: str
    serialise: Callable[[Any], bytes]
    parse: Callable[[bytes], Any]
    request: Callable[[Any], Any]


def _match(record: Any) -> Any:
    return service.MatchRequest(record=record)


def _resolve(record: Any) -> Any:
    return service.ResolveRequest(request_id=str(uuid.uuid4()), record=record)


def _batch_resolve(record: Any) -> Any:
    request = _resolve(record)
    return service.BatchResolveRequest(item_id=request.request_id, request=request)


VERBS = {
    "Echo": Verb(ECHO, service.MatchRequest.SerializeToString, service.MatchRequest.FromString, _match),
    "Match": Verb(f"{_SERVICE}Match", service.MatchRequest.SerializeToString, service.MatchResponse.FromString, _match),
    "Resolve": Verb(
        f"{_SERVICE}Resolve", service.ResolveRequest.SerializeToString, service.ResolveResponse.FromString, _resolve
    ),
    "BatchResolve": Verb(
        f"{_SERVICE}BatchResolve",
        service.BatchResolveRequest.SerializeToString,
        service.BatchResolveResponse.FromString,
        _batch_resolve,
    ),
}


@dataclass(slots=True)
class Tally:
    """What became of calls. Latencies in seconds of those answered, from when they were (or should have been) begun;
    `metrics` is what the server said of itself when the warming up ended."""

    latencies: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[Any, int]] = field(default_factory=Counter)
    begun: int = 0
    first: float = 0.0
    last: float = 0.0
    metrics: str | None = None

    def answer(self, reply: Any, intended: float) -> None:
        """Count an answered call."""
        self.last = time.perf_counter()
        self.latencies.append(self.last - intended)
        outcome = getattr(reply, "outcome", None)
        if outcome is not None:
            self.outcomes[reply.DESCRIPTOR, outcome] += 1

    def figures(self) -> dict[str, Any]:
        """Everything as plain numbers; times in milliseconds."""
        refused = self.failures.pop(grpc.StatusCode.RESOURCE_EXHAUSTED.name, 0)
        spent = max(self.last - self.first, 1e-9)
        return {
            "calls": len(self.latencies),
            "seconds": spent,
            "per_second": len(self.latencies) / spent,
            "ms": in_ms(self.latencies),
            "curve_ms": in_ms(self.latencies, CURVE),
            "late_ms": in_ms(self.lags) if self.lags else None,
            "refused": refused,
            "errors": dict(self.failures),
            "outcomes": {_outcome_name(*outcome): count for outcome, count in self.outcomes.items()},
            "records_used": self.begun,
            "metrics_when_warm": self.metrics,
        }


def _outcome_name(message: Any, number: int) -> str:
    kind = message.fields_by_name["outcome"].enum_type
    name: str = kind.values_by_number[number].name
    return name.partition("OUTCOME_")[2].lower()


def in_ms(seconds: Sequence[float], percentiles: Sequence[float] = PERCENTILES) -> dict[str, float]:
    """Percentiles of some times, in milliseconds; empty for none."""
    if not seconds:
        return {}
    found = np.percentile(np.array(seconds), percentiles) * 1e3
    return {f"p{share:g}": float(each) for share, each in zip(percentiles, found, strict=True)}


def arrivals(rate: float, seconds: float, seed: int = _SEED) -> list[float]:
    """Moments, in seconds from the start, at which independent callers would call `rate` times a second."""
    gaps = np.random.default_rng(seed).exponential(1 / rate, int(rate * seconds * 1.5) + 20)
    moments = np.cumsum(gaps)
    return [float(each) for each in moments[moments < seconds]]


class _Requests:
    """Requests for the unseen records, one after another, each made before it is needed."""

    def __init__(self, verb: Verb, given: dict[str, Any]) -> None:
        records = messages_of(Path(given["unseen"]), given["first"], given["most"])
        self._ready: Iterator[Any] = map(verb.request, itertools.cycle(records) if given["again"] else records)
        self.taken = 0

    def __next__(self) -> Any:
        request = next(self._ready)
        self.taken += 1
        return request

    def __iter__(self) -> "_Requests":
        return self


class _Connections:
    """Connections to one server; each has its own, so that workers share them out."""

    def __init__(self, target: str, count: int, verb: Verb) -> None:
        self._channels = [aio.insecure_channel(target, options=_OWN_CONNECTION) for _ in range(count)]
        self._verb = verb

    async def __aenter__(self) -> list[Any]:
        await asyncio.gather(*(channel.channel_ready() for channel in self._channels))
        return [
            channel.unary_unary(
                self._verb.path, request_serializer=self._verb.serialise, response_deserializer=self._verb.parse
            )
            for channel in self._channels
        ]

    async def __aexit__(self, *_exception: object) -> None:
        await asyncio.gather(*(channel.close() for channel in self._channels))


async def _call(calling: Any, request: Any, intended: float, tally: Tally | None) -> None:
    """One call, counted in a tally when there is one."""
    try:
        reply = await calling(request, timeout=_DEADLINE)
    except aio.AioRpcError as error:
        if tally is not None:
            tally.failures[error.code().name] += 1
    else:
        if tally is not None:
            tally.answer(reply, intended)


async def _look(given: dict[str, Any], tally: Tally) -> None:
    """Ask the server for its metrics when the warming up ends."""
    if given.get("metrics") is not None:
        await asyncio.sleep(max(tally.first - time.perf_counter(), 0.0))
        tally.metrics = await asyncio.to_thread(metrics_text, given["metrics"])


async def _closed(given: dict[str, Any], verb: Verb, requests: _Requests) -> Tally:
    tally = Tally()
    async with _Connections(given["target"], given["clients"], verb) as connections:
        counted_from = time.perf_counter() + given["warm_up"]
        until = counted_from + given["seconds"]
        tally.first = counted_from

        async def client(calling: Any) -> None:
            while (begun := time.perf_counter()) < until and (request := next(requests, None)) is not None:
                await _call(calling, request, begun, tally if begun >= counted_from else None)

        await asyncio.gather(_look(given, tally), *map(client, connections))
    return tally


async def _open(given: dict[str, Any], verb: Verb, requests: _Requests) -> Tally:
    tally = Tally()
    async with _Connections(given["target"], given["clients"], verb) as connections:
        calls: set[asyncio.Task[None]] = set()
        turn = itertools.cycle(connections)
        start = time.perf_counter()
        tally.first = start + given["warm_up"]
        looking = asyncio.create_task(_look(given, tally))
        for moment in arrivals(given["rate"], given["warm_up"] + given["seconds"]):
            intended = start + moment
            if (early := intended - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            counted = intended >= tally.first
            if counted:
                tally.lags.append(max(time.perf_counter() - intended, 0.0))
            call = asyncio.create_task(_call(next(turn), next(requests), intended, tally if counted else None))
            calls.add(call)
            call.add_done_callback(calls.discard)
        await asyncio.gather(looking, *calls)
    return tally


async def _stream(given: dict[str, Any], verb: Verb, requests: _Requests) -> Tally:
    tally, sent = Tally(), dict[str, float]()
    counted_after = given["most"] // 10
    async with aio.insecure_channel(given["target"], options=_OWN_CONNECTION) as channel:
        await channel.channel_ready()

        async def items() -> AsyncIterator[Any]:
            for item in requests:
                sent[item.item_id] = time.perf_counter()
                yield item

        streaming = channel.stream_stream(
            verb.path, request_serializer=verb.serialise, response_deserializer=verb.parse
        )
        async for reply in streaming(items()):
            begun = sent.pop(reply.item_id)
            if reply.HasField("error"):
                tally.failures[str(grpc.StatusCode(_code(reply.error.code)).name)] += 1
            elif counted_after > 0:
                counted_after -= 1
                tally.first = time.perf_counter()
            else:
                tally.answer(reply.response, begun)
    return tally


def _code(number: int) -> tuple[int, str]:
    return next(code.value for code in grpc.StatusCode if code.value[0] == number)


_WAYS = {"closed": _closed, "open": _open, "stream": _stream}


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`target`, `verb`, `way`; `unseen` (a file) with `first`, `most` and `again` (whether records may come twice);
    `clients`, `rate` a second (open), `warm_up` and `seconds`; of a stream its first tenth is the warming up;
    `metrics`, where the server tells its metrics."""
    verb = VERBS[given["verb"]]
    requests = _Requests(verb, given)
    gc.freeze()
    before = time.process_time()
    tally = asyncio.run(_WAYS[given["way"]](given, verb, requests))
    tally.begun = requests.taken
    return tally.figures() | {"processor_seconds": time.process_time() - before}


if __name__ == "__main__":
    worker(main)
