"""Columns of numbers: citizen number, insurance number or card, phone. Grids of bytes until the last moment."""

from collections.abc import Sequence

import numpy as np

from mpi.synthetic import text
from mpi.synthetic.errors import lose_zeros, slip_digit, transpose_digits
from mpi.synthetic.numbers import mix
from mpi.synthetic.people import People
from mpi.synthetic.sheet import CHILD_AGE, ELDER_AGE, GROWN_AGE, REFORM, Sheet
from mpi.synthetic.text import BoolArray, ByteGrid, IntArray, Strings
from mpi.synthetic.visits import day_number

TWELVE_DIGITS_FROM = day_number("2016-01-01")
CHIP_CARDS_FROM = day_number("2021-06-01")
ONE_NUMBER_FROM = day_number("2025-08-01")
LONG_MOBILES_UNTIL = day_number("2018-09-15")
CITIZEN_FILLERS = (
    "000000000000", "111111111111", "999999999999", "123456789012", "012345678901", "079000000000", "36", "0",
    "không", "chưa có", "x", "000000000",
)  # fmt: skip
PHONE_FILLERS = ("0000000000", "0123456789", "0909000000", "0900000000", "0999999999", "0912345678", "0987654321", "0")
INSURANCE_FILLERS = ("0000000000", "GD4790000000000", "chưa có", "0")
SITES_A_TEACHER = 32
PHONE_LABELS = ("", " (mẹ)", " (ba)", " (con)", " - nhà", " (GVCN)")
CARD_AGES = (6, 18, 23, 60, 80)
CARD_GROUPS = (
    (("TE1", 1.0),),
    (("HS4", 0.93), ("HN2", 0.02), ("CN3", 0.02), ("TQ4", 0.03)),
    (("SV4", 0.5), ("DN4", 0.3), ("GD4", 0.2)),
    (
        ("DN4", 0.52),
        ("GD4", 0.31),
        ("HC4", 0.05),
        ("CH4", 0.04),
        ("NN4", 0.03),
        ("TN4", 0.02),
        ("HN2", 0.015),
        ("CN3", 0.015),
    ),
    (("HT3", 0.45), ("GD4", 0.45), ("CC1", 0.02), ("CB2", 0.05), ("BT2", 0.03)),
    (("HT3", 0.3), ("BT2", 0.4), ("GD4", 0.2), ("CT4", 0.1)),
)
"""Groups of the insurance card by age (under 6, 18, 23, 60, 80, and above), with shares."""


def _fill(sheet: Sheet, grid: ByteGrid, fillers: Sequence[str], filled: BoolArray) -> BoolArray:
    """Write placeholders into the given rows of a grid, in place; returns the rows."""
    texts = text.literal_grid(fillers, grid.shape[1])
    grid[filled] = texts[sheet.desk.rng.integers(0, len(texts), int(filled.sum()))]
    return filled


def _citizen_grid(sheet: Sheet, number: IntArray, nine: BoolArray) -> ByteGrid:
    """Twelve cells a number; a 9-digit card stands in the last nine."""
    grid = text.digits(np.where(nine, sheet.of(sheet.people.card), number), 12)
    grid[nine, :3] = 0
    return grid


def _citizen_of(people: People, rows: IntArray, own: IntArray) -> IntArray:
    """Citizen numbers of other people's rows; one's own where there is nobody (-1)."""
    return np.where(rows >= 0, people.citizen[np.maximum(rows, 0)], own)


