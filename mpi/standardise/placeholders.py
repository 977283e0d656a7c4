"""Values that stand for "nothing known": they become missing, whatever field they are found in.

Lists come from the table of values seen in real files; a frequency cap in the rules does what no list can.
"""

import re
from functools import lru_cache

from mpi.data.vn import rows

MISSING_WORDS = frozenset(
    (
        "khong", "khong co", "khong ro", "khong biet", "ko", "ko co", "ko ro", "kc", "k co", "chua",
        "chua co", "chua cap", "chua ro",
        "chua biet", "chua xac dinh", "khong xac dinh", "x", "xx", "xxx", "n a", "null", "none", "nan", "nil", "na",
        "unknown", "0",
        "trong", "de trong", "no", "undefined",
    )
)  # fmt: skip
"""Whole values, as `text.words` gives them, that say there is no value."""

# Folded forms. "Võ Danh" and "Vô Danh" share one: with marks the two differ.
NEWBORN_PREFIX = re.compile(
    r"^(?:con|cb|c b|bg|bt|tss|ss|(?:tre |be )?so sinh|be(?= gai | trai | cua )) "
    r"(?:(?:con|be|gai|trai|so sinh|cua|ba|chi|me|sp|san phu|thu(?= \d)|\d+) )*"
)
"""How a newborn without a name of its own is entered: what follows is the mother's name."""

NEWBORN_SUFFIX = re.compile(r" (?:con (?:thu )?\d+(?: \d+)?|con \d+ \d+)$")
"""`... con 1/2`, once punctuation has become spaces."""

_NAME_PREFIXES = (
    "vo danh",
    "khong ro",
    "chua ro",
    "khong ten",
    "khong co ten",
    "nguoi la",
    "benh nhan",
    "chua dat ten",
    "chua co ten",
)
_NAMES = frozenset(
    ("test", "test test", "nguyen van a", "tran thi b", "nguyen thi a", "nguyen thi b", "abc", "ho va ten", "ho ten")
)
_VO_DANH_AS_A_NAME = re.compile(r"^v[õỡ]\s")


def is_placeholder_name(folded_name: str, accented_name: str) -> bool:
    """Whether a name stands for an unknown person or a test; both forms lower-case with single spaces."""
    if folded_name in _NAMES or folded_name in MISSING_WORDS:
        return True
    if not folded_name.startswith(_NAME_PREFIXES):
        return False
    return not _VO_DANH_AS_A_NAME.match(accented_name)


_RISING = "0123456789" * 3
_FALLING = _RISING[::-1]


@lru_cache(maxsize=8)
def listed(field: str) -> frozenset[str]:
    """Placeholder values that the table lists for one field."""
    return frozenset(
        row["value"] for row in rows("placeholder_values") if row["field"] == field and row["kind"] == "placeholder"
    )


def is_run(digits: str) -> bool:
    """Whether digits repeat one digit, or rise or fall by one throughout (9 and 0 are neighbours)."""
    return len(digits) > 1 and (digits in _RISING or digits in _FALLING or digits.count(digits[0]) == len(digits))


@lru_cache(maxsize=1)
def _fillers() -> frozenset[str]:
    return listed("citizen_id") | listed("insurance")


def is_placeholder_number(digits: str) -> bool:
    """Whether a citizen, old-card or insurance number is filler: runs, listed values, or a prefix with zeros behind
    it."""
    return digits.endswith("000000") or is_run(digits[:10]) or digits in _fillers()


def is_placeholder_phone(national: str) -> bool:
    """Whether a national phone number is filler: listed values, or a run behind the prefix."""
    return national in listed("phone") or is_run(national[-7:])
