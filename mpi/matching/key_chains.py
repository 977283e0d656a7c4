"""Stored blocking keys in memory: entries in the order in which they came, chained by the block that their key names.

What `stored_keys` keeps in sorted pages for millions of records, this keeps for the few that came since. Adding costs
the same however many there are.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.matching.jit import kernel
from mpi.matching.stored_keys import OPEN_BITS

MOST_OF_A_BLOCK = 4_096
"""Entries of one block that a look-up gives at most: the newest."""

Integers = NDArray[np.int64]

_START = 1_024
_END = -1


@kernel
def _chain(keys: Any, start: int, stop: int, heads: Any, older: Any) -> None:
    """Put entries start:stop at the heads of their blocks' chains."""
    mask = heads.shape[0] - 1
    for at in range(start, stop):
        place = (keys[at] >> OPEN_BITS[0]) & mask
        older[at] = heads[place]
        heads[place] = at


@kernel
def _count(queries: Any, keys: Any, heads: Any, older: Any, most: int, starts: Any) -> int:
    """Fill `starts` with where the entries of each query's block begin; gives how many there are of all."""
    mask = heads.shape[0] - 1
    found = 0
    for query in range(queries.shape[0]):
        starts[query] = found
        block = queries[query] >> OPEN_BITS[0]
        at = heads[block & mask]
        while at >= 0 and found - starts[query] < most:
            found += keys[at] >> OPEN_BITS[0] == block
            at = older[at]
    starts[queries.shape[0]] = found
    return found


@kernel
def _collect(queries: Any, keys: Any, record_ids: Any, heads: Any, older: Any, starts: Any, out: Any) -> None:
    """Fill `out` with the entries that `_count` counted, those of a block from the oldest to the newest."""
    mask = heads.shape[0] - 1
    for query in range(queries.shape[0]):
        block = queries[query] >> OPEN_BITS[0]
        at = heads[block & mask]
        free = starts[query + 1]
        while free > starts[query]:
            if keys[at] >> OPEN_BITS[0] == block:
                free -= 1
                out[free, 0] = keys[at]
                out[free, 1] = record_ids[at]
            at = older[at]


class KeyChains:
    """Entries (key, record id) by their blocks. Not safe between threads: whoever shares it holds a lock."""

    def __init__(self) -> None:
        self._count = 0
        self._keys = np.empty(_START, dtype=np.int64)
        self._record_ids = np.empty(_START, dtype=np.int64)
        self._older = np.empty(_START, dtype=np.int32)
        self._heads = np.full(_START, _END, dtype=np.int32)

    def __len__(self) -> int:
        return self._count

    def add(self, keys: Integers, record_ids: Integers) -> None:
        """Add entries: stored keys int64 (n,) of records int64 (n,)."""
        start, stop = self._count, self._count + len(keys)
        if stop > len(self._keys):
            self._grow(stop)
        self._keys[start:stop] = keys
        self._record_ids[start:stop] = record_ids
        _chain(self._keys, start, stop, self._heads, self._older)
        self._count = stop

    def near(self, queries: Integers) -> tuple[Integers, Integers]:
        """The entries of the blocks that keys int64 (q,) name, at most MOST_OF_A_BLOCK of each.

        Entries int64 (n, 2) of (key, record id), from the oldest of a block to its newest, and where those of each key
        begin, int64 (q + 1,).
        """
        starts = np.empty(len(queries) + 1, dtype=np.int64)
        found = int(_count(queries, self._keys, self._heads, self._older, MOST_OF_A_BLOCK, starts))
        entries = np.empty((found, 2), dtype=np.int64)
        if found:
            _collect(queries, self._keys, self._record_ids, self._heads, self._older, starts, entries)
        return entries, starts

    def _grow(self, wanted: int) -> None:
        capacity = 1 << (wanted - 1).bit_length()
        for name in ("_keys", "_record_ids", "_older"):
            old = getattr(self, name)
            new = np.empty(capacity, dtype=old.dtype)
            new[: self._count] = old[: self._count]
            setattr(self, name, new)
        self._heads = np.full(capacity, _END, dtype=np.int32)
        _chain(self._keys, 0, self._count, self._heads, self._older)
