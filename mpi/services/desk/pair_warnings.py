"""What a steward must not overlook in a pair: family that looks like one person, values that prove little.

Pure: standard values in, warnings out. Rules without the columns that a warning asks for never give it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mpi.domain.records import StandardValue
from mpi.standardise.dates import SENTINELS, parse_date, parse_year

GENERATION = 13
"""Years from which on two people may be parent and child."""

SIBLINGS_WITHIN = 20
"""Years within which two people may be children of one mother."""

INFANCY = 2
"""Years from birth to the record in which a child may be written down with its mother's name and number."""

LONG_AGO = 5
"""Years between two records after which names, places and phones may well have changed."""


class Caution(StrEnum):
    """What is to be looked at twice."""

    TWINS = "twins"
    SIBLINGS = "siblings"
    MOTHERS_NUMBER = "mothers_number"
    PARENTS_NUMBER = "parents_number"
    SHARED_PHONE = "shared_phone"
    SEX_CONFLICT = "sex_conflict"
    PLACEHOLDER_DATE = "placeholder_date"
    SHARED_WIDELY = "shared_widely"
    RECORDED_APART = "recorded_apart"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """One record of the pair: standard values that are known, raw values, and when it was recorded."""

    standard: Mapping[str, StandardValue]
    raw: Mapping[str, str]
    recorded_at: str | None

    @property
    def born(self) -> int | None:
        """The year of birth, where it is known."""
        year = self.standard.get("birth_year")
        return year if isinstance(year, int) else None

    @property
    def is_infant(self) -> bool:
        """Whether it was recorded in the first years of life."""
        recorded = parse_year(self.recorded_at)
        return self.born is not None and recorded is not None and 0 <= recorded - self.born < INFANCY


@dataclass(frozen=True, slots=True)
class PairFacts:
    """Both records, and the standard columns whose value so many people share that it counts for nothing."""

    left: RecordFacts
    right: RecordFacts
    capped: tuple[str, ...] = ()

    def equal(self, column: str) -> bool:
        """Whether both know a standard value and it is the same; of sets, whether they share a member."""
        left, right = self.left.standard.get(column), self.right.standard.get(column)
        if isinstance(left, tuple) and isinstance(right, tuple):
            return not set(left).isdisjoint(right)
        return left is not None and left == right

    def differs(self, column: str) -> bool:
        """Whether both know a standard value and it is not the same."""
        known = self.left.standard.get(column) is not None and self.right.standard.get(column) is not None
        return known and not self.equal(column)

    @property
    def years_apart(self) -> int | None:
        """Years between the births, where both are known."""
        left, right = self.left.born, self.right.born
        return None if left is None or right is None else abs(left - right)


def _other_given_name(pair: PairFacts) -> bool:
    return pair.differs("name_given") and pair.differs("name_given_dialect")


def _one_family(pair: PairFacts) -> bool:
    return pair.equal("mother_dialect") or pair.equal("name_surname_dialect")


def _twins(pair: PairFacts) -> bool:
    return pair.equal("birth_iso") and _other_given_name(pair) and _one_family(pair)


def _siblings(pair: PairFacts) -> bool:
    if pair.equal("birth_iso") or not _other_given_name(pair):
        return False
    household = pair.equal("name_surname_dialect") and (pair.equal("phone") or pair.equal("place_street"))
    apart = pair.years_apart
    return (pair.equal("mother_dialect") or household) and apart is not None and apart <= SIBLINGS_WITHIN


def _mothers_number(pair: PairFacts) -> bool:
    if not (pair.equal("id_citizen") or pair.equal("id_insurance")):
        return False
    apart = pair.years_apart
    return (apart is not None and apart >= GENERATION) or pair.left.is_infant != pair.right.is_infant


def _parents_number(pair: PairFacts) -> bool:
    return any(side.standard.get("id_guardian") is not None for side in (pair.left, pair.right))


def _shared_phone(pair: PairFacts) -> bool:
    return pair.equal("phone") and (_other_given_name(pair) or pair.differs("birth_iso"))


def _sex_conflict(pair: PairFacts) -> bool:
    return pair.differs("sex")


def _placeholder_date(pair: PairFacts) -> bool:
    return any(_is_placeholder(side) for side in (pair.left, pair.right))


def _is_placeholder(side: RecordFacts) -> bool:
    """1 January, which registers write for a day that nobody knows, or a date that stands for none."""
    raw = side.raw.get("birth_date")
    if not raw:
        return False
    written = parse_date(raw, parse_year(side.recorded_at))
    if written.year is None:
        return any(raw.startswith(f"{year:04d}-{month:02d}-{day:02d}") for year, month, day in SENTINELS)
    return (written.month, written.day) == (1, 1)


def _shared_widely(pair: PairFacts) -> bool:
    return bool(pair.capped)


def _recorded_apart(pair: PairFacts) -> bool:
    left, right = parse_year(pair.left.recorded_at), parse_year(pair.right.recorded_at)
    return left is not None and right is not None and abs(left - right) >= LONG_AGO


_TESTS: Mapping[Caution, Callable[[PairFacts], bool]] = {
    Caution.TWINS: _twins,
    Caution.SIBLINGS: _siblings,
    Caution.MOTHERS_NUMBER: _mothers_number,
    Caution.PARENTS_NUMBER: _parents_number,
    Caution.SHARED_PHONE: _shared_phone,
    Caution.SEX_CONFLICT: _sex_conflict,
    Caution.PLACEHOLDER_DATE: _placeholder_date,
    Caution.SHARED_WIDELY: _shared_widely,
    Caution.RECORDED_APART: _recorded_apart,
}


def cautions(pair: PairFacts) -> tuple[Caution, ...]:
    """What holds of a pair, the gravest first."""
    return tuple(caution for caution, holds in _TESTS.items() if holds(pair))
