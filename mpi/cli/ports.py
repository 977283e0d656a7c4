"""Addresses that commands listen on: HOST:PORT as text, and ports taken before any process is forked."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_WAITING_BROWSERS = 128
"""Connections that the system keeps while the desk's process starts anew."""


def parts(text: str, option: str) -> tuple[str, int]:
    """Host and port. Raises InvalidInputError naming the option."""
    from mpi.domain.errors import InvalidInputError

    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise InvalidInputError(f"{option}: '{text}' is no HOST:PORT, such as 127.0.0.1:50051 or [::1]:50051")
    return host.removeprefix("[").removesuffix("]"), int(port)


@contextmanager
def port_held(host: str, port: int) -> Iterator[str]:
    """Holds a port that several processes may listen on, without listening; gives the numeric address.

    Raises InvalidInputError when the host is unknown or someone listens there: workers share the port with each other,
    but never with another server.
    """
    from mpi.domain.errors import InvalidInputError

    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as alone:
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(place)
            place = alone.getsockname()
        held = socket.socket(family, kind, protocol)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(place)
    except OSError as error:
        raise InvalidInputError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    with held:
        name, number = held.getsockname()[:2]
        yield f"[{name}]:{number}" if family == socket.AF_INET6 else f"{name}:{number}"


@contextmanager
def listening(host: str, port: int, *, encrypted: bool) -> Iterator[socket.socket]:
    """Listens on a port for one process after the other; who connects in between waits.

    Raises InvalidInputError when the port cannot be had, and for a host other than this machine unless `encrypted`:
    browsers send the cookie of a session by https alone, or to themselves.
    """
    from mpi.domain.errors import InvalidInputError

    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if not encrypted and not ipaddress.ip_address(str(place[0]).partition("%")[0]).is_loopback:
            raise InvalidInputError(
                "--http: browsers keep the desk's cookie by https alone: give --http-tls-cert and --http-tls-key, or"
                " listen on 127.0.0.1 behind a proxy that has a certificate"
            )
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(place)
        opened.listen(_WAITING_BROWSERS)
    except OSError as error:
        raise InvalidInputError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    with opened:
        yield opened
