"""Which records are one person: constrained agglomeration over scored pairs, strongest first.

Evidence is a person's, not only a pair's: two groups are weighed by the best level of every comparison over all their
pairs, so a third record that knows a number settles a pair that does not. Edges of one weight are taken in the order
of their records: callers number records in an order that does not depend on the input.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import Thresholds
from mpi.matching.jit import kernel, leaf
from mpi.matching.kernel import CHUNK, FORBID, Program, Rows, Workspace, contributions, vetoed, workspace

MAXIMUM_CROSS_PAIRS = 1_024
"""Two groups with more pairs between them than this are never joined by rules; a steward is asked."""

MAXIMUM_ROUNDS = 12
"""Rounds over the open edges: groups that grew may settle pairs that were in doubt."""

_TOO_LARGE = 8


class Edges(NamedTuple):
    """Scored pairs of records: int32 ends (n,), match weights in bits, vetoes of the pair alone (bits)."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weights: NDArray[np.float64]
    vetoes: NDArray[np.uint8]


class Groups(NamedTuple):
    """A partition while it grows: `parent` points to a root, `next_member` closes a ring over the members, `size`
    counts them.

    `barred` marks records that rules may not place (several people fit). Cannot-links of record r are
    others[offsets[r]:offsets[r + 1]].
    """

    parent: NDArray[np.int32]
    next_member: NDArray[np.int32]
    size: NDArray[np.int32]
    barred: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    others: NDArray[np.int32]


class Bench(NamedTuple):
    """Working memory for weighing two groups: the kernel's workspace, a chunk of pairs with its codes and bits, and
    the best of each."""

    work: Workspace
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    codes: NDArray[np.int8]
    bits: NDArray[np.float64]
    best_codes: NDArray[np.int8]
    best_bits: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Constraints:
    """What people decided: int32 (n, 2) pairs of records that must and must not be one person; a must-link outranks
    every rule."""

    must_link: NDArray[np.int32]
    cannot_link: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Clusters:
    """The outcome for n records and e edges.

    `labels` int32 (n,): the smallest record of each group. `joined` bool (e,): the edge joined two groups. `weights`
    float64 (e,)
    and `vetoes` uint8 (e,): of the two groups at the end, for edges that still lie between groups (NaN and 0 for the
    others).
    `barred` bool (n,): records that several people fit equally.
    """

    labels: NDArray[np.int32]
    joined: NDArray[np.bool_]
    weights: NDArray[np.float64]
    vetoes: NDArray[np.uint8]
    barred: NDArray[np.bool_]


def no_constraints() -> Constraints:
    """Nothing decided yet."""
    none = np.empty((0, 2), dtype=np.int32)
    return Constraints(none, none)


@leaf
def _root(parent: Any, record: int) -> int:
    while parent[record] != record:
        parent[record] = parent[parent[record]]
        record = parent[record]
    return record


@leaf
def _join(groups: Groups, a: int, b: int) -> None:
    """Join two roots; the smaller record stays the root."""
    keep, drop = min(a, b), max(a, b)
    groups.parent[drop] = keep
    groups.size[keep] += groups.size[drop]
    groups.next_member[keep], groups.next_member[drop] = groups.next_member[drop], groups.next_member[keep]


@leaf
def _kept_apart(groups: Groups, a: int, b: int) -> bool:
    """Whether a cannot-link lies between the groups of roots a and b."""
    if groups.others.shape[0] == 0:
        return False
    member = a
    while True:
        for place in range(groups.offsets[member], groups.offsets[member + 1]):
            if _root(groups.parent, groups.others[place]) == b:
                return True
        member = groups.next_member[member]
        if member == a:
            return False


@leaf
def _record_kept_apart(groups: Groups, record: int, b: int) -> bool:
    """Whether a cannot-link of `record` itself leads to the group of root b."""
    for place in range(groups.offsets[record], groups.offsets[record + 1]):
        if _root(groups.parent, groups.others[place]) == b:
            return True
    return False


@leaf
def _weigh(program: Program, rows: Rows, groups: Groups, a: int, b: int, prior: float, bench: Bench) -> Any:
    """Match weight (bits) and vetoes of two groups given by members a and b: the best level of every comparison over
    all pairs."""
    if np.int64(groups.size[_root(groups.parent, a)]) * groups.size[_root(groups.parent, b)] > MAXIMUM_CROSS_PAIRS:
        return -np.inf, _TOO_LARGE
    return _weigh_members(program, rows, groups, a, b, prior, bench)


