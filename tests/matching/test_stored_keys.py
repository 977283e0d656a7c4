"""Stored keys in pages against brute force: small blocks are found whole, of large ones the refined part, and a bound
shows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mpi.domain.model import BlockingRule
from mpi.matching.blocking import blocking_plan, fill_keys
from mpi.matching.kernel import as_rows
from mpi.matching.siphash import key_words
from mpi.matching.stored_keys import CUT, PAGE_ENTRIES, KeyPages, choose_candidates, key_pages, stored_keys
from tests.factories import KEY, rows_of, with_blocking

RULES = (
    BlockingRule("number", ("number",), refine=("name", "year")),
    BlockingRule("phones", ("phones",), refine=("year",)),
    BlockingRule("name and birth", ("name", "birth")),
)


def _records(count: int, seed: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        values: dict[str, Any] = {
            "number": str(random.integers(0, 6)),
            "name": f"name {random.integers(0, 4)}",
            "birth": f"2000-01-0{random.integers(1, 4)}",
            "year": int(random.integers(2000, 2004)),
            "phones": tuple(f"p{n}" for n in random.integers(0, 8, int(random.integers(0, 4)))) or None,
        }
        found.append({name: value for name, value in values.items() if value is not None and random.random() > 0.2})
    return found


def test_stored_blocks_are_the_blocks_of_batch_runs() -> None:
    """Two records share a stored block where, and only where, they share a blocking key; and refined parts are those of
    the refining columns."""
    records = _records(120, 1)
    scorer = with_blocking(*RULES)
    rows = rows_of(*records, scorer=scorer)
    plan = blocking_plan(scorer.model, scorer.layout)
    stored = stored_keys(plan, rows, KEY)
    keys = np.zeros_like(stored)
    fill_keys(plan.keys, as_rows(rows), key_words(KEY), keys)
    for batch, single in zip(keys, stored, strict=True):
        assert set(batch[batch != 0] >> np.uint64(24)) == set(single[single != 0] >> np.uint64(24))
    numbered = [place for place, record in enumerate(records) if "number" in record]
    for one in numbered:
        for other in numbered:
            same = [records[one].get(name) == records[other].get(name) for name in ("number", "name", "year")]
            shared = [stored[one, 0] >> np.uint64(bits) == stored[other, 0] >> np.uint64(bits) for bits in (24, 16, 8)]
            # a byte of a hash may be equal by chance, but never differ where the column is equal
            assert shared[0] == same[0]
            assert shared[1] or not all(same[:2])
            assert shared[2] or not all(same)
    other_secret = stored_keys(plan, rows, bytes(16))
    assert not np.isin(stored[stored != 0], other_secret).any()


Block = tuple[int, list[tuple[int, int, int, int]]]

blocks = st.dictionaries(
    st.integers(-(1 << 39), (1 << 39) - 1),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 2), st.sampled_from((1, 1, 2, 30, 70))),
        min_size=1,
        max_size=6,
    ),
    min_size=1,
    max_size=8,
)
"""Blocks by their 40 bits, each as refined parts with how many records they have."""


def _entries(drawn: dict[int, list[tuple[int, int, int, int]]]) -> NDArray[np.int64]:
    """Sorted entries (key, record id), int64 (n, 2)."""
    keys = [
        block << 24 | first << 16 | second << 8 | third
        for block, parts in drawn.items()
        for first, second, third, count in parts
        for _ in range(count)
    ]
    ids = np.random.default_rng(len(keys)).permutation(len(keys)) + 1
    entries = np.array(sorted(zip(keys, ids.tolist(), strict=True)), dtype=np.int64)
    return entries.reshape(-1, 2)


def _page_of(pages: KeyPages, key: int) -> NDArray[np.int64]:
    """The entries of the page that a look-up of a key reads."""
    place = int(np.searchsorted(pages.first_keys, key, side="right")) - 1
    return pages.entries[pages.starts[place] : pages.stops[place]] if place >= 0 else pages.entries[:0]


def _chosen(pages: KeyPages, key: int, limit: int) -> tuple[set[int], bool]:
    near = _page_of(pages, key)
    found = choose_candidates(
        np.array([key]), np.array([limit]), np.ascontiguousarray(near), np.array([0, len(near)], dtype=np.int64)
    )
    assert (found.queries == 0).all()
    assert len(set(found.record_ids.tolist())) == len(found.record_ids)
    return set(found.record_ids.tolist()), bool(found.bounded[0])


@settings(max_examples=60, deadline=None)
@given(blocks)
def test_pages_are_small_in_order_and_lose_none_but_of_one_and_the_same_key(
    drawn: dict[int, list[tuple[int, int, int, int]]],
) -> None:
    entries = _entries(drawn)
    pages = key_pages(entries[:, 0].copy(), entries[:, 1].copy())
    sizes = pages.stops - pages.starts
    assert (sizes > 0).all()
    assert (sizes <= PAGE_ENTRIES).all()
    assert (pages.first_keys[1:] > pages.first_keys[:-1]).all()
    kept = np.concatenate([np.arange(a, b) for a, b in zip(pages.starts, pages.stops, strict=True)])
    assert (np.diff(kept) > 0).all()
    lost = np.setdiff1d(np.arange(len(entries)), kept)
    assert len(lost) == pages.dropped
    same_key = {int(key): np.flatnonzero(entries[:, 0] == key) for key in np.unique(entries[lost, 0])}
    expected = [places[:-PAGE_ENTRIES] for places in same_key.values()]
    # of one key's records the oldest go, the newest page's worth stays
    assert sorted(np.concatenate(expected).tolist() if expected else []) == lost.tolist()
    blobs = b"".join(pages.blobs())
    assert np.array_equal(np.frombuffer(blobs, dtype="<i8").reshape(-1, 2), entries[kept])


@settings(max_examples=60, deadline=None)
@given(blocks)
def test_a_block_that_fits_a_page_is_found_whole_from_any_of_its_keys(
    drawn: dict[int, list[tuple[int, int, int, int]]],
) -> None:
    entries = _entries(drawn)
    pages = key_pages(entries[:, 0].copy(), entries[:, 1].copy())
    for key in np.unique(entries[:, 0]).tolist():
        for depth in range(4):
            shift = 24 - 8 * depth
            part = entries[entries[:, 0] >> shift == key >> shift]
            if len(part) <= PAGE_ENTRIES:
                break
        else:
            part = part[-PAGE_ENTRIES:]
        # what the page holds of the block is the largest part around the key that fits, or more
        found, bounded = _chosen(pages, key, 10**6)
        assert set(part[:, 1].tolist()) <= found
        assert found <= set(entries[entries[:, 0] >> 24 == key >> 24, 1].tolist())
        assert not bounded


@settings(max_examples=60, deadline=None)
@given(blocks, st.integers(1, 40))
def test_of_a_block_above_the_limit_the_refined_part_around_the_key(
    drawn: dict[int, list[tuple[int, int, int, int]]], limit: int
) -> None:
    entries = _entries(drawn)
    pages = key_pages(entries[:, 0].copy(), entries[:, 1].copy())
    for key in np.unique(entries[:, 0]).tolist():
        near = _page_of(pages, key)
        for depth in range(4):
            shift = 24 - 8 * depth
            part = near[near[:, 0] >> shift == key >> shift]
            if len(part) <= limit:
                break
        newest = part[-CUT * limit :]
        assert _chosen(pages, key, limit) == (set(newest[:, 1].tolist()), depth > 0 or len(newest) < len(part))


def test_a_key_that_is_not_there_finds_its_block_all_the_same() -> None:
    entries = _entries({5: [(0, 0, 0, 3), (2, 0, 0, 3)], 9: [(0, 0, 0, 2)], -4: [(0, 0, 0, 1)]})
    pages = key_pages(entries[:, 0].copy(), entries[:, 1].copy())
    assert len(_chosen(pages, 5 << 24 | 1 << 16, 40)[0]) == 6
    assert _chosen(pages, 7 << 24, 40) == (set(), False)
    assert _chosen(pages, -9 << 24, 40) == (set(), False)
    assert _chosen(pages, 5 << 24 | 1 << 16, 4) == (set(), True)


def test_nothing_stored() -> None:
    none = np.empty(0, dtype=np.int64)
    pages = key_pages(none, none)
    assert pages.blobs() == []
    found = choose_candidates(none, none, none.reshape(-1, 2), np.zeros(1, dtype=np.int64))
    assert len(found.record_ids) == len(found.bounded) == 0


@pytest.mark.parametrize("limits", [(2, 50), (50, 2)])
def test_each_query_has_its_own_entries_and_limit(limits: Sequence[int]) -> None:
    entries = _entries({1: [(0, 0, 0, 5)], 2: [(0, 0, 0, 5)]})
    queries = np.array([1 << 24, 2 << 24])
    near = np.concatenate([entries, entries])
    starts = np.array([0, len(entries), 2 * len(entries)], dtype=np.int64)
    found = choose_candidates(queries, np.array(limits), near, starts)
    small = limits.index(2)
    assert found.bounded.tolist() == [place == small for place in range(2)]
    assert found.sizes.tolist() == [5, 5]
    blocks = [set(entries[entries[:, 0] == query, 1].tolist()) for query in queries.tolist()]
    for place, block in enumerate(blocks):
        # a block that nothing refines any more is bounded by CUT limits, and five are no more than those
        assert set(found.record_ids[found.queries == place].tolist()) == block


def test_a_rule_without_refinement_stores_bare_blocks() -> None:
    scorer = with_blocking(replace(RULES[2], refine=()))
    keys = stored_keys(
        blocking_plan(scorer.model, scorer.layout), rows_of({"name": "an", "birth": "2000-01-01"}, scorer=scorer), KEY
    )
    assert keys[0, 0] != 0
    assert int(keys[0, 0]) & 0xFFFFFF == 0
