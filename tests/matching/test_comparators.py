"""String comparators against jellyfish and rapidfuzz on ASCII texts of up to 64 bytes, dates against the calendar."""

from datetime import date

import hypothesis.strategies as st
import jellyfish
import numpy as np
import pytest
from hypothesis import example, given, settings
from numpy.typing import NDArray
from rapidfuzz.distance import DamerauLevenshtein, Hamming, Jaro, JaroWinkler, Levenshtein

from mpi.matching.comparators import (
    SCRATCH_SIZE,
    damerau_at_most,
    day_number,
    jaro,
    jaro_winkler,
    levenshtein_at_most,
    one_substitution,
    one_transposition,
    same_prefix,
)

SCRATCH = np.zeros(SCRATCH_SIZE, dtype=np.int32)

letters = st.sampled_from("abcn 01")
texts = st.text(letters, min_size=1, max_size=12) | st.text(
    st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64
)


@st.composite
def near_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A text and the same text after a few edits and swaps."""
    text = draw(texts)
    other = text
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(other)))
        kept, letter = draw(st.sampled_from([(0, True), (1, True), (1, False), (2, False)])), draw(letters)
        skipped, insert = kept
        if skipped == 2:
            other = other[:place] + other[place + 1 : place + 2] + other[place : place + 1] + other[place + 2 :]
        else:
            other = other[:place] + (letter if insert else "") + other[place + skipped :]
    return text, other[:64] or "a"


pairs = near_texts() | st.tuples(texts, texts)


def _rows(left: str, right: str) -> NDArray[np.uint8]:
    rows = np.zeros((2, 72), dtype=np.uint8)
    for row, text in enumerate((left, right)):
        rows[row, 3] = len(text)
        rows[row, 4 : 4 + len(text)] = np.frombuffer(text.encode(), dtype=np.uint8)
    return rows


@given(pairs)
@example(("ca", "abc"))
@example(("a" * 64, "b" * 64))
@settings(max_examples=300, deadline=None)
def test_edit_distances(pair: tuple[str, str]) -> None:
    rows = _rows(*pair)
    levenshtein = Levenshtein.distance(*pair)
    damerau = DamerauLevenshtein.distance(*pair)
    assert levenshtein == jellyfish.levenshtein_distance(*pair)
    assert damerau == jellyfish.damerau_levenshtein_distance(*pair)
    for limit in range(1, 11):
        assert levenshtein_at_most(rows, 0, 3, 1, 3, limit, SCRATCH) == (levenshtein <= limit)
        assert damerau_at_most(rows, 0, 3, 1, 3, limit, SCRATCH) == (damerau <= limit)


@given(pairs)
@example(("martha", "marhta"))
@example(("dixon", "dicksonx"))
@settings(max_examples=300, deadline=None)
def test_similarities(pair: tuple[str, str]) -> None:
    rows = _rows(*pair)
    plain, winkler = jaro(rows, 0, 3, 1, 3), jaro_winkler(rows, 0, 3, 1, 3)
    assert plain == pytest.approx(Jaro.similarity(*pair), abs=1e-12)
    assert winkler == pytest.approx(JaroWinkler.similarity(*pair), abs=1e-12)
    assert plain == pytest.approx(jellyfish.jaro_similarity(*pair), abs=1e-12)
    assert plain == pytest.approx(jaro(rows, 1, 3, 0, 3), abs=1e-12)


@given(pairs)
@example(("0123", "1023"))
@example(("aa", "aa"))
@settings(deadline=None)
def test_single_slips(pair: tuple[str, str]) -> None:
    left, right = pair
    rows = _rows(left, right)
    same = len(left) == len(right)
    assert one_substitution(rows, 0, 3, 1, 3) == (same and Hamming.distance(left, right) == 1)
    swaps = {left[:k] + left[k + 1] + left[k] + left[k + 2 :] for k in range(len(left) - 1)} - {left}
    assert one_transposition(rows, 0, 3, 1, 3) == (right in swaps)


@given(pairs, st.integers(1, 64))
@settings(deadline=None)
def test_prefixes(pair: tuple[str, str], size: int) -> None:
    left, right = pair
    expected = len(left) >= size and len(right) >= size and left[:size] == right[:size]
    assert same_prefix(_rows(left, right), 0, 3, 1, 3, size) == expected


@given(st.dates())
@settings(deadline=None)
def test_day_numbers(day: date) -> None:
    assert day_number(day.year, day.month, day.day) == (day - date(1970, 1, 1)).days
