"""Columns that say who a person is: name, mother's name, birth date, sex, ward, address, time of capture."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mpi.synthetic import text
from mpi.synthetic.errors import date_parts, day_of, slip_dates
from mpi.synthetic.names import STYLE_CODES, NameBook, Options
from mpi.synthetic.numbers import mix
from mpi.synthetic.people import MALE
from mpi.synthetic.sheet import DATE_CODES, GROWN_AGE, REFORM, SEX_WORDS, Sheet
from mpi.synthetic.text import BoolArray, IntArray, Strings

NEWBORN_PREFIXES = ("Con Bà", "Con Bà", "CB", "Con Của", "", "")
UNKNOWN_NAMES = ("Vô Danh", "Không Rõ", "Bệnh Nhân Nam")
LIST_SUFFIXES, FIRST_TWIN_SUFFIX = 4, 5
MIDDLE_AGE = 30


def _misspelt(sheet: Sheet, parts: IntArray, options: Options, slipped: BoolArray) -> IntArray:
    """Parts with one accident each on the rows where it happened."""
    rows = np.flatnonzero(slipped)
    parts = parts.copy()
    parts[rows] = options.draw(sheet.desk.rng, parts[rows])
    return parts


def _as_spelt(sheet: Sheet, name: list[IntArray]) -> list[IntArray]:
    """Surname, middle and given name after regional forms, dialect and typing."""
    book, desk = sheet.world.names, sheet.desk
    other, spoken = desk.share("iy_or_region"), desk.slips("dialect")
    where = desk.rng.random(sheet.size)
    at = np.where(where < 0.15, 0, np.where(where < 0.45, 1, 2))
    name = [_misspelt(sheet, part, book.neutral, other & (at == i)) for i, part in enumerate(name)]
    name = [_misspelt(sheet, part, book.dialect, spoken & (at == i)) for i, part in enumerate(name)]
    typed = (desk.slips("surname_typo"), desk.slips("middle_typo"), desk.slips("given_typo"))
    return [_misspelt(sheet, part, book.typo, slipped) for part, slipped in zip(name, typed, strict=True)]


def full_name(sheet: Sheet) -> Strings:
    """Names as the source writes them; newborns may stand under their mother's name, a few patients under none."""
    book, desk, people = sheet.world.names, sheet.desk, sheet.people
    former = sheet.of(people.former_given)
    given = np.where((former > 0) & desk.share("former_name"), former, sheet.of(people.given))
    given = np.where(desk.slips("wrong_given"), np.roll(given, 1), given)
    surname, middle = sheet.of(people.surname), sheet.of(people.middle)
    under_mother = sheet.visits.newborn & desk.share("newborn_under_mother")
    mother = people.mother_name[sheet.visits.row]
    name = [np.where(under_mother, mother[:, i], part) for i, part in enumerate((surname, middle, given))]
    surname, middle, given = _as_spelt(sheet, name)
    middle = _misspelt(sheet, middle, book.shorter, desk.slips("middle_shortened"))
    middle = np.where(desk.slips("middle_dropped"), 0, middle)
    swapped = desk.slips("order_swapped")
    last = np.where(swapped, np.where(middle > 0, middle, surname), given)
    first, second = np.where(swapped, given, surname), np.where(swapped, np.where(middle > 0, surname, 0), middle)
    prefix = np.where(under_mother, _prefixes(sheet, book), 0)
    for part in (prefix, first, second):
        part[sheet.visits.unknown] = 0
    strangers = np.array([book.number[word] for word in UNKNOWN_NAMES])
    last = np.where(sheet.visits.unknown, strangers[desk.rng.integers(0, len(strangers), sheet.size)], last)
    suffix = np.where(desk.share("name_suffix"), desk.rng.integers(1, LIST_SUFFIXES + 1, sheet.size), 0)
    twin = under_mother & sheet.people.twin[sheet.visits.row]
    suffix = np.where(twin, FIRST_TWIN_SUFFIX + sheet.of(people.seat) % 2, suffix)
    return book.render([prefix, first, second, last], sheet.style, suffix)


def _prefixes(sheet: Sheet, book: NameBook) -> IntArray:
    """What stands before a mother's name on her newborn's record."""
    prefixes = np.array([book.number[word] for word in NEWBORN_PREFIXES])
    drawn = prefixes[sheet.desk.rng.integers(0, len(prefixes), sheet.size)]
    child = np.where(sheet.of(sheet.people.sex) == MALE, book.number["Bé Trai"], book.number["Bé Gái"])
    return np.where(sheet.desk.rng.random(sheet.size) < 0.15, child, drawn)


