"""Numbers of cards: citizen, old nine-digit, passport and insurance, told apart by what they are and not by their
column.

No check digit is published for the citizen number: its structure is evidence, never a filter (Decree 137/2015/NĐ-CP
Art. 13).
"""

import re
import string
from functools import lru_cache
from typing import NamedTuple

from mpi.data.vn import rows
from mpi.standardise.placeholders import MISSING_WORDS, is_placeholder_number
from mpi.standardise.text import capped, folded, without_invisibles, words

PARENT_AGE = 14
"""A number that makes its holder at least this many years older than the record's person is a parent's or
guardian's."""
OLDEST_PARENT_AGE = 75

_SPLIT = re.compile(r"[;,/|\n]")
_LABEL = re.compile(
    r"^(?:(?:cccd|cmnd|cmtnd|cmt|ddcn|bhyt|bhxh|(?:so|dinh danh|ho chieu|passport|the|ma the)(?=[ .:#]))[ .:#]*)+"
    r"(?=[a-z]{0,2}\d)"
)
_FLOATED = re.compile(r"(\d+)[.,]0+")
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?e\+?\d{1,3}")
_NOISE = re.compile(r"[^A-Z0-9]")
_CARD = re.compile(r"[A-Z]{2}[1-5]\d{12}")
_PASSPORT = re.compile(r"[A-Z]{1,2}\d{6,8}")
_FOREIGN_PASSPORT = re.compile(r"(?=(?:.*\d){4})(?=.*[A-Z])[A-Z0-9]{5,9}")
_MOBILE = re.compile(r"0(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-46-9])\d{7}")
_PHONE = re.compile(r"0[235789]\d{8}")
_DIGITS_WITH_O = re.compile(r"[0-9O]{8,15}")


class StandardIdentifiers(NamedTuple):
    """What a record's two identifier columns hold, by what it is. `citizen_checked` is fit for vetoes; `guardian` is
    another person's."""

    citizen: str | None
    citizen_checked: str | None
    guardian: str | None
    old: str | None
    passport: str | None
    insurance: str | None


NOTHING = StandardIdentifiers(None, None, None, None, None, None)


@lru_cache(maxsize=1)
def province_codes() -> frozenset[str]:
    """The 63 three-digit codes of birth registration; they stayed when provinces merged in 2025."""
    return frozenset(row["code3"] for row in rows("cccd_province_codes"))