@leaf
def _take_best(program: Program, rows: Rows, count: int, bench: Bench) -> int:
    """Weigh the first `count` pairs on the bench and keep the best level of each comparison; gives FORBID if a pair
    says so."""
    codes, bits = bench.codes[:count], bench.bits[:count]
    contributions(program, rows, bench.left[:count], bench.right[:count], (codes, bits), bench.work)
    effects = 0
    for pair in range(count):
        effects |= vetoed(program, codes[pair]) & FORBID
        for comparison in range(codes.shape[1]):
            code = codes[pair, comparison]
            if code < 0:
                continue
            more = bits[pair, comparison] - bench.best_bits[comparison]
            best = bench.best_codes[comparison]
            # of two levels that weigh the same the more similar one: the order of the members must not matter
            if best < 0 or more > 0.0 or (more == 0.0 and code > best):
                bench.best_codes[comparison] = code
                bench.best_bits[comparison] = bits[pair, comparison]
    return effects


@leaf
def _weigh_members(program: Program, rows: Rows, groups: Groups, a: int, b: int, prior: float, bench: Bench) -> Any:
    for comparison in range(bench.best_codes.shape[0]):
        bench.best_codes[comparison] = -1
        bench.best_bits[comparison] = 0.0
    effects = 0
    count = 0
    left = a
    while True:
        right = b
        while True:
            bench.left[count] = left
            bench.right[count] = right
            count += 1
            if count == CHUNK:
                effects |= _take_best(program, rows, count, bench)
                count = 0
            right = groups.next_member[right]
            if right == b:
                break
        left = groups.next_member[left]
        if left == a:
            break
    effects |= _take_best(program, rows, count, bench)
    weight = prior
    for comparison in range(bench.best_bits.shape[0]):
        weight += bench.best_bits[comparison]
    return weight, effects | vetoed(program, bench.best_codes)


@leaf
def _judge(program: Program, rows: Rows, groups: Groups, edges: Edges, edge: int, prior: float, bench: Bench) -> Any:
    """Weight and vetoes between the groups that an edge touches; a pair of single records keeps its own."""
    i, j = edges.left[edge], edges.right[edge]
    a, b = _root(groups.parent, i), _root(groups.parent, j)
    if groups.size[a] == 1 and groups.size[b] == 1:
        return edges.weights[edge], np.int64(edges.vetoes[edge])
    weight, effects = _weigh(program, rows, groups, i, j, prior, bench)
    if effects == _TOO_LARGE:
        weight = edges.weights[edge]
    return weight, np.int64(effects)


@leaf
def _agglomerate(
    program: Program, rows: Rows, groups: Groups, edges: Edges, limits: Any, outcome: Any, bench: Bench
) -> None:
    """Join groups along edges (sorted, strongest first) until a round changes nothing.

    `limits` is (prior, link) in bits; `outcome` is (edges still open int64 (e,), edges that joined bool (e,)).
    """
    prior, link = limits
    open_edges, joined = outcome
    for _ in range(MAXIMUM_ROUNDS):
        left_open = 0
        changed = False
        for place in range(open_edges.shape[0]):
            edge = open_edges[place]
            a = _root(groups.parent, edges.left[edge])
            b = _root(groups.parent, edges.right[edge])
            if a == b:
                continue
            open_edges[left_open] = edge
            left_open += 1
            if groups.barred[edges.left[edge]] or groups.barred[edges.right[edge]]:
                continue
            weight, effects = _judge(program, rows, groups, edges, edge, prior, bench)
            if weight >= link and effects == 0 and not _kept_apart(groups, a, b):
                _join(groups, a, b)
                joined[edge] = True
                changed = True
                left_open -= 1
        open_edges = open_edges[:left_open]
        if not changed:
            break


@leaf
def _fits_both(
    program: Program, rows: Rows, groups: Groups, record: int, other: int, limits: Any, bench: Bench
) -> bool:
    """Whether `record` alone fits the rest of its group and the group of `other` about equally well."""
    prior, link, margin = limits
    rest = groups.next_member[record]
    if rest == record or _record_kept_apart(groups, record, _root(groups.parent, other)):
        return False
    before = rest
    while groups.next_member[before] != record:
        before = groups.next_member[before]
    # take the record out of its ring, weigh, and put it back
    groups.next_member[before] = rest
    groups.next_member[record] = record
    here, _ = _weigh_members(program, rows, groups, record, rest, prior, bench)
    there, effects = _weigh_members(program, rows, groups, record, other, prior, bench)
    groups.next_member[before] = record
    groups.next_member[record] = rest
    return bool(effects == 0 and there >= link and abs(here - there) < margin)


