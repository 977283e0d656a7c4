"""Which records are one person: constrained agglomeration over scored pairs, strongest first.

Evidence is a person's, not only a pair's: two groups are weighed by the best level of every comparison over all their
pairs, so a third record that knows a number settles a pair that does not; one that knows less outvotes none that knows
more. Edges of one weight are taken in the order of their records, which callers number independently of the input.
"""

from dataclasses import dataclass
from threading import local
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import Thresholds
from mpi.matching.jit import inlined, leaf
from mpi.matching.kernel import APART, CHUNK, FORBID, HOLD, Program, Rows, Workspace, contributions, vetoed, workspace
from mpi.matching.levels import Opcode
from mpi.persons.partition import Groups, both_ways, join, join_first, kept_apart, record_kept_apart, root

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


class Bench(NamedTuple):
    """Working memory for weighing two groups: the kernel's workspace, a chunk of pairs with its codes and bits, and
    the best of each.

    `partial` marks levels (at base + code + 1) that only a missing value leads to. `votes` int64 (2,) counts pairs that
    a veto keeps from joining, and pairs that would be joined (at `link[0]` bits) by themselves, strong ones twice.
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
    link: NDArray[np.float64]


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


@inlined
def _weigh(program: Program, rows: Rows, groups: Groups, a: int, b: int, prior: float, bench: Bench) -> Any:
    """Match weight (bits) and vetoes of two groups given by members a and b: the best level of every comparison over
    all pairs."""
    if np.int64(groups.size[root(groups.parent, a)]) * groups.size[root(groups.parent, b)] > MAXIMUM_CROSS_PAIRS:
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
        elif total >= bench.link[0]:
            bench.votes[1] += 2 if total >= STRONG_PAIR else 1
    return effects


@leaf
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
    a, b = root(groups.parent, i), root(groups.parent, j)
    if groups.size[a] == 1 and groups.size[b] == 1:
        return edges.weights[edge], np.int64(edges.vetoes[edge])
    weight, effects = _weigh(program, rows, groups, i, j, prior, bench)
    if effects == _TOO_LARGE:
        weight = edges.weights[edge]
    return weight, np.int64(effects)


@inlined
def _agglomerate(
    program: Program, rows: Rows, groups: Groups, edges: Edges, limits: Any, outcome: Any, bench: Bench
) -> None:
    """Join groups along the open edges, strongest first, until a round changes nothing.

    `limits` is (prior, link) in bits; `outcome` is (edges still open int64 (e,), edges that joined bool (e,)).
    """
    prior, link = limits
    open_edges, joined = outcome
    for _ in range(MAXIMUM_ROUNDS):
        left_open = 0
        changed = False
        for place in range(open_edges.shape[0]):
            edge = open_edges[place]
            a = root(groups.parent, edges.left[edge])
            b = root(groups.parent, edges.right[edge])
            if a == b:
                continue
            open_edges[left_open] = edge
            left_open += 1
            if groups.barred[edges.left[edge]] or groups.barred[edges.right[edge]]:
                continue
            weight, effects = _judge(program, rows, groups, edges, edge, prior, bench)
            if weight >= link and effects == 0 and not kept_apart(groups, a, b):
                join(groups, a, b)
                joined[edge] = True
                changed = True
                left_open -= 1
        open_edges = open_edges[:left_open]
        if not changed:
            break


@inlined
def _fits_both(
    program: Program, rows: Rows, groups: Groups, record: int, other: int, limits: Any, bench: Bench
) -> bool:
    """Whether `record` alone fits the rest of its group and the group of `other` about equally well."""
    prior, link, margin = limits
    rest = groups.next_member[record]
    if rest == record or record_kept_apart(groups, record, root(groups.parent, other)):
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


@inlined
def _find_ambiguous(
    program: Program, rows: Rows, groups: Groups, edges: Edges, limits: Any, movable: Any, found: Any, bench: Bench
) -> bool:
    """Mark records that fit two groups which may not be one, or hardly are, about equally (found bool (n,)); gives
    whether there are any.

    `limits` is (prior, link, margin, review) in bits.
    """
    prior, link, margin, review = limits
    any_found = False
    for edge in range(edges.left.shape[0]):
        if edges.weights[edge] < link or edges.vetoes[edge] != 0:
            continue
        i, j = edges.left[edge], edges.right[edge]
        a, b = root(groups.parent, i), root(groups.parent, j)
        if a == b:
            continue
        between, effects = _weigh(program, rows, groups, i, j, prior, bench)
        if effects == 0 and between >= review and not kept_apart(groups, a, b):
            continue
        if movable[i] and _fits_both(program, rows, groups, i, j, (prior, link, margin), bench):
            found[i] = any_found = True
        if movable[j] and _fits_both(program, rows, groups, j, i, (prior, link, margin), bench):
            found[j] = any_found = True
    return any_found


@leaf
def _final_doubts(
    program: Program, rows: Rows, groups: Groups, edges: Edges, prior: float, out: Any, bench: Bench
) -> None:
    """Weights and vetoes, into `out`, of the groups that every edge between two of them touches."""
    for edge in range(edges.left.shape[0]):
        a, b = root(groups.parent, edges.left[edge]), root(groups.parent, edges.right[edge])
        # what a steward has kept apart is no question any more
        if a != b and not kept_apart(groups, a, b):
            weight, effects = _judge(program, rows, groups, edges, edge, prior, bench)
            out[0][edge] = weight
            out[1][edge] = effects


@leaf
def _cluster(
    program: Program, rows: Rows, groups: Groups, edges: Edges, known: Any, limits: Any, out: Any, bench: Bench
) -> None:
    """Group records in two passes, the second without the records that the first finds to fit several people.

    The two loops over edges are folded in: each kernel above `contributions` costs many seconds to compile.

    `known` is (order of the edges by weight, persons, placed records by person, must-links, records that may be
    barred, room for a place an edge); `limits` is (prior, link, margin, review) in bits; `out` is (labels, joined,
    barred) of `Clusters`. `groups.barred` is that of `out`, no record so far.
    """
    order, persons, placed, must_link, movable, open_edges = known
    labels, joined, barred = out
    prior, link = limits[0], limits[1]
    for final in range(2):
        join_first(groups, persons, placed, must_link)
        for place in range(order.shape[0]):
            open_edges[place] = order[place]
            joined[place] = False
        _agglomerate(program, rows, groups, edges, (prior, link), (open_edges, joined), bench)
        if final:
            break
        if not _find_ambiguous(program, rows, groups, edges, limits, movable, barred, bench):
            break
    for record in range(labels.shape[0]):
        labels[record] = root(groups.parent, record)


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


_kept = local()


def _bench_of_thread(program: Program, link: float) -> Bench:
    """The calling thread's working memory for a program, kept until the thread asks for another program's; `link` is
    the threshold (bits) of pairs that would be joined."""
    kept: tuple[Program, Bench] | None = getattr(_kept, "memory", None)
    if kept is None or kept[0] is not program:
        comparisons = len(program.starts)
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
            np.empty(1),
        )
        _kept.memory = kept = program, bench
    kept[1].link[0] = link
    return kept[1]


def _groups(count: int, barred: NDArray[np.bool_], constraints: Constraints) -> Groups:
    """Room for a partition of `count` records."""
    partition = np.empty((3, count), dtype=np.int32)
    return Groups(partition[0], partition[1], partition[2], barred, *both_ways(count, constraints.cannot_link))


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
    persons = np.ascontiguousarray(persons, dtype=np.int64)
    order = np.lexsort((edges.right, edges.left, -edges.weights))
    placed = _by_person(persons)
    movable = persons < 0
    movable[constraints.must_link] = False
    found = Clusters(
        np.empty(count, dtype=np.int32),
        np.zeros(len(order), dtype=np.bool_),
        np.full(len(order), np.nan),
        np.zeros(len(order), dtype=np.uint8),
        np.zeros(count, dtype=np.bool_),
    )
    groups = _groups(count, found.barred, constraints)
    bench = _bench_of_thread(program, thresholds.link)
    _cluster(
        program,
        rows,
        groups,
        edges,
        (order, persons, placed, constraints.must_link, movable, np.empty_like(order)),
        (prior, thresholds.link, thresholds.margin, thresholds.review),
        (found.labels, found.joined, found.barred),
        bench,
    )
    _final_doubts(program, rows, groups, edges, prior, (found.weights, found.vetoes), bench)
    return found


def weigh_people(
    program: Program,
    rows: Rows,
    edges: Edges,
    *,
    persons: NDArray[np.int64],
    constraints: Constraints,
    thresholds: Thresholds,
    prior: float,
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Match weights in bits, float64 (e,), and vetoes, uint8 (e,), of the two people that each edge lies between, as
    they are now; a record without a person (-1) is one by itself. NaN and 0 inside a person and where a steward keeps
    the two apart."""
    count = len(persons)
    persons = np.ascontiguousarray(persons, dtype=np.int64)
    weights, vetoes = np.full(len(edges.left), np.nan), np.zeros(len(edges.left), dtype=np.uint8)
    groups = _groups(count, np.zeros(count, dtype=np.bool_), constraints)
    join_first(groups, persons, _by_person(persons), constraints.must_link)
    bench = _bench_of_thread(program, thresholds.link)
    _final_doubts(program, rows, groups, edges, prior, (weights, vetoes), bench)
    return weights, vetoes


def _by_person(persons: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of records that have a person, person by person."""
    placed = np.flatnonzero(persons >= 0)
    return placed[np.argsort(persons[placed], kind="stable")]
