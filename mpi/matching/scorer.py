"""The one scorer: batch hands it millions of pairs, the online path a few dozen, Spark a partition.

A Scorer is immutable and safe to share between threads; working memory belongs to each thread.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import LinkageModel
from mpi.domain.records import ColumnKind, StandardRecord
from mpi.matching.features import Column, FrequencyTable, Layout, frequency_table, layout_of, pack_records, pack_rows
from mpi.matching.kernel import Program, Rows, as_rows, score_pairs, workspace_of_thread
from mpi.matching.weights import column_kinds, compile_program, prior_bits

TASK = 262_144
"""Pairs that one task of a thread scores."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of n pairs.

    Match weights in bits, prior included (float64 (n,)), level codes (int8 (n, comparisons)) and vetoes (uint8 (n,):
    bits HOLD, FORBID, APART).
    """

    weights: NDArray[np.float64]
    codes: NDArray[np.int8]
    vetoes: NDArray[np.uint8]


class Scorer:
    """A trained linkage model, compiled. Raises UntrainedLevelError or RuleFileError when the model cannot be
    compiled."""

    def __init__(self, model: LinkageModel) -> None:
        self.model = model
        self.layout: Layout = layout_of(model)
        self.frequencies: FrequencyTable = frequency_table(model)
        self.program: Program = compile_program(model, self.layout, self.frequencies)

    @cached_property
    def columns(self) -> dict[str, ColumnKind]:
        """The standard columns that feature rows are made of."""
        return column_kinds(self.model, self.layout)

    def prior(self, records: int) -> float:
        """Match weight of the prior in bits when `records` records are in play."""
        assert self.model.parameters is not None
        return prior_bits(self.model.parameters.records_per_person, records)

    def pack(self, columns: Mapping[str, Column], key: bytes) -> NDArray[np.uint8]:
        """Feature rows, uint8 (n, layout.width), of standard columns under the registry's 16-byte key."""
        return pack_rows({name: columns[name] for name in self.columns}, self.layout, self.frequencies, key)

    def pack_records(self, records: Sequence[StandardRecord], key: bytes) -> NDArray[np.uint8]:
        """Feature rows of a few standard records, the same as `pack` makes of their columns."""
        return pack_records(records, self.layout, self.frequencies, key)

    def score(
        self,
        rows: NDArray[np.uint8],
        left: NDArray[np.int32],
        right: NDArray[np.int32],
        *,
        prior: float,
        floor: float = -np.inf,
        executor: Executor | None = None,
    ) -> Scores:
        """Score pairs (left[k], right[k]) of `rows`; `prior` and `floor` in bits. Below `floor` a weight may be
        -inf."""
        count = len(left)
        scores = Scores(
            np.empty(count),
            np.empty((count, len(self.model.comparisons)), dtype=np.int8),
            np.zeros(count, dtype=np.uint8),
        )
        views = as_rows(rows)
        if count <= TASK:
            self._run(views, left, right, (prior, floor), scores)
            return scores

        def run(start: int) -> None:
            part = slice(start, start + TASK)
            some = Scores(scores.weights[part], scores.codes[part], scores.vetoes[part])
            self._run(views, left[part], right[part], (prior, floor), some)

        starts = range(0, count, TASK)
        for _ in executor.map(run, starts) if executor else map(run, starts):
            pass
        return scores

    def _run(
        self,
        views: Rows,
        left: NDArray[np.int32],
        right: NDArray[np.int32],
        bits: tuple[float, float],
        scores: Scores,
    ) -> None:
        work = workspace_of_thread(self.program)
        out = (scores.weights, scores.codes, scores.vetoes)
        score_pairs(self.program, views, (left, right), *bits, out, work)
