import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.data.vn import rows
from mpi.standardise.sounds import dialect
from mpi.standardise.syllables import compose, syllable


@pytest.mark.parametrize("table", ["surname_freq", "given_name_freq", "middle_name_freq"])
def test_every_syllable_of_the_name_tables_is_possible(table: str) -> None:
    column = {"surname_freq": "surname", "given_name_freq": "given", "middle_name_freq": "middle"}[table]
    words = {word for row in rows(table) for word in row[column].split()}
    impossible = {word for word in words if not syllable(word).possible}
    assert len(impossible) <= 0.02 * len(words), impossible


@pytest.mark.parametrize("word", ["NguyÔn", "V¨n", "Vaên", "Nguyeãn", "smith", "Vuõ", "tácp", "x", "họà", "đò̀"])
def test_what_cannot_be_a_syllable(word: str) -> None:
    assert not syllable(word).possible


@pytest.mark.parametrize(
    ("plain", "tone", "whole"),
    [("hoa", "\u0300", "hòa"), ("quy", "\u0301", "quý"), ("nguyên", "\u0303", "nguyễn"), ("hoan", "\u0300", "hoàn"),
     ("khuya", "\u0301", "khuýa"), ("gia", "\u0300", "già"), ("giêng", "\u0301", "giếng"), ("hoai", "\u0300", "hoài"),
     ("ngươi", "\u0300", "người"), ("cat", "\u0300", None), ("zzz", "", None)],
)  # fmt: skip
def test_where_the_tone_sits(plain: str, tone: str, whole: str | None) -> None:
    assert compose(plain, tone) == whole


@given(st.text(max_size=12))
def test_reading_twice_changes_nothing(word: str) -> None:
    read = syllable(word)
    again = syllable(read.accented)
    assert (again.accented, again.folded) == (read.accented, read.folded)
    assert unicodedata.is_normalized("NFC", read.accented)


@given(st.text(alphabet="abcdghiklmnopqrstuvxy", min_size=1, max_size=7), st.booleans())
def test_a_dialect_representative_stands_for_itself(word: str, surname: bool) -> None:
    heard = dialect(word, surname=surname)
    assert dialect(heard, surname=surname) == heard
