import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.persons.agreement import Agreement, agreement

WORDS = ("same", "different", "unsure")


def readings(table: Sequence[Sequence[int]]) -> list[tuple[str, str]]:
    """Pairs of words from a table of counts: rows are the first reader's words, columns the second's."""
    return [
        (WORDS[row], WORDS[column])
        for row, counts in enumerate(table)
        for column, n in enumerate(counts)
        for _ in range(n)
    ]


# Worked out by hand. Second line: agreed 20 + 15 of 50, chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5, so (0.7 - 0.5) / 0.5.
# Third line: agreed 26 of 40; chance (18 * 16 + 14 * 15 + 8 * 9) / 1600 = 0.35625, so (0.65 - 0.35625) / 0.64375.
# Fourth line: they never agree; chance 2 * 0.25, so -1. Fifth: 45 of 100, chance 0.5 * 0.5 + 0.5 * 0.5, so -0.1.
BY_HAND = [
    ([[7, 0, 0], [0, 3, 0], [0, 0, 2]], 12, 12, 1.0),
    ([[20, 5, 0], [10, 15, 0], [0, 0, 0]], 50, 35, 0.4),
    ([[12, 4, 2], [3, 9, 2], [1, 2, 5]], 40, 26, 0.29375 / 0.64375),
    ([[0, 5, 0], [5, 0, 0], [0, 0, 0]], 10, 0, -1.0),
    ([[20, 30, 0], [25, 25, 0], [0, 0, 0]], 100, 45, -0.1),
]


@pytest.mark.parametrize(("table", "pairs", "agreed", "kappa"), BY_HAND)
def test_kappa_is_what_it_is_by_hand(table: list[list[int]], pairs: int, agreed: int, kappa: float) -> None:
    found = agreement(readings(table))
    assert (found.pairs, found.agreed) == (pairs, agreed)
    assert found.kappa is not None
    assert math.isclose(found.kappa, kappa, abs_tol=1e-12)
    assert found.share == agreed / pairs


def test_counted_readings_are_the_same_as_listed_ones() -> None:
    listed = readings([[12, 4, 2], [3, 9, 2], [1, 2, 5]])
    assert agreement(Counter(listed)) == agreement(listed)


def test_without_a_pair_there_is_nothing_to_measure() -> None:
    assert agreement([]) == Agreement(0, 0, None)
    assert agreement([]).share is None


def test_two_who_only_ever_say_one_word_agree_without_a_kappa() -> None:
    assert agreement([("same", "same")] * 5) == Agreement(5, 5, None)


def test_one_who_always_says_the_same_does_no_better_than_chance() -> None:
    found = agreement([("same", "same")] * 6 + [("same", "different")] * 4)
    assert (found.agreed, found.kappa) == (6, 0.0)


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=1, max_size=60))
def test_kappa_is_that_of_the_matrix_formula(pairs: list[tuple[str, str]]) -> None:
    """The textbook's other way: from the matrix of shares, with the outer product of its margins."""
    shares = np.zeros((3, 3))
    for first, second in pairs:
        shares[WORDS.index(first), WORDS.index(second)] += 1 / len(pairs)
    expected = float(np.trace(np.outer(shares.sum(axis=1), shares.sum(axis=0))))
    found = agreement(pairs)
    if math.isclose(expected, 1.0, abs_tol=1e-9):
        assert found.kappa is None
        return
    assert found.kappa is not None
    assert math.isclose(found.kappa, (float(np.trace(shares)) - expected) / (1 - expected), abs_tol=1e-9)
    assert -1 <= found.kappa <= 1


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), max_size=40))
def test_it_does_not_matter_who_read_first_or_when(pairs: list[tuple[str, str]]) -> None:
    assert agreement(reversed(pairs)) == agreement(pairs)
    assert agreement((second, first) for first, second in pairs) == agreement(pairs)
