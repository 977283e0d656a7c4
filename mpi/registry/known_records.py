"""Which records and which of their versions are stored already: sorted arrays in memory, no Python object a record.

32 bytes a stored version. Batches are added as small sorted runs that are merged as they grow (a log-structured merge).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Digests = NDArray[np.uint64]
Integers = NDArray[np.int64]

DIGEST_BYTES = 16


class Standing(IntEnum):
    """What a row read from a source is to the registry.

    LATER: a row further up in the same batch has the same key; store that one first, add it, then ask again.
    UNCHANGED: this very content is stored, as the current version or as one that has been superseded since.
    """

    NEW = 0
    UNCHANGED = 1
    CHANGED = 2
    LATER = 3


def key_hashes(source_system_id: int, source_record_ids: Iterable[str]) -> Hashes:
    """64-bit hashes uint64[n] of (source system, its own id); BLAKE2b, the system in the salt.

    A collision cannot go unseen: the writer compares the keys themselves (see `source_records.supersede_batch`).
    """
    seed = hashlib.blake2b(digest_size=8, salt=source_system_id.to_bytes(8, "little"))
    joined = bytearray()
    for text in source_record_ids:
        state = seed.copy()
        state.update(text.encode())
        joined += state.digest()
    return np.frombuffer(bytes(joined), dtype="<u8").astype(np.uint64)


def content_digests(raws: Sequence[str], recorded_ats: Sequence[str | None]) -> Digests:
    """128-bit BLAKE2b digests uint64[n, 2] of what a record says: its raw values and its time of capture.

    The time belongs to it, so that a value which changes and later changes back is a new version and no repeat.
    """
    joined = bytearray()
    blake2b = hashlib.blake2b
    for raw, recorded_at in zip(raws, recorded_ats, strict=True):
        content = raw if recorded_at is None else f"{raw}\x1f{recorded_at}"
        joined += blake2b(content.encode(), digest_size=DIGEST_BYTES).digest()
    return np.frombuffer(bytes(joined), dtype="<u8").astype(np.uint64).reshape(-1, 2)


def digest_bytes(digests: Digests) -> NDArray[np.uint8]:
    """Digests as they are stored: uint8[n, 16]."""
    return np.ascontiguousarray(digests.astype("<u8")).view(np.uint8).reshape(-1, DIGEST_BYTES)


def digests_from_bytes(stored: NDArray[np.uint8]) -> Digests:
    """The inverse of `digest_bytes`."""
    if len(stored) == 0:
        return np.empty((0, 2), dtype=np.uint64)
    return np.ascontiguousarray(stored).view("<u8").astype(np.uint64).reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class Classified:
    """Of every row of a batch: its standing (`Standing` codes, int8[n]) and its record id (int64[n], -1 for none)."""

    standing: NDArray[np.int8]
    record_ids: Integers

    def rows(self, standing: Standing) -> Integers:
        """Positions of the rows of one standing, in order."""
        return np.flatnonzero(self.standing == standing)


@dataclass(frozen=True, slots=True)
class _SortedRun:
    """Versions sorted by key hash."""

    hashes: Hashes
    record_ids: Integers
    digests: Digests

    @classmethod
    def of(cls, hashes: Hashes, record_ids: Integers, digests: Digests) -> "_SortedRun":
        order = np.argsort(hashes, kind="stable")
        return cls(hashes[order], record_ids[order], digests[order])

    def merged(self, other: "_SortedRun") -> "_SortedRun":
        return _SortedRun.of(
            np.concatenate([self.hashes, other.hashes]),
            np.concatenate([self.record_ids, other.record_ids]),
            np.concatenate([self.digests, other.digests]),
        )


@dataclass(slots=True)
class KnownRecords:
    """Every stored version of every record, by key hash."""

    _runs: list[_SortedRun] = field(default_factory=list)

    def __len__(self) -> int:
        """How many versions are known."""
        return sum(len(run.hashes) for run in self._runs)

    def add(self, hashes: Hashes, record_ids: Integers, digests: Digests) -> None:
        """Takes in versions that have just been stored: uint64[n], int64[n], uint64[n, 2]."""
        if len(hashes) == 0:
            return
        self._runs.append(_SortedRun.of(hashes, record_ids, digests))
        # Each run stays at least twice as long as the next: every version is moved a logarithmic number of times.
        while len(self._runs) > 1 and len(self._runs[-2].hashes) < 2 * len(self._runs[-1].hashes):
            last = self._runs.pop()
            self._runs.append(self._runs.pop().merged(last))

    def classify(self, hashes: Hashes, digests: Digests) -> Classified:
        """Tells new, unchanged and changed rows apart: `hashes` uint64[n], `digests` uint64[n, 2] in the same order."""
        count = len(hashes)
        record_ids = np.full(count, -1, dtype=np.int64)
        same = np.zeros(count, dtype=np.bool_)
        order = np.argsort(hashes, kind="stable")
        wanted = hashes[order]
        for run in self._runs:
            first = np.searchsorted(run.hashes, wanted, side="left")
            last = np.searchsorted(run.hashes, wanted, side="right")
            open_rows = np.flatnonzero(first < last)
            record_ids[order[open_rows]] = run.record_ids[first[open_rows]]
            step = 0
            while len(open_rows):
                stored = first[open_rows] + step
                rows = order[open_rows]
                same[rows] |= (run.digests[stored] == digests[rows]).all(axis=1)
                step += 1
                open_rows = open_rows[first[open_rows] + step < last[open_rows]]
        standing = np.where(same, Standing.UNCHANGED, np.where(record_ids >= 0, Standing.CHANGED, Standing.NEW))
        repeated = np.zeros(count, dtype=np.bool_)
        repeated[order[1:]] = wanted[1:] == wanted[:-1]
        standing[repeated & ~same] = Standing.LATER
        return Classified(standing.astype(np.int8), record_ids)
