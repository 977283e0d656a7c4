"""Personal data is shown to who may see it, and never without an event that says so."""

import json

import pytest
import sqlalchemy as sa

from mpi.domain.errors import InvalidInputError, MissingRightError, UnknownRecordError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, RevealReason, Role
from mpi.registry import events
from mpi.registry.registry import Registry
from mpi.registry.tables import event
from mpi.services.desk.reveal import EVENT, MOST_RECORDS, reveal
from tests.services.stored import HUNG, LAN, store

STEWARD = Actor("an", Role.STEWARD)
H1, I1 = LAN[0].key, LAN[1].key


def last_revision(registry: Registry) -> int:
    with registry.snapshot() as uow:
        return events.last_revision(uow)


def test_the_values_come_with_an_event_that_names_no_value(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    before = last_revision(registry)
    found = reveal(
        registry, STEWARD, [H1, I1], ["full_name", "phone", "no such field"], reason=RevealReason.COMPARE, task_id=7
    )
    assert found.values == {
        H1: {"full_name": "TRẦN THỊ LAN", "phone": "0903718264"},
        I1: {"full_name": "Trần Thị Lan"},
    }
    assert found.revision == before + 1 == last_revision(registry)
    with registry.snapshot() as uow:
        (stored,) = events.read_after(uow, before, limit=9)
        (text,) = uow.connection.scalars(sa.select(event.c.payload).where(event.c.revision == found.revision))
    assert (stored.kind, stored.person_id, stored.made_by) == (EVENT, None, "steward")
    assert stored.payload == {
        "steward": "an",
        "task": 7,
        "records": [1, 2],
        "fields": ["full_name", "phone"],
        "reason": "compare",
    }
    assert "LAN" not in text
    assert "0903718264" not in text
    assert json.loads(text) == stored.payload


@pytest.mark.parametrize("role", [Role.ADMIN])
def test_who_may_not_reveal_sees_nothing_and_leaves_no_event(role: Role, registry: Registry) -> None:
    store(registry, [LAN])
    before = last_revision(registry)
    with pytest.raises(MissingRightError) as refused:
        reveal(registry, Actor("minh", role), [H1], ["full_name"], reason=RevealReason.COMPARE)
    assert refused.value.metadata["right"] == "reveal"
    assert last_revision(registry) == before


def test_nothing_is_noted_of_a_record_that_there_is_not(registry: Registry) -> None:
    store(registry, [LAN])
    before = last_revision(registry)
    with pytest.raises(UnknownRecordError):
        reveal(registry, STEWARD, [H1, RecordKey("hospital", "H999")], ["phone"], reason=RevealReason.CONTACT)
    assert last_revision(registry) == before


def test_nobody_reveals_a_whole_register_at_once(registry: Registry) -> None:
    store(registry, [LAN])
    many = [RecordKey("hospital", f"H{at}") for at in range(MOST_RECORDS + 1)]
    for keys, columns in ((many, ["phone"]), ([], ["phone"]), ([H1], [])):
        with pytest.raises(InvalidInputError):
            reveal(registry, STEWARD, keys, columns, reason=RevealReason.COMPARE)
