"""`link`: a season of files becomes people. Ingest, link in memory, write; every step can be killed and run again.

On a registry with people it is incremental: only new and changed records are compared, and existing IDs stay.
"""

import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mpi.batch.link import Linkage, Progress, Stopwatch, Table, link_table
from mpi.batch.pairs import threads_available
from mpi.batch.rejects import RejectsWriter
from mpi.batch.sources import SourceReader, SourceSpec
from mpi.domain.errors import MpiError, RegistryError
from mpi.domain.model import LinkageModel
from mpi.matching.scorer import Scorer
from mpi.persons.clusters import Constraints
from mpi.persons.judged import Judged, Judgement
from mpi.registry import judgements, persons, reviews, runs, source_records
from mpi.registry.counters import Counters, allocate, last_numbers
from mpi.registry.events import last_revision
from mpi.registry.registry import Registry
from mpi.registry.runs import Run, RunStatus
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services import index_keys
from mpi.services.featurise import Crew, featurise, stored_columns
from mpi.services.ingest import Ingest, IngestState, SourceCounts
from mpi.services.people_now import PeopleNow
from mpi.services.placing import Placed, PlanWriter
from mpi.services.questions import settle

SMALL_INPUT = 8_000_000
"""Bytes of input below which worker processes would cost more than they bring."""

_REFRESH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What is asked of a link: sources, the raw columns that their rows must have, where rejects go, how many
    workers."""

    sources: Sequence[SourceSpec]
    required: Sequence[str]
    rejects: Path
    workers: int = 0


@dataclass(frozen=True, slots=True)
class LinkSummary:
    """What a link did. `seconds` by step; `peak_memory_mb` of all its processes together, at most; counts after the
    run."""

    run_id: int
    rules: str
    sources: dict[str, SourceCounts]
    records: int
    people: int
    people_created: int
    people_merged: int
    records_linked: int
    links_by_rule: dict[str, int]
    review_tasks_opened: int
    review_tasks_closed: int
    review_tasks_open: int
    candidate_pairs: int
    blocking: list[dict[str, Any]]
    capped: dict[str, dict[str, int]]
    seconds: dict[str, float]
    peak_memory_mb: int
    resumed: str | None

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain values, for JSON."""
        return asdict(self)


