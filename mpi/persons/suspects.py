"""People whose records may be two people's: parts that the rules, by all they know now, would not join.

Only the cuts of the strongest tree over a person's records are tried, and never one that a steward's judgement spans.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi.matching.kernel import APART, FORBID, HOLD, as_rows
from mpi.matching.scorer import Scorer, Scores
from mpi.persons.clusters import Edges, no_constraints, weigh_people
from mpi.persons.cuts import MAXIMUM_RECORDS, Cuts, Groups, fill_pairs, find_cuts

WEAK_BRIDGE = 8.0
"""Bits above `link` that two parts of several records each must weigh where no pair across would be linked by itself:
so much may be pooled by chance from many pairs. One record against the rest is weighed as the rules weigh it."""

PAIRS_AT_ONCE = 1_000_000

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
    whole = found[0] if len(found) == 1 else _joined(found, len(scorer.model.comparisons))
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


def _groups(persons: Integers, wanted: NDArray[np.bool_]) -> tuple[Groups, NDArray[np.int32]]:
    """The people of the wanted records who have several, and the first record of everybody looked at."""
    order = np.argsort(persons, kind="stable").astype(np.int32)
    ends = np.append(np.flatnonzero(np.diff(persons[order])) + 1, len(order))
    starts = np.append(0, ends[:-1])[: len(ends)]
    if not len(order):
        none = np.empty(0, dtype=np.int64)
        return Groups(order, none, none, none), order
    asked = np.logical_or.reduceat(wanted[order], starts)
    sizes = np.minimum(ends - starts, MAXIMUM_RECORDS)
    several = asked & (sizes > 1)
    starts_of, sizes_of = starts[several], sizes[several]
    pairs = sizes_of * (sizes_of - 1) // 2
    return Groups(order, starts_of, sizes_of, np.cumsum(pairs) - pairs), order[starts[asked]]


def _in_blocks(groups: Groups) -> Iterator[Groups]:
    """The groups in blocks of about PAIRS_AT_ONCE pairs."""
    if not len(groups.sizes):
        return
    cuts = np.flatnonzero(np.diff(groups.first_pairs // PAIRS_AT_ONCE)) + 1
    for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(groups.sizes)], strict=True):
        some = slice(first, last)
        pairs = groups.first_pairs[some]
        yield Groups(groups.members, groups.starts[some], groups.sizes[some], pairs - pairs[0])


def _codes_of(pairs: NDArray[np.int32], count: int) -> Integers:
    """One growing number a pair of places in a table of `count` records."""
    if not len(pairs):
        return np.empty(0, dtype=np.int64)
    ends = np.sort(pairs.astype(np.int64), axis=1)
    return np.unique(ends[:, 0] * count + ends[:, 1])


def _look(scorer: Scorer, rows: NDArray[np.uint8], groups: Groups, must: Integers, *, prior: float) -> _Found:
    """Look at some people. `must` are the codes of pairs that stewards hold together."""
    last = int(groups.sizes[-1])
    count = int(groups.first_pairs[-1]) + last * (last - 1) // 2
    left, right = np.empty((2, count), dtype=np.int32)
    fill_pairs(groups, left, right)
    scores = scorer.score(rows, left, right, prior=prior)
    together = np.isin(left.astype(np.int64) * len(rows) + right, must) if len(must) else np.zeros(count, np.bool_)
    cuts = find_cuts(groups, scores, together, scorer.model.thresholds.link)
    if not len(cuts.group):
        return _joined([], len(scorer.model.comparisons))
    forbidden = np.flatnonzero(cuts.forbidden)
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


def _weigh(
    scorer: Scorer,
    rows: NDArray[np.uint8],
    groups: Groups,
    cuts: Cuts,
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
