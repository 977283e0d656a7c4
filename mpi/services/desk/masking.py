"""Personal data on a screen: what of a value stays to be seen until somebody reveals it.

Every column has its own mask by what the rules' standardiser makes of it; what no rule names is hidden as names are.
"""

import re
from collections.abc import Callable, Mapping

from mpi.domain.model import LinkageModel

SHOWN = 4
"""Digits of a number that are left."""

HIDDEN = "••"
"""What stands for what is hidden: always as long, so that it tells no length."""

_NUMBER = re.compile(r"\d(?:[ .\-]?\d){6,}")
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20|21)\d{2}(?!\d)")
_COMPACT_DATE = re.compile(r"(?P<year>(?:1[89]|20|21)\d{2})\d{4}(?:\d{4}(?:\d{2})?)?")

_Masked = Callable[[str], str]


def hide_numbers(value: str) -> str:
    """A text with all but the last digits of every number of seven digits or more hidden."""
    return _NUMBER.sub(lambda found: _last_digits(found.group()), value)


def _last_digits(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return "•" * (len(digits) - SHOWN) + digits[-SHOWN:]


def _number(value: str) -> str:
    """The last digits of a number, whatever is written around it; of a short one nothing."""
    digits = re.sub(r"\D", "", value)
    return HIDDEN + digits[-SHOWN:] if len(digits) > 2 * SHOWN - 2 else HIDDEN


def _name(value: str) -> str:
    """The first letter of each word."""
    return " ".join(word[0] + HIDDEN for word in value.split())


def _date(value: str) -> str:
    """The year, where the date says it in four digits."""
    text = value.strip()
    compact = _COMPACT_DATE.fullmatch(text)
    if compact:
        return compact["year"] + HIDDEN
    years = _YEAR.findall(text)
    if len(years) != 1:
        return HIDDEN
    return str(years[0]) if text == years[0] else f"{HIDDEN}/{years[0]}"


def _address(value: str) -> str:
    """The last two parts, without long numbers: the ward or the district and what lies around it, never the house."""
    around = [part.strip() for part in value.split(",")[1:]][-2:]
    return ", ".join((HIDDEN, *(hide_numbers(part) for part in around)))


def _plain(value: str) -> str:
    return value


_OF_STANDARDISER: Mapping[str, Mapping[str, _Masked]] = {
    "vn_name": {"name": _name, "mother": _name},
    "vn_mother_name": {"name": _name, "child": _name},
    "vn_birth_date": {"date": _date, "recorded_at": _plain},
    "vn_sex": {"sex": hide_numbers},
    "vn_identifiers": {"citizen": _number, "insurance": _number},
    "vn_phone": {"phone": _number},
    "vn_address": {"ward": hide_numbers, "address": _address},
    "date": {"value": _date},
    "digits": {"value": _number},
}
"""The mask of each input of a standardiser; inputs that are not named here leave the column to another field."""


class Masking:
    """The masks of one rule family's raw columns."""

    def __init__(self, model: LinkageModel) -> None:
        self._masks: dict[str, _Masked] = {"recorded_at": _plain}
        for rule in model.fields:
            masks = _OF_STANDARDISER.get(rule.standardiser, {})
            for name, column in rule.inputs.items():
                if name in masks:
                    self._masks.setdefault(column, masks[name])

    def value(self, column: str, value: str) -> str:
        """A raw value with what is personal of it hidden."""
        return self._masks.get(column, _name)(value)

    def values(self, values: Mapping[str, str]) -> dict[str, str]:
        """All values of a record."""
        return {column: self.value(column, value) for column, value in values.items()}

    def hides(self, column: str) -> bool:
        """Whether anything of a column is ever hidden, so that there is something to reveal."""
        return self._masks.get(column, _name) not in (_plain, hide_numbers)
