"""Which records are one person: constrained agglomeration over scored pairs, strongest first.

Evidence is a person's, not only a pair's: two groups are weighed by the best level of every comparison over all their pairs, so a
third record that knows a number settles a pair that does not. The outcome depends on the set of records, not on their order.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mpi.domain.model import Thresholds
from mpi.matching.comparators import SCRATCH_SIZE
from mpi.matching.kernel import FORBID, Program, Rows, contributions, vetoed

MAXIMUM_CROSS_PAIRS = 4_096
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
    """A partition while it grows: `parent` points to a root, `next_member` closes a ring over the members, `size` counts them.

    `barred` marks records that rules may not place (several people fit). Cannot-links of record r are
    others[offsets[r]:offsets[r + 1]].
    """

    parent: NDArray[np.int32]
    next_member: NDArray[np.int32]
    size: NDArray[np.int32]
    barred: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    others: NDArray[np.int32]


class Workspace(NamedTuple):
    """Working memory of one call: codes and bits of a pair, the best of two groups, comparator scratch."""

    codes: NDArray[np.int8]
    bits: NDArray[np.float64]
    best_codes: NDArray[np.int8]
    best_bits: NDArray[np.float64]
    scratch: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Constraints:
    """What people decided: int32 (n, 2) pairs of records that must and must not be one person; a must-link outranks every rule."""

    must_link: NDArray[np.int32]
    cannot_link: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Clusters:
    """The outcome for n records and e edges.

    `labels` int32 (n,): the smallest record of each group. `joined` bool (e,): the edge joined two groups. `weights` float64 (e,)
    and `vetoes` uint8 (e,): of the two groups at the end, for edges that still lie between groups (NaN and 0 for the others).
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


@njit(nogil=True, cache=True)
def _root(parent: Any, record: int) -> int:
    while parent[record] != record:
        parent[record] = parent[parent[record]]
        record = parent[record]
    return record


@njit(nogil=True, cache=True)
def _join(groups: Groups, a: int, b: int) -> None:
    """Join two roots; the smaller record stays the root."""
    keep, drop = min(a, b), max(a, b)
    groups.parent[drop] = keep
    groups.size[keep] += groups.size[drop]
    groups.next_member[keep], groups.next_member[drop] = groups.next_member[drop], groups.next_member[keep]


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _weigh(program: Program, rows: Rows, groups: Groups, a: int, b: int, prior: float, work: Workspace) -> Any:
    """Match weight (bits) and vetoes of two groups given by members a and b: the best level of every comparison over all pairs."""
    if np.int64(groups.size[_root(groups.parent, a)]) * groups.size[_root(groups.parent, b)] > MAXIMUM_CROSS_PAIRS:
        return -np.inf, _TOO_LARGE
    return _weigh_members(program, rows, groups, a, b, prior, work)


@njit(nogil=True, cache=True)
def _weigh_members(program: Program, rows: Rows, groups: Groups, a: int, b: int, prior: float, work: Workspace) -> Any:
    work.best_codes[:] = -1
    work.best_bits[:] = 0.0
    effects = 0
    left = a
    while True:
        right = b
        while True:
            contributions(program, rows, left, right, work.codes, work.bits, work.scratch)
            effects |= vetoed(program, work.codes) & FORBID
            for comparison in range(work.codes.shape[0]):
                known = work.codes[comparison] >= 0
                if known and (work.best_codes[comparison] < 0 or work.bits[comparison] > work.best_bits[comparison]):
                    work.best_codes[comparison] = work.codes[comparison]
                    work.best_bits[comparison] = work.bits[comparison]
            right = groups.next_member[right]
            if right == b:
                break
        left = groups.next_member[left]
        if left == a:
            break
    return prior + work.best_bits.sum(), effects | vetoed(program, work.best_codes)


@njit(nogil=True, cache=True)
def _judge(
    program: Program, rows: Rows, groups: Groups, edges: Edges, edge: int, prior: float, work: Workspace
) -> Any:
    """Weight and vetoes between the groups that an edge touches; a pair of single records keeps its own."""
    i, j = edges.left[edge], edges.right[edge]
    a, b = _root(groups.parent, i), _root(groups.parent, j)
    if groups.size[a] == 1 and groups.size[b] == 1:
        return edges.weights[edge], np.int64(edges.vetoes[edge])
    weight, effects = _weigh(program, rows, groups, i, j, prior, work)
    return weight, np.int64(effects)


