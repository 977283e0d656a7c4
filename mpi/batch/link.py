"""The batch link in memory: feature rows in, people out. Blocks, scores, clusters and places; reads and writes nothing.

Rows come in a canonical order (of key hashes), so the outcome does not depend on the order of files or rows.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mpi.batch.pairs import PairFinder, PairsReport, ScoredPairs, join_scored, threads_available
from mpi.matching.kernel import APART, FORBID, as_rows
from mpi.matching.scorer import Scorer, Scores
from mpi.matching.sharing import CappedValues, apply_caps
from mpi.persons.clusters import Constraints, Edges, cluster
from mpi.persons.placement import Decided, place
from mpi.persons.suspects import find_suspects

DOUBT = 5.0
"""Bits below `review` that a pair may weigh and still be weighed again with what the other records of its people
know."""

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total); total is 0 where it is not known."""


@dataclass(frozen=True, slots=True)
class Table:
    """Records to be linked, n of them in canonical order.

    `rows` uint8 (n, layout width), changed in place by frequency caps; `persons` int64 (n,): the present person or
    -1; `fresh` bool (n,):
    new or changed, to be compared with all others; `constraints` hold positions in this table. `asked` int32 (k, 2):
    pairs that a steward is being asked about, weighed again in every run.
    """

    rows: NDArray[np.uint8]
    persons: NDArray[np.int64]
    fresh: NDArray[np.bool_]
    constraints: Constraints
    asked: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 2), dtype=np.int32))


@dataclass(frozen=True, slots=True)
class Linkage(Decided):
    """What linking a whole table found: what it decided, the blocking rule of every edge, what blocking did, which
    values were capped, and the seconds of each step."""

    rules: NDArray[np.int16]
    pairs: PairsReport
    capped: list[CappedValues]
    prior: float
    seconds: dict[str, float]


class Stopwatch:
    """Seconds a step, in the order of the steps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """Note the time since the last lap under a step's name."""
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now


def link_table(
    scorer: Scorer, table: Table, *, key: bytes, records: int, next_person: int, progress: Progress | None = None
) -> Linkage:
    """Link a table. `key` is the registry's 16-byte secret, `records` the number in play for the prior."""
    watch = Stopwatch()
    model = scorer.model
    capped = apply_caps(table.rows, model, scorer.layout)
    watch.lap("frequency caps")
    prior = scorer.prior(records)
    with ThreadPoolExecutor(threads_available()) as executor:
        finder = PairFinder(scorer, table.rows, key, table.fresh)
        finder.prepare(executor)
        watch.lap("blocking")
        scored = finder.scored(
            executor,
            prior=prior,
            floor=model.thresholds.review - DOUBT,
            progress=(lambda done, total: progress("scoring pairs", done, total)) if progress else None,
        )
    report = finder.report
    del finder
    watch.lap("scoring")
    edges, codes, rules = _edges(_with_asked(scorer, table, scored, prior))
    clusters = cluster(
        scorer.program,
        as_rows(table.rows),
        edges,
        persons=table.persons,
        constraints=table.constraints,
        thresholds=model.thresholds,
        prior=prior,
    )
    watch.lap("clustering")
    plan = place(clusters, edges, table.persons, next_person=next_person, thresholds=model.thresholds)
    contradicting = overlays(
        scorer, table.rows, table.persons, np.flatnonzero(table.fresh & (table.persons >= 0)), prior
    )
    watch.lap("placing")
    # everybody: as a registry grows, chance agreements do too, and what held once may hold no more
    suspects = find_suspects(
        scorer,
        table.rows,
        plan.person_of,
        np.ones(len(table.rows), dtype=np.bool_),
        must_link=table.constraints.must_link,
        prior=prior,
    )
    watch.lap("looking for suspects")
    return Linkage(plan, edges, codes, clusters, contradicting, suspects, rules, report, capped, prior, watch.seconds)


def _with_asked(scorer: Scorer, table: Table, scored: ScoredPairs, prior: float) -> ScoredPairs:
    """The scored pairs and those of open questions that are not among them (both records are old), by rule -1."""
    ends = np.unique(np.sort(table.asked, axis=1), axis=0).astype(np.int64)
    size = len(table.rows)
    found = scored.left.astype(np.int64) * size + scored.right
    ends = ends[~np.isin(ends[:, 0] * size + ends[:, 1], found) & (ends[:, 0] != ends[:, 1])]
    if not len(ends):
        return scored
    left, right = (np.ascontiguousarray(column).astype(np.int32) for column in ends.T)
    scores = scorer.score(table.rows, left, right, prior=prior)
    kept = scores.weights >= scorer.model.thresholds.review - DOUBT
    more = Scores(scores.weights[kept], scores.codes[kept], scores.vetoes[kept])
    rule = np.full(int(kept.sum()), -1, dtype=np.int16)
    comparisons = len(scorer.model.comparisons)
    return join_scored([scored, ScoredPairs(left[kept], right[kept], more, rule)], comparisons)


def _edges(scored: ScoredPairs) -> tuple[Edges, NDArray[np.int8], NDArray[np.int16]]:
    """Pairs that can matter: those that a veto sets apart are no evidence of identity."""
    kept = scored.scores.vetoes & APART == 0
    edges = Edges(scored.left[kept], scored.right[kept], scored.scores.weights[kept], scored.scores.vetoes[kept])
    return edges, scored.scores.codes[kept], scored.rule[kept]


def overlays(
    scorer: Scorer, rows: NDArray[np.uint8], persons: NDArray[np.int64], changed: NDArray[np.int64], prior: float
) -> NDArray[np.int32]:
    """(changed record, member of its person) where the new values may not be one person with the member's.

    `rows` uint8 (n, width) and `persons` int64 (n,) are those of a table, `changed` int64 the places with new values.
    """
    if not len(changed):
        return np.empty((0, 2), dtype=np.int32)
    order = np.argsort(persons, kind="stable")
    sorted_persons = persons[order]
    first = np.searchsorted(sorted_persons, persons[changed], side="left")
    last = np.searchsorted(sorted_persons, persons[changed], side="right")
    left = np.repeat(changed, last - first)
    offsets = np.arange(len(left)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    right = order[np.repeat(first, last - first) + offsets]
    pairs = np.stack([left, right], axis=1).astype(np.int32)[left != right]
    ends = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    scores = scorer.score(rows, *ends, prior=prior)
    contradicting: NDArray[np.int32] = pairs[scores.vetoes & FORBID != 0]
    return contradicting
