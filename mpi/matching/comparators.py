"""String and date comparators on bytes inside feature rows, in numba.

Every function takes the byte matrix and two (row, offset) places, where a place holds a length byte and then the text.
Distances stop early: they answer "at most k?", which is all that a level asks.
"""

from typing import Any

import numpy as np

from mpi.matching.jit import inlined, leaf

SCRATCH_SIZE = 3 * 80 + 66 * 66 + 256
"""int32 cells of working memory that one thread hands to the comparators."""

_DAMERAU_TABLE = 3 * 80
_LAST_SEEN = _DAMERAU_TABLE + 66 * 66


@inlined
def _trim(u8: Any, i: Any, a: Any, j: Any, b: Any) -> Any:
    """Skip the common prefix and suffix: (start, left length, right length) of what is left."""
    left, right = np.int64(u8[i, a]), np.int64(u8[j, b])
    start = 0
    while start < left and start < right and u8[i, a + 1 + start] == u8[j, b + 1 + start]:
        start += 1
    while left > start and right > start and u8[i, a + left] == u8[j, b + right]:
        left -= 1
        right -= 1
    return start, left - start, right - start


@leaf
def edits_at_most(u8: Any, left: Any, right: Any, limit: int, scratch: Any) -> bool:
    """Whether the Levenshtein distance of two spans (row, first byte, length) is at most `limit` (Levenshtein 1966)."""
    i, x, n = left
    j, y, m = right
    if abs(n - m) > limit:
        return False
    if n == 0 or m == 0:
        return max(n, m) <= limit
    for column in range(m + 1):
        scratch[column] = column
    for row in range(1, n + 1):
        diagonal = scratch[0]
        scratch[0] = row
        best = row
        for column in range(1, m + 1):
            cost = diagonal if u8[i, x + row - 1] == u8[j, y + column - 1] else diagonal + 1
            diagonal = scratch[column]
            cost = min(cost, min(diagonal, scratch[column - 1]) + 1)
            scratch[column] = cost
            best = min(best, cost)
        if best > limit:
            return False
    return scratch[m] <= limit


@leaf
def _bags_too_far(u8: Any, left: Any, right: Any, limit: int, scratch: Any) -> bool:
    """Whether the multisets of bytes alone need more than `limit` edits (bag distance, Bartolini et al. 2002).

    It bounds both edit distances from below in linear time; nearly all pairs of different people end here.
    """
    i, x, n = left
    j, y, m = right
    counts = _LAST_SEEN
    for place in range(n):
        scratch[counts + u8[i, x + place]] = 0
    for place in range(m):
        scratch[counts + u8[j, y + place]] = 0
    for place in range(n):
        scratch[counts + u8[i, x + place]] += 1
    shared = 0
    for place in range(m):
        cell = counts + u8[j, y + place]
        if scratch[cell] > 0:
            scratch[cell] -= 1
            shared += 1
    return max(n, m) - shared > limit


@leaf
def levenshtein_at_most(u8: Any, i: int, a: int, j: int, b: int, limit: int, scratch: Any) -> bool:
    """Whether two texts are at most `limit` insertions, deletions or substitutions apart."""
    start, n, m = _trim(u8, i, a, j, b)
    if n == 0 or m == 0:
        return max(n, m) <= limit
    if limit == 1:
        return n == 1 and m == 1
    left, right = (i, a + 1 + start, n), (j, b + 1 + start, m)
    if abs(n - m) > limit or _bags_too_far(u8, left, right, limit, scratch):
        return False
    return edits_at_most(u8, left, right, limit, scratch)


