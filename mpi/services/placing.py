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
from mpi.domain.review import TaskKind
from mpi.matching.kernel import FORBID, HOLD
from mpi.persons.placement import Decided
from mpi.registry import events, persons, reviews
from mpi.registry.counters import Counters, allocate
from mpi.registry.events import EventRows
from mpi.registry.persons import LinkEvidence, LinkRows, OpenLinks
from mpi.registry.record_versions import tell_superseded
from mpi.registry.registry import Registry
from mpi.registry.reviews import TaskRows
from mpi.registry.runs import advance
from mpi.registry.unit_of_work import UnitOfWork

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
        wanted = self._questions()
        closed = self._close_gone(uow, standing, set(wanted.questions))
        opened = [place for place, question in enumerate(wanted.questions) if question not in standing]
        first = allocate(uow, Counters(task=len(opened))).task if opened else 0
        rows = _take(wanted, np.array(opened, dtype=np.int64), first)
        if opened:
            reviews.open_tasks(uow, rows, run_id=self._run_id)
        return rows, closed

    def _close_gone(self, uow: UnitOfWork, standing: Mapping[str, int], wanted: set[str]) -> int:
        """Close open questions about two people that this plan asks no more: every one of them was weighed again."""
        survivor = dict(self._placed.decided.plan.merges[:, ::-1].tolist())
        gone: list[int] = []
        reasons: list[str] = []
        for question, task in standing.items():
            kind, _, pair = question.partition(":")
            if kind != "people" or question in wanted:
                continue
            people = [survivor.get(person, person) for person in map(int, pair.split("-"))]
            if people[0] == people[1]:
                reasons.append("the people asked about were joined")
            elif any(person in survivor for person in map(int, pair.split("-"))):
                reasons.append("one of the people asked about was joined with another")
            else:
                reasons.append("the evidence no longer leaves it in doubt")
            gone.append(task)
        if gone:
            reviews.close_tasks(uow, np.array(gone), reasons=reasons, run_id=self._run_id)
        return len(gone)

    def _questions(self) -> TaskRows:
        """Every question of the plan: pairs of people in doubt, and records whose new values contradict their
        person."""
        decided, record_ids = self._placed.decided, self._placed.record_ids
        tasks, overlays = decided.plan.tasks, decided.overlays
        person_of = decided.plan.person_of
        left = np.concatenate([tasks.left, overlays[:, 0]])
        right = np.concatenate([tasks.right, overlays[:, 1]])
        people = np.sort(np.stack([person_of[left], person_of[right]], axis=1), axis=1)
        count, extra = len(tasks.left), len(overlays)
        questions = [f"people:{a}-{b}" for a, b in people[:count].tolist()]
        questions += [f"overlay:{record}" for record in record_ids[overlays[:, 0]].tolist()]
        codes = np.concatenate([decided.codes[tasks.edges], np.zeros((extra, decided.codes.shape[1]), dtype=np.int8)])
        reasons = [self._reason(place) for place in range(count)]
        reasons += ["the record's new values contradict those of another record of its person"] * extra
        rows = TaskRows(
            task_ids=np.zeros(count + extra, dtype=np.int64),
            kinds=[kind.value for kind in tasks.kinds] + [TaskKind.OVERLAY.value] * extra,
            questions=questions,
            record_a=record_ids[left],
            record_b=record_ids[right],
            person_a=person_of[left],
            person_b=person_of[right],
            match_weights=np.concatenate([tasks.weights, np.full(extra, np.nan)]),
            level_codes=codes,
            reasons=reasons,
            priorities=np.ones(count + extra),
        )
        _, first = (
            np.unique(np.array(questions, dtype=object), return_index=True) if questions else (None, np.empty(0, int))
        )
        return _take(rows, np.sort(first), 0)

    def _reason(self, place: int) -> str:
        """Why a question is asked, in words."""
        decided = self._placed.decided
        edge = decided.plan.tasks.edges[place]
        vetoes = int(decided.clusters.vetoes[edge])
        if decided.clusters.barred[[decided.edges.left[edge], decided.edges.right[edge]]].any():
            return "several people fit about equally well"
        if vetoes & (FORBID | HOLD):
            codes = decided.codes[edge].tolist()
            labels = {
                comparison.name: comparison.label_of(code)
                for comparison, code in zip(self._model.comparisons, codes, strict=True)
            }
            return (
                "; ".join(veto.name for veto in self._model.vetoes_on(labels))
                or "another record of one of the people forbids it"
            )
        return "the evidence lies between the review and the link threshold"


def _by_person(people: Integers, owners: Integers, record_ids: Integers) -> list[str]:
    """The record ids of each person as text; `owners` grow."""
    starts = [*np.searchsorted(owners, people).tolist(), len(owners)]
    texts = list(map(str, record_ids.tolist()))
    return [",".join(texts[start:stop]) for start, stop in pairwise(starts)]


def _take(rows: TaskRows, places: NDArray[np.int64], first_task: int) -> TaskRows:
    """Some of the rows, numbered from `first_task`."""
    chosen = places.tolist()
    return TaskRows(
        task_ids=first_task + np.arange(len(chosen), dtype=np.int64),
        kinds=[rows.kinds[place] for place in chosen],
        questions=[rows.questions[place] for place in chosen],
        record_a=rows.record_a[places],
        record_b=rows.record_b[places],
        person_a=rows.person_a[places],
        person_b=rows.person_b[places],
        match_weights=rows.match_weights[places],
        level_codes=np.ascontiguousarray(rows.level_codes[places]),
        reasons=[rows.reasons[place] for place in chosen],
        priorities=rows.priorities[places],
    )
