"""The scorer's kernel: walks compiled comparison levels over pairs of feature rows and adds match weights.

A comparison is a small program: instructions with two jump targets, and a target below zero is the level reached.
Every function is nogil; callers run it on as many threads as they like.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mpi.matching.comparators import (
    damerau_at_most,
    day_number,
    edits_at_most,
    jaro,
    jaro_winkler,
    levenshtein_at_most,
    one_substitution,
    one_transposition,
    same_prefix,
)
from mpi.matching.features import MISSING_INTEGER
from mpi.matching.levels import MAXIMUM_MEMBERS, Opcode

_MISSING = int(MISSING_INTEGER)
_NULL_CODE, _NULL_INTEGER, _NULL_MEMBERS = (
    int(Opcode.NULL_CODE),
    int(Opcode.NULL_INTEGER),
    int(Opcode.NULL_MEMBERS),
)
_EXACT_CODE, _EXACT_INTEGER = int(Opcode.EXACT_CODE), int(Opcode.EXACT_INTEGER)
_SHARED_MEMBERS = int(Opcode.SHARED_MEMBERS)
_LEVENSHTEIN, _DAMERAU = int(Opcode.LEVENSHTEIN), int(Opcode.DAMERAU_LEVENSHTEIN)
_JARO, _JARO_WINKLER = int(Opcode.JARO), int(Opcode.JARO_WINKLER)
_SUBSTITUTION, _TRANSPOSITION = int(Opcode.ONE_SUBSTITUTION), int(Opcode.ONE_TRANSPOSITION)
_PREFIX, _CROSSED, _CROSSED_BOTH = int(Opcode.PREFIX), int(Opcode.CROSSED), int(Opcode.CROSSED_BOTH)
_SYLLABLE_EDIT, _REORDERED = int(Opcode.SYLLABLE_EDIT), int(Opcode.SYLLABLES_REORDERED)
_CONTAINED, _SYLLABLES_SHARED = int(Opcode.SYLLABLES_CONTAINED), int(Opcode.SYLLABLES_SHARED)
_DIFFERENCE, _DATE_SWAPPED = int(Opcode.DIFFERENCE), int(Opcode.DATE_SWAPPED)
_DATE_PARTS, _DAYS_APART = int(Opcode.DATE_PARTS), int(Opcode.DAYS_APART)


HOLD, FORBID, APART = 1, 2, 4
"""Bits of what the vetoes of a pair say; 0 says nothing."""


class Rows(NamedTuple):
    """One block of feature rows seen as bytes and as words: uint8 (n, w), uint32 (n, w / 4), int32 (n, w / 4), uint64 (n, w / 8)."""

    u8: NDArray[np.uint8]
    u32: NDArray[np.uint32]
    i32: NDArray[np.int32]
    u64: NDArray[np.uint64]


def as_rows(rows: NDArray[np.uint8]) -> Rows:
    """Views of feature rows, nothing is copied. `rows` is uint8 (n, w), C-contiguous, w a multiple of 8."""
    return Rows(rows, rows.view(np.uint32), rows.view(np.int32), rows.view(np.uint64))


class Program(NamedTuple):
    """A compiled model. Level entries are indexed by `base[c] + code + 1`, so that the null level (code -1) comes first.

    `instructions` int32 (p, 7): opcode, three slots (in units of the representation), parameter, jump if true, jump if false;
    `thresholds` float64 (p,): parameters that are not whole. `weights` float64: bits of each level. `tf_slot` int32: slot of the
    term frequency index or -1; the adjustment is `tf_scale * (tf_log2u - max(log2 tf left, right, tf_floor))`.
    `vetoes` uint32 (v, c): allowed codes as bits `code + 1`, 0 where the comparison does not matter; `effects` uint8 (v,): HOLD,
    FORBID or APART.
    `ceiling` float64 (c + 1,): the most that the comparisons from c on can still add.
    """

    instructions: NDArray[np.int32]
    thresholds: NDArray[np.float64]
    starts: NDArray[np.int32]
    base: NDArray[np.int32]
    weights: NDArray[np.float64]
    tf_slot: NDArray[np.int32]
    tf_scale: NDArray[np.float64]
    tf_log2u: NDArray[np.float64]
    tf_floor: NDArray[np.float64]
    tf_log2: NDArray[np.float64]
    vetoes: NDArray[np.uint32]
    effects: NDArray[np.uint8]
    ceiling: NDArray[np.float64]


@njit(nogil=True, cache=True)
def _shared_members(u64: Any, i: int, j: int, slot: int, least: int) -> bool:
    shared = 0
    for left in range(slot, slot + MAXIMUM_MEMBERS):
        code = u64[i, left]
        if code == 0:
            break
        for right in range(slot, slot + MAXIMUM_MEMBERS):
            if u64[j, right] == code:
                shared += 1
                break
    return shared >= least


@njit(nogil=True, cache=True)
def _syllable(u8: Any, row: int, offset: int, wanted: int, count: int) -> Any:
    """Bytes (start, stop) of syllable `wanted` of `count` kept ones; the last kept one is the last of the text."""
    size = u8[row, offset]
    first = offset + 1
    stop = first + size
    if wanted == count - 1:
        start = stop
        while start > first and u8[row, start - 1] != 32:
            start -= 1
        return start, stop
    start = first
    for _ in range(wanted):
        while u8[row, start] != 32:
            start += 1
        start += 1
    end = start
    while end < stop and u8[row, end] != 32:
        end += 1
    return start, end


@njit(nogil=True, cache=True)
def _syllable_edit(rows: Any, i: int, j: int, slot: int, text: int, limit: int, scratch: Any) -> bool:
    """Equal counts and exactly one syllable differs, by at most `limit` edits."""
    count = rows.u32[i, slot]
    if count != rows.u32[j, slot]:
        return False
    differs = -1
    for place in range(count):
        if rows.u32[i, slot + 1 + place] != rows.u32[j, slot + 1 + place]:
            if differs >= 0:
                return False
            differs = place
    if differs < 0:
        return False
    left_start, left_stop = _syllable(rows.u8, i, text, differs, count)
    right_start, right_stop = _syllable(rows.u8, j, text, differs, count)
    return edits_at_most(rows.u8[i, left_start:left_stop], rows.u8[j, right_start:right_stop], limit, scratch)


@njit(nogil=True, cache=True)
def _syllables_reordered(u32: Any, i: int, j: int, slot: int) -> bool:
    """The same syllables as often on both sides."""
    count = u32[i, slot]
    if count == 0 or count != u32[j, slot]:
        return False
    used = 0
    for left in range(count):
        found = False
        for right in range(count):
            if not used >> right & 1 and u32[i, slot + 1 + left] == u32[j, slot + 1 + right]:
                used |= 1 << right
                found = True
                break
        if not found:
            return False
    return True


@njit(nogil=True, cache=True)
def _shared_syllables(u32: Any, i: int, j: int, slot: int) -> int:
    """How many different syllables both sides hold."""
    shared = 0
    for left in range(u32[i, slot]):
        code = u32[i, slot + 1 + left]
        repeated = False
        for earlier in range(left):
            if u32[i, slot + 1 + earlier] == code:
                repeated = True
                break
        if repeated:
            continue
        for right in range(u32[j, slot]):
            if u32[j, slot + 1 + right] == code:
                shared += 1
                break
    return shared


@njit(nogil=True, cache=True)
def _contains(u32: Any, i: int, j: int, slot: int) -> bool:
    """Every syllable of row j is among those of row i."""
    for right in range(u32[j, slot]):
        found = False
        for left in range(u32[i, slot]):
            if u32[i, slot + 1 + left] == u32[j, slot + 1 + right]:
                found = True
                break
        if not found:
            return False
    return True


@njit(nogil=True, cache=True)
def _same_number(i32: Any, i: int, j: int, slot: int) -> bool:
    return i32[i, slot] == i32[j, slot] and i32[i, slot] != _MISSING


@njit(nogil=True, cache=True)
def _date_opcode(i32: Any, i: int, j: int, op: Any, parameter: int) -> bool:
    year, month, day = op[1], op[2], op[3]
    if op[0] == _DATE_SWAPPED:
        return (
            _same_number(i32, i, j, year)
            and i32[i, month] == i32[j, day]
            and i32[i, day] == i32[j, month]
            and i32[i, month] != _MISSING
            and i32[i, day] != _MISSING
        )
    if op[0] == _DATE_PARTS:
        equal = 0
        for slot in (year, month, day):
            if _same_number(i32, i, j, slot):
                equal += 1
        return equal >= parameter
    for slot in (year, month, day):
        if i32[i, slot] == _MISSING or i32[j, slot] == _MISSING:
            return False
    left = day_number(i32[i, year], i32[i, month], i32[i, day])
    right = day_number(i32[j, year], i32[j, month], i32[j, day])
    return abs(left - right) <= parameter


@njit(nogil=True, cache=True)
def _text_opcode(rows: Any, i: int, j: int, op: Any, threshold: float, scratch: Any) -> bool:
    code, slot, parameter = op[0], op[1], op[4]
    u8 = rows.u8
    if u8[i, slot] == 0 or u8[j, slot] == 0:
        return False
    if code == _LEVENSHTEIN:
        return levenshtein_at_most(u8, i, slot, j, slot, parameter, scratch)
    if code == _DAMERAU:
        return damerau_at_most(u8, i, slot, j, slot, parameter, scratch)
    if code == _JARO:
        return jaro(u8, i, slot, j, slot) >= threshold
    if code == _JARO_WINKLER:
        return jaro_winkler(u8, i, slot, j, slot) >= threshold
    if code == _SUBSTITUTION:
        return one_substitution(u8, i, slot, j, slot)
    if code == _TRANSPOSITION:
        return one_transposition(u8, i, slot, j, slot)
    return same_prefix(u8, i, slot, j, slot, parameter)


@njit(nogil=True, cache=True)
def _holds(rows: Any, i: int, j: int, op: Any, threshold: float, scratch: Any) -> bool:
    """One instruction's test. Whatever is missing makes it false, but for the null tests."""
    code, slot = op[0], op[1]
    if code == _EXACT_CODE:
        return rows.u64[i, slot] == rows.u64[j, slot] and rows.u64[i, slot] != 0
    if code == _NULL_CODE or code == _NULL_MEMBERS:
        return rows.u64[i, slot] == 0 or rows.u64[j, slot] == 0
    if code == _NULL_INTEGER:
        return rows.i32[i, slot] == _MISSING or rows.i32[j, slot] == _MISSING
    if code == _EXACT_INTEGER:
        return _same_number(rows.i32, i, j, slot)
    if code == _SHARED_MEMBERS:
        return _shared_members(rows.u64, i, j, slot, op[4])
    if code == _DIFFERENCE:
        left, right = np.int64(rows.i32[i, slot]), np.int64(rows.i32[j, slot])
        return left != _MISSING and right != _MISSING and abs(left - right) <= op[4]
    if code == _CROSSED or code == _CROSSED_BOTH:
        one = rows.u64[i, slot] == rows.u64[j, op[2]] and rows.u64[i, slot] != 0
        other = rows.u64[i, op[2]] == rows.u64[j, slot] and rows.u64[j, slot] != 0
        return (one or other) if code == _CROSSED else (one and other)
    if code == _SYLLABLE_EDIT:
        return _syllable_edit(rows, i, j, slot, op[2], op[4], scratch)
    if code == _REORDERED:
        return _syllables_reordered(rows.u32, i, j, slot)
    if code == _CONTAINED:
        if rows.u32[i, slot] == 0 or rows.u32[j, slot] == 0:
            return False
        return _contains(rows.u32, i, j, slot) or _contains(rows.u32, j, i, slot)
    if code == _SYLLABLES_SHARED:
        return _shared_syllables(rows.u32, i, j, slot) >= op[4]
    if code == _DATE_SWAPPED or code == _DATE_PARTS or code == _DAYS_APART:
        return _date_opcode(rows.i32, i, j, op, op[4])
    return _text_opcode(rows, i, j, op, threshold, scratch)


