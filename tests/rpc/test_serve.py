"""`mpi serve` as it is run: processes on one port, restarted when they die, ended in good order."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from mpi.cli.errors import BAD_INPUT, REGISTRY
from mpi.client import IdentityClient
from mpi.domain.records import RecordKey
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import identity_service_pb2_grpc as service_grpc
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret
from mpi.services import lookup
from mpi.services.neighbourhood import OnlineRules
from tests.postgres import PostgresServer
from tests.rpc.processes import ROOT, Served, command, environment, serving
from tests.rpc.serving import lan, resolve_request, stranger, wait_until, writers_held
from tests.services.stored import SCORER


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    with serving(
        home, f"sqlite:///{home}/registry.db", "--workers", "2", "--metrics", "127.0.0.1:0", "--reflection"
    ) as up:
        yield up


def exposed(up: Served) -> dict[str, float]:
    """The metrics, by name and labels."""
    with urllib.request.urlopen(up.told["metrics"], timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for line in lines if line[0] != "#" for name, _, value in [line.rpartition(" ")]}


def example(up: Served, name: str, *arguments: str) -> str:
    words = [sys.executable, str(ROOT / "examples" / f"{name}.py"), "--server", up.address, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(ROOT), check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def steward(home: Path, served: Served) -> Path:
    """A file with a steward's token, made as an administrator makes it."""
    db = ("--db", f"sqlite:///{home}/registry.db")

    def accounts(*arguments: str, told: str = "") -> str:
        words = [sys.executable, "-m", "mpi.cli.main", "accounts", *arguments, *db, "--json"]
        done = subprocess.run(
            words, input=told, capture_output=True, text=True, env=environment(home), cwd=home, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    accounts("add", "mai", "--role", "steward", "--password-stdin", told="a-long-enough-password")
    path = home / "steward-token"
    path.write_text(json.loads(accounts("token", "mai"))["token"], encoding="ascii")
    return path


def doubtful(up: Served, system: str, citizen_id: str) -> str:
    """Registers somebody with a known person's name and day of birth, and another citizen number."""
    example(up, "resolve_a_record")
    return example(up, "resolve_a_record", "--system", system, "--id", "1", "--citizen-id", citizen_id)


def test_it_says_in_one_line_where_it_answers(served: Served) -> None:
    assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d+", served.address)
    assert (served.told["workers"], served.told["rules"]) == (2, "vn_person@1.0.0")
    assert len(served.workers()) == 3  # two that serve and one for the metrics
    with IdentityClient(served.address) as client:
        assert client.active_rules().family == "vn_person"


def test_all_its_processes_count_together(served: Served) -> None:
    count = 'mpi_rpc_seconds_count{code="OK",method="Match"}'
    before = exposed(served).get(count, 0)
    for _ in range(12):
        # A connection of its own for each: the system hands them to either process.
        with grpc.insecure_channel(served.address, options=(("grpc.use_local_subchannel_pool", 1),)) as channel:
            service_grpc.IdentityServiceStub(channel).Match(service.MatchRequest(record=lan()))
    with IdentityClient(served.address) as client:
        client.resolve(stranger(77))
    found = exposed(served)
    assert found[count] == before + 12
    assert found['mpi_candidate_records_count{method="Match"}'] >= 12
    assert found["mpi_gathered_resolves_count"] >= 1
    assert "mpi_waiting_calls" in found


def test_a_worker_that_dies_is_replaced(served: Served) -> None:
    old = served.workers()
    os.kill(old[0], signal.SIGKILL)
    wait_until(lambda: len(served.workers()) == 3 and set(served.workers()) != set(old), seconds=30)
    with IdentityClient(served.address, timeout=30) as client:
        for number in range(10):
            assert client.resolve(stranger(100 + number)).enterprise_id
    assert exposed(served)


def test_examples_run(served: Served, steward: Path, tmp_path: Path) -> None:
    first = example(served, "resolve_a_record")
    person = first.split()[0]
    assert "NEW_PERSON" in first
    assert "the same answer" in first
    linked = example(served, "resolve_a_record", "--system", "station", "--id", "TYT9", "--name", "TRAN THI LAN")
    assert linked.startswith(f"{person}  LINKED  NEW")
    assert "through hospital:BN0001" in linked
    matched = example(served, "match_at_the_desk", "--citizen-id", "079184000123")
    assert matched.startswith(f"MATCH\n{person}  CERTAIN")
    assert "known as station:TYT9" in matched
    lifelong = example(served, "lifelong_record").splitlines()
    assert [line.split()[1] for line in lifelong[1:]] == ["BIRTH", "ENCOUNTER", "SCHOOL_CHECK"]
    assert "a steward is asked" in doubtful(served, "school", "079184000456")
    questions = example(served, "review_tasks", "--token-file", str(steward))
    [task] = [line.split()[0] for line in questions.splitlines() if "school:1" in line]
    answered = example(served, "review_tasks", "--token-file", str(steward), "--task", task, "--answer", "different")
    assert answered.startswith("APPLIED")
    assert "school:1" not in example(served, "review_tasks", "--token-file", str(steward))
    token = tmp_path / "token"
    changes = example(served, "follow_changes", "--token", str(token), "--changes", "3").splitlines()
    more = example(served, "follow_changes", "--token", str(token), "--changes", "2").splitlines()
    assert [int(line.split()[0]) for line in [*changes, *more]] == [1, 2, 3, 4, 5]


def test_the_readmes_calls_run(served: Served, steward: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    calls = [shlex.split(line[2:]) for line in readme.splitlines() if line.startswith("$ buf curl ")]
    assert len(calls) >= 2
    token = steward.read_text(encoding="ascii")
    assert "a steward is asked" in doubtful(served, "clinic", "079184000789")
    for words in calls:
        words = [word.replace("$TOKEN", token) for word in words]
        url = words[-1].replace("127.0.0.1:50051", served.address)
        buf = str(Path(sys.executable).parent / "buf")
        done = subprocess.run(
            [buf, *words[1:-1], url], capture_output=True, text=True, env=environment(ROOT), check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert any(word in done.stdout for word in ("consistencyToken", "family", "reviewTasks"))


def test_a_port_that_is_taken_is_not_shared_with_another_server(served: Served, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/other.db"
    other = subprocess.run(
        command("--db", url, "--create", "--rpc", served.address),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        check=False,
        timeout=120,
    )
    assert other.returncode == BAD_INPUT
    assert other.stderr == f"mpi: error: cannot listen on {served.address}: Address already in use\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--rpc", "nowhere"], BAD_INPUT, "--rpc: 'nowhere' is no HOST:PORT"),
        (["--rpc", "127.0.0.1:0", "--metrics", "x:99999"], BAD_INPUT, "--metrics: 'x:99999' is no HOST:PORT"),
        (["--rpc", "127.0.0.1:0"], REGISTRY, "there is no registry at"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = subprocess.run(
        command("--db", f"sqlite:///{tmp_path}/none.db", *arguments),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        check=False,
        timeout=120,
    )
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_ends_in_good_order_under_load(served: Served, home: Path) -> None:
    # The last test of this server.
    acknowledged: list[int] = []
    codes: Counter[grpc.StatusCode] = Counter()

    def work(first: int) -> None:
        with grpc.insecure_channel(served.address, options=(("grpc.use_local_subchannel_pool", 1),)) as channel:
            resolve = service_grpc.IdentityServiceStub(channel).Resolve
            for number in range(first, first + 1_000):
                try:
                    resolve(resolve_request(stranger(number, "load"), f"load-{number}"), timeout=30)
                except grpc.RpcError as failed:
                    codes[failed.code()] += 1
                    return
                acknowledged.append(number)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(1_000, 7_000, 1_000)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 60, seconds=60)
    began = time.monotonic()
    assert served.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 20
    for thread in threads:
        thread.join(40)
        assert not thread.is_alive()
    assert set(codes) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    with Registry.open(f"sqlite:///{home}/registry.db", secret=None, create=False) as registry:
        rules = OnlineRules(SCORER, registry.secret)
        for number in acknowledged:
            key = RecordKey("load", f"S{number}")
            assert len(lookup.look_up(registry, rules, key=key).people) == 1
    host, _, port = served.address.partition(":")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((host, int(port)), timeout=5):
        pass


def test_it_serves_postgresql_and_a_second_signal_ends_it_at_once(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.create_database("serve")
    try:
        with serving(tmp_path, url, "--workers", "1") as up:
            with IdentityClient(up.address) as client:
                person = client.resolve(lan()).enterprise_id
                assert client.match(lan()).candidates[0].enterprise_id == person
            secret = RegistrySecret.from_file(next(tmp_path.glob("mpi/secrets/*.secret")))
            with (
                Registry.open(url, secret=secret, create=False) as registry,
                writers_held(registry),
                grpc.insecure_channel(up.address) as channel,
            ):
                resolve = service_grpc.IdentityServiceStub(channel).Resolve
                held = resolve.future(resolve_request(lan("H2"), "held"))
                time.sleep(0.5)
                up.process.send_signal(signal.SIGINT)
                with pytest.raises(subprocess.TimeoutExpired):
                    up.process.wait(1)
                began = time.monotonic()
                assert up.end(signal.SIGINT) != 0
                assert time.monotonic() - began < 5
                assert isinstance(held.exception(10), grpc.RpcError)
        with Registry.open(url, secret=secret, create=False) as registry:
            found = lookup.look_up(registry, OnlineRules(SCORER, registry.secret), key=RecordKey("hospital", "H1"))
            assert [each.enterprise_id for each in found.people] == [person]
    finally:
        postgres.drop_database("serve")
