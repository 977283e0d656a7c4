"""SipHash-2-4 (Aumasson and Bernstein, 2012) over byte strings and over whole words, in numba.

Codes are never 0: 0 means "missing" in feature rows and blocking keys.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.matching.jit import inlined, leaf

PUBLIC_KEY = bytes(range(16))
"""Key of hashes that must be equal on every registry: term frequencies in released rule files."""

_C0 = np.uint64(0x736F6D6570736575)
_C1 = np.uint64(0x646F72616E646F6D)
_C2 = np.uint64(0x6C7967656E657261)
_C3 = np.uint64(0x7465646279746573)
_ONE = np.uint64(1)
_FF = np.uint64(0xFF)


def key_words(key: bytes) -> NDArray[np.uint64]:
    """Split a 16-byte key into its two little-endian words, shape (2,). Raises ValueError for another length."""
    if len(key) != 16:
        raise ValueError(f"a SipHash key has 16 bytes, not {len(key)}")
    return np.frombuffer(key, dtype="<u8").astype(np.uint64)


@inlined
def _rotate(value: Any, bits: int) -> Any:
    return (value << np.uint64(bits)) | (value >> np.uint64(64 - bits))


@inlined
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 = v0 + v1
    v1 = _rotate(v1, 13) ^ v0
    v0 = _rotate(v0, 32)
    v2 = v2 + v3
    v3 = _rotate(v3, 16) ^ v2
    v0 = v0 + v3
    v3 = _rotate(v3, 21) ^ v0
    v2 = v2 + v1
    v1 = _rotate(v1, 17) ^ v2
    v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


@inlined
def _absorb(v0: Any, v1: Any, v2: Any, v3: Any, word: Any) -> Any:
    v3 = v3 ^ word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


@inlined
def _finish(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v2 = v2 ^ _FF
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    code = v0 ^ v1 ^ v2 ^ v3
    return code if code != np.uint64(0) else _ONE


@leaf
def hash_bytes(data: Any, start: int, stop: int, key: Any) -> Any:
    """SipHash-2-4 of data[start:stop] (uint8) under key (uint64, shape (2,)); 0 is given as 1."""
    k0, k1 = key[0], key[1]
    v0, v1, v2, v3 = k0 ^ _C0, k1 ^ _C1, k0 ^ _C2, k1 ^ _C3
    length = stop - start
    position = start
    while stop - position >= 8:
        word = np.uint64(0)
        for byte in range(8):
            word |= np.uint64(data[position + byte]) << np.uint64(8 * byte)
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, word)
        position += 8
    last = np.uint64(length & 0xFF) << np.uint64(56)
    for byte in range(stop - position):
        last |= np.uint64(data[position + byte]) << np.uint64(8 * byte)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, last)
    return _finish(v0, v1, v2, v3)


@leaf
def hash_pair(first: Any, second: Any, key: Any) -> Any:
    """SipHash-2-4 of two words (16 bytes) under key; used to chain codes into blocking keys. Never 0."""
    k0, k1 = key[0], key[1]
    v0, v1, v2, v3 = k0 ^ _C0, k1 ^ _C1, k0 ^ _C2, k1 ^ _C3
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, first)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, second)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, np.uint64(16) << np.uint64(56))
    return _finish(v0, v1, v2, v3)


@leaf
def hash_strings(data: Any, offsets: Any, key: Any, out: Any) -> None:
    """Hash string i = data[offsets[i]:offsets[i + 1]] into out[i] (uint64, shape (n,)); an empty string gives 0."""
    for index in range(out.shape[0]):
        start, stop = offsets[index], offsets[index + 1]
        out[index] = hash_bytes(data, start, stop, key) if stop > start else np.uint64(0)


def hash_text(text: str, key: bytes) -> int:
    """SipHash-2-4 of one text's UTF-8 bytes as a Python integer; 0 for the empty text."""
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    return int(hash_bytes(data, 0, len(data), key_words(key))) if len(data) else 0
