"""People and households: who lives with whom, how old they are, what they are called and which numbers they hold.

A household is eight seats: father or head, mother, four children, two grandparents. Days count from 1900-01-01.
"""

from dataclasses import dataclass

import numpy as np

from mpi.synthetic import numbers
from mpi.synthetic.names import NameBook
from mpi.synthetic.numbers import NumberOffice
from mpi.synthetic.places import Places
from mpi.synthetic.text import BoolArray, IntArray

EPOCH = np.datetime64("1900-01-01", "D")
TODAY = int((np.datetime64("2026-11-01", "D") - EPOCH).astype(np.int64))
THIS_YEAR = 2026
SEATS = 8
MALE, FEMALE = 1, 2

HOUSEHOLDS = (
    # kind, share, father, mother, children (share of 0..4), grandparents (chance of each), mother's age from-to
    ("single man", 0.085, 1, 0, (1.0, 0, 0, 0, 0), 0.0, (19, 45)),
    ("single woman", 0.085, 0, 1, (1.0, 0, 0, 0, 0), 0.0, (19, 48)),
    ("brothers and sisters", 0.07, 0, 0, (0, 0, 0.7, 0.3, 0), 0.0, (44, 58)),
    ("couple", 0.13, 1, 1, (1.0, 0, 0, 0, 0), 0.06, (23, 68)),
    ("family", 0.38, 1, 1, (0, 0.38, 0.48, 0.11, 0.03), 0.0, (23, 56)),
    ("three generations", 0.13, 1, 1, (0, 0.38, 0.47, 0.12, 0.03), 0.68, (23, 50)),
    ("one parent", 0.06, 0.2, 1, (0, 0.55, 0.36, 0.09, 0), 0.15, (22, 52)),
    ("old couple", 0.04, 0, 0, (1.0, 0, 0, 0, 0), 1.0, (34, 58)),
    ("old and alone", 0.02, 0, 0, (1.0, 0, 0, 0, 0), 0.4, (38, 60)),
)
"""Kinds of household: an estimate that gives roughly the city's age pyramid and 3.1 persons a household."""

TWIN_CHANCE = 0.0135
"""Chance that a child with an elder in the household is that one's twin; makes about 2% of children twins."""
SIBLING_MIDDLE = 0.35
MIGRANT = {"adult": 0.50, "grown child": 0.30, "child": 0.12}
"""Share of people whose birth was registered in their household's home province, outside the city."""
YEAR_ONLY = ((0, 0.80), (1946, 0.55), (1956, 0.25), (1966, 0.07), (1976, 0.01), (1990, 0.0))
"""Share of people of whom only the birth year was ever registered, from birth year."""


@dataclass(frozen=True, slots=True)
class People:
    """One chunk of people, a row a person, int64 unless said; row -1 and number 0 mean "none".

    `contact` is the row of the adult who answers for a child; `relative` another adult of the household.
    Names are vocabulary numbers; places are rows of `Places`; `phone` and `former_phone` nine digits.
    """

    person: IntArray
    household: IntArray
    seat: IntArray
    sex: IntArray
    birth: IntArray
    year: IntArray
    year_only: BoolArray
    twin: BoolArray
    surname: IntArray
    middle: IntArray
    given: IntArray
    former_given: IntArray
    mother_name: IntArray
    father_name: IntArray
    contact: IntArray
    relative: IntArray
    citizen: IntArray
    card: IntArray
    insurance: IntArray
    phone: IntArray
    former_phone: IntArray
    phone_since: IntArray
    place: IntArray
    former_place: IntArray
    moved: IntArray
    house: IntArray
    former_house: IntArray
    home_place: IntArray

    def __len__(self) -> int:
        return len(self.person)

    def head(self, count: int) -> "People":
        """The first `count` people; links to those cut off are undone."""
        if count >= len(self):
            return self
        fields = {name: getattr(self, name)[:count] for name in self.__slots__}
        for name in ("contact", "relative"):
            fields[name] = np.where(fields[name] >= count, -1, fields[name])
        return People(**fields)


@dataclass(frozen=True, slots=True)
class World:
    """What does not change while a city is made: names, places, and the office that hands out numbers."""

    names: NameBook
    places: Places
    office: NumberOffice


@dataclass(frozen=True, slots=True)
class _Seats:
    """Households as matrices of shape (households, 8), before empty seats are dropped."""

    present: BoolArray
    sex: IntArray
    birth: IntArray
    twin: BoolArray
    paternal: BoolArray


def birth_years(birth: IntArray) -> IntArray:
    """Calendar years of days since 1900-01-01."""
    years = (EPOCH + birth).astype("datetime64[Y]").astype(np.int64) + 1970
    return np.asarray(years, dtype=np.int64)


