"""What `mpi serve --http` adds: the stewards' desk in a process of its own, beside those that answer gRPC."""

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mpi.cli.ports import listening, parts

if TYPE_CHECKING:
    import socket

    from mpi.matching.scorer import Scorer
    from mpi.registry.registry import Registry
    from mpi.rpc.workers import Role

NAME = "desk"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the desk is to answer, and by which certificate; everything None for no desk."""

    http: str | None
    certificate: Path | None
    key: Path | None


@contextmanager
def desk_port(wanted: Wanted) -> "Iterator[socket.socket | None]":
    """The socket that the desk listens on, or None where none is wanted.

    Raises InvalidInputError for what cannot be listened on, and a certificate that cannot be used.
    """
    if wanted.http is None:
        yield None
        return
    _check_certificate(wanted)
    with listening(*parts(wanted.http, "--http"), encrypted=wanted.certificate is not None) as opened:
        yield opened


def desk_role(
    wanted: Wanted,
    opened: "socket.socket",
    scorer: "Scorer",
    open_registry: "Callable[[], Registry]",
    *,
    grace: float,
) -> "Role":
    """What the process of the desk does."""
    from mpi.rpc.workers import Role
    from reviewer_ui.worker import DeskServing

    serving = DeskServing(
        scorer=scorer,
        open_registry=open_registry,
        listening=opened,
        grace=grace,
        certificate=wanted.certificate,
        key=wanted.key,
    )
    return Role(NAME, partial(_be_the_desk, serving))


def _be_the_desk(serving: object, tell_ready: Callable[[str], None]) -> int:
    import signal

    from mpi.rpc.workers import wait_for_end
    from reviewer_ui.worker import DeskServing, serve_desk

    assert isinstance(serving, DeskServing)
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    return serve_desk(serving, tell_ready, partial(wait_for_end, parent=os.getppid()))


def _check_certificate(wanted: Wanted) -> None:
    from mpi.domain.errors import InvalidInputError

    if (wanted.certificate is None) != (wanted.key is None):
        raise InvalidInputError("--http-tls-cert and --http-tls-key belong together")
    if wanted.certificate is not None:
        try:
            # a key under a passphrase is refused here: nobody is there to be asked for it each time the process starts
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(wanted.certificate, wanted.key, password=lambda: "")
        except ssl.SSLError:
            raise InvalidInputError("--http-tls-cert: these are no certificate and its key, in PEM, unlocked") from None
        except OSError as error:
            raise InvalidInputError(f"--http-tls-cert, --http-tls-key: {error.strerror}") from None
