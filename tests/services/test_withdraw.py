"""Withdrawal: once, whole, and for good, whatever runs read later."""

import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import (
    MpiError,
    RecordWithdrawnError,
    RequestReusedError,
    RunInProgressError,
    UnknownRecordError,
    UnknownSourceSystemError,
)
from mpi.domain.records import RecordKey
from mpi.matching.stored_keys import stored_keys
from mpi.registry import blocking_keys, reviews, runs, tables
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.reviews import TaskRows
from mpi.services.enquire import person, person_as_of, record
from mpi.services.resolution import Affected, PersonChange
from mpi.services.withdraw import Withdrawal, withdraw
from tests.services.linking import (
    assert_sound,
    contents,
    judge,
    link_rows,
    partition,
    query,
    record_id,
    row,
    strangers,
)
from tests.services.stored import HUNG, LAN, MAI, MODEL, index, store, store_unplaced


class _Door:
    """Withdraws and keeps what was answered in the open."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.done: list[Withdrawal] = []

    def __call__(self, key: RecordKey, *, request: str = "r1", digest: bytes = b"d") -> bytes:
        return withdraw(
            self.registry,
            request_id=request,
            payload_digest=digest,
            key=key,
            reason="sent in error",
            encode=self._encode,
        )

    def _encode(self, done: Withdrawal) -> bytes:
        self.done.append(done)
        return f"answer {len(self.done)}".encode()


def _task(registry: Registry, question: str, people: tuple[int, int], records: tuple[int, int]) -> None:
    with registry.begin() as uow:
        number = allocate(uow, Counters(task=1)).task
        one, two = (np.array([each], dtype=np.int64) for each in records)
        first, second = (np.array([each], dtype=np.int64) for each in people)
        codes = np.zeros((1, 3), dtype=np.int8)
        kinds, why = ["possible_match"], ["in doubt"]
        weights = np.array([4.0])
        rows = TaskRows(np.array([number]), kinds, [question], one, two, first, second, weights, codes, why, np.ones(1))
        reviews.open_tasks(uow, rows, run_id=None)


def _tasks(registry: Registry) -> dict[str, tuple[str, str | None]]:
    task = tables.review_task.c
    rows = query(registry, sa.select(task.question, task.status, task.closed_reason))
    return {question: (status, reason) for question, status, reason in rows}


def test_a_record_leaves_its_person_and_every_comparison(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    index(registry)
    door = _Door(registry)
    gone = record_id(registry, "insurance:I1")
    assert door(LAN[1].key) == b"answer 1"
    assert door.done == [Withdrawal((Affected(lan, PersonChange.WITHDRAWN),), 3)]
    assert_sound(registry)
    view = person(registry, MODEL, lan)
    assert [str(each.key) for each in view.records] == ["hospital:H1", "station:S1"]
    assert "citizen_id" not in {survivor.field for survivor in view.golden.survivors}
    assert (view.revision, view.read_at) == (3, 3)
    assert len(person_as_of(registry, MODEL, lan, revision=2).records) == 3
    assert record(registry, LAN[1].key).enterprise_id is None
    assert query(registry, sa.select(tables.withdrawn_record)) == [(gone, 3, "sent in error")]
    feature = tables.record_feature.c
    assert query(registry, sa.select(feature.record_id).where(feature.record_id == gone)) == []
    event = tables.event.c
    told = query(registry, sa.select(event.kind, event.payload, event.made_by).where(event.revision == 3))
    assert told == [("person.withdrawn", f'{{"records":[{gone}]}}', "source")]
    assert person(registry, MODEL, hung).revision == 2


def test_keys_that_lie_in_rows_go_with_the_record(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    rules = index(registry)
    door = _Door(registry)
    kept, gone = record_id(registry, "hospital:H1"), record_id(registry, "insurance:I1")
    rows = rules.feature_rows(LAN[:2])
    for batch in (8, 9):
        with registry.begin() as uow:
            keys = stored_keys(rules.plan, rows, rules.secret)
            blocking_keys.add(uow, keys, np.array([kept, gone]), batch=batch)
    door(LAN[1].key)
    recent = tables.recent_blocking_keys.c
    left = query(registry, sa.select(recent.key_batch, recent.record_id).order_by(recent.key_batch))
    assert left == [(8, kept), (9, kept)]


def test_a_repeat_gets_the_same_bytes_and_changes_nothing(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    door = _Door(registry)
    first = door(LAN[1].key)
    before = contents(registry, without=())
    assert door(LAN[1].key) == first
    with pytest.raises(RequestReusedError) as reused:
        door(LAN[0].key, digest=b"other")
    assert reused.value.metadata == {"request_id": "r1"}
    with pytest.raises(RecordWithdrawnError):
        door(LAN[1].key, request="r2")
    with pytest.raises(UnknownSourceSystemError):
        door(RecordKey("nowhere", "I1"), request="r3")
    with pytest.raises(UnknownRecordError) as unknown:
        door(RecordKey("insurance", "I9"), request="r4")
    assert "I9" not in str(unknown.value)
    assert contents(registry, without=()) == before
    assert len(door.done) == 1


def test_the_same_withdrawal_at_once_is_done_once(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    door = _Door(registry)
    answers: list[bytes | MpiError] = []

    def ask(key: RecordKey, request: str) -> None:
        try:
            answers.append(door(key, request=request))
        except MpiError as error:
            answers.append(error)

    asked = [(LAN[1].key, "r1")] * 6 + [(HUNG[0].key, "r2")] * 2
    threads = [threading.Thread(target=ask, args=each) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Counter(map(str, answers)).values()) == [2, 6]
    assert set(answers) == {b"answer 1", b"answer 2"}
    [(events,)] = query(registry, sa.select(sa.func.max(tables.event.c.revision)))
    assert events == 4
    assert_sound(registry)


def test_a_person_without_records_stays(registry: Registry) -> None:
    (hung,) = store(registry, [HUNG])
    _Door(registry)(HUNG[0].key)
    assert_sound(registry)
    view = person(registry, MODEL, hung)
    assert (view.records, view.golden.survivors, view.revision) == ((), (), 2)


def test_a_record_that_is_nobody_s_yet(registry: Registry) -> None:
    store_unplaced(registry, MAI)
    door = _Door(registry)
    door(MAI[0].key)
    assert door.done == [Withdrawal((), 1)]
    assert_sound(registry)


def test_questions_about_the_record_are_closed(registry: Registry) -> None:
    store(registry, [LAN, HUNG, MAI])
    _task(registry, "people:1-2", (1, 2), (2, 4))
    _task(registry, "people:1-3", (1, 3), (1, 5))
    _task(registry, "people:2-3", (2, 3), (4, 5))
    door = _Door(registry)
    door(LAN[1].key)
    closed = ("closed", "the record asked about was withdrawn")
    still = ("open", None)
    assert _tasks(registry) == {"people:1-2": closed, "people:1-3": still, "people:2-3": still}
    # the last record of a person takes every question about the person with it
    door(HUNG[0].key, request="r2")
    assert _tasks(registry) == {"people:1-2": closed, "people:1-3": still, "people:2-3": closed}


def test_not_while_a_run_is_at_work(registry: Registry) -> None:
    store(registry, [LAN])
    with registry.begin() as uow:
        run = runs.start_run(uow, "link", request={}, state={})
    before = contents(registry)
    with pytest.raises(RunInProgressError):
        _Door(registry)(LAN[1].key)
    assert contents(registry) == before
    with registry.begin() as uow:
        runs.abandon(uow, run.run_id, reason="TEST", message="over")
    _Door(registry)(LAN[1].key)


LAN_ROW = {"name": "lan", "birth": "1984-03-19", "number": "123456"}


def test_a_run_never_brings_it_back(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN_ROW), row("2", **LAN_ROW), row("3", name="ba")], x=strangers())
    _Door(registry)(RecordKey("a", "1"))
    judge(registry, "same", "a:1", "a:3")
    again = [row("1", **LAN_ROW, phone="0903718264"), row("2", **LAN_ROW), row("4", **LAN_ROW)]
    summary = link_rows(registry, tmp_path, a=again)
    counts = summary.sources["a"]
    assert (counts.read, counts.new, counts.changed, counts.withdrawn, counts.unchanged) == (3, 1, 1, 1, 1)
    assert summary.records == 103
    assert partition(registry, only="a") == {frozenset({"a:2", "a:4"}), frozenset({"a:3"})}
    # its new version is known now
    counts = link_rows(registry, tmp_path, a=again).sources["a"]
    assert (counts.unchanged, counts.withdrawn) == (3, 0)