@leaf
def damerau_at_most(u8: Any, i: int, a: int, j: int, b: int, limit: int, scratch: Any) -> bool:
    """Whether two texts are at most `limit` edits or swaps of neighbours apart (unrestricted, Lowrance and Wagner
    1975)."""
    start, n, m = _trim(u8, i, a, j, b)
    if n == 0 or m == 0:
        return max(n, m) <= limit
    x, y = a + 1 + start, b + 1 + start
    if limit == 1:
        swapped = n == 2 and m == 2 and u8[i, x] == u8[j, y + 1] and u8[i, x + 1] == u8[j, y]
        return swapped or (n == 1 and m == 1)
    if abs(n - m) > limit or _bags_too_far(u8, (i, x, n), (j, y, m), limit, scratch):
        return False
    table, seen = _DAMERAU_TABLE, _LAST_SEEN
    for symbol in range(256):
        scratch[seen + symbol] = 0
    infinity = n + m
    # cell (r, c) of the usual matrix with one border row and column lies at table + (r + 1) * 66 + c + 1
    scratch[table] = infinity
    for row in range(n + 1):
        scratch[table + (row + 1) * 66] = infinity
        scratch[table + (row + 1) * 66 + 1] = row
    for column in range(m + 1):
        scratch[table + column + 1] = infinity
        scratch[table + 66 + column + 1] = column
    for row in range(1, n + 1):
        last_match = 0
        for column in range(1, m + 1):
            above = scratch[seen + u8[j, y + column - 1]]
            beside = last_match
            cost = 1
            if u8[i, x + row - 1] == u8[j, y + column - 1]:
                cost = 0
                last_match = column
            best = min(
                scratch[table + row * 66 + column] + cost,
                min(scratch[table + (row + 1) * 66 + column], scratch[table + row * 66 + column + 1]) + 1,
            )
            swap = scratch[table + above * 66 + beside] + (row - above - 1) + 1 + (column - beside - 1)
            scratch[table + (row + 1) * 66 + column + 1] = min(best, swap)
        scratch[seen + u8[i, x + row - 1]] = row
    return scratch[table + (n + 1) * 66 + m + 1] <= limit


@leaf
def jaro(u8: Any, i: int, a: int, j: int, b: int) -> float:
    """Jaro similarity of two texts of at most 64 bytes, 0 to 1 (Jaro 1989)."""
    n, m = int(u8[i, a]), int(u8[j, b])
    if n == 0 or m == 0:
        return 0.0
    window = max(max(n, m) // 2 - 1, 0)
    one = np.uint64(1)
    left_flags = np.uint64(0)
    right_flags = np.uint64(0)
    matches = 0
    for row in range(n):
        for column in range(max(0, row - window), min(m, row + window + 1)):
            flag = one << np.uint64(column)
            if not right_flags & flag and u8[i, a + 1 + row] == u8[j, b + 1 + column]:
                right_flags |= flag
                left_flags |= one << np.uint64(row)
                matches += 1
                break
    if matches == 0:
        return 0.0
    transposed = 0
    column = 0
    for row in range(n):
        if left_flags >> np.uint64(row) & one:
            while not right_flags >> np.uint64(column) & one:
                column += 1
            if u8[i, a + 1 + row] != u8[j, b + 1 + column]:
                transposed += 1
            column += 1
    return (matches / n + matches / m + (matches - transposed // 2) / matches) / 3.0


@leaf
def jaro_winkler(u8: Any, i: int, a: int, j: int, b: int) -> float:
    """Jaro-Winkler similarity: a common prefix of up to 4 counts 0.1 a character above a Jaro of 0.7 (Winkler 1990)."""
    similarity = jaro(u8, i, a, j, b)
    if similarity <= 0.7:
        return similarity
    n, m = int(u8[i, a]), int(u8[j, b])
    prefix = 0
    while prefix < min(4, min(n, m)) and u8[i, a + 1 + prefix] == u8[j, b + 1 + prefix]:
        prefix += 1
    return similarity + prefix * 0.1 * (1.0 - similarity)


@leaf
def one_substitution(u8: Any, i: int, a: int, j: int, b: int) -> bool:
    """Equal lengths and exactly one differing byte."""
    _, n, m = _trim(u8, i, a, j, b)
    return n == 1 and m == 1


@leaf
def one_transposition(u8: Any, i: int, a: int, j: int, b: int) -> bool:
    """Equal lengths and exactly one swap of two neighbouring, different bytes."""
    start, n, m = _trim(u8, i, a, j, b)
    x, y = a + 1 + start, b + 1 + start
    return n == 2 and m == 2 and u8[i, x] == u8[j, y + 1] and u8[i, x + 1] == u8[j, y]


@leaf
def same_prefix(u8: Any, i: int, a: int, j: int, b: int, size: int) -> bool:
    """Both at least `size` bytes long and equal in the first `size`."""
    if u8[i, a] < size or u8[j, b] < size:
        return False
    byte = 1
    while byte <= size and u8[i, a + byte] == u8[j, b + byte]:
        byte += 1
    return byte > size


@leaf
def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant 2013)."""
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    shifted = month - 3 if month > 2 else month + 9
    of_year = (153 * shifted + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
