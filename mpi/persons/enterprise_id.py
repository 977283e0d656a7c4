"""Enterprise IDs such as `K7Q-2MD-9XA`: what a person is called for ever, made from a counter and a key.

A keyed bijection over 40 bits makes them unique without look-ups, in no visible order. They are names, not secrets:
the mixing hides how many people there are and who came first, it is not meant to withstand cryptanalysis.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O (read as 1, 1, 0) and no U."""

CAPACITY = 1 << 40
"""How many people can be named: eight symbols of five bits."""

_PAYLOAD_SYMBOLS = 8
_SYMBOLS = _PAYLOAD_SYMBOLS + 1
_GROUP = 3
_HALF_BITS = 20
_HALF_MASK = (1 << _HALF_BITS) - 1
_ROUNDS = 8
_WORD_MASK = (1 << 64) - 1
_FEW = 32  # Below it plain integers are quicker than arrays.
# Odd constants of the splitmix64 finaliser (Steele, Lea, Flood 2014); any odd multipliers with spread bits serve.
_MULTIPLIER_1 = 0xBF58476D1CE4E5B9
_MULTIPLIER_2 = 0x94D049BB133111EB
_CONFUSABLE = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_VALUE_OF = {symbol: value for value, symbol in enumerate(ALPHABET)}


