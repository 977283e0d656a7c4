"""The desk as `mpi serve --http` runs it: its own process, restarted when it dies, ended in good order."""

import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from mpi.cli.errors import BAD_INPUT
from mpi.domain.errors import RegistryError, RegistrySecretError
from mpi.registry.registry import Registry
from reviewer_ui.worker import DeskServing, serve_desk
from tests.reviewer_ui.running_desk import Visitor, people_at_the_desk
from tests.rpc.processes import command, environment, serving
from tests.services.stored import SCORER


def until(holds: object, *, seconds: float = 60.0) -> None:
    """Waits for something to become true."""
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def answers(address: str) -> bool:
    try:
        return Visitor(address).get("/sign-in").status_code == 200
    except httpx.TransportError:
        return False


def test_it_serves_beside_grpc_comes_back_and_ends_in_good_order(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    with serving(tmp_path, url, "--http", "127.0.0.1:0", "--grace", "5") as up:
        address = up.told["http"]
        assert urlsplit(address).hostname == "127.0.0.1"
        with Registry.open(url, secret=None, create=False) as registry:
            people_at_the_desk(registry)
        visitor = Visitor(address)
        assert visitor.sign_in("steward").status_code == 303
        workers = up.workers()
        assert len(workers) == 2
        for pid in workers:  # whichever of them is the desk
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(up.workers()) == 2 and not set(up.workers()) & set(workers))
        until(lambda: answers(address))
        # a session outlives the process that began it
        assert visitor.get("/").headers["location"] == "/queue"
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as waiting:
            waiting.sendall(b"GET /sign-in HTTP/1.1\r\nHost: desk\r\n\r\n")
            assert waiting.recv(12) == b"HTTP/1.1 200"
            assert up.end(signal.SIGTERM) == 0
        assert not answers(address)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


def test_a_registry_that_is_not_there_yet_is_waited_for(
    registry: Registry, listening: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[int] = []
    told: list[str] = []

    def open_registry() -> Registry:
        opened.append(len(opened))
        if len(opened) < 3:
            raise RegistryError("the database is gone")
        return registry.beside()

    serving = DeskServing(scorer=SCORER, open_registry=open_registry, listening=listening, grace=1)
    address, seen = serving.address, list[bool]()

    def ended(_seconds: float) -> bool:
        if told:
            seen.append(answers(told[0]))
        return bool(told)

    assert serve_desk(serving, told.append, ended) == 0
    assert (len(opened), told, seen) == (3, [address], [True])
    assert caplog.text.count("waiting for the registry: the database is gone") == 2


def test_waiting_for_a_registry_can_be_ended_and_a_wrong_secret_is_not_waited_for(listening: socket.socket) -> None:
    def refuse(error: RegistryError) -> int:
        def open_registry() -> Registry:
            raise error

        serving = DeskServing(scorer=SCORER, open_registry=open_registry, listening=listening, grace=1)
        return serve_desk(serving, lambda _line: None, lambda _seconds: True)

    assert refuse(RegistryError("the database is gone")) == 0
    with pytest.raises(RegistrySecretError):
        refuse(RegistrySecretError("another secret"))


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself."""
    made, key = folder / "desk.pem", folder / "key.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*words, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    return made, key


def test_by_a_certificate_it_answers_https(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    options = ("--http", "localhost:0", "--http-tls-cert", str(made), "--http-tls-key", str(key))
    with serving(tmp_path, f"sqlite:///{tmp_path}/registry.db", *options) as up:
        port = urlsplit(up.told["http"]).port
        assert up.told["http"].startswith("https://")
        with httpx.Client(verify=ssl.create_default_context(cafile=str(made))) as client:
            answer = client.get(f"https://localhost:{port}/sign-in")
        assert (answer.status_code, answer.headers["strict-transport-security"]) == (200, "max-age=31536000")
        assert "server" not in answer.headers
        assert up.end(signal.SIGTERM) == 0


def test_what_cannot_be_served_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            command("--db", f"sqlite:///{tmp_path}/none.db", "--rpc", "127.0.0.1:0", "--http", f"127.0.0.1:{port}"),
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(tmp_path),
            check=False,
            timeout=120,
        )
    assert done.returncode == BAD_INPUT
    assert done.stderr == f"mpi: error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert list(tmp_path.iterdir()) == []