def link_sources(
    registry: Registry, model: LinkageModel, request: LinkRequest, *, progress: Progress | None = None
) -> LinkSummary:
    """Link sources into a registry.

    Raises SourceUnreadableError when a source cannot be read: the registry is then as it was, but for an abandoned run
    that says why, when the source was refused on the way and not at once. Raises RunConflictError when another run
    holds the registry, UntrainedLevelError for rules without parameters.
    """
    watch = Stopwatch()
    scorer = Scorer(model)
    readers = [SourceReader(spec, stored_columns(model), required=request.required) for spec in request.sources]
    for reader in readers:
        reader.check()
    asked = {
        "rules": model.digest,
        "sources": sorted([reader.spec.system, reader.digest()] for reader in readers),
    }
    watch.lap("checking sources")
    small = sum(reader.bytes_total for reader in readers) < SMALL_INPUT
    workers = request.workers or (1 if small else threads_available())
    with registry.lock_for_bulk(), Crew(model, registry.secret, workers=workers) as crew:
        linker = _Linker(registry, scorer, crew, watch, progress)
        resumed = linker.finish_earlier(asked)
        run = linker.begin(asked)
        ingest = Ingest(registry, run.run_id, crew, scorer.layout.digest, IngestState(**run.state))
        try:
            with RejectsWriter(request.rejects) as rejects:
                ingest.read(readers, rejects, progress)
        except Exception as error:
            linker.refuse(run, ingest, error)
            raise
        watch.lap("reading and standardising")
        return linker.place(run, ingest.counts, resumed)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A run's plan, and the table that it was made of: feature rows uint8 (n, width) with capped values void, and which
    of them are new or changed, bool (n,)."""

    placed: Placed
    linkage: Linkage
    rows: NDArray[np.uint8]
    fresh: NDArray[np.bool_]


class _Linker:
    """One link job: the open registry, the compiled rules and the crew that makes feature rows."""

    def __init__(
        self, registry: Registry, scorer: Scorer, crew: Crew, watch: Stopwatch, progress: Progress | None
    ) -> None:
        self._registry = registry
        self._scorer = scorer
        self._crew = crew
        self._watch = watch
        self._progress = progress
        self._reading_peak_mb = 0

    def finish_earlier(self, asked: dict[str, Any]) -> str | None:
        """Deal with a run that died: go on with its writing, or give it up; gives what was done, in words.

        A run that died while reading is given up unless it was asked the same: its records are linked by the new run.
        """
        with self._registry.snapshot() as uow:
            run = runs.unfinished_run(uow)
        if run is None or (run.status is RunStatus.INGESTING and dict(run.request) == asked):
            return None if run is None else f"run {run.run_id} died while reading and was taken up again"
        if run.status is RunStatus.PLACING and run.request["rules"] == asked["rules"] and self._resume(run):
            return f"run {run.run_id} died while writing and was finished first"
        self._abandon(run)
        return f"run {run.run_id} had died and was given up; its records are linked by this run"

    def _resume(self, run: Run) -> bool:
        """Write the rest of a run's plan; False when the plan cannot be made again as it was."""
        planned = self._plan(run, base_revision=run.state["revision"], next_person=run.state["next_person"])
        if planned.placed.digest() != run.plan_digest:
            return False
        writer = self._write(run, planned.placed, start=run.cursor)
        self._finish(run, planned, writer, counts={}, resumed="finished after it had died while writing")
        return True

    def _abandon(self, run: Run) -> None:
        """Give a dead run up; what it committed stays, and records without a person are linked by the next run."""
        message = f"it died while {run.status}, and the next command was another one"
        with self._registry.begin() as uow:
            runs.abandon(uow, run.run_id, reason="DIED", message=message)

    def refuse(self, run: Run, ingest: Ingest, error: Exception) -> None:
        """Take back all that a run has read, and keep the run with the reason: an auditor may ask what was tried.

        Where the registry itself failed and takes nothing more, the run stays unfinished: the next command goes on.
        """
        # what an unexpected error says may hold a person's data
        reason, message = "UNEXPECTED", f"unexpected {type(error).__name__}"
        if isinstance(error, MpiError):
            reason, message = error.reason, str(error)
        try:
            with self._registry.begin() as uow:
                ingest.take_back(uow)
                runs.abandon(uow, run.run_id, reason=reason, message=message)
        except RegistryError:
            if not isinstance(error, RegistryError):
                raise

    def begin(self, asked: dict[str, Any]) -> Run:
        """The run that died while reading the same sources, or a new one."""
        with self._registry.begin() as uow:
            return runs.unfinished_run(uow) or runs.start_run(uow, "link", request=asked, state={})

    def place(self, run: Run, counts: dict[str, SourceCounts], resumed: str | None) -> LinkSummary:
        """Link what has been read and write it."""
        self._refresh_features()
        self._crew.close()
        self._reading_peak_mb = _peak_memory_mb(self._crew.workers)
        with self._registry.snapshot() as uow:
            revision, next_person = last_revision(uow), last_numbers(uow).person + 1
        planned = self._plan(run, base_revision=revision, next_person=next_person)
        with self._registry.begin() as uow:
            new = len(planned.linkage.plan.new_persons)
            if allocate(uow, Counters(person=new)).person != next_person or last_revision(uow) != revision:
                raise RegistryError("the registry changed while this run was planning; run the command again")
            state = {"revision": revision, "next_person": next_person}
            runs.begin_placing(uow, run.run_id, plan_digest=planned.placed.digest(), state=state)
        writer = self._write(run, planned.placed, start=0)
        return self._finish(run, planned, writer, counts=counts, resumed=resumed)

    def _refresh_features(self) -> None:
        """Make feature rows anew for records whose rows are of another layout (the rules changed since)."""
        layout = self._scorer.layout.digest
        with self._registry.snapshot() as uow:
            stale = source_records.records_with_other_layout(uow, layout)
        columns = sorted({column for rule in self._scorer.model.fields for column in rule.inputs.values()})
        for start in range(0, len(stale), _REFRESH_ROWS):
            ids = stale[start : start + _REFRESH_ROWS]
            with self._registry.snapshot() as uow:
                records = [record.values for _, record in source_records.raw_records(uow, ids)]
            table = pa.table({name: pa.array([row.get(name) for row in records], pa.string()) for name in columns})
            rows = self._crew.submit(featurise, table).result()
            with self._registry.begin() as uow:
                source_records.update_features(uow, np.sort(ids), layout=layout, features=rows)
            if self._progress:
                self._progress("refreshing feature rows", start + len(ids), len(stale))
        self._watch.lap("refreshing feature rows")

    def _plan(self, run: Run, *, base_revision: int, next_person: int) -> _Planned:
        """Link the whole registry as it stood at `base_revision`, with what this run and unfinished ones before it
        stored."""
        with self._registry.snapshot() as uow:
            stored = source_records.stored_records(uow)
            order = np.argsort(stored.key_hashes, kind="stable")
            rows = self._rows(uow, stored.record_ids, order)
            before = persons.links_as_of(uow, base_revision)
            done = runs.last_finished(uow)
            judged = judgements.standing(uow)
            asked = reviews.asked_pairs(uow)
        record_ids = stored.record_ids[order]
        place_of = np.empty(len(order), dtype=np.int64)
        place_of[order] = np.arange(len(order))
        owners = np.full(len(order), -1, dtype=np.int64)
        owners[place_of[np.searchsorted(stored.record_ids, before.record_ids)]] = before.person_ids
        same, different, in_question = (
            place_of[np.searchsorted(stored.record_ids, pairs)].astype(np.int32).reshape(-1, 2)
            for pairs in (*_constraints(judged, stored.record_ids), asked)
        )
        fresh = (owners < 0) | (stored.run_ids[order] > done)
        self._watch.lap("loading feature rows")
        linkage = link_table(
            self._scorer,
            Table(rows, owners, fresh, Constraints(same, different), in_question),
            key=self._registry.secret,
            records=len(rows),
            next_person=next_person,
            progress=self._progress,
        )
        self._watch.seconds.update(linkage.seconds)
        self._watch.lap("linking")
        self._watch.seconds.pop("linking")
        changed = np.flatnonzero(fresh & (owners >= 0))
        return _Planned(Placed(record_ids, before, linkage, changed), linkage, rows, fresh)

    def _rows(self, uow: UnitOfWork, record_ids: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.uint8]:
        """All feature rows in canonical order, uint8 (n, width)."""
        layout = self._scorer.layout
        place_of = np.empty(len(order), dtype=np.int64)
        place_of[order] = np.arange(len(order))
        rows = np.empty((len(record_ids), layout.width), dtype=np.uint8)
        found = 0
        for ids, part in source_records.feature_rows(uow, layout.digest):
            rows[place_of[np.searchsorted(record_ids, ids)]] = part
            found += len(ids)
        if found != len(record_ids):
            raise RegistryError(f"{len(record_ids) - found} records have no feature row of layout {layout.digest}")
        return rows

    def _write(self, run: Run, placed: Placed, *, start: int) -> PlanWriter:
        """Write the people of a plan; gives the writer, which has the questions still to write."""
        writer = PlanWriter(self._registry.secret, self._scorer.model, run.run_id, placed)
        writer.write(self._registry, run.run_id, start, self._progress)
        self._watch.lap("writing people")
        return writer

    def _finish(
        self,
        run: Run,
        planned: _Planned,
        writer: PlanWriter,
        *,
        counts: dict[str, SourceCounts],
        resumed: str | None,
    ) -> LinkSummary:
        """Open and close questions, and end the run, in one transaction."""
        linkage, record_ids = planned.linkage, planned.placed.record_ids
        with self._registry.begin() as uow:
            index_keys.write_keys(
                uow,
                self._scorer,
                self._registry.secret,
                rows=planned.rows,
                record_ids=record_ids,
                fresh=planned.fresh,
                capped=linkage.capped,
            )
            self._watch.lap("writing blocking keys")
            opened, closed = writer.write_tasks(uow, reviews.open_questions(uow))
            if len(linkage.plan.merges):
                # what is asked about one person follows it into another
                settle(PeopleNow(uow), linkage.plan.merges[:, 1].tolist())
            self._watch.lap("writing review tasks")
            summary = LinkSummary(
                run_id=run.run_id,
                rules=self._scorer.model.name,
                sources=counts,
                records=len(record_ids),
                people=persons.count_active(uow),
                people_created=len(linkage.plan.new_persons),
                people_merged=len(linkage.plan.merges),
                records_linked=len(linkage.plan.linked),
                links_by_rule=_links_by_rule(linkage),
                review_tasks_opened=len(opened.task_ids),
                review_tasks_closed=closed,
                review_tasks_open=reviews.count_open(uow),
                candidate_pairs=linkage.pairs.pairs,
                blocking=[asdict(rule) for rule in linkage.pairs.rules],
                capped={each.column: {"values": len(each.codes), "records": each.records} for each in linkage.capped},
                seconds={step: round(seconds, 3) for step, seconds in self._watch.seconds.items()},
                peak_memory_mb=max(self._reading_peak_mb, _peak_memory_mb(0)),
                resumed=resumed,
            )
            runs.finish(uow, run.run_id, summary=summary.to_dict())
        return summary


def _constraints(judged: Sequence[Judgement], record_ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Pairs of record ids int64 (n, 2) that must and that must not be one person, of records in force."""
    named = np.unique(np.array([(each.record_a, each.record_b) for each in judged], dtype=np.int64))
    in_force = named[np.isin(named, record_ids)].tolist()
    must, cannot = Judged(judged).constraints(in_force)
    return tuple(np.array(pairs, dtype=np.int64).reshape(-1, 2) for pairs in (must, cannot))


def _links_by_rule(linkage: Linkage) -> dict[str, int]:
    """How many newly linked records each blocking rule brought to their person."""
    evidence = linkage.plan.evidence[linkage.plan.linked]
    rules = linkage.rules[evidence[evidence >= 0]]
    counts = np.bincount(rules[rules >= 0], minlength=len(linkage.pairs.rules))
    return {rule.rule: int(count) for rule, count in zip(linkage.pairs.rules, counts, strict=True)}


def _peak_memory_mb(workers: int) -> int:
    """Peak resident memory in MB: this process, and for each of `workers` that have ended as much as the largest
    had."""
    unit = 1 if sys.platform == "darwin" else 1024
    own, worker = (resource.getrusage(who).ru_maxrss * unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + workers * worker) // 1_000_000
