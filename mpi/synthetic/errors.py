"""Error operators on columns of numbers and dates, and the desk: who errs on which record.

Slips go together: a record's mood multiplies the rate of every slip on it.
"""

from collections.abc import Mapping

import numpy as np

from mpi.synthetic.habits import SourceHabits
from mpi.synthetic.people import EPOCH
from mpi.synthetic.text import BoolArray, ByteGrid, FloatArray, IntArray

MOST = 0.9
"""No slip is surer than this, however sloppy the clerk."""


class Desk:
    """Where a batch of records of one source is typed: draws slips by mood and steady habits by share."""

    def __init__(self, rng: np.random.Generator, habits: SourceHabits, site_care: FloatArray) -> None:
        moods = habits.moods
        u = rng.random(len(site_care))
        sloppy = u < np.minimum(moods.sloppy * site_care, 0.6)
        careful = u > 1.0 - moods.careful
        kind = np.where(sloppy, 2, np.where(careful, 0, 1))
        factor = np.array(moods.factors)[kind]
        shares = (moods.careful, 1.0 - moods.careful - moods.sloppy, moods.sloppy)
        self.rng = rng
        self.habits = habits
        self.size = len(site_care)
        self.mood = factor / sum(f * s for f, s in zip(moods.factors, shares, strict=True))
        mean_lack = sum(f**moods.lack_power * s for f, s in zip(moods.factors, shares, strict=True))
        self._lack = factor**moods.lack_power / mean_lack

    def slips(self, name: str) -> BoolArray:
        """Records on which the named slip happens."""
        rate = self.habits.slip(name)
        if rate == 0.0:
            return np.zeros(self.size, dtype=np.bool_)
        return np.asarray(self.rng.random(self.size) < np.minimum(rate * self.mood, MOST))

    def lacks(self, name: str) -> BoolArray:
        """Records that lack a value: depends on the mood but little, for often nobody knew the value."""
        return np.asarray(self.rng.random(self.size) < np.minimum(self.habits.slip(name) * self._lack, MOST))

    def share(self, name: str) -> BoolArray:
        """Records that follow a steady habit."""
        rate = self.habits.share(name)
        if rate == 0.0:
            return np.zeros(self.size, dtype=np.bool_)
        return np.asarray(self.rng.random(self.size) < rate)

    def choose(self, shares: Mapping[str, float], codes: Mapping[str, int]) -> IntArray:
        """One of the words of `shares` for each record, as its code."""
        values = np.array([codes[word] for word in shares], dtype=np.int64)
        cumulative = np.cumsum(list(shares.values()))
        drawn = np.searchsorted(cumulative / cumulative[-1], self.rng.random(self.size), side="right")
        return values[np.minimum(drawn, len(values) - 1)]


def slip_digit(rng: np.random.Generator, grid: ByteGrid, rows: IntArray, *, first: int, last: int) -> None:
    """Change one digit of each row, in place, at a column of `first`..`last`; empty cells stay empty."""
    column = rng.integers(first, last + 1, len(rows))
    old = grid[rows, column]
    new = (old - 48 + rng.integers(1, 10, len(rows))) % 10 + 48
    grid[rows, column] = np.where(old == 0, 0, new).astype(np.uint8)


def transpose_digits(rng: np.random.Generator, grid: ByteGrid, rows: IntArray, *, first: int, last: int) -> None:
    """Exchange two neighbouring cells of each row, in place."""
    column = rng.integers(first, last, len(rows))
    left, right = grid[rows, column].copy(), grid[rows, column + 1].copy()
    grid[rows, column], grid[rows, column + 1] = right, left


def lose_zeros(grid: ByteGrid, rows: IntArray) -> None:
    """Drop leading zeros, in place: what a spreadsheet does to a number."""
    some = grid[rows]
    leading = np.cumsum((some != 48) & (some != 0), axis=1) == 0
    some[leading] = 0
    grid[rows] = some


def date_parts(day: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Year, month and day of days since 1900-01-01."""
    date = EPOCH + day
    months = date.astype("datetime64[M]")
    month = months.astype(np.int64)
    return month // 12 + 1970, month % 12 + 1, (date - months).astype(np.int64) + 1


def day_of(year: IntArray, month: IntArray, day: IntArray) -> IntArray:
    """Days since 1900-01-01 of calendar dates."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return np.asarray((months.astype("datetime64[D]") - EPOCH).astype(np.int64) + day - 1, dtype=np.int64)


def slip_dates(desk: Desk, birth: IntArray, captured: IntArray) -> IntArray:
    """Birth dates as typed: exchanged, slipped, or a date of something else."""
    rng = desk.rng
    year, month, day = date_parts(birth)
    swapped = desk.slips("day_month_swapped") & (day <= 12)
    month, day = np.where(swapped, day, month), np.where(swapped, month, day)
    slipped = desk.slips("day_slip")
    step = np.array([-10, -2, -1, 1, 2, 10])[rng.integers(0, 6, desk.size)]
    day = np.where(slipped, (day + step - 1) % 28 + 1, day)
    other_month = desk.slips("month_slip")
    month = np.where(other_month, (month + rng.integers(0, 11, desk.size)) % 12 + 1, month)
    day = np.where(other_month, np.minimum(day, 28), day)
    other_year = desk.slips("year_slip")
    step = np.array([-10, -2, -1, -1, -1, 1, 1, 1, 2, 10])[rng.integers(0, 10, desk.size)]
    year = np.where(other_year, np.clip(year + step, 1905, 2026), year)
    day = np.where(other_year, np.minimum(day, 28), day)
    typed = day_of(year, month, day)
    typed = np.where(desk.slips("other_date"), rng.integers(20_000, 45_500, desk.size), typed)
    typed = np.where(desk.slips("visit_as_birth"), captured, typed)
    sentinel = np.array([0, 25_567])[rng.integers(0, 2, desk.size)]
    return np.where(desk.slips("sentinel_date"), sentinel, typed)
