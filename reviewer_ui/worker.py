"""The process that serves the desk: opens the registry, answers on its parent's socket, and ends in good order."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from mpi.domain.errors import RegistryError, RegistrySecretError
from mpi.matching.scorer import Scorer
from mpi.registry.registry import Registry
from mpi.services.neighbourhood import OnlineRules
from reviewer_ui.app import create_app
from reviewer_ui.wiring import DeskServices

_TICK = 0.5
_STARTING_TICK = 0.02
_TRY_AGAIN = 1.0
_STOPPED, _FAILED = 0, 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskServing:
    """What is served: rules, a way to open the registry, a socket that is bound, and seconds to go down in.

    With `certificate` and its `key` (PEM files) it answers by https.
    """

    scorer: Scorer
    open_registry: Callable[[], Registry]
    listening: socket.socket
    grace: float
    certificate: Path | None = None
    key: Path | None = None

    @property
    def address(self) -> str:
        """Where browsers go."""
        host, port = self.listening.getsockname()[:2]
        shown = f"[{host}]" if self.listening.family == socket.AF_INET6 else host
        return f"{'http' if self.certificate is None else 'https'}://{shown}:{port}"


def serve_desk(serving: DeskServing, tell_ready: Callable[[str], None], ended: Callable[[float], bool]) -> int:
    """Serve until `ended`, which waits so many seconds at most and says whether to end; the process's exit code.

    A registry that cannot be reached is waited for. Raises RegistrySecretError and InvalidInputError for what waiting
    does not cure.
    """
    registry = _registry(serving, ended)
    if registry is None:
        return _STOPPED
    with registry:
        app = create_app(
            DeskServices(registry, OnlineRules(serving.scorer, registry.secret)), secure=serving.certificate is not None
        )
        server = uvicorn.Server(_config(app, serving))
        # uvicorn would take the signals for itself in the main thread
        thread = threading.Thread(target=server.run, args=([serving.listening],), name="mpi-desk", daemon=True)
        thread.start()
        told = False
        while not ended(_TICK if told else _STARTING_TICK):
            if not thread.is_alive():
                return _FAILED
            if not told and server.started:
                tell_ready(serving.address)
                told = True
        server.should_exit = True
        thread.join(serving.grace + _TRY_AGAIN)
        return _FAILED if thread.is_alive() else _STOPPED


def _config(app: object, serving: DeskServing) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own word for an application is narrower than FastAPI's
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(1, round(serving.grace)),
        ssl_certfile=serving.certificate,
        ssl_keyfile=serving.key,
    )


def _registry(serving: DeskServing, ended: Callable[[float], bool]) -> Registry | None:
    """The registry, once it can be had; None when the process is to end before."""
    while True:
        began = time.monotonic()
        try:
            return serving.open_registry()
        except RegistrySecretError:
            raise
        except RegistryError as error:
            _log.warning("waiting for the registry: %s", error)
        if ended(max(_TRY_AGAIN - (time.monotonic() - began), 0.0)):
            return None
