"""Stored blocking keys in sorted pages, and the choice of candidates among the entries near a record's keys.

A stored key names its block in the upper 40 bits and refines it in three bytes (see `blocking.fill_stored_keys`), so
equal prefixes lie together. A page never splits a block that fits into one; a larger block is split where a refining
byte changes. Keys are compared as signed 64-bit integers, as databases do.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mpi.matching.blocking import STORED_REFINEMENTS, BlockingPlan, fill_stored_keys
from mpi.matching.jit import kernel, leaf
from mpi.matching.kernel import as_rows
from mpi.matching.siphash import key_words

PAGE_ENTRIES = 64
"""Entries that a page holds at most: one kilobyte."""

CUT = 4
"""A block that no column refines any more gives at most CUT times its rule's limit of candidates, the newest."""

SIGN = np.uint64(1 << 63)
"""What turns a key into its sort code and back."""

OPEN_BITS = tuple(8 * (STORED_REFINEMENTS - depth) for depth in range(STORED_REFINEMENTS + 1))
"""How many of a key's lowest bits are open to the whole block, and to its parts by one refining byte more each."""

Integers = NDArray[np.int64]
K = TypeVar("K", np.int64, np.uint64)


@dataclass(frozen=True, slots=True)
class KeyPages:
    """Sorted entries cut into pages: `first_keys` int64 (p,), where page k holds entries starts[k]:stops[k].

    `entries` int64 (n, 2) are (key, record id). `dropped` counts entries that no page took: of more than a page's worth
    of records under one and the same key, the oldest.
    """

    first_keys: Integers
    starts: Integers
    stops: Integers
    entries: Integers
    dropped: int

    def blobs(self) -> list[bytes]:
        """The pages as bytes: little-endian pairs of 64-bit integers."""
        data = self.entries.astype("<i8", copy=False).tobytes()
        return [data[16 * a : 16 * b] for a, b in zip(self.starts.tolist(), self.stops.tolist(), strict=True)]


def stored_keys(plan: BlockingPlan, rows: NDArray[np.uint8], key: bytes) -> NDArray[np.uint64]:
    """The keys of feature rows as they are stored, uint64 (n, slots), 0 for none. `key` is the registry's secret."""
    keys = np.zeros((len(rows), plan.slots), dtype=np.uint64)
    fill_stored_keys(plan.keys, plan.refining, as_rows(rows), key_words(key), keys)
    return keys


def blocks_of(keys: NDArray[K]) -> NDArray[K]:
    """The block that each stored key names."""
    return keys >> keys.dtype.type(OPEN_BITS[0])


@leaf
def _spread(keys: Any, record_ids: Any, shift: Any, ends: Any, out: Any) -> None:
    """Lay the keys out by the leading bits of their sort codes, which `shift` leaves; `ends` hold where each part ends
    and are moved to where it begins."""
    codes, ids = out
    for record in range(keys.shape[0]):
        for slot in range(keys.shape[1]):
            if keys[record, slot] != 0:
                ends[(keys[record, slot] ^ SIGN) >> shift] += 1
    for part in range(1, ends.shape[0]):
        ends[part] += ends[part - 1]
    for record in range(keys.shape[0] - 1, -1, -1):
        for slot in range(keys.shape[1]):
            if keys[record, slot] != 0:
                code = keys[record, slot] ^ SIGN
                ends[code >> shift] -= 1
                codes[ends[code >> shift]] = code
                ids[ends[code >> shift]] = record_ids[record]


def spread_keys(keys: NDArray[np.uint64], record_ids: Integers, bits: int) -> list[tuple[NDArray[np.uint64], Integers]]:
    """The entries of keys uint64 (n, slots), 0 for none, in 2**bits parts of growing keys, unsorted within: sort codes
    uint64 and record ids int64, in the order of the records given.

    A sort code is the key with its sign bit turned, so that unsigned order is the order of signed keys.
    """
    starts = np.zeros((1 << bits) + 1, dtype=np.int64)
    found = int(np.count_nonzero(keys))
    codes, ids = np.empty(found, dtype=np.uint64), np.empty(found, dtype=np.int64)
    starts[-1] = found
    _spread(keys, record_ids, np.uint64(64 - bits), starts[:-1], (codes, ids))
    return [(codes[a:b], ids[a:b]) for a, b in pairwise(starts.tolist())]


