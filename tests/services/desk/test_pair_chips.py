"""Chips of a family that names other fields: by its own standard columns and the words of its levels."""

import pytest

from mpi.app import App
from mpi.domain.records import RecordKey, SourceRecord, StandardValue
from mpi.services.desk.pair_chips import Chip, Chips
from mpi.services.desk.pair_warnings import PairFacts, RecordFacts, cautions
from mpi.standardise.record import standardise_record

FEBRL = App.start().rules("febrl", trained=False).model


def standard(**values: str) -> dict[str, StandardValue]:
    return dict(standardise_record(SourceRecord(RecordKey("a", "1"), values), FEBRL.fields).values)


@pytest.mark.parametrize(
    ("column", "left", "right", "level", "chip"),
    [
        ("given_name", "Charlotte", "CHARLOTTE", "equal", Chip.SAME),
        ("given_name", "charlotte", "charlote", "one edit", Chip.NEAR),
        ("given_name", "charlotte", "james", "exchanged with the surname", Chip.SWAPPED),
        ("given_name", "charlotte", "james", "different", Chip.DIFFERENT),
        ("given_name", "charlotte", "", "missing", Chip.MISSING),
        ("date_of_birth", "19630115", "19630115", "equal", Chip.SAME),
        ("postcode", "2000", "2001", "", Chip.DIFFERENT),
        ("a column that no rule reads", "x", "x", "", Chip.MISSING),
    ],
)
def test_the_chip_of_another_familys_field(column: str, left: str, right: str, level: str, chip: Chip) -> None:
    sides = standard(**{column: left}), standard(**{column: right})
    assert Chips(FEBRL).chip(column, *sides, {column: level}) is chip


def test_rules_without_the_columns_of_families_warn_of_none() -> None:
    side = RecordFacts(standard(given_name="charlotte"), {"given_name": "charlotte"}, None)
    assert cautions(PairFacts(side, side)) == ()
