"""Candidate pairs of a whole table: sort keys, refine what is too large, emit each pair once, score, keep what matters.

Runs on threads over nogil kernels. What was refined, cut or left out is counted, never silently dropped.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import BlockingRule
from mpi.matching.blocking import (
    BlockingPlan,
    Blocks,
    blocking_plan,
    chunk_keys,
    emit_pairs,
    fill_keys,
    refine_keys,
    take_repeated,
    tally_keys,
)
from mpi.matching.kernel import Rows, as_rows
from mpi.matching.scorer import Scorer, Scores
from mpi.matching.siphash import key_words
from mpi.matching.sorting import sort_by_code

CUT = 4
"""A block that no field refines any more is cut when it holds more than CUT times its rule's limit."""

LIMITS_FOR = 10_000_000
"""Records of the table that the rules' block limits are meant for."""

TASK_PAIRS = 1_000_000
"""Pairs that one task emits and scores at a time."""

KEY_CHUNK = 100_000
"""Records that one task makes keys for."""


@dataclass(slots=True)
class RuleReport:
    """What one blocking rule did: candidate pairs (each pair counted once, under its first rule), blocks split,
    blocks cut.

    `missing_refinement` counts entries that lacked a refining field and were compared only with one another;
    `pairs_cut` the
    comparisons that cutting left out.
    """

    rule: str
    records: int = 0
    pairs: int = 0
    largest_block: int = 0
    refined_blocks: int = 0
    missing_refinement: int = 0
    cut_blocks: int = 0
    pairs_cut: int = 0