def implied_birth_year(number: str) -> int:
    """Birth year that the fourth to sixth digit of a twelve-digit number say."""
    return 1900 + 100 * (int(number[3]) // 2) + int(number[4:6])


def implied_sex(number: str) -> str:
    """`M` or `F`, as the fourth digit of a twelve-digit number says."""
    return "F" if int(number[3]) % 2 else "M"


def fits(number: str, birth_year: int | None, sex: str | None) -> bool:
    """Whether a twelve-digit number has a known province and agrees with a known birth year, and with the sex if that
    is known."""
    return (
        number[:3] in province_codes()
        and birth_year is not None
        and implied_birth_year(number) == birth_year
        and (sex is None or implied_sex(number) == sex)
    )


def clean_numbers(value: str | None) -> list[str]:
    """The values of one identifier column: split, without labels, spaces, dots and `.0`; lossy spreadsheet forms
    dropped."""
    text = capped(value)
    if not text:
        return []
    if text.isascii() and (text.isdigit() or (len(text) == 15 and text.isalnum())):
        return [text.upper()]
    found: list[str] = []
    text = folded(without_invisibles(text))
    for piece in [text] if _FLOATED.fullmatch(text) else _SPLIT.split(text):
        piece = _LABEL.sub("", piece.strip())
        if _SCIENTIFIC.fullmatch(piece) or piece in MISSING_WORDS or (words(piece) or "x") in MISSING_WORDS:
            continue
        if match := _FLOATED.fullmatch(piece):
            piece = match[1]
        number = _NOISE.sub("", piece.upper())
        if "O" in number and _DIGITS_WITH_O.fullmatch(number) and (len(number) != 8 or number[0] != "O"):
            number = number.replace("O", "0")
        if number:
            found.append(number)
    return found


class _Found:
    """What has been found so far: the first of a kind wins."""

    __slots__ = ("birth_year", "citizen", "guardian", "insurance", "old", "passport", "sex")

    def __init__(self, birth_year: int | None, sex: str | None) -> None:
        self.birth_year = birth_year
        self.sex = sex
        self.citizen: str | None = None
        self.guardian: str | None = None
        self.old: str | None = None
        self.passport: str | None = None
        self.insurance: str | None = None

    def twelve(self, number: str) -> None:
        """A whole twelve-digit number: the person's own, or that of somebody a generation older."""
        if is_placeholder_number(number):
            return
        is_older = self.birth_year is not None and self.birth_year - implied_birth_year(number) >= PARENT_AGE
        # Temporary codes of other systems have twelve digits too, but no province in front and no year inside.
        if is_older and number[:3] in province_codes():
            self.guardian = self.guardian or number
        elif self.citizen is None:
            self.citizen = number

    def restored(self, number: str) -> bool:
        """A number that may have lost its leading zeros: taken only where its structure fits the person, or a
        parent."""
        if is_placeholder_number(number):
            return False
        if fits(number, self.birth_year, self.sex):
            self.citizen = self.citizen or number
            return True
        if self.birth_year is None or number[:3] not in province_codes() or len(number.lstrip("0")) != 11:
            return False
        is_guardian = PARENT_AGE <= self.birth_year - implied_birth_year(number) <= OLDEST_PARENT_AGE
        if is_guardian:
            self.guardian = self.guardian or number
        return is_guardian

    def ten(self, number: str, phone: re.Pattern[str]) -> None:
        """Ten digits: a phone, a citizen number without its two zeros, or an insurance number, in that order."""
        if phone.fullmatch(number) or self.restored("00" + number):
            return
        if self.insurance is None and not is_placeholder_number(number):
            self.insurance = number

    def lettered(self, number: str) -> None:
        """A card of fifteen characters or a passport."""
        if _CARD.fullmatch(number):
            number = number[5:]
            self.insurance = self.insurance or (None if is_placeholder_number(number) else number)
            return
        is_passport = _PASSPORT.fullmatch(number) or _FOREIGN_PASSPORT.fullmatch(number)
        if is_passport and not is_placeholder_number(number.lstrip(string.ascii_uppercase)):
            self.passport = self.passport or number

    def nine(self, number: str) -> None:
        """The nine digits of the card that ended in 2024."""
        if self.old is None and not is_placeholder_number(number):
            self.old = number


def _read_citizen_column(value: str | None, found: _Found) -> None:
    for number in clean_numbers(value):
        size = len(number)
        if not number.isdigit():
            found.lettered(number)
        elif size == 12:
            found.twelve(number)
        elif size == 11:
            found.restored("0" + number)
        elif size == 10:
            found.ten(number, _PHONE)
        elif size == 9:
            found.nine(number)
        elif size == 8 and number[0] != "0":
            found.nine("0" + number)


def _read_insurance_column(value: str | None, found: _Found) -> None:
    """As the citizen column, but ten digits are an insurance number unless a mobile has them, and short numbers are
    nothing."""
    for number in clean_numbers(value):
        size = len(number)
        if size == 12 and number.isdigit():
            found.twelve(number)
        elif size == 10 and number.isdigit():
            if found.insurance is None and not _MOBILE.fullmatch(number) and not is_placeholder_number(number):
                found.insurance = number
        elif size == 15:
            found.lettered(number)


def standard_identifiers(
    citizen: str | None, insurance: str | None, birth_year: int | None = None, sex: str | None = None
) -> StandardIdentifiers:
    """The numbers of a record by what they are; `sex` is `M`, `F` or None.

    A number that makes its holder 14 years older than the person, or more, is a guardian's and never the person's own.
    """
    if not citizen and not insurance:
        return NOTHING
    found = _Found(birth_year, sex)
    if insurance:
        own = _Found(birth_year, sex)
        _read_insurance_column(insurance, own)
        found.insurance = own.insurance
        _read_citizen_column(citizen, found)
        found.citizen = found.citizen or own.citizen
        found.guardian = found.guardian or own.guardian
    else:
        _read_citizen_column(citizen, found)
    number = found.citizen
    checked = number if number is not None and fits(number, birth_year, sex) else None
    return StandardIdentifiers(number, checked, found.guardian, found.old, found.passport, found.insurance)
