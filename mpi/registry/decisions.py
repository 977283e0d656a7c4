"""What stewards decided: one row a decision, named by the revision of its first event, and the people it touched.

A decision is undone by another one; nothing of it is ever removed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import UnknownDecisionError
from mpi.domain.review import DecisionKind
from mpi.registry.tables import decision, decision_person, link, person, redirect
from mpi.registry.unit_of_work import UnitOfWork, now_text

Integers = NDArray[np.int64]

CHANGES_PEOPLE = (DecisionKind.MERGE, DecisionKind.SPLIT, DecisionKind.MOVE)
"""Decisions on which others rest. An unmerge gives back what a merge took, as an undo does, and leaves the rest."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: its events have the revisions `decision_id` to `last_revision`. `undoes` and `undone_by` name other
    decisions; `made_at` is ISO 8601 UTC; `reason` is what the steward wrote."""

    decision_id: int
    kind: DecisionKind
    last_revision: int
    task_id: int | None
    made_by: str
    made_at: str
    reason: str
    undoes: int | None
    undone_by: int | None


_COLUMNS = [decision.c[name] for name in Decision.__slots__]


@dataclass(frozen=True, slots=True)
class Moved:
    """A record that changed its person: the link that was closed (-1 where it had none), the one that was opened, and
    both people (-1 for none)."""

    record_id: int
    closed_link: int
    opened_link: int
    from_person: int
    to_person: int


@dataclass(frozen=True, slots=True)
class Traces:
    """What some revisions did to people: records moved, who was superseded by whom, who was restored (with the survivor
    they had) and who was created."""

    moved: tuple[Moved, ...]
    superseded: tuple[tuple[int, int], ...]
    restored: tuple[tuple[int, int], ...]
    created: tuple[int, ...]


def add(uow: UnitOfWork, made: Decision, people: Collection[int]) -> None:
    """Keeps a decision and whom it touched; `made_at` is ignored: it is now."""
    values: dict[str, Any] = {name: getattr(made, name) for name in Decision.__slots__}
    values |= {"kind": made.kind.value, "made_at": now_text()}
    uow.connection.execute(sa.insert(decision).values(values))
    if people:
        rows = [{"person_id": each, "decision_id": made.decision_id} for each in sorted(people)]
        uow.connection.execute(sa.insert(decision_person), rows)


def find(uow: UnitOfWork, decision_id: int) -> Decision:
    """One decision. Raises UnknownDecisionError."""
    row = uow.connection.execute(sa.select(*_COLUMNS).where(decision.c.decision_id == decision_id)).one_or_none()
    if row is None:
        raise UnknownDecisionError(f"there is no decision {decision_id}")
    return _decision(row)


def last_of(uow: UnitOfWork, made_by: str) -> Decision | None:
    """The newest decision of somebody that stands and is no undo."""
    query = (
        sa.select(*_COLUMNS)
        .where(decision.c.made_by == made_by, decision.c.undone_by.is_(None), decision.c.kind != DecisionKind.UNDO)
        .order_by(decision.c.decision_id.desc())
        .limit(1)
    )
    row = uow.connection.execute(query).one_or_none()
    return None if row is None else _decision(row)


def mark_undone(uow: UnitOfWork, decision_id: int, by: int | None) -> None:
    """Notes who undid a decision, or that it stands again."""
    uow.connection.execute(sa.update(decision).where(decision.c.decision_id == decision_id).values(undone_by=by))


def redone_by(uow: UnitOfWork, decision_id: int) -> Decision | None:
    """The decision by which another one stands again, having undone its undo; None where it never was undone."""
    undos = sa.select(decision.c.decision_id).where(decision.c.undoes == decision_id)
    query = sa.select(*_COLUMNS).where(decision.c.undoes.in_(undos), decision.c.undone_by.is_(None))
    row = uow.connection.execute(query.order_by(decision.c.decision_id.desc()).limit(1)).one_or_none()
    return None if row is None else _decision(row)


def people_of(uow: UnitOfWork, decision_id: int) -> list[int]:
    """The people that a decision touched."""
    query = sa.select(decision_person.c.person_id).where(decision_person.c.decision_id == decision_id)
    return list(uow.connection.scalars(query.order_by(decision_person.c.person_id)))


def at_revision(uow: UnitOfWork, revision: int) -> Decision | None:
    """The decision that an event belongs to."""
    row = uow.connection.execute(
        sa.select(*_COLUMNS).where(decision.c.decision_id <= revision).order_by(decision.c.decision_id.desc()).limit(1)
    ).one_or_none()
    found = None if row is None else _decision(row)
    return found if found is not None and revision <= found.last_revision else None


def later_about(uow: UnitOfWork, person_ids: Integers, revision: int) -> list[Decision]:
    """Decisions after a revision that changed some of these people, stand, and took nothing back, oldest first."""
    query = (
        sa.select(*_COLUMNS)
        .distinct()
        .join(decision_person, decision_person.c.decision_id == decision.c.decision_id)
        .where(
            decision_person.c.person_id.in_(uow.dialect.id_set(person_ids)),
            decision.c.decision_id > revision,
            decision.c.undone_by.is_(None),
            decision.c.kind.in_([kind.value for kind in CHANGES_PEOPLE]),
        )
        .order_by(decision.c.decision_id)
    )
    return [_decision(row) for row in uow.connection.execute(query)]


def redirects_since(uow: UnitOfWork, person_ids: Integers, revision: int) -> list[tuple[int, int, int]]:
    """(superseded, survivor, revision) of merges after a revision that hold and have one of these people on a side."""
    people = uow.dialect.id_set(person_ids)
    query = sa.select(redirect.c.person_id, redirect.c.superseded_by, redirect.c.valid_from_revision).where(
        sa.or_(redirect.c.person_id.in_(people), redirect.c.superseded_by.in_(people)),
        redirect.c.valid_from_revision > revision,
        redirect.c.valid_to_revision.is_(None),
    )
    return [(dead, survivor, since) for dead, survivor, since in uow.connection.execute(query)]


def redirected_since(uow: UnitOfWork, person_id: int) -> int | None:
    """The revision since which a person's ID leads to another; None where it does not."""
    query = sa.select(redirect.c.valid_from_revision).where(
        redirect.c.person_id == person_id, redirect.c.valid_to_revision.is_(None)
    )
    since: int | None = uow.connection.scalar(query)
    return since


