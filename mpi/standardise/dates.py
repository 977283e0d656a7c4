"""Dates as people and programs write them: what is sure of year, month and day, and nothing that is not.

No function reads the clock: ages are judged against the record's own date, else against a fixed year.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from mpi.standardise.text import capped, folded

REFERENCE_YEAR = 2026
"""Year that two-digit years are judged against when a record has no date of its own."""
OLDEST_AGE = 110
EARLIEST_YEAR, LATEST_YEAR = 1850, 2100
_SERIAL_ZERO = date(1899, 12, 30)
_SERIALS = range(20_000, 60_000)

# `birth_date` rows of kind "placeholder" in the table, and the zero of two database systems.
SENTINELS = frozenset(((1900, 1, 1), (1970, 1, 1), (1899, 12, 30), (1, 1, 1), (1753, 1, 1), (9999, 12, 31)))

_MONTH_NAMES = {
    name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
_TIME = r"(?:[t ]+\d{1,2}[:h]\d{0,2}.*)?"
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_YEAR_FIRST = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})" + _TIME)
_YEAR_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](?:0{1,2}|[_?x]*))?")
_DAY_FIRST = re.compile(r"(\d{1,2}|[_?x*]{1,2}|)[-/. ]+(\d{1,2}|[_?x*]{1,2}|)[-/. ]+(\d{4}|\d{2})" + _TIME)
_MONTH_YEAR = re.compile(r"[-/. _?x*]*(?:(\d{1,2})[-/. ]+)?[-/. _?x*]*(\d{4})")
_NAMED_MONTH = re.compile(r"(\d{1,2})[-/. ]*([a-z]{3})[a-z]*[-/., ]*(\d{4}|\d{2})" + _TIME)
_MONTH_NAMED_FIRST = re.compile(r"([a-z]{3})[a-z]*[-/. ]*(\d{1,2})[-/., ]+(\d{4})" + _TIME)
_FOUR_DIGITS = re.compile(r"\d{4}")
_SIX_DIGITS = re.compile(r"\s*\d{6}\s*")
_SHORT = 19
_SPOKEN = re.compile(r"(?:ngay|thang|nam|sinh|khoang)+[: ]*")


@dataclass(frozen=True, slots=True)
class StandardDate:
    """What is known of a date: a day needs a month, a month needs a year."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def iso(self) -> str | None:
        """YYYY-MM-DD, at day precision only."""
        return None if self.day is None else f"{self.year:04d}-{self.month:02d}-{self.day:02d}"

    @property
    def swapped(self) -> str | None:
        """The year and the two smaller parts in rising order: a date and the same date with day and month exchanged
        agree."""
        if self.day is None or self.month is None:
            return None
        low, high = sorted((self.month, self.day))
        return f"{self.year:04d}-{low:02d}-{high:02d}"


UNKNOWN = StandardDate()


def _checked(year: int, month: int, day: int) -> StandardDate:
    """The date as far as it can exist: a day that its month lacks leaves only the year, an impossible year nothing."""
    if (year, month, day) in SENTINELS:
        return UNKNOWN
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return UNKNOWN
    if month == 0 or month > 12:
        return StandardDate(year)
    if day == 0:
        return StandardDate(year, month)
    try:
        date(year, month, day)
    except ValueError:
        return StandardDate(year)
    return StandardDate(year, month, day)


def _either_order(year: int, month: int, day: int) -> StandardDate:
    """As `_checked`, but a month above 12 beside a day that can be a month was written the American way."""
    return _checked(year, day, month) if 12 < month <= 31 and 1 <= day <= 12 else _checked(year, month, day)


def full_year(year: int, recorded_year: int | None) -> int:
    """A two-digit year in the latest century that gives an age of 0 to 110 years at the record's date."""
    present = recorded_year or REFERENCE_YEAR
    candidate = present - (present - year) % 100
    return candidate if present - candidate <= OLDEST_AGE else year


