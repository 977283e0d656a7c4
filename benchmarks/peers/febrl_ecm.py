"""recordlinkage's ECM classifier on FEBRL: the index and comparisons of its documented examples, then with more blocks.

The examples "Data deduplication" and "Link two datasets" block on the given name and compare six columns; the
unsupervised classifier of its guide is fitted to those comparisons.
"""

from typing import Any

import numpy as np
import recordlinkage

from benchmarks.peers.febrl_data import Febrl

BLOCKS = {
    "documented example": ("given_name",),
    "the same, blocked as Splink's example": ("soc_sec_id", "given_name", "surname", "date_of_birth", "postcode"),
}


def matches(data: Febrl, columns: tuple[str, ...]) -> tuple[Any, Any]:
    """Pairs that the classifier calls matches: their record ids on either side."""
    indexer = recordlinkage.Index()
    for column in columns:
        indexer.block(column)
    compare = recordlinkage.Compare()
    compare.exact("given_name", "given_name", label="given_name")
    compare.string("surname", "surname", method="jarowinkler", threshold=0.85, label="surname")
    compare.exact("date_of_birth", "date_of_birth", label="date_of_birth")
    compare.exact("suburb", "suburb", label="suburb")
    compare.exact("state", "state", label="state")
    compare.string("address_1", "address_1", threshold=0.85, label="address_1")
    features = compare.compute(indexer.index(*data.frames), *data.frames)
    found = recordlinkage.ECMClassifier().fit_predict(features)
    return found.get_level_values(0), found.get_level_values(1)


def rows(data: Febrl) -> list[dict[str, Any]]:
    """One row of the table a way of blocking."""
    table = []
    for settings, columns in BLOCKS.items():
        np.random.seed(0)
        left, right = matches(data, columns)
        figures = data.score(data.rows(list(left)), data.rows(list(right)))
        table.append({"tool": "recordlinkage ECM", "settings": settings, **figures})
    return table
