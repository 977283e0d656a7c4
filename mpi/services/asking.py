"""What a plan asks of stewards: questions that are new are opened, those that are gone are closed with a reason.

A question has one open task; one that nobody could answer is not asked again before its evidence has changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import LinkageModel
from mpi.domain.review import TaskKind
from mpi.matching.kernel import FORBID, HOLD
from mpi.persons.cuts import MAXIMUM_RECORDS
from mpi.persons.placement import Decided
from mpi.persons.priority import doubt, harm
from mpi.registry import reviews
from mpi.registry.counters import Counters, allocate
from mpi.registry.reviews import TaskRows
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services import task_reasons

CHANGED_EVIDENCE = 1.0
"""Bits by which a weight must have changed since nobody could tell, for the question to be asked again."""

Integers = NDArray[np.int64]

_NONE = np.empty(0)
_NOBODY = (np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))


class Asking:
    """The questions of one plan, for one run (None: single records). `record_ids` int64 (n,) are those of its table."""

    def __init__(self, model: LinkageModel, decided: Decided, record_ids: Integers, *, run_id: int | None) -> None:
        self._model = model
        self._decided = decided
        self._record_ids = record_ids
        self._run_id = run_id
        self._person_of = decided.plan.person_of

    def write(self, uow: UnitOfWork, standing: Mapping[str, int]) -> tuple[TaskRows, int]:
        """Open the questions that are new and close those that are gone of the standing ones (open questions about
        people of the table, each with its task); gives the tasks opened and how many were closed."""
        if not standing and not self._asks():
            return self._rows(
                [], [], ends=_NOBODY, weights=_NONE, codes=self._decided.codes[:0], reasons=[], doubts=_NONE
            ), 0
        gone = Gone(self._decided, self._record_ids, standing)
        wanted = _each_once(_chained([self._pairs(), self._overlays(), self._suspects(gone.overlaid)]))
        closed = self._close(uow, standing, gone.reasons(set(wanted.questions)))
        new = [place for place, question in enumerate(wanted.questions) if question not in standing]
        rows = _worth_asking(uow, _take(wanted, np.array(new, dtype=np.int64)))
        if rows.questions:
            first = allocate(uow, Counters(task=len(rows.questions))).task
            rows = _numbered(uow, rows, first)
            reviews.open_tasks(uow, rows, run_id=self._run_id)
        return rows, closed

    def _asks(self) -> bool:
        """Whether there is any question at all: for most single records there is none."""
        decided = self._decided
        return any(len(each) for each in (decided.plan.tasks.left, decided.overlays, decided.suspects.left))

    def _close(self, uow: UnitOfWork, standing: Mapping[str, int], reasons: Mapping[str, str]) -> int:
        if reasons:
            tasks = np.array([standing[question] for question in reasons], dtype=np.int64)
            reviews.close_tasks(uow, tasks, reasons=list(reasons.values()), run_id=self._run_id)
        return len(reasons)

    def _pairs(self) -> TaskRows:
        """Pairs of people who may be one."""
        decided, tasks = self._decided, self._decided.plan.tasks
        people = np.sort(np.stack([self._person_of[tasks.left], self._person_of[tasks.right]], axis=1), axis=1)
        barred = decided.clusters.barred
        stopped = (decided.clusters.vetoes[tasks.edges] != 0) | barred[tasks.left] | barred[tasks.right]
        return self._rows(
            [kind.value for kind in tasks.kinds],
            [f"people:{a}-{b}" for a, b in people.tolist()],
            ends=(tasks.left, tasks.right),
            weights=tasks.weights,
            codes=decided.codes[tasks.edges],
            reasons=[self._reason(place) for place in range(len(tasks.left))],
            doubts=doubt(tasks.weights, stopped, self._model.thresholds),
        )

    def _overlays(self) -> TaskRows:
        """Records whose new values contradict their person."""
        overlays = self._decided.overlays
        count = len(overlays)
        return self._rows(
            [TaskKind.OVERLAY.value] * count,
            [f"overlay:{record}" for record in self._record_ids[overlays[:, 0]].tolist()],
            ends=(overlays[:, 0], overlays[:, 1]),
            weights=np.full(count, np.nan),
            codes=np.zeros((count, self._decided.codes.shape[1]), dtype=np.int8),
            reasons=[task_reasons.CONTRADICTING] * count,
            doubts=np.ones(count),
        )

    def _suspects(self, overlaid: set[int]) -> TaskRows:
        """People who may be two, but for those (`overlaid`) of whom a changed record is asked about."""
        suspects = self._decided.suspects
        people = self._person_of[suspects.left].tolist()
        chosen = np.array([at for at, person in enumerate(people) if person not in overlaid], dtype=np.int64)
        return self._rows(
            [TaskKind.SUSPECTED_WRONG_MERGE.value] * len(chosen),
            [f"suspect:{people[at]}" for at in chosen.tolist()],
            ends=(suspects.left[chosen], suspects.right[chosen]),
            weights=suspects.weights[chosen],
            codes=suspects.codes[chosen],
            reasons=[self._suspicion(at) for at in chosen.tolist()],
            doubts=np.ones(len(chosen)),
        )

    def _rows(
        self,
        kinds: Sequence[str],
        questions: Sequence[str],
        *,
        ends: tuple[NDArray[np.int32], NDArray[np.int32]],
        weights: NDArray[np.float64],
        codes: NDArray[np.int8],
        reasons: Sequence[str],
        doubts: NDArray[np.float64],
    ) -> TaskRows:
        """Questions without numbers; their priorities are doubts as yet."""
        return TaskRows(
            task_ids=np.zeros(len(questions), dtype=np.int64),
            kinds=kinds,
            questions=questions,
            record_a=self._record_ids[ends[0]],
            record_b=self._record_ids[ends[1]],
            person_a=self._person_of[ends[0]],
            person_b=self._person_of[ends[1]],
            match_weights=weights,
            level_codes=codes,
            reasons=reasons,
            priorities=doubts,
        )

    def _reason(self, place: int) -> str:
        """Why two people are asked about, in words."""
        decided = self._decided
        edge = decided.plan.tasks.edges[place]
        if decided.clusters.barred[[decided.edges.left[edge], decided.edges.right[edge]]].any():
            return task_reasons.SEVERAL_FIT
        if int(decided.clusters.vetoes[edge]) & (FORBID | HOLD):
            return self._vetoes(decided.codes[edge]) or task_reasons.FORBIDDEN_BY_ANOTHER
        return task_reasons.IN_DOUBT

    def _suspicion(self, place: int) -> str:
        """Why a person is asked about, in words."""
        suspects = self._decided.suspects
        if not suspects.vetoes[place]:
            return task_reasons.WEAKLY_JOINED
        names = self._vetoes(suspects.codes[place])
        against = task_reasons.SPEAKING_AGAINST
        return f"{against}: {names}" if names else against

    def _vetoes(self, codes: NDArray[np.int8]) -> str:
        """The names of the vetoes that speak against a pair, by its level codes int8 (comparisons,)."""
        labels = {
            comparison.name: comparison.label_of(code)
            for comparison, code in zip(self._model.comparisons, codes.tolist(), strict=True)
        }
        return "; ".join(veto.name for veto in self._model.vetoes_on(labels))


class Gone:
    """Which standing questions a plan has answered by itself, and why. One about somebody whom the plan did not look at
    stays."""

    def __init__(self, decided: Decided, record_ids: Integers, standing: Mapping[str, int]) -> None:
        self._decided = decided
        self._record_ids = record_ids
        self._person_of = decided.plan.person_of
        self._survivor: dict[int, int] = dict(decided.plan.merges[:, ::-1].tolist())
        self._about: dict[str, list[str]] = {"people": [], "overlay": [], "suspect": []}
        for question in standing:
            self._about.get(question.partition(":")[0], []).append(question)
        # people of whom a changed record is asked about, now or still
        self._answered, self.overlaid = self._look_at_overlays()

    def reasons(self, wanted: set[str]) -> dict[str, str]:
        """The questions that are gone, each with the reason in words; those of `wanted` are still asked."""
        found = {question: self._of_pair(question) for question in self._about["people"]}
        found.update(dict.fromkeys(self._answered, task_reasons.NO_LONGER_CONTRADICTING))
        found.update(self._of_suspects())
        return {question: reason for question, reason in found.items() if question not in wanted}

    def _of_pair(self, question: str) -> str:
        """Why two people are asked about no more: every such pair was weighed again."""
        people = _numbers(question)
        now = [self._survivor.get(person, person) for person in people]
        if now[0] == now[1]:
            return task_reasons.JOINED
        if now != people:
            return task_reasons.ONE_JOINED
        return task_reasons.NO_LONGER_IN_DOUBT

    def _looked_at(self, people: Sequence[int]) -> set[int]:
        """Those of some people whom the plan looked at."""
        first = self._person_of[self._decided.suspects.looked_at]
        return set(np.array(people, dtype=np.int64)[np.isin(people, first)].tolist())

    def _look_at_overlays(self) -> tuple[list[str], set[int]]:
        """The standing overlays that are none any more, and the people of those that are."""
        decided, standing = self._decided, self._about["overlay"]
        overlaid = set(self._person_of[decided.overlays[:, 0]].tolist())
        if not standing:
            return [], overlaid
        question_of = {_numbers(question)[0]: question for question in standing}
        places = np.flatnonzero(np.isin(self._record_ids, list(question_of)))
        looked_at = self._looked_at(self._person_of[places].tolist())
        against = set(self._record_ids[decided.suspects.forbidden].ravel().tolist())
        answered: list[str] = []
        for record, person in zip(self._record_ids[places].tolist(), self._person_of[places].tolist(), strict=True):
            whole = person in looked_at and np.count_nonzero(self._person_of == person) <= MAXIMUM_RECORDS
            if whole and record not in against:
                answered.append(question_of[record])
            else:
                overlaid.add(person)
        return answered, overlaid

    def _of_suspects(self) -> dict[str, str]:
        """Why people are suspected no more."""
        person_of = {question: _numbers(question)[0] for question in self._about["suspect"]}
        looked_at = self._looked_at(list(person_of.values())) if person_of else set()
        found: dict[str, str] = {}
        for question, person in person_of.items():
            if person in self._survivor:
                found[question] = task_reasons.PERSON_JOINED
            elif person in self.overlaid:
                found[question] = task_reasons.ASKED_OF_RECORD
            elif person in looked_at:
                found[question] = task_reasons.HOLDS_TOGETHER
        return found


def _numbers(question: str) -> list[int]:
    """The numbers that a question's key names."""
    return [int(number) for number in question.partition(":")[2].split("-")]