def citizen_id(sheet: Sheet) -> Strings:
    """Citizen numbers, 9-digit cards in their time, relatives' numbers, codes, fillers, and slips."""
    desk, people, rng = sheet.desk, sheet.people, sheet.desk.rng
    number, day = sheet.of(people.citizen), sheet.visits.day
    child = sheet.age < GROWN_AGE
    parent, relative = (_citizen_of(people, sheet.of(rows), number) for rows in (people.contact, people.relative))
    number = np.where(child & desk.slips("citizen_parent"), parent, number)
    number = np.where(~child & desk.slips("citizen_relative"), relative, number)
    late = np.where(sheet.age >= ELDER_AGE, desk.share("nine_digit_elder"), desk.share("nine_digit_late"))
    nine = (sheet.of(people.card) > 0) & np.where(day < CHIP_CARDS_FROM, desk.share("nine_digit_early"), late)
    temporary = desk.slips("citizen_temporary") & child
    number = np.where(temporary, 990_000_000_000 + mix(sheet.of(people.person)) % 10_000_000_000, number)
    grid = _citizen_grid(sheet, number, nine & (number == sheet.of(people.citizen)))
    other = np.flatnonzero(desk.slips("citizen_other_field"))
    grid[other, :2] = 0
    grid[other, 2:] = text.digits(sheet.of(people.insurance)[other], 10)
    slip_digit(rng, grid, np.flatnonzero(desk.slips("citizen_digit")), first=3, last=11)
    transpose_digits(rng, grid, np.flatnonzero(desk.slips("citizen_transposed")), first=3, last=11)
    lose_zeros(grid, np.flatnonzero(desk.slips("citizen_zero_lost")))
    blank = np.where(desk.slips("citizen_spaced"), 32, 0).astype(np.uint8)[:, None]
    decimal = desk.slips("citizen_decimal")
    tail = np.where(decimal[:, None], np.frombuffer(b".0", dtype=np.uint8), 0).astype(np.uint8)
    grid = np.hstack([grid[:, :3], blank, grid[:, 3:6], blank, grid[:, 6:9], blank, grid[:, 9:], tail])
    filled = _fill(sheet, grid, CITIZEN_FILLERS, desk.slips("citizen_filler"))
    lack = np.where(sheet.age >= ELDER_AGE, desk.lacks("citizen_missing_elder"), desk.lacks("citizen_missing_adult"))
    lack = np.where(sheet.age < CHILD_AGE, desk.lacks("citizen_missing_child"), lack)
    unborn = sheet.visits.newborn & (number == sheet.of(people.citizen))
    too_early = (day < TWELVE_DIGITS_FROM) & ~nine
    return text.grid_strings(grid, (lack | unborn | too_early | sheet.visits.unknown) & ~filled)


def _card_groups(sheet: Sheet, age: text.FloatArray) -> IntArray:
    """Group codes (rows of `Tables.groups`) by age; a person keeps the same leaning through life."""
    leaning = mix(sheet.of(sheet.people.person) * 7 + 3) % 10_000 / 10_000
    stage = np.searchsorted(CARD_AGES, age, side="right")
    known = {group[:2]: row for row, group in enumerate(sheet.tables.groups)}
    code = np.zeros(sheet.size, dtype=np.int64)
    for at, groups in enumerate(CARD_GROUPS):
        rows = np.flatnonzero(stage == at)
        drawn = np.searchsorted(np.cumsum([share for _, share in groups]), leaning[rows], side="right")
        code[rows] = np.array([known[group[:2]] for group, _ in groups])[np.minimum(drawn, len(groups) - 1)]
    return code


def health_insurance_number(sheet: Sheet) -> Strings:
    """Cards of 15 characters, 10-digit numbers, lists of cards, temporary cards, and since 2025 personal numbers."""
    desk, people, rng = sheet.desk, sheet.people, sheet.desk.rng
    number = sheet.of(people.insurance)
    relative = sheet.of(np.where(people.contact != np.arange(len(people)), people.contact, people.relative))
    borrowed = desk.slips("insurance_relative") & (relative >= 0)
    number = np.where(borrowed, people.insurance[np.maximum(relative, 0)], number)
    temporary = sheet.visits.newborn & ~desk.share("newborn_own_number")
    passing = 5_000_000_000 + mix(sheet.of(people.person) + sheet.visits.day) % 4_000_000_000
    number = np.where(temporary, passing, number)
    province = np.where(sheet.visits.day >= REFORM, 79, sheet.world.places.old_province[sheet.of(people.place)])
    earlier = desk.share("insurance_old_card")
    cells = sheet.tables.group_cells
    now = cells[_card_groups(sheet, sheet.age)]
    before = cells[_card_groups(sheet, np.maximum(sheet.age - 8.0, 0.0))]
    head = np.hstack([np.where(earlier[:, None], before, now), text.digits(province, 2)])
    serial = text.digits(number, 10)
    slip_digit(rng, serial, np.flatnonzero(desk.slips("insurance_digit")), first=0, last=9)
    transpose_digits(rng, serial, np.flatnonzero(desk.slips("insurance_transposed")), first=0, last=9)
    head[desk.share("insurance_ten") & ~temporary] = 0
    former_province = sheet.world.places.old_province[sheet.of(people.former_place)]
    second = np.hstack([np.full((sheet.size, 1), 59, dtype=np.uint8), before, text.digits(former_province, 2), serial])
    renewed = desk.share("insurance_list") & (head[:, 0] > 0) & ~temporary & (head != second[:, 1:6]).any(axis=1)
    second[~renewed] = 0
    grid = np.hstack([head, serial, second])
    personal = np.flatnonzero(desk.share("insurance_citizen") & (sheet.visits.day >= ONE_NUMBER_FROM))
    grid[personal] = 0
    grid[personal, :12] = text.digits(sheet.of(people.citizen)[personal], 12)
    _fill(sheet, grid, INSURANCE_FILLERS, desk.slips("insurance_filler"))
    return text.grid_strings(grid, desk.lacks("insurance_missing") | sheet.visits.unknown)


