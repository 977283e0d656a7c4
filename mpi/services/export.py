"""Exports: cross-references, open review tasks and golden records, streamed to one file each. Read only.

Each is one moment of the registry, however long the writing takes, and memory does not grow with the registry.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mpi.domain.model import LinkageModel
from mpi.registry import persons, reviews
from mpi.registry.counters import last_numbers
from mpi.registry.persons import CROSS_REFERENCE_SCHEMA
from mpi.registry.registry import Registry
from mpi.registry.reviews import REVIEW_TASK_SCHEMA
from mpi.registry.source_records import raw_records
from mpi.services.golden_records import PeoplesRecords, golden_schema, golden_table
from mpi.services.table_files import TableFile

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total)."""

PEOPLE_A_BATCH = 32_768
"""People whose records are in memory at once (about 300 MB with all that is made of them)."""


def export_cross_references(registry: Registry, out: str | Path) -> int:
    """Writes which person each record belongs to (CROSS_REFERENCE_SCHEMA) and returns the number of records.

    Raises InvalidInputError for a file that cannot be written.
    """
    with TableFile(out, CROSS_REFERENCE_SCHEMA) as file, registry.snapshot() as uow:
        for batch in persons.cross_references(uow):
            file.write(batch)
    return file.rows


def export_review_tasks(registry: Registry, out: str | Path) -> int:
    """Writes the open review tasks (REVIEW_TASK_SCHEMA; match weights in bits) and returns how many there are.

    Raises InvalidInputError for a file that cannot be written.
    """
    with TableFile(out, REVIEW_TASK_SCHEMA) as file, registry.snapshot() as uow:
        for batch in reviews.export_open(uow):
            file.write(batch)
    return file.rows


def export_golden_records(
    registry: Registry, model: LinkageModel, out: str | Path, *, progress: Progress | None = None
) -> int:
    """Writes the golden record of every person who has records, oldest first, and returns how many there are.

    Columns: enterprise_id, records (how many), and for every field of the rules' survivorship `<field>`, `<field>_from`
    (source:id) and `<field>_reason`. Raises InvalidInputError for a file that cannot be written.
    """
    with TableFile(out, golden_schema(model)) as file, registry.snapshot() as uow, _collector_paused():
        last = last_numbers(uow).person
        for first in range(1, last + 1, PEOPLE_A_BATCH):
            numbers = np.arange(first, min(first + PEOPLE_A_BATCH, last + 1), dtype=np.int64)
            links = persons.members(uow, numbers)
            people, places = np.unique(links.person_ids, return_inverse=True)
            if len(people):
                records = [record for _, record in raw_records(uow, links.record_ids)]
                names = persons.enterprise_ids_of(uow, people)
                given = PeoplesRecords(records, places.astype(np.int64))
                file.write(golden_table(model, [names[number] for number in people.tolist()], given))
            if progress:
                progress("golden records", int(numbers[-1]), last)
    return file.rows


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Millions of small values, none in a cycle: the collector finds nothing and costs a quarter of the run."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
