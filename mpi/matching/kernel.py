"""The scorer's kernel: walks compiled comparison levels over pairs of feature rows and adds match weights.

A comparison is a small program of instructions with two jump targets, both further on; a target below zero is the
level reached. A chunk of pairs goes through it together: at each instruction waits a mask of pairs, a bit a pair, and
a test that several levels ask is answered once.
"""

from threading import local
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.matching.comparators import SCRATCH_SIZE
from mpi.matching.jit import bits_set, inlined, leaf, lowest_bit
from mpi.matching.predicates import holds
from mpi.matching.screens import ALL, fill, screen

CHUNK = 256
"""Pairs that go through the program together: their rows stay in the processor's second cache."""

FEW = 64
"""Up to so many pairs a test is screened for these alone: a word of answers."""

_WORDS = CHUNK // 64

OUTCOMES = 34
"""Masks before those of the instructions, one a level that a comparison can end in: code c is at OUTCOMES - c - 2."""

MAXIMUM_VETOES = 64
"""Vetoes of one model: they are weighed as the bits of a word."""

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

    `tests` int32 (t, 7): opcode, three slots (in units of the representation), parameter, and for the screen the slot
    of the signatures and a bound; those of comparison c are first_test[c] to first_test[c + 1]. `thresholds` float64
    (t,): parameters that are not whole.
    `instructions` int32 (p, 3): test, jump if true, jump if false; those of comparison c run from starts[c] down to
    stops[c].
    `weights` float64: bits of each level. `tf_slot` int32: slot of the term frequency index or -1; the adjustment is
    `tf_scale * (tf_log2u - max(log2 tf left, right, tf_floor))`.
    `vetoes` uint64: which vetoes a level leaves standing, a bit each; `effects` uint8 (v,): HOLD, FORBID or APART.
    `ceiling` float64 (c + 1,): the most that the comparisons from c on can still add.
    """

    tests: NDArray[np.int32]
    first_test: NDArray[np.int32]
    thresholds: NDArray[np.float64]
    instructions: NDArray[np.int32]
    starts: NDArray[np.int32]
    stops: NDArray[np.int32]
    base: NDArray[np.int32]
    weights: NDArray[np.float64]
    tf_slot: NDArray[np.int32]
    tf_scale: NDArray[np.float64]
    tf_log2u: NDArray[np.float64]
    tf_floor: NDArray[np.float64]
    tf_log2: NDArray[np.float64]
    vetoes: NDArray[np.uint64]
    effects: NDArray[np.uint8]
    ceiling: NDArray[np.float64]


class Few(NamedTuple):
    """Room for up to FEW pairs set apart: ends and places in the chunk, uint64 (FEW,), and masks."""

    left: NDArray[np.uint64]
    right: NDArray[np.uint64]
    places: NDArray[np.uint64]
    held: NDArray[np.uint64]
    open: NDArray[np.uint64]
    asked: NDArray[np.uint64]


class Workspace(NamedTuple):
    """Working memory of one thread for chunks of up to CHUNK pairs.

    `masks` uint64 (OUTCOMES + p, CHUNK / 64): the pairs that wait at each level and instruction, empty between calls;
    `known`, `held`, `open` uint64 (t, CHUNK / 64): for which pairs each test was asked, holds, awaits a closer look;
    `few` is room for pairs set apart. Then the pairs' ends, places in the output, totals and codes (int8 (CHUNK, c)),
    and the comparators' scratch.
    """

    masks: NDArray[np.uint64]
    known: NDArray[np.uint64]
    held: NDArray[np.uint64]
    open: NDArray[np.uint64]
    few: Few
    left: NDArray[np.uint64]
    right: NDArray[np.uint64]
    places: NDArray[np.int64]
    totals: NDArray[np.float64]
    codes: NDArray[np.int8]
    scratch: NDArray[np.int32]


def workspace(program: Program) -> Workspace:
    """Fresh working memory for one thread."""
    comparisons = len(program.starts)
    tests = len(program.tests)
    ends, answers = np.zeros((3, FEW), dtype=np.uint64), np.zeros((2, 1), dtype=np.uint64)
    few = Few(ends[0], ends[1], ends[2], answers[0], answers[1], np.zeros(_WORDS, dtype=np.uint64))
    return Workspace(
        np.zeros((OUTCOMES + len(program.instructions), _WORDS), dtype=np.uint64),
        np.zeros((tests, _WORDS), dtype=np.uint64),
        np.zeros((tests, _WORDS), dtype=np.uint64),
        np.zeros((tests, _WORDS), dtype=np.uint64),
        few,
        np.empty(CHUNK, dtype=np.uint64),
        np.empty(CHUNK, dtype=np.uint64),
        np.empty(CHUNK, dtype=np.int64),
        np.empty(CHUNK),
        np.empty((CHUNK, comparisons), dtype=np.int8),
        np.empty(SCRATCH_SIZE, dtype=np.int32),
    )


_kept = local()


def workspace_of_thread(program: Program) -> Workspace:
    """The calling thread's working memory for a program, kept until the thread asks for another program's."""
    kept: tuple[Program, Workspace] | None = getattr(_kept, "memory", None)
    if kept is None or kept[0] is not program:
        _kept.memory = kept = program, workspace(program)
    return kept[1]


@inlined
def _screen_few(program: Program, rows: Rows, words: int, number: int, work: Workspace) -> None:
    """Screen a test for the pairs `few.asked` only: they are set apart, and the answers put back in their places."""
    held, open_, few = work.held[number], work.open[number], work.few
    count = 0
    for word in range(words):
        waiting = few.asked[word]
        while waiting != 0:
            pair = np.uint64(64 * word) + lowest_bit(waiting)
            waiting &= waiting - np.uint64(1)
            few.left[count] = work.left[pair]
            few.right[count] = work.right[pair]
            few.places[count] = pair
            count += 1
    screen(rows, (few.left, few.right), count, program.tests[number], few.held, few.open)
    for answers, mask in ((few.held, held), (few.open, open_)):
        waiting = answers[0]
        while waiting != 0:
            pair = few.places[lowest_bit(waiting)]
            waiting &= waiting - np.uint64(1)
            mask[pair >> np.uint64(6)] |= np.uint64(1) << (pair & np.uint64(63))


@inlined
def _answer(program: Program, rows: Rows, count: int, number: int, asked: Any, work: Workspace) -> None:
    """Make sure that test `number` is answered for the pairs of the mask `asked`."""
    held, open_, known = work.held[number], work.open[number], work.known[number]
    test = program.tests[number]
    words = (count + 63) >> 6
    fresh = np.uint64(0)
    for word in range(words):
        work.few.asked[word] = asked[word] & ~known[word]
        fresh += bits_set(work.few.asked[word])
    if fresh == count or fresh > FEW:
        screen(rows, (work.left, work.right), count, test, held[:words], open_[:words])
        fill(known[:words], count)
    elif fresh > 0:
        _screen_few(program, rows, words, number, work)
        for word in range(words):
            known[word] |= asked[word]
    for word in range(words):
        doubtful = asked[word] & open_[word]
        open_[word] &= ~doubtful
        while doubtful != 0:
            bit = lowest_bit(doubtful)
            doubtful &= doubtful - np.uint64(1)
            pair = np.uint64(64 * word) + bit
            if holds(rows, work.left[pair], work.right[pair], test, program.thresholds[number], work.scratch):
                held[word] |= np.uint64(1) << bit


@leaf
def compare(program: Program, rows: Rows, count: int, comparison: int, work: Workspace) -> None:
    """Send the first `count` pairs of the workspace through one comparison: each ends in the mask of its level."""
    masks = work.masks
    words = (count + 63) >> 6
    for number in range(program.first_test[comparison], program.first_test[comparison + 1]):
        for word in range(words):
            work.held[number, word] = 0
            work.open[number, word] = 0
            work.known[number, word] = 0
    start, stop = program.starts[comparison], program.stops[comparison]
    fill(masks[OUTCOMES + start], count)
    for position in range(start, stop - 1, -1):
        here = masks[OUTCOMES + position]
        waiting = np.uint64(0)
        for word in range(words):
            waiting |= here[word]
        if waiting == 0:
            continue
        number = program.instructions[position, 0]
        _answer(program, rows, count, number, here, work)
        on_true = masks[OUTCOMES + program.instructions[position, 1]]
        on_false = masks[OUTCOMES + program.instructions[position, 2]]
        held = work.held[number]
        for word in range(words):
            on_true[word] |= here[word] & held[word]
            on_false[word] |= here[word] & ~held[word]
            here[word] = 0


@leaf
def settle(program: Program, rows: Rows, comparison: int, codes: Any, bits: Any, work: Workspace) -> None:
    """Note the codes (int8 (n,): -1 null, 0 else, rising with similarity) of the pairs that `compare` has sent to their
    levels, and add their match weights, term frequency adjustment included, to `bits` (float64 (n,)); empties the
    masks."""
    base = program.base[comparison]
    for code in range(-1, program.base[comparison + 1] - base - 1):
        entry = base + code + 1
        weight = program.weights[entry]
        slot = program.tf_slot[entry]
        mask = work.masks[OUTCOMES - code - 2]
        for word in range(_WORDS):
            waiting = mask[word]
            mask[word] = 0
            while waiting != 0:
                pair = np.uint64(word) * np.uint64(64) + lowest_bit(waiting)
                waiting &= waiting - np.uint64(1)
                codes[pair] = code
                if slot < 0:
                    bits[pair] += weight
                else:
                    one, other = rows.u32[work.left[pair], slot], rows.u32[work.right[pair], slot]
                    bits[pair] += weight + _rarity(program, entry, one, other)


@inlined
def _rarity(program: Program, entry: int, one: int, other: int) -> float:
    """Term frequency adjustment in bits of two values, by their places in the frozen tables."""
    if one == 0:
        one = other
    if one == 0:
        return 0.0
    if other == 0:
        other = one
    frequency = max(program.tf_log2[one], program.tf_log2[other], program.tf_floor[entry])
    return program.tf_scale[entry] * (program.tf_log2u[entry] - frequency)


@leaf
def vetoed(program: Program, codes: Any) -> int:
    """What the vetoes say of one pair's level codes (int8 (c,)): the effects that hold, as bits."""
    standing: Any = ALL
    for comparison in range(codes.shape[0]):
        standing &= program.vetoes[program.base[comparison] + codes[comparison] + 1]
    effects: Any = 0
    while standing != 0:
        effects |= program.effects[lowest_bit(standing)]
        standing &= standing - np.uint64(1)
    return effects


