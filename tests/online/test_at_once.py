"""Many clients and the same people at the same time: one person each; and without locks not."""

from multiprocessing.context import ForkServerContext
from pathlib import Path

import sqlalchemy as sa

from mpi.registry import tables
from mpi.registry.migrate import migrate
from mpi.registry.registry import Registry
from tests.online.crowds import (
    CROWD,
    PEOPLE,
    SUBMISSIONS,
    by_person,
    ever_made,
    hand_in,
    hand_in_by_threads,
)
from tests.online.desk import Desk
from tests.postgres import PostgresServer
from tests.registries import SECRET, migrated
from tests.services.linking import assert_sound, query

PROCESSES = 8
ATTEMPTS = 4


def _assert_nobody_twice(registry: Registry, submissions: int) -> None:
    assert {person: len(found) for person, found in by_person(registry).items()} == dict.fromkeys(range(PEOPLE), 1)
    assert ever_made(registry) == PEOPLE
    [(records,)] = query(registry, sa.select(sa.func.count()).select_from(tables.source_record))
    [(answers,)] = query(registry, sa.select(sa.func.count()).select_from(tables.answered_request))
    assert records == answers == PEOPLE * submissions
    assert_sound(registry)


def test_sixteen_clients_make_nobody_twice_on_postgresql(postgres: PostgresServer) -> None:
    with migrated(postgres) as url, Registry.open(url, secret=SECRET, create=False) as registry:
        Desk(registry, CROWD)
        hand_in_by_threads(url, range(SUBMISSIONS))
        _assert_nobody_twice(registry, SUBMISSIONS)


def test_without_locks_people_are_made_twice(postgres: PostgresServer) -> None:
    """What the test above proves: it would fail without the locks."""
    made: list[int] = []
    while len(made) < ATTEMPTS and max(made, default=PEOPLE) == PEOPLE:
        with migrated(postgres) as url, Registry.open(url, secret=SECRET, create=False) as registry:
            Desk(registry, CROWD)
            hand_in_by_threads(url, range(4), locked=False)
            made.append(ever_made(registry))
    assert made[-1] > PEOPLE


def test_eight_processes_make_nobody_twice_on_sqlite(tmp_path: Path, forks: ForkServerContext) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    migrate(url)
    with Registry.open(url, secret=SECRET, create=False) as registry:
        Desk(registry, CROWD)
        gate = forks.Barrier(PROCESSES)
        said = [tmp_path / f"said-{place}" for place in range(PROCESSES)]
        processes = [forks.Process(target=hand_in, args=(url, place, gate, said[place])) for place in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
        assert [process.exitcode for process in processes] == [0] * PROCESSES
        _assert_nobody_twice(registry, PROCESSES)
    told: dict[str, set[str]] = {}
    for path in said:
        for line in path.read_text().splitlines():
            person, name = line.split()
            told.setdefault(person, set()).add(name)
    assert len(told) == PEOPLE
    assert all(len(names) == 1 for names in told.values())
