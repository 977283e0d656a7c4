"""What judgements mean together: SAME closes over chains of records, DIFFERENT holds between whole chains.

A judgement outlives its records: one that was withdrawn still hands on what was said of it.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mpi.domain.review import Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """One standing judgement about two records, by their numbers; who said so and when (ISO 8601, UTC), and by which
    decision (None where none is known)."""

    judgement_id: int
    verdict: Verdict
    record_a: int
    record_b: int
    made_by: str
    made_at: str
    decision_id: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: to which record, and by which judgement."""

    record: int
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands against a decision: the path from one of its records to another, and the judgement that forbids."""

    start: int
    path: tuple[Step, ...]
    judgement: Judgement


class Judged:
    """Standing judgements. UNSURE binds nobody and is left out."""

    def __init__(self, judgements: Iterable[Judgement]) -> None:
        self._same: dict[int, list[tuple[int, Judgement]]] = {}
        self._different: list[Judgement] = []
        for each in judgements:
            if each.verdict is Verdict.SAME:
                self._same.setdefault(each.record_a, []).append((each.record_b, each))
                self._same.setdefault(each.record_b, []).append((each.record_a, each))
            elif each.verdict is Verdict.DIFFERENT:
                self._different.append(each)

    def chain(self, records: Iterable[int]) -> dict[int, tuple[int, tuple[Step, ...]]]:
        """Every record that SAME judgements tie to some records, these included: from which of them, and by which
        steps; the shortest way."""
        found: dict[int, tuple[int, tuple[Step, ...]]] = {record: (record, ()) for record in records}
        waiting = deque(found)
        while waiting:
            record = waiting.popleft()
            start, path = found[record]
            for other, judgement in self._same.get(record, ()):
                if other not in found:
                    found[other] = start, (*path, Step(other, judgement))
                    waiting.append(other)
        return found

    def against_one_person(self, one: Collection[int], other: Collection[int]) -> Obstacle | None:
        """What forbids that the records of two people become one person's: two of them, or records tied to them, were
        judged different. None where nothing does."""
        left, right = self.chain(one), self.chain(other)
        for judgement in self._different:
            for a, b in ((judgement.record_a, judgement.record_b), (judgement.record_b, judgement.record_a)):
                if a in left and b in right:
                    start, way = left[a]
                    end, back = right[b]
                    return Obstacle(start, (*way, Step(b, judgement), *_reversed(end, back)), judgement)
        return None

    def against_two_people(self, one: Collection[int], other: Collection[int]) -> Obstacle | None:
        """What forbids that some records leave others: a chain of SAME judgements from one side to the other."""
        ends = set(other)
        for record, (start, path) in self.chain(one).items():
            if record in ends and path:
                return Obstacle(start, path, path[-1].judgement)
        return None

    def constraints(self, places: Collection[int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Must-links and cannot-links among some records, all that follows from all judgements: each chain of records
        is tied together, and two chains are kept apart by one pair."""
        chosen: dict[int, int] = {}  # a chain's records to the one of `places` that stands for it
        must: list[tuple[int, int]] = []
        wanted = set(places)
        touched = [*self._same, *(end for each in self._different for end in (each.record_a, each.record_b))]
        for record in touched:
            if record in chosen:
                continue
            chain = self.chain((record,))
            inside = sorted(wanted.intersection(chain))
            if inside:
                must += [(inside[0], each) for each in inside[1:]]
                chosen.update(dict.fromkeys(chain, inside[0]))
            else:
                chosen.update(dict.fromkeys(chain, -1))
        cannot = {
            (min(a, b), max(a, b))
            for a, b in ((chosen[each.record_a], chosen[each.record_b]) for each in self._different)
            if a >= 0 and b >= 0
        }
        return must, sorted(cannot)


def _reversed(end: int, path: Sequence[Step]) -> Iterator[Step]:
    """The steps back along a path to its start `end`."""
    before = [end, *(step.record for step in path)]
    for place in range(len(path) - 1, -1, -1):
        yield Step(before[place], path[place].judgement)
