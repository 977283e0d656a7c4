"""Which question a steward should read first: the one that is most in doubt, where a wrong answer does most harm.

A priority is doubt times harm; priorities are only compared with one another, and none is ever 0.
"""

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import Thresholds

LEAST_DOUBT = 0.25
"""Doubt of a question whose weight almost settles it; 1 is the most."""


def doubt(weights: NDArray[np.float64], stopped: NDArray[np.bool_], thresholds: Thresholds) -> NDArray[np.float64]:
    """How open n questions are, float64 (n,) from LEAST_DOUBT to 1: most in the middle between the review and the link
    threshold.

    `weights` float64 (n,) in bits, NaN for none. What is `stopped` (bool (n,)) by more than its weight is as open as
    can be, and so is what lies outside the thresholds: its weight alone would not have left it to a steward.
    """
    review, link = thresholds.review, thresholds.link
    weighed = ~stopped & (weights >= review) & (weights < link)
    if not weighed.any():
        return np.ones(len(weights))
    off = np.abs(np.where(weighed, weights, 0.0) - (review + link) / 2) / ((link - review) / 2)
    return np.where(weighed, 1 - (1 - LEAST_DOUBT) * off, 1.0)


def harm(entries: NDArray[np.int64], systems: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much n wrong answers would spoil, float64 (n,) of 1 and more: grows with the logarithms of how many entries
    of health records and how many source systems hang on the people, int64 (n,) each."""
    found: NDArray[np.float64] = 1 + np.log2(1 + entries.astype(np.float64)) + np.log2(1 + systems.astype(np.float64))
    return found
