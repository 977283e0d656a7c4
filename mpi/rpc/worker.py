"""One serving process: opens the registry, serves until it is told to end, and goes down in good order."""

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from mpi.domain.errors import RegistryError, RegistrySecretError
from mpi.matching.scorer import Scorer
from mpi.registry.registry import Registry
from mpi.rpc.identity import Identity, Services
from mpi.rpc.server import Limits, Server
from mpi.rpc.workers import STOPPED, TellReady, wait_for_end
from mpi.services.neighbourhood import OnlineRules

_TICK = 0.5
_TRY_AGAIN = 1.0
_STARTING_TICK = 0.01

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a worker serves: rules, a way to open the registry, an address, limits, and seconds to go down in."""

    scorer: Scorer
    open_registry: Callable[[], Registry]
    address: str
    limits: Limits
    reflected: bool
    grace: float


def serve(serving: Serving, tell_ready: TellReady) -> int:
    """Serve until SIGTERM comes or the parent is gone; the process's exit code.

    A registry that cannot be reached is waited for. Raises RegistrySecretError and InvalidInputError for what waiting
    does not cure.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    parent = os.getppid()
    services = _services(serving, parent)
    if services is None:
        return STOPPED
    server = Server(Identity(services), serving.address, limits=serving.limits, reflected=serving.reflected)
    server.start()
    told = False
    while not wait_for_end(_TICK if told else _STARTING_TICK, parent):
        if not told and server.health.serving:
            tell_ready(serving.address)
            told = True
        server.count()
    stopped = server.go_down(serving.grace)
    stopped.wait(serving.grace + _TRY_AGAIN)
    server.close()
    return STOPPED


def _services(serving: Serving, parent: int) -> Services | None:
    """The services, once the registry can be had; None when the process is to end before."""
    while True:
        began = time.monotonic()
        try:
            registry = serving.open_registry()
            try:
                return Services.over(registry, OnlineRules(serving.scorer, registry.secret))
            except BaseException:
                registry.close()
                raise
        except RegistrySecretError:
            raise
        except RegistryError as error:
            _log.warning("waiting for the registry: %s", error)
        if wait_for_end(max(_TRY_AGAIN - (time.monotonic() - began), 0.0), parent):
            return None