@leaf
def _find_ambiguous(
    program: Program, rows: Rows, groups: Groups, edges: Edges, limits: Any, movable: Any, found: Any, bench: Bench
) -> None:
    """Mark records that fit two groups about equally, where those groups may not be one: found bool (n,)."""
    for edge in range(edges.left.shape[0]):
        if edges.weights[edge] < limits[1] or edges.vetoes[edge] != 0:
            continue
        i, j = edges.left[edge], edges.right[edge]
        a, b = _root(groups.parent, i), _root(groups.parent, j)
        if a == b:
            continue
        _, effects = _weigh(program, rows, groups, i, j, limits[0], bench)
        if effects & FORBID == 0 and not _kept_apart(groups, a, b):
            continue
        if movable[i] and _fits_both(program, rows, groups, i, j, limits, bench):
            found[i] = True
        if movable[j] and _fits_both(program, rows, groups, j, i, limits, bench):
            found[j] = True


@leaf
def _final_doubts(
    program: Program,
    rows: Rows,
    groups: Groups,
    edges: Edges,
    prior: float,
    weights: Any,
    effects_out: Any,
    bench: Bench,
) -> None:
    for edge in range(edges.left.shape[0]):
        a, b = _root(groups.parent, edges.left[edge]), _root(groups.parent, edges.right[edge])
        # what a steward has kept apart is no question any more
        if a != b and not _kept_apart(groups, a, b):
            weight, effects = _judge(program, rows, groups, edges, edge, prior, bench)
            weights[edge] = weight
            effects_out[edge] = effects


def _groups(count: int, persons: NDArray[np.int64], constraints: Constraints, barred: NDArray[np.bool_]) -> Groups:
    """One group a record, then people who exist already, then what stewards joined."""
    offsets = np.zeros(count + 1, dtype=np.int64)
    ends = np.concatenate([constraints.cannot_link, constraints.cannot_link[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    np.cumsum(np.bincount(ends[:, 0], minlength=count), out=offsets[1:])
    groups = Groups(
        np.arange(count, dtype=np.int32),
        np.arange(count, dtype=np.int32),
        np.ones(count, dtype=np.int32),
        barred,
        offsets,
        np.ascontiguousarray(ends[:, 1]).astype(np.int32),
    )
    _join_known(groups, persons)
    _join_pairs(groups, constraints.must_link)
    return groups


@leaf
def _join_pairs(groups: Groups, pairs: Any) -> None:
    for place in range(pairs.shape[0]):
        a, b = _root(groups.parent, pairs[place, 0]), _root(groups.parent, pairs[place, 1])
        if a != b:
            _join(groups, a, b)


def _join_known(groups: Groups, persons: NDArray[np.int64]) -> None:
    placed = np.flatnonzero(persons >= 0)
    placed = placed[np.argsort(persons[placed], kind="stable")]
    same = np.flatnonzero(persons[placed[1:]] == persons[placed[:-1]])
    _join_pairs(groups, np.stack([placed[same], placed[same + 1]], axis=1).astype(np.int32))


def cluster(
    program: Program,
    rows: Rows,
    edges: Edges,
    *,
    persons: NDArray[np.int64],
    constraints: Constraints,
    thresholds: Thresholds,
    prior: float,
) -> Clusters:
    """Group `len(persons)` records; `persons` holds each record's present person or -1. Weights, `prior` and
    thresholds in bits."""
    count = len(persons)
    comparisons = len(program.starts)
    order = np.lexsort((edges.right, edges.left, -edges.weights))
    ordered = Edges(edges.left[order], edges.right[order], edges.weights[order], edges.vetoes[order])
    bench = Bench(
        workspace(program),
        np.empty(CHUNK, dtype=np.int32),
        np.empty(CHUNK, dtype=np.int32),
        np.empty((CHUNK, comparisons), dtype=np.int8),
        np.empty((CHUNK, comparisons)),
        np.empty(comparisons, dtype=np.int8),
        np.empty(comparisons),
    )
    limits = (prior, thresholds.link, thresholds.margin)
    barred = np.zeros(count, dtype=np.bool_)
    for final in (False, True):
        groups = _groups(count, persons, constraints, barred)
        joined = np.zeros(len(order), dtype=np.bool_)
        _agglomerate(program, rows, groups, ordered, limits[:2], (np.arange(len(order)), joined), bench)
        if final:
            break
        ambiguous = np.zeros(count, dtype=np.bool_)
        movable = (persons < 0) & ~np.isin(np.arange(count), constraints.must_link)
        _find_ambiguous(program, rows, groups, ordered, limits, movable, ambiguous, bench)
        if not ambiguous.any():
            break
        barred = ambiguous
    weights = np.full(len(order), np.nan)
    vetoes = np.zeros(len(order), dtype=np.uint8)
    _final_doubts(program, rows, groups, ordered, prior, weights, vetoes, bench)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    labels = _labels(groups.parent)
    return Clusters(labels, joined[back], weights[back], vetoes[back], barred)


@kernel
def _labels(parent: Any) -> Any:
    labels = np.empty_like(parent)
    for record in range(parent.shape[0]):
        labels[record] = _root(parent, record)
    return labels
