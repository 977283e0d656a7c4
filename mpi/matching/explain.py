"""Why a pair weighs what it weighs: one contribution a comparison, in bits, with the level's words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi.matching.kernel import as_rows, contributions, workspace
from mpi.matching.scorer import Scorer
from mpi.matching.weights import probability_of


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one comparison adds: its level and the bits of evidence, term frequency adjustment included and shown
    apart."""

    comparison: str
    level: str
    bits: float
    of_which_frequency: float
    running_total: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A waterfall from the prior to the match weight (bits), and the vetoes that hold for the pair."""

    prior: float
    contributions: tuple[Contribution, ...]
    weight: float
    probability: float
    vetoes: tuple[str, ...]


def explain(scorer: Scorer, rows: NDArray[np.uint8], left: int, right: int, *, prior: float) -> Explanation:
    """Explain the pair (left, right) of feature rows; the contributions add up to the weight that `Scorer.score`
    gives."""
    comparisons = scorer.model.comparisons
    both = np.empty((1, len(comparisons)), dtype=np.int8), np.empty((1, len(comparisons)))
    ends = np.array([left], dtype=np.int32), np.array([right], dtype=np.int32)
    contributions(scorer.program, as_rows(rows), *ends, both, workspace(scorer.program))
    codes, bits = both[0][0], both[1][0]
    total = prior
    steps: list[Contribution] = []
    for index, comparison in enumerate(comparisons):
        code = int(codes[index])
        label = comparison.label_of(code)
        plain = float(scorer.program.weights[scorer.program.base[index] + code + 1])
        total += float(bits[index])
        steps.append(Contribution(comparison.name, label, float(bits[index]), float(bits[index]) - plain, total))
    vetoes = scorer.model.vetoes_on({step.comparison: step.level for step in steps})
    return Explanation(prior, tuple(steps), total, probability_of(total), tuple(veto.name for veto in vetoes))
