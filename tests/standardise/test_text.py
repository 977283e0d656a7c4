import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.standardise.placeholders import is_placeholder_name, is_placeholder_phone, is_run
from mpi.standardise.sexes import standard_sex
from mpi.standardise.text import MAXIMUM_CHARACTERS, capped, digits, integer, token, words


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("  O'Brien-Smith, Jr. ", "o brien smith jr"),
        ("Đặng  Hòa", "dang hoa"),
        ("STRASSE ß", "strasse ss"),
        ("漢字", None),
        ("", None),
        (None, None),
    ],
)
def test_words(written: str | None, expected: str | None) -> None:
    assert words(written) == expected


def test_tokens_and_digits() -> None:
    assert token(" Ab-12/3 ") == "ab123"
    assert token("--") is None
    assert digits("0012 34x") == "001234"
    assert digits("x") is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("12", 12),
        (" -7 ", -7),
        ("12.0", 12),
        ("0012", 12),
        ("12.5", None),
        ("9999999999", None),
        ("", None),
        (None, None),
        ("x", None),
    ],
)
def test_integers(written: str | None, expected: int | None) -> None:
    assert integer(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1", "M"),
        ("2", "F"),
        ("3", None),
        ("0", None),
        ("Nam", "M"),
        ("NỮ", "F"),
        ("nữ", "F"),
        ("N", None),
        ("gái", "F"),
        ("Trai", "M"),
        ("male", "M"),
        ("Female", "F"),
        ("m", "M"),
        ("f", "F"),
        ("1.0", "M"),
        ("", None),
        (None, None),
    ],
)
def test_sexes(written: str | None, expected: str | None) -> None:
    assert standard_sex(written) == expected
    assert standard_sex(expected) == expected


def test_runs_and_fillers() -> None:
    assert is_run("7777777")
    assert is_run("789012")
    assert is_run("210987")
    assert not is_run("0912345679")
    assert is_placeholder_phone("0909000000")
    assert not is_placeholder_phone("0909000001")
    assert is_placeholder_name("vo danh", "vô danh")
    assert not is_placeholder_name("vo danh", "võ danh")


@given(st.text())
def test_folded_values_stand_for_themselves(written: str) -> None:
    for standard in (words, token, digits):
        value = standard(written)
        assert standard(value) == value
        assert value is None or (value.isascii() and value == value.strip() and value)
    assert integer(written) is None or integer(str(integer(written))) == integer(written)


def test_long_values_are_cut_before_any_work() -> None:
    assert len(capped("x" * 100_000)) == MAXIMUM_CHARACTERS
    assert capped("\x00a\x00") == "a"