def _from_digits(digits: str, recorded_year: int | None) -> StandardDate:
    """Dates of digits alone: yyyy, yymmdd's kin, Excel serials, and the insurance forms yyyymmdd, yyyymmddHHMM,
    yyyy00000000."""
    size = len(digits)
    if size == 4:
        return _checked(int(digits), 0, 0)
    if size == 5 and int(digits) in _SERIALS:
        moment = _SERIAL_ZERO + timedelta(days=int(digits))
        return StandardDate(moment.year, moment.month, moment.day)
    if size == 6:
        if digits[:2] in ("19", "20") and digits[4:] <= "12":
            return _checked(int(digits[:4]), int(digits[4:]), 0)
        return _either_order(full_year(int(digits[4:]), recorded_year), int(digits[2:4]), int(digits[:2]))
    if size in (8, 10, 12, 14):
        year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
        if EARLIEST_YEAR <= year <= LATEST_YEAR and month <= 31:
            return _either_order(year, month, day)
        if size == 8:
            return _either_order(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
        return _checked(year, month, day)
    return UNKNOWN


def _number(part: str) -> int:
    return int(part) if part.isdigit() else 0


def _from_parts(text: str, recorded_year: int | None) -> StandardDate:
    """Dates with separators, blanks for parts, or month names."""
    if match := _YEAR_FIRST.fullmatch(text):
        return _either_order(int(match[1]), int(match[3]), int(match[4]))
    if match := _YEAR_MONTH.fullmatch(text):
        return _checked(int(match[1]), int(match[2]), 0)
    if match := _DAY_FIRST.fullmatch(text):
        year = int(match[3]) if len(match[3]) == 4 else full_year(int(match[3]), recorded_year)
        return _either_order(year, _number(match[2]), _number(match[1]))
    if match := _MONTH_YEAR.fullmatch(text):
        return _checked(int(match[2]), _number(match[1] or ""), 0)
    if (match := _NAMED_MONTH.fullmatch(text)) and match[2] in _MONTH_NAMES:
        year = int(match[3]) if len(match[3]) == 4 else full_year(int(match[3]), recorded_year)
        return _checked(year, _MONTH_NAMES[match[2]], int(match[1]))
    if (match := _MONTH_NAMED_FIRST.fullmatch(text)) and match[1] in _MONTH_NAMES:
        return _checked(int(match[3]), _MONTH_NAMES[match[1]], int(match[2]))
    return UNKNOWN


def parse_date(value: str | None, recorded_year: int | None = None) -> StandardDate:
    """A date of any form that `vn-identity` and FEBRL show; day before month where both orders are possible.

    `recorded_year` settles two-digit years. Sentinels of databases, and what is no date, are unknown.
    """
    if not value:
        return UNKNOWN
    if len(value) in (8, 12) and value.isascii() and value.isdigit():
        year = int(value[:4])
        return _parse_short(value[:8], None) if EARLIEST_YEAR <= year <= LATEST_YEAR else _from_digits(value, None)
    return _parse_short(value, recorded_year) if len(value) <= _SHORT else _parse(value, recorded_year)


@lru_cache(maxsize=1 << 15)
def _parse_short(value: str, recorded_year: int | None) -> StandardDate:
    """`_parse` of what may well come again: a text longer than any date is never kept."""
    return _parse(value, recorded_year)


def _parse(value: str, recorded_year: int | None) -> StandardDate:
    if len(value) == 10 and (match := _ISO.fullmatch(value)):
        return _either_order(int(match[1]), int(match[2]), int(match[3]))
    text = " ".join(folded(capped(value)).split())
    text = re.sub(r"^(\d+)\.0+$", r"\1", text) if "." in text else text
    if text.isdigit():
        return _from_digits(text, recorded_year)
    if re.fullmatch(r"\d{5}\.\d+", text):
        return _from_digits(text[:5], recorded_year)
    if "n" in text or "s" in text:
        spoken = _SPOKEN.sub("/", text).replace(" ", "").strip("/")
        if spoken.isdigit():
            return _from_digits(spoken, recorded_year)
        if re.fullmatch(r"[\d/]+", spoken):
            text = spoken
    return _from_parts(text, recorded_year)


def parse_year(value: str | None) -> int | None:
    """The year of a record's own date, whatever its form; None outside 1950 to 2100."""
    year = parse_date(value).year
    return year if year is not None and 1950 <= year <= LATEST_YEAR else None


def needs_record(value: str | None) -> bool:
    """Whether the record's year may change how a date is read: whether its own year may have two digits."""
    return value is not None and (_FOUR_DIGITS.search(value) is None or _SIX_DIGITS.fullmatch(value) is not None)


def parse_birth_date(value: str | None, recorded_year: int | None = None) -> StandardDate:
    """A birth date of any form, judged by `birth_date`."""
    return birth_date(parse_date(value, recorded_year), recorded_year)


def is_plausible_birth(year: int | None, recorded_year: int | None) -> bool:
    """Whether somebody born in a year can be in a record of another: not after it, and at most 125 years before."""
    return year is None or recorded_year is None or recorded_year - 125 <= year <= recorded_year


def birth_date(born: StandardDate, recorded_year: int | None) -> StandardDate:
    """A date as a birth date: 1 January counts as the year alone, as registers that demand a date write it for
    unknown days.

    A birth after the record was made, or more than 125 years before, is unknown.
    """
    if born.year is None:
        return UNKNOWN
    if not is_plausible_birth(born.year, recorded_year):
        return UNKNOWN
    if born.month == 1 and born.day == 1:
        return StandardDate(born.year)
    return born