def _seats(rng: np.random.Generator, count: int) -> _Seats:
    """Who is there, of which sex and age."""
    kind = np.searchsorted(np.cumsum([row[1] for row in HOUSEHOLDS]), rng.random(count) * 0.9999, side="right")
    kind = np.minimum(kind, len(HOUSEHOLDS) - 1)
    father, mother, grand = (np.array([float(row[i]) for row in HOUSEHOLDS])[kind] for i in (2, 3, 5))  # type: ignore[arg-type]
    low, high = (np.array([row[6][i] for row in HOUSEHOLDS])[kind] for i in (0, 1))
    children = (rng.random((count, 1)) > np.cumsum([row[4] for row in HOUSEHOLDS], axis=1)[kind]).sum(axis=1)
    age = low + (high - low) * rng.beta(1.15, 1.45, count)
    birth = np.empty((count, SEATS), dtype=np.int64)
    birth[:, 1] = TODAY - (age * 365.25).astype(np.int64)
    birth[:, 0] = np.minimum(birth[:, 1] - (rng.normal(2.3, 3.2, count) * 365).astype(np.int64), TODAY - 18 * 366)
    since = np.clip(rng.normal(26.5, 4.2, count), 18.5, 40.0)
    twin = np.zeros((count, SEATS), dtype=np.bool_)
    for seat in range(2, 6):
        twin[:, seat] = (rng.random(count) < TWIN_CHANCE * 1.9) & (seat > 2)
        birth[:, seat] = birth[:, 1] + (since * 365.25).astype(np.int64)
        if seat > 2:
            birth[:, seat] = np.where(twin[:, seat], birth[:, seat - 1], birth[:, seat])
        since = since + 1.3 + rng.gamma(2.2, 1.3, count)
    paternal = rng.random(count) < 0.65
    parent = np.where(paternal, birth[:, 0], birth[:, 1])
    birth[:, 7] = parent - (rng.normal(26, 4, count).clip(18, 40) * 365.25).astype(np.int64)
    birth[:, 6] = birth[:, 7] - (rng.normal(3, 3, count) * 365).astype(np.int64)
    present = np.zeros((count, SEATS), dtype=np.bool_)
    u = rng.random((count, SEATS))
    present[:, 0], present[:, 1] = u[:, 0] < father, u[:, 1] < mother
    present[:, 2:6] = np.arange(4) < children[:, None]
    left_home = (TODAY - birth[:, 2:6] > 25 * 365) & (u[:, 2:6] < 0.75) & (kind != 2)[:, None]
    present[:, 2:6] &= (birth[:, 2:6] <= TODAY - 20) & ~left_home
    alive = (birth[:, 6:] > 0) & (TODAY - birth[:, 6:] < 101 * 365)
    present[:, 6:] = (u[:, 6:] < grand[:, None] * np.array([0.78, 1.0])) & alive
    twin[:, 3:6] &= present[:, 2:5]
    twin[:, 2:5] |= twin[:, 3:6] & present[:, 3:6]
    sex = np.tile(np.array([1, 2, 1, 1, 1, 1, 1, 2], dtype=np.int64), (count, 1))
    sex[:, 2:6] += rng.random((count, 4)) > 0.517
    same = rng.random(count) < 0.66
    for seat in range(3, 6):
        sex[:, seat] = np.where((birth[:, seat] == birth[:, seat - 1]) & same, sex[:, seat - 1], sex[:, seat])
    return _Seats(present, sex, birth, twin, paternal)


def _names(rng: np.random.Generator, book: NameBook, seats: _Seats) -> tuple[IntArray, IntArray]:
    """Names by seat, shape (households, 8, 3), and mothers' names by seat, of the same shape."""
    count = len(seats.birth)
    cells = (count, SEATS)
    years = birth_years(seats.birth.ravel())
    middle, given = (part.reshape(cells) for part in book.draw_given_names(rng, seats.sex.ravel(), years))
    surname = book.surnames.draw(rng, count * SEATS).reshape(cells)
    own_child = rng.random(count) < 0.03
    surname[:, 6] = np.where(seats.paternal, surname[:, 0], surname[:, 1])
    surname[:, 2:6] = np.where(own_child, surname[:, 1], surname[:, 0])[:, None]
    shared = rng.random((count, 4)) < SIBLING_MIDDLE
    for seat in range(3, 6):
        twins = seats.birth[:, seat] == seats.birth[:, seat - 1]
        same_sex = seats.sex[:, seat] == seats.sex[:, seat - 1]
        copied = same_sex & (shared[:, seat - 2] | (twins & (rng.random(count) < 0.8)))
        middle[:, seat] = np.where(copied, middle[:, seat - 1], middle[:, seat])
        rhymed = twins & (rng.random(count) < 0.6)
        rhymed |= (given[:, seat] == given[:, seat - 1]) & (middle[:, seat] == middle[:, seat - 1])
        for sex in (MALE, FEMALE):
            rows = np.flatnonzero(rhymed & (seats.sex[:, seat] == sex))
            given[rows, seat] = book.alike[sex - 1].draw(rng, given[rows, seat - 1])
    names = np.stack([surname, middle, given], axis=2)
    mothers = np.empty_like(names)
    older = rng.integers(22, 36, count * SEATS)
    m, g = book.draw_given_names(rng, np.full(count * SEATS, FEMALE), years - older)
    drawn = (book.surnames.draw(rng, count * SEATS), m, g)
    for part in range(3):
        mothers[:, :, part] = drawn[part].reshape(cells)
    mothers[:, 2:6] = names[:, 1:2]
    mothers[seats.paternal, 0] = names[seats.paternal, 7]
    mothers[~seats.paternal, 1] = names[~seats.paternal, 7]
    return names, mothers


