"""Tests over a whole chunk of pairs at once, 64 answers to a word: loops without a branch, two loads a pair.

`screen` answers the cheap tests outright. Of the dear ones it rules out the pairs that cannot hold (a bound that is
true of every pair that does) and leaves the others open, for `predicates.py` to look at one by one.
"""

from typing import Any

import numpy as np

from mpi.matching.features import MISSING_INTEGER
from mpi.matching.jit import bits_set, leaf
from mpi.matching.levels import MAXIMUM_SYLLABLES, Opcode

_MISSING = int(MISSING_INTEGER)
_NULL_CODE, _NULL_INTEGER = int(Opcode.NULL_CODE), int(Opcode.NULL_INTEGER)
_NULL_MEMBERS, _SHARED_MEMBERS = int(Opcode.NULL_MEMBERS), int(Opcode.SHARED_MEMBERS)
_EXACT_CODE, _EXACT_INTEGER = int(Opcode.EXACT_CODE), int(Opcode.EXACT_INTEGER)
_LEVENSHTEIN, _DAMERAU = int(Opcode.LEVENSHTEIN), int(Opcode.DAMERAU_LEVENSHTEIN)
_SUBSTITUTION, _TRANSPOSITION = int(Opcode.ONE_SUBSTITUTION), int(Opcode.ONE_TRANSPOSITION)
_CROSSED, _CROSSED_BOTH = int(Opcode.CROSSED), int(Opcode.CROSSED_BOTH)
_SYLLABLE_EDIT, _REORDERED = int(Opcode.SYLLABLE_EDIT), int(Opcode.SYLLABLES_REORDERED)
_DIFFERENCE, _DATE_SWAPPED = int(Opcode.DIFFERENCE), int(Opcode.DATE_SWAPPED)
_DATE_PARTS, _DAYS_APART = int(Opcode.DATE_PARTS), int(Opcode.DAYS_APART)

_SYLLABLE_WORDS = 1 + MAXIMUM_SYLLABLES

ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@leaf
def fill(mask: Any, count: int) -> None:
    """Set the first `count` bits of a mask and clear the others."""
    for word in range(mask.shape[0]):
        rest = count - 64 * word
        if rest >= 64:
            mask[word] = ALL
        elif rest > 0:
            mask[word] = (np.uint64(1) << np.uint64(rest)) - np.uint64(1)
        else:
            mask[word] = 0


@leaf
def _null(words: Any, ends: Any, count: int, slot: int, nothing: Any, held: Any) -> None:
    """A side is `nothing`."""
    left, right = ends
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            missing = (words[left[first + bit], slot] == nothing) | (words[right[first + bit], slot] == nothing)
            word |= np.uint64(missing) << np.uint64(bit)
        held[first >> 6] = word


@leaf
def _equal(words: Any, ends: Any, count: int, slots: Any, nothing: Any, held: Any) -> None:
    """Left slot equal to right slot and not `nothing`."""
    left, right = ends
    left_slot, right_slot = slots
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            one = words[left[first + bit], left_slot]
            same = (one == words[right[first + bit], right_slot]) & (one != nothing)
            word |= np.uint64(same) << np.uint64(bit)
        held[first >> 6] = word


@leaf
def _crossed(u64: Any, ends: Any, count: int, test: Any, held: Any, spare: Any) -> None:
    one, other = test[1], test[2]
    _equal(u64, ends, count, (one, other), np.uint64(0), held)
    _equal(u64, ends, count, (other, one), np.uint64(0), spare)
    for word in range(held.shape[0]):
        held[word] = held[word] | spare[word] if test[0] == _CROSSED else held[word] & spare[word]
        spare[word] = 0


@leaf
def _difference(i32: Any, ends: Any, count: int, slot: int, most: int, held: Any) -> None:
    """Both known and at most `most` apart."""
    left, right = ends
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            one, other = np.int64(i32[left[first + bit], slot]), np.int64(i32[right[first + bit], slot])
            close = (abs(one - other) <= most) & (one != _MISSING) & (other != _MISSING)
            word |= np.uint64(close) << np.uint64(bit)
        held[first >> 6] = word


@leaf
def _date_swapped(i32: Any, ends: Any, count: int, test: Any, held: Any) -> None:
    left, right = ends
    year, month, day = test[1], test[2], test[3]
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            i, j = left[first + bit], right[first + bit]
            same = (i32[i, year] == i32[j, year]) & (i32[i, year] != _MISSING)
            same &= (i32[i, month] == i32[j, day]) & (i32[i, month] != _MISSING)
            same &= (i32[i, day] == i32[j, month]) & (i32[i, day] != _MISSING)
            word |= np.uint64(same) << np.uint64(bit)
        held[first >> 6] = word


@leaf
def _date_parts(i32: Any, ends: Any, count: int, test: Any, held: Any) -> None:
    left, right = ends
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            i, j = left[first + bit], right[first + bit]
            equal = 0
            for slot in (test[1], test[2], test[3]):
                equal += (i32[i, slot] == i32[j, slot]) & (i32[i, slot] != _MISSING)
            word |= np.uint64(equal >= test[4]) << np.uint64(bit)
        held[first >> 6] = word