def _phone_owner(sheet: Sheet) -> IntArray:
    """Rows of those whose phone is given: a parent for a child, at times another member of the household."""
    desk, people, own = sheet.desk, sheet.people, sheet.visits.row
    contact, relative = people.contact[own], people.relative[own]
    child = sheet.age < 16
    spouse = np.where(contact >= 0, people.relative[np.maximum(contact, 0)], -1)
    parent = np.where((desk.rng.random(sheet.size) < 0.2) & (spouse >= 0), spouse, contact)
    owner = np.where(child, parent, np.where(desk.slips("phone_relative"), relative, own))
    return np.where(owner >= 0, owner, own)


def _site_phones(sheet: Sheet) -> IntArray:
    """A school clerk's or class teacher's mobile, one a neighbourhood's schools; elsewhere the switchboard (028...)."""
    if sheet.source == "student":
        return 900_000_000 + mix(sheet.visits.site // SITES_A_TEACHER) % 90_000_000
    return 2_800_000_000 + 30_000_000 + mix(sheet.visits.site * 3 + len(sheet.source)) % 9_000_000


def _mobiles(sheet: Sheet) -> IntArray:
    """Numbers behind the leading 0 at the day of capture: former ones, and the long form before September 2018."""
    owner = _phone_owner(sheet)
    people, day = sheet.people, sheet.visits.day
    number = np.where(day < people.phone_since[owner], people.former_phone[owner], people.phone[owner])
    old = sheet.tables.old_mobiles[number // 10_000_000]
    return np.where((old > 0) & (day < LONG_MOBILES_UNTIL), old * 10_000_000 + number % 10_000_000, number)


def phone(sheet: Sheet) -> Strings:
    """Phones as written: with +84, dots, labels or a second number; relatives', sites' and filler numbers."""
    desk, people, rng = sheet.desk, sheet.people, sheet.desk.rng
    number = np.where(desk.slips("phone_site"), _site_phones(sheet), _mobiles(sheet))
    grid = text.plain_digits(number, 10)
    slip_digit(rng, grid, np.flatnonzero(desk.slips("phone_digit")), first=3, last=9)
    abroad = desk.share("phone_plus84")
    front = np.zeros((sheet.size, 4), dtype=np.uint8)
    front[:, 3] = 48
    front[abroad] = np.frombuffer(b"+84\0", dtype=np.uint8)
    front[desk.slips("phone_zero_lost"), :] = 0
    mark = np.where(rng.random(sheet.size) < 0.5, ord("."), ord(" "))
    dot = np.where(desk.share("phone_dotted"), mark, 0).astype(np.uint8)[:, None]
    labels = text.literal_grid(PHONE_LABELS, max(len(label.encode()) for label in PHONE_LABELS))
    label = labels[np.where(desk.share("phone_labelled"), rng.integers(1, len(labels), sheet.size), 0)]
    second = people.phone[np.maximum(people.relative[sheet.visits.row], 0)]
    more = np.hstack([np.tile(np.frombuffer(b";0", dtype=np.uint8), (sheet.size, 1)), text.digits(second, 9)])
    more[~(desk.share("phone_two") & (people.relative[sheet.visits.row] >= 0))] = 0
    grid = np.hstack([front, grid[:, :4], dot, grid[:, 4:7], dot, grid[:, 7:], label, more])
    _fill(sheet, grid, PHONE_FILLERS, desk.slips("phone_filler"))
    return text.grid_strings(grid, desk.lacks("phone_missing") | sheet.visits.unknown)
