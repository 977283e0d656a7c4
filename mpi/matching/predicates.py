"""The dear tests that levels are made of, on one pair of feature rows: a test and two rows in, held or not out.

Equality, missing values and other cheap tests are not here: `screens.py` answers them for a chunk of pairs at once.
What is missing holds nothing.
"""

from typing import Any

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
from mpi.matching.jit import leaf
from mpi.matching.levels import MAXIMUM_MEMBERS, Opcode

_MISSING = int(MISSING_INTEGER)
_SHARED_MEMBERS = int(Opcode.SHARED_MEMBERS)
_LEVENSHTEIN, _DAMERAU = int(Opcode.LEVENSHTEIN), int(Opcode.DAMERAU_LEVENSHTEIN)
_JARO, _JARO_WINKLER = int(Opcode.JARO), int(Opcode.JARO_WINKLER)
_SUBSTITUTION, _TRANSPOSITION = int(Opcode.ONE_SUBSTITUTION), int(Opcode.ONE_TRANSPOSITION)
_PREFIX, _DAYS_APART = int(Opcode.PREFIX), int(Opcode.DAYS_APART)
_SYLLABLE_EDIT, _REORDERED = int(Opcode.SYLLABLE_EDIT), int(Opcode.SYLLABLES_REORDERED)
_CONTAINED, _SYLLABLES_SHARED = int(Opcode.SYLLABLES_CONTAINED), int(Opcode.SYLLABLES_SHARED)


@leaf
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


@leaf
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


@leaf
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
    left = (i, left_start, left_stop - left_start)
    right = (j, right_start, right_stop - right_start)
    return edits_at_most(rows.u8, left, right, limit, scratch)


@leaf
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


@leaf
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


@leaf
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


@leaf
def _days_apart(i32: Any, i: int, j: int, test: Any) -> bool:
    year, month, day = test[1], test[2], test[3]
    for slot in (year, month, day):
        if i32[i, slot] == _MISSING or i32[j, slot] == _MISSING:
            return False
    left = day_number(i32[i, year], i32[i, month], i32[i, day])
    right = day_number(i32[j, year], i32[j, month], i32[j, day])
    return abs(left - right) <= test[4]


@leaf
def _text_holds(u8: Any, i: int, j: int, test: Any, threshold: float, scratch: Any) -> bool:
    """A test on the characters of one pair."""
    code, slot, parameter = test[0], test[1], test[4]
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


@leaf
def holds(rows: Any, i: int, j: int, test: Any, threshold: float, scratch: Any) -> bool:
    """Whether a test that no screen could settle holds for the pair of rows (i, j)."""
    code, slot = test[0], test[1]
    if _LEVENSHTEIN <= code <= _PREFIX:
        return _text_holds(rows.u8, i, j, test, threshold, scratch)
    if code == _SHARED_MEMBERS:
        return _shared_members(rows.u64, i, j, slot, test[4])
    if code == _DAYS_APART:
        return _days_apart(rows.i32, i, j, test)
    if code == _SYLLABLE_EDIT:
        return _syllable_edit(rows, i, j, slot, test[2], test[4], scratch)
    if code == _REORDERED:
        return _syllables_reordered(rows.u32, i, j, slot)
    if code == _CONTAINED:
        if rows.u32[i, slot] == 0 or rows.u32[j, slot] == 0:
            return False
        return _contains(rows.u32, i, j, slot) or _contains(rows.u32, j, i, slot)
    return _shared_syllables(rows.u32, i, j, slot) >= test[4]
