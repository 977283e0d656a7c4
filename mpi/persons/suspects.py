"""People whose records may be two people's: parts that the rules, by all they know now, would not join.

Only the cuts of the strongest tree over a person's records are tried, and never one that a steward's judgement spans.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.matching.jit import bits_set, inlined, leaf
from mpi.matching.kernel import APART, FORBID, HOLD, as_rows
from mpi.matching.scorer import Scorer, Scores
from mpi.persons.clusters import Edges, no_constraints, weigh_people

MAXIMUM_RECORDS = 32
"""Of a person with more records only the first ones are compared with one another."""

WEAK_BRIDGE = 8.0
"""Bits above `link` that two parts of several records each must weigh where no pair across would be linked by itself:
so much may be pooled by chance from many pairs. One record against the rest is weighed as the rules weigh it."""

OUTVOTED = 2
"""So many times more pairs across must be held by a veto than would be linked by themselves."""

PAIRS_AT_ONCE = 1_000_000

_BELOW_ALL = 1e6
"""Bits that no match weight reaches: what a veto speaks against joins records only where nothing else does."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Suspects:
    """What was found among some people, one pair of records a suspected person at most.

    `left`, `right` int32 (k,): places of a record of either part in the table; `weights` float64 (k,) in bits and
    `vetoes` uint8 (k,): of the two parts, 0 where the bridge is only weak; `codes` int8 (k, comparisons) of the pair.
    `looked_at` int32: the first record of every person that was looked at. `forbidden` int32 (f, 2): pairs inside
    these people that a FORBID speaks against.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weights: NDArray[np.float64]
    vetoes: NDArray[np.uint8]
    codes: NDArray[np.int8]
    looked_at: NDArray[np.int32]
    forbidden: NDArray[np.int32]


class _Groups(NamedTuple):
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


class _Cuts(NamedTuple):
    """c cuts worth weighing: the person's place in its groups int64, one part as bits uint64, the tree's pair and the
    pair to show int64; whether no pair across would be linked, many are held, both parts have several records
    (bool)."""

    group: Integers
    part: NDArray[np.uint64]
    edge: Integers
    shown: Integers
    unlinked: NDArray[np.bool_]
    outvoted: NDArray[np.bool_]
    several: NDArray[np.bool_]


def find_suspects(
    scorer: Scorer,
    rows: NDArray[np.uint8],
    persons: Integers,
    wanted: NDArray[np.bool_],
    *,
    must_link: NDArray[np.int32],
    prior: float,
) -> Suspects:
    """Look at the people of the `wanted` records, bool (n,).

    `rows` uint8 (n, width) and `persons` int64 (n,) are those of a table in which these people are whole; `must_link`
    int32 (m, 2): places of records that stewards hold together; `prior` in bits.
    """
    groups, looked_at = _groups(persons, wanted)
    found = [_look(scorer, rows, some, _codes_of(must_link, len(persons)), prior=prior) for some in _in_blocks(groups)]
    comparisons = len(scorer.model.comparisons)
    whole = found[0] if len(found) == 1 else _joined(found, comparisons)
    return Suspects(*whole[:5], looked_at, whole[5])


_Found = tuple[
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.float64],
    NDArray[np.uint8],
    NDArray[np.int8],
    NDArray[np.int32],
]


def _joined(found: list[_Found], comparisons: int) -> _Found:
    none: _Found = (
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.int32),
        np.empty(0),
        np.empty(0, dtype=np.uint8),
        np.empty((0, comparisons), dtype=np.int8),
        np.empty((0, 2), dtype=np.int32),
    )
    left, right, weights, vetoes, codes, forbidden = zip(none, *found, strict=True)
    return (
        np.concatenate(left),
        np.concatenate(right),
        np.concatenate(weights),
        np.concatenate(vetoes),
        np.concatenate(codes),
        np.concatenate(forbidden),
    )


def _groups(persons: Integers, wanted: NDArray[np.bool_]) -> tuple[_Groups, NDArray[np.int32]]:
    """The people of the wanted records who have several, and the first record of everybody looked at."""
    order = np.argsort(persons, kind="stable").astype(np.int32)
    ends = np.append(np.flatnonzero(np.diff(persons[order])) + 1, len(order))
    starts = np.append(0, ends[:-1])[: len(ends)]
    if not len(order):
        none = np.empty(0, dtype=np.int64)
        return _Groups(order, none, none, none), order
    asked = np.logical_or.reduceat(wanted[order], starts)
    sizes = np.minimum(ends - starts, MAXIMUM_RECORDS)
    several = asked & (sizes > 1)
    starts_of, sizes_of = starts[several], sizes[several]
    pairs = sizes_of * (sizes_of - 1) // 2
    return _Groups(order, starts_of, sizes_of, np.cumsum(pairs) - pairs), order[starts[asked]]


def _in_blocks(groups: _Groups) -> Iterator[_Groups]:
    """The groups in blocks of about PAIRS_AT_ONCE pairs."""
    if not len(groups.sizes):
        return
    cuts = np.flatnonzero(np.diff(groups.first_pairs // PAIRS_AT_ONCE)) + 1
    for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(groups.sizes)], strict=True):
        some = slice(first, last)
        pairs = groups.first_pairs[some]
        yield _Groups(groups.members, groups.starts[some], groups.sizes[some], pairs - pairs[0])


def _codes_of(pairs: NDArray[np.int32], count: int) -> Integers:
    """One growing number a pair of places in a table of `count` records."""
    ends = np.sort(pairs.astype(np.int64), axis=1)
    return np.unique(ends[:, 0] * count + ends[:, 1])


def _look(scorer: Scorer, rows: NDArray[np.uint8], groups: _Groups, must: Integers, *, prior: float) -> _Found:
    """Look at some people. `must` are the codes of pairs that stewards hold together."""
    last = int(groups.sizes[-1])
    count = int(groups.first_pairs[-1]) + last * (last - 1) // 2
    left, right = np.empty((2, count), dtype=np.int32)
    _fill_pairs(groups, left, right)
    scores = scorer.score(rows, left, right, prior=prior)
    together = np.isin(left.astype(np.int64) * len(rows) + right, must) if len(must) else np.zeros(count, np.bool_)
    forbidden = np.flatnonzero((scores.vetoes & FORBID != 0) & ~together)
    cuts = _cuts(groups, scores, together, scorer.model.thresholds.link)
    weights, vetoes = _weigh(scorer, rows, groups, cuts, (left, right, scores), prior)
    against = vetoes & FORBID | np.where(cuts.outvoted, vetoes & (HOLD | APART), 0).astype(np.uint8)
    link = scorer.model.thresholds.link
    weak = (weights < link) | (cuts.unlinked & cuts.several & (weights < link + WEAK_BRIDGE))
    weak &= _disagrees(scorer, scores.codes[cuts.shown])
    chosen = np.flatnonzero((against != 0) | weak)
    order = np.lexsort((right[cuts.shown], left[cuts.shown], weights, against == 0, cuts.group))
    chosen = order[np.isin(order, chosen)]
    # one question a person: what a veto speaks against first, then the weaker bridge
    chosen = chosen[np.append(True, np.diff(cuts.group[chosen]) != 0)[: len(chosen)]]
    shown = cuts.shown[chosen]
    pairs = np.stack([left[forbidden], right[forbidden]], axis=1)
    return left[shown], right[shown], weights[chosen], against[chosen], scores.codes[shown], pairs


def _disagrees(scorer: Scorer, codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether anything speaks against each of some pairs, bool (n,), by their level codes: a record that only knows
    less than it did is no stranger."""
    program = scorer.program
    levels = program.base[: codes.shape[1]] + codes + 1
    against: NDArray[np.bool_] = ((codes >= 0) & (program.weights[levels] < 0)).any(axis=1)
    return against


