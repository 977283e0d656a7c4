import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.data.vn import rows
from mpi.standardise.phones import Era, canonical, era, standard_phones
from mpi.standardise.placeholders import is_placeholder_phone
from tests.strategies import MOBILE_PREFIXES, phones

FORMS = [
    ("0912345679", ("0912345679",)), ("+84 912 345 679", ("0912345679",)), ("84912345679", ("0912345679",)),
    ("0084912345679", ("0912345679",)), ("+84 0912345679", ("0912345679",)), ("912345679", ("0912345679",)),
    ("0912.345.679", ("0912345679",)), ("0912-345-679", ("0912345679",)), ("O912345679", ("0912345679",)),
    ("0912345679.0", ("0912345679",)), ("01682234567", ("0382234567",)), ("1682234567", ("0382234567",)),
    ("841682234567", ("0382234567",)), ("028 38123456", ("02838123456",)), ("(028) 3812 3456", ("02838123456",)),
    ("0650 3822333", ("02743822333",)), ("064 3822333", ("02543822333",)), ("04 38223334", ("02438223334",)),
    ("0912345679;0987654322", ("0912345679", "0987654322")), ("0912345679 / 0987654322", ("0912345679", "0987654322")),
    ("0912345679 - 0987654322", ("0912345679", "0987654322")), ("0912345679, 0912345679", ("0912345679",)),
    ("0912345679 (mẹ)", ("0912345679",)), ("mẹ: 0912345679, ba: 0913345678", ("0912345679", "0913345678")),
    ("0909000000", None), ("0999999999", None), ("0123456789", None), ("12345", None), ("không có", None), ("", None),
    ("079199012345", None), ("9.12E+08", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), FORMS)
def test_forms_of_phones(written: str, expected: tuple[str, ...] | None) -> None:
    assert standard_phones(written) == expected


@pytest.mark.parametrize("row", rows("phone_mobile_2018_map"), ids=lambda row: row["old_prefix_4"])
def test_every_prefix_of_2018_is_converted(row: dict[str, str]) -> None:
    assert canonical(f"{row['old_prefix_4']}2345679") == f"{row['new_prefix_3']}2345679"


@pytest.mark.parametrize(
    ("recorded_at", "expected"),
    [("2015-05-05", "02838123456"), ("2018-01-01", "02838123456"), ("2019-01-01", "0838123456"), (None, "0838123456")],
)
def test_the_date_tells_old_landlines_of_the_city_from_mobiles(recorded_at: str | None, expected: str) -> None:
    assert standard_phones("08 38123456", era(recorded_at)) == (expected,)


def test_eras_begin_on_their_days() -> None:
    days = ("2016-12-31", "2017-01-01", "2017-06-16", "2017-06-17", "2018-09-14", "2018-09-15")
    assert [era(day) for day in days] == [0, 1, 1, 2, 2, 3]


@given(phones, st.sampled_from(("{}", "+84{1}", "84{1}", "{1}", "{} (mẹ)", "{}.0", " {}\n")))
def test_habits_of_writing_do_not_matter(number: str, habit: str) -> None:
    assert standard_phones(habit.format(number, number[1:])) == standard_phones(number)


@given(phones)
def test_what_the_library_finds_valid_is_ours(number: str) -> None:
    valid = phonenumbers.is_valid_number(phonenumbers.parse(number, "VN"))
    ours = standard_phones(number)
    # Ours is a superset: the library knows which numbers of a prefix have been given out so far.
    assert (ours is None) == is_placeholder_phone(number)
    assert ours is None or standard_phones(ours[0]) == ours
    assert not valid or ours is not None or is_placeholder_phone(number)


@pytest.mark.parametrize("prefix", MOBILE_PREFIXES)
def test_the_library_knows_every_mobile_prefix(prefix: str) -> None:
    parsed = [phonenumbers.parse(f"{prefix}{digit}234568", "VN") for digit in range(10)]
    assert any(map(phonenumbers.is_valid_number, parsed)) or prefix == "055"


@pytest.mark.parametrize("row", rows("phone_area_codes_2017"), ids=lambda row: row["new_code_without_0"])
def test_every_area_code_is_converted_and_known_to_the_library(row: dict[str, str]) -> None:
    local = "38223334" if len(row["new_code_without_0"]) == 2 else "3822333"
    number = standard_phones(f"0{row['old_code_without_0']}{local}", Era.BEFORE_2017)
    assert number == (f"0{row['new_code_without_0']}{local}",)
    assert phonenumbers.is_valid_number(phonenumbers.parse(number[0], "VN"))
    assert standard_phones(number[0]) == number


@given(st.text(), st.sampled_from(list(Era)))
def test_no_text_is_too_strange(written: str, written_in: Era) -> None:
    found = standard_phones(written, written_in)
    assert found is None or (0 < len(found) <= 3 and all(one.isdigit() and one[0] == "0" for one in found))
