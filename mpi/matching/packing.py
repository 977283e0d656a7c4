"""The kernel that writes feature rows: one call packs all slots of a block of records.

Values come as cells, column by column and within a column record by record, end to end; a table says which column
each slot shows, and how.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.matching.jit import leaf
from mpi.matching.levels import MAXIMUM_MEMBERS, MAXIMUM_SYLLABLES
from mpi.matching.siphash import hash_bytes, hash_strings


class Shown(IntEnum):
    """How a slot shows its column."""

    CODE = 0
    INTEGER = 1
    MEMBERS = 2
    SIGNATURE = 3
    BYTES = 4
    SYLLABLES = 5
    FREQUENCY = 6


_CODE, _INTEGER, _MEMBERS, _SIGNATURE, _BYTES, _SYLLABLES = (int(way) for way in list(Shown)[:-1])


class Cells(NamedTuple):
    """Values of n records, of t text columns, s set columns and i integer columns.

    `data` uint8 holds the UTF-8 of all texts and then of all members of sets; `offsets` int64 (t * n + m + 1,): text c
    of record r lies at offsets[c * n + r]:offsets[c * n + r + 1], member k at offsets[t * n + k]. `sets` int64
    (s * n + 1,): set c of record r has the members sets[c * n + r]:sets[c * n + r + 1]. `numbers` int32 (i * n,).
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    sets: NDArray[np.int64]
    numbers: NDArray[np.int32]


@leaf
def _pack_codes(cells: Cells, first: int, key: Any, column: Any) -> None:
    hash_strings(cells.data, cells.offsets[first : first + column.shape[0] + 1], key, column)


@leaf
def _pack_numbers(cells: Cells, first: int, column: Any) -> None:
    for row in range(column.shape[0]):
        column[row] = cells.numbers[first + row]


@leaf
def _pack_members(cells: Cells, first: int, key: Any, rows64: Any, word: int) -> None:
    data, offsets = cells.data, cells.offsets
    texts = offsets.shape[0] - 1 - cells.sets[cells.sets.shape[0] - 1]
    for row in range(rows64.shape[0]):
        start = cells.sets[first + row]
        for member in range(min(cells.sets[first + row + 1] - start, MAXIMUM_MEMBERS)):
            place = texts + start + member
            rows64[row, word + member] = hash_bytes(data, offsets[place], offsets[place + 1], key)


@leaf
def _pack_bytes(cells: Cells, first: int, rows8: Any, offset: int, width: int) -> None:
    data = cells.data
    for row in range(rows8.shape[0]):
        start = cells.offsets[first + row]
        size = min(cells.offsets[first + row + 1] - start, width)
        rows8[row, offset] = size
        for byte in range(size):
            rows8[row, offset + 1 + byte] = data[start + byte]


@leaf
def _pack_signatures(cells: Cells, first: int, width: int, column: Any) -> None:
    """Two bits for each of 32 classes of bytes: there is one, there are two. One byte more or less changes one bit at
    most."""
    data = cells.data
    for row in range(column.shape[0]):
        start = cells.offsets[first + row]
        once, twice = np.uint64(0), np.uint64(0)
        for place in range(start, min(cells.offsets[first + row + 1], start + width)):
            seen = np.uint64(1) << np.uint64(data[place] & 31)
            twice |= once & seen
            once |= seen
        column[row] = once | twice << np.uint64(32)


@leaf
def _pack_syllables(cells: Cells, first: int, key: Any, rows32: Any, word: int) -> None:
    data = cells.data
    limit = MAXIMUM_SYLLABLES
    for row in range(rows32.shape[0]):
        position, stop = cells.offsets[first + row], cells.offsets[first + row + 1]
        count = 0
        while position < stop:
            end = position
            while end < stop and data[end] != 32:
                end += 1
            code = np.uint32(hash_bytes(data, position, end, key) & np.uint64(0xFFFFFFFF))
            rows32[row, word + min(count, limit - 1) + 1] = code
            count += 1
            position = end + 1
        rows32[row, word] = min(count, limit)


@leaf
def _pack_terms(cells: Cells, first: int, codes: Any, bounds: Any, key: Any, column: Any) -> None:
    """The place in the frequency table of each term: 0 where missing, where the column begins for an unseen one."""
    unseen = bounds[0]
    for row in range(column.shape[0]):
        start, stop = cells.offsets[first + row], cells.offsets[first + row + 1]
        if stop <= start:
            continue
        code = hash_bytes(cells.data, start, stop, key)
        low, high = unseen + 1, unseen + 1 + bounds[1]
        while low < high:
            middle = (low + high) >> 1
            if codes[middle] < code:
                low = middle + 1
            else:
                high = middle
        known = low < unseen + 1 + bounds[1] and codes[low] == code
        column[row] = low if known else unseen


@leaf
def pack(cells: Cells, slots: Any, terms: Any, keys: Any, rows: Any) -> None:
    """Write the slots of n records into rows of zeros.

    `slots` int32 (k, 4): way, column among those of its kind, byte offset, and the width (of bytes and signatures) or
    the place in `bounds` (of frequencies). `terms` is (codes, bounds): term codes as they lie in the frequency table,
    uint64, and int64 (q, 2) where the terms of a column begin and how many there are. `keys` uint64 (2, 2): the
    registry's, then that of term codes. `rows` is the block as uint8, uint32, int32 and uint64 (n, w / size).
    """
    rows8, rows32, rows_signed, rows64 = rows
    for slot in range(slots.shape[0]):
        way, offset, extra = slots[slot, 0], int(slots[slot, 2]), int(slots[slot, 3])
        first = int(slots[slot, 1]) * rows8.shape[0]
        if way == _CODE:
            _pack_codes(cells, first, keys[0], rows64[:, offset >> 3])
        elif way == _INTEGER:
            _pack_numbers(cells, first, rows_signed[:, offset >> 2])
        elif way == _MEMBERS:
            _pack_members(cells, first, keys[0], rows64, offset >> 3)
        elif way == _SIGNATURE:
            _pack_signatures(cells, first, extra, rows64[:, offset >> 3])
        elif way == _BYTES:
            _pack_bytes(cells, first, rows8, offset, extra)
        elif way == _SYLLABLES:
            _pack_syllables(cells, first, keys[0], rows32, offset >> 2)
        else:
            _pack_terms(cells, first, terms[0], terms[1][extra], keys[1], rows32[:, offset >> 2])
