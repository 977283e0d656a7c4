"""Sorting blocking keys: a stable sort of entries by codes that are spread evenly, as keyed hashes are.

Two rounds of scattering by leading bits leave a few entries a bucket, in the processor's first cache, where they are
put in order one by one: several times the speed of a comparison sort.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.matching.jit import leaf

_ENTRIES_A_PART = 512
_MOST_BITS = 12


@leaf
def _starts(codes: Any, shift: Any, mask: Any, counts: Any) -> None:
    """Where each bucket `(code >> shift) & mask` begins, into counts[: mask + 1]."""
    for bucket in range(mask + np.uint64(1)):
        counts[bucket] = 0
    for entry in range(codes.shape[0]):
        counts[(codes[entry] >> shift) & mask] += 1
    position = 0
    for bucket in range(mask + np.uint64(1)):
        size = counts[bucket]
        counts[bucket] = position
        position += size


@leaf
def _scatter(codes: Any, values: Any, shift: Any, mask: Any, counts: Any, out: Any) -> None:
    """Lay the entries out by bucket, in their order; leaves in `counts` where each bucket ends."""
    codes_out, values_out = out
    for entry in range(codes.shape[0]):
        bucket = (codes[entry] >> shift) & mask
        place = counts[bucket]
        counts[bucket] = place + 1
        codes_out[place] = codes[entry]
        values_out[place] = values[entry]


@leaf
def _insert(codes: Any, values: Any) -> None:
    """Order nearly ordered entries by insertion; equal codes keep their order."""
    for entry in range(1, codes.shape[0]):
        code = codes[entry]
        if codes[entry - 1] <= code:
            continue
        value = values[entry]
        place = entry
        while place > 0 and codes[place - 1] > code:
            codes[place] = codes[place - 1]
            values[place] = values[place - 1]
            place -= 1
        codes[place] = code
        values[place] = value


@leaf
def _sort(codes: Any, values: Any, bits: Any, spare: Any, counts: Any) -> None:
    """Sort in place. `bits` are those of the parts and of a part's buckets; `spare` is like (codes, values)."""
    spare_codes, spare_values = spare
    outer, inner = counts
    first_shift = np.uint64(64 - bits[0])
    parts = np.uint64((1 << bits[0]) - 1)
    shift, mask = np.uint64(64 - bits[0] - bits[1]), np.uint64((1 << bits[1]) - 1)
    _starts(codes, first_shift, parts, outer)
    _scatter(codes, values, first_shift, parts, outer, spare)
    start = 0
    for part in range(parts + np.uint64(1)):
        stop = outer[part]
        some_codes, some_values = spare_codes[start:stop], spare_values[start:stop]
        out = codes[start:stop], values[start:stop]
        _starts(some_codes, shift, mask, inner)
        _scatter(some_codes, some_values, shift, mask, inner, out)
        _insert(out[0], out[1])
        start = stop


def sort_by_code(codes: NDArray[np.uint64], values: NDArray[np.uint64]) -> None:
    """Sort entries (codes, values), uint64 (n,) each, by code in place; equal codes keep their order.

    Codes should be spread evenly over their 64 bits: others are sorted too, but slowly.
    """
    size = max(len(codes) // _ENTRIES_A_PART, 1).bit_length()
    bits = np.array([min(size, _MOST_BITS), _ENTRIES_A_PART.bit_length()], dtype=np.int64)
    counts = np.empty(1 << int(bits[0]), dtype=np.int64), np.empty(1 << int(bits[1]), dtype=np.int64)
    _sort(codes, values, bits, (np.empty_like(codes), np.empty_like(values)), counts)
