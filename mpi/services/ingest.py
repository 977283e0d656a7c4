"""Reading sources into the registry: every row is stored as a version, is known already, or is a reject with its
reason.

Of a record's versions that with the later time of capture is current, whenever and in whatever order they come.
One transaction a batch. A run that dies leaves whole batches; reading the same files again finishes them.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mpi.batch.link import Progress
from mpi.batch.rejects import RejectsWriter
from mpi.batch.sources import SourceBatch, SourceReader
from mpi.domain.errors import RegistryError
from mpi.registry.counters import Counters, allocate
from mpi.registry.known_records import KnownRecords, Standing
from mpi.registry.registry import Registry
from mpi.registry.runs import advance
from mpi.registry.source_records import (
    RecordBatchRows,
    archive_batch,
    current_versions,
    forget_source_systems,
    insert_batch,
    known_records,
    source_system_ids,
    source_system_names,
    supersede_batch,
    take_back,
)
from mpi.registry.unit_of_work import UnitOfWork
from mpi.registry.withdrawals import withdrawn_among
from mpi.services.featurise import AHEAD, Contents, Crew, describe, featurise
from mpi.services.moments import is_earlier


@dataclass(slots=True)
class SourceCounts:
    """Rows of one source: read = stored + unchanged + rejected. `new` and `changed` tell the stored ones apart.

    `withdrawn` counts the changed ones whose record was withdrawn: they are kept, and compared with nobody.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    rejected: int = 0

    @property
    def stored(self) -> int:
        """Versions written."""
        return self.new + self.changed


@dataclass(slots=True)
class IngestState:
    """What a run has written so far, by source, and the systems that it brought to the registry; kept in the run's
    row, so that a resumed run reports the whole and a refused one leaves nothing."""

    stored: dict[str, dict[str, int]] = field(default_factory=dict)
    new_systems: list[str] = field(default_factory=list)

    def note(self, system: str, standing: str, count: int) -> None:
        """Count versions written."""
        of_system = self.stored.setdefault(system, {})
        of_system[standing] = of_system.get(standing, 0) + count


@dataclass(frozen=True, slots=True)
class _Described:
    """One batch whose contents are known."""

    system: str
    system_id: int
    batch: SourceBatch
    contents: Contents


@dataclass(frozen=True, slots=True)
class _Versions:
    """Rows of one batch to be written: all of new records or all of known ones."""

    described: _Described
    is_new: bool
    rows: NDArray[np.int64]
    record_ids: NDArray[np.int64]
    features: "Future[NDArray[np.uint8]]"


