"""Keys in pages and in rows on both databases: a look-up finds both, and of a hot block the part around the key."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mpi.matching.stored_keys import PAGE_ENTRIES, choose_candidates, key_pages
from mpi.registry import blocking_keys
from mpi.registry.registry import Registry

BLOCK = 1 << 24
FIRST_NEW = 1 << 40


def _near(registry: Registry, keys: list[int]) -> list[set[tuple[int, int]]]:
    """The entries near each key."""
    with registry.snapshot() as uow:
        found = blocking_keys.near(uow, np.array(keys, dtype=np.int64))
    assert len(found.starts) == len(keys) + 1
    pieces = [found.entries[a:b] for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)]
    return [{(int(key), int(record)) for key, record in piece} for piece in pieces]


def _chosen(registry: Registry, key: int, limit: int) -> tuple[set[int], bool]:
    with registry.snapshot() as uow:
        found = blocking_keys.near(uow, np.array([key], dtype=np.int64))
    chosen = choose_candidates(np.array([key]), np.array([limit]), found.entries, found.starts)
    return set(chosen.record_ids.tolist()), bool(chosen.bounded[0])


def _replace(registry: Registry, entries: list[tuple[int, int]], made_by: str = "these rules") -> int:
    pairs: NDArray[np.int64] = np.array(sorted(entries), dtype=np.int64).reshape(-1, 2)
    with registry.begin() as uow:
        pages = key_pages(pairs[:, 0].copy(), pairs[:, 1].copy())
        return blocking_keys.replace_all(uow, [pages], made_by=made_by)


def _add(registry: Registry, entries: list[tuple[int, int]]) -> None:
    with registry.begin() as uow:
        rows = np.array(entries, dtype=np.int64).reshape(-1, 2)
        blocking_keys.add(uow, rows[:, 0], rows[:, 1], first_new=FIRST_NEW)


def test_pages_and_rows_are_found_together(registry: Registry) -> None:
    stored = [(5 * BLOCK, 1), (5 * BLOCK + 70_000, 2), (-3 * BLOCK, 3)]
    assert _replace(registry, stored) == 3
    _add(registry, [(5 * BLOCK + 9, 4), (8 * BLOCK, 5)])
    first, below, nothing = _near(registry, [5 * BLOCK, -3 * BLOCK, -(1 << 63)])
    assert first >= {*stored[:2], (5 * BLOCK + 9, 4)}
    assert (8 * BLOCK, 5) not in first
    assert below >= {stored[2]}
    assert nothing == set()
    assert _near(registry, []) == []


def test_a_key_is_stored_once_and_all_are_replaced(registry: Registry) -> None:
    _add(registry, [(BLOCK, 1), (BLOCK, 2)])
    _add(registry, [(BLOCK, 2), (BLOCK, 3)])
    assert _near(registry, [BLOCK]) == [{(BLOCK, 1), (BLOCK, 2), (BLOCK, 3)}]
    _replace(registry, [(BLOCK, 9)])
    assert _near(registry, [BLOCK]) == [{(BLOCK, 9)}]


@pytest.mark.parametrize("size", [PAGE_ENTRIES, 200, 5_000])
def test_blocks_of_many_pages_give_the_part_around_the_key(size: int, registry: Registry) -> None:
    """Of `size` entries in a block with refining bytes, always those of the key's own part."""
    entries = [(7 * BLOCK + (record % 100 << 16), record) for record in range(1, size + 1)]
    _replace(registry, [*entries, (6 * BLOCK, 10_001), (8 * BLOCK, 10_002)])
    for part in (1, 50, 60):
        key = 7 * BLOCK + (part << 16)
        found, bounded = _chosen(registry, key, 60)
        assert found == {record for each, record in entries if each == key}
        # of a block of many pages one page is read, which may hold fewer than the limit
        assert bounded or size > 1_000


def test_a_hot_block_of_rows_gives_the_part_around_the_key_and_shows_it(registry: Registry) -> None:
    rows = [(7 * BLOCK + (record % 100 << 16), record) for record in range(1, 601)]
    _add(registry, [*rows, (6 * BLOCK, 1), (8 * BLOCK, 1)])
    for part in (0, 50, 99):
        key = 7 * BLOCK + (part << 16)
        found, bounded = _chosen(registry, key, 40)
        assert found == {record for each, record in rows if each == key}
        assert len(found) == 6
        assert bounded
    # nobody is like it in the refining column
    found, bounded = _chosen(registry, 7 * BLOCK + (200 << 16), 40)
    assert found == set()
    assert bounded


def test_a_block_that_nothing_refines_is_cut_short(registry: Registry) -> None:
    _add(registry, [(7 * BLOCK, record) for record in range(1, 601)])
    found, bounded = _chosen(registry, 7 * BLOCK, 40)
    assert 0 < len(found) <= 4 * 40
    assert bounded


def test_made_by(registry: Registry) -> None:
    with registry.snapshot() as uow:
        assert blocking_keys.made_by(uow) is None
    _replace(registry, [], made_by="one")
    with registry.begin() as uow:
        assert blocking_keys.made_by(uow) == "one"
        blocking_keys.note_made_by(uow, "two")
        assert blocking_keys.made_by(uow) == "two"


def test_capped_values(registry: Registry) -> None:
    codes = np.array([3, 1 << 63, (1 << 64) - 1], dtype=np.uint64)
    with registry.begin() as uow:
        blocking_keys.replace_capped(uow, [("phones", codes), ("number", codes[:1])])
        blocking_keys.add_capped(uow, "phones", np.array([3, 4], dtype=np.uint64))
        found = blocking_keys.capped_values(uow)
    assert found["phones"].tolist() == [3, 4, 1 << 63, (1 << 64) - 1]
    assert found["number"].tolist() == [3]
    with registry.begin() as uow:
        asked = np.array([3, 5, (1 << 64) - 1, 3], dtype=np.uint64)
        assert blocking_keys.capped_among(uow, ["phones", "phones", "phones", "name"], asked).tolist() == [
            True,
            False,
            True,
            False,
        ]
        blocking_keys.replace_capped(uow, [])
        assert blocking_keys.capped_values(uow) == {}
