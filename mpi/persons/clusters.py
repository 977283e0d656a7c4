"""Which records are one person: constrained agglomeration over scored pairs, strongest first.

Evidence is a person's, not only a pair's: two groups are weighed by the best level of every comparison over all their
pairs, so a third record that knows a number settles a pair that does not; one that knows less outvotes none that knows
more. Edges of one weight are taken in the order of their records, which callers number independently of the input.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import Thresholds
from mpi.matching.jit import inlined, kernel, leaf
from mpi.matching.kernel import APART, CHUNK, FORBID, HOLD, Program, Rows, Workspace, contributions, vetoed, workspace
from mpi.matching.levels import Opcode

MAXIMUM_CROSS_PAIRS = 1_024
"""Two groups with more pairs between them than this are never joined by rules; a steward is asked."""

MAXIMUM_ROUNDS = 12
"""Rounds over the open edges: groups that grew may settle pairs that were in doubt."""

STRONG_LEVEL = 24.0
"""Bits of a level that is a number of one's own; no name, date or address reaches it."""

STRONG_PAIR = 30.0
"""Bits of a pair that counts twice against pairs that a veto holds."""

_TOO_LARGE = 8
_NULL_TESTS = (Opcode.NULL_CODE, Opcode.NULL_INTEGER, Opcode.NULL_MEMBERS)


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
    the best of each.

    `partial` marks levels (at base + code + 1) that only a missing value leads to. `votes` int64 (2,) counts pairs that
    a veto keeps from joining, and pairs that would be joined (at `link` bits) by themselves, strong ones twice.
    """

    work: Workspace
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    codes: NDArray[np.int8]
    bits: NDArray[np.float64]
    best_codes: NDArray[np.int8]
    best_bits: NDArray[np.float64]
    partial: NDArray[np.bool_]
    votes: NDArray[np.int64]
    link: float


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
    float64 (e,) and `vetoes` uint8 (e,): of the two groups at the end, for edges that still lie between groups (NaN and
    0 for the others). `barred` bool (n,): records that several people fit equally.
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


@inlined
def _weigh(program: Program, rows: Rows, groups: Groups, a: int, b: int, prior: float, bench: Bench) -> Any:
    """Match weight (bits) and vetoes of two groups given by members a and b: the best level of every comparison over
    all pairs."""
    if np.int64(groups.size[_root(groups.parent, a)]) * groups.size[_root(groups.parent, b)] > MAXIMUM_CROSS_PAIRS:
        return -np.inf, _TOO_LARGE
    return _weigh_members(program, rows, groups, a, b, prior, bench)


@inlined
def _take_better(program: Program, comparison: int, code: int, bits: float, bench: Bench) -> None:
    """Keep a level of one comparison if it is better than the best so far."""
    best = bench.best_codes[comparison]
    more = bits - bench.best_bits[comparison]
    if best >= 0:
        null = program.base[comparison]
        less = bench.partial[null + code + 1]
        if less != bench.partial[null + best + 1]:
            # a year beside a whole date leaves open what two whole dates have settled
            more = -1.0 if less else 1.0
    # of two levels that weigh the same the more similar one: the order of the members must not matter
    if best < 0 or more > 0.0 or (more == 0.0 and code > best):
        bench.best_codes[comparison] = code
        bench.best_bits[comparison] = bits


@inlined
def _take_best(program: Program, rows: Rows, count: int, prior: float, bench: Bench) -> int:
    """Weigh the first `count` pairs on the bench, count their votes and keep the best level of each comparison; gives
    FORBID if a pair says so."""
    codes, bits = bench.codes[:count], bench.bits[:count]
    contributions(program, rows, bench.left[:count], bench.right[:count], (codes, bits), bench.work)
    effects = 0
    for pair in range(count):
        said = vetoed(program, codes[pair])
        effects |= said & FORBID
        total = prior
        for comparison in range(codes.shape[1]):
            total += bits[pair, comparison]
            if codes[pair, comparison] >= 0:
                _take_better(program, comparison, codes[pair, comparison], bits[pair, comparison], bench)
        if said & (HOLD | APART):
            bench.votes[0] += 1
        elif total >= bench.link:
            bench.votes[1] += 2 if total >= STRONG_PAIR else 1
    return effects


@inlined
def _weigh_members(program: Program, rows: Rows, groups: Groups, a: int, b: int, prior: float, bench: Bench) -> Any:
    for comparison in range(bench.best_codes.shape[0]):
        bench.best_codes[comparison] = -1
        bench.best_bits[comparison] = 0.0
    bench.votes[0] = bench.votes[1] = 0
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
                effects |= _take_best(program, rows, count, prior, bench)
                count = 0
            right = groups.next_member[right]
            if right == b:
                break
        left = groups.next_member[left]
        if left == a:
            break
    effects |= _take_best(program, rows, count, prior, bench)
    weight = prior
    strong = False
    for comparison in range(bench.best_bits.shape[0]):
        weight += bench.best_bits[comparison]
        strong |= bench.best_bits[comparison] >= STRONG_LEVEL
    # a third record that fits both sides of a hold is no bridge, unless there are more like it or a number agrees
    if not strong and bench.votes[0] > 0 and bench.votes[0] >= bench.votes[1]:
        effects |= HOLD
    return weight, effects | vetoed(program, bench.best_codes)


@inlined
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
    """Mark records that fit two groups which may not be one, or hardly are, about equally: found bool (n,).

    `limits` is (prior, link, margin, review) in bits.
    """
    prior, link, margin, review = limits
    for edge in range(edges.left.shape[0]):
        if edges.weights[edge] < link or edges.vetoes[edge] != 0:
            continue
        i, j = edges.left[edge], edges.right[edge]
        a, b = _root(groups.parent, i), _root(groups.parent, j)
        if a == b:
            continue
        between, effects = _weigh(program, rows, groups, i, j, prior, bench)
        if effects == 0 and between >= review and not _kept_apart(groups, a, b):
            continue
        if movable[i] and _fits_both(program, rows, groups, i, j, (prior, link, margin), bench):
            found[i] = True
        if movable[j] and _fits_both(program, rows, groups, j, i, (prior, link, margin), bench):
            found[j] = True


@leaf
def _final_doubts(
    program: Program, rows: Rows, groups: Groups, edges: Edges, prior: float, out: Any, bench: Bench
) -> None:
    """Weights and vetoes, into `out`, of the groups that every edge between two of them touches."""
    for edge in range(edges.left.shape[0]):
        a, b = _root(groups.parent, edges.left[edge]), _root(groups.parent, edges.right[edge])
        # what a steward has kept apart is no question any more
        if a != b and not _kept_apart(groups, a, b):
            weight, effects = _judge(program, rows, groups, edges, edge, prior, bench)
            out[0][edge] = weight
            out[1][edge] = effects


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


def _partial_levels(program: Program) -> NDArray[np.bool_]:
    """Levels (at base + code + 1) that only a missing value leads to, such as a year that agrees where one side knows
    no more."""
    partial = np.ones(len(program.weights), dtype=np.bool_)
    for start, base in zip(program.starts.tolist(), program.base.tolist(), strict=False):
        reached = {start}
        # jumps lead to instructions further down
        for place in range(start, -1, -1):
            if place in reached:
                test, on_true, on_false = program.instructions[place].tolist()
                reached |= {on_false} if program.tests[test, 0] in _NULL_TESTS else {on_true, on_false}
        partial[[base - 1 - target for target in reached if target < 0]] = False
    return partial


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
        _partial_levels(program),
        np.zeros(2, dtype=np.int64),
        thresholds.link,
    )
    limits = (prior, thresholds.link, thresholds.margin, thresholds.review)
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
    _final_doubts(program, rows, groups, ordered, prior, (weights, vetoes), bench)
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
