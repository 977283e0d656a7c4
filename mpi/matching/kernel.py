"""The scorer's kernel: walks compiled comparison levels over pairs of feature rows and adds match weights.

A comparison is a small program of instructions with two jump targets, both further on; a target below zero is the
level reached.
An instruction runs over a whole chunk of pairs before the next one: the dispatch is paid once a chunk, not once a pair.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.matching.comparators import SCRATCH_SIZE
from mpi.matching.features import MISSING_INTEGER
from mpi.matching.jit import inlined, leaf
from mpi.matching.levels import Opcode
from mpi.matching.predicates import date_holds, holds, text_holds

_MISSING = int(MISSING_INTEGER)
_NULL_CODE, _NULL_INTEGER, _NULL_MEMBERS = (
    int(Opcode.NULL_CODE),
    int(Opcode.NULL_INTEGER),
    int(Opcode.NULL_MEMBERS),
)
_EXACT_CODE, _EXACT_INTEGER = int(Opcode.EXACT_CODE), int(Opcode.EXACT_INTEGER)
_LEVENSHTEIN, _PREFIX = int(Opcode.LEVENSHTEIN), int(Opcode.PREFIX)
_DATE_SWAPPED, _DATE_PARTS, _DAYS_APART = (
    int(Opcode.DATE_SWAPPED),
    int(Opcode.DATE_PARTS),
    int(Opcode.DAYS_APART),
)

CHUNK = 256
"""Pairs that go through the program together: their rows stay in the processor's second cache."""

HOLD, FORBID, APART = 1, 2, 4
"""Bits of what the vetoes of a pair say; 0 says nothing."""


class Rows(NamedTuple):
    """One block of feature rows seen as bytes and as words: uint8 (n, w), uint32 (n, w / 4), int32 (n, w / 4),
    uint64 (n, w / 8)."""

    u8: NDArray[np.uint8]
    u32: NDArray[np.uint32]
    i32: NDArray[np.int32]
    u64: NDArray[np.uint64]


def as_rows(rows: NDArray[np.uint8]) -> Rows:
    """Views of feature rows, nothing is copied. `rows` is uint8 (n, w), C-contiguous, w a multiple of 8."""
    return Rows(rows, rows.view(np.uint32), rows.view(np.int32), rows.view(np.uint64))


class Program(NamedTuple):
    """A compiled model. Level entries are indexed by `base[c] + code + 1`, so that the null level (code -1) comes
    first.

    `instructions` int32 (p, 7): opcode, three slots (in units of the representation), parameter, jump if true, jump
    if false; those of
    comparison c run from starts[c] down to stops[c]. `thresholds` float64 (p,): parameters that are not whole.
    `weights` float64: bits of each level. `tf_slot` int32: slot of the term frequency index or -1; the adjustment is
    `tf_scale * (tf_log2u - max(log2 tf left, right, tf_floor))`.
    `veto_terms` int32 (t, 2): comparison and its allowed codes as bits `code + 1`; veto v holds when its terms
    veto_first[v] to
    veto_first[v + 1] all do; `effects` uint8 (v,): HOLD, FORBID or APART.
    `ceiling` float64 (c + 1,): the most that the comparisons from c on can still add.
    """

    instructions: NDArray[np.int32]
    thresholds: NDArray[np.float64]
    starts: NDArray[np.int32]
    stops: NDArray[np.int32]
    base: NDArray[np.int32]
    weights: NDArray[np.float64]
    tf_slot: NDArray[np.int32]
    tf_scale: NDArray[np.float64]
    tf_log2u: NDArray[np.float64]
    tf_floor: NDArray[np.float64]
    tf_log2: NDArray[np.float64]
    veto_terms: NDArray[np.int32]
    veto_first: NDArray[np.int32]
    effects: NDArray[np.uint8]
    ceiling: NDArray[np.float64]


class Workspace(NamedTuple):
    """Working memory of one thread for chunks of up to CHUNK pairs.

    The pairs queued at each instruction (the first of each, and behind each pair the next; empty between calls), their
    ends, places in the output and totals, their codes (int8 (CHUNK, c)) and the comparators' scratch.
    """

    queues: tuple[NDArray[np.int32], NDArray[np.int32]]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    places: NDArray[np.int64]
    totals: NDArray[np.float64]
    bits: NDArray[np.float64]
    codes: NDArray[np.int8]
    scratch: NDArray[np.int32]


