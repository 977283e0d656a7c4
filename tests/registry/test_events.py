"""Events are appended in one unbroken row, whatever the writers do, and nobody changes them afterwards."""

import threading

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import NotYetVisibleError, RegistryError
from mpi.registry.counters import Counters, allocate, last_numbers
from mpi.registry.events import (
    EventRows,
    append,
    last_of_person,
    last_revision,
    of_person,
    payload_text,
    reached,
    read_after,
    recorded_at,
    revision_at,
)
from mpi.registry.registry import Registry


def _rows(count: int, *, person: int = -1, kind: str = "noted") -> EventRows:
    payloads = [payload_text({"n": number, "word": "Huế"}) for number in range(count)]
    return EventRows(kind, np.full(count, person), payloads, made_by="rules", run_id=7)


def test_events_come_back_as_they_were_appended(registry: Registry) -> None:
    with registry.begin() as uow:
        assert last_revision(uow) == 0
        assert append(uow, _rows(3)) == 1
        assert append(uow, _rows(1, person=5, kind="person_created")) == 4
    with registry.snapshot() as uow:
        events = read_after(uow, 1, limit=2)
        (mine,) = of_person(uow, 5)
    assert [event.revision for event in events] == [2, 3]
    assert events[0].payload == {"n": 1, "word": "Huế"}
    assert (events[0].person_id, events[0].made_by, events[0].run_id) == (None, "rules", 7)
    assert (mine.revision, mine.kind) == (4, "person_created")


def test_revisions_have_no_gaps(registry: Registry) -> None:
    with registry.begin() as uow:
        append(uow, _rows(2))
    with pytest.raises(ZeroDivisionError), registry.begin() as uow:
        _ = append(uow, _rows(2)) / 0
    with pytest.raises(RegistryError, match="does not follow"), registry.begin() as uow:
        append(uow, _rows(1), first_revision=4)
    with registry.begin() as uow:
        first = allocate(uow, Counters(revision=2, person=3))
        assert (first.revision, first.person) == (3, 1)
        append(uow, _rows(2), first_revision=first.revision)
    with registry.snapshot() as uow:
        assert last_revision(uow) == last_numbers(uow).revision == 4
        assert last_numbers(uow).person == 3


@pytest.mark.parametrize(
    "statement", ["UPDATE event SET made_by = 'x' WHERE revision = 1", "DELETE FROM event WHERE revision = 1"]
)
def test_the_database_refuses_to_change_events(registry: Registry, statement: str) -> None:
    with registry.begin() as uow:
        append(uow, _rows(1))
    with pytest.raises(RegistryError, match="append-only"), registry.begin() as uow:
        uow.connection.execute(sa.text(statement))
    with registry.snapshot() as uow:
        assert read_after(uow, 0, limit=9)[0].made_by == "rules"


def test_four_writers_at_once_leave_one_unbroken_row_in_commit_order(registry: Registry) -> None:
    seen: list[list[int]] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def write() -> None:
        try:
            for _ in range(15):
                with registry.begin() as uow:
                    last_revision(uow)  # Who reads first must not lose the right to write to another.
                    append(uow, _rows(3))
        except BaseException as error:
            failures.append(error)

    def watch() -> None:
        try:
            last = 0
            while not done.is_set():
                with registry.snapshot() as uow:
                    new = [event.revision for event in read_after(uow, last, limit=1000)]
                seen.append(new)
                last = new[-1] if new else last
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(4)]
    watcher = threading.Thread(target=watch)
    for thread in (watcher, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watcher.join()
    assert failures == []
    with registry.snapshot() as uow:
        assert [event.revision for event in read_after(uow, 0, limit=1000)] == list(range(1, 181))
    # Whoever reads "after the last I saw" while others write misses nothing.
    flat = [revision for part in seen for revision in part]
    assert flat == list(range(1, len(flat) + 1))


def test_times_never_fall_and_lead_to_revisions(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    written = ["2026-01-02", "2026-01-04", "2026-01-03", "2026-01-05"]
    for time in written:
        monkeypatch.setattr("mpi.registry.events.now_text", lambda time=time: time)
        with registry.begin() as uow:
            append(uow, _rows(2, person=5))
    with registry.snapshot() as uow:
        times = [event.recorded_at for event in read_after(uow, 0, limit=9)]
        # the clock was set back for the third
        assert times == [time for time in ("2026-01-02", "2026-01-04", "2026-01-04", "2026-01-05") for _ in range(2)]
        asked = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05", "2027"]
        assert [revision_at(uow, time) for time in asked] == [0, 2, 2, 6, 8, 8]
        assert recorded_at(uow, 3) == "2026-01-04"
        with pytest.raises(RegistryError, match="no event"):
            recorded_at(uow, 9)


def test_the_last_event_of_a_person_up_to_a_revision(registry: Registry) -> None:
    with registry.begin() as uow:
        for person in (5, 6, 5):
            append(uow, _rows(1, person=person))
        assert [last_of_person(uow, 5, revision) for revision in (0, 1, 2, 3, 9)] == [0, 1, 1, 3, 3]
        assert last_of_person(uow, 7, 9) == 0


def test_a_registry_that_has_not_reached_a_revision_says_so(registry: Registry) -> None:
    with registry.begin() as uow:
        append(uow, _rows(2))
        assert [reached(uow, at_least) for at_least in (0, 2)] == [2, 2]
        with pytest.raises(NotYetVisibleError) as raised:
            reached(uow, 3)
    assert raised.value.metadata == {"revision": "2"}
