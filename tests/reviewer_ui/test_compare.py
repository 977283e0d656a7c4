"""Two values letter by letter: what kind of difference stands where."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer_ui.compare import Difference, compare

NONE = Difference.NONE


def kinds(left: str, right: str) -> tuple[str, ...]:
    return tuple(each.value for each in compare(left, right).differences)


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ("Trần Thị Lan", "TRẦN THỊ LAN", ()),
        ("Trần Thị Lan", "Trần Thị Lán", ("tone",)),
        ("Trần Thị Lan", "Trần Thị Lân", ("vowel",)),
        ("Trần Thị Lan", "Trần Thị Lấn", ("both",)),
        ("Trần Thị Lan", "Trần Thị Len", ("letter",)),
        ("Đặng Văn An", "Dặng Văn An", ("stroke",)),
        ("Trần Thị Lan", "Trần Lan", ("only",)),
        ("Trần Thị Lan", "Tran Thi Lan", ("tone", "both")),
        ("Hoà", "Hòa", ("tone",)),
        ("Nguyễn Mỹ", "Nguyễn Mĩ", ("letter",)),
        ("Lê Văn Hùng", unicodedata.normalize("NFD", "Lê Văn Hùng"), ()),
        ("0903718264", "0903718246", ("only",)),
        ("", "", ()),
        ("", "An", ("only",)),
    ],
)
def test_what_differs(left: str, right: str, found: tuple[str, ...]) -> None:
    assert kinds(left, right) == kinds(right, left) == found


def test_a_lost_tone_does_not_shift_what_follows() -> None:
    found = compare("Nguyễn Thị Hồng Ánh", "Nguyễn Thi Hồng Anh")
    assert [(piece.text, piece.difference.value) for piece in found.left] == [
        ("Nguyễn Th", "none"),
        ("ị", "tone"),
        (" Hồng ", "none"),
        ("Á", "tone"),
        ("nh", "none"),
    ]
    assert [piece.text for piece in found.right] == ["Nguyễn Th", "i", " Hồng ", "A", "nh"]


def test_marks_beside_their_letter_count_as_part_of_it() -> None:
    found = compare("Lan\u0302\u0323", "Lan")
    assert "".join(piece.text for piece in found.left) == unicodedata.normalize("NFC", "Lan\u0302\u0323")
    assert len(found.differences) == 1


def test_a_very_long_value_is_cut() -> None:
    assert sum(len(piece.text) for piece in compare("a" * 10_000, "b").left) == 500


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_pieces_of_a_side_are_its_value(left: str, right: str) -> None:
    found = compare(left, right)
    for value, pieces in ((left, found.left), (right, found.right)):
        assert "".join(piece.text for piece in pieces) == unicodedata.normalize("NFC", value.strip())
    equal = [[piece for piece in side if piece.difference is NONE] for side in (found.left, found.right)]
    assert sum(len(piece.text) for piece in equal[0]) > 0 or not equal[1]


@given(st.text(max_size=40))
def test_a_value_differs_in_nothing_from_itself(value: str) -> None:
    assert compare(value, value).differences == ()
