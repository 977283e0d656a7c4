"""Transactions of several records each that overlap in every way: no deadlock, and the people of one after another."""

import random
import threading
import time

import pytest

from mpi.registry.registry import Registry
from tests.online.crowds import CROWD, by_person, ever_made, submission
from tests.online.desk import Desk, asked
from tests.postgres import PostgresServer
from tests.registries import SECRET, migrated
from tests.services.linking import assert_sound

SECONDS = 10.0
CLIENTS = 8
FEW = 24
"""People whose records everybody hands in."""


@pytest.mark.parametrize("seed", [1])
def test_overlapping_transactions_never_block_each_other_for_good(seed: int, postgres: PostgresServer) -> None:
    wrong: list[BaseException] = []
    done = [0] * CLIENTS

    def client(number: int, url: str, until: float) -> None:
        chance = random.Random(seed * 100 + number)
        try:
            with Registry.open(url, secret=SECRET, create=False) as registry:
                desk = Desk(registry, CROWD)
                while time.monotonic() < until:
                    # now and then so many that the transaction takes all locks there are
                    size = 60 if chance.random() < 0.05 else chance.randint(1, 8)
                    chosen = {(chance.randrange(FEW), chance.randrange(80)) for _ in range(size)}
                    answers = desk.resolver.resolve([asked(submission(*each)) for each in sorted(chosen)])
                    wrong.extend(answer for answer in answers if isinstance(answer, Exception))
                    done[number] += 1
        except BaseException as error:
            wrong.append(error)

    with migrated(postgres) as url, Registry.open(url, secret=SECRET, create=False) as registry:
        Desk(registry, CROWD).resolver._system_ids({f"system {each}" for each in range(3)})
        until = time.monotonic() + SECONDS
        threads = [threading.Thread(target=client, args=(number, url, until)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS + 60)
        assert wrong == []
        assert min(done) > 3
        assert_sound(registry)
        found = by_person(registry)
        assert {person: len(each) for person, each in found.items()} == dict.fromkeys(range(FEW), 1)
        assert ever_made(registry) == FEW
