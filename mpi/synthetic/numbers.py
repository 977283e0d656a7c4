"""Numbers of persons by their published structure: citizen numbers, 9-digit cards, insurance numbers, phones.

Serials are pseudo-random and never repeat: each prefix counts up, and the count is scrambled by a Feistel permutation.
"""

import numpy as np

from mpi.data import vn
from mpi.synthetic.text import IntArray

_MIX = np.uint64(0x9E3779B97F4A7C15)
HOME_PROVINCE = 79


def mix(values: IntArray) -> IntArray:
    """Non-negative 62-bit hash of each value (splitmix64's finaliser)."""
    h = values.astype(np.uint64) * _MIX
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((h ^ (h >> np.uint64(31))) >> np.uint64(2)).astype(np.int64)


def scramble(counts: IntArray, low: int, high: int, key: IntArray) -> IntArray:
    """A permutation of 0..low*high-1 chosen by `key`, applied to each count (alternating Feistel, six rounds)."""
    right, left = counts % low, (counts // low) % high
    for turn in range(3):
        left = (left + mix(right + low * (key * 8 + turn))) % high
        right = (right + mix(left + high * (key * 8 + 4 + turn))) % low
    return left * low + right


class NumberOffice:
    """Hands out numbers for a whole city: counters by prefix go on from chunk to chunk."""

    def __init__(self, seed: int) -> None:
        self._key = int(mix(np.array([seed + 1], dtype=np.int64))[0] % 1_000_003) * 1_000_000
        self._citizen = np.zeros(100_000, dtype=np.int64)
        self._card = np.zeros(100, dtype=np.int64)
        self._insurance = np.zeros(100, dtype=np.int64)
        self.card_prefix = _card_prefixes()

    @staticmethod
    def _count(counters: IntArray, prefix: IntArray) -> IntArray:
        """Running count within each prefix, in row order; the counters are moved on."""
        order = np.argsort(prefix, kind="stable")
        ordered = prefix[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        within = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
        counts = np.empty(len(prefix), dtype=np.int64)
        counts[order] = within + counters[ordered]
        counters += np.bincount(prefix, minlength=len(counters))
        return counts

    def citizen_numbers(self, province: IntArray, sex: IntArray, year: IntArray) -> IntArray:
        """12-digit personal numbers (Decree 137/2015, article 13); sex 1 male, 2 female; years 1900 to 2099."""
        century_sex = (year >= 2000) * 2 + (sex == 2)
        prefix = province * 1000 + century_sex * 100 + year % 100
        serial = scramble(self._count(self._citizen, prefix), 1000, 1000, self._key + prefix)
        return np.asarray(prefix * 1_000_000 + serial, dtype=np.int64)

    def card_numbers(self, province: IntArray) -> IntArray:
        """9-digit identity card numbers by the issuing province's two digits."""
        prefix = self.card_prefix[province]
        serial = scramble(self._count(self._card, prefix), 1000, 10_000, self._key + 200_000 + prefix)
        return np.asarray(prefix * 10_000_000 + serial, dtype=np.int64)

    def insurance_numbers(self, province: IntArray) -> IntArray:
        """10-digit social-insurance numbers: province, then eight digits."""
        serial = scramble(self._count(self._insurance, province), 10_000, 10_000, self._key + 300_000 + province)
        return np.asarray(province * 100_000_000 + serial, dtype=np.int64)


def _card_prefixes() -> IntArray:
    """First two digits of the 9-digit card by province code (0..99)."""
    table = np.full(100, 2, dtype=np.int64)
    for province in vn.rows("cccd_province_codes"):
        for row in vn.rows("cmnd_prefixes"):
            if province["province_2008_2025"] in row["issuing_province_before_2021"]:
                table[int(province["code3"])] = int(row["prefix"])
                break
    return table


def mobile_prefixes() -> IntArray:
    """Two digits after the leading 0 of today's mobile numbers, weighted to the big carriers by repetition."""
    own: list[int] = []
    for row in vn.rows("phone_mobile_prefixes"):
        weight = {"Viettel": 6, "VinaPhone": 3, "MobiFone": 4}.get(row["original_carrier"], 1)
        own += [int(row["prefix_3"])] * weight
    return np.array(own, dtype=np.int64)


def old_mobile_prefixes() -> IntArray:
    """Three digits after the leading 0 before September 2018, by today's two digits (0 where nothing changed)."""
    table = np.zeros(100, dtype=np.int64)
    for row in vn.rows("phone_mobile_2018_map"):
        table[int(row["new_prefix_3"])] = int(row["old_prefix_4"])
    return table


def draw_mobiles(rng: np.random.Generator, count: int) -> IntArray:
    """Mobile numbers as nine digits behind the leading 0; a few people hold the same recycled number by chance."""
    prefixes = mobile_prefixes()
    return prefixes[rng.integers(0, len(prefixes), count)] * 10_000_000 + rng.integers(0, 10_000_000, count)
