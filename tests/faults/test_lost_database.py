"""PostgreSQL crashes under a link: one line, nothing half-done, and the same command finishes once it is back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mpi.cli.errors import REGISTRY, exit_code_of
from mpi.domain.errors import RegistryError
from mpi.registry.migrate import migrate
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from tests.faults.seasons import Files, State, state_of, undisturbed, write_seasons
from tests.faults.victim import small_batches
from tests.postgres import PostgresServer, postgres_server
from tests.registries import SECRET
from tests.services.linking import assert_sound, link_files


@pytest.fixture(scope="module")
def crashing() -> Iterator[PostgresServer]:
    """A server of its own, and durable: nobody else is hurt, and what was committed must be there afterwards."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, Files]:
    return write_seasons(tmp_path_factory.mktemp("seasons"))


@pytest.fixture(scope="module")
def expected(files: tuple[Files, Files], tmp_path_factory: pytest.TempPathFactory) -> tuple[State, int]:
    return undisturbed(f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/registry.db", files)


class LostRegistry(Registry):
    """A registry whose server crashes in its `last`-th writing transaction, with rows not yet committed."""

    server: PostgresServer
    last = 0
    written = 0

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        self.written += 1
        with super().begin() as uow:
            yield uow
            if self.written == self.last:
                self.server.stop("immediate")


@pytest.mark.parametrize("part", [0.2, 0.7, 1.0])
def test_a_server_that_crashes_in_a_link_is_one_line_and_the_same_command_finishes(
    part: float, crashing: PostgresServer, files: tuple[Files, Files], expected: tuple[State, int]
) -> None:
    state, transactions = expected
    url = crashing.create_database(f"lost_{round(part * 100)}")
    migrate(url)
    with Registry.open(url, secret=SECRET, create=False) as registry, small_batches():
        link_files(registry, files[0])
    with small_batches(), LostRegistry.open(url, secret=SECRET, create=False) as registry:
        assert isinstance(registry, LostRegistry)
        registry.server, registry.last = crashing, round(part * transactions)
        with pytest.raises(RegistryError) as lost:
            link_files(registry, files[1])
        assert exit_code_of(lost.value) == REGISTRY
        assert str(lost.value).startswith("the registry's database is gone: ")
        assert "run the same command again" in str(lost.value)
        assert "\n" not in str(lost.value)
        with pytest.raises(RegistryError, match="is gone"), registry.snapshot():
            pass
        crashing.start()
        # the same process may go on as well as another one
        assert_sound(registry)
        registry.last = 0
        summary = link_files(registry, files[1])
        assert state_of(registry) == state
    assert "died" in (summary.resumed or "")
    for counts in summary.sources.values():
        assert counts.read == counts.stored + counts.unchanged + counts.rejected
