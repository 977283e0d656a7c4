"""The registry's people as its events tell them, and as its tables have them: the two must be the same."""

import json
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from mpi.persons.judged import Judgement
from mpi.registry import judgements, tables
from mpi.registry.registry import Registry

TAKES = ("person.created", "person.linked", "person.merged", "person.restored")
"""Events whose records now belong to their person."""

_EVIDENCE = ("person_id", "made_by", "match_weight", "via_record_id", "rule_version", "run_id")


@dataclass
class Replayed:
    """Whose each record is, whom each ID leads to, and everybody there ever was."""

    owner: dict[int, int] = field(default_factory=dict)
    leads_to: dict[int, int] = field(default_factory=dict)
    people: set[int] = field(default_factory=set)


@dataclass
class Look:
    """Everything about people that a registry holds at one moment, read at once.

    `links` are open links by record, with their evidence; `tasks` open ones as (task, question, kind, records, people);
    `names` enterprise IDs by number; `keys` record numbers by key.
    """

    told: Replayed
    there: Replayed
    links: dict[int, tuple[Any, ...]]
    tasks: list[tuple[int, str, str, int, int, int, int]]
    judged: list[Judgement]
    names: dict[int, str]
    keys: dict[str, int]
    events: list[tuple[int, str, int | None]]


def look(registry: Registry) -> Look:
    """All there is. A record with two open links, a gap between revisions or an ID given twice fails here."""
    link, person, redirect, event, task = (
        table.c for table in (tables.link, tables.person, tables.redirect, tables.event, tables.review_task)
    )
    record, system = tables.source_record.c, tables.source_system.c
    with registry.snapshot() as uow:
        read = uow.connection.execute
        events = [tuple(row) for row in read(sa.select(event.revision, event.kind, event.person_id, event.payload))]
        links = read(
            sa.select(link.record_id, *(link[name] for name in _EVIDENCE)).where(link.valid_to_revision.is_(None))
        ).all()
        people = read(sa.select(person.person_id, person.superseded_by, person.status, person.enterprise_id)).all()
        redirects = read(
            sa.select(redirect.person_id, redirect.superseded_by).where(redirect.valid_to_revision.is_(None))
        ).all()
        asked = (task.task_id, task.question, task.kind, task.record_a, task.record_b, task.person_a, task.person_b)
        tasks = [tuple(row) for row in read(sa.select(*asked).where(task.status == "open"))]
        keys = read(
            sa.select(system.name, record.source_record_id, record.record_id).join(
                tables.source_record, record.source_system_id == system.source_system_id
            )
        ).all()
        judged = judgements.standing(uow)
    assert len({row[0] for row in links}) == len(links), "a record is in two people"
    assert all((survivor is not None) == (status == "superseded") for _, survivor, status, _ in people)
    leads_to = {number: survivor for number, survivor, _, _ in people if survivor is not None}
    assert dict(map(tuple, redirects)) == leads_to
    return Look(
        told=_replayed(sorted(events)),
        there=Replayed({row[0]: row[1] for row in links}, leads_to, {row[0] for row in people}),
        links={row[0]: tuple(row[1:]) for row in links},
        tasks=tasks,
        judged=judged,
        names={row[0]: row[3] for row in people},
        keys={f"{name}:{local_id}": number for name, local_id, number in keys},
        events=[each[:3] for each in sorted(events)],
    )


def _replayed(events: list[Any]) -> Replayed:
    """The history from its first event on; revisions must have no gap."""
    assert [each[0] for each in events] == list(range(1, len(events) + 1))
    found = Replayed()
    for _, kind, person, text in events:
        payload = json.loads(text)
        if kind == "person.created":
            assert person not in found.people, "an ID was given twice"
            found.people.add(person)
        if kind in TAKES:
            found.owner.update(dict.fromkeys(payload["records"], person))
        if kind == "person.superseded":
            found.leads_to[person] = payload["superseded_by"]
        elif kind == "person.restored":
            del found.leads_to[person]
        elif kind == "person.withdrawn":
            for record in payload["records"]:
                found.owner.pop(record, None)
    return found
