"""Known records agree with a plain dictionary, whatever the order and size of the batches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mpi.registry.known_records import (
    KnownRecords,
    Standing,
    content_digests,
    digest_bytes,
    digests_from_bytes,
    key_hashes,
)

rows = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), max_size=25)


@given(st.lists(rows, max_size=12))
def test_classify_agrees_with_a_dictionary(batches: list[list[tuple[int, int]]]) -> None:
    known = KnownRecords()
    ids: dict[int, int] = {}
    seen: set[tuple[int, int]] = set()
    for batch in batches:
        hashes = key_hashes(1, [str(key) for key, _ in batch])
        digests = content_digests([str(content) for _, content in batch], [None] * len(batch))
        found = known.classify(hashes, digests)
        met: set[int] = set()
        for at, (key, content) in enumerate(batch):
            if (key, content) in seen:
                expected = Standing.UNCHANGED
            elif key in met:
                expected = Standing.LATER
            else:
                expected = Standing.CHANGED if key in ids else Standing.NEW
            assert found.standing[at] == expected
            assert found.record_ids[at] == ids.get(key, -1)
            met.add(key)
        store = np.concatenate([found.rows(Standing.NEW), found.rows(Standing.CHANGED)])
        for at in store.tolist():
            ids.setdefault(batch[at][0], len(ids) + 1)
            seen.add(batch[at])
        known.add(hashes[store], np.array([ids[batch[at][0]] for at in store.tolist()], dtype=np.int64), digests[store])
        assert len(known) == len(seen)


def test_repeats_within_a_batch_wait_for_the_first() -> None:
    known = KnownRecords()
    hashes = key_hashes(1, ["a", "b", "a", "a"])
    digests = content_digests(["1", "1", "2", "1"], [None] * 4)
    first = known.classify(hashes, digests)
    assert first.standing.tolist() == [Standing.NEW, Standing.NEW, Standing.LATER, Standing.LATER]
    known.add(hashes[:2], np.array([1, 2]), digests[:2])
    second = known.classify(hashes[2:], digests[2:])
    assert second.standing.tolist() == [Standing.CHANGED, Standing.UNCHANGED]
    assert second.record_ids.tolist() == [1, 1]


def test_hashes_depend_on_system_and_id_and_digests_on_content_and_time() -> None:
    hashes = [int(key_hashes(system, [text])[0]) for system in (1, 2) for text in ("a", "b", "Đ")]
    assert len(set(hashes)) == 6
    digests = content_digests(["a", "b", "a", "a"], [None, None, "2026-01-01", "2026-01-02"])
    assert len({tuple(digest) for digest in digests.tolist()}) == 4
    assert np.array_equal(digests_from_bytes(digest_bytes(digests)), digests)
    assert len(key_hashes(1, [])) == len(content_digests([], [])) == 0
