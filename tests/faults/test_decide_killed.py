"""`kill -9` anywhere in a decision: nothing or all of it is there, and the same request again gives one answer."""

import pickle
import signal
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from mpi.registry.registry import Registry
from mpi.services.stewardship.adjudicate import Outcome
from tests.faults.deciding import (
    Asked,
    answer,
    decide_and_die,
    desk_state,
    make_merge,
    make_split,
    make_undo,
    make_unmerge,
    statements_of,
)
from tests.faults.resolving import AFTER_COMMIT, BEFORE_COMMIT, NEVER
from tests.faults.scenes import Scene
from tests.postgres import PostgresServer
from tests.registries import SECRET, migrated
from tests.services.linking import assert_sound, contents
from tests.services.stewardship.replayed import look

Make = Callable[[Registry], Asked]


@pytest.fixture(
    params=[
        ("sqlite", make_merge),
        ("sqlite", make_undo),
        ("sqlite", make_unmerge),
        ("sqlite", make_split),
        ("postgresql", make_merge),
        ("postgresql", make_undo),
    ],
    ids=lambda each: f"{each[0]}-{each[1].__name__}",
)
def scene(request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer) -> Iterator[tuple[Scene, Asked]]:
    database: str = request.param[0]
    make: Make = request.param[1]
    with migrated(postgres) as url:
        if database == "sqlite":
            url = f"sqlite:///{tmp_path}/known.db"
        with Registry.open(url, secret=SECRET, create=True) as registry:
            asked = make(registry)
        yield Scene(tmp_path, postgres, url), asked


def die(forks: ForkServerContext, url: str, asked: Asked, point: int, said: Path) -> int | None:
    process = forks.Process(target=decide_and_die, args=(url, asked, point, said))
    process.start()
    process.join(60)
    return process.exitcode


def test_killed_at_every_statement(scene: tuple[Scene, Asked], forks: ForkServerContext, tmp_path: Path) -> None:
    stage, asked = scene
    with stage.fresh() as url:
        statements = statements_of(url, asked)
        with Registry.open(url, secret=SECRET, create=False) as registry:
            expected = desk_state(registry)
    assert statements > 10
    # PostgreSQL takes everything back alike, wherever it was: there every third will do
    points = range(1, statements + 1, 1 if stage.template.startswith("sqlite") else 3)
    for point in [*points, BEFORE_COMMIT, AFTER_COMMIT]:
        said = tmp_path / f"said {point}"
        with stage.fresh() as url, Registry.open(url, secret=SECRET, create=False) as registry:
            before = contents(registry, without=())
            assert die(forks, url, asked, point, said) == -signal.SIGKILL, point
            assert not said.exists()
            assert_sound(registry)
            left = contents(registry, without=())
            # whole, or nothing at all
            assert (left == before) is (point != AFTER_COMMIT), point
            first = answer(registry, asked)
            assert isinstance(pickle.loads(first), Outcome)
            assert desk_state(registry) == expected, point
            after = contents(registry, without=())
            assert (after == left) is (point == AFTER_COMMIT), point
            if point < 0:
                assert answer(registry, asked) == first
                assert contents(registry, without=()) == after
                assert_sound(registry)
                found = look(registry)
                assert found.told == found.there


def test_an_answer_that_was_lost_is_given_again(
    scene: tuple[Scene, Asked], forks: ForkServerContext, tmp_path: Path
) -> None:
    stage, asked = scene
    said = tmp_path / "said"
    with stage.fresh() as url, Registry.open(url, secret=SECRET, create=False) as registry:
        assert die(forks, url, asked, NEVER, said) == 0
        left = contents(registry, without=())
        assert answer(registry, asked) == said.read_bytes()
        assert contents(registry, without=()) == left
