"""Entries in memory: what a look-up gives is what a dict of lists would give, however many there are."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi.matching import key_chains
from mpi.matching.key_chains import MOST_OF_A_BLOCK, KeyChains

BLOCK = 1 << 24
KEYS = st.builds(
    lambda block, rest: block * BLOCK + rest,
    st.sampled_from([0, 1, 2, -1, -2, -(1 << 39), (1 << 39) - 1, 1024, 1025, 2048, -1024]),
    st.integers(0, BLOCK - 1),
)
BATCHES = st.lists(st.lists(st.tuples(KEYS, st.integers(1, 99)), max_size=30), max_size=8)


def _add(chains: KeyChains, entries: list[tuple[int, int]]) -> None:
    rows = np.array(entries, dtype=np.int64).reshape(-1, 2)
    chains.add(rows[:, 0].copy(), rows[:, 1].copy())


def _near(chains: KeyChains, *queries: int) -> list[list[tuple[int, int]]]:
    entries, starts = chains.near(np.array(queries, dtype=np.int64))
    assert starts[0] == 0
    assert starts[-1] == len(entries)
    every = [(int(key), int(record)) for key, record in entries]
    return [every[a:b] for a, b in pairwise(starts.tolist())]


@settings(deadline=None)
@given(BATCHES, st.lists(KEYS, max_size=10))
def test_as_a_dict_of_lists(batches: list[list[tuple[int, int]]], queries: list[int]) -> None:
    """Whatever was added in whatever portions: a block's entries from the oldest to the newest, and nobody else's."""
    chains = KeyChains()
    expected: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for batch in batches:
        _add(chains, batch)
        for key, record in batch:
            expected[key >> 24].append((key, record))
        assert _near(chains, *queries) == [expected[query >> 24] for query in queries]
    assert len(chains) == sum(map(len, batches))


@pytest.mark.parametrize("portion", [1, 700, 1_024, 1_025, 10_000])
def test_it_grows(portion: int) -> None:
    """Blocks whose numbers share their lowest bits share a bucket, also when there are more buckets."""
    chains = KeyChains()
    entries = [((at % 7 * 4_096 - 8_192) * BLOCK + at, at) for at in range(10_000)]
    for start in range(0, len(entries), portion):
        _add(chains, entries[start : start + portion])
    assert len(chains) == len(entries)
    found = _near(chains, *((block * 4_096 - 8_192) * BLOCK for block in range(8)))
    assert found == [entries[block::7] for block in range(7)] + [[]]


def test_of_a_hot_block_the_newest() -> None:
    chains = KeyChains()
    hot = [(-5 * BLOCK + at, at) for at in range(MOST_OF_A_BLOCK + 1_000)]
    _add(chains, hot[:3_000])
    _add(chains, [(7 * BLOCK, 1)])
    assert _near(chains, -5 * BLOCK) == [hot[:3_000]]
    _add(chains, hot[3_000:])
    assert _near(chains, -5 * BLOCK, 7 * BLOCK, -5 * BLOCK) == [
        hot[-MOST_OF_A_BLOCK:],
        [(7 * BLOCK, 1)],
        hot[-MOST_OF_A_BLOCK:],
    ]


def test_nothing_is_near_nothing() -> None:
    chains = KeyChains()
    assert _near(chains) == []
    assert _near(chains, 5, -5) == [[], []]
    _add(chains, [])
    assert len(chains) == 0
    # every bucket at first is empty, and an entry in the last place of one ends its chain
    _add(chains, [(key_chains._START * BLOCK, 1)])
    assert _near(chains, 0, key_chains._START * BLOCK) == [[], [(key_chains._START * BLOCK, 1)]]
