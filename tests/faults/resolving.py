"""A process that resolves records and dies on purpose: by SIGKILL before its n-th statement, its commit, or its answer.

Loaded by the fork server, which resolves once so that children find every kernel.
"""

import os
import resource
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mpi.domain.errors import MpiError
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.resolution import ResolveRequest
from tests.hearing import hearing
from tests.online.desk import Desk, asked, came
from tests.registries import SECRET
from tests.services.linking import link_rows, row, strangers

NEVER = 0
BEFORE_COMMIT = -1
AFTER_COMMIT = -2

LAN = {"name": "lan", "birth": "1980-01-01"}
BA = {"name": "ba", "birth": "1981-01-01"}
HOA = {"name": "hoa", "birth": "1990-01-01"}


def make_known(registry: Registry, folder: Path) -> None:
    """Who is there before."""
    known = [row("1", **LAN, number="71"), row("2", **BA, recorded_at="2020-01-01"), row("3", number="73")]
    link_rows(registry, folder, a=[*known, row("4", **HOA)], x=strangers())
    desk = Desk(registry)
    desk.resolver._system_ids({"a", "b"})


def arrivals() -> list[ResolveRequest]:
    """One transaction's worth: a link, a new person, a question, a new version and a late one, and a bridge between
    two people."""
    records = [
        came("b:link", **LAN),
        came("b:new", name="moi", number="99"),
        came("b:doubt", name="lan"),
        came("b:bridge", **HOA, number="73"),
        came("a:2", **{**BA, "number": "72"}, at="2019-01-01"),
        came("a:4", **HOA, phone="0903718264"),
    ]
    return [asked(record, request_id=f"request of {record.key}") for record in records]


_FAILPOINTS = ("INSERT", "UPDATE", "DELETE", "WITH ", "SELECT pg_advisory")


class Deaths:
    """Kills its process before the `point`-th statement of a transaction that writes or locks."""

    def __init__(self, point: int) -> None:
        self.point = point
        self.statements: list[str] = []

    def hear(self, statement: str) -> None:
        # rows of one table follow one another: one statement
        if statement.startswith(_FAILPOINTS) and self.statements[-1:] != [statement]:
            self.statements.append(statement)
            self.die_at(len(self.statements))

    def die_at(self, point: int) -> None:
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def heard(url: str, deaths: Deaths) -> Iterator[Registry]:
    """A registry whose every statement is heard before it is sent."""

    class MortalRegistry(Registry):
        @contextmanager
        def begin(self) -> Iterator[UnitOfWork]:
            deaths.statements.clear()
            with super().begin() as uow:
                yield uow
                deaths.die_at(BEFORE_COMMIT)
            deaths.die_at(AFTER_COMMIT)

    with (
        MortalRegistry.open(url, secret=SECRET, create=False) as registry,
        hearing(registry, lambda statement, _: deaths.hear(statement.partition(" VALUES ")[0])),
    ):
        yield registry


def resolve_and_die(url: str, point: int, said: Path) -> None:
    """Resolve all arrivals in one transaction; be killed at a point of it. What was answered goes to `said`."""
    deaths = Deaths(NEVER)
    with heard(url, deaths) as registry:
        desk = Desk(registry)
        desk.resolver._system_ids({"a", "b"})
        prepared = desk.resolver.prepare(arrivals())
        deaths.point = point
        answers = desk.resolver.settle(prepared)
        said.write_bytes(b"".join(answer for answer in answers if isinstance(answer, bytes)))


def statements_of(url: str) -> int:
    """How many statements the transaction of all arrivals takes."""
    deaths = Deaths(NEVER)
    with heard(url, deaths) as registry:
        Desk(registry).resolver.resolve(arrivals())
    return len(deaths.statements)


def resolve_on_a_full_disk(url: str, most_bytes: int, said: Path) -> None:
    """Resolve strangers one by one while no file may grow beyond `most_bytes`; each that was answered is a line of
    `said`, and what went wrong the last one."""
    with said.open("r+") as lines, Registry.open(url, secret=SECRET, create=False) as registry:
        desk = Desk(registry)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _until_it_fails(lambda number: desk.comes(f"f:{number}", name=f"full {number}"), lines.write)


def _until_it_fails(step: Callable[[int], object], say: Callable[[str], object]) -> None:
    number = 0
    try:
        while True:
            step(number)
            say(f"{number}\n")
            number += 1
    except MpiError as error:
        say(f"{type(error).__name__}: {error}\n")


def _warm() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/registry.db"
        with Registry.open(url, secret=SECRET, create=True) as registry:
            make_known(registry, Path(folder) / "known")
            Desk(registry).resolver.resolve(arrivals())
