"""`kill -9` anywhere in a link, then the same command again: the end state is that of a run nobody disturbed."""

import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mpi.registry import tables
from mpi.registry.registry import Registry
from tests.faults.victim import MortalRegistry, link_and_die, small_batches
from tests.registries import SECRET
from tests.services.linking import (
    Row,
    link_files,
    partition,
    query,
    questions,
    row,
    strangers,
    tasks,
    write_source,
)

Files = dict[str, Path]
State = dict[str, Any]


def _season(*, later: bool) -> list[Row]:
    """One source's rows of a season: pairs, a doubt, a veto; in the later one changes, joiners and a bridge."""
    rows: list[Row] = []
    for n in range(12):
        who = {"name": f"an {n}", "birth": f"1980-02-{1 + n:02}"}
        rows += [row(f"A{n}", **who), row(f"B{n}", **who, number=f"70{n}")]
        rows += [row(f"C{n}", name=f"an {n}"), row(f"D{n}", number=f"80{n}")]
        if later:
            rows += [row(f"E{n}", **who), row(f"A{n}", **who, recorded_at="2022-01-01")]
            rows += [row(f"A{n}", name=f"late {n}", recorded_at="2019-01-01")] if n < 4 else []
            rows += [row(f"F{n}", number=f"80{n}", name=f"bridge {n}", birth="1990-01-01")]
            rows += [row(f"G{n}", name=f"bridge {n}", birth="1990-01-01", number=f"80{n}")]
    return rows


@pytest.fixture
def seasons(tmp_path: Path) -> tuple[Files, Files]:
    first = {"a": _season(later=False), "x": strangers(40)}
    second = {"a": _season(later=True), "b": [row(f"J{n}", number=f"70{n}") for n in range(12)], "x": strangers(60)}
    return tuple(
        {system: write_source(tmp_path / name / f"{system}.parquet", rows) for system, rows in season.items()}
        for name, season in (("first", first), ("second", second))
    )  # type: ignore[return-value]


def _state(registry: Registry) -> State:
    """What a run leaves, apart from numbers that a death may skip."""
    record, version, event = tables.source_record.c, tables.source_record_version.c, tables.event.c
    return {
        "people": partition(registry),
        "questions": questions(registry),
        "tasks": sorted((kind, reason) for kind, _, reason in tasks(registry)),
        "records": sorted(
            query(registry, sa.select(record.source_record_id, record.version, record.recorded_at)), key=repr
        ),
        "versions": query(registry, sa.select(sa.func.count()).select_from(tables.source_record_version)),
        "old": sorted(query(registry, sa.select(version.version, version.recorded_at)), key=repr),
        "events": sorted(query(registry, sa.select(event.kind, sa.func.count()).group_by(event.kind))),
        "persons": sorted(query(registry, sa.select(tables.person.c.status, sa.func.count()).group_by("status"))),
        "links": query(registry, sa.select(sa.func.count()).select_from(tables.link)),
    }


def _undisturbed(url: str, seasons: tuple[Files, Files]) -> tuple[State, int]:
    """The state after both seasons, and how many writing transactions the second one takes."""
    with MortalRegistry.open(url, secret=SECRET, create=True) as registry, small_batches():
        assert isinstance(registry, MortalRegistry)
        link_files(registry, seasons[0])
        before = registry.written
        link_files(registry, seasons[1])
        return _state(registry), registry.written - before


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
    expected, transactions = _undisturbed(f"sqlite:///{tmp_path}/undisturbed.db", seasons)
    with Registry.open(registry_url, secret=SECRET, create=False) as registry, small_batches():
        link_files(registry, seasons[0])
        died_while: list[str] = []
        while _dies(forks, registry_url, seasons[1], transactions // 6, after_commit=len(died_while) % 2 == 1):
            status = sa.select(tables.run.c.status).order_by(tables.run.c.run_id.desc()).limit(1)
            died_while += [each for (each,) in query(registry, status)]
            assert len(died_while) < 12
        assert {"ingesting", "placing"} <= set(died_while)
        assert _state(registry) == expected


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.8, 0.95, 1.0])
def test_killed_once_and_run_again(
    part: float, seasons: tuple[Files, Files], tmp_path: Path, forks: ForkServerContext
) -> None:
    expected, transactions = _undisturbed(f"sqlite:///{tmp_path}/undisturbed.db", seasons)
    url = f"sqlite:///{tmp_path}/killed.db"
    with Registry.open(url, secret=SECRET, create=True) as registry, small_batches():
        link_files(registry, seasons[0])
    last = max(1, round(part * transactions))
    assert _dies(forks, url, seasons[1], last, after_commit=False)
    with Registry.open(url, secret=SECRET, create=False) as registry, small_batches():
        summary = link_files(registry, seasons[1])
        assert _state(registry) == expected
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
    expected, transactions = _undisturbed(f"sqlite:///{tmp_path}/undisturbed.db", seasons)
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
        state = _state(registry)
        assert state["people"] == expected["people"]
        assert state["questions"] == expected["questions"]
        assert state["records"] == expected["records"]
