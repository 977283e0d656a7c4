"""Keys in pages and in rows on both databases: a look-up finds both, and of a hot block the part around the key; what a
process remembers of the rows is what there is."""

import threading
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from mpi.matching.stored_keys import PAGE_ENTRIES, choose_candidates, key_pages
from mpi.registry import blocking_keys
from mpi.registry.blocking_keys import StoredKeys
from mpi.registry.counters import Counters, allocate
from mpi.registry.online import Numbers
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import Readable, UnitOfWork
from tests.hearing import hearing
from tests.registries import SECRET

BLOCK = 1 << 24
Entries = list[tuple[int, int]]


class _FailedError(Exception):
    """What rolls a transaction back."""


def _found(reading: Readable, known: StoredKeys, keys: list[int]) -> list[Entries]:
    """The entries near each key, in their order."""
    found, _ = known.near(reading, np.array(keys, dtype=np.int64))
    assert len(found.starts) == len(keys) + 1
    pieces = [found.entries[a:b] for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)]
    return [[(int(key), int(record)) for key, record in piece] for piece in pieces]


def _look(registry: Registry, known: StoredKeys, key: int) -> Entries:
    with registry.look() as reading:
        (found,) = _found(reading, known, [key])
    return found


def _near(registry: Registry, keys: list[int]) -> list[set[tuple[int, int]]]:
    """The entries near each key, for a process that knows nothing yet."""
    with registry.snapshot() as uow:
        return [set(each) for each in _found(uow, StoredKeys(), keys)]


def _chosen(registry: Registry, key: int, limit: int) -> tuple[set[int], bool]:
    with registry.snapshot() as uow:
        found, _ = StoredKeys().near(uow, np.array([key], dtype=np.int64))
    chosen = choose_candidates(np.array([key]), np.array([limit]), found.entries, found.starts)
    return set(chosen.record_ids.tolist()), bool(chosen.bounded[0])


def _replace(registry: Registry, entries: Entries, made_by: str = "these rules") -> int:
    pairs: NDArray[np.int64] = np.array(sorted(entries), dtype=np.int64).reshape(-1, 2)
    with registry.begin() as uow:
        pages = key_pages(pairs[:, 0].copy(), pairs[:, 1].copy())
        return blocking_keys.replace_all(uow, [pages], made_by=made_by)


def _store(uow: UnitOfWork, entries: Entries) -> int:
    """Stores a row an entry, with a slot that is empty, as the next batch; returns its number."""
    batch = allocate(uow, Counters(key_batch=1)).key_batch
    keys = np.array([[key, 0] for key, _ in entries], dtype=np.int64).view(np.uint64)
    blocking_keys.add(uow, keys, np.array([record for _, record in entries], dtype=np.int64), batch=batch)
    return batch


def _add(registry: Registry, entries: Entries) -> int:
    with registry.begin() as uow:
        return _store(uow, entries)


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


def test_pages_take_the_place_of_all_there_was(registry: Registry) -> None:
    _add(registry, [(BLOCK, 1), (BLOCK, 2)])
    _add(registry, [(BLOCK, 3)])
    assert _near(registry, [BLOCK]) == [{(BLOCK, 1), (BLOCK, 2), (BLOCK, 3)}]
    _replace(registry, [(BLOCK, 9)])
    assert _near(registry, [BLOCK]) == [{(BLOCK, 9)}]


def test_a_record_has_one_row_of_all_its_keys(registry: Registry) -> None:
    keys = np.array([[BLOCK, 0, 2 * BLOCK, -BLOCK], [0, 0, 0, 0]], dtype=np.int64).view(np.uint64)
    known = StoredKeys()
    with registry.begin() as uow:
        blocking_keys.add(uow, keys, np.array([5, 6]), batch=allocate(uow, Counters(key_batch=1)).key_batch)
    with registry.look() as reading:
        found = _found(reading, known, [BLOCK, 2 * BLOCK, -BLOCK, 0])
    assert found == [[(BLOCK, 5)], [(2 * BLOCK, 5)], [(-BLOCK, 5)], []]
    assert len(known) == 3


def test_rows_of_others_are_learned_once(registry_url: str) -> None:
    """Two processes with a registry each: what one commits the other finds, old to new, the pages' first."""
    with (
        Registry.open(registry_url, secret=SECRET, create=False) as here,
        Registry.open(registry_url, secret=SECRET, create=False) as there,
    ):
        known, others = StoredKeys(), StoredKeys()
        _replace(there, [(BLOCK, 1)])
        expected = [(BLOCK, 1)]
        for record in range(9, 2, -1):
            _add(there, [(BLOCK, record), (3 * BLOCK, 10 + record)])
            expected.append((BLOCK, record))
            assert _look(here, known, BLOCK) == expected
            assert _look(here, known, BLOCK) == expected
        # of the page beside the block another comes with them
        assert _look(here, known, 3 * BLOCK)[1:] == [(3 * BLOCK, 10 + record) for record in range(9, 2, -1)]
        assert len(known) == 14
        assert _look(there, others, BLOCK) == expected


def test_the_counters_are_of_the_same_moment(registry: Registry) -> None:
    known = StoredKeys()
    with registry.snapshot() as uow:
        assert known.near(uow, np.array([1]))[1] == Numbers(0, 0, 0)
    with registry.begin() as uow:
        allocate(uow, Counters(record=3, judgement=4, revision=5))
    with registry.look() as reading:
        assert known.near(reading, np.array([1, 2]))[1] == Numbers(3, 4, 5)


