"""A crowd of people and clients that hand in their records, all the same people at the same time, none twice alike."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from mpi.domain.model import Thresholds, VetoEffect
from mpi.domain.records import SourceRecord
from mpi.matching.scorer import Scorer
from mpi.registry import tables
from mpi.registry.dialect_postgresql import PostgresDialect
from mpi.registry.registry import Registry
from tests.factories import small_model
from tests.online.desk import Desk, came
from tests.registries import SECRET
from tests.services.linking import people, query

PEOPLE = 150
SUBMISSIONS = 16

CROWD = Scorer(
    replace(
        small_model(),
        thresholds=Thresholds(link=3.0, review=-4.0, margin=1.0),
        vetoes=tuple(veto for veto in small_model().vetoes if veto.effect is VetoEffect.FORBID),
    )
)
"""Rules by which any two submissions of one person link, however many there are, and no two of different people."""


def submission(person: int, number: int) -> SourceRecord:
    """The `number`-th record of a person: whole, or with a slip in one value or one of them missing. Three people share
    a telephone."""
    values = {
        "name": f"person {person}",
        "birth": f"{1950 + person // 28}-04-{1 + person % 28:02}",
        "number": f"79{person:04}",
        "phone": f"0903718{person // 3:03}",
    }
    kind = number % 5
    if kind == 1:
        values["name"] = f"preson {person} {number}"
    elif kind == 2:
        values["birth"] = f"20{number:02}-12-{1 + person % 28:02}"
    elif kind:
        del values["number" if kind == 3 else "phone"]
    return came(f"system {number % 3}:{person}.{number}", **values)


def submissions(number: int) -> Iterator[SourceRecord]:
    """Everybody's `number`-th record, in one order for all."""
    return (submission(person, number) for person in range(PEOPLE))


def by_person(registry: Registry) -> dict[int, set[int]]:
    """The registry's people that have records of each person."""
    found: dict[int, set[int]] = {}
    for key, person in people(registry).items():
        found.setdefault(int(key.partition(":")[2].partition(".")[0]), set()).add(person)
    return found


def ever_made(registry: Registry) -> int:
    """How many people there are or were."""
    [(count,)] = query(registry, sa.select(sa.func.count()).select_from(tables.person))
    return int(count)


class Unlocked(PostgresDialect):
    """Writers that do not wait for each other."""

    def lock_keys(self, *_: Any, **__: Any) -> None:
        """Hold nothing."""


def hand_in_by_threads(url: str, numbers: Sequence[int], *, locked: bool = True) -> float:
    """A client a number, each with a registry of its own as on a host of its own; gives the seconds taken."""
    gate = threading.Barrier(len(numbers) + 1)

    def client(number: int) -> None:
        with Registry.open(url, secret=SECRET, create=False) as registry:
            if not locked:
                registry._dialect = Unlocked(registry._dialect.url)
            desk = Desk(registry, CROWD)
            desk.resolver._system_ids({f"system {each}" for each in range(3)})
            gate.wait()
            for record in submissions(number):
                desk.resolve(record)

    with ThreadPoolExecutor(len(numbers)) as executor:
        done = [executor.submit(client, number) for number in numbers]
        gate.wait()
        began = time.monotonic()
        for each in done:
            each.result()
    return time.monotonic() - began


def hand_in(url: str, number: int, gate: Barrier, said: Path) -> None:
    """One client in a process of its own; notes every person it was told, one a line."""
    with Registry.open(url, secret=SECRET, create=False) as registry, said.open("w") as lines:
        desk = Desk(registry, CROWD)
        gate.wait()
        for person, record in enumerate(submissions(number)):
            lines.write(f"{person} {desk.resolve(record).enterprise_id}\n")