@leaf
def _cut(keys: Any, capacity: int, firsts: Any, starts: Any, stops: Any) -> int:
    """Cut sorted keys into pages; gives how many there are."""
    pages = 0
    count = keys.shape[0]
    at = 0
    while at < count:
        # where the prefix changes decides what may be a unit here, and where the page's range begins
        depth = 0
        while (
            at > 0 and depth < STORED_REFINEMENTS and keys[at] >> OPEN_BITS[depth] == keys[at - 1] >> OPEN_BITS[depth]
        ):
            depth += 1
        outer = depth
        stop = at
        while True:
            shift = OPEN_BITS[depth]
            stop = at + 1
            while stop < count and keys[stop] >> shift == keys[at] >> shift:
                stop += 1
                if stop - at > capacity and depth < STORED_REFINEMENTS:
                    break
            if stop - at <= capacity or depth == STORED_REFINEMENTS:
                break
            depth += 1
        begin = max(at, stop - capacity)
        if begin > at or pages == 0 or stop - starts[pages - 1] > capacity:
            firsts[pages] = (keys[at] >> OPEN_BITS[outer]) << OPEN_BITS[outer]
            starts[pages] = begin
            pages += 1
        stops[pages - 1] = stop
        at = stop
    return pages


def key_pages(keys: Integers, record_ids: Integers) -> KeyPages:
    """Pages of entries given in the order of their keys and, of equal keys, of record ids: int64 (n,) each."""
    firsts, starts, stops = (np.empty(len(keys), dtype=np.int64) for _ in range(3))
    pages = int(_cut(keys, PAGE_ENTRIES, firsts, starts, stops)) if len(keys) else 0
    starts, stops = starts[:pages].copy(), stops[:pages].copy()
    dropped = len(keys) - int((stops - starts).sum())
    return KeyPages(firsts[:pages].copy(), starts, stops, np.stack([keys, record_ids], axis=1), dropped)


@kernel
def _choose(queries: Any, limits: Any, entries: Any, starts: Any, out: Any) -> int:
    """Fill `out`: candidates of each query, the query's place, which were bounded, and how many entries their blocks
    have here; gives the number of candidates."""
    chosen, of_query, bounded, sizes = out
    found = 0
    counts = np.zeros(STORED_REFINEMENTS + 1, dtype=np.int64)
    for query in range(queries.shape[0]):
        counts[:] = 0
        key = queries[query]
        for at in range(starts[query], starts[query + 1]):
            for depth in range(STORED_REFINEMENTS + 1):
                if entries[at, 0] >> OPEN_BITS[depth] != key >> OPEN_BITS[depth]:
                    break
                counts[depth] += 1
        sizes[query] = counts[0]
        depth = 0
        while depth < STORED_REFINEMENTS and counts[depth] > limits[query]:
            depth += 1
        skip = max(counts[depth] - CUT * limits[query], 0)
        bounded[query] |= depth > 0 or skip > 0
        for at in range(starts[query], starts[query + 1]):
            if entries[at, 0] >> OPEN_BITS[depth] == key >> OPEN_BITS[depth]:
                if skip > 0:
                    skip -= 1
                    continue
                chosen[found] = entries[at, 1]
                of_query[found] = query
                found += 1
    return found


@dataclass(frozen=True, slots=True)
class Chosen:
    """Candidates of q keys: record ids int64 (c,), the key's place int64 (c,), which keys' blocks were bounded, bool
    (q,), and how many entries of their blocks were looked at, int64 (q,)."""

    record_ids: Integers
    queries: Integers
    bounded: NDArray[np.bool_]
    sizes: Integers


def choose_candidates(queries: Integers, limits: Integers, entries: Integers, starts: Integers) -> Chosen:
    """Of the entries near each key those in its block or, where that holds more than the limit, in its refined part.

    `queries` and `limits` int64 (q,); entries starts[k]:starts[k + 1] of `entries` int64 (n, 2) lie near query k, and
    may hold other blocks'.
    """
    chosen, of_query = np.empty(len(entries), dtype=np.int64), np.empty(len(entries), dtype=np.int64)
    bounded, sizes = np.zeros(len(queries), dtype=np.bool_), np.empty(len(queries), dtype=np.int64)
    found = int(_choose(queries, limits, entries, starts, (chosen, of_query, bounded, sizes)))
    return Chosen(chosen[:found], of_query[:found], bounded, sizes)
