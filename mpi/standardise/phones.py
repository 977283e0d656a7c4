"""Vietnamese phone numbers as national numbers of today, whatever year and habit they were written in.

Mobile prefixes changed in September 2018 and area codes in 2017; the record's date settles what a number alone does
not.
"""

import re
from enum import IntEnum
from functools import lru_cache

from mpi.data.vn import rows
from mpi.standardise.dates import parse_date
from mpi.standardise.placeholders import is_placeholder_phone
from mpi.standardise.text import capped, folded

MAXIMUM_PHONES = 3

_MOBILE = re.compile(r"0(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-46-9])\d{7}")
_SPLIT = re.compile(r"[;,/|&\n]|\([^()]*[a-z][^()]*\)|[a-z]+[a-z .:]*")
_NUMBER = re.compile(r"\+?\d+")
_GAPS = re.compile(r"[\s.()\-_'\u2010-\u2015]+")


class Era(IntEnum):
    """When a number was written, as far as its reading depends on it."""

    BEFORE_2017 = 0
    BEFORE_AREA_CODES = 1
    BEFORE_MOBILE_CHANGE = 2
    PRESENT = 3


def era(recorded_at: str | None) -> Era:
    """The era of a record's date. Without a date numbers are read as today's."""
    recorded = parse_date(recorded_at)
    if recorded.year is None:
        return Era.PRESENT
    key = (recorded.year, recorded.month or 12, recorded.day or 31)
    if key >= (2018, 9, 15):
        return Era.PRESENT
    if key >= (2017, 6, 17):
        return Era.BEFORE_MOBILE_CHANGE
    return Era.BEFORE_AREA_CODES if key >= (2017, 1, 1) else Era.BEFORE_2017


@lru_cache(maxsize=1)
def _mobile_changes() -> dict[str, str]:
    """Old four-digit mobile prefixes to the three digits of 2018."""
    return {row["old_prefix_4"]: row["new_prefix_3"] for row in rows("phone_mobile_2018_map")}


@lru_cache(maxsize=1)
def _area_codes() -> tuple[frozenset[str], dict[str, str]]:
    """Area codes of today, and old to new ones; both with the leading zero."""
    table = rows("phone_area_codes_2017")
    changes = {"0" + row["old_code_without_0"]: "0" + row["new_code_without_0"] for row in table}
    return frozenset(changes.values()), changes


def _old_landline(number: str) -> str | None:
    """A landline under an area code of before 2017, as it is now."""
    _, changes = _area_codes()
    for size in (4, 3, 2):
        code = changes.get(number[:size])
        if code is None or code == number[:size]:
            continue
        local = number[size:]
        if local[:1] in ("2", "3", "4", "5", "6", "7", "8", "9") and len(code) + len(local) == 11:
            return code + local
        if len(code) == 4 and len(local) == 6:
            return f"{code}3{local}"
    return None


def _landline(number: str) -> str | None:
    """A landline of today, which has eleven digits and an area code of 2017."""
    present, _ = _area_codes()
    if len(number) != 11 or not number.startswith("02"):
        return None
    size = 3 if number[:3] in present else 4
    return number if number[:size] in present and number[size] in "23456789" else None


def _is_old_landline_by_date(number: str, written: Era) -> bool:
    """Whether ten digits that look like a mobile of today can be none, given when they were written."""
    if written is Era.PRESENT:
        return False
    if number[1] in "357" or number[:3] in ("081", "082", "083", "084", "085"):
        return True
    return number[:3] == "087" or (written is Era.BEFORE_2017 and number[:3] == "086")


def _national(number: str) -> str:
    """Digits with the trunk zero in front, country code and doubled prefixes taken off."""
    if number.startswith("00"):
        number = number.lstrip("0")
    if number.startswith("84") and len(number) in (11, 12, 13):
        number = number[2:].removeprefix("0") if number[2] == "0" else number[2:]
        return "0" + number
    if len(number) == 9 and number[0] in "35789":
        return "0" + number
    if len(number) == 10 and number[0] in "12":
        return "0" + number
    return number


def canonical(number: str, written: Era = Era.PRESENT) -> str | None:
    """The national number of today for a run of digits, or None when no phone has it or it is filler."""
    number = _national(number)
    size = len(number)
    found: str | None = None
    if size == 10:
        if _MOBILE.fullmatch(number):
            found = (_old_landline(number) if _is_old_landline_by_date(number, written) else None) or number
        else:
            found = _old_landline(number)
    elif size == 11:
        changed = _mobile_changes().get(number[:4])
        found = changed + number[4:] if changed else _landline(number) or _old_landline(number)
    elif size == 9:
        found = _old_landline(number)
    if found is None or is_placeholder_phone(found) or is_placeholder_phone(number):
        return None
    return found


def _pieces(text: str) -> list[str]:
    """Runs of digits that may each be one number; labels such as "(mẹ)" separate."""
    if text.isdigit():
        return [text]
    found: list[str] = []
    for piece in _SPLIT.split(text):
        joined = _GAPS.sub("", piece)
        if len(joined) <= 14:
            found.extend(_NUMBER.findall(joined))
            continue
        for part in re.split(r"\s+-\s+|-|\s{2,}", piece):
            part_joined = _GAPS.sub("", part)
            if len(part_joined) <= 14:
                found.extend(_NUMBER.findall(part_joined))
            else:
                found.extend(_NUMBER.findall(part))
    return [one.removeprefix("+") for one in found]


_LETTER_O = re.compile(r"(?<=\d)o|o(?=\d)")


def standard_phones(value: str | None, written: Era = Era.PRESENT) -> tuple[str, ...] | None:
    """Up to three national numbers in the order written, without repeats; None when there is none."""
    text = capped(value)
    if not text:
        return None
    if text.endswith(".0"):
        text = text[:-2]
    if not text.isdigit() or not text.isascii():
        text = folded(text)
        while "o" in text and (fixed := _LETTER_O.sub("0", text)) != text:
            text = fixed
    numbers: list[str] = []
    for piece in _pieces(text):
        number = canonical(piece, written)
        if number is not None and number not in numbers:
            numbers.append(number)
    return tuple(numbers[:MAXIMUM_PHONES]) or None
