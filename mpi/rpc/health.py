"""grpc.health.v1: SERVING while the registry answers; NOT_SERVING before, while it does not, and when going down.

A thread asks the registry every second. One that hangs counts as one that does not answer.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import SERVICE_NAME, HealthServicer

from mpi.domain.errors import MpiError
from mpi.rpc.calls import Pool

NAME: str = SERVICE_NAME
"""Full name of the health service."""

PROBE_EVERY = 1.0
"""Seconds between two questions to the registry."""

PATIENCE = 3.0
"""Seconds after which a question without an answer counts as no answer."""

_log = logging.getLogger(__name__)


class _Check:
    """`Check` on a thread of its own, so that a busy server still says that it is well."""

    def __init__(self, servicer: HealthServicer, threads: Pool) -> None:
        self.experimental_thread_pool = threads  # The names by which gRPC asks for them.
        self._servicer = servicer

    def __call__(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """What is said now; NOT_FOUND for an unknown service."""
        response: health_pb2.HealthCheckResponse = self._servicer.Check(request, context)
        return response


class _Watch:
    """`Watch` without a thread a stream; the streams are known, so that they can be ended."""

    def __init__(self, servicer: HealthServicer, threads: Pool) -> None:
        self.experimental_thread_pool = threads
        self.experimental_non_blocking = True
        self._servicer = servicer
        self._open: set[grpc.ServicerContext] = set()

    def __call__(
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.ServicerContext,
        send: Callable[[health_pb2.HealthCheckResponse | None], None],
    ) -> None:
        """What is said now, and every change of it, until the caller goes."""
        self._open.add(context)
        context.add_callback(lambda: self._open.discard(context))
        self._servicer.Watch(request, context, send)

    def end(self) -> None:
        """End all streams: a server that goes down would wait for them."""
        for context in list(self._open):
            context.cancel()


class Health:
    """What the server says of itself, for every service and for the whole."""

    def __init__(self, services: Sequence[str], probe: Callable[[], object]) -> None:
        self._services = ["", *services]
        self._probe = probe
        self._servicer = HealthServicer()
        self._threads = Pool(2, "mpi-health")
        self._watch = _Watch(self._servicer, self._threads)
        self._stopped = threading.Event()
        self._asked_at = time.monotonic()
        self._answers = False
        self._ails = ""
        self._serving = False
        self._thread = threading.Thread(target=self._ask, name="mpi-probe", daemon=True)
        self._judge = threading.Thread(target=self._keep_judging, name="mpi-health-judge", daemon=True)
        self._say(serving=False)

    @property
    def serving(self) -> bool:
        """What is said now."""
        return self._serving

    def add_to(self, server: grpc.Server) -> None:
        """Add the health service to a server."""
        ways = (health_pb2.HealthCheckRequest.FromString, health_pb2.HealthCheckResponse.SerializeToString)
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Check": grpc.unary_unary_rpc_method_handler(_Check(self._servicer, self._threads), *ways),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, *ways),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()
        self._judge.start()

    def go_down(self) -> None:
        """NOT_SERVING from now on, whatever the registry says."""
        self._stopped.set()
        self._serving = False
        self._servicer.enter_graceful_shutdown()
        self._watch.end()

    def close(self) -> None:
        """Ask no more; a question on its way is waited for, but not for ever."""
        self._stopped.set()
        for thread in (self._thread, self._judge):
            if thread.is_alive():
                thread.join(PATIENCE)
        self._threads.shutdown(wait=False)

    def _ask(self) -> None:
        while not self._stopped.is_set():
            self._asked_at = time.monotonic()
            try:
                self._probe()
                self._answers = True
                self._ails = ""
            except MpiError as error:
                self._note(str(error))
            except Exception as error:
                self._note(f"the probe ended with {type(error).__name__}")
            self._asked_at = float("inf")
            self._stopped.wait(PROBE_EVERY)

    def _note(self, ailment: str) -> None:
        self._answers = False
        if ailment != self._ails:
            _log.warning("not serving: %s", ailment)
            self._ails = ailment

    def _keep_judging(self) -> None:
        while not self._stopped.wait(0.02 if not self._serving else PROBE_EVERY / 4):
            serving = self._answers and time.monotonic() - self._asked_at < PATIENCE
            if serving != self._serving:
                self._say(serving=serving)

    def _say(self, *, serving: bool) -> None:
        self._serving = serving
        kind = health_pb2.HealthCheckResponse
        for name in self._services:
            self._servicer.set(name, kind.SERVING if serving else kind.NOT_SERVING)