def _field_times(left: int, right: int) -> int:
    """Product in GF(32), polynomial x^5 + x^2 + 1."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 32:
            left ^= 0b100101
        right >>= 1
    return product


def _weights() -> tuple[int, ...]:
    """Powers of the generator 2, one a payload symbol: 2^8 for the first down to 2^1; the check symbol has weight 1."""
    powers = [1]
    for _ in range(_PAYLOAD_SYMBOLS):
        powers.append(_field_times(powers[-1], 2))
    return tuple(reversed(powers[1:]))


# _CHECK_TABLE[i, v] is weight i times v. All weights are non-zero and different, so a code word (weighted sum 0) with
# one symbol changed, or any two different symbols swapped, is no longer a code word (Damm 2004 calls the adjacent
# case totally anti-symmetric; over a field it is plain linear algebra).
_CHECK_TABLE: NDArray[np.uint8] = np.array(
    [[_field_times(weight, value) for value in range(32)] for weight in _weights()], dtype=np.uint8
)
_SYMBOL_BYTES: NDArray[np.uint8] = np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)


@lru_cache(maxsize=16)
def _round_keys(key: bytes) -> list[tuple[int, int]]:
    """Two 64-bit words a round, derived from the registry's secret for this purpose alone (BLAKE2b personalisation)."""
    if len(key) != 16:
        raise InvalidInputError(f"an enterprise ID key has 16 bytes, not {len(key)}")
    words: list[int] = []
    for block in range(_ROUNDS * 2 // 8):
        digest = hashlib.blake2b(bytes([block]), key=key, person=b"enterprise-id-v1").digest()
        words.extend(int.from_bytes(digest[at : at + 8], "little") for at in range(0, 64, 8))
    return list(zip(words[0::2], words[1::2], strict=True))


def enterprise_ids(person_ids: NDArray[np.int64], key: bytes) -> list[str]:
    """Enterprise IDs of many people at once, equal to `enterprise_id` of each.

    Args: `person_ids` int64[n] in 0..2^40-1; `key` the 16 bytes of the registry's secret.
    Raises InvalidInputError for an id out of range or a key of another length.
    """
    keys = _round_keys(key)
    if len(person_ids) <= _FEW:
        return [enterprise_id(person_id, key) for person_id in person_ids.tolist()]
    if int(person_ids.min()) < 0 or int(person_ids.max()) >= CAPACITY:
        raise InvalidInputError(f"person ids must lie in 0..{CAPACITY - 1}")
    mask = np.uint64(_HALF_MASK)
    left = person_ids.astype(np.uint64) >> np.uint64(_HALF_BITS)
    right = person_ids.astype(np.uint64) & mask
    for key_1, key_2 in keys:
        mixed = (right ^ np.uint64(key_1)) * np.uint64(_MULTIPLIER_1)
        mixed ^= mixed >> np.uint64(32)
        mixed = (mixed + np.uint64(key_2)) * np.uint64(_MULTIPLIER_2)
        left, right = right, left ^ (mixed >> np.uint64(64 - _HALF_BITS))
    payload = (left << np.uint64(_HALF_BITS)) | right
    return _spell(payload)


def _spell(payload: NDArray[np.uint64]) -> list[str]:
    """Symbols, check symbol and hyphens of 40-bit payloads uint64[n]."""
    symbols = np.empty((len(payload), _SYMBOLS), dtype=np.uint8)
    check = np.zeros(len(payload), dtype=np.uint8)
    for position in range(_PAYLOAD_SYMBOLS):
        shift = np.uint64(5 * (_PAYLOAD_SYMBOLS - 1 - position))
        symbols[:, position] = (payload >> shift) & np.uint64(31)
        check ^= _CHECK_TABLE[position][symbols[:, position]]
    symbols[:, _PAYLOAD_SYMBOLS] = check
    width = _SYMBOLS + _SYMBOLS // _GROUP - 1
    text = np.full((len(payload), width), ord("-"), dtype=np.uint8)
    for position in range(_SYMBOLS):
        text[:, position + position // _GROUP] = _SYMBOL_BYTES[symbols[:, position]]
    spelled: Any = text.view(f"S{width}").ravel().astype(f"U{width}").tolist()
    return list(spelled)


def enterprise_id(person_id: int, key: bytes) -> str:
    """The enterprise ID of one person.

    Raises InvalidInputError for an id outside 0..2^40-1 or a key that is not 16 bytes.
    """
    if not 0 <= person_id < CAPACITY:
        raise InvalidInputError(f"person ids must lie in 0..{CAPACITY - 1}")
    left, right = person_id >> _HALF_BITS, person_id & _HALF_MASK
    for round_key in _round_keys(key):
        left, right = right, left ^ _mix(right, round_key)
    payload = (left << _HALF_BITS) | right
    values = [(payload >> (5 * (_PAYLOAD_SYMBOLS - 1 - position))) & 31 for position in range(_PAYLOAD_SYMBOLS)]
    return _group("".join(ALPHABET[value] for value in [*values, _check_value(values)]))


def person_id_of(text: str, key: bytes) -> int:
    """The person id that an enterprise ID was made from: the inverse of `enterprise_id`.

    Any well-formed ID has one, so the registry still has to be asked whether that person exists.
    Raises InvalidInputError as `parse` does.
    """
    payload = 0
    for symbol in parse(text).replace("-", "")[:_PAYLOAD_SYMBOLS]:
        payload = payload << 5 | _VALUE_OF[symbol]
    left, right = payload >> _HALF_BITS, payload & _HALF_MASK
    for round_key in reversed(_round_keys(key)):
        left, right = right ^ _mix(left, round_key), left
    return (left << _HALF_BITS) | right


def names_of(person_ids: Iterable[int], key: bytes) -> dict[int, str]:
    """The enterprise IDs of some people by number; the registry need not be asked."""
    numbers = np.array(sorted(set(person_ids)), dtype=np.int64)
    return dict(zip(numbers.tolist(), enterprise_ids(numbers, key), strict=True))


def parse(text: str) -> str:
    """The written form of an enterprise ID that somebody typed or read aloud.

    Lower case, missing hyphens, spaces, and O for 0, I or L for 1 are understood.
    Raises InvalidInputError when it has another length, a letter that no ID has, or a wrong check character.
    """
    symbols = text.upper().translate(_CONFUSABLE)
    if len(symbols) != _SYMBOLS:
        raise InvalidInputError(f"an enterprise ID has {_SYMBOLS} letters and digits, this has {len(symbols)}")
    values = [_VALUE_OF.get(symbol, -1) for symbol in symbols]
    if min(values) < 0:
        raise InvalidInputError("an enterprise ID has the digits 0-9 and the letters A-Z without I, L, O and U only")
    if _check_value(values[:_PAYLOAD_SYMBOLS]) != values[_PAYLOAD_SYMBOLS]:
        raise InvalidInputError("the enterprise ID is mistyped: its check character does not fit")
    return _group(symbols)


def _mix(half: int, round_key: tuple[int, int]) -> int:
    """One Feistel round function, 20 bits to 20 bits; the scalar twin of the loop body in `enterprise_ids`."""
    mixed = ((half ^ round_key[0]) * _MULTIPLIER_1) & _WORD_MASK
    mixed ^= mixed >> 32
    mixed = ((mixed + round_key[1]) * _MULTIPLIER_2) & _WORD_MASK
    return mixed >> (64 - _HALF_BITS)


def _check_value(values: list[int]) -> int:
    check = 0
    for position, value in enumerate(values):
        check ^= int(_CHECK_TABLE[position, value])
    return check


def _group(symbols: str) -> str:
    return "-".join(symbols[at : at + _GROUP] for at in range(0, _SYMBOLS, _GROUP))