@inlined
def _score_chunk(program: Program, rows: Rows, count: int, prior: float, floor: float, work: Workspace) -> int:
    """Score the pairs in `work`, compacting away those that can no longer reach `floor`; gives how many are left."""
    for pair in range(count):
        work.totals[pair] = prior
        work.places[pair] = pair
    for comparison in range(program.starts.shape[0]):
        compare(program, rows, count, comparison, work)
        settle(program, rows, comparison, work.codes[:, comparison], work.totals, work)
        if floor > -np.inf:
            count = _compact(count, floor - program.ceiling[comparison + 1], comparison + 1, work)
    return count


@inlined
def _compact(count: int, least: float, comparisons: int, work: Workspace) -> int:
    """Close the gaps that pairs with a total below `least` leave; gives how many pairs stay."""
    kept = 0
    for pair in range(count):
        if work.totals[pair] >= least:
            if kept != pair:
                work.totals[kept] = work.totals[pair]
                work.places[kept] = work.places[pair]
                work.left[kept] = work.left[pair]
                work.right[kept] = work.right[pair]
                for known in range(comparisons):
                    work.codes[kept, known] = work.codes[pair, known]
            kept += 1
    return kept


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
    count = left.shape[0]
    for pair in range(count):
        work.left[pair] = left[pair]
        work.right[pair] = right[pair]
        for comparison in range(program.starts.shape[0]):
            bits[pair, comparison] = 0.0
    for comparison in range(program.starts.shape[0]):
        compare(program, rows, count, comparison, work)
        settle(program, rows, comparison, codes[:, comparison], bits[:, comparison], work)