def test_pages_that_are_replaced_while_an_older_moment_is_looked_at(registry: Registry) -> None:
    known = StoredKeys()
    _replace(registry, [(BLOCK, 1)])
    _add(registry, [(BLOCK, 2)])
    with registry.snapshot() as old:
        assert _found(old, known, [BLOCK]) == [[(BLOCK, 1), (BLOCK, 2)]]
        _replace(registry, [(BLOCK, 1), (BLOCK, 2), (BLOCK, 3)])
        _add(registry, [(BLOCK, 4)])
        now = [(BLOCK, record) for record in (1, 2, 3, 4)]
        assert _look(registry, known, BLOCK) == now
        # the moment of the snapshot, and then the present again
        assert _found(old, known, [BLOCK]) == [[(BLOCK, 1), (BLOCK, 2)]]
        assert _look(registry, known, BLOCK) == now
        assert len(known) == 1
        _add(registry, [(BLOCK, 5)])
        assert _look(registry, known, BLOCK) == [*now, (BLOCK, 5)]
        assert _found(old, StoredKeys(), [BLOCK]) == [[(BLOCK, 1), (BLOCK, 2)]]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_pages_that_are_replaced_between_two_statements(registry: Registry, registry_url: str) -> None:
    """Without a transaction the second statement sees another moment than the first: nothing is lost between them."""
    known = StoredKeys()
    _replace(registry, [(BLOCK, 1)])
    _add(registry, [(BLOCK, 2)])
    said: list[str] = []

    def hear(statement: str, _values: object) -> None:
        said.append(statement)
        if len(said) == 2:
            _replace(other, [(BLOCK, 1), (BLOCK, 2), (BLOCK, 3)])
            _add(other, [(BLOCK, 4)])

    every = [(BLOCK, record) for record in (1, 2, 3, 4)]
    with Registry.open(registry_url, secret=SECRET, create=False) as other:
        with hearing(registry, hear):
            with registry.look() as reading:
                said.clear()
                assert _found(reading, known, [BLOCK]) == [every]
            assert len(said) == 2
        assert _look(registry, known, BLOCK) == every
        assert len(known) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_transaction_sees_what_others_commit_meanwhile(registry: Registry) -> None:
    known = StoredKeys()
    with registry.begin() as uow:
        assert _found(uow, known, [BLOCK]) == [[]]
        _add(registry, [(BLOCK, 1)])
        assert _found(uow, known, [BLOCK]) == [[(BLOCK, 1)]]
        _replace(registry, [(BLOCK, 1), (BLOCK, 2)])
        assert _found(uow, known, [BLOCK]) == [[(BLOCK, 1), (BLOCK, 2)]]
    assert len(known) == 0


def test_nothing_is_learned_of_what_was_rolled_back(registry: Registry) -> None:
    known = StoredKeys()
    _add(registry, [(BLOCK, 1)])
    lost = []

    def fail() -> None:
        with registry.begin() as uow:
            lost.append(_store(uow, [(BLOCK, 2)]))
            assert _look(registry, known, BLOCK) == [(BLOCK, 1)]
            raise _FailedError

    with pytest.raises(_FailedError):
        fail()
    assert _look(registry, known, BLOCK) == [(BLOCK, 1)]
    # the number is given again, to others' rows
    assert [_add(registry, [(BLOCK, 3)])] == lost
    assert _look(registry, known, BLOCK) == [(BLOCK, 1), (BLOCK, 3)]


def test_batches_follow_one_another_as_commits_do(registry: Registry) -> None:
    known = StoredKeys()
    second: list[int] = []
    began = threading.Event()

    def other() -> None:
        began.set()
        second.append(_add(registry, [(BLOCK, 2)]))

    thread = threading.Thread(target=other)
    with registry.begin() as uow:
        first = _store(uow, [(BLOCK, 1)])
        thread.start()
        assert began.wait(10)
        thread.join(0.3)
        # the second waits for the first, or somebody might know it and never learn of the first
        assert second == []
        assert _look(registry, known, BLOCK) == []
    thread.join(10)
    assert second == [first + 1]
    assert _look(registry, known, BLOCK) == [(BLOCK, 1), (BLOCK, 2)]


def test_many_threads_add_and_look_at_once(registry: Registry) -> None:
    """Whatever was committed before a look began is found by it, and nothing twice, while pages are replaced too."""
    known, committed, lock = StoredKeys(), set[tuple[int, int]](), threading.Lock()
    wrong: list[object] = []
    # each thread writes a part of one block of its own, so that no page cuts it
    keys = [BLOCK + (number << 16) for number in range(8)]

    def work(number: int) -> None:
        try:
            for turn in range(12):
                entry = (keys[number], 100 * number + turn)
                _add(registry, [entry])
                with lock:
                    committed.add(entry)
                    expected = set(committed)
                found = Counter(_look(registry, known, entry[0]))
                missed = {each for each in expected if each[0] == entry[0]} - found.keys()
                doubled = [each for each, times in found.items() if times > 1]
                if missed or doubled:
                    wrong.append((missed, doubled))
                if number == 0 and turn in (4, 8):
                    _renew()
        except Exception as error:
            wrong.append(error)

    def _renew() -> None:
        with registry.begin() as uow:
            # numbers are taken before what is there is read: nobody commits between
            allocate(uow, Counters())
            there = _found(uow, StoredKeys(), keys)
            pairs = np.array(sorted(set().union(*there)), dtype=np.int64)
            blocking_keys.replace_all(uow, [key_pages(pairs[:, 0].copy(), pairs[:, 1].copy())], made_by="x")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert len(committed) == 96
    for number, key in enumerate(keys):
        found = {each for each in _look(registry, known, key) if each[0] == key}
        assert found == {(key, 100 * number + turn) for turn in range(12)}
    assert len(known) < 96


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
    _add(registry, [*rows, (6 * BLOCK, 1_001), (8 * BLOCK, 1_002)])
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
