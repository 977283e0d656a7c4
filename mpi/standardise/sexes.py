"""Sex as sources code it: 1 male and 2 female in the insurance files, words elsewhere.

What may mean either (a bare N, a 0) is missing.
"""

from mpi.standardise.text import words

_MALE = ("1", "01", "1 0", "m", "male", "man", "boy", "nam", "nam gioi", "trai", "con trai", "be trai", "ong", "mr")
_FEMALE = (
    "2",
    "02",
    "2 0",
    "f",
    "female",
    "woman",
    "girl",
    "nu",
    "nu gioi",
    "gai",
    "con gai",
    "be gai",
    "ba",
    "mrs",
    "ms",
)
_SEXES = dict.fromkeys(_MALE, "M") | dict.fromkeys(_FEMALE, "F")


def standard_sex(value: str | None) -> str | None:
    """`M`, `F`, or None for undetermined (3), ambiguous and unknown values."""
    flat = words(value)
    return None if flat is None else _SEXES.get(flat)
