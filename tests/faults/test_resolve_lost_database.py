"""PostgreSQL stopped and started again under load: calls go on within seconds, and nothing acknowledged is lost."""

import threading
import time
from collections.abc import Iterator

import pytest

from mpi.domain.errors import RegistryError
from mpi.domain.records import SourceRecord
from mpi.registry.migrate import migrate
from mpi.registry.registry import Registry
from mpi.services.gather import Gatherer
from mpi.services.resolution import Resolution
from tests.online.desk import Desk, asked, came, told
from tests.postgres import PostgresServer, postgres_server
from tests.registries import SECRET
from tests.services.linking import assert_sound, people

CLIENTS = 8
PEOPLE = 11
RECOVERED = 10.0
"""Seconds from the server's return to the first answer, at most."""


@pytest.fixture(scope="module")
def durable() -> Iterator[PostgresServer]:
    """A server of its own: what was committed must be there afterwards."""
    with postgres_server() as server:
        yield server


class _Client:
    """Hands in records of the same few people until told to stop; an error is answered by the same request again."""

    def __init__(self, number: int, gatherer: Gatherer, stop: threading.Event) -> None:
        self.number, self.gatherer, self.stop = number, gatherer, stop
        self.told: dict[str, Resolution] = {}
        self.when: list[float] = []
        self.refused = 0
        self.wrong: list[BaseException] = []

    def run(self) -> None:
        try:
            count = 0
            while not self.stop.is_set():
                who = count * 7 % PEOPLE
                record = came(
                    f"a:{self.number}.{count}",
                    name=f"an {who}",
                    birth=f"1980-01-{1 + who % 28:02}",
                    number=f"7{who:03}",
                )
                self._until_answered(record)
                count += 1
        except BaseException as error:
            self.wrong.append(error)

    def _until_answered(self, record: SourceRecord) -> None:
        request = asked(record)
        while True:
            try:
                self.told[str(record.key)] = told(self.gatherer.submit(request).result(60))
                self.when.append(time.monotonic())
                return
            except RegistryError:
                self.refused += 1
                if self.stop.is_set():
                    return
                time.sleep(0.02)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_is_restarted_under_load(mode: str, durable: PostgresServer) -> None:
    url = durable.create_database(f"restarted_{mode}")
    migrate(url)
    stop = threading.Event()
    with Registry.open(url, secret=SECRET, create=False) as registry:
        gatherer = Desk(registry).gatherer()
        clients = [_Client(number, gatherer, stop) for number in range(CLIENTS)]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        time.sleep(1.0)
        durable.stop(mode)
        time.sleep(0.5)
        durable.start()
        back = time.monotonic()
        while not any(client.when and client.when[-1] > back for client in clients):
            assert time.monotonic() < back + RECOVERED
            time.sleep(0.01)
        time.sleep(0.7)
        stop.set()
        for thread in threads:
            thread.join(60)
        gatherer.close()
        assert [client.wrong for client in clients] == [[]] * CLIENTS
        assert all(client.refused for client in clients)
        assert_sound(registry)
        stored = people(registry)
        # whatever was acknowledged is there, under the name that was told, and nobody is there twice
        named: dict[int, set[str]] = {}
        for client in clients:
            assert len(client.told) >= PEOPLE
            for key, resolution in client.told.items():
                named.setdefault(stored[key], set()).add(resolution.enterprise_id)
        assert len(named) == len(set(stored.values())) == PEOPLE
        assert all(len(names) == 1 for names in named.values())