def _cuts(groups: _Groups, scores: Scores, together: NDArray[np.bool_], link: float) -> _Cuts:
    """The cuts worth weighing."""
    room = int((groups.sizes - 1).sum())
    cuts = _Cuts(
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.uint64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.bool_),
        np.empty(room, dtype=np.bool_),
        np.empty(room, dtype=np.bool_),
    )
    work = _Work(
        np.empty(MAXIMUM_RECORDS, dtype=np.int64),
        np.empty(MAXIMUM_RECORDS),
        np.empty(MAXIMUM_RECORDS, dtype=np.bool_),
        np.empty(MAXIMUM_RECORDS, dtype=np.uint64),
        np.empty(MAXIMUM_RECORDS, dtype=np.int64),
    )
    found = slice(_find_cuts(groups, (scores.weights, scores.vetoes, together), link, work, cuts))
    return _Cuts(
        cuts.group[found],
        cuts.part[found],
        cuts.edge[found],
        cuts.shown[found],
        cuts.unlinked[found],
        cuts.outvoted[found],
        cuts.several[found],
    )


def _weigh(
    scorer: Scorer,
    rows: NDArray[np.uint8],
    groups: _Groups,
    cuts: _Cuts,
    scored: tuple[NDArray[np.int32], NDArray[np.int32], Scores],
    prior: float,
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Weights and vetoes of the two parts of every cut, as if they were two people: in a table that holds the records
    of a person once for each of its cuts."""
    left, right, scores = scored
    sizes = groups.sizes[cuts.group]
    firsts = np.cumsum(sizes) - sizes
    cut = np.repeat(np.arange(len(sizes)), sizes)
    within = np.arange(len(cut)) - firsts[cut]
    places = groups.members[groups.starts[cuts.group][cut] + within]
    parts = 2 * cut + (cuts.part[cut] >> within.astype(np.uint64) & np.uint64(1)).astype(np.int64)
    ends = np.empty((2, len(sizes)), dtype=np.int32)
    for row, end in enumerate((left, right)):
        ends[row, cut[places == end[cuts.edge][cut]]] = np.flatnonzero(places == end[cuts.edge][cut])
    return weigh_people(
        scorer.program,
        as_rows(np.ascontiguousarray(rows[places])),
        Edges(ends[0], ends[1], scores.weights[cuts.edge], scores.vetoes[cuts.edge]),
        persons=parts,
        constraints=no_constraints(),
        thresholds=scorer.model.thresholds,
        prior=prior,
    )


@leaf
def _fill_pairs(groups: _Groups, left: Any, right: Any) -> None:
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


@leaf
def _find_cuts(groups: _Groups, pairs: Any, link: float, work: _Work, cuts: _Cuts) -> int:
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
