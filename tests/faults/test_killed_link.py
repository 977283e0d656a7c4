"""`kill -9` anywhere in a link, then the same command again: the end state is that of a run nobody disturbed."""

import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import sqlalchemy as sa

from mpi.registry import tables
from mpi.registry.registry import Registry
from tests.faults.seasons import Files, state_of, undisturbed
from tests.faults.victim import link_and_die, small_batches
from tests.registries import SECRET
from tests.services.linking import link_files, query, write_source


def _dies(forks: ForkServerContext, url: str, files: Files, last: int, *, after_commit: bool) -> bool:
    """Whether a link that should die at its `last`-th writing transaction did; it may have none so late."""
    process = forks.Process(target=link_and_die, args=(url, files, last), kwargs={"after_commit": after_commit})
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def test_killed_again_and_again(
    registry_url: str, seasons: tuple[Files, Files], tmp_path: Path, forks: ForkServerContext
) -> None:
    """Every run gets some transactions further than the one before, until one comes through."""
    expected, transactions = undisturbed(f"sqlite:///{tmp_path}/undisturbed.db", seasons)
    with Registry.open(registry_url, secret=SECRET, create=False) as registry, small_batches():
        link_files(registry, seasons[0])
        died_while: list[str] = []
        while _dies(forks, registry_url, seasons[1], transactions // 6, after_commit=len(died_while) % 2 == 1):
            status = sa.select(tables.run.c.status).order_by(tables.run.c.run_id.desc()).limit(1)
            died_while += [each for (each,) in query(registry, status)]
            assert len(died_while) < 12
        assert {"ingesting", "placing"} <= set(died_while)
        assert state_of(registry) == expected


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.8, 0.95, 1.0])
def test_killed_once_and_run_again(
    part: float, seasons: tuple[Files, Files], tmp_path: Path, forks: ForkServerContext
) -> None:
    expected, transactions = undisturbed(f"sqlite:///{tmp_path}/undisturbed.db", seasons)
    url = f"sqlite:///{tmp_path}/killed.db"
    with Registry.open(url, secret=SECRET, create=True) as registry, small_batches():
        link_files(registry, seasons[0])
    last = max(1, round(part * transactions))
    assert _dies(forks, url, seasons[1], last, after_commit=False)
    with Registry.open(url, secret=SECRET, create=False) as registry, small_batches():
        summary = link_files(registry, seasons[1])
        assert state_of(registry) == expected
        if summary.resumed is not None:
            assert "died" in summary.resumed
        if "finished first" in (summary.resumed or ""):
            # the dead run's own plan was written to its end: nothing was left for the next one
            assert summary.records_linked == 0
        for counts in summary.sources.values():
            assert counts.read == counts.stored + counts.unchanged + counts.rejected


def test_another_command_after_a_death_gives_the_dead_run_up(
    seasons: tuple[Files, Files], tmp_path: Path, forks: ForkServerContext
) -> None:
    """What the dead run had read stays and is linked by the next run, whatever that reads."""
    expected, transactions = undisturbed(f"sqlite:///{tmp_path}/undisturbed.db", seasons)
    url = f"sqlite:///{tmp_path}/killed.db"
    with Registry.open(url, secret=SECRET, create=True) as registry, small_batches():
        link_files(registry, seasons[0])
    assert _dies(forks, url, seasons[1], transactions // 4, after_commit=True)
    with Registry.open(url, secret=SECRET, create=False) as registry, small_batches():
        other = write_source(tmp_path / "other.parquet", [])
        summary = link_files(registry, {"other": other})
        assert summary.resumed is not None
        assert "given up" in summary.resumed
        link_files(registry, seasons[1])
        state = state_of(registry)
        assert state["people"] == expected["people"]
        assert state["questions"] == expected["questions"]
        assert state["records"] == expected["records"]
