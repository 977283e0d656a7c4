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

_STILL_STANDS = 0
_FEW = 1_000

# spelt out, not bound: the index of these rows serves no other form
_STANDS = sa.text("superseded_revision = 0")


def still_standing(uow: UnitOfWork, record_ids: Integers) -> Integers:
    """Those of some records, ascending int64[n], that have a newer version of which no event has told yet."""
    version = source_record_version.c
    if uow.connection.scalar(sa.select(version.record_id).where(_STANDS).limit(1)) is None:
        return np.empty(0, dtype=np.int64)
    wanted = version.record_id.in_(uow.dialect.id_set(record_ids))
    query = sa.select(version.record_id).where(_STANDS, wanted).distinct().order_by(version.record_id)
    return np.array(uow.connection.scalars(query).all(), dtype=np.int64)


def tell_superseded(uow: UnitOfWork, record_ids: Integers, *, revisions: Integers) -> None:
    """Notes the revision, int64[n], of the event that tells of each record's newer version; others are left alone."""
    if len(record_ids) > _FEW:
        chosen = np.isin(record_ids, still_standing(uow, record_ids))
        record_ids, revisions = record_ids[chosen], revisions[chosen]
    bulk.update(
        uow,
        source_record_version,
        keys={"record_id": record_ids, "superseded_revision": bulk.Every(_STILL_STANDS)},
        values={"superseded_revision": revisions},
    )


def records_as_of(uow: UnitOfWork, record_ids: Integers, revision: int) -> dict[int, SourceRecord]:
    """The versions that were current right after a revision, by record id; ids that are not stored are left out.

    A record that was stored later answers with its first version: its links say since when it belongs to anybody.
    """
    found = dict(raw_records(uow, record_ids))
    stored, version = source_record.c, source_record_version.c
    stood = sa.or_(version.superseded_revision == _STILL_STANDS, version.superseded_revision > revision)
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
