"""What holds the records of one person together, and where that would break first.

Pairs joined by a steward come first, then pairs that the rules may link, by weight; what a veto speaks against joins
records only where nothing else does.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.matching.kernel import APART, FORBID, HOLD

Integers = NDArray[np.int64]

_BELOW_ALL = 1e6
"""Bits that no match weight reaches: a veto puts a pair behind every pair without one."""

_BEHIND = ((HOLD, 1), (APART, 2), (FORBID, 3))


class Cohesion(NamedTuple):
    """The strongest tree over n records.

    `edges` int64 (n - 1, 2) are its pairs of places, the smaller first, sorted. `weakest` is the place of the pair in
    `edges` that holds least, or -1 where stewards joined every pair (or there is none); without it the records fall
    into two parts, and `beyond` bool (n,) marks the part that record 0 is not in.
    """

    edges: Integers
    weakest: int
    beyond: NDArray[np.bool_]


def strengths(
    weights: NDArray[np.float64], vetoes: NDArray[np.uint8], judged_same: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """How strongly each of p pairs is held together, float64 (p,), from match weights (bits), vetoes (bits HOLD,
    FORBID, APART) and whether a steward joined it: infinite where one did."""
    found = weights.copy()
    for effect, steps in _BEHIND:
        found = np.where(vetoes & effect != 0, np.minimum(found, weights - steps * _BELOW_ALL), found)
    return np.where(judged_same, np.inf, found)


def cohesion(strength: NDArray[np.float64]) -> Cohesion:
    """The strongest tree of a symmetric table float64 (n, n), whose diagonal is not read; of equals the first."""
    count = len(strength)
    edges = _tree(strength)
    held = strength[edges[:, 0], edges[:, 1]]
    weakest = int(np.argmin(held)) if count > 1 and held.min() < np.inf else -1
    beyond = np.zeros(count, dtype=np.bool_)
    if weakest >= 0:
        beyond = ~_reached(count, np.delete(edges, weakest, axis=0))
    return Cohesion(edges, weakest, beyond)


def _tree(strength: NDArray[np.float64]) -> Integers:
    """Prim's algorithm from record 0: each step takes in the record that is held most strongly by those within."""
    count = len(strength)
    within = np.zeros(count, dtype=np.bool_)
    within[:1] = True
    edges = []
    for _ in range(count - 1):
        inner, outer = np.flatnonzero(within), np.flatnonzero(~within)
        row, column = divmod(int(np.argmax(strength[np.ix_(inner, outer)])), len(outer))
        one, other = int(inner[row]), int(outer[column])
        edges.append((min(one, other), max(one, other)))
        within[other] = True
    return np.array(sorted(edges), dtype=np.int64).reshape(-1, 2)


def _reached(count: int, edges: Integers) -> NDArray[np.bool_]:
    """The records that record 0 is joined to by the edges of a forest."""
    reached = np.zeros(count, dtype=np.bool_)
    reached[0] = True
    while True:
        touching = reached[edges].any(axis=1)
        more = edges[touching].ravel()
        if reached[more].all():
            return reached
        reached[more] = True
