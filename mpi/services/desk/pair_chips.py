"""How two values of one field compare, in one of five words: from the standard values, and where these differ from the
level that the rules give the pair. Pure.

The tables name the columns of the person family; a field of another family is compared by its own standard columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mpi.domain.model import LinkageModel
from mpi.domain.records import StandardValue
from mpi.standardise.record import standard_columns


class Chip(StrEnum):
    """How two values compare."""

    SAME = "same"
    NEAR = "near"
    DIFFERENT = "different"
    MISSING = "missing"
    SWAPPED = "swapped"


@dataclass(frozen=True, slots=True)
class _Compared:
    """A raw column: the standard columns that are known when it says anything, those that are the same when the values
    are, and the comparison whose level tells near from different."""

    known: tuple[str, ...]
    same: tuple[str, ...]
    comparison: str | None = None


_NUMBERS = ("id_citizen", "id_old", "id_passport")

_PERSON: Mapping[str, _Compared] = {
    "full_name": _Compared(("name_folded",), ("name_neutral",), "name"),
    "birth_date": _Compared(("birth_year",), ("birth_iso",), "birth_date"),
    "sex": _Compared(("sex",), ("sex",), "sex"),
    "citizen_id": _Compared(_NUMBERS, _NUMBERS, "citizen_number"),
    "health_insurance_number": _Compared(("id_insurance",), ("id_insurance",), "insurance_number"),
    "phone": _Compared(("phone",), ("phone",), "phone"),
    "ward_code": _Compared(("place_wards",), ("place_wards",), "place"),
    "address": _Compared(("place_street",), ("place_street",), "place"),
    "mother_name": _Compared(("mother_folded",), ("mother_folded",), "mother"),
}

_SWAPPED = ("swapped", "another order", "exchanged")
_NEAR = (
    "slip",
    "one edit",
    "alike",
    "letters equal",
    "no marks",
    "near",
    "middle missing",
    "two parts equal",
    "knows no more",
    "within sixty days",
)
"""Words of levels: a level that has none of these, and is not for equal values, is one of different values."""


class Chips:
    """The chips of one rule family's raw columns."""

    def __init__(self, model: LinkageModel) -> None:
        comparisons = {comparison.name for comparison in model.comparisons}
        self._compared: dict[str, _Compared] = {}
        for rule in model.fields:
            own = tuple(standard_columns([rule]))
            for column in rule.inputs.values():
                self._compared.setdefault(
                    column, _Compared(own[:1], own[:1], column if column in comparisons else None)
                )
        held = set(model.columns)
        known = {column: each for column, each in _PERSON.items() if {*each.known, *each.same} <= held}
        self._compared |= {column: each for column, each in known.items() if column in self._compared}

    def chip(
        self,
        column: str,
        left: Mapping[str, StandardValue],
        right: Mapping[str, StandardValue],
        levels: Mapping[str, str],
    ) -> Chip:
        """The chip of a raw column: standard values of both sides, and the levels of the pair by comparison."""
        compared = self._compared.get(column)
        if compared is None or not (_knows(left, compared) and _knows(right, compared)):
            return Chip.MISSING
        if any(_is_same(left.get(each), right.get(each)) for each in compared.same):
            return Chip.SAME
        return _of_level(levels.get(compared.comparison or "", ""))


def _knows(side: Mapping[str, StandardValue], compared: _Compared) -> bool:
    return any(side.get(column) is not None for column in compared.known)


def _is_same(left: StandardValue, right: StandardValue) -> bool:
    if isinstance(left, tuple) and isinstance(right, tuple):
        return not set(left).isdisjoint(right)
    return left is not None and left == right


def _of_level(label: str) -> Chip:
    if any(word in label for word in _SWAPPED):
        return Chip.SWAPPED
    return Chip.NEAR if any(word in label for word in _NEAR) else Chip.DIFFERENT
