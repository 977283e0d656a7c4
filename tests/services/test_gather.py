"""Gathering: concurrent calls share transactions, and each answers for itself."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mpi.domain.errors import InvalidInputError, OverloadedError, RegistryError, RequestReusedError, RunInProgressError
from mpi.registry import runs
from mpi.registry.registry import Registry
from mpi.services.gather import MOST_TOGETHER, Gatherer
from mpi.services.resolution import RecordChange
from tests.online.desk import Desk, asked, came, told
from tests.services.linking import assert_sound, partition

LAN = {"name": "lan", "birth": "1980-01-01"}


@dataclass
class _Gate:
    """A desk whose gatherer writes nothing while the gate is held, and tells how many calls each transaction took."""

    desk: Desk
    gatherer: Gatherer
    taken: list[int]
    open: threading.Event

    def hold(self) -> None:
        """Keep the writer busy with one call until `open` is set."""
        self.open.clear()
        self.gatherer.submit(asked(came("gate:1", name="gate"), request_id=f"gate {len(self.taken)}"))
        while self.gatherer.waiting:
            threading.Event().wait(0.001)
        self.taken.clear()


@pytest.fixture
def gate(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Gate]:
    desk, taken, opened = Desk(registry), list[int](), threading.Event()
    opened.set()
    settle = desk.resolver.settle

    def gated(prepared: Sequence[Any]) -> Any:
        opened.wait(30)
        return settle(prepared)

    monkeypatch.setattr(desk.resolver, "settle", gated)
    gatherer = Gatherer(desk.resolver, observe=taken.append)
    try:
        yield _Gate(desk, gatherer, taken, opened)
    finally:
        opened.set()
        gatherer.close()
        assert_sound(registry)


def test_calls_that_wait_together_share_a_transaction(gate: _Gate) -> None:
    gate.hold()
    count = MOST_TOGETHER + 10
    answers = [gate.gatherer.submit(asked(came(f"a:{n}", name=f"an {n}"))) for n in range(count)]
    assert gate.gatherer.waiting == count
    gate.open.set()
    assert len({told(answer.result(30)).enterprise_id for answer in answers}) == count
    assert gate.taken == [MOST_TOGETHER, 10]


def test_each_keeps_its_own_outcome(gate: _Gate) -> None:
    gate.desk.resolve(came("a:0", **LAN), request_id="used")
    gate.hold()
    fine = gate.gatherer.submit(asked(came("a:1", **LAN)))
    reused = gate.gatherer.submit(asked(came("a:2", **LAN), request_id="used"))
    again = gate.gatherer.submit(asked(came("a:0", **LAN), request_id="used"))
    gate.open.set()
    with pytest.raises(RequestReusedError):
        reused.result(30)
    assert told(fine.result(30)).enterprise_id == told(again.result(30)).enterprise_id


def test_what_the_registry_refuses_of_one_the_others_do_not_answer_for(gate: _Gate) -> None:
    gate.hold()
    fine = [gate.gatherer.submit(asked(came(f"a:{n}", name=f"an {n}"))) for n in range(3)]
    unfit = gate.gatherer.submit(asked(came("a:\x00", name="nul")))
    more = gate.gatherer.submit(asked(came("a:9", name="an 9")))
    gate.open.set()
    with pytest.raises((InvalidInputError, RegistryError, ValueError)):
        unfit.result(30)
    assert len({told(answer.result(30)).enterprise_id for answer in [*fine, more]}) == 4


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_value_that_only_one_database_refuses_is_its_own_calls_fault(gate: _Gate) -> None:
    """An index of PostgreSQL takes 2,700 bytes of a key."""
    gate.hold()
    fine = [gate.gatherer.submit(asked(came(f"a:{n}", name=f"an {n}"))) for n in range(3)]
    long = "".join(f"{n * 7919:x}" for n in range(2_000))
    unfit = gate.gatherer.submit(asked(came(f"a:{long}", name="long")))
    gate.open.set()
    with pytest.raises(RegistryError):
        unfit.result(30)
    assert len({told(answer.result(30)).enterprise_id for answer in fine}) == 3


def test_one_record_or_one_request_twice_goes_in_order(gate: _Gate) -> None:
    gate.hold()
    first = asked(came("a:1", at="2020-01-01", **LAN), request_id="one")
    second = asked(came("a:1", at="2021-01-01", **LAN), request_id="two")
    answers = [
        gate.gatherer.submit(request)
        for request in (first, second, first, asked(came("b:1", **LAN)), replace(second, request_id="three"))
    ]
    gate.open.set()
    one, two, same, other, three = (told(answer.result(30)) for answer in answers)
    assert [each.change for each in (one, two, three)] == [
        RecordChange.NEW,
        RecordChange.NEW_VERSION,
        RecordChange.UNCHANGED,
    ]
    assert same == one
    assert other.change is RecordChange.NEW
    assert len(partition(gate.desk.registry)) == 2


def test_a_call_given_up_in_time_leaves_nothing(gate: _Gate) -> None:
    gate.hold()
    given_up = gate.gatherer.submit(asked(came("a:1", **LAN)))
    kept = gate.gatherer.submit(asked(came("a:2", **LAN)))
    assert given_up.cancel()
    gate.open.set()
    kept.result(30)
    assert partition(gate.desk.registry, only="a:") == {frozenset({"a:2"})}


def test_too_many_are_refused_and_closing_finishes_what_was_taken(gate: _Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mpi.services.gather.MOST_WAITING", 3)
    gate.hold()
    taken = [gate.gatherer.submit(asked(came(f"a:{n}", name=f"an {n}"))) for n in range(3)]
    with pytest.raises(OverloadedError, match="wait already"):
        gate.gatherer.submit(asked(came("a:9", **LAN)))
    threading.Timer(0.1, gate.open.set).start()
    gate.gatherer.close()
    assert all(answer.done() for answer in taken)
    assert len({told(answer.result(0)).enterprise_id for answer in taken}) == 3
    with pytest.raises(OverloadedError, match="stopped"):
        gate.gatherer.submit(asked(came("a:9", **LAN)))


def test_a_bulk_run_refuses_all_at_once(gate: _Gate, tmp_path: Path) -> None:
    gate.desk.comes("a:0", **LAN)
    gate.hold()
    with gate.desk.registry.begin() as uow:
        runs.start_run(uow, "link", request={}, state={})
    answers = [gate.gatherer.submit(asked(came(f"a:{n}", name=f"an {n}"))) for n in range(1, 6)]
    gate.open.set()
    wait(answers, 30)
    assert all(isinstance(answer.exception(), RunInProgressError) for answer in answers)
    # the gate's own call, and the five in one
    assert gate.taken == [5]