@njit(nogil=True, cache=True)
def level_code(program: Program, rows: Rows, i: int, j: int, comparison: int, scratch: Any) -> int:
    """Level code of one comparison on rows i and j: -1 null, 0 else, rising with similarity."""
    position = program.starts[comparison]
    while position >= 0:
        op = program.instructions[position]
        held = _holds(rows, i, j, op, program.thresholds[position], scratch)
        position = op[5] if held else op[6]
    return -position - 2


@njit(nogil=True, cache=True)
def level_weight(program: Program, rows: Rows, i: int, j: int, entry: int) -> float:
    """Match weight in bits of one level on rows i and j, term frequency adjustment included."""
    weight = program.weights[entry]
    slot = program.tf_slot[entry]
    if slot >= 0:
        left, right = rows.u32[i, slot], rows.u32[j, slot]
        if left != 0 or right != 0:
            if left == 0:
                left = right
            elif right == 0:
                right = left
            frequency = max(program.tf_log2[left], program.tf_log2[right], program.tf_floor[entry])
            weight += program.tf_scale[entry] * (program.tf_log2u[entry] - frequency)
    return weight


@njit(nogil=True, cache=True)
def vetoed(program: Program, codes: Any) -> int:
    """What the vetoes say of one pair's level codes (int8 (c,)): the effects that hold, as bits."""
    effects = 0
    for veto in range(program.vetoes.shape[0]):
        holds = True
        for comparison in range(codes.shape[0]):
            allowed = program.vetoes[veto, comparison]
            if allowed != 0 and not allowed >> np.uint32(codes[comparison] + 1) & np.uint32(1):
                holds = False
                break
        if holds:
            effects |= program.effects[veto]
    return effects


