"""Why records lie, or lay, where they do: links with their evidence, and who was merged into whom.

Read only.
"""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.registry.persons import Person
from mpi.registry.tables import link, person, redirect
from mpi.registry.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LinkReason:
    """The link of a record: whose it is, since which revision, made by whom, and the evidence as it was then.

    `via_record_id` and `match_weight` (bits) are those of the pair that joined it; None where it began its person or a
    steward placed it. `level_codes` int8 (comparisons,) are of the rule version named.
    """

    record_id: int
    person_id: int
    since_revision: int
    made_by: str
    rule_version: str
    run_id: int | None
    via_record_id: int | None
    match_weight: float | None
    level_codes: NDArray[np.int8] | None


def link_reasons(uow: UnitOfWork, record_ids: NDArray[np.int64]) -> dict[int, LinkReason]:
    """The open links of some records by record id; records of nobody are left out."""
    return _reasons(uow, link.c.record_id.in_(uow.dialect.id_set(record_ids)), link.c.valid_to_revision.is_(None))


def links_of_person_as_of(uow: UnitOfWork, person_id: int, revision: int) -> dict[int, LinkReason]:
    """The links of one person that held right after a revision, by record id."""
    held = sa.or_(link.c.valid_to_revision.is_(None), link.c.valid_to_revision > revision)
    return _reasons(uow, link.c.person_id == person_id, link.c.valid_from_revision <= revision, held)


def _reasons(uow: UnitOfWork, *conditions: sa.ColumnElement[bool]) -> dict[int, LinkReason]:
    rows = uow.connection.execute(
        sa.select(
            link.c.record_id,
            link.c.person_id,
            link.c.valid_from_revision,
            link.c.made_by,
            link.c.rule_version,
            link.c.run_id,
            link.c.via_record_id,
            link.c.match_weight,
            link.c.level_codes,
        )
        .where(*conditions)
        .order_by(link.c.record_id)
    )
    reasons: dict[int, LinkReason] = {}
    for row in rows:
        codes = None if row.level_codes is None else np.frombuffer(row.level_codes, dtype=np.int8)
        reasons[row.record_id] = LinkReason(*row[:-1], codes)
    return reasons


def merged_into(uow: UnitOfWork, person_id: int, revision: int | None = None) -> list[Person]:
    """Everybody whose ID leads to a person, by however many steps; oldest number first.

    With a revision, those whose ID led there right after it.
    """
    found: dict[int, Person] = {}
    survivors = np.array([person_id], dtype=np.int64)
    while len(survivors):
        led = redirect.c.superseded_by.in_(uow.dialect.id_set(survivors))
        rows = uow.connection.execute(
            sa.select(
                person.c.person_id,
                person.c.enterprise_id,
                person.c.created_revision,
                person.c.changed_revision,
                person.c.superseded_by,
            )
            .join(redirect, redirect.c.person_id == person.c.person_id)
            .where(led, *_held(revision))
        )
        fresh = [each for row in rows if (each := Person(*row)).person_id not in found]
        found.update((each.person_id, each) for each in fresh)
        survivors = np.array([each.person_id for each in fresh], dtype=np.int64)
    return [found[number] for number in sorted(found)]


def _held(revision: int | None) -> list[sa.ColumnElement[bool]]:
    """Redirects that hold today, or held right after a revision."""
    until = redirect.c.valid_to_revision
    if revision is None:
        return [until.is_(None)]
    return [redirect.c.valid_from_revision <= revision, sa.or_(until.is_(None), until > revision)]
