"""People and the links of records to them; a link is closed and another opened, never changed.

A link holds in the revisions from `valid_from_revision` up to, but not at, `valid_to_revision`. Open links point at
active people only, since a merge closes links and opens new ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError, PersonNotYetCreatedError, RegistryError, UnknownPersonError
from mpi.persons.enterprise_id import enterprise_ids, parse
from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.source_records import source_system_names
from mpi.registry.tables import link, person, redirect, source_record
from mpi.registry.unit_of_work import UnitOfWork

Integers = NDArray[np.int64]

_ROWS_A_READ = 65_536

CROSS_REFERENCE_SCHEMA = pa.schema(
    [("source_system", pa.string()), ("source_record_id", pa.string()), ("enterprise_id", pa.string())]
)


@dataclass(frozen=True, slots=True)
class Person:
    """One person as the registry has it. `superseded_by` is set when another person took over."""

    person_id: int
    enterprise_id: str
    created_revision: int
    changed_revision: int
    superseded_by: int | None


@dataclass(frozen=True, slots=True)
class OpenLinks:
    """Open links in the order of record ids: three int64[n]."""

    link_ids: Integers
    record_ids: Integers
    person_ids: Integers


@dataclass(frozen=True, slots=True)
class LinkEvidence:
    """Why records were joined: the record joined through, the weight in bits, and the level codes of that pair.

    `via_record_ids` int64[n], below zero where a record began a person or a steward placed it; there `match_weights`
    float64[n] is NaN, and the row of `level_codes` int8[n, comparisons] is not kept.
    """

    via_record_ids: Integers
    match_weights: NDArray[np.float64]
    level_codes: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class LinkRows:
    """Links to be opened, n rows. `revisions` int64[n] is where each begins; `made_by` rules, steward or source."""

    link_ids: Integers
    record_ids: Integers
    person_ids: Integers
    revisions: Integers
    made_by: str
    rule_version: str
    run_id: int | None = None
    evidence: LinkEvidence | None = None


def insert_persons(uow: UnitOfWork, person_ids: Integers, *, revisions: Integers, key: bytes) -> list[str]:
    """Adds people, each with the enterprise ID that its number and the registry's secret give; returns those IDs."""
    ids = enterprise_ids(person_ids, key)
    bulk.insert(
        uow,
        person,
        {
            "person_id": person_ids,
            "enterprise_id": ids,
            "created_revision": revisions,
            "status": Every("active"),
            "superseded_by": Every(None),
            "changed_revision": revisions,
        },
    )
    return ids


def open_links(uow: UnitOfWork, rows: LinkRows) -> None:
    """Opens links. Raises RegistryError (when the unit of work is left) for a record that has an open link already."""
    evidence = rows.evidence
    codes: bulk.Column = Every(None)
    if evidence is not None:
        packed = bulk.as_bytes(evidence.level_codes.view(np.uint8))
        has_pair = (evidence.via_record_ids >= 0).tolist()
        codes = [code if joined else None for code, joined in zip(packed, has_pair, strict=True)]
    bulk.insert(
        uow,
        link,
        {
            "link_id": rows.link_ids,
            "record_id": rows.record_ids,
            "person_id": rows.person_ids,
            "valid_from_revision": rows.revisions,
            "valid_to_revision": Every(None),
            "made_by": Every(rows.made_by),
            "run_id": Every(rows.run_id),
            "match_weight": bulk.optional(evidence.match_weights if evidence else None),
            "via_record_id": bulk.optional(evidence.via_record_ids if evidence else None),
            "level_codes": codes,
            "rule_version": Every(rows.rule_version),
        },
    )


def reopen_links(uow: UnitOfWork, closed: Integers, *, link_ids: Integers, revisions: Integers) -> None:
    """Opens links as they were: copies of closed ones, evidence and all, under new numbers; row by row."""
    kept = (
        "record_id",
        "person_id",
        "made_by",
        "run_id",
        "match_weight",
        "via_record_id",
        "level_codes",
        "rule_version",
    )
    columns = [link.c[name] for name in kept]
    for old, new, revision in zip(closed.tolist(), link_ids.tolist(), revisions.tolist(), strict=True):
        copy = sa.select(sa.literal(new), sa.literal(revision), sa.null(), *columns).where(link.c.link_id == old)
        names = ["link_id", "valid_from_revision", "valid_to_revision", *kept]
        uow.connection.execute(sa.insert(link).from_select(names, copy))


