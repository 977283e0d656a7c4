"""Priority: the middle between the thresholds before the ends, a veto before a weight, much harm before little."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.domain.model import Thresholds
from mpi.persons.priority import LEAST_DOUBT, doubt, harm

THRESHOLDS = Thresholds(link=8.0, review=2.0, margin=3.0)


def _doubts(*weights: float, stopped: bool = False, thresholds: Thresholds = THRESHOLDS) -> list[float]:
    found = doubt(np.array(weights), np.full(len(weights), stopped), thresholds)
    assert found.dtype == np.float64
    return list(found.tolist())


def test_the_middle_is_most_in_doubt_and_the_ends_are_never_nothing() -> None:
    assert _doubts(5.0, 3.5, 6.5, 2.0) == pytest.approx([1.0, 0.625, 0.625, LEAST_DOUBT])
    assert _doubts(7.999999)[0] == pytest.approx(LEAST_DOUBT, abs=1e-6)


@pytest.mark.parametrize("weight", [float("nan"), float("-inf"), 1.9, 8.0, 60.0])
def test_what_the_weight_does_not_leave_open_is_stopped_by_something_else(weight: float) -> None:
    assert _doubts(weight, 2.0) == pytest.approx([1.0, LEAST_DOUBT])


def test_a_veto_leaves_any_weight_open() -> None:
    assert _doubts(2.0, 5.0, 7.9, stopped=True) == [1.0, 1.0, 1.0]


def test_thresholds_that_are_one_leave_nothing_between_them() -> None:
    assert _doubts(7.0, 8.0, 9.0, thresholds=Thresholds(link=8.0, review=8.0, margin=3.0)) == [1.0, 1.0, 1.0]
    assert _doubts() == []


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 40))
def test_harm_grows_with_entries_and_with_systems(entries: int, more: int, systems: int) -> None:
    found = harm(np.array([entries, entries + more, entries]), np.array([systems, systems, systems + 1]))
    assert found.dtype == np.float64
    assert found[0] >= 1.0
    assert found[1] >= found[0]
    assert found[2] > found[0]


def test_harm_by_numbers() -> None:
    assert harm(np.array([0, 3, 1023]), np.array([0, 1, 3])).tolist() == [1.0, 4.0, 13.0]
