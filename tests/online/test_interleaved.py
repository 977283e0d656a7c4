"""Another writer between any two statements of a resolve: what is left is what one after the other would leave.

On PostgreSQL, where writers with no key in common run side by side until they take numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from mpi.domain.model import Thresholds
from mpi.domain.records import SourceRecord
from mpi.matching.scorer import Scorer
from mpi.registry.registry import Registry
from tests.factories import small_model
from tests.hearing import hearing
from tests.online.desk import Desk, came
from tests.postgres import PostgresServer
from tests.registries import SECRET, migrated
from tests.services.linking import assert_sound, partition, questions

EASY = Scorer(replace(small_model(), thresholds=Thresholds(link=0.0, review=-1.0, margin=0.1)))
"""Rules by which a phone alone links."""

Values = dict[str, str]
Came = tuple[str, Values]
Left = tuple[set[frozenset[str]], set[frozenset[str]]]


@dataclass(frozen=True)
class Scene:
    """What there is, what comes, and what comes meanwhile; the latter two share no blocking key."""

    before: Sequence[Came]
    comes: Came
    meanwhile: Sequence[Came]


LAN = {"name": "lan", "birth": "1"}
ONE, TWO, THREE = {"phone": "1"}, {"phone": "2"}, {"phone": "3"}
BOTH = {"phone": "12"}

SCENES = {
    "its person is merged into another": Scene([("q", TWO), ("p", LAN | ONE)], ("new", LAN), [("bridge", BOTH)]),
    "another is merged into its person": Scene([("p", LAN | ONE), ("q", TWO)], ("new", LAN), [("bridge", BOTH)]),
    "a new version of a record whose person is merged into another": Scene(
        [("q", TWO), ("p", LAN | ONE), ("old", LAN)], ("old", LAN | {"number": "71"}), [("bridge", BOTH)]
    ),
    "its person gets a number that forbids it": Scene(
        [("p", LAN | ONE)], ("new", LAN | {"number": "71"}), [("more", ONE | {"number": "72"})]
    ),
    "its person gets more records": Scene(
        [("p", LAN | ONE), ("q", TWO)], ("new", LAN), [("more", ONE), ("else", THREE)]
    ),
    "nobody knows it": Scene([("p", LAN)], ("new", {"number": "71"}), [("more", {"number": "72"})]),
}


def _played(came_by: Came, number: int) -> SourceRecord:
    """A record of the `number`-th time that its scene is played, with values of that time only."""
    local_id, given = came_by
    made = {
        "name": lambda value: f"{value} {number}",
        "birth": lambda _: f"{1950 + number // 300}-{1 + number // 25 % 12:02}-{1 + number % 25:02}",
        "phone": lambda lines: "; ".join(f"09{line}37{number:05}" for line in lines),
        "number": lambda value: f"{value}{number:05}",
    }
    return came(f"a:{local_id}.{number}", **{name: made[name](value) for name, value in given.items()})


class Moments:
    """Lets another writer go first before the `point`-th statement; once numbers are taken nobody can."""

    meanwhile: Callable[[], object]
    point = passed = 0

    def hear(self, statement: str) -> None:
        if "UPDATE registry_counter" in statement:
            self.point = 0
        self.passed += 1
        if self.passed == self.point:
            self.point = 0
            self.meanwhile()


@contextmanager
def _heard(url: str, moments: Moments) -> Iterator[Registry]:
    """A registry whose every statement is heard before it is sent."""

    with (
        Registry.open(url, secret=SECRET, create=False) as registry,
        hearing(registry, lambda statement, _: moments.hear(statement)),
    ):
        yield registry


def _left(registry: Registry, number: int) -> Left:
    """People and questions of one playing."""
    ending = f".{number}"

    def own(groups: set[frozenset[str]]) -> set[frozenset[str]]:
        return {
            frozenset(key.removesuffix(ending) for key in group)
            for group in groups
            if any(key.endswith(ending) for key in group)
        }

    return own(partition(registry)), own(questions(registry))


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_another_writer_at_any_moment(scene: Scene, postgres: PostgresServer) -> None:
    moments = Moments()
    with (
        migrated(postgres) as url,
        Registry.open(url, secret=SECRET, create=False) as registry,
        _heard(url, moments) as other,
    ):
        desk, interrupted = Desk(registry, EASY), Desk(other, EASY)
        expected = []
        for number, order in enumerate(([*scene.meanwhile, scene.comes], [scene.comes, *scene.meanwhile])):
            for each in [*scene.before, *order]:
                desk.resolve(_played(each, number))
            expected.append(_left(registry, number))
        interrupted.resolve(_played(("warm", {}), 0))
        number, came_by = 2, True
        while came_by:
            number, came_by = number + 1, False
            for each in scene.before:
                desk.resolve(_played(each, number))

            def meanwhile(number: int = number) -> None:
                nonlocal came_by
                came_by = True
                for each in scene.meanwhile:
                    desk.resolve(_played(each, number))

            moments.meanwhile, moments.passed, moments.point = meanwhile, 0, number - 2
            interrupted.resolve(_played(scene.comes, number))
            if came_by:
                assert _left(registry, number) in expected, f"another came before statement {number - 2}"
        assert number - 2 > 5
        assert_sound(registry)
