"""Frequency caps: different people are counted, all caps are judged first, and a void value is void everywhere."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mpi.domain.model import BlockingRule, FrequencyCap
from mpi.matching.features import MISSING_INTEGER
from mpi.matching.levels import Representation
from mpi.matching.scorer import Scorer
from mpi.matching.sharing import CappedValues, apply_caps, void_values
from tests.factories import PRIOR, all_pairs, rows_of, with_blocking

BLOCKING = (BlockingRule("number", ("number",)), BlockingRule("phones", ("phones",)), BlockingRule("year", ("year",)))
NUMBER = FrequencyCap("number", ("name", "year"), 2)


def _capped(
    caps: tuple[FrequencyCap, ...], *records: dict[str, Any]
) -> tuple[Scorer, NDArray[np.uint8], list[CappedValues]]:
    scorer = with_blocking(*BLOCKING, caps=caps)
    rows = rows_of(*records, scorer=scorer)
    return scorer, rows, apply_caps(rows, scorer.model, scorer.layout)


def _people(count: int, **shared: Any) -> list[dict[str, Any]]:
    return [{"name": f"name {place}", "year": 2000 + place, **shared} for place in range(count)]


def _numbers(scorer: Scorer, rows: NDArray[np.uint8]) -> list[bool]:
    at = scorer.layout.offset("number", Representation.CODE) // 8
    return (rows.view(np.uint64)[:, at] != 0).tolist()


def test_a_number_of_three_people_is_void_and_one_of_two_is_not() -> None:
    scorer, rows, [capped] = _capped((NUMBER,), *_people(3, number="111"), *_people(2, number="222"))
    assert _numbers(scorer, rows) == [False, False, False, True, True]
    assert (len(capped.codes), capped.records, capped.column) == (1, 3, "number")


def test_many_records_of_one_person_are_one_person() -> None:
    scorer, rows, [capped] = _capped((NUMBER,), *_people(1, number="111") * 40)
    assert all(_numbers(scorer, rows))
    assert len(capped.codes) == 0


def test_who_cannot_be_told_from_another_is_not_counted_but_loses_the_value_too() -> None:
    nameless: list[dict[str, Any]] = [
        {"number": "111"},
        {"number": "111", "name": "an"},
        {"number": "111", "year": 2001},
    ]
    _, _, [capped] = _capped((NUMBER,), *_people(2, number="111"), *nameless)
    assert len(capped.codes) == 0
    scorer, rows, [capped] = _capped((NUMBER,), *_people(3, number="111"), *nameless)
    assert capped.records == 6
    assert not any(_numbers(scorer, rows))


def test_a_year_of_minus_one_is_a_year() -> None:
    people = [{"name": "an", "year": year, "number": "111"} for year in (-1, 0, 1)]
    _, _, [capped] = _capped((NUMBER,), *people)
    assert capped.records == 3


def test_members_of_a_set_are_taken_out_and_the_rest_moves_up() -> None:
    scorer = with_blocking(*BLOCKING, caps=(FrequencyCap("phones", ("name", "year"), 3),))
    mixed = _people(3, phones=("bad", "good", "worse", "fine"))
    only_bad = [{"name": f"other {n}", "year": n, "phones": ("bad", "worse")} for n in range(2)]
    rows = rows_of(*mixed, *only_bad, {"phones": ("kept",)}, scorer=scorer)
    at = scorer.layout.offset("phones", Representation.MEMBERS) // 8
    bad, good, worse, fine = rows.view(np.uint64)[0, at : at + 4].tolist()
    kept = int(rows.view(np.uint64)[5, at])
    [capped] = apply_caps(rows, scorer.model, scorer.layout)
    members = rows.view(np.uint64)[:, at : at + 4].tolist()
    assert capped.codes.tolist() == sorted([bad, worse])
    assert capped.records == 5
    assert members == [[good, fine, 0, 0]] * 3 + [[0] * 4] * 2 + [[kept, 0, 0, 0]]


def test_every_cap_is_judged_before_any_value_goes() -> None:
    """Each column tells the other's people apart, and both are shared too widely: neither may hide the other's."""
    by_number = FrequencyCap("number", ("birth",), 2)
    by_birth = FrequencyCap("birth", ("number", "name"), 2)
    records = [{"number": "111", "birth": f"b{n}", "name": f"n{n}"} for n in range(3)]
    records += [{"number": f"9{n}", "birth": "b0", "name": "x"} for n in range(3)]
    for caps in ((by_number, by_birth), (by_birth, by_number)):
        scorer, rows, found = _capped(caps, *records)
        assert sorted(len(each.codes) for each in found) == [1, 1]
        assert _numbers(scorer, rows) == [False] * 3 + [True] * 3


@pytest.mark.parametrize("column", ["number", "name", "year"])
def test_a_void_value_is_missing_to_every_comparison(column: str) -> None:
    """Every representation goes: a void row scores exactly as a row that never had the value."""
    per = tuple({"number", "name", "year"} - {column})
    cap = FrequencyCap(column, per, 2)
    shared = {"number": "111", "name": "an", "year": 2000}
    records = [{"number": f"{n}", "name": f"name {n}", "year": n, column: shared[column]} for n in range(3)]
    scorer = with_blocking(*BLOCKING, caps=(cap,))
    rows = rows_of(*records, scorer=scorer)
    [capped] = apply_caps(rows, scorer.model, scorer.layout)
    assert capped.records == 3
    without = rows_of(*({k: v for k, v in each.items() if k != column} for each in records), scorer=scorer)
    left, right = all_pairs(3)
    here, there = (scorer.score(each, left, right, prior=PRIOR) for each in (rows, without))
    assert np.array_equal(here.codes, there.codes)
    assert np.array_equal(here.weights, there.weights)
    for (name, representation), offset in scorer.layout.offsets.items():
        if name == column and representation is Representation.BYTES:
            assert not rows[:, offset].any()
        elif name == column and representation is Representation.INTEGER:
            assert (rows.view(np.int32)[:, offset // 4] == MISSING_INTEGER).all()
        elif name == column:
            assert not rows.view(np.uint32)[:, offset // 4].any()


def test_void_codes_are_found_wherever_they_stand_among_others() -> None:
    """The row's code as the first, the middle and the last of the codes that are void, and not among them."""
    scorer = with_blocking(*BLOCKING)
    rows = rows_of({"number": "111", "name": "an"}, {"name": "an"}, scorer=scorer)
    at = scorer.layout.offset("number", Representation.CODE) // 8
    code = int(rows.view(np.uint64)[0, at])
    for codes in ([code], [code - 1, code], [code, code + 1], [code - 1, code, code + 1]):
        voided = rows.copy()
        held = np.array(codes, dtype=np.uint64)
        assert void_values(voided, scorer.model, scorer.layout, "number", held) == 1
        assert _numbers(scorer, voided) == [False, False]
    for codes in ([code - 1], [code + 1], [code - 1, code + 1], []):
        same = rows.copy()
        others = np.array(codes, dtype=np.uint64)
        assert void_values(same, scorer.model, scorer.layout, "number", others) == 0
        assert np.array_equal(same, rows)
