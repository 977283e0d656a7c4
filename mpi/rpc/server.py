"""The gRPC server of one process: its limits, its services, its port, and how it goes down.

Going down: NOT_SERVING first, then watchers and batches end with what they need to go on, calls that were begun are
finished, and only then the work behind them is closed.
"""

import threading
import time
from dataclasses import dataclass

import grpc
from grpc_reflection.v1alpha import reflection

from mpi.domain.errors import InvalidInputError
from mpi.rpc import metrics
from mpi.rpc.calls import Handler, Method, Methods, Pool, Refusal
from mpi.rpc.health import NAME as HEALTH_SERVICE
from mpi.rpc.health import Health
from mpi.rpc.identity import SERVICE as IDENTITY
from mpi.rpc.identity import Identity
from mpi.rpc.stewardship import SERVICE as STEWARDSHIP
from mpi.rpc.stewardship import Stewardship

LARGEST_REQUEST = 1 << 20
"""Bytes of a request, or of one item of a stream."""

LARGEST_REPLY = 16 << 20

_LAST_WAIT = 2.0
_ROOM_TO_REFUSE = 64
"""Calls beyond all limits that are still refused with details; more are refused by gRPC itself, without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one process takes: threads of unary calls, such calls that run or wait, and open streams of each kind."""

    threads: int = 16
    calls: int = 256
    watchers: int = 64
    batches: int = 16

    @property
    def most(self) -> int:
        """Calls of every kind at once."""
        return self.calls + self.watchers + self.batches + _ROOM_TO_REFUSE


_OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_REQUEST),
    ("grpc.max_send_message_length", LARGEST_REPLY),
    ("grpc.so_reuseport", 1),
    # Callers behind a proxy may keep a silent connection open; a peer that is gone is noticed within 40 seconds.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 3),
    ("grpc.max_concurrent_streams", 1_024),
)


class Server:
    """One server on one address. `start`, then `go_down` once."""

    def __init__(self, identity: Identity, address: str, *, limits: Limits, reflected: bool) -> None:
        """Takes the port. Raises InvalidInputError when it cannot be had."""
        self._identity = identity
        self._stewardship = Stewardship(identity.services.registry, identity.services.rules)
        self._calls = Pool(limits.threads, "mpi-call")
        self._watchers = Pool(limits.watchers, "mpi-watch")
        self._batches = Pool(limits.batches, "mpi-batch")
        self._refusals = Pool(2, "mpi-refuse")
        self._server = grpc.server(self._calls, options=_OPTIONS, maximum_concurrent_rpcs=limits.most)
        self._server.add_generic_rpc_handlers((Methods(self._methods(limits)),))
        self.health = Health([IDENTITY, STEWARDSHIP], identity.probe)
        self.health.add_to(self._server)
        if reflected:
            names = (IDENTITY, STEWARDSHIP, HEALTH_SERVICE, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)
        try:
            self.port = self._server.add_insecure_port(address)
        except RuntimeError:
            raise InvalidInputError(f"cannot listen on {address}") from None

    def _methods(self, limits: Limits) -> dict[str, Method]:
        methods = {}
        unary_calls = ((IDENTITY, self._identity.unary_calls()), (STEWARDSHIP, self._stewardship.unary_calls()))
        for service, calls in unary_calls:
            for name, unary in calls.items():
                handler: Handler = grpc.unary_unary_rpc_method_handler(unary)
                methods[f"/{service}/{name}"] = self._method(name, handler, self._calls, limits.calls)
        for name, batch in self._identity.batch_calls(self._batches).items():
            handler = grpc.stream_stream_rpc_method_handler(batch)
            methods[f"/{IDENTITY}/{name}"] = self._method(name, handler, self._batches, limits.batches)
        for name, watch in self._identity.watch_calls(self._watchers).items():
            handler = grpc.unary_stream_rpc_method_handler(watch)
            methods[f"/{IDENTITY}/{name}"] = self._method(name, handler, self._watchers, limits.watchers)
        return methods

    def _method(self, name: str, handler: Handler, pool: Pool, limit: int) -> Method:
        refusal: Handler = grpc.stream_stream_rpc_method_handler(Refusal(name, self._refusals))
        return Method(handler, pool, limit, refusal)

    def start(self) -> None:
        """Answer calls; what is said of the server's health follows the registry from now on."""
        self._server.start()
        self.health.start()

    def count(self) -> None:
        """Note in the metrics what is waiting, and what is kept in memory."""
        metrics.waiting(self._calls.waiting)
        metrics.recent_keys(self._identity.recent_keys)

    def go_down(self, grace: float) -> threading.Event:
        """Take no new calls, finish those that were begun within `grace` seconds; the event says when it is done."""
        self.health.go_down()
        self._identity.drain.begin()
        return self._server.stop(grace)

    def close(self) -> None:
        """Give back everything, once the server has stopped; work that was taken in is finished first.

        Calls that overstayed the grace are waited for a little longer: their threads cannot be ended, only abandoned.
        """
        self.health.close()
        pools = (self._calls, self._watchers, self._batches, self._refusals)
        abandoned_at = time.monotonic() + _LAST_WAIT
        while any(pool.load for pool in pools) and time.monotonic() < abandoned_at:
            time.sleep(0.01)
        for pool in pools:
            pool.shutdown(wait=False)
        self._identity.close()