def close_links(uow: UnitOfWork, link_ids: Integers, *, revisions: Integers) -> None:
    """Ends open links at the revisions given. Raises RegistryError when one of them is not open."""
    still_open = uow.connection.scalar(
        sa.select(sa.func.count())
        .select_from(link)
        .where(link.c.link_id.in_(uow.dialect.id_set(link_ids)), link.c.valid_to_revision.is_(None))
    )
    if still_open != len(link_ids):
        raise RegistryError("a link that should be closed is not open")
    bulk.update(uow, link, keys={"link_id": link_ids}, values={"valid_to_revision": revisions})


def supersede_persons(uow: UnitOfWork, person_ids: Integers, *, survivors: Integers, revisions: Integers) -> None:
    """Redirects people to the ones that survive them; row by row. Their links are the caller's to move."""
    if bool(np.isin(survivors, person_ids).any()):
        raise InvalidInputError("a person that survives a merge cannot be superseded by the same merge")
    changed = bulk.update(
        uow,
        person,
        keys={"person_id": person_ids, "status": Every("active")},
        values={"status": Every("superseded"), "superseded_by": survivors, "changed_revision": revisions},
    )
    if changed != len(person_ids):
        raise RegistryError("a person that should be superseded is not active")
    bulk.insert(
        uow,
        redirect,
        {
            "person_id": person_ids,
            "valid_from_revision": revisions,
            "valid_to_revision": Every(None),
            "superseded_by": survivors,
        },
    )


def restore_persons(uow: UnitOfWork, person_ids: Integers, *, revisions: Integers) -> None:
    """Gives superseded people their own IDs back; row by row. Their links are the caller's to open."""
    changed = bulk.update(
        uow,
        person,
        keys={"person_id": person_ids, "status": Every("superseded")},
        values={"status": Every("active"), "superseded_by": Every(None), "changed_revision": revisions},
    )
    ended = uow.connection.execute(
        sa.update(redirect)
        .where(redirect.c.person_id == sa.bindparam("whose"), redirect.c.valid_to_revision.is_(None))
        .values(valid_to_revision=sa.bindparam("ends")),
        [{"whose": whose, "ends": ends} for whose, ends in zip(person_ids.tolist(), revisions.tolist(), strict=True)],
    )
    if changed != len(person_ids) or ended.rowcount != len(person_ids):
        raise RegistryError("a person that should be restored is not superseded")


def touch_persons(uow: UnitOfWork, person_ids: Integers, *, revisions: Integers) -> None:
    """Notes the revision at which people last changed."""
    bulk.update_later(uow, person, keys={"person_id": person_ids}, values={"changed_revision": revisions})


def links_as_of(uow: UnitOfWork, revision: int) -> OpenLinks:
    """The links that were open right after a revision."""
    still_open = sa.or_(link.c.valid_to_revision.is_(None), link.c.valid_to_revision > revision)
    return _links(uow, link.c.valid_from_revision <= revision, still_open)


def members(uow: UnitOfWork, person_ids: Integers) -> OpenLinks:
    """The open links of some people, in the order of record ids."""
    return _links(uow, link.c.person_id.in_(uow.dialect.id_set(person_ids)), link.c.valid_to_revision.is_(None))


def links_of_records(uow: UnitOfWork, record_ids: Integers) -> OpenLinks:
    """The open links of some records, in the order of record ids; records of nobody are left out."""
    return _links(uow, link.c.record_id.in_(uow.dialect.id_set(record_ids)), link.c.valid_to_revision.is_(None))


def _links(uow: UnitOfWork, *conditions: sa.ColumnElement[bool]) -> OpenLinks:
    query = sa.select(link.c.record_id, link.c.link_id, link.c.person_id).where(*conditions).order_by(link.c.record_id)
    (record_ids, link_ids, person_ids), _ = uow.dialect.read_packed(uow.connection, query, integers=3)
    return OpenLinks(link_ids, record_ids, person_ids)


def links_closed_at(uow: UnitOfWork, person_id: int, revision: int) -> dict[int, int]:
    """The records that left a person at a revision, each with the link that was closed."""
    query = sa.select(link.c.record_id, link.c.link_id).where(
        link.c.person_id == person_id, link.c.valid_to_revision == revision
    )
    return dict(uow.connection.execute(query).all())


def linked_since(uow: UnitOfWork, person_id: int, revision: int) -> set[int]:
    """The records of a person whose link began after a revision, or at it without having been another's before."""
    gone = sa.select(redirect.c.person_id).where(
        redirect.c.superseded_by == person_id, redirect.c.valid_from_revision == revision
    )
    taken_over = sa.select(link.c.record_id).where(link.c.person_id.in_(gone), link.c.valid_to_revision == revision)
    since = link.c.valid_from_revision
    query = sa.select(link.c.record_id).where(
        link.c.person_id == person_id,
        link.c.valid_to_revision.is_(None),
        sa.or_(since > revision, sa.and_(since == revision, link.c.record_id.not_in(taken_over))),
    )
    return set(uow.connection.scalars(query))


