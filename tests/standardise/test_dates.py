from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.standardise.dates import UNKNOWN, StandardDate, full_year, parse_birth_date, parse_date, parse_year
from tests.strategies import written_dates

FORMS = [
    ("199903120000", (1999, 3, 12)),
    ("199903120730", (1999, 3, 12)),
    ("199900000000", (1999, None, None)),
    ("19990312", (1999, 3, 12)),
    ("12031999", (1999, 3, 12)),
    ("1999-03-12", (1999, 3, 12)),
    ("1999/3/12", (1999, 3, 12)),
    ("12/03/1999", (1999, 3, 12)),
    ("1/2/99", (1999, 2, 1)),
    ("12.03.1999", (1999, 3, 12)),
    ("12-03-1999", (1999, 3, 12)),
    ("1950", (1950, None, None)),
    ("__/__/1950", (1950, None, None)),
    ("/1950", (1950, None, None)),
    ("1950.0", (1950, None, None)),
    ("00/00/1950", (1950, None, None)),
    ("xx/05/1950", (1950, 5, None)),
    ("05/1950", (1950, 5, None)),
    ("195005", (1950, 5, None)),
    ("01/01/1950", (1950, None, None)),
    ("36234", (1999, 3, 15)),
    ("36234.0", (1999, 3, 15)),
    ("36234.5", (1999, 3, 15)),
    ("03/25/1999", (1999, 3, 25)),
    ("31/02/1980", (1980, None, None)),
    ("45/45/1980", (1980, None, None)),
    ("ngày 12 tháng 3 năm 1999", (1999, 3, 12)),
    ("12-Mar-1999", (1999, 3, 12)),
    ("sinh năm 1950", (1950, None, None)),
    ("12/03/15", (2015, 3, 12)),
    ("12/03/35", (1935, 3, 12)),
    ("１２/０３/１９９９", (1999, 3, 12)),
]


@pytest.mark.parametrize(("written", "parts"), FORMS)
def test_forms_of_birth_dates(written: str, parts: tuple[int, int | None, int | None]) -> None:
    assert parse_birth_date(written, 2024) == StandardDate(*parts)


UNKNOWNS = (
    "1900-01-01",
    "01/01/1900",
    "1970-01-01",
    "1899-12-30",
    "0001-01-01",
    "",
    "//",
    "12/3",
    "không rõ",
    "0",
    "99",
    "2030-05-05",
    "1850-05-05",
    "\x00",
    "1234567",
    "9999-12-31",
)


@pytest.mark.parametrize("written", UNKNOWNS)
def test_sentinels_and_impossible_dates_are_unknown(written: str) -> None:
    assert parse_birth_date(written, 2024) == UNKNOWN


@given(written_dates())
def test_every_form_gives_the_date(pair: tuple[date, str]) -> None:
    moment, written = pair
    if (moment.year, moment.month, moment.day) != (1970, 1, 1):
        assert parse_date(written).iso == moment.isoformat()


@given(written_dates())
def test_standard_dates_stand_for_themselves(pair: tuple[date, str]) -> None:
    born = parse_birth_date(pair[1], 2026)
    if born.iso is not None:
        assert parse_birth_date(born.iso, 2026) == born


def test_swapped_dates_agree_and_others_do_not() -> None:
    assert parse_date("03/12/1999").swapped == parse_date("12/03/1999").swapped == "1999-03-12"
    assert parse_date("03/12/1999").swapped != parse_date("03/11/1999").swapped
    assert parse_date("1999").swapped is None


@given(st.integers(0, 99), st.integers(1950, 2100))
def test_two_digit_years_give_an_age_up_to_a_hundred_and_ten(year: int, recorded: int) -> None:
    full = full_year(year, recorded)
    assert full % 100 == year
    assert 0 <= recorded - full <= 99


@given(st.text())
def test_no_text_is_too_strange(written: str) -> None:
    known = parse_birth_date(written)
    assert known.day is None or known.month is not None
    assert known.month is None or known.year is not None
    assert parse_year(written) is None or 1950 <= (parse_year(written) or 0) <= 2100
