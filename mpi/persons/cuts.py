"""Where a person's records could be cut in two: the edges of the strongest tree over them, and what lies across each.

A cut that a steward's judgement spans is none.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.matching.jit import bits_set, inlined, leaf
from mpi.matching.kernel import APART, FORBID, HOLD
from mpi.matching.scorer import Scores

MAXIMUM_RECORDS = 32
"""Of a person with more records only the first ones are compared with one another."""

OUTVOTED = 2
"""So many times more pairs across must be held by a veto than would be linked by themselves."""

_BELOW_ALL = 1e6
"""Bits that no match weight reaches: what a veto speaks against joins records only where nothing else does."""

Integers = NDArray[np.int64]


class Groups(NamedTuple):
    """g people of several records: the places of all their records, person by person; int64 (g,) where each person's
    begin, how many they are, and where each person's pairs begin."""

    members: NDArray[np.int32]
    starts: Integers
    sizes: Integers
    first_pairs: Integers


class _Work(NamedTuple):
    """Room for one person: of each record its neighbour on the way to record 0, how strongly it is held, whether it is
    in the tree, the part behind it as bits, and the order in which records came in."""

    parent: Integers
    strength: NDArray[np.float64]
    within: NDArray[np.bool_]
    behind: NDArray[np.uint64]
    order: Integers


class Cuts(NamedTuple):
    """c cuts worth weighing: the person's place in its groups int64, one part as bits uint64, the tree's pair and the
    pair to show int64; whether no pair across would be linked, many are held, both parts have several records
    (bool); and bool (p,): pairs of these people that lie across a cut and that a FORBID speaks against."""

    group: Integers
    part: NDArray[np.uint64]
    edge: Integers
    shown: Integers
    unlinked: NDArray[np.bool_]
    outvoted: NDArray[np.bool_]
    several: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]


def find_cuts(groups: Groups, scores: Scores, together: NDArray[np.bool_], link: float) -> Cuts:
    """The cuts worth weighing: no pair across would be linked at `link` bits by itself, a veto holds most of them, or
    one is forbidden. `scores` are of all pairs of the groups, and `together` bool (p,) marks those that stewards hold
    together."""
    room = int((groups.sizes - 1).sum())
    cuts = Cuts(
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.uint64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.bool_),
        np.empty(room, dtype=np.bool_),
        np.empty(room, dtype=np.bool_),
        np.zeros(len(scores.weights), dtype=np.bool_),
    )
    work = _Work(
        np.empty(MAXIMUM_RECORDS, dtype=np.int64),
        np.empty(MAXIMUM_RECORDS),
        np.empty(MAXIMUM_RECORDS, dtype=np.bool_),
        np.empty(MAXIMUM_RECORDS, dtype=np.uint64),
        np.empty(MAXIMUM_RECORDS, dtype=np.int64),
    )
    found = slice(_fill_cuts(groups, (scores.weights, scores.vetoes, together), link, work, cuts))
    return Cuts(
        cuts.group[found],
        cuts.part[found],
        cuts.edge[found],
        cuts.shown[found],
        cuts.unlinked[found],
        cuts.outvoted[found],
        cuts.several[found],
        cuts.forbidden,
    )


@leaf
def fill_pairs(groups: Groups, left: Any, right: Any) -> None:
    """All pairs of records of each person, in the order of the first and then of the second."""
    pair = 0
    for group in range(groups.sizes.shape[0]):
        first = groups.starts[group]
        last = first + groups.sizes[group]
        for one in range(first, last):
            for other in range(one + 1, last):
                left[pair] = groups.members[one]
                right[pair] = groups.members[other]
                pair += 1


@inlined
def _pair_of(one: int, other: int, size: int) -> int:
    """The place of a pair among those of a person of `size` records."""
    low, high = min(one, other), max(one, other)
    return low * size - low * (low + 1) // 2 + high - low - 1


@inlined
def _held(weight: float, veto: int, together: bool) -> float:
    """How strongly a pair is held together."""
    if together:
        return np.inf
    if veto & FORBID:
        return weight - 3.0 * _BELOW_ALL
    if veto & APART:
        return weight - 2.0 * _BELOW_ALL
    return weight - _BELOW_ALL if veto & HOLD else weight


