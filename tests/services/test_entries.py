"""The lifelong record: registered once, listed in order from all sources, page by page while the world moves."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.entries import EntryChange, EntryKind, HealthRecordEntry
from mpi.domain.errors import (
    InvalidInputError,
    MpiError,
    NotYetVisibleError,
    RecordWithdrawnError,
    RequestReusedError,
    UnknownPersonError,
    UnknownRecordError,
    UnknownSourceSystemError,
)
from mpi.domain.records import RecordKey
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry import entries, tables
from mpi.registry.registry import Registry
from mpi.registry.source_records import source_system_names
from mpi.services.entries import MOST_A_PAGE, EntryPage, Registered, of_person, register
from mpi.services.withdraw import withdraw
from tests.registry.rows import KEY
from tests.services.linking import query
from tests.services.plans import scans, statements
from tests.services.stored import HUNG, LAN, MAI, merge, store, store_unplaced

HOSPITAL, INSURANCE, STATION = (each.key for each in LAN)
DAY = date(2024, 3, 1)


def _entry(key: RecordKey, entry_id: str, day: int = 0, kind: EntryKind = EntryKind.ENCOUNTER) -> HealthRecordEntry:
    return HealthRecordEntry(key, entry_id, kind, DAY + timedelta(day), "facility 12", f"urn:x:{entry_id}")


class _Door:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.done: list[Registered] = []

    def __call__(self, given: Sequence[HealthRecordEntry], request: str = "r1", digest: bytes = b"d") -> bytes:
        return register(self.registry, request, digest, given, self._encode)

    def _encode(self, done: Registered) -> bytes:
        self.done.append(done)
        return f"answer {len(self.done)}".encode()


def _pages(registry: Registry, person: str, size: int, **wanted: object) -> Iterator[EntryPage]:
    after = None
    while True:
        page = of_person(registry, person, page_size=size, after=after, **wanted)  # type: ignore[arg-type]
        yield page
        after = page.next_after
        if after is None:
            return


def _ids(registry: Registry, person: str, size: int, **wanted: object) -> list[str]:
    return [entry.entry_id for page in _pages(registry, person, size, **wanted) for entry in page.entries]


def test_entries_of_every_source_in_order(registry: Registry) -> None:
    lan, _ = store(registry, [LAN, HUNG])
    given = [
        _entry(STATION, "a", 1),
        _entry(HOSPITAL, "z", 1),
        _entry(HOSPITAL, "b", 1),
        _entry(INSURANCE, "c", 0, EntryKind.CLAIM),
        _entry(HOSPITAL, "d", 2),
        _entry(HUNG[0].key, "e", 1),
    ]
    door = _Door(registry)
    assert door(given) == b"answer 1"
    assert door.done == [Registered((EntryChange.NEW,) * 6, 2)]
    whole = of_person(registry, lan, page_size=10)
    assert whole == EntryPage(lan, tuple(given[at] for at in (3, 2, 1, 0, 4)), None, 2)
    for size in range(1, 6):
        pages = list(_pages(registry, lan, size))
        assert [entry for page in pages for entry in page.entries] == list(whole.entries)
        assert all(len(page.entries) == size for page in pages[:-1])
        assert pages[-1].entries


def test_ids_are_ordered_by_their_letters_on_both_databases(registry: Registry) -> None:
    lan, _ = store(registry, [LAN, HUNG])
    ids = ["b", "B", "a-1", "a1", "ă", "A", "10", "9", "đ", "z", "_", "a 1"]
    _Door(registry)([_entry(HOSPITAL, each) for each in ids])
    for size in (1, 5, 20):
        assert _ids(registry, lan, size) == sorted(ids)


def test_kinds_and_days_are_chosen(registry: Registry) -> None:
    lan, _ = store(registry, [LAN, HUNG])
    kinds = [EntryKind.CLAIM, EntryKind.ENCOUNTER, EntryKind.BIRTH]
    _Door(registry)([_entry((HOSPITAL, STATION)[n % 2], f"e{n:02}", n, kinds[n % 3]) for n in range(30)])
    claims = [f"e{n:02}" for n in range(0, 30, 3)]
    for size in (1, 4, 50):
        assert _ids(registry, lan, size, kinds={EntryKind.CLAIM}) == claims
        some = _ids(registry, lan, size, kinds=[EntryKind.CLAIM, EntryKind.BIRTH], since=DAY + timedelta(3))
        assert some == [f"e{n:02}" for n in range(3, 30) if n % 3 != 1]
        assert _ids(registry, lan, size, since=DAY + timedelta(2), until=DAY + timedelta(4)) == ["e02", "e03"]
    assert _ids(registry, lan, 5, since=DAY + timedelta(40)) == []


def test_records_are_asked_for_deaths_and_for_how_much_hangs_on_them(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    hung = HUNG[0].key
    _Door(registry)(
        [
            _entry(HOSPITAL, "a"),
            _entry(HOSPITAL, "b", 1, EntryKind.BIRTH),
            _entry(STATION, "c", 2, EntryKind.DEATH),
            _entry(STATION, "d", 2, EntryKind.DEATH),
            _entry(hung, "e", 3, EntryKind.DEATH),
        ]
    )
    with registry.snapshot() as uow:
        systems = {name: number for number, name in source_system_names(uow).items()}
        keys = [(systems[each.source_system], each.source_record_id) for each in (STATION, HOSPITAL, INSURANCE, hung)]
        numbers = entries.record_ids_of(uow, keys)
        asked = np.array([numbers[key] for key in keys], dtype=np.int64)
        deceased = entries.bearers_of_death(uow, asked)
        assert deceased.tolist() == sorted([asked[0], asked[3]])
        assert entries.bearers_of_death(uow, asked[:2]).tolist() == [asked[0]]
        counts = entries.count_of_records(uow, asked)
        nobody = np.zeros(0, dtype=np.int64)
        assert counts.tolist() == [2, 2, 0, 1]
        assert counts.dtype == deceased.dtype == np.dtype(np.int64)
        assert len(entries.count_of_records(uow, nobody)) == len(entries.bearers_of_death(uow, nobody)) == 0


def test_the_same_entry_again_is_unchanged_and_another_content_replaces_it(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    door = _Door(registry)
    first = _entry(HOSPITAL, "a")
    moved = replace(first, date=DAY + timedelta(9), locator="urn:y")
    door([first, _entry(STATION, "a"), _entry(HUNG[0].key, "a")])
    door([first, moved, moved, _entry(STATION, "new")], "r2")
    assert door.done[1].results == (
        EntryChange.UNCHANGED,
        EntryChange.REPLACED,
        EntryChange.UNCHANGED,
        EntryChange.NEW,
    )
    assert [entry for entry in of_person(registry, lan, page_size=9).entries if entry.record == HOSPITAL] == [moved]
    assert len(of_person(registry, hung, page_size=9).entries) == 1
    # a new one that is said twice in one request
    door([_entry(HOSPITAL, "b"), _entry(HOSPITAL, "b", 3)], "r3")
    assert door.done[2].results == (EntryChange.NEW, EntryChange.REPLACED)
    assert _entry(HOSPITAL, "b", 3) in of_person(registry, lan, page_size=9).entries


def test_a_repeat_gets_the_same_bytes_and_changes_nothing(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    door = _Door(registry)
    given = [_entry(HOSPITAL, "a")]
    assert door(given) == door(given) == b"answer 1"
    with pytest.raises(RequestReusedError):
        door([_entry(HOSPITAL, "b")], digest=b"other")
    assert query(registry, sa.select(tables.health_record_entry.c.entry_id)) == [("a",)]


def test_an_entry_that_cannot_be_registered_stops_no_other(registry: Registry) -> None:
    lan, _ = store(registry, [LAN, HUNG])
    store_unplaced(registry, MAI)
    withdraw(registry, request_id="w", payload_digest=b"", key=INSURANCE, reason="x", encode=lambda _: b"")
    door = _Door(registry)
    given = [
        _entry(RecordKey("nowhere", "1"), "a"),
        _entry(RecordKey("hospital", "X"), "b"),
        _entry(INSURANCE, "c"),
        _entry(MAI[0].key, "d"),
        _entry(HOSPITAL, "e"),
    ]
    door(given)
    results = door.done[0].results
    expected = [UnknownSourceSystemError, UnknownRecordError, RecordWithdrawnError, UnknownRecordError]
    assert [type(each) for each in results[:4]] == expected
    assert all(isinstance(each, MpiError) and "source_system" in each.metadata for each in results[:4])
    assert results[4] is EntryChange.NEW
    assert _ids(registry, lan, 9) == ["e"]


def test_pages_survive_what_happens_in_between(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    door = _Door(registry)
    door([_entry(HOSPITAL, f"h{n}", n) for n in range(0, 10, 2)] + [_entry(HUNG[0].key, f"t{n}", n) for n in range(9)])
    first = of_person(registry, lan, page_size=2)
    assert [entry.entry_id for entry in first.entries] == ["h0", "h2"]
    # one behind the page, one before it; then the person asked for is merged into another
    door([_entry(HOSPITAL, "h3", 3), _entry(HOSPITAL, "h1", 1)], "r2")
    merge(registry, lan, hung)
    second = of_person(registry, lan, page_size=4, after=first.next_after)
    assert second.enterprise_id == hung
    assert [entry.entry_id for entry in second.entries] == ["t2", "h3", "t3", "h4"]
    rest = of_person(registry, lan, page_size=50, after=second.next_after)
    assert [entry.entry_id for entry in rest.entries] == ["t4", "t5", "h6", "t6", "t7", "h8", "t8"]
    assert rest.next_after is None


def test_what_is_refused(registry: Registry) -> None:
    (lan,) = store(registry, [LAN])
    with pytest.raises(UnknownPersonError):
        of_person(registry, enterprise_id(77, KEY), page_size=1)
    with pytest.raises(NotYetVisibleError):
        of_person(registry, lan, page_size=1, at_least=2)
    for size in (0, MOST_A_PAGE + 1):
        with pytest.raises(InvalidInputError) as bad:
            of_person(registry, lan, page_size=size)
        assert bad.value.metadata == {"field": "page_size"}
    with pytest.raises(InvalidInputError) as bad:
        of_person(registry, lan, page_size=1, after=("2024-01-01", "x"))
    assert bad.value.metadata == {"field": "page_token"}


def test_writers_at_once_lose_nothing(registry: Registry) -> None:
    """The same entries from several writers under ids of their own, and the same request from several."""
    lan, _ = store(registry, [LAN, HUNG])
    door = _Door(registry)
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            given = [_entry(HOSPITAL, f"e{n}", n) for n in range(20)]
            door(given[::-1] if number % 2 else given, f"own {number // 2}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert _ids(registry, lan, 100) == [f"e{n}" for n in range(20)]
    counts = sorted(sum(each is EntryChange.NEW for each in done.results) for done in door.done)
    assert counts == [0, 0, 0, 20]


def test_a_person_with_ten_thousand_entries_is_paged_by_the_index(registry: Registry) -> None:
    lan, _ = store(registry, [LAN, HUNG])
    door = _Door(registry)
    for part in range(20):
        door([_entry((HOSPITAL, STATION)[n % 2], f"{part}-{n}", (n * 7 + part) % 3000) for n in range(500)], f"r{part}")
    with statements(registry) as said:
        page = of_person(registry, lan, page_size=100)
        for _ in range(30):
            page = of_person(registry, lan, page_size=100, after=page.next_after)
    assert scans(registry, said) == set()
    pages = list(_pages(registry, lan, 1000))
    ids = [each.entry_id for page in pages for each in page.entries]
    assert len(ids) == len(set(ids)) == 10_000
    assert [each.date for page in pages for each in page.entries] == sorted(
        each.date for page in pages for each in page.entries
    )