@dataclass(slots=True)
class PairsReport:
    """What blocking did, rule by rule, for `records` records."""

    records: int
    rules: list[RuleReport] = field(default_factory=list)

    @property
    def pairs(self) -> int:
        """Candidate pairs, each once."""
        return sum(rule.pairs for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidate pairs that one task emitted: int32 (n,) each, left < right; `rule` is the place of the rule that
    gave them."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    rule: int


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """Pairs kept after scoring: left < right (int32), match weights in bits, level codes, vetoes, place of the
    blocking rule."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    scores: Scores
    rule: NDArray[np.int16]


def threads_available() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def block_limit(limit: int, records: int) -> int:
    """The limit of a rule's blocks in a table of so many records."""
    return int(limit * widening(records))


def widening(records: int) -> float:
    """By how much limits of blocks widen in a table of so many records.

    Few blocks of a small table are large, so wider ones cost it little: the sixth root of how much smaller it is keeps
    the pairs a record between 9 and 14 from a hundred thousand records to ten million (benchmarks, `blocking`).
    """
    return float(max((LIMITS_FOR / max(records, 1)) ** (1 / 6), 1.0))


def _blocks(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Starts of runs of equal codes in a sorted array, with its length at the end."""
    changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    return np.concatenate([[0], changes, [len(codes)]]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Sorted:
    records: NDArray[np.int32]
    slots: NDArray[np.int32]
    codes: NDArray[np.uint64]
    starts: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        return np.diff(self.starts)

    def take(self, blocks: NDArray[np.bool_]) -> "_Sorted":
        """The entries of the chosen blocks, still sorted."""
        chosen = np.repeat(blocks, self.sizes)
        starts = np.concatenate([[0], np.cumsum(self.sizes[blocks])]).astype(np.int64)
        return _Sorted(self.records[chosen], self.slots[chosen], self.codes[chosen], starts)


def _repeated(keys: NDArray[np.uint64], span: tuple[int, int]) -> tuple[_Sorted, int]:
    """Sorted entries of one rule, without most of those whose key occurs once, and how many entries there were."""
    tally = np.zeros(1 << (2 * len(keys) + 1).bit_length(), dtype=np.uint8)
    total, repeats = tally_keys(keys, *span, tally)
    records, slots = np.empty(repeats, dtype=np.int32), np.empty(repeats, dtype=np.int32)
    codes = np.empty(repeats, dtype=np.uint64)
    take_repeated(keys, *span, tally, (records, slots, codes))
    return _sort(codes, records, slots), total


def _sort(codes: NDArray[np.uint64], records: NDArray[np.int32], slots: NDArray[np.int32]) -> _Sorted:
    """Entries in order of their codes, equal ones in the order given; sorts `codes` in place."""
    entries = records.astype(np.uint64) << np.uint64(32) | slots.astype(np.uint64)
    sort_by_code(codes, entries)
    records, slots = (entries >> np.uint64(32)).astype(np.int32), entries.astype(np.uint32).view(np.int32)
    return _Sorted(records, slots, codes, _blocks(codes))


class PairFinder:
    """Blocking of one table of feature rows. `key` is the registry's 16-byte secret; `fresh` marks the records to be
    compared."""

    def __init__(self, scorer: Scorer, rows: NDArray[np.uint8], key: bytes, fresh: NDArray[np.bool_]) -> None:
        self._scorer = scorer
        self._plan: BlockingPlan = blocking_plan(scorer.model, scorer.layout)
        self._rows: Rows = as_rows(rows)
        self._key = key_words(key)
        self._fresh = fresh
        self.report = PairsReport(len(rows))
        self._keys = np.zeros((len(rows), self._plan.slots), dtype=np.uint64)
        self._blocks: list[Blocks] = []

    def prepare(self, executor: ThreadPoolExecutor) -> None:
        """Make keys and blocks of every rule; refine large ones."""

        def fill(start: int) -> None:
            part = slice(start, start + KEY_CHUNK)
            rows = as_rows(self._rows.u8[part])
            fill_keys(self._plan.keys, rows, self._key, self._keys[part])

        list(executor.map(fill, range(0, len(self._keys), KEY_CHUNK)))
        outcomes = list(executor.map(self._refined, range(len(self._plan.rules))))
        self._blocks = [blocks for blocks, _ in outcomes]
        self.report.rules = [report for _, report in outcomes]

    def _refined(self, place: int) -> tuple[Blocks, RuleReport]:
        """Blocks of one rule with two records or more, large ones split by the rule's refining fields and cut at
        last."""
        rule: BlockingRule = self._plan.rules[place]
        report = RuleReport(rule.name)
        span = int(self._plan.keys.first_slot[place]), int(self._plan.keys.first_slot[place + 1])
        entries, report.records = _repeated(self._keys, span)
        limit = block_limit(rule.limit, len(self._keys))
        done: list[_Sorted] = []
        for operand in self._plan.refine[place]:
            large = entries.sizes > limit
            done.append(entries.take(~large & (entries.sizes > 1)))
            entries = entries.take(large)
            report.refined_blocks += int(large.sum())
            operands = np.array(operand, dtype=np.int32)
            report.missing_refinement += refine_keys(
                self._rows, entries.records, entries.slots, entries.codes, self._keys, operands, self._key
            )
            entries = _sort(entries.codes, entries.records, entries.slots)
        done += self._cut(entries, CUT * limit, report)
        sizes = np.concatenate([part.sizes for part in done])
        report.largest_block = int(sizes.max(initial=0))
        return (
            Blocks(
                np.concatenate([part.records for part in done]),
                np.concatenate([part.codes[part.starts[:-1]] for part in done]),
                np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            ),
            report,
        )

    def _cut(self, entries: _Sorted, most: int, report: RuleReport) -> list[_Sorted]:
        """The last resort: blocks of more than `most` records that no field refines are cut into pieces of so many."""
        huge = entries.sizes > most
        rest, cut = entries.take(~huge & (entries.sizes > 1)), entries.take(huge)
        if not huge.any():
            return [rest]
        before = cut.sizes * (cut.sizes - 1) // 2
        chunk_keys(cut.records, cut.slots, cut.codes, cut.starts, self._keys, most, self._key)
        pieces, last = np.divmod(cut.sizes, most)
        after = pieces * (most * (most - 1) // 2) + last * (last - 1) // 2
        report.cut_blocks = len(before)
        report.pairs_cut = int(before.sum() - after.sum())
        parts = _sort(cut.codes, cut.records, cut.slots)
        return [rest, parts.take(parts.sizes > 1)]

    def _tasks(self) -> list[tuple[int, int, int, int]]:
        """(rule, first block, last block, pairs at most) in pieces of about TASK_PAIRS."""
        tasks = []
        for place, blocks in enumerate(self._blocks):
            sizes = np.diff(blocks.starts)
            pairs = sizes * (sizes - 1) // 2
            total = np.concatenate([[0], np.cumsum(pairs)])
            start = 0
            while start < len(sizes):
                stop = int(np.searchsorted(total, total[start] + TASK_PAIRS, side="left"))
                stop = min(max(stop, start + 1), len(sizes))
                tasks.append((place, start, stop, int(total[stop] - total[start])))
                start = stop
        return tasks

    def _emit(self, task: tuple[int, int, int, int]) -> Candidates:
        place, start, stop, most = task
        blocks = self._blocks[place]
        part = Blocks(blocks.records, blocks.codes[start:stop], blocks.starts[start : stop + 1])
        left, right = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int32)
        found = emit_pairs(self._keys, part, self._plan.keys.first_slot, place, self._fresh, (left, right))
        return Candidates(left[:found], right[:found], place)

    def pairs(self, executor: ThreadPoolExecutor) -> Iterator[Candidates]:
        """Every candidate pair once, in pieces; after `prepare`."""
        for candidates in executor.map(self._emit, self._tasks()):
            self.report.rules[candidates.rule].pairs += len(candidates.left)
            yield candidates

    def scored(
        self,
        executor: ThreadPoolExecutor,
        *,
        prior: float,
        floor: float,
        progress: Callable[[int, int], None] | None = None,
    ) -> ScoredPairs:
        """Score every candidate pair and keep those of `floor` bits or more. `progress` gets (tasks done, tasks)."""
        rows = self._rows.u8

        def run(task: tuple[int, int, int, int]) -> tuple[ScoredPairs, int]:
            found = self._emit(task)
            scores = self._scorer.score(rows, found.left, found.right, prior=prior, floor=floor)
            kept = scores.weights >= floor
            rule = np.full(int(kept.sum()), found.rule, dtype=np.int16)
            few = Scores(scores.weights[kept], scores.codes[kept], scores.vetoes[kept])
            return ScoredPairs(found.left[kept], found.right[kept], few, rule), len(found.left)

        tasks = self._tasks()
        parts: list[ScoredPairs] = []
        for done, (task, (part, emitted)) in enumerate(zip(tasks, executor.map(run, tasks), strict=True), start=1):
            self.report.rules[task[0]].pairs += emitted
            parts.append(part)
            if progress:
                progress(done, len(tasks))
        return join_scored(parts, len(self._scorer.model.comparisons))


def join_scored(parts: list[ScoredPairs], comparisons: int) -> ScoredPairs:
    """Parts laid end to end; `comparisons` gives the width of the codes where there are no parts."""
    if not parts:
        none = np.empty(0, dtype=np.int32)
        scores = Scores(np.empty(0), np.empty((0, comparisons), dtype=np.int8), np.empty(0, dtype=np.uint8))
        return ScoredPairs(none, none, scores, np.empty(0, dtype=np.int16))
    return ScoredPairs(
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        Scores(
            np.concatenate([part.scores.weights for part in parts]),
            np.concatenate([part.scores.codes for part in parts]),
            np.concatenate([part.scores.vetoes for part in parts]),
        ),
        np.concatenate([part.rule for part in parts]),
    )
