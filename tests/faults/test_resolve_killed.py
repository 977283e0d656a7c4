"""`kill -9` anywhere in a resolve: nothing or all of it is there, and the same requests again give one answer."""

import signal
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from mpi.registry.registry import Registry
from tests.faults.resolving import (
    AFTER_COMMIT,
    BEFORE_COMMIT,
    arrivals,
    make_known,
    resolve_and_die,
    resolve_on_a_full_disk,
    statements_of,
)
from tests.faults.scenes import Scene
from tests.faults.seasons import State, state_of
from tests.online.desk import Desk
from tests.postgres import PostgresServer
from tests.registries import SECRET, migrated
from tests.services.linking import assert_sound, contents


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer) -> Iterator[Scene]:
    with migrated(postgres) as url:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/known.db"
        with Registry.open(url, secret=SECRET, create=True) as registry:
            make_known(registry, tmp_path / "known")
        yield Scene(tmp_path, postgres, url)


def _answers_again(registry: Registry) -> list[bytes]:
    answers = Desk(registry).resolver.resolve(arrivals())
    assert all(isinstance(answer, bytes) for answer in answers)
    return [answer for answer in answers if isinstance(answer, bytes)]


def _undisturbed(scene: Scene) -> tuple[State, int]:
    with scene.fresh() as url:
        statements = statements_of(url)
        with Registry.open(url, secret=SECRET, create=False) as registry:
            return state_of(registry), statements


def test_killed_at_every_statement(scene: Scene, forks: ForkServerContext, tmp_path: Path) -> None:
    expected, statements = _undisturbed(scene)
    assert statements > 10
    for point in [*range(1, statements + 1), BEFORE_COMMIT, AFTER_COMMIT]:
        said = tmp_path / f"said {point}"
        with scene.fresh() as url, Registry.open(url, secret=SECRET, create=False) as registry:
            before = contents(registry)
            process = forks.Process(target=resolve_and_die, args=(url, point, said))
            process.start()
            process.join(60)
            assert process.exitcode == -signal.SIGKILL, point
            assert not said.exists()
            assert_sound(registry)
            left = contents(registry)
            # whole, or nothing at all
            assert (left == before) is (point != AFTER_COMMIT), point
            first = _answers_again(registry)
            assert state_of(registry) == expected, point
            after = contents(registry)
            assert (after == left) is (point == AFTER_COMMIT), point
            if point < 0:
                assert _answers_again(registry) == first
                assert contents(registry) == after
                assert_sound(registry)


def test_an_answer_that_was_lost_is_given_again(scene: Scene, forks: ForkServerContext, tmp_path: Path) -> None:
    with scene.fresh() as url, Registry.open(url, secret=SECRET, create=False) as registry:
        said = tmp_path / "said"
        process = forks.Process(target=resolve_and_die, args=(url, 0, said))
        process.start()
        process.join(60)
        assert process.exitcode == 0
        left = contents(registry)
        assert b"".join(_answers_again(registry)) == said.read_bytes()
        assert contents(registry) == left


def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path: Path, forks: ForkServerContext) -> None:
    path, said = tmp_path / "registry.db", tmp_path / "said"
    url = f"sqlite:///{path}"
    with Registry.open(url, secret=SECRET, create=True) as registry:
        make_known(registry, tmp_path / "known")
    said.touch()
    process = forks.Process(target=resolve_on_a_full_disk, args=(url, path.stat().st_size + 400_000, said))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    *answered, error = said.read_text().splitlines()
    assert error.startswith("RegistryError: the registry's database refused: "), error
    assert len(answered) > 3
    with Registry.open(url, secret=SECRET, create=False) as registry:
        assert_sound(registry)
        names = {name for group in state_of(registry)["people"] for name in group if name.startswith("f:")}
        assert names == {f"f:{number}" for number in answered}
        failed = f"f:{len(answered)}"
        Desk(registry).comes(failed, name=f"full {len(answered)}")
        assert_sound(registry)
