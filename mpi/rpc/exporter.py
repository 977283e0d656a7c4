"""The process that tells Prometheus what all workers have counted."""

import os
import signal

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from mpi.domain.errors import InvalidInputError
from mpi.rpc.workers import STOPPED, TellReady, wait_for_end

_TICK = 1.0


def export(host: str, port: int, folder: str, tell_ready: TellReady) -> int:
    """Answer GET /metrics until SIGTERM comes or the parent is gone; the process's exit code.

    Raises InvalidInputError when the port cannot be had.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    parent = os.getppid()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    try:
        server, _ = start_http_server(port, host, registry)
    except OSError as error:
        raise InvalidInputError(f"cannot listen on {host}:{port} for metrics: {error.strerror}") from None
    tell_ready(f"http://{host}:{server.server_port}/metrics")
    while not wait_for_end(_TICK, parent):
        pass
    server.shutdown()
    return STOPPED


def forget(pid: int) -> None:
    """Take the gauges of a process that is gone out of the sums; its counters stay in them."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]