@njit(nogil=True, cache=True)
def score_pairs(
    program: Program, rows: Rows, pairs: Any, prior: float, floor: float, out: Any, scratch: Any
) -> None:
    """Score pairs of rows.

    `pairs` is (left, right), int32 (n,) each; `prior` in bits; `out` is (weights float64 (n,), codes int8 (n, c) or (0, c),
    vetoes uint8 (n,) or (0,)). A pair that can no longer reach `floor` is given up with a weight of -inf; with a floor of
    -inf every weight is whole. Codes and vetoes of a pair that was given up are not written.
    """
    left, right = pairs
    weights, codes_out, vetoes_out = out
    comparisons = program.starts.shape[0]
    codes = np.empty(comparisons, dtype=np.int8)
    for pair in range(left.shape[0]):
        i, j = left[pair], right[pair]
        total = prior
        for comparison in range(comparisons):
            code = level_code(program, rows, i, j, comparison, scratch)
            codes[comparison] = code
            total += level_weight(program, rows, i, j, program.base[comparison] + code + 1)
            if total + program.ceiling[comparison + 1] < floor:
                total = -np.inf
                break
        weights[pair] = total
        if total != -np.inf:
            if codes_out.shape[0] > 0:
                codes_out[pair, :] = codes
            if vetoes_out.shape[0] > 0:
                vetoes_out[pair] = vetoed(program, codes)


@njit(nogil=True, cache=True)
def contributions(program: Program, rows: Rows, i: int, j: int, codes: Any, weights: Any, scratch: Any) -> None:
    """Level codes (int8 (c,)) and match weights in bits (float64 (c,)) of one pair, comparison by comparison."""
    for comparison in range(program.starts.shape[0]):
        code = level_code(program, rows, i, j, comparison, scratch)
        codes[comparison] = code
        weights[comparison] = level_weight(program, rows, i, j, program.base[comparison] + code + 1)
