"""From raw rows to what the registry stores of them, in worker processes: contents and digests first, feature rows
for new ones.

A Crew of one works in this process: starting others costs more than a small job.
"""

import gc
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mpi.batch.tables import columns_of_table
from mpi.domain.errors import WorkerLostError
from mpi.domain.model import LinkageModel
from mpi.matching.features import FrequencyTable, Layout, frequency_table, layout_of, pack_rows
from mpi.matching.weights import column_kinds
from mpi.registry.codec import PersonalDataCodec
from mpi.registry.known_records import Digests, Hashes, content_digests, key_hashes
from mpi.standardise.record import standardise_table

T = TypeVar("T")

AHEAD = 3
"""Batches in work for every worker: enough to keep them busy, few enough to bound memory."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What n raw rows say: stored texts, times of capture, digests uint64 (n, 2), key hashes uint64 (n,)."""

    raws: list[str]
    recorded_ats: list[str | None]
    digests: Digests
    hashes: Hashes


@dataclass(frozen=True, slots=True)
class _Tools:
    """What a worker needs to make feature rows."""

    model: LinkageModel
    layout: Layout
    frequencies: FrequencyTable
    key: bytes
    codec: PersonalDataCodec


_tools: list[_Tools] = []


def _prepare(model: LinkageModel, key: bytes) -> None:
    _tools[:] = [_Tools(model, layout_of(model), frequency_table(model), key, PersonalDataCodec())]


def _prepare_worker(model: LinkageModel, key: bytes) -> None:
    """Set a worker process up. It makes strings and arrays, no cycles: collecting would cost it a sixth of its time."""
    gc.disable()
    _prepare(model, key)


def describe(table: pa.Table, system_id: int) -> Contents:
    """Contents of raw rows of one source system."""
    columns = {name: table[name].to_pylist() for name in table.column_names if name not in _ASIDE}
    raws = _tools[0].codec.encode_columns(columns)
    recorded = table["recorded_at"].to_pylist() if "recorded_at" in table.column_names else [None] * table.num_rows
    hashes = key_hashes(system_id, table["source_record_id"].to_pylist())
    return Contents(raws, recorded, content_digests(raws, recorded), hashes)


_ASIDE = frozenset({"source_record_id", "row", "file"})
"""Columns that are not among a record's raw values: they are stored beside them."""


def featurise(table: pa.Table) -> NDArray[np.uint8]:
    """Feature rows, uint8 (n, layout width), of raw rows."""
    tools = _tools[0]
    standard = standardise_table(table, tools.model.fields)
    columns = columns_of_table(standard, column_kinds(tools.model, tools.layout))
    return pack_rows(columns, tools.layout, tools.frequencies, tools.key)


def stored_columns(model: LinkageModel) -> list[str]:
    """Raw columns that are kept of a record, sorted: what standardisers read, and what survives into golden records."""
    read = {column for rule in model.fields for column in rule.inputs.values()}
    return sorted(read | {rule.field for rule in model.survivorship} | {"recorded_at"})


class Crew:
    """Worker processes for `describe`, `featurise` and what else takes long and stands alone.

    With fewer than two workers the work is done here, at once.
    """

    def __init__(self, model: LinkageModel, key: bytes, *, workers: int) -> None:
        self.workers = max(workers, 1)
        self._pool: ProcessPoolExecutor | None = None
        if workers > 1:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                workers, mp_context=context, initializer=_prepare_worker, initargs=(model, key)
            )
        else:
            _prepare(model, key)

    def submit(self, work: Callable[..., T], *arguments: object) -> "Future[T]":
        """Start one piece of work; a plain, finished future when it is done here."""
        if self._pool is not None:
            return self._pool.submit(work, *arguments)
        future: Future[T] = Future()
        future.set_result(work(*arguments))
        return future

    def each(self, work: Callable[..., T], inputs: Iterable[Sequence[object]]) -> Iterator[tuple[Sequence[object], T]]:
        """(arguments, result) of every input, in order, with a bounded number of them in work."""
        waiting: deque[tuple[Sequence[object], Future[T]]] = deque()
        for arguments in inputs:
            waiting.append((arguments, self.submit(work, *arguments)))
            if len(waiting) >= AHEAD * self.workers:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()

    def close(self) -> None:
        """Let the workers go; work that has not begun is dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the workers go. Raises WorkerLostError in place of the pool's own error."""
        self.close()
        if isinstance(error, BrokenProcessPool):
            raise WorkerLostError(
                "a worker process was killed (out of memory?); run the same command again to go on"
            ) from error
