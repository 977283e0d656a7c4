"""Two seasons of files whose second run reads, changes, merges and asks; and what a registry holds after them."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from mpi.registry import tables
from mpi.registry.registry import Registry
from tests.faults.victim import MortalRegistry, small_batches
from tests.registries import SECRET
from tests.services.linking import Row, link_files, partition, query, questions, row, strangers, tasks, write_source

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


def write_seasons(folder: Path) -> tuple[Files, Files]:
    """The files of both seasons, by source system."""
    first = {"a": _season(later=False), "x": strangers(40)}
    second = {"a": _season(later=True), "b": [row(f"J{n}", number=f"70{n}") for n in range(12)], "x": strangers(60)}
    return tuple(
        {system: write_source(folder / name / f"{system}.parquet", rows) for system, rows in season.items()}
        for name, season in (("first", first), ("second", second))
    )  # type: ignore[return-value]


def state_of(registry: Registry) -> State:
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


def undisturbed(url: str, seasons: tuple[Files, Files]) -> tuple[State, int]:
    """The state after both seasons, and how many writing transactions the second one takes."""
    with MortalRegistry.open(url, secret=SECRET, create=True) as registry, small_batches():
        assert isinstance(registry, MortalRegistry)
        link_files(registry, seasons[0])
        before = registry.written
        link_files(registry, seasons[1])
        return state_of(registry), registry.written - before
