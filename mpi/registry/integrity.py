"""What must hold between the registry's rows and no constraint says, as counts of the rows that break it.

Bulk tables have no foreign keys (see tables.py); tests and doctors run this instead.
"""

import sqlalchemy as sa

from mpi.registry.tables import (
    event,
    link,
    person,
    record_content,
    record_feature,
    registry_counter,
    source_record,
    source_system,
    withdrawn_record,
)
from mpi.registry.unit_of_work import UnitOfWork


def broken_rules(uow: UnitOfWork) -> dict[str, int]:
    """How many rows break each rule; a sound registry gives an empty dictionary. Reads every row of every table."""
    queries = {
        "a record has a source system": _without(source_record, source_system, "source_system_id"),
        "a record has raw values": _without(source_record, record_content, "record_id"),
        "a record has a feature row, or was withdrawn": _without(source_record, record_feature, "record_id").where(
            ~sa.exists().where(withdrawn_record.c.record_id == source_record.c.record_id)
        ),
        "a withdrawn record belongs to nobody": (
            sa.select(sa.func.count())
            .select_from(withdrawn_record)
            .join(link, link.c.record_id == withdrawn_record.c.record_id)
            .where(link.c.valid_to_revision.is_(None))
        ),
        "raw values have a record": _without(record_content, source_record, "record_id"),
        "a feature row has a record": _without(record_feature, source_record, "record_id"),
        "a link has a record": _without(link, source_record, "record_id"),
        "a link has a person": _without(link, person, "person_id"),
        "an open link points at an active person": (
            sa.select(sa.func.count())
            .select_from(link)
            .join(person, person.c.person_id == link.c.person_id)
            .where(link.c.valid_to_revision.is_(None), person.c.status != "active")
        ),
        "an active person has a record, or had one that was withdrawn": (
            sa.select(sa.func.count())
            .select_from(person)
            .where(
                person.c.status == "active",
                ~sa.exists().where(
                    link.c.person_id == person.c.person_id,
                    sa.or_(
                        link.c.valid_to_revision.is_(None),
                        sa.exists().where(withdrawn_record.c.record_id == link.c.record_id),
                    ),
                ),
            )
        ),
        "revisions have no gaps": sa.select(
            sa.func.coalesce(sa.func.max(event.c.revision), 0) - sa.func.count(event.c.revision)
        ),
        "the counter stands at the last event": (
            sa.select(registry_counter.c.revision - sa.func.coalesce(sa.func.max(event.c.revision), 0))
            .select_from(registry_counter)
            .join(event, sa.true(), isouter=True)
            .group_by(registry_counter.c.revision)
        ),
    }
    counts = {rule: int(uow.connection.scalar(query) or 0) for rule, query in queries.items()}
    return {rule: count for rule, count in counts.items() if count}


def _without(table: sa.Table, other: sa.Table, key: str) -> sa.Select[int]:
    """Counts the rows of a table that have no row of the same key in another."""
    return sa.select(sa.func.count()).select_from(table).where(~sa.exists().where(other.c[key] == table.c[key]))
