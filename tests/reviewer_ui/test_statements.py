"""How many statements a page sends does not grow with what it shows: a person of 40 records, a queue of 200 tasks."""

from collections.abc import Callable
from datetime import date

import pytest

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.records import RecordKey
from mpi.registry.registry import Registry
from mpi.services.entries import register
from tests.hearing import hearing
from tests.reviewer_ui.asked import ask
from tests.reviewer_ui.running_desk import Visitor
from tests.services.stored import index, record, store

FEW, MANY = 4, 40
Count = Callable[[str], int]


@pytest.fixture
def count(registry: Registry, desk: str) -> Count:
    """The statements that a page sends, for a lead who has looked at it before."""

    def counted(path: str) -> int:
        lead = Visitor(desk)
        lead.sign_in("lead")
        assert lead.get(path).status_code == 200
        heard: list[str] = []
        with hearing(registry, lambda statement, _: heard.append(statement)):
            assert lead.get(path).status_code == 200
        return len(heard)

    return counted


def person(registry: Registry, name: str, records: int) -> tuple[str, list[RecordKey]]:
    """Somebody with records of eight sources; entries hang on the first of them, each of which is read by itself."""
    given = [
        record(
            f"source {number % 8}",
            f"{name}{number}",
            full_name=f"{name} Thị Lan",
            birth_date=f"1984-03-{number % 28 + 1:02}",
        )
        for number in range(records)
    ]
    (made,) = store(registry, [given])
    told = [
        HealthRecordEntry(each.key, f"{name}{place}", EntryKind.ENCOUNTER, date(2024, 3, place % 28 + 1), "", "")
        for place, each in enumerate(given[:FEW])
    ]
    register(registry, f"r{name}", b"d", told, lambda _: b"")
    return made, [each.key for each in given]


@pytest.mark.parametrize("page", ["", "/cluster"])
def test_a_person_of_many_records_takes_no_more_statements(registry: Registry, count: Count, page: str) -> None:
    few, _ = person(registry, "Mai", FEW)
    many, _ = person(registry, "Lê", MANY)
    index(registry)
    assert count(f"/people/{few}{page}") == count(f"/people/{many}{page}")


def test_many_tasks_take_no_more_statements(registry: Registry, count: Count) -> None:
    alone = [record("hospital", f"H{number}", full_name=f"Lê Thị {number}") for number in range(21)]
    store(registry, [[each] for each in alone])
    index(registry)
    keys = [each.key for each in alone]
    pairs = [(one, other) for at, one in enumerate(keys) for other in keys[at + 1 :]]
    pages = ("/queue", "/team", "/audit", "/tasks/1")
    for pair in pairs[:3]:
        ask(registry, *pair)
    few = [count(page) for page in pages]
    for pair in pairs[3:200]:
        ask(registry, *pair)
    many = [count(page) for page in pages]
    assert few == many