@leaf
def _near_bags(u64: Any, ends: Any, count: int, slot: int, most: int, could: Any) -> None:
    """Signatures at most `most` bits apart: every edit of a text changes at most two bits of its signature."""
    left, right = ends
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            apart = bits_set(u64[left[first + bit], slot] ^ u64[right[first + bit], slot])
            word |= np.uint64(apart <= np.uint64(most)) << np.uint64(bit)
        could[first >> 6] = word


@leaf
def _one_syllable_differs(rows: Any, ends: Any, count: int, test: Any, could: Any) -> None:
    """As many syllables, all but one equal, and signatures near.

    A text cut at its width moves as many bytes again as were edited; of a text of more syllables than are kept the
    signature may say anything.
    """
    left, right = ends
    slot, bags, most = test[1], test[5], np.uint64(2 * test[6])
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            i, j = left[first + bit], right[first + bit]
            differ = np.uint64(0)
            for place in range(_SYLLABLE_WORDS):
                differ += np.uint64(rows.u32[i, slot + place] != rows.u32[j, slot + place])
            like = (differ == np.uint64(1)) & (rows.u32[i, slot] == rows.u32[j, slot])
            near = bits_set(rows.u64[i, bags] ^ rows.u64[j, bags]) <= most
            like &= near | (rows.u32[i, slot] == MAXIMUM_SYLLABLES)
            word |= np.uint64(like) << np.uint64(bit)
        could[first >> 6] = word


@leaf
def _near_months(i32: Any, ends: Any, count: int, test: Any, could: Any) -> None:
    """Year and month at most test[6] months apart."""
    left, right = ends
    year, month, most = test[1], test[2], test[6]
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            i, j = left[first + bit], right[first + bit]
            years = np.int64(i32[i, year]) - np.int64(i32[j, year])
            months = 12 * years + np.int64(i32[i, month]) - np.int64(i32[j, month])
            word |= np.uint64(abs(months) <= most) << np.uint64(bit)
        could[first >> 6] = word


@leaf
def _equal_sums(u32: Any, ends: Any, count: int, slot: int, could: Any) -> None:
    """The same sum of syllable codes: true of the same syllables in any order."""
    left, right = ends
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            i, j = left[first + bit], right[first + bit]
            apart = np.int64(0)
            for place in range(_SYLLABLE_WORDS):
                apart += np.int64(u32[i, slot + place]) - np.int64(u32[j, slot + place])
            word |= np.uint64(apart == 0) << np.uint64(bit)
        could[first >> 6] = word


@leaf
def _shared_first(u64: Any, ends: Any, count: int, slot: int, held: Any, could: Any) -> None:
    """The first members equal: held. Open where one side has more than one member."""
    _equal(u64, ends, count, (slot, slot), np.uint64(0), held)
    left, right = ends
    for first in range(0, count, 64):
        word = np.uint64(0)
        for bit in range(min(64, count - first)):
            more = (u64[left[first + bit], slot + 1] | u64[right[first + bit], slot + 1]) != 0
            word |= np.uint64(more) << np.uint64(bit)
        could[first >> 6] = word & ~held[first >> 6]


@leaf
def screen(rows: Any, ends: Any, count: int, test: Any, held: Any, could: Any) -> None:
    """Answer a test for the first `count` pairs of a chunk: bits of `held` where it holds, of `could` where only the
    pair itself can tell (uint64 (chunk / 64,) each; `ends` is (left, right), uint64 row numbers (chunk,))."""
    code, slot = test[0], test[1]
    for word in range(held.shape[0]):
        held[word] = 0
        could[word] = 0
    if code == _EXACT_CODE:
        _equal(rows.u64, ends, count, (slot, slot), np.uint64(0), held)
    elif code == _NULL_CODE or code == _NULL_MEMBERS:
        _null(rows.u64, ends, count, slot, np.uint64(0), held)
    elif code == _EXACT_INTEGER:
        _equal(rows.i32, ends, count, (slot, slot), np.int32(_MISSING), held)
    elif code == _NULL_INTEGER:
        _null(rows.i32, ends, count, slot, np.int32(_MISSING), held)
    elif code == _DIFFERENCE:
        _difference(rows.i32, ends, count, slot, test[4], held)
    elif code == _DATE_SWAPPED:
        _date_swapped(rows.i32, ends, count, test, held)
    elif code == _DATE_PARTS:
        _date_parts(rows.i32, ends, count, test, held)
    elif code == _CROSSED or code == _CROSSED_BOTH:
        _crossed(rows.u64, ends, count, test, held, could)
    elif code == _LEVENSHTEIN or code == _DAMERAU or code == _SUBSTITUTION or code == _TRANSPOSITION:
        _near_bags(rows.u64, ends, count, test[5], test[6], could)
    elif code == _SYLLABLE_EDIT:
        _one_syllable_differs(rows, ends, count, test, could)
    elif code == _REORDERED:
        _equal_sums(rows.u32, ends, count, slot, could)
    elif code == _DAYS_APART:
        _near_months(rows.i32, ends, count, test, could)
    elif code == _SHARED_MEMBERS and test[4] == 1:
        _shared_first(rows.u64, ends, count, slot, held, could)
    else:
        fill(could, count)