def traces(uow: UnitOfWork, person_ids: Integers, first_revision: int, last_revision: int) -> Traces:
    """What some revisions did to some people, among them all whom these revisions touched."""
    people = uow.dialect.id_set(person_ids)
    columns = sa.select(link.c.record_id, link.c.link_id, link.c.person_id).where(link.c.person_id.in_(people))
    closed = columns.where(
        link.c.valid_to_revision.between(first_revision, last_revision), link.c.valid_from_revision < first_revision
    )
    until = link.c.valid_to_revision
    opened = columns.where(
        link.c.valid_from_revision.between(first_revision, last_revision),
        sa.or_(until.is_(None), until > last_revision),
    )
    before, after = (
        {record: (number, owner) for record, number, owner in uow.connection.execute(query)}
        for query in (closed, opened)
    )
    moved: list[Moved] = []
    for record in sorted(before.keys() | after.keys()):
        (closed_link, from_person), (opened_link, to_person) = (each.get(record, (-1, -1)) for each in (before, after))
        moved.append(Moved(record, closed_link, opened_link, from_person, to_person))
    redirects = sa.select(redirect.c.person_id, redirect.c.superseded_by).where(redirect.c.person_id.in_(people))
    begun, ended = (
        uow.connection.execute(
            redirects.where(column.between(first_revision, last_revision)).order_by(redirect.c.person_id)
        ).all()
        for column in (redirect.c.valid_from_revision, redirect.c.valid_to_revision)
    )
    born = sa.select(person.c.person_id).where(
        person.c.person_id.in_(people), person.c.created_revision.between(first_revision, last_revision)
    )
    return Traces(
        tuple(moved),
        tuple((dead, survivor) for dead, survivor in begun),
        tuple((dead, survivor) for dead, survivor in ended),
        tuple(uow.connection.scalars(born.order_by(person.c.person_id))),
    )


def _decision(row: sa.Row[Any]) -> Decision:
    fields = dict(row._mapping)
    return Decision(**{**fields, "kind": DecisionKind(fields["kind"])})
