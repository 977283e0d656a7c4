"""Slips happen at the rates of the table, together, and the operators do what they say."""

import numpy as np
import pytest

from mpi.synthetic.errors import Desk, date_parts, day_of, lose_zeros, slip_digit, transpose_digits
from mpi.synthetic.habits import HABITS
from mpi.synthetic.people import People
from mpi.synthetic.text import digits, grid_strings, literal_grid, plain_digits
from mpi.synthetic.visits import draw_visits

SIZE = 150_000


@pytest.mark.parametrize(("city", "source"), [(city, source) for city in HABITS for source in HABITS[city]])
def test_rates_are_near_the_table(city: str, source: str) -> None:
    habits = HABITS[city][source]
    desk = Desk(np.random.default_rng(1), habits, np.ones(SIZE))
    for name, rate in habits.slips.items():
        if "_missing" in name:
            assert desk.lacks(name).mean() == pytest.approx(rate, rel=0.12, abs=0.001), name
        elif rate < 0.1:
            assert desk.slips(name).mean() == pytest.approx(rate, rel=0.2, abs=0.0006), name
    for name, rate in habits.shares.items():
        assert desk.share(name).mean() == pytest.approx(rate, rel=0.1, abs=0.001), name


@pytest.mark.parametrize("city", list(HABITS))
def test_slips_go_together(city: str) -> None:
    desk = Desk(np.random.default_rng(2), HABITS[city]["station"], np.ones(SIZE))
    name, date = desk.slips("given_typo"), desk.slips("day_slip")
    assert (name & date).mean() > 3 * name.mean() * date.mean()


def test_a_harsh_record_loses_more_at_once() -> None:
    spoilt = {}
    for city in ("default", "harsh"):
        desk = Desk(np.random.default_rng(6), HABITS[city]["hospital"], np.ones(SIZE))
        spoilt[city] = (desk.slips("given_typo") & desk.slips("year_slip") & desk.lacks("phone_missing")).mean()
    assert spoilt["harsh"] > 1.8 * spoilt["default"] > 0


def test_a_mood_changes_what_is_missing_but_little() -> None:
    habits = HABITS["default"]["hospital"]
    desk = Desk(np.random.default_rng(7), habits, np.ones(SIZE))
    sloppy = desk.mood > 2
    lacking = desk.lacks("phone_missing")
    assert 1.05 < lacking[sloppy].mean() / lacking[~sloppy].mean() < 1.4


def test_sloppy_sites_err_more() -> None:
    habits = HABITS["default"]["hospital"]
    neat, sloppy = (Desk(np.random.default_rng(3), habits, np.full(SIZE, care)) for care in (0.4, 2.5))
    assert sloppy.slips("given_typo").mean() > 2 * neat.slips("given_typo").mean()


def test_a_digit_slip_changes_one_digit_and_a_transposition_two() -> None:
    rng = np.random.default_rng(4)
    grid = digits(rng.integers(0, 10**12, 500), 12)
    before = grid.copy()
    slip_digit(rng, grid, np.arange(250), first=3, last=11)
    assert ((grid != before).sum(axis=1)[:250] == 1).all()
    assert (grid[:, :3] == before[:, :3]).all()
    assert (grid[250:] == before[250:]).all()
    swapped = before.copy()
    transpose_digits(rng, swapped, np.arange(500), first=3, last=11)
    assert set((swapped != before).sum(axis=1)) <= {0, 2}
    assert (np.sort(swapped, axis=1) == np.sort(before, axis=1)).all()


def test_a_spreadsheet_loses_leading_zeros_only() -> None:
    grid = digits(np.array([1079000100, 79099012345, 123456789012]), 12)
    lose_zeros(grid, np.array([0, 1, 2]))
    assert grid_strings(grid, np.zeros(3, dtype=bool)).to_pylist() == ["1079000100", "79099012345", "123456789012"]


def test_byte_grids_become_strings() -> None:
    grid = np.hstack([plain_digits(np.array([0, 7, 120]), 3), literal_grid(["", "ă", "x"], 2)])
    assert grid_strings(grid, np.array([False, False, True])).to_pylist() == ["", "7ă", None]


def test_dates_come_apart_and_together() -> None:
    days = np.arange(0, 46_000, 37)
    year, month, day = date_parts(days)
    assert (day_of(year, month, day) == days).all()
    assert tuple(int(part[0]) for part in date_parts(np.array([45_960]))) == (2025, 11, 1)


def test_everybody_meets_some_source_and_nobody_before_birth(people: People) -> None:
    visits = draw_visits(np.random.default_rng(5), HABITS["default"], people)
    met = np.zeros(len(people), dtype=bool)
    for source, seen in visits.items():
        met[seen.row] = True
        youngest = 3 * 365 if source == "student" else 0
        assert (seen.day >= people.birth[seen.row] + youngest).all()
    assert met.all()
    assert len(np.unique(visits["station"].row)) == len(visits["station"])
    assert len(np.unique(visits["hospital"].row)) < len(visits["hospital"])
