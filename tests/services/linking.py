"""What tests of `link` share: source files from a few rows, one call that links them, what the registry then says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from mpi.batch.sources import SourceSpec
from mpi.domain.model import LinkageModel
from mpi.registry import tables
from mpi.registry.counters import Counters, allocate
from mpi.registry.integrity import broken_rules
from mpi.registry.registry import Registry
from mpi.services.link import LinkRequest, LinkSummary, link_sources
from tests.factories import small_model

Row = Mapping[str, str | None]
Partition = set[frozenset[str]]

COLUMNS = ("source_record_id", "number", "name", "birth", "year", "phone", "recorded_at")


def write_source(path: Path, rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> Path:
    """A Parquet file of strings; a column left out is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns}
    pq.write_table(pa.table(arrays), path)
    return path


def row(local_id: str, **values: str) -> Row:
    """One row of a source."""
    return {"source_record_id": local_id, **values}


def strangers(count: int = 100) -> list[Row]:
    """People who have nothing in common with anybody: they make the prior that of a hundred records."""
    return [
        row(f"X{n}", number=f"9{n:05}", name=f"stranger {n}", birth=f"19{10 + n % 80}-01-{1 + n % 28:02}")
        for n in range(count)
    ]


def link_files(
    registry: Registry,
    files: Mapping[str, Path],
    *,
    model: LinkageModel | None = None,
    required: Sequence[str] = (),
    rejects: Path | None = None,
    workers: int = 1,
    **options: Any,
) -> LinkSummary:
    """Link files by source system, and see that the registry is sound afterwards."""
    some_file = next(iter(files.values()))
    place = rejects or (some_file if some_file.is_dir() else some_file.parent).with_name("rejects.parquet")
    request = LinkRequest([SourceSpec(system, str(path)) for system, path in files.items()], required, place, workers)
    summary = link_sources(registry, model or small_model(), request, **options)
    assert_sound(registry)
    return summary


def link_rows(registry: Registry, folder: Path, **sources: Sequence[Row]) -> LinkSummary:
    """Link rows by source system under the small model."""
    return link_files(
        registry, {name: write_source(folder / f"{name}.parquet", rows) for name, rows in sources.items()}
    )


def assert_sound(registry: Registry) -> None:
    with registry.snapshot() as uow:
        assert broken_rules(uow) == {}


def query(registry: Registry, statement: sa.Select[Any]) -> list[Any]:
    with registry.snapshot() as uow:
        return [tuple(each) for each in uow.connection.execute(statement)]


def contents(registry: Registry, *, without: Sequence[str] = ("run", "registry_counter")) -> dict[str, list[Any]]:
    """Every row of every table, by name."""
    return {
        table.name: sorted(query(registry, sa.select(table)), key=repr)
        for table in tables.METADATA.sorted_tables
        if table.name not in without
    }


def people(registry: Registry) -> dict[str, int]:
    """The person of every record by its key."""
    record, system, link = tables.source_record.c, tables.source_system.c, tables.link.c
    statement = (
        sa.select(system.name, record.source_record_id, link.person_id)
        .select_from(tables.link)
        .join(tables.source_record, record.record_id == link.record_id)
        .join(tables.source_system, system.source_system_id == record.source_system_id)
        .where(link.valid_to_revision.is_(None))
    )
    return {f"{name}:{local_id}": person for name, local_id, person in query(registry, statement)}


def partition(registry: Registry, *, only: str = "") -> Partition:
    """The records of each person; with `only` those of the systems whose names begin so."""
    groups: dict[int, set[str]] = {}
    for key, person in people(registry).items():
        if key.startswith(only):
            groups.setdefault(person, set()).add(key)
    return {frozenset(group) for group in groups.values()}


def record_id(registry: Registry, key: str) -> int:
    name, _, local_id = key.partition(":")
    record, system = tables.source_record.c, tables.source_system.c
    statement = (
        sa.select(record.record_id)
        .join_from(tables.source_record, tables.source_system, system.source_system_id == record.source_system_id)
        .where(system.name == name, record.source_record_id == local_id)
    )
    [(found,)] = query(registry, statement)
    return int(found)


def tasks(registry: Registry, *, status: str = "open") -> list[Any]:
    """(kind, question, reason or why it was closed) of the tasks of a status, in order."""
    task = tables.review_task.c
    said = task.reason if status == "open" else task.closed_reason
    statement = sa.select(task.kind, task.question, said).where(task.status == status)
    return query(registry, statement.order_by(task.task_id))


def questions(registry: Registry) -> set[frozenset[str]]:
    """The records that open tasks ask about, without regard to the numbers of people."""
    task = tables.review_task.c
    ends = query(registry, sa.select(task.kind, task.record_a, task.record_b).where(task.status == "open"))
    record, system = tables.source_record.c, tables.source_system.c
    names = sa.select(record.record_id, system.name, record.source_record_id).join_from(
        tables.source_record, tables.source_system, system.source_system_id == record.source_system_id
    )
    keys = {number: f"{name}:{local_id}" for number, name, local_id in query(registry, names)}
    return {frozenset({kind, keys[a], keys[b]}) for kind, a, b in ends}


def judge(registry: Registry, verdict: str, one: str, other: str, *, withdrawn: int | None = None) -> None:
    """A steward's judgement about two records given by their keys."""
    ends = sorted((record_id(registry, one), record_id(registry, other)))
    with registry.begin() as uow:
        number = allocate(uow, Counters(judgement=1)).judgement
        uow.connection.execute(
            sa.insert(tables.judgement).values(
                judgement_id=number,
                record_a=ends[0],
                record_b=ends[1],
                verdict=verdict,
                made_by="steward:mai",
                made_at="2026-01-01T00:00:00.000000+00:00",
                reason="knows them",
                withdrawn_revision=withdrawn,
            )
        )