def mother_name(sheet: Sheet) -> Strings:
    """The mother's name: asked for with children, seldom known of adults, sometimes the father's."""
    book, desk, row = sheet.world.names, sheet.desk, sheet.visits.row
    father = desk.slips("father_for_mother")[:, None]
    parents = np.where(father, sheet.people.father_name[row], sheet.people.mother_name[row])
    given = _misspelt(sheet, parents[:, 2], book.typo, desk.slips("mother_typo"))
    middle = np.where(desk.slips("middle_dropped"), 0, parents[:, 1])
    absent = np.where(sheet.age < GROWN_AGE, desk.lacks("mother_missing"), ~desk.share("mother_of_adult"))
    names = book.render([parents[:, 0], middle, given], sheet.style, np.zeros(sheet.size, dtype=np.int64))
    return pc.if_else(pa.array(absent | sheet.visits.unknown), pa.scalar(None, pa.string()), names)


def birth_date(sheet: Sheet) -> Strings:
    """Birth dates in the source's formats; a bare year or 01/01 where no more is known or written."""
    desk, people = sheet.desk, sheet.people
    birth = sheet.of(people.birth)
    registered_year = people.year_only[sheet.visits.row]
    invented = registered_year & desk.share("exact_elder_date")
    year = sheet.of(people.year)
    invented_day = day_of(year, desk.rng.integers(1, 13, sheet.size), desk.rng.integers(1, 29, sheet.size))
    birth = np.where(invented, invented_day, birth)
    vague = (registered_year & ~invented) | (desk.slips("year_only") & (sheet.age >= MIDDLE_AGE))
    typed = slip_dates(desk, birth, sheet.visits.day)
    typed_year, _, _ = date_parts(typed)
    first_january = vague & desk.share("first_january")
    typed = np.where(vague, day_of(typed_year, np.ones_like(typed), np.ones_like(typed)), typed)
    form = desk.choose(desk.habits.date_formats, DATE_CODES)
    form = np.where(vague & ~first_january, desk.choose(desk.habits.year_formats, DATE_CODES), form)
    written = text.take(sheet.tables.dates, form * sheet.tables.days + np.clip(typed, 0, sheet.tables.days - 1))
    minute = mix(sheet.of(people.person)) % 1440
    minute = np.where(form == DATE_CODES["yyyymmddHHMM"], 1 + minute, 0)
    absent = desk.lacks("date_missing") | sheet.visits.unknown
    return text.join([written, text.take(sheet.tables.times, minute)], absent)


def sex(sheet: Sheet) -> Strings:
    """Sex in the source's words."""
    desk = sheet.desk
    words = desk.habits.sex_words
    shares = {str(at): share for at, (_, _, share) in enumerate(words)}
    drawn = desk.choose(shares, {at: int(at) for at in shares})
    codes = np.array([[SEX_WORDS.index(male), SEX_WORDS.index(female)] for male, female, _ in words])
    other = desk.slips("sex_wrong")
    person_sex = np.where(other, 3 - sheet.of(sheet.people.sex), sheet.of(sheet.people.sex))
    words_taken = text.take(sheet.tables.sexes, codes[drawn, person_sex - 1])
    return pc.if_else(pa.array(desk.lacks("sex_missing")), pa.scalar(None, pa.string()), words_taken)


def _homes(sheet: Sheet) -> tuple[IntArray, IntArray]:
    """Place and house at the time of capture; migrants may give those of their home province."""
    people = sheet.people
    earlier = sheet.visits.day < sheet.of(people.moved)
    place = np.where(earlier, sheet.of(people.former_place), sheet.of(people.place))
    house = np.where(earlier, sheet.of(people.former_house), sheet.of(people.house))
    home = sheet.of(people.home_place)
    away = (home >= 0) & sheet.desk.share("home_province")
    return np.where(away, home, place), np.where(away, mix(house), house)


def ward_and_address(sheet: Sheet) -> tuple[Strings, Strings]:
    """Ward codes, old or new by the day of capture, and the address that goes with them."""
    desk, places = sheet.desk, sheet.world.places
    place, house = _homes(sheet)
    reformed = (sheet.visits.day >= REFORM) & ~desk.share("ward_stale")
    written = np.where(desk.slips("ward_wrong"), places.neighbour[place], place)
    code = np.where(reformed, places.new_code[written], places.old_code[written])
    raw = desk.slips("ward_raw")
    grid = np.hstack([np.zeros((sheet.size, 3), dtype=np.uint8), text.digits(code, 5)])
    grid[raw, :3] = text.digits(200 + places.old_province[written][raw], 3)
    ward = text.grid_strings(grid, desk.lacks("ward_missing") | sheet.visits.unknown)
    upper, bare = sheet.style == STYLE_CODES["upper"], sheet.style == STYLE_CODES["bare"]
    style = np.where(upper, 1, np.where(bare, 2, np.where(desk.rng.random(sheet.size) < 0.4, 3, 0)))
    address = places.address(house, place, style=style, reformed=reformed, short=desk.share("address_short"))
    absent = desk.lacks("address_missing") | sheet.visits.unknown
    return ward, pc.if_else(pa.array(absent), pa.scalar(None, pa.string()), address)


def recorded_at(sheet: Sheet) -> Strings:
    """Day of capture, ISO 8601."""
    return text.take(sheet.tables.iso, sheet.visits.day)
