import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.data.vn import rows
from mpi.standardise.encodings import from_mojibake, from_tcvn3, from_vni, repair_encoding, repair_typing
from mpi.standardise.names import standard_name
from mpi.standardise.syllables import impossible_count
from tests.strategies import vietnamese_names


def encoded(text: str, column: str) -> str:
    table = {row["unicode"]: row[column] for row in rows("legacy_encoding_map")}
    return "".join(table.get(letter, letter) for letter in text)


@pytest.mark.parametrize(("column", "decode"), [("tcvn3_as_cp1252", from_tcvn3), ("vni", from_vni)])
def test_every_letter_comes_back(column: str, decode: Callable[[str], str]) -> None:
    for row in rows("legacy_encoding_map"):
        # The table gives ỹ the VNI code of ì, which the decoder reads as ì.
        expected = {"ỹ": "ì", "Ỹ": "Ì"}.get(row["unicode"], row["unicode"]) if column == "vni" else row["unicode"]
        assert decode(row[column]) == expected
    assert from_vni("Myõ") == "Mỹ"


@given(vietnamese_names(), st.sampled_from(("tcvn3_as_cp1252", "vni")), st.booleans())
def test_names_come_back_from_legacy_encodings(name: str, column: str, lower: bool) -> None:
    name = name.lower() if lower else name
    damaged = encoded(name, column)
    if impossible_count(damaged) > 0 == impossible_count(name):
        # i and y count as one: the table writes VNI ỹ with the code of ì.
        assert standard_name(damaged).dialect == standard_name(name).dialect


@given(vietnamese_names())
def test_names_come_back_from_misread_utf8(name: str) -> None:
    octets = name.encode()
    damaged = "".join(bytes((octet,)).decode("cp1252", errors="ignore") or chr(octet) for octet in octets)
    assert from_mojibake(damaged) == name


@given(vietnamese_names())
def test_sound_names_are_left_alone(name: str) -> None:
    if impossible_count(name) == 0:
        assert repair_encoding(name) == name


@pytest.mark.parametrize("text", ["smith john", "nguyen van an12", "nguyen van an2", "tran thi lan", "kowalski"])
def test_what_spells_no_syllables_is_left_alone(text: str) -> None:
    assert repair_typing(text) == text


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    repair_encoding(text)
    repair_typing(text)


def test_legacy_letters_taken_apart_are_known_again() -> None:
    assert repair_encoding(unicodedata.normalize("NFD", "Nguyễn Khaùnh")) == "Nguyễn Khánh"
