from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.standardise.identifiers import (
    NOTHING,
    clean_numbers,
    fits,
    implied_birth_year,
    implied_sex,
    standard_identifiers,
)
from mpi.standardise.placeholders import is_placeholder_number
from tests.strategies import citizens, insurance_cards, insurance_numbers

OWN = {"citizen": "079199012345", "citizen_checked": "079199012345"}
UNCHECKED = {"citizen": "079199012345"}

CASES = [
    # citizen column, insurance column, birth year, sex, what is found
    ("079199012345", None, 1999, "F", OWN),
    ("079199012345", None, 1999, None, OWN),
    ("079199012345", None, 1999, "M", UNCHECKED),
    ("079199012345", None, None, "F", UNCHECKED),
    ("079199012345", None, 1998, "F", UNCHECKED),
    ("003199012345", None, 1999, "F", {"citizen": "003199012345"}),
    ("79199012345", None, 1999, "F", OWN),
    ("79199012345", None, None, "F", {}),
    ("79199012345", None, 1990, "F", {}),
    ("79199012345.0", None, 1999, "F", OWN),
    ("7.9199E+10", None, 1999, "F", {}),
    ("079 199 012 345", None, 1999, "F", OWN),
    ("O79199O12345", None, 1999, "F", OWN),
    ("０７９１９９０１２３４５", None, 1999, "F", OWN),
    ("CCCD: 079199012345", None, 1999, "F", OWN),
    ("079180012345", None, 2010, "M", {"guardian": "079180012345"}),
    ("993041834512", None, 2010, "M", {"citizen": "993041834512"}),
    ("79180012345", None, 2010, "M", {"guardian": "079180012345"}),
    ("1099012345", None, 1999, "M", {"citizen": "001099012345", "citizen_checked": "001099012345"}),
    ("1099012345", None, 1990, "M", {"insurance": "1099012345"}),
    ("7912345678", None, 1990, "M", {"insurance": "7912345678"}),
    ("0912345679", None, 1990, "M", {}),
    ("271234567", None, 1980, None, {"old": "271234567"}),
    ("21234569", None, 1980, None, {"old": "021234569"}),
    ("271234567; 079199012345", None, 1999, "F", {**OWN, "old": "271234567"}),
    ("B1234569", None, None, None, {"passport": "B1234569"}),
    ("c 1234569", None, None, None, {"passport": "C1234569"}),
    ("8938501234567", None, None, None, {}),
    ("không", "079199012345", 1999, "F", OWN),
    ("079199012345", "079199054321", 1999, "F", OWN),
    (None, "DN4797912345678; GD4797912345699", 1980, None, {"insurance": "7912345678"}),
    (None, "HC4797912345678", 1980, None, {"insurance": "7912345678"}),
    (None, "thẻ: HC4797912345678", 1980, None, {"insurance": "7912345678"}),
    (None, "dn4-79-7912345678", 1980, None, {"insurance": "7912345678"}),
    (None, "7912345678", 1980, None, {"insurance": "7912345678"}),
    (None, "0912345679", 1980, None, {}),
    ("GD4797912345678", None, 1980, None, {"insurance": "7912345678"}),
    (None, "0000000000", None, None, {}),
]


@pytest.mark.parametrize(("citizen", "insurance", "year", "sex", "expected"), CASES)
def test_numbers_are_told_apart_by_what_they_are(
    citizen: str | None, insurance: str | None, year: int | None, sex: str | None, expected: dict[str, str]
) -> None:
    assert standard_identifiers(citizen, insurance, year, sex) == NOTHING._replace(**expected)


FILLERS = (
    "000000000000",
    "111111111111",
    "123456789012",
    "012345678901",
    "012345678910",
    "098765432109",
    "999888777666",
    "079000000000",
    "000000000",
    "123456789",
    "36",
    "0",
    "không",
    "ko",
    "kc",
    "chưa có",
    "chưa cấp",
    "x",
    "-",
    ".",
    "N/A",
    "null",
    "none",
    "",
)


@pytest.mark.parametrize("filler", FILLERS)
def test_fillers_are_nothing(filler: str) -> None:
    assert standard_identifiers(filler, filler, 1990, "M") == NOTHING


@given(citizens())
def test_the_structure_of_a_number_says_year_and_sex(made: tuple[str, date, str]) -> None:
    number, born, sex = made
    assert (implied_birth_year(number), implied_sex(number)) == (born.year, sex)
    assert fits(number, born.year, sex)


@given(citizens(), st.sampled_from(("{}", "{}.0", " {} ", "SO CCCD {}")), st.booleans())
def test_habits_of_writing_do_not_matter(made: tuple[str, date, str], habit: str, lose_zeros: bool) -> None:
    number, born, sex = made
    written = habit.format(number.lstrip("0") if lose_zeros else number)
    if not is_placeholder_number(number):
        found = standard_identifiers(written, None, born.year, sex)
        if number.startswith("00") and lose_zeros and found.citizen is None:
            assert clean_numbers(written)[0][0] in "123456789"
        else:
            assert found.citizen == found.citizen_checked == number
            assert standard_identifiers(found.citizen, None, born.year, sex) == found


@given(insurance_cards, insurance_numbers)
def test_the_card_and_its_last_ten_digits_are_one_number(card: str, number: str) -> None:
    found = standard_identifiers(None, card[:5] + number)
    assert found == standard_identifiers(None, "HS479" + number)
    assert found.insurance in (number, None)
    if found.insurance is not None:
        assert standard_identifiers(None, found.insurance).insurance == number


@given(st.text(), st.text(), st.one_of(st.none(), st.integers(1900, 2030)), st.sampled_from(("M", "F", None)))
def test_no_text_is_too_strange(citizen: str, insurance: str, year: int | None, sex: str | None) -> None:
    found = standard_identifiers(citizen, insurance, year, sex)
    for number, size in ((found.citizen, 12), (found.guardian, 12), (found.old, 9), (found.insurance, 10)):
        assert number is None or (len(number) == size and number.isdigit() and number.isascii())