@leaf
def _grow_tree(size: int, pairs: Any, work: _Work) -> None:
    """The strongest tree over a person's records, from the first; `pairs` are (weights, vetoes, together) of its
    pairs. Leaves in `work.behind` the part that falls off with each record, as bits."""
    weights, vetoes, together = pairs
    for record in range(size):
        work.parent[record] = 0
        work.within[record] = record == 0
        work.behind[record] = np.uint64(1) << np.uint64(record)
        if record > 0:
            pair = _pair_of(0, record, size)
            work.strength[record] = _held(weights[pair], vetoes[pair], together[pair])
    work.order[0] = 0
    for step in range(1, size):
        chosen = -1
        for record in range(1, size):
            if not work.within[record] and (chosen < 0 or work.strength[record] > work.strength[chosen]):
                chosen = record
        work.within[chosen] = True
        work.order[step] = chosen
        for record in range(1, size):
            if not work.within[record]:
                pair = _pair_of(chosen, record, size)
                strength = _held(weights[pair], vetoes[pair], together[pair])
                if strength > work.strength[record]:
                    work.strength[record] = strength
                    work.parent[record] = chosen
    for step in range(size - 1, 0, -1):
        record = work.order[step]
        work.behind[work.parent[record]] |= work.behind[record]


@leaf
def _judge_cut(size: int, pairs: Any, link: float, part: Any) -> Any:
    """Of the pairs across a cut: whether a steward holds one together, how many a veto holds, how many would be linked
    by themselves, and the pair that speaks most against the person: the gravest veto, and then the least weight."""
    weights, vetoes, together = pairs
    joined = False
    held = 0
    linked = 0
    worst = -1
    grade = 0
    pair = -1
    for one in range(size):
        for other in range(one + 1, size):
            pair += 1
            if (part >> np.uint64(one) ^ part >> np.uint64(other)) & np.uint64(1) == 0:
                continue
            joined |= together[pair]
            said = np.int64(vetoes[pair])
            if said:
                held += 1
            elif weights[pair] >= link:
                linked += 1
            grave = 3 if said & FORBID else 2 if said & HOLD else 1 if said else 0
            if worst < 0 or grave > grade or (grave == grade and weights[pair] < weights[worst]):
                worst = pair
                grade = grave
    return joined, held, linked, worst, grade


@inlined
def _mark_forbidden(size: int, vetoes: Any, part: Any, forbidden: Any) -> None:
    """Mark the pairs across a cut that a FORBID speaks against."""
    pair = -1
    for one in range(size):
        for other in range(one + 1, size):
            pair += 1
            if vetoes[pair] & FORBID and (part >> np.uint64(one) ^ part >> np.uint64(other)) & np.uint64(1):
                forbidden[pair] = True


@leaf
def _fill_cuts(groups: Groups, pairs: Any, link: float, work: _Work, cuts: Cuts) -> int:
    """Fill `cuts`; gives how many there are. `pairs` are (weights, vetoes, together) of all pairs."""
    weights, vetoes, together = pairs
    count = 0
    for group in range(groups.sizes.shape[0]):
        size = groups.sizes[group]
        first = groups.first_pairs[group]
        last = first + size * (size - 1) // 2
        doubtful = False
        for pair in range(first, last):
            doubtful |= vetoes[pair] != 0 or weights[pair] < link
        if not doubtful:
            continue
        own = (weights[first:last], vetoes[first:last], together[first:last])
        _grow_tree(size, own, work)
        for record in range(1, size):
            joined, held, linked, worst, grade = _judge_cut(size, own, link, work.behind[record])
            outvoted = held > 0 and held >= OUTVOTED * linked
            if joined or not (grade == 3 or linked == 0 or outvoted):
                continue
            if grade == 3:
                _mark_forbidden(size, vetoes[first:last], work.behind[record], cuts.forbidden[first:last])
            edge = first + _pair_of(work.parent[record], record, size)
            cuts.group[count] = group
            cuts.part[count] = work.behind[record]
            cuts.edge[count] = edge
            cuts.shown[count] = first + worst if grade > 0 else edge
            cuts.unlinked[count] = linked == 0
            cuts.outvoted[count] = outvoted
            behind = np.int64(bits_set(work.behind[record]))
            cuts.several[count] = behind > 1 and size - behind > 1
            count += 1
    return count