@njit(nogil=True, cache=True)
def _agglomerate(
    program: Program, rows: Rows, groups: Groups, edges: Edges, limits: Any, joined: Any, work: Workspace
) -> None:
    """Join groups along edges (sorted, strongest first) until a round changes nothing. `limits` is (prior, link) in bits."""
    prior, link = limits
    open_edges = np.arange(edges.left.shape[0])
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
            weight, effects = _judge(program, rows, groups, edges, edge, prior, work)
            if weight >= link and effects == 0 and not _kept_apart(groups, a, b):
                _join(groups, a, b)
                joined[edge] = True
                changed = True
                left_open -= 1
        open_edges = open_edges[:left_open]
        if not changed:
            break


@njit(nogil=True, cache=True)
def _fits_both(
    program: Program, rows: Rows, groups: Groups, record: int, other: int, limits: Any, work: Workspace
) -> bool:
    """Whether `record` alone fits the rest of its group and the group of `other` about equally well."""
    prior, link, margin = limits
    rest = groups.next_member[record]
    if rest == record:
        return False
    before = rest
    while groups.next_member[before] != record:
        before = groups.next_member[before]
    # take the record out of its ring, weigh, and put it back
    groups.next_member[before] = rest
    groups.next_member[record] = record
    here, _ = _weigh_members(program, rows, groups, record, rest, prior, work)
    there, effects = _weigh_members(program, rows, groups, record, other, prior, work)
    groups.next_member[before] = record
    groups.next_member[record] = rest
    return effects == 0 and there >= link and abs(here - there) < margin


@njit(nogil=True, cache=True)
def _find_ambiguous(
    program: Program, rows: Rows, groups: Groups, edges: Edges, limits: Any, movable: Any, found: Any, work: Workspace
) -> None:
    """Mark records that fit two groups about equally, where those groups may not be one: found bool (n,)."""
    for edge in range(edges.left.shape[0]):
        if edges.weights[edge] < limits[1] or edges.vetoes[edge] != 0:
            continue
        i, j = edges.left[edge], edges.right[edge]
        a, b = _root(groups.parent, i), _root(groups.parent, j)
        if a == b:
            continue
        weight, effects = _weigh(program, rows, groups, i, j, limits[0], work)
        if effects & FORBID == 0:
            continue
        if movable[i] and _fits_both(program, rows, groups, i, j, limits, work):
            found[i] = True
        if movable[j] and _fits_both(program, rows, groups, j, i, limits, work):
            found[j] = True


@njit(nogil=True, cache=True)
def _final_doubts(
    program: Program, rows: Rows, groups: Groups, edges: Edges, prior: float, weights: Any, effects_out: Any, work: Workspace
) -> None:
    for edge in range(edges.left.shape[0]):
        if _root(groups.parent, edges.left[edge]) != _root(groups.parent, edges.right[edge]):
            weight, effects = _judge(program, rows, groups, edges, edge, prior, work)
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


@njit(nogil=True, cache=True)
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
    """Group `len(persons)` records; `persons` holds each record's present person or -1. Weights, `prior` and thresholds in bits."""
    count = len(persons)
    comparisons = len(program.starts)
    order = np.lexsort((edges.right, edges.left, -edges.weights))
    ordered = Edges(*(column[order] for column in edges))
    work = Workspace(
        np.empty(comparisons, dtype=np.int8),
        np.empty(comparisons),
        np.empty(comparisons, dtype=np.int8),
        np.empty(comparisons),
        np.empty(SCRATCH_SIZE, dtype=np.int32),
    )
    limits = (prior, thresholds.link, thresholds.margin)
    barred = np.zeros(count, dtype=np.bool_)
    for final in (False, True):
        groups = _groups(count, persons, constraints, barred)
        joined = np.zeros(len(order), dtype=np.bool_)
        _agglomerate(program, rows, groups, ordered, limits[:2], joined, work)
        if final:
            break
        ambiguous = np.zeros(count, dtype=np.bool_)
        movable = (persons < 0) & ~np.isin(np.arange(count), constraints.must_link)
        _find_ambiguous(program, rows, groups, ordered, limits, movable, ambiguous, work)
        if not ambiguous.any():
            break
        barred = ambiguous
    weights = np.full(len(order), np.nan)
    vetoes = np.zeros(len(order), dtype=np.uint8)
    _final_doubts(program, rows, groups, ordered, prior, weights, vetoes, work)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    labels = _labels(groups.parent)
    return Clusters(labels, joined[back], weights[back], vetoes[back], barred)


@njit(nogil=True, cache=True)
def _labels(parent: Any) -> Any:
    labels = np.empty_like(parent)
    for record in range(parent.shape[0]):
        labels[record] = _root(parent, record)
    return labels