class Ingest:
    """Reads sources into the registry for one run."""

    def __init__(self, registry: Registry, run_id: int, crew: Crew, layout: str, state: IngestState) -> None:
        self._registry = registry
        self._run_id = run_id
        self._crew = crew
        self._layout = layout
        self._state = state
        self._batches = 0
        self.counts: dict[str, SourceCounts] = {}
        # taken now: what an earlier attempt of this run stored is "unchanged" when it is read again
        self._before = {system: dict(stored) for system, stored in state.stored.items()}

    def read(self, readers: list[SourceReader], rejects: RejectsWriter, progress: Progress | None) -> None:
        """Read every source. Where that goes wrong, in whatever way, the caller must `take_back`."""
        names = sorted(reader.spec.system for reader in readers)
        with self._registry.begin() as uow:
            before = set(source_system_names(uow).values()) - set(self._state.new_systems)
            self._state.new_systems = sorted({*self._state.new_systems, *names} - before)
            system_ids = source_system_ids(uow, names)
            advance(uow, self._run_id, cursor=self._batches, state=asdict(self._state))
        with self._registry.snapshot() as uow:
            known = known_records(uow)
        total = sum(reader.bytes_total for reader in readers)
        described = self._described(readers, system_ids, rejects)
        for versions in self._versions(described, known):
            self._write(versions)
            if progress:
                progress("reading sources", sum(reader.bytes_read for reader in readers), total)
        self._reconcile()

    def take_back(self, uow: UnitOfWork) -> None:
        """Remove what this run wrote: its versions, and the source systems that nobody knew before it."""
        take_back(uow, self._run_id)
        forget_source_systems(uow, self._state.new_systems)

    def _described(
        self, readers: list[SourceReader], system_ids: dict[str, int], rejects: RejectsWriter
    ) -> Iterator[_Described]:
        def inputs() -> Iterator[tuple[pa.Table, int, str, SourceBatch]]:
            for reader in readers:
                system = reader.spec.system
                counts = self.counts.setdefault(system, SourceCounts())
                for batch in reader.batches():
                    counts.read += batch.rows_read
                    counts.rejected += batch.rejects.num_rows
                    rejects.write(system, batch.rejects)
                    yield batch.table, system_ids[system], system, batch

        waiting: deque[tuple[str, int, SourceBatch, Future[Contents]]] = deque()
        for table, system_id, system, batch in inputs():
            waiting.append((system, system_id, batch, self._crew.submit(describe, table, system_id)))
            while len(waiting) >= AHEAD * self._crew.workers:
                yield _finished(waiting)
        while waiting:
            yield _finished(waiting)

    def _versions(self, described: Iterator[_Described], known: KnownRecords) -> Iterator[_Versions]:
        """New and changed rows with their feature rows in the making; a key that comes twice in a batch comes in two
        parts."""
        waiting: deque[_Versions] = deque()
        for each in described:
            rows = np.arange(each.batch.table.num_rows)
            while len(rows):
                found = known.classify(each.contents.hashes[rows], each.contents.digests[rows])
                self.counts[each.system].unchanged += len(found.rows(Standing.UNCHANGED))
                for standing in (Standing.NEW, Standing.CHANGED):
                    chosen = found.rows(standing)
                    if len(chosen):
                        waiting.append(self._start(each, rows[chosen], found.record_ids[chosen], known))
                rows = rows[found.rows(Standing.LATER)]
            while len(waiting) >= AHEAD * self._crew.workers:
                yield waiting.popleft()
        yield from waiting

    def _start(
        self, each: _Described, rows: NDArray[np.int64], record_ids: NDArray[np.int64], known: KnownRecords
    ) -> _Versions:
        is_new = bool(record_ids[0] < 0)
        if is_new:
            with self._registry.begin() as uow:
                first = allocate(uow, Counters(record=len(rows))).record
            record_ids = np.arange(first, first + len(rows), dtype=np.int64)
        known.add(each.contents.hashes[rows], record_ids, each.contents.digests[rows])
        features = self._crew.submit(featurise, each.batch.table.take(pa.array(rows)))
        return _Versions(each, is_new, rows, record_ids, features)

    def _write(self, versions: _Versions) -> None:
        """Write one part of a batch in one transaction, and note it in the run."""
        rows, contents = versions.rows, versions.described.contents
        local_ids = versions.described.batch.table["source_record_id"].take(pa.array(rows)).to_pylist()
        batch = RecordBatchRows(
            source_system_id=versions.described.system_id,
            record_ids=versions.record_ids,
            source_record_ids=local_ids,
            key_hashes=contents.hashes[rows],
            digests=contents.digests[rows],
            recorded_ats=[contents.recorded_ats[row] for row in rows],
            raws=[contents.raws[row] for row in rows],
            feature_layout=self._layout,
            features=versions.features.result(),
        )
        self._state.note(versions.described.system, "new" if versions.is_new else "changed", len(rows))
        self._batches += 1
        with self._registry.begin() as uow:
            if versions.is_new:
                insert_batch(uow, batch, run_id=self._run_id)
            else:
                self._write_changed(uow, batch)
                self._state.note(versions.described.system, "withdrawn", len(withdrawn_among(uow, batch.record_ids)))
            advance(uow, self._run_id, cursor=self._batches, state=asdict(self._state))

    def _write_changed(self, uow: UnitOfWork, batch: RecordBatchRows) -> None:
        """Versions of known records: what was captured before the current version is kept as history, beside it.

        Captured at the same time, or at one that is not known, the version read last is current.
        """
        current = current_versions(uow, batch.record_ids).recorded_ats
        late = np.array([is_earlier(*times) for times in zip(batch.recorded_ats, current, strict=True)], dtype=np.bool_)
        for write, rows in ((archive_batch, np.flatnonzero(late)), (supersede_batch, np.flatnonzero(~late))):
            if len(rows):
                write(uow, batch if len(rows) == len(late) else batch.take(rows), run_id=self._run_id)

    def _reconcile(self) -> None:
        """Complete the counts: what an earlier attempt of this run had stored was read again and found unchanged."""
        for system, counts in self.counts.items():
            stored = self._state.stored.get(system, {})
            counts.new, counts.changed, counts.withdrawn = (stored.get(n, 0) for n in ("new", "changed", "withdrawn"))
            before = self._before.get(system, {})
            counts.unchanged -= before.get("new", 0) + before.get("changed", 0)
            if counts.read != counts.stored + counts.unchanged + counts.rejected:
                raise RegistryError(f"the counts of {system} do not add up: {counts}")


def _finished(waiting: "deque[tuple[str, int, SourceBatch, Future[Contents]]]") -> _Described:
    system, system_id, batch, contents = waiting.popleft()
    return _Described(system, system_id, batch, contents.result())
