"""Which version of a record was current at a revision, though versions and events are written apart.

A version ceases to be current at the revision of the event that says so. A bulk run stores new versions first and tells
of them when it writes people: until then the old version still stands (`superseded_revision` 0).
"""

import numpy as np
import sqlalchemy as sa

from mpi.domain.records import RecordKey, SourceRecord
from mpi.registry import bulk
from mpi.registry.known_records import Integers
from mpi.registry.source_records import raw_records, source_system_names
from mpi.registry.tables import source_record, source_record_version
from mpi.registry.unit_of_work import UnitOfWork

STILL_STANDS = 0
"""The `superseded_revision` of a version that has been superseded though no event has said so yet."""


def still_standing(uow: UnitOfWork) -> Integers:
    """Records, ascending int64[n], with a newer version that no event has told of yet."""
    version = source_record_version.c
    query = (
        sa.select(version.record_id)
        .where(version.superseded_revision == STILL_STANDS)
        .distinct()
        .order_by(version.record_id)
    )
    return np.array(uow.connection.scalars(query).all(), dtype=np.int64)


def tell_superseded(uow: UnitOfWork, record_ids: Integers, *, revisions: Integers) -> None:
    """Notes the revision, int64[n], of the event that tells of each record's newer version; others are left alone."""
    bulk.update(
        uow,
        source_record_version,
        keys={"record_id": record_ids, "superseded_revision": bulk.Every(STILL_STANDS)},
        values={"superseded_revision": revisions},
    )


def records_as_of(uow: UnitOfWork, record_ids: Integers, revision: int) -> dict[int, SourceRecord]:
    """The versions that were current right after a revision, by record id; ids that are not stored are left out.

    A record that was stored later answers with its first version: its links say since when it belongs to anybody.
    """
    found = dict(raw_records(uow, record_ids))
    stored, version = source_record.c, source_record_version.c
    stood = sa.or_(version.superseded_revision == STILL_STANDS, version.superseded_revision > revision)
    rows = uow.connection.execute(
        sa.select(version.record_id, stored.source_system_id, stored.source_record_id, version.recorded_at, version.raw)
        .join_from(source_record_version, source_record, version.record_id == stored.record_id)
        .where(version.record_id.in_(uow.dialect.id_set(record_ids)), stood)
        .order_by(version.record_id, version.version.desc())
    ).all()
    names = source_system_names(uow) if rows else {}
    # the oldest of those that had not been superseded then comes last
    for record_id, system, local_id, recorded_at, raw in rows:
        found[record_id] = SourceRecord(RecordKey(names[system], local_id), uow.codec.decode(raw), recorded_at)
    return found