def find_person(uow: UnitOfWork, person_id: int) -> Person:
    """One person. Raises UnknownPersonError."""
    return _one_person(uow, person.c.person_id == person_id, f"no person {person_id} in the registry")


def named(uow: UnitOfWork, enterprise_id: str) -> Person:
    """The person whom an enterprise ID (as `parse` gives it) names, merged or not. Raises UnknownPersonError."""
    return _one_person(uow, person.c.enterprise_id == enterprise_id, f"no person {enterprise_id} in the registry")


def resolve_enterprise_id(uow: UnitOfWork, text: str) -> Person:
    """The active person that an enterprise ID leads to today, following merges.

    Raises InvalidInputError for a mistyped ID, UnknownPersonError for one that nobody has.
    """
    return person_as_of(uow, text, None)


def person_as_of(uow: UnitOfWork, text: str, revision: int | None) -> Person:
    """The person that an enterprise ID led to right after a revision, or leads to today when there is none.

    Raises InvalidInputError for a mistyped ID, UnknownPersonError for one that nobody has, PersonNotYetCreatedError.
    """
    enterprise_id = parse(text)
    found = named(uow, enterprise_id)
    if revision is not None and found.created_revision > revision:
        raise PersonNotYetCreatedError(
            f"{found.enterprise_id} was created at revision {found.created_revision}, after the one asked for",
            metadata={"create_revision": str(found.created_revision)},
        )
    seen = {found.person_id}
    while (survivor := _survivor(uow, found, revision)) is not None:
        found = find_person(uow, survivor)
        if found.person_id in seen:
            raise RegistryError(f"the redirects of {enterprise_id} run in a circle")
        seen.add(found.person_id)
    return found


def _survivor(uow: UnitOfWork, found: Person, revision: int | None) -> int | None:
    """Whom a person's ID leads to instead, today or right after a revision."""
    if revision is None:
        return found.superseded_by
    until = redirect.c.valid_to_revision
    query = sa.select(redirect.c.superseded_by).where(
        redirect.c.person_id == found.person_id,
        redirect.c.valid_from_revision <= revision,
        sa.or_(until.is_(None), until > revision),
    )
    survivor: int | None = uow.connection.scalar(query)
    return survivor


def enterprise_ids_of(uow: UnitOfWork, person_ids: Integers) -> dict[int, str]:
    """The enterprise IDs of people by number; unknown numbers are left out."""
    found: dict[int, str] = {}
    for start in range(0, len(person_ids), _ROWS_A_READ):
        wanted = uow.dialect.id_set(person_ids[start : start + _ROWS_A_READ])
        rows = uow.connection.execute(
            sa.select(person.c.person_id, person.c.enterprise_id).where(person.c.person_id.in_(wanted))
        )
        found.update(rows.all())
    return found


def cross_references(uow: UnitOfWork) -> Iterator[pa.RecordBatch]:
    """Streams every record's key with its person's enterprise ID, in the order of record ids."""
    names = source_system_names(uow)
    query = (
        sa.select(source_record.c.source_system_id, source_record.c.source_record_id, person.c.enterprise_id)
        .select_from(link)
        .join(source_record, source_record.c.record_id == link.c.record_id)
        .join(person, person.c.person_id == link.c.person_id)
        .where(link.c.valid_to_revision.is_(None))
        .order_by(link.c.record_id)
    )
    for rows in stream(uow, query):
        systems, local_ids, ids = zip(*rows, strict=True)
        yield pa.record_batch(
            [pa.array([names[system] for system in systems], pa.string()), pa.array(local_ids), pa.array(ids)],
            schema=CROSS_REFERENCE_SCHEMA,
        )


def count_active(uow: UnitOfWork) -> int:
    """How many people there are, not counting superseded ones."""
    active = sa.select(sa.func.count()).select_from(person).where(person.c.status == "active")
    return int(uow.connection.scalar(active) or 0)


def stream(uow: UnitOfWork, query: sa.Select[tuple[object, ...]]) -> Iterator[Sequence[Sequence[object]]]:
    """Rows of a query in lists of at most 65,536, read through a server-side cursor."""
    result = uow.connection.execute(query, execution_options={"stream_results": True})
    with result:
        while rows := result.fetchmany(_ROWS_A_READ):
            yield rows


def _one_person(uow: UnitOfWork, condition: sa.ColumnElement[bool], otherwise: str) -> Person:
    row = uow.connection.execute(
        sa.select(
            person.c.person_id,
            person.c.enterprise_id,
            person.c.created_revision,
            person.c.changed_revision,
            person.c.superseded_by,
        ).where(condition)
    ).one_or_none()
    if row is None:
        raise UnknownPersonError(otherwise)
    return Person(*row)
