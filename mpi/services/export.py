"""Exports: cross-references, open review tasks and golden records, streamed to one file each. Read only.

Each is one moment of the registry, however long the writing takes, and memory does not grow with the registry.
"""

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from mpi.batch.pairs import threads_available
from mpi.domain.model import LinkageModel
from mpi.registry import persons, reviews
from mpi.registry.counters import last_numbers
from mpi.registry.persons import CROSS_REFERENCE_SCHEMA
from mpi.registry.registry import Registry
from mpi.registry.reviews import REVIEW_TASK_SCHEMA
from mpi.registry.source_records import raw_columns
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.featurise import Crew
from mpi.services.golden_records import PeoplesRecords, golden_columns, golden_schema, golden_table
from mpi.services.table_files import TableFile

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total)."""

SMALL_REGISTRY = 100_000
"""People below which worker processes would cost more than they bring."""

PEOPLE_A_BATCH = 32_768
"""People of one batch (about 300 MB in the worker that makes their golden records)."""


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
    # what golden records do not hang on need not travel to the workers
    bare = replace(model, parameters=None, term_frequencies={})
    with TableFile(out, golden_schema(model)) as file, registry.snapshot() as uow, _collector_paused():
        last = last_numbers(uow).person
        workers = threads_available() if last >= SMALL_REGISTRY else 1
        with Crew(bare, registry.secret, workers=workers) as crew:
            ends: deque[int] = deque()
            for _, table in crew.each(golden_table, _batches(uow, bare, last, ends)):
                file.write(table)
                done = ends.popleft()
                if progress and done < last:
                    progress("golden records", done, last)
        if progress:
            progress("golden records", last, last)
    return file.rows


def _batches(
    uow: UnitOfWork, model: LinkageModel, last: int, ends: deque[int]
) -> Iterator[tuple[LinkageModel, list[str], PeoplesRecords]]:
    """What `golden_table` takes, for all people in the order of their numbers; to `ends` goes the last number of
    each batch."""
    for first in range(1, last + 1, PEOPLE_A_BATCH):
        numbers = np.arange(first, min(first + PEOPLE_A_BATCH, last + 1), dtype=np.int64)
        links = persons.members(uow, numbers)
        people, places = np.unique(links.person_ids, return_inverse=True)
        if len(people):
            records = raw_columns(uow, links.record_ids, golden_columns(model))
            names = persons.enterprise_ids_of(uow, people)
            ends.append(int(numbers[-1]))
            yield model, [names[number] for number in people.tolist()], PeoplesRecords(records, places.astype(np.int64))


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
