"""Writing a plan into the registry: people, links, merges, events and questions, group by group in batches.

A batch is one transaction and moves the run's cursor; a run that died goes on behind its cursor with the same plan.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mpi.batch.link import Progress
from mpi.domain.model import LinkageModel
from mpi.persons.placement import Decided
from mpi.registry import events, persons
from mpi.registry.counters import Counters, allocate
from mpi.registry.events import EventRows
from mpi.registry.persons import LinkEvidence, LinkRows, OpenLinks
from mpi.registry.record_versions import tell_superseded
from mpi.registry.registry import Registry
from mpi.registry.reviews import TaskRows
from mpi.registry.runs import advance
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.asking import Asking

GROUPS_A_BATCH = 50_000
"""People that one transaction writes."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Placed:
    """What was placed, in the order of its table: record ids int64 (n,), the links before it, what linking decided,
    and the places int64 of records with new values that had a person already."""

    record_ids: Integers
    before: OpenLinks
    decided: Decided
    changed: Integers

    def digest(self) -> str:
        """SHA-256 of the plan: a run may only go on with the very plan it began to write."""
        plan = self.decided.plan
        whole = hashlib.sha256()
        for part in (self.record_ids, plan.person_of, plan.linked, plan.new_persons, plan.merges, self.changed):
            whole.update(np.ascontiguousarray(part).tobytes())
        return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some people and all that changes about them: positions of newly linked records and of records with new values,
    both sorted by person, and merges."""

    people: Integers
    linked: Integers
    changed: Integers
    merges: Integers


class PlanWriter:
    """Writes one plan for one run."""

    def __init__(self, key: bytes, model: LinkageModel, run_id: int | None, placed: Placed) -> None:
        """`key` is the registry's secret; a plan of no run is that of single records."""
        self._key = key
        self._model = model
        self._run_id = run_id
        self._placed = placed
        plan = placed.decided.plan
        order = np.argsort(plan.person_of[plan.linked], kind="stable")
        self._linked = plan.linked[order].astype(np.int64)
        self._owners = plan.person_of[self._linked]
        self._first_new = int(plan.new_persons[0]) if len(plan.new_persons) else np.iinfo(np.int64).max
        merges = plan.merges[np.argsort(plan.merges[:, 0], kind="stable")]
        self._merges = merges
        # a record that moves says so itself
        stays = np.setdiff1d(placed.changed, self._linked)
        self._changed = stays[np.argsort(plan.person_of[stays], kind="stable")]
        self._changed_owners = plan.person_of[self._changed]
        self._people = np.unique(np.concatenate([self._owners, merges[:, 0], self._changed_owners]))

    def write(self, registry: Registry, run_id: int, start: int, progress: Progress | None) -> None:
        """Write a run's batches from `start` on (its cursor)."""
        batches = range(start, -(-len(self._people) // GROUPS_A_BATCH))
        for number in batches:
            batch = self._batch(self._people[number * GROUPS_A_BATCH : (number + 1) * GROUPS_A_BATCH])
            with registry.begin() as uow:
                self._write_batch(uow, batch)
                advance(uow, run_id, cursor=number + 1)
            if progress:
                progress("writing people", min((number + 1) * GROUPS_A_BATCH, len(self._people)), len(self._people))

    def write_all(self, uow: UnitOfWork) -> dict[int, int]:
        """Write the whole of a small plan in the caller's transaction; gives the revision of each person's event."""
        if not len(self._people):
            return {}
        first = self._write_batch(uow, self._batch(self._people))
        return {person: first + place for place, person in enumerate(self._people.tolist())}

    def _batch(self, people: Integers) -> _Batch:
        ends = [people[0], people[-1] + 1]
        low, high = np.searchsorted(self._owners, ends)
        lowest, highest = np.searchsorted(self._changed_owners, ends)
        first, last = np.searchsorted(self._merges[:, 0], ends)
        return _Batch(people, self._linked[low:high], self._changed[lowest:highest], self._merges[first:last])

    def _write_batch(self, uow: UnitOfWork, batch: _Batch) -> int:
        """Write one batch; gives the revision of its first event."""
        new = batch.people[batch.people >= self._first_new]
        old = batch.people[batch.people < self._first_new]
        dead = batch.merges[:, 1]
        numbers = allocate(uow, Counters(link=len(batch.linked), revision=len(batch.people) + len(dead)))
        revision_of = numbers.revision + np.arange(len(batch.people))
        owners = self._placed.decided.plan.person_of[batch.linked]
        revisions = revision_of[np.searchsorted(batch.people, owners)]
        persons.insert_persons(uow, new, revisions=revision_of[len(old) :], key=self._key)
        self._close_moved(uow, batch.linked, revisions)
        if len(dead):
            survivors = revision_of[np.searchsorted(batch.people, batch.merges[:, 0])]
            persons.supersede_persons(uow, dead, survivors=batch.merges[:, 0], revisions=survivors)
        persons.open_links(
            uow,
            LinkRows(
                link_ids=numbers.link + np.arange(len(batch.linked)),
                record_ids=self._placed.record_ids[batch.linked],
                person_ids=owners,
                revisions=revisions,
                made_by="rules",
                rule_version=self._model.name,
                run_id=self._run_id,
                evidence=self._evidence(batch.linked),
            ),
        )
        persons.touch_persons(uow, old, revisions=revision_of[: len(old)])
        named = np.concatenate([batch.linked, batch.changed])
        if self._run_id is None:
            # of single records only those with new values have an older version
            named = np.intersect1d(named, self._placed.changed)
        told = revision_of[np.searchsorted(batch.people, self._placed.decided.plan.person_of[named])]
        tell_superseded(uow, self._placed.record_ids[named], revisions=told)
        self._append_events(uow, batch, numbers.revision)
        return numbers.revision

    def _close_moved(self, uow: UnitOfWork, linked: NDArray[np.int64], revisions: Integers) -> None:
        """Close the links of records that come from a superseded person."""
        before = self._placed.before
        record_ids = self._placed.record_ids[linked]
        place = np.searchsorted(before.record_ids, record_ids)
        place = np.minimum(place, max(len(before.record_ids) - 1, 0))
        moved = before.record_ids[place] == record_ids if len(before.record_ids) else np.zeros(len(linked), np.bool_)
        if moved.any():
            persons.close_links(uow, before.link_ids[place[moved]], revisions=revisions[moved])

    def _evidence(self, linked: NDArray[np.int64]) -> LinkEvidence:
        """The strongest edge that ties each record to another of its person."""
        decided = self._placed.decided
        edges = decided.plan.evidence[linked]
        tied = edges >= 0
        safe = np.where(tied, edges, 0)
        if not len(decided.edges.left):
            return LinkEvidence(
                np.full(len(linked), -1, dtype=np.int64),
                np.full(len(linked), np.nan),
                np.zeros((len(linked), decided.codes.shape[1]), dtype=np.int8),
            )
        left, right = decided.edges.left[safe], decided.edges.right[safe]
        other = self._placed.record_ids[np.where(left == linked, right, left)]
        return LinkEvidence(
            np.where(tied, other, -1),
            np.where(tied, decided.edges.weights[safe], np.nan),
            decided.codes[safe],
        )

    def _append_events(self, uow: UnitOfWork, batch: _Batch, first_revision: int) -> None:
        """One event a person, then one a superseded person; the payload names the records by their numbers."""
        person_of, record_ids = self._placed.decided.plan.person_of, self._placed.record_ids
        linked = _by_person(batch.people, person_of[batch.linked], record_ids[batch.linked])
        changed = _by_person(batch.people, person_of[batch.changed], record_ids[batch.changed])
        merged: dict[int, list[int]] = defaultdict(list)
        for survivor, dead in batch.merges.tolist():
            merged[survivor].append(dead)
        kinds: list[str] = []
        payloads: list[str] = []
        for place, person in enumerate(batch.people.tolist()):
            records = linked[place]
            if person >= self._first_new:
                kinds.append("person.created")
                payloads.append(f'{{"records":[{records}]}}')
            elif person in merged:
                kinds.append("person.merged")
                gone = ",".join(map(str, merged[person]))
                payloads.append(f'{{"records":[{records}],"superseded":[{gone}]}}')
            elif not records:
                kinds.append("person.updated")
                payloads.append(f'{{"records":[{changed[place]}]}}')
            else:
                kinds.append("person.linked")
                payloads.append(f'{{"records":[{records}]}}')
        for survivor, _ in batch.merges.tolist():
            kinds.append("person.superseded")
            payloads.append(f'{{"superseded_by":{survivor}}}')
        events.append(
            uow,
            EventRows(kinds, np.concatenate([batch.people, batch.merges[:, 1]]), payloads, "rules", self._run_id),
            first_revision=first_revision,
        )

    def write_tasks(self, uow: UnitOfWork, standing: Mapping[str, int]) -> tuple[TaskRows, int]:
        """Open the plan's questions and close those that are gone of the standing ones (open questions about people of
        the table, each with its task); gives the tasks opened and how many were closed."""
        placed = self._placed
        return Asking(self._model, placed.decided, placed.record_ids, run_id=self._run_id).write(uow, standing)


def _by_person(people: Integers, owners: Integers, record_ids: Integers) -> list[str]:
    """The record ids of each person as text; `owners` grow."""
    starts = [*np.searchsorted(owners, people).tolist(), len(owners)]
    texts = list(map(str, record_ids.tolist()))
    return [",".join(texts[start:stop]) for start, stop in pairwise(starts)]
