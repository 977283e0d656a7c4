"""Visits: which person meets which source, when, at which site, and in what mood the clerk is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mpi.synthetic.habits import Habits, SourceHabits
from mpi.synthetic.numbers import mix
from mpi.synthetic.people import EPOCH, TODAY, People
from mpi.synthetic.text import BoolArray, FloatArray, IntArray

NEWBORN_DAYS = 28
HOSPITALS = 130
_SITE_CARE = np.random.default_rng(20261121).normal(0.0, 1.0, 4096)
"""Standard normal draws by which sites differ; a site keeps its own through a whole city."""
_HOSPITAL_SHARE = np.cumsum(1.0 / np.arange(1, HOSPITALS + 1) ** 0.8)


@dataclass(frozen=True, slots=True)
class Visits:
    """One row a record: the person's row, the day of capture, the site, whether these are a newborn's first days.

    `unknown` marks patients nobody could name, `site_care` how sloppy the site is (mean 1), `legacy_site` an old font.
    """

    row: IntArray
    day: IntArray
    site: IntArray
    newborn: BoolArray
    unknown: BoolArray
    site_care: FloatArray
    legacy_site: BoolArray

    def __len__(self) -> int:
        return len(self.row)


def day_number(date: str) -> int:
    """Days since 1900-01-01 of an ISO date."""
    return int((np.datetime64(date, "D") - EPOCH).astype(np.int64))


def _expected(habits: SourceHabits, people: People) -> FloatArray:
    """Expected records a person by age."""
    age = (TODAY - people.birth) / 365.25
    rates = np.array([rate for _, rate in habits.coverage])
    return rates[np.searchsorted([start for start, _ in habits.coverage], age, side="right") - 1]


def _rows(rng: np.random.Generator, habits: SourceHabits, people: People) -> IntArray:
    """Rows of people with a record; repeated where a source knows a person several times."""
    expected = _expected(habits, people)
    if not habits.several:
        return np.flatnonzero(rng.random(len(people)) < expected)
    frail = rng.gamma(1.6, 1 / 1.6, len(people))
    return np.repeat(np.arange(len(people)), np.minimum(rng.poisson(expected * frail), 9))


def _sites(rng: np.random.Generator, source: str, people: People, rows: IntArray) -> IntArray:
    """Site numbers: a school by ward and age, a ward's station, an office by district, a hospital by size."""
    place = people.place[rows]
    if source == "student":
        return place * 8 + (people.year[rows] // 5) % 4 * 2 + rng.integers(0, 2, len(rows))
    if source == "station":
        return place
    if source == "insurance":
        return place // 15
    return np.searchsorted(_HOSPITAL_SHARE / _HOSPITAL_SHARE[-1], rng.random(len(rows)), side="right")


def _visits(rng: np.random.Generator, source: str, habits: SourceHabits, people: People, rows: IntArray) -> Visits:
    """Days and sites for the given rows; people too young for the source at its last day are left out."""
    youngest = 3 * 365 if source == "student" else 0
    low, high = day_number(habits.window[0]), day_number(habits.window[1])
    rows = rows[people.birth[rows] + youngest < high]
    start = np.maximum(people.birth[rows] + youngest, low)
    day = high - ((high - start) * rng.random(len(rows)) ** habits.recent).astype(np.int64)
    in_window = (people.birth >= low) & (people.birth < high - 4)
    born_there = np.flatnonzero(in_window & (rng.random(len(people)) < habits.newborn_visits))
    rows, day = np.r_[rows, born_there], np.r_[day, people.birth[born_there] + rng.integers(0, 4, len(born_there))]
    site = _sites(rng, source, people, rows)
    salt = sum(source.encode())
    spread = habits.moods.site_spread
    care = np.exp(spread * _SITE_CARE[mix(site * 977 + salt) % 4096] - spread**2 / 2)
    legacy = mix(site * 31 + salt) % 10_000 < habits.legacy_sites * 10_000
    unknown = rng.random(len(rows)) < habits.share("unknown_patient")
    return Visits(rows, day, site, day - people.birth[rows] <= NEWBORN_DAYS, unknown, care, legacy)


def draw_visits(rng: np.random.Generator, habits: Habits, people: People) -> Mapping[str, Visits]:
    """Visits of one chunk of people by source; whom no source met gets a record at the last source named."""
    rows = {source: _rows(rng, source_habits, people) for source, source_habits in habits.items()}
    visits = {source: _visits(rng, source, habits[source], people, rows[source]) for source in list(habits)[:-1]}
    last = list(habits)[-1]
    met = np.zeros(len(people), dtype=np.bool_)
    for known in visits.values():
        met[known.row] = True
    met[rows[last]] = True
    visits[last] = _visits(rng, last, habits[last], people, np.r_[rows[last], np.flatnonzero(~met)])
    return visits
