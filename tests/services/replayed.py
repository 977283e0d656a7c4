"""The registry's people as its events tell them: what the tables must hold, worked out from the history alone."""

import json
from dataclasses import dataclass, field

import sqlalchemy as sa

from mpi.registry import tables
from mpi.registry.registry import Registry
from tests.services.linking import query

TAKES = ("person.created", "person.linked", "person.merged", "person.restored")
"""Events whose records now belong to their person."""


@dataclass
class Replayed:
    """Whose each record is, whom each ID leads to, and everybody there ever was."""

    owner: dict[int, int] = field(default_factory=dict)
    leads_to: dict[int, int] = field(default_factory=dict)
    people: set[int] = field(default_factory=set)


def replay(registry: Registry) -> Replayed:
    """The history from its first event on; revisions must have no gap."""
    event = tables.event.c
    rows = query(registry, sa.select(event.revision, event.kind, event.person_id, event.payload).order_by("revision"))
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    found = Replayed()
    for _, kind, person, text in rows:
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


def projected(registry: Registry) -> Replayed:
    """The same as the tables have it. A record with two open links would be told twice."""
    link, person, redirect = tables.link.c, tables.person.c, tables.redirect.c
    links = query(registry, sa.select(link.record_id, link.person_id).where(link.valid_to_revision.is_(None)))
    assert len({record for record, _ in links}) == len(links), "a record is in two people"
    people = query(registry, sa.select(person.person_id, person.superseded_by, person.status))
    assert all((survivor is not None) == (status == "superseded") for _, survivor, status in people)
    leads_to = {number: survivor for number, survivor, _ in people if survivor is not None}
    open_redirects = query(
        registry, sa.select(redirect.person_id, redirect.superseded_by).where(redirect.valid_to_revision.is_(None))
    )
    assert dict(map(tuple, open_redirects)) == leads_to
    return Replayed(dict(map(tuple, links)), leads_to, {number for number, _, _ in people})
