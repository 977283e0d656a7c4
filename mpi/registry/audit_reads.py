"""The history read for auditors: newest first, filtered, with the decisions that events belong to.

Read only. What stewards did is few among many events: such reads go by the index `ix_event_steward`, whose condition
must stand in the statement as it is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.registry.events import Event
from mpi.registry.provenance import merged_into
from mpi.registry.tables import decision, decision_person, event, link, person, redirect, withdrawn_record
from mpi.registry.unit_of_work import UnitOfWork

Integers = NDArray[np.int64]

MOST_PEOPLE = 1_000
"""People among whom the past of one record is looked for."""

_BY_STEWARD = event.c.made_by == sa.literal_column("'steward'")


@dataclass(frozen=True, slots=True)
class EventsWanted:
    """Which events are wanted: all that hold everything that is said here.

    Revisions are inclusive. `about` int64 (n,) are people; `about_nobody` asks for events that are about nobody in
    particular; `mentions` is a text that the payload must hold as it is stored.
    """

    first: int = 1
    last: int | None = None
    kinds: Sequence[str] = ()
    by_steward: bool = False
    about: Integers | None = None
    about_nobody: bool = False
    mentions: str = ""


@dataclass(frozen=True, slots=True)
class DecisionNote:
    """What is noted of a decision beside its events. `undoes` and `undone_by` are numbers of decisions."""

    decision_id: int
    kind: str
    task_id: int | None
    made_by: str
    reason: str
    undoes: int | None
    undone_by: int | None


def newest_first(uow: UnitOfWork, wanted: EventsWanted, *, limit: int) -> list[Event]:
    """Events, newest first, at most `limit`."""
    conditions: list[sa.ColumnElement[bool]] = [event.c.revision >= wanted.first]
    if wanted.last is not None:
        conditions.append(event.c.revision <= wanted.last)
    if wanted.kinds:
        conditions.append(event.c.kind.in_(list(wanted.kinds)))
    if wanted.by_steward:
        conditions.append(_BY_STEWARD)
    if wanted.about is not None:
        conditions.append(event.c.person_id.in_(uow.dialect.id_set(wanted.about)))
    if wanted.about_nobody:
        conditions.append(event.c.person_id.is_(None))
    if wanted.mentions:
        conditions.append(event.c.payload.contains(wanted.mentions, autoescape=True))
    query = sa.select(event).where(*conditions).order_by(event.c.revision.desc()).limit(limit)
    return _events(uow, query)


def at_revisions(uow: UnitOfWork, revisions: Integers) -> list[Event]:
    """The events of some revisions, int64 (n,), oldest first."""
    query = sa.select(event).where(event.c.revision.in_(uow.dialect.id_set(revisions))).order_by(event.c.revision)
    return _events(uow, query)


def redirects_of(uow: UnitOfWork, person_ids: Integers, revision: int) -> list[tuple[int, int, int]]:
    """(person, where the ID led, since which revision) of those of some people whose ID led to another right after a
    revision, the newest first."""
    until = redirect.c.valid_to_revision
    query = (
        sa.select(redirect.c.person_id, redirect.c.superseded_by, redirect.c.valid_from_revision)
        .where(
            redirect.c.person_id.in_(uow.dialect.id_set(person_ids)),
            redirect.c.valid_from_revision <= revision,
            sa.or_(until.is_(None), until > revision),
        )
        .order_by(redirect.c.valid_from_revision.desc(), redirect.c.person_id)
    )
    return [(dead, survivor, since) for dead, survivor, since in uow.connection.execute(query)]


def decisions(uow: UnitOfWork, decision_ids: Integers) -> dict[int, DecisionNote]:
    """Decisions by number; unknown ones are left out."""
    query = sa.select(
        decision.c.decision_id,
        decision.c.kind,
        decision.c.task_id,
        decision.c.made_by,
        decision.c.reason,
        decision.c.undoes,
        decision.c.undone_by,
    ).where(decision.c.decision_id.in_(uow.dialect.id_set(decision_ids)))
    return {row.decision_id: DecisionNote(*row) for row in uow.connection.execute(query)}


def people_of_id(uow: UnitOfWork, enterprise_id: str) -> Integers:
    """The person who was given an ID and everybody whose ID leads there, int64 (n,), growing; empty for an unknown ID.

    The person is the one of that very ID, also where it leads to somebody else today.
    """
    found = uow.connection.scalar(sa.select(person.c.person_id).where(person.c.enterprise_id == enterprise_id))
    if found is None:
        return np.empty(0, dtype=np.int64)
    return np.array(sorted({found, *(each.person_id for each in merged_into(uow, found))}), dtype=np.int64)


def records_ever_of(uow: UnitOfWork, person_ids: Integers) -> Integers:
    """The records that were ever linked to some people, int64 (n,), growing."""
    return _column(
        uow,
        sa.select(link.c.record_id)
        .where(link.c.person_id.in_(uow.dialect.id_set(person_ids)))
        .distinct()
        .order_by(link.c.record_id),
    )


def people_ever_of(uow: UnitOfWork, record_id: int) -> Integers:
    """The people whose record this may ever have been, int64 (n,), growing.

    They are found without a walk over closed links: who has it now (or had it when it was withdrawn), all who were
    merged into that person, and whoever shares a steward's decision with one of them.
    """
    withdrawn = sa.select(withdrawn_record.c.revision).where(withdrawn_record.c.record_id == record_id)
    owners = sa.union(
        sa.select(link.c.person_id).where(link.c.record_id == record_id, link.c.valid_to_revision.is_(None)),
        sa.select(event.c.person_id).where(event.c.revision.in_(withdrawn), event.c.person_id.is_not(None)),
    )
    fresh = set(_column(uow, sa.select(owners.subquery().c.person_id)).tolist())
    found: set[int] = set()
    while fresh and len(found) < MOST_PEOPLE:
        merged = {each.person_id for number in fresh for each in merged_into(uow, number)}
        found |= fresh
        fresh = (_sharing_decisions(uow, found) | merged) - found
    return np.array(sorted(found | fresh), dtype=np.int64)


def _sharing_decisions(uow: UnitOfWork, person_ids: set[int]) -> set[int]:
    known = uow.dialect.id_set(np.array(sorted(person_ids), dtype=np.int64))
    shared = sa.select(decision_person.c.decision_id).where(decision_person.c.person_id.in_(known))
    everybody = sa.select(decision_person.c.person_id).where(decision_person.c.decision_id.in_(shared)).distinct()
    return set(_column(uow, everybody).tolist())


def _events(uow: UnitOfWork, query: sa.Select[Any]) -> list[Event]:
    rows = uow.connection.execute(query).mappings()
    return [Event(**{**row, "payload": json.loads(row["payload"])}) for row in rows]


def _column(uow: UnitOfWork, query: sa.Select[Any]) -> Integers:
    return np.array(uow.connection.scalars(query).all(), dtype=np.int64)
