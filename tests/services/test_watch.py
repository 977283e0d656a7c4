"""The change feed: in order, exactly once, whatever writers, readers and the database do."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from mpi.domain.errors import RegistryError, RevisionNotReachedError, WatcherTooSlowError
from mpi.domain.review import Verdict
from mpi.registry.events import EventRows, append, payload_text
from mpi.registry.migrate import migrate
from mpi.registry.registry import Registry
from mpi.services.resolution import PersonChange
from mpi.services.watch import Change, Subscription, Watch, WatchLimits
from mpi.services.withdraw import withdraw
from tests.online.desk import Desk
from tests.postgres import postgres_server
from tests.registries import SECRET
from tests.services.stewardship.stewards import MINH, Stewards
from tests.services.stored import HUNG, LAN, MAI, merge, record, store, store_unplaced, update


@contextmanager
def watching(registry: Registry, **limits: float) -> Iterator[Watch]:
    watch = Watch(registry, WatchLimits(**limits))  # type: ignore[arg-type]
    try:
        yield watch
    finally:
        watch.close()


def _write(registry: Registry, count: int, *, person: int = 5, kind: str = "person.updated") -> None:
    payloads = [payload_text({"records": []})] * count
    with registry.begin() as uow:
        append(uow, EventRows(kind, np.full(count, person), payloads, "rules"))


def _revisions(changes: list[Change]) -> list[int]:
    return [change.revision for change in changes]


def _take(subscription: Subscription, count: int, *, seconds: float = 20) -> list[Change]:
    """The next changes, at least so many of them."""
    taken: list[Change] = []
    until = time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < until:
        taken += subscription.take(0.2)
    return taken


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_change_says_what_happened_to_whom(registry: Registry) -> None:
    mai, copy, hung = store(registry, [MAI[:1], MAI[1:], HUNG])
    update(registry, record("student", "T2", at="2025-10-05", full_name="Phạm Ngọc Mai", birth_date="2012-01-21"))
    merge(registry, copy, mai)
    store_unplaced(registry, LAN)
    for number, key in enumerate((HUNG[0].key, LAN[0].key)):
        withdraw(registry, request_id=str(number), payload_digest=b"", key=key, reason="x", encode=lambda _: b"")
    with watching(registry) as watch:
        subscription = watch.subscribe(3)
        changes = _take(subscription, 4)
        # the last event is about a record of nobody: it is passed over, and counts
        _wait(lambda: subscription.take(0.1) == [] and subscription.revision == 8)
    told = [(each.kind, each.enterprise_id, each.others, each.records, each.made_by) for each in changes]
    assert told == [
        (PersonChange.UPDATED, mai, (), (MAI[0].key,), "rules"),
        (PersonChange.MERGED, mai, (copy,), (MAI[1].key,), "steward"),
        (PersonChange.SUPERSEDED, copy, (mai,), (), "steward"),
        (PersonChange.WITHDRAWN, hung, (), (HUNG[0].key,), "source"),
    ]
    assert _revisions(changes) == [4, 5, 6, 7]
    assert changes[0].recorded_at.endswith("+00:00")


def test_from_now_and_from_the_beginning(registry: Registry) -> None:
    _write(registry, 3)
    with watching(registry) as watch:
        now, beginning = watch.subscribe(), watch.subscribe(0)
        assert (now.revision, beginning.revision) == (3, 0)
        _write(registry, 2)
        assert _revisions(_take(now, 2)) == [4, 5]
        assert _revisions(_take(beginning, 5)) == [1, 2, 3, 4, 5]
        with pytest.raises(RevisionNotReachedError):
            watch.subscribe(6)


def test_those_who_are_up_to_date_hear_at_once(registry: Registry) -> None:
    with watching(registry) as watch:
        subscriptions = [watch.subscribe() for _ in range(3)]
        for each in subscriptions:
            assert each.take(0.3) == []
        started = time.monotonic()
        _write(registry, 1)
        assert [_revisions(each.take(5)) for each in subscriptions] == [[1]] * 3
        assert time.monotonic() - started < 2


def test_only_some_kinds_and_how_far_it_came(registry: Registry) -> None:
    with watching(registry, page=3) as watch:
        some = watch.subscribe(0, kinds={PersonChange.MERGED})
        for kind in ("person.updated", "person.merged", "noted", "person.linked"):
            _write(registry, 2, kind=kind)
        assert _revisions(_take(some, 2)) == [3, 4]
        _wait(lambda: some.take(0.1) == [] and some.revision == 8)
        # fed live, too
        _write(registry, 4)
        _write(registry, 1, kind="person.merged")
        assert _revisions(_take(some, 1)) == [13]


def test_who_is_far_behind_reads_pages_until_it_is_fed(registry: Registry) -> None:
    _write(registry, 100)
    with watching(registry, page=7) as watch:
        subscription = watch.subscribe(0)
        first = subscription.take(5)
        assert _revisions(first) == list(range(1, 8))
        _write(registry, 50)
        assert _revisions(first + _take(subscription, 143)) == list(range(1, 151))
        _wait(lambda: subscription.take(0.1) == [])
        _write(registry, 5)
        assert _revisions(_take(subscription, 5)) == list(range(151, 156))


def test_who_reads_too_slowly_is_cut_with_the_place_to_go_on_from(registry: Registry) -> None:
    with watching(registry, waiting=10, page=4, patience=0) as watch, watching(registry) as roomy:
        slow, quick = watch.subscribe(), roomy.subscribe()
        _write(registry, 3)
        assert _revisions(_take(slow, 3)) == _revisions(_take(quick, 3)) == [1, 2, 3]
        _wait(lambda: slow.take(0.1) == [] and slow._live)
        heard: list[int] = []
        reader = threading.Thread(target=lambda: heard.extend(_revisions(_take(quick, 40))))
        reader.start()
        for _ in range(40):
            _write(registry, 1)
            time.sleep(0.005)
        _wait(lambda: not slow._live)
        assert not slow._waiting
        with pytest.raises(WatcherTooSlowError) as cut:
            slow.take(1)
        assert cut.value.metadata == {"revision": "3"}
        reader.join()
        assert heard == list(range(4, 44))
        assert _revisions(_take(watch.subscribe(3), 40)) == list(range(4, 44))


def test_a_burst_cuts_nobody_who_keeps_reading(registry: Registry) -> None:
    with watching(registry, waiting=10, page=4, patience=60) as watch:
        subscription = watch.subscribe()
        assert subscription.take(0.3) == []
        _write(registry, 3)
        assert _revisions(_take(subscription, 3)) == [1, 2, 3]
        _wait(lambda: subscription.take(0.1) == [] and subscription._live)
        _write(registry, 3)
        assert _revisions(_take(subscription, 3)) == [4, 5, 6]
        assert subscription.revision == 6
        _write(registry, 500)
        _wait(lambda: not subscription._live)
        assert _revisions(_take(subscription, 500)) == list(range(7, 507))
        _wait(lambda: subscription.take(0.1) == [] and subscription._live)
        assert subscription._behind_since is None


def test_no_change_is_missed_or_doubled_across_reconnects_with_16_writers(registry: Registry) -> None:
    total = 16 * 12 * 3
    heard: dict[int, list[int]] = {}
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for _ in range(12):
                _write(registry, 3, person=number)
        except BaseException as error:
            failures.append(error)

    def listen(number: int, watch: Watch) -> None:
        """Goes away again and again, and comes back with what it heard last."""
        dice = random.Random(number)
        heard[number] = []
        try:
            while len(heard[number]) < total:
                last = heard[number][-1] if heard[number] else 0
                subscription = watch.subscribe(last)
                for _ in range(dice.randrange(1, 6)):
                    heard[number] += _revisions(subscription.take(dice.random() / 5))
                subscription.close()
        except BaseException as error:
            failures.append(error)

    with watching(registry, waiting=20, page=9, patience=60) as watch:
        threads = [threading.Thread(target=listen, args=(number, watch)) for number in range(4)]
        threads += [threading.Thread(target=write, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert failures == []
    assert all(each == list(range(1, total + 1)) for each in heard.values())


def test_closing_wakes_whoever_waits(registry: Registry) -> None:
    with watching(registry) as watch:
        one, other = watch.subscribe(), watch.subscribe()
        assert one.take(0.2) == []
        ended: list[list[Change]] = []
        waiting = [threading.Thread(target=lambda each=each: ended.append(list(each))) for each in (one, other)]
        for thread in waiting:
            thread.start()
        time.sleep(0.2)
        started = time.monotonic()
        one.close()
        waiting[0].join()
        assert not other.closed
        watch.close()
        waiting[1].join()
        assert time.monotonic() - started < 3
        assert ended == [[], []]
        assert other.closed
        assert other.take(5) == []


def test_it_survives_a_restart_of_the_database(caplog: pytest.LogCaptureFixture) -> None:
    with postgres_server() as server:
        url = server.create_database("watched")
        migrate(url)
        with Registry.open(url, secret=SECRET, create=False) as registry, watching(registry) as watch:
            fed, behind = watch.subscribe(), watch.subscribe()
            _write(registry, 2)
            assert _revisions(_take(fed, 2)) == [1, 2]
            assert fed.take(0.3) == []
            server.stop("immediate")
            with pytest.raises(RegistryError):
                _write(registry, 1)
            assert fed.take(0.5) == behind.take(0.5) == []
            server.start()
            _write(registry, 3)
            assert _revisions(_take(fed, 3)) == [3, 4, 5]
            assert _revisions(_take(behind, 5)) == [1, 2, 3, 4, 5]
    assert "the change feed waits" in caplog.text


def test_what_stewards_do_is_told_person_by_person(registry: Registry) -> None:
    """Judgements and readings are about nobody: they are passed over, and count."""
    stewards = Stewards(Desk(registry))
    for key, name in (("a:1", "lan"), ("a:2", "lan"), ("b:1", "hung")):
        stewards.desk.comes(key, name=name, birth="19850101" if name == "lan" else "19900909")
    one, other = (stewards.id_of(each) or "" for each in ("a:1", "b:1"))
    start = stewards.merge(one, other).revision
    with watching(registry) as watch:
        subscription, some = watch.subscribe(start), watch.subscribe(start, kinds={PersonChange.RESTORED})
        parted = stewards.unmerge(other)
        split = stewards.split(one, "a:2")
        new = stewards.id_of("a:2") or ""
        changes = _take(subscription, 4)
        assert _revisions(_take(some, 1)) == [parted.revision - 1]
        _wait(lambda: subscription.take(0.1) == [] and subscription.revision == split.revision)
    told = [(each.kind, each.enterprise_id, each.others, [str(key) for key in each.records]) for each in changes]
    assert told == [
        (PersonChange.RESTORED, other, (one,), ["b:1"]),
        (PersonChange.UNMERGED, one, (other,), ["b:1"]),
        (PersonChange.CREATED, new, (one,), ["a:2"]),
        (PersonChange.SPLIT, one, (new,), ["a:2"]),
    ]
    assert {each.made_by for each in changes} == {"steward"}
    # the two events of nobody, one a decision, lie in between
    assert _revisions(changes) == [start + 2, start + 3, start + 5, start + 6]


def test_readings_and_reveals_are_told_to_nobody(registry: Registry) -> None:
    stewards = Stewards(Desk(registry))
    stewards.desk.comes("a:1", name="lan", birth="19850101")
    stewards.desk.comes("b:1", name="lan", birth="19850201")
    with watching(registry) as watch:
        subscription = watch.subscribe(0)
        assert len(_take(subscription, 2)) == 2
        stewards.answer(stewards.only_task(), Verdict.UNSURE)
        task = stewards.only_task(MINH)
        stewards.answer(task, Verdict.UNSURE, by=MINH)
        newest = stewards.task(task.task_id).seen_revision
        assert newest == 4
        _wait(lambda: subscription.take(0.1) == [] and subscription.revision == newest)
