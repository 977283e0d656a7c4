"""The sort of blocking keys is numpy's stable sort, for evenly spread codes and for any others."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from mpi.matching.sorting import sort_by_code


def _check(codes: NDArray[np.uint64]) -> None:
    order = np.argsort(codes, kind="stable")
    ours, places = codes.copy(), np.arange(len(codes), dtype=np.uint64)
    sort_by_code(ours, places)
    assert np.array_equal(ours, codes[order])
    assert np.array_equal(places, order.astype(np.uint64))


@pytest.mark.parametrize("size", [0, 1, 2, 511, 512, 513, 5_000, 300_000])
def test_spread_codes(size: int) -> None:
    random = np.random.default_rng(size)
    codes = random.integers(0, 2**64 - 1, size, dtype=np.uint64, endpoint=True)
    _check(codes)
    _check(random.choice(codes, size) if size else codes)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2**63 - 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1), max_size=300))
def test_any_codes(codes: list[int]) -> None:
    _check(np.array(codes, dtype=np.uint64))


def test_codes_of_few_values() -> None:
    """One block may hold most of a city: equal codes are not moved."""
    _check(np.random.default_rng(5).choice(np.array([7, 2**40, 2**62], dtype=np.uint64), 20_000))
