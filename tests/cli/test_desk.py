"""Where `mpi serve --http` may listen, and by which certificate."""

import socket
import subprocess
from pathlib import Path

import pytest

from mpi.cli.desk import Wanted, desk_port
from mpi.domain.errors import InvalidInputError


def certificate(folder: Path, *, passphrase: str = "") -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key."""
    made, key = folder / "desk.pem", folder / "key.pem"
    locked = ("-passout", f"pass:{passphrase}") if passphrase else ("-nodes",)
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", *locked, "-subj", "/CN=localhost"]
    subprocess.run([*words, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    return made, key


def test_no_desk_takes_no_port() -> None:
    with desk_port(Wanted(None, None, None)) as opened:
        assert opened is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_listens_at_once_so_that_who_comes_early_waits(host: str) -> None:
    with desk_port(Wanted(f"{host}:0", None, None)) as opened:
        assert opened is not None
        with socket.create_connection(opened.getsockname()):
            pass
        place = opened.getsockname()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_other_machines_are_reached_by_a_certificate_only(host: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="by https alone"), desk_port(Wanted(f"{host}:0", None, None)):
        pass
    with desk_port(Wanted("0.0.0.0:0", *certificate(tmp_path))) as opened:
        assert opened is not None


@pytest.mark.parametrize(
    ("http", "made", "key", "said"),
    [
        ("nowhere", None, None, "--http: 'nowhere' is no HOST:PORT"),
        ("no.such.host.invalid:80", None, None, "cannot listen on no.such.host.invalid:80"),
        ("127.0.0.1:0", "desk.pem", None, "belong together"),
        ("127.0.0.1:0", None, "key.pem", "belong together"),
        ("127.0.0.1:0", "desk.pem", "nothing.pem", "No such file"),
        ("127.0.0.1:0", "desk.pem", "desk.pem", "no certificate and its key"),
        ("127.0.0.1:0", "desk.pem", "key.pem", "unlocked"),
    ],
)
def test_what_cannot_be_served_is_told(http: str, made: str | None, key: str | None, said: str, tmp_path: Path) -> None:
    certificate(tmp_path, passphrase="a phrase that nobody types")
    names = (None if name is None else tmp_path / name for name in (made, key))
    with pytest.raises(InvalidInputError, match=said), desk_port(Wanted(http, *names)):
        pass