def workspace(program: Program) -> Workspace:
    """Fresh working memory for one thread."""
    comparisons = len(program.starts)
    return Workspace(
        (np.full(len(program.instructions), -1, dtype=np.int32), np.empty(CHUNK, dtype=np.int32)),
        np.empty(CHUNK, dtype=np.int32),
        np.empty(CHUNK, dtype=np.int32),
        np.empty(CHUNK, dtype=np.int64),
        np.empty(CHUNK),
        np.empty(CHUNK),
        np.empty((CHUNK, comparisons), dtype=np.int8),
        np.empty(SCRATCH_SIZE, dtype=np.int32),
    )


@inlined
def _send(pair: Any, target: Any, queues: Any, out: Any) -> None:
    """Queue a pair at the instruction it jumps to, or note the level it has reached."""
    if target >= 0:
        queues[1][pair] = queues[0][target]
        queues[0][target] = pair
    else:
        out[pair] = -target - 2


@leaf
def _step(rows: Any, ends: Any, first: int, op: Any, threshold: float, queues: Any, out: Any, scratch: Any) -> None:
    """Run one instruction on the pairs queued at it: `first` and those behind it.

    The commonest tests have loops of their own.
    """
    left, right = ends
    nexts = queues[1]
    code, slot, on_true, on_false = op[0], op[1], op[5], op[6]
    pair = first
    if code == _EXACT_CODE:
        while pair >= 0:
            following = nexts[pair]
            one = rows.u64[left[pair], slot]
            same = one == rows.u64[right[pair], slot] and one != 0
            _send(pair, on_true if same else on_false, queues, out)
            pair = following
    elif code == _NULL_CODE or code == _NULL_MEMBERS:
        while pair >= 0:
            following = nexts[pair]
            missing = rows.u64[left[pair], slot] == 0 or rows.u64[right[pair], slot] == 0
            _send(pair, on_true if missing else on_false, queues, out)
            pair = following
    elif code == _EXACT_INTEGER:
        while pair >= 0:
            following = nexts[pair]
            number = rows.i32[left[pair], slot]
            same = number == rows.i32[right[pair], slot] and number != _MISSING
            _send(pair, on_true if same else on_false, queues, out)
            pair = following
    elif code == _NULL_INTEGER:
        while pair >= 0:
            following = nexts[pair]
            missing = rows.i32[left[pair], slot] == _MISSING or rows.i32[right[pair], slot] == _MISSING
            _send(pair, on_true if missing else on_false, queues, out)
            pair = following
    elif code == _DATE_SWAPPED or code == _DATE_PARTS or code == _DAYS_APART:
        while pair >= 0:
            following = nexts[pair]
            held = date_holds(rows.i32, left[pair], right[pair], op)
            _send(pair, on_true if held else on_false, queues, out)
            pair = following
    elif _LEVENSHTEIN <= code <= _PREFIX:
        while pair >= 0:
            following = nexts[pair]
            held = text_holds(rows.u8, left[pair], right[pair], op, threshold, scratch)
            _send(pair, on_true if held else on_false, queues, out)
            pair = following
    else:
        while pair >= 0:
            following = nexts[pair]
            held = holds(rows, left[pair], right[pair], op, scratch)
            _send(pair, on_true if held else on_false, queues, out)
            pair = following


@leaf
def level_codes(
    program: Program, rows: Rows, left: Any, right: Any, comparison: int, out: Any, queues: Any, scratch: Any
) -> None:
    """Level codes of one comparison on a chunk of pairs into out (int8 (n,)): -1 null, 0 else, rising with
    similarity."""
    start = program.starts[comparison]
    heads = queues[0]
    for pair in range(left.shape[0]):
        _send(pair, start, queues, out)
    for position in range(start, program.stops[comparison] - 1, -1):
        first = heads[position]
        if first >= 0:
            heads[position] = -1
            op = program.instructions[position]
            _step(rows, (left, right), first, op, program.thresholds[position], queues, out, scratch)