def _worth_asking(uow: UnitOfWork, rows: TaskRows) -> TaskRows:
    """The questions without those that nobody could answer and whose evidence is what it was."""
    unsure = reviews.last_unsure(uow, rows.questions) if rows.questions else {}
    if not unsure:
        return rows
    # an overlay has no weight: it is asked when a record changes, and then its evidence has changed
    then = np.array([np.nan if (weight := unsure.get(each)) is None else weight for each in rows.questions])
    return _take(rows, np.flatnonzero(~(np.abs(rows.match_weights - then) < CHANGED_EVIDENCE)))


def _numbered(uow: UnitOfWork, rows: TaskRows, first: int) -> TaskRows:
    """Questions with numbers from `first` on; doubts become priorities."""
    count = len(rows.questions)
    hanging = reviews.harm_counts(uow, np.concatenate([rows.person_a, rows.person_b]))
    two = rows.person_a != rows.person_b
    entries = hanging.entries[:count] + two * hanging.entries[count:]
    systems = hanging.systems[:count] + two * hanging.systems[count:]
    numbers = first + np.arange(count, dtype=np.int64)
    return replace(rows, task_ids=numbers, priorities=rows.priorities * harm(entries, systems))


def _chained(parts: Sequence[TaskRows]) -> TaskRows:
    """The rows of all parts, one after another."""
    return TaskRows(
        task_ids=np.concatenate([part.task_ids for part in parts]),
        kinds=[kind for part in parts for kind in part.kinds],
        questions=[question for part in parts for question in part.questions],
        record_a=np.concatenate([part.record_a for part in parts]),
        record_b=np.concatenate([part.record_b for part in parts]),
        person_a=np.concatenate([part.person_a for part in parts]),
        person_b=np.concatenate([part.person_b for part in parts]),
        match_weights=np.concatenate([part.match_weights for part in parts]),
        level_codes=np.concatenate([part.level_codes for part in parts]),
        reasons=[reason for part in parts for reason in part.reasons],
        priorities=np.concatenate([part.priorities for part in parts]),
    )


def _each_once(rows: TaskRows) -> TaskRows:
    """The first row of every question."""
    first = list(dict(zip(reversed(rows.questions), range(len(rows.questions) - 1, -1, -1), strict=True)).values())
    return _take(rows, np.array(sorted(first), dtype=np.int64))


def _take(rows: TaskRows, places: Integers) -> TaskRows:
    """Some of the rows."""
    chosen = places.tolist()
    if len(chosen) == len(rows.questions):
        return rows
    return TaskRows(
        task_ids=rows.task_ids[places],
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
