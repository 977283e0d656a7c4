"""The closed table of standardisers: what each reads, what it yields, and the function between.

A standardiser reduces each input alone, then combines the reduced values; the table path does both once per distinct
value.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from mpi.domain.records import ColumnKind, StandardValue
from mpi.standardise import addresses, dates, identifiers, names, phones, sexes, text

Values = tuple[StandardValue, ...]
Reducer = Callable[[str | None], Any]

TEXT, INTEGER, TEXTS = ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.TEXTS


@dataclass(frozen=True, slots=True)
class Output:
    """One standard column of a standardiser; the name "" stands for the field's prefix alone."""

    name: str
    kind: ColumnKind


@dataclass(frozen=True, slots=True)
class Standardiser:
    """How raw values of one field become standard values.

    `reducers` (one an input, None to pass it on) bring an input down to what the result depends on:
    few distinct values, hashable. `combine` takes the reduced values and gives one value an output.
    Inputs in `context` only help to read the others: from them alone no value comes.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]
    reducers: tuple[Reducer | None, ...]
    combine: Callable[..., Values]
    context: frozenset[str] = frozenset()

    def function(self, *values: str | None) -> Values:
        """The standard values of one raw value (or None) for each input, in order."""
        pairs = zip(values, self.reducers, strict=True)
        return self.combine(*[value if reducer is None else reducer(value) for value, reducer in pairs])


def _outputs(kind: ColumnKind, *names_of_outputs: str) -> tuple[Output, ...]:
    return tuple(Output(name, kind) for name in names_of_outputs)


def _mother_name(name: names.StandardName, newborns: str | None) -> Values:
    """The mother's name of the column made for it, else of a newborn's own name."""
    if name.folded is None:
        name = names.standard_name(newborns)
    return name.folded, name.dialect


_NO_DATE: Values = (None,) * 5

_GROWN = 2
"""Years from birth to the record after which a name can no longer be the mother's in a newborn's place."""


def _birth_values(born: dates.StandardDate) -> Values:
    return born.iso, born.year, born.month, born.day, born.swapped


def _written_birth(value: str | None) -> Values | str | None:
    """The values of a birth date, or the raw text where the record's year decides what was meant (two-digit years)."""
    return value if dates.needs_record(value) else _birth_values(dates.parse_birth_date(value))


def _birth_date(written: Values | str | None, recorded_year: int | None) -> Values:
    if not isinstance(written, tuple):
        written = _birth_values(dates.parse_birth_date(written, recorded_year))
    year = cast(int | None, written[1])
    if not dates.is_plausible_birth(year, recorded_year):
        written, year = _NO_DATE, None
    is_grown = year is not None and recorded_year is not None and recorded_year - year >= _GROWN
    return *written, "grown" if is_grown else None


def _birth_year(value: str | None) -> int | str | None:
    """The year of a birth date, or the raw text where the record's year decides."""
    return value if dates.needs_record(value) else dates.parse_birth_date(value).year


def _identifiers(
    citizen: str | None, insurance: str | None, birth_year: int | str | None, sex: str | None, recorded_year: int | None
) -> Values:
    if not citizen and not insurance:
        return identifiers.NOTHING
    if isinstance(birth_year, str):
        birth_year = dates.parse_birth_date(birth_year, recorded_year).year
    elif (
        birth_year is not None and recorded_year is not None and not recorded_year - 125 <= birth_year <= recorded_year
    ):
        birth_year = None
    return identifiers.standard_identifiers(citizen, insurance, birth_year, sex)


def _date(value: str | None) -> Values:
    known = dates.parse_date(value)
    return known.iso, known.year, known.month, known.day, known.swapped


_DATE_OUTPUTS = (*_outputs(TEXT, "iso"), *_outputs(INTEGER, "year", "month", "day"), *_outputs(TEXT, "swapped"))

_ALL = (
    Standardiser(
        "vn_name",
        ("name", "mother"),
        _outputs(TEXT, *names.StandardName._fields, "order"),
        (names.numbered_name, names.standard_name),
        names.name_beside_mother,
    ),
    Standardiser(
        "vn_mother_name",
        ("name", "child"),
        _outputs(TEXT, "folded", "dialect"),
        (names.standard_name, names.mother_of_newborn),
        _mother_name,
    ),
    Standardiser(
        "vn_birth_date",
        ("date", "recorded_at"),
        (*_DATE_OUTPUTS, Output("grown", TEXT)),
        (_written_birth, dates.parse_year),
        _birth_date,
        context=frozenset({"recorded_at"}),
    ),
    Standardiser("vn_sex", ("sex",), _outputs(TEXT, ""), (sexes.standard_sex,), lambda sex: (sex,)),
    Standardiser(
        "vn_identifiers",
        ("citizen", "insurance", "birth_date", "sex", "recorded_at"),
        _outputs(TEXT, *identifiers.StandardIdentifiers._fields),
        (None, None, _birth_year, sexes.standard_sex, dates.parse_year),
        _identifiers,
        context=frozenset({"birth_date", "sex", "recorded_at"}),
    ),
    Standardiser(
        "vn_phone",
        ("phone", "recorded_at"),
        _outputs(TEXTS, ""),
        (None, phones.era),
        lambda phone, written: (phones.standard_phones(phone, written),),
        context=frozenset({"recorded_at"}),
    ),
    Standardiser(
        "vn_address",
        ("ward", "address", "recorded_at"),
        (Output("wards", TEXTS), Output("street", TEXT)),
        (None, None, addresses.after_reform),
        addresses.standard_address,
        context=frozenset({"recorded_at"}),
    ),
    Standardiser("text", ("value",), _outputs(TEXT, ""), (text.words,), lambda value: (value,)),
    Standardiser("token", ("value",), _outputs(TEXT, ""), (text.token,), lambda value: (value,)),
    Standardiser("digits", ("value",), _outputs(TEXT, ""), (text.digits,), lambda value: (value,)),
    Standardiser("date", ("value",), (Output("", TEXT), *_DATE_OUTPUTS[1:]), (None,), _date),
    Standardiser("integer", ("value",), _outputs(INTEGER, ""), (text.integer,), lambda value: (value,)),
)

STANDARDISERS: Mapping[str, Standardiser] = MappingProxyType({one.name: one for one in _ALL})
"""All standardisers by the name that rule files use."""