@leaf
def level_weights(program: Program, rows: Rows, left: Any, right: Any, comparison: int, codes: Any, bits: Any) -> None:
    """Match weights in bits of the levels reached on a chunk of pairs, term frequency adjustment included: bits
    float64 (n,)."""
    base = program.base[comparison] + 1
    for pair in range(left.shape[0]):
        entry = base + codes[pair]
        weight = program.weights[entry]
        slot = program.tf_slot[entry]
        if slot >= 0:
            one, other = rows.u32[left[pair], slot], rows.u32[right[pair], slot]
            if one != 0 or other != 0:
                if one == 0:
                    one = other
                elif other == 0:
                    other = one
                frequency = max(program.tf_log2[one], program.tf_log2[other], program.tf_floor[entry])
                weight += program.tf_scale[entry] * (program.tf_log2u[entry] - frequency)
        bits[pair] = weight


@leaf
def vetoed(program: Program, codes: Any) -> int:
    """What the vetoes say of one pair's level codes (int8 (c,)): the effects that hold, as bits."""
    effects = 0
    for veto in range(program.effects.shape[0]):
        holds = True
        for term in range(program.veto_first[veto], program.veto_first[veto + 1]):
            if not program.veto_terms[term, 1] >> (codes[program.veto_terms[term, 0]] + 1) & 1:
                holds = False
                break
        if holds:
            effects |= program.effects[veto]
    return effects


@leaf
def _score_chunk(program: Program, rows: Rows, count: int, prior: float, floor: float, work: Workspace) -> int:
    """Score the pairs in `work`, compacting away those that can no longer reach `floor`; gives how many are left."""
    for pair in range(count):
        work.totals[pair] = prior
        work.places[pair] = pair
    for comparison in range(program.starts.shape[0]):
        left, right = work.left[:count], work.right[:count]
        codes = work.codes[:count, comparison]
        level_codes(program, rows, left, right, comparison, codes, work.queues, work.scratch)
        level_weights(program, rows, left, right, comparison, codes, work.bits)
        least = floor - program.ceiling[comparison + 1]
        kept = 0
        for pair in range(count):
            total = work.totals[pair] + work.bits[pair]
            if total >= least:
                work.totals[kept] = total
                if kept != pair:
                    work.places[kept] = work.places[pair]
                    work.left[kept] = work.left[pair]
                    work.right[kept] = work.right[pair]
                    for known in range(comparison + 1):
                        work.codes[kept, known] = work.codes[pair, known]
                kept += 1
        count = kept
    return count


@leaf
def score_pairs(
    program: Program, rows: Rows, pairs: Any, prior: float, floor: float, out: Any, work: Workspace
) -> None:
    """Score pairs of rows.

    `pairs` is (left, right), int32 (n,) each; `prior` and `floor` in bits; `out` is (weights float64 (n,), codes
    int8 (n, c), vetoes
    uint8 (n,)). A pair that cannot reach `floor` is given up with a weight of -inf, its codes and vetoes are not
    written; with
    a floor of -inf every weight is whole.
    """
    left, right = pairs
    weights, codes, vetoes = out
    chunk = work.left.shape[0]
    for first in range(0, left.shape[0], chunk):
        count = min(chunk, left.shape[0] - first)
        for pair in range(count):
            work.left[pair] = left[first + pair]
            work.right[pair] = right[first + pair]
            weights[first + pair] = -np.inf
        count = _score_chunk(program, rows, count, prior, floor, work)
        for pair in range(count):
            place = first + work.places[pair]
            weights[place] = work.totals[pair]
            for comparison in range(program.starts.shape[0]):
                codes[place, comparison] = work.codes[pair, comparison]
            vetoes[place] = vetoed(program, work.codes[pair])


@leaf
def contributions(program: Program, rows: Rows, left: Any, right: Any, out: Any, work: Workspace) -> None:
    """Codes (int8 (n, c)) and match weights in bits (float64 (n, c)) of up to CHUNK pairs, comparison by comparison."""
    codes, bits = out
    for comparison in range(program.starts.shape[0]):
        level_codes(program, rows, left, right, comparison, codes[:, comparison], work.queues, work.scratch)
        level_weights(program, rows, left, right, comparison, codes[:, comparison], bits[:, comparison])