def _links(rng: np.random.Generator, seats: _Seats, row_of: IntArray) -> tuple[IntArray, IntArray]:
    """Contact and relative of each seat: a parent, grandmother or eldest for a child; a grown child for the old."""
    count = len(row_of)
    first_mother = rng.random(count) < 0.68
    father, mother, grand = row_of[:, 0], row_of[:, 1], row_of[:, 7]
    either = np.where(first_mother & (mother >= 0), mother, np.where(father >= 0, father, mother))
    carer = np.where(either >= 0, either, np.where(grand >= 0, grand, row_of[:, 2]))
    contact = np.repeat(carer[:, None], SEATS, axis=1)
    grown_up = [np.where(carer >= 0, carer, other) for other in (grand, row_of[:, 6])]
    return contact, np.stack([mother, father, carer, carer, carer, carer, *grown_up], axis=1)


def _provinces(rng: np.random.Generator, seats: _Seats, place: IntArray, places: Places) -> tuple[IntArray, IntArray]:
    """Province of birth registration by seat, and home province of the household's elders."""
    count = len(place)
    codes = np.array(sorted(places.of_province), dtype=np.int64)
    weights = np.where(codes >= 80, 4.0, np.where(codes >= 36, 2.2, 0.7))
    weights[np.isin(codes, (74, 77, 79))] = 0.0
    home = codes[np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(count))]
    here = places.old_province[place]
    migrant = rng.random((count, SEATS))
    child_seat = (np.arange(SEATS) >= 2) & (np.arange(SEATS) <= 5)
    grown = TODAY - seats.birth > 18 * 365
    chance = np.where(child_seat, np.where(grown, MIGRANT["grown child"], MIGRANT["child"]), MIGRANT["adult"])
    migrant[:, 6:] = migrant[:, :1]
    return np.where(migrant < chance, home[:, None], here[:, None]), home


def _flat(cells: IntArray | BoolArray, kept: IntArray) -> IntArray:
    """The kept seats of a matrix, a row a person."""
    return np.asarray(cells.reshape(-1, *cells.shape[2:])[kept], dtype=np.int64)


def make_people(
    rng: np.random.Generator, world: World, *, households: int, first_person: int, first_household: int
) -> People:
    """One chunk of households, flattened to people in household order."""
    seats = _seats(rng, households)
    names, mothers = _names(rng, world.names, seats)
    kept = np.flatnonzero(seats.present.ravel())
    count = len(kept)
    row_of = np.full(households * SEATS, -1, dtype=np.int64)
    row_of[kept] = np.arange(count)
    contact, relative = _links(rng, seats, row_of.reshape(-1, SEATS))
    place, former_place = world.places.draw(rng, households), world.places.draw(rng, households)
    moved = np.where(rng.random(households) < 0.3, TODAY - rng.integers(0, 9 * 365, households), 0)
    province, home = _provinces(rng, seats, place, world.places)
    home_place = world.places.draw_in_province(rng, home)
    house, former_house = rng.integers(0, 1 << 40, (2, households))
    at = kept // SEATS
    sex, birth, registered = _flat(seats.sex, kept), _flat(seats.birth, kept), _flat(province, kept)
    year = birth_years(birth)
    shares = np.array([share for _, share in YEAR_ONLY])
    year_only = rng.random(count) < shares[np.searchsorted([y for y, _ in YEAR_ONLY], year, side="right") - 1]
    own = _flat(names, kept)
    _, former_given = world.names.draw_given_names(rng, sex, year)
    renamed = rng.random(count) < 0.0015
    has_card = (year <= 2004) & (rng.random(count) < 0.93)
    has_card &= TODAY - birth > 21 * 365
    card = np.zeros(count, dtype=np.int64)
    card[has_card] = world.office.card_numbers(registered[has_card])
    fathers = names[at, 0]
    return People(
        person=first_person + np.arange(count),
        household=first_household + at,
        seat=kept % SEATS,
        sex=sex,
        birth=birth,
        year=year,
        year_only=year_only,
        twin=_flat(seats.twin, kept) > 0,
        surname=own[:, 0],
        middle=own[:, 1],
        given=own[:, 2],
        former_given=np.where(renamed, former_given, 0),
        mother_name=_flat(mothers, kept),
        father_name=fathers,
        contact=_flat(contact, kept),
        relative=_flat(relative, kept),
        citizen=world.office.citizen_numbers(registered, sex, year),
        card=card,
        insurance=world.office.insurance_numbers(registered),
        phone=numbers.draw_mobiles(rng, count),
        former_phone=numbers.draw_mobiles(rng, count),
        phone_since=np.where(rng.random(count) < 0.35, TODAY - rng.integers(0, 10 * 365, count), 0),
        place=place[at],
        former_place=former_place[at],
        moved=moved[at],
        house=house[at],
        former_house=former_house[at],
        home_place=np.where(registered != world.places.old_province[place[at]], home_place[at], -1),
    )
