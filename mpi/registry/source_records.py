"""Source records: who is stored, the raw values, the feature rows, and the versions that were superseded.

The current version is one row in each of three tables and has the highest number; an older one is a row of
`source_record_version`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError, NotFoundError, RegistryError
from mpi.domain.records import RecordKey, SourceRecord
from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.known_records import Digests, Hashes, Integers, KnownRecords, digest_bytes, digests_from_bytes
from mpi.registry.tables import (
    record_content,
    record_feature,
    source_record,
    source_record_version,
    source_system,
    withdrawn_record,
)
from mpi.registry.unit_of_work import UnitOfWork

FeatureRows = NDArray[np.uint8]

_IDS_A_READ = 16_384

_WITHDRAWN = sa.exists().where(withdrawn_record.c.record_id == source_record.c.record_id)


@dataclass(frozen=True, slots=True)
class RecordBatchRows:
    """Records to be written, by column, n rows each; `source_system_id` is one for all, or int64[n].

    `raws` are texts of the personal data codec; `key_hashes` uint64[n] and `digests` uint64[n, 2] are made by
    known_records.py; `features` is uint8[n, width], every row of the layout that `feature_layout` names.
    """

    source_system_id: int | Integers
    record_ids: Integers
    source_record_ids: Sequence[str]
    key_hashes: Hashes
    digests: Digests
    recorded_ats: Sequence[str | None]
    raws: Sequence[str]
    feature_layout: str
    features: FeatureRows

    @property
    def systems(self) -> bulk.Column:
        """The source systems as a column."""
        return Every(self.source_system_id) if isinstance(self.source_system_id, int) else self.source_system_id

    def _systems_of(self, rows: Integers) -> int | Integers:
        return self.source_system_id if isinstance(self.source_system_id, int) else self.source_system_id[rows]

    def take(self, rows: Integers) -> "RecordBatchRows":
        """Some of the rows, by their places int64[k]."""
        places = rows.tolist()
        return replace(
            self,
            source_system_id=self._systems_of(rows),
            record_ids=self.record_ids[rows],
            source_record_ids=[self.source_record_ids[place] for place in places],
            key_hashes=self.key_hashes[rows],
            digests=self.digests[rows],
            recorded_ats=[self.recorded_ats[place] for place in places],
            raws=[self.raws[place] for place in places],
            features=self.features[rows],
        )


def source_system_ids(uow: UnitOfWork, names: Sequence[str]) -> dict[str, int]:
    """The number of each source system by name; unknown ones are registered now."""
    known = {name: number for number, name in uow.connection.execute(sa.select(source_system))}
    for name in names:
        if name not in known:
            known[name] = max(known.values(), default=0) + 1
            uow.connection.execute(sa.insert(source_system).values({"source_system_id": known[name], "name": name}))
    return {name: known[name] for name in names}


def forget_source_systems(uow: UnitOfWork, names: Sequence[str]) -> None:
    """Forgets source systems that have no record; those that have some stay."""
    system = source_system.c
    empty = ~sa.exists().where(source_record.c.source_system_id == system.source_system_id)
    uow.connection.execute(sa.delete(source_system).where(system.name.in_(list(names)), empty))


def source_system_names(uow: UnitOfWork) -> dict[int, str]:
    """The name of each source system by number."""
    return dict(uow.connection.execute(sa.select(source_system)).all())


def known_records(uow: UnitOfWork) -> KnownRecords:
    """Every stored version, current or superseded, ready to classify what a source sends."""
    known = KnownRecords()
    superseded = source_record_version.c
    stored = source_record.c
    old = sa.select(superseded.record_id, stored.key_hash, superseded.content_digest).join_from(
        source_record_version, source_record, superseded.record_id == stored.record_id
    )
    current = sa.select(stored.record_id, stored.key_hash, stored.content_digest)
    hashes, ids, digests = [], [], []
    for query, key in ((current, stored.record_id), (old, superseded.record_id)):
        for low, high in _id_ranges(uow, key):
            (record_ids, signed), blobs = uow.dialect.read_packed(
                uow.connection, query.where(key.between(low, high)).order_by(key), integers=2
            )
            if blobs is None or len(record_ids) == 0:
                continue
            ids.append(record_ids)
            hashes.append(signed.view(np.uint64))
            digests.append(digests_from_bytes(blobs))
    if ids:
        known.add(np.concatenate(hashes), np.concatenate(ids), np.concatenate(digests))
    return known


def insert_batch(uow: UnitOfWork, batch: RecordBatchRows, *, run_id: int | None) -> None:
    """Writes records that are new, as version 1. Raises InvalidInputError for text that not every database keeps."""
    _refuse_nul(batch)
    ids = batch.record_ids
    bulk.insert(
        uow,
        source_record,
        {
            "record_id": ids,
            "source_system_id": batch.systems,
            "source_record_id": batch.source_record_ids,
            "key_hash": batch.key_hashes.view(np.int64),
            "version": Every(1),
            "content_digest": digest_bytes(batch.digests),
            "recorded_at": batch.recorded_ats,
            "run_id": Every(run_id),
        },
    )
    bulk.insert(uow, record_content, {"record_id": ids, "raw": batch.raws})
    layout = Every(batch.feature_layout)
    bulk.insert(uow, record_feature, {"record_id": ids, "feature_layout": layout, "feature_row": batch.features})


def supersede_batch(uow: UnitOfWork, batch: RecordBatchRows, *, run_id: int | None) -> None:
    """Writes new versions of stored records and keeps the old ones in `source_record_version`.

    The old ones still stand until an event tells of the new ones: `record_versions.tell_superseded` notes which.
    A record may be in the batch once. Raises InvalidInputError when it is there twice, RegistryError when a record is
    not stored under the key that the batch gives it (two keys with one hash).
    """
    _refuse_unfit(batch)
    ids = batch.record_ids
    if len(ids) == 0:
        return
    stored, content, old = source_record.c, record_content.c, source_record_version.c
    current = (
        sa.select(stored.record_id, stored.version, stored.content_digest, stored.recorded_at)
        .add_columns(content.raw, stored.run_id, sa.literal(0))
        .join_from(source_record, record_content, stored.record_id == content.record_id)
        .where(stored.record_id.in_(uow.dialect.id_set(ids)))
    )
    uow.connection.execute(sa.insert(source_record_version).from_select(list(old.keys()), current))
    _set_current(
        uow,
        batch,
        {
            "content_digest": digest_bytes(batch.digests),
            "recorded_at": batch.recorded_ats,
            "run_id": Every(run_id),
        },
    )
    uow.connection.execute(
        sa.update(source_record)
        .where(stored.record_id.in_(uow.dialect.id_set(ids)))
        .values({"version": stored.version + 1})
    )
    bulk.update(uow, record_content, keys={"record_id": ids}, values={"raw": batch.raws})
    update_features(uow, ids, layout=batch.feature_layout, features=batch.features)


@dataclass(frozen=True, slots=True)
class CurrentVersions:
    """The current versions of n records: their numbers int64[n] and times of capture."""

    versions: Integers
    recorded_ats: list[str | None]


def current_versions(uow: UnitOfWork, record_ids: Integers) -> CurrentVersions:
    """The current version of each record, in the order of the ids, none twice. Raises RegistryError for unknown ids."""
    stored = source_record.c
    query = sa.select(stored.record_id, stored.version, stored.recorded_at)
    rows = uow.connection.execute(query.where(stored.record_id.in_(uow.dialect.id_set(record_ids)))).all()
    found = {row.record_id: row for row in rows}
    if len(found) != len(record_ids):
        raise RegistryError(f"{len(record_ids) - len(found)} records are not stored, or are asked for twice")
    ordered = [found[record_id] for record_id in record_ids.tolist()]
    versions = np.array([row.version for row in ordered], dtype=np.int64)
    return CurrentVersions(versions, [row.recorded_at for row in ordered])


def archive_batch(uow: UnitOfWork, batch: RecordBatchRows, *, run_id: int | None) -> None:
    """Writes versions that came late: they are kept beside the older ones, and what is current stays current.

    The late version takes the current one's number, which goes up by one. Errors are those of `supersede_batch`.
    """
    _refuse_unfit(batch)
    ids = batch.record_ids
    if len(ids) == 0:
        return
    versions = current_versions(uow, ids).versions
    bulk.insert(
        uow,
        source_record_version,
        {
            "record_id": ids,
            "version": versions,
            "content_digest": digest_bytes(batch.digests),
            "recorded_at": batch.recorded_ats,
            "raw": batch.raws,
            "run_id": Every(run_id),
            "superseded_revision": Every(None),
        },
    )
    _set_current(uow, batch, {"version": versions + 1})


def _set_current(uow: UnitOfWork, batch: RecordBatchRows, values: dict[str, bulk.Column]) -> None:
    """Sets `values` of the batch's records. Raises RegistryError when one is stored under another key."""
    keys: dict[str, bulk.Column] = {
        "record_id": batch.record_ids,
        "source_system_id": batch.systems,
        "source_record_id": batch.source_record_ids,
    }
    wrong = len(batch.record_ids) - bulk.update(uow, source_record, keys=keys, values=values)
    if wrong:
        raise RegistryError(f"{wrong} records are not stored under the keys given: nothing was written")


@dataclass(frozen=True, slots=True)
class StoredRecords:
    """Every record in force in the order of record ids: int64[n], uint64[n], int64[n] (the run that wrote its version,
    0 for none)."""

    record_ids: Integers
    key_hashes: Hashes
    run_ids: Integers


def stored_records(uow: UnitOfWork) -> StoredRecords:
    """Who is stored and not withdrawn, and by which run the current version came."""
    stored = source_record.c
    which_run = sa.func.coalesce(stored.run_id, 0)
    query = sa.select(stored.record_id, stored.key_hash, which_run).where(~_WITHDRAWN).order_by(stored.record_id)
    parts = [[np.empty(0, dtype=np.int64)] * 3]
    for low, high in _id_ranges(uow, stored.record_id):
        within = query.where(stored.record_id.between(low, high))
        parts.append(uow.dialect.read_packed(uow.connection, within, integers=3)[0])
    record_ids, hashes, run_ids = (np.concatenate(column) for column in zip(*parts, strict=True))
    return StoredRecords(record_ids, hashes.view(np.uint64), run_ids)


def take_back(uow: UnitOfWork, run_id: int) -> int:
    """Removes every version that a run wrote, current or late, and restores the ones before; returns how many went.

    Only for a run that has placed nothing. Feature rows of restored records are marked stale (an empty layout).
    """
    stored, old = source_record.c, source_record_version.c
    gone = 0
    while True:
        before = (
            sa.select(old.record_id, old.version, old.content_digest, old.recorded_at, old.raw, old.run_id)
            .join_from(source_record_version, source_record, old.record_id == stored.record_id)
            .where(stored.run_id == run_id, old.version == stored.version - 1)
        )
        rows = uow.connection.execute(before).all()
        if not rows:
            break
        for row in rows:
            here = stored.record_id == row.record_id
            values = {name: row._mapping[name] for name in ("version", "content_digest", "recorded_at", "run_id")}
            uow.connection.execute(sa.update(source_record).where(here).values(values))
            uow.connection.execute(
                sa.update(record_content).where(record_content.c.record_id == row.record_id).values({"raw": row.raw})
            )
            uow.connection.execute(
                sa.update(record_feature)
                .where(record_feature.c.record_id == row.record_id)
                .values({"feature_layout": ""})
            )
            uow.connection.execute(
                sa.delete(source_record_version).where(old.record_id == row.record_id, old.version == row.version)
            )
        gone += len(rows)
    gone += _drop_late(uow, run_id)
    mine = sa.select(stored.record_id).where(stored.run_id == run_id)
    for table in (record_feature, record_content):
        uow.connection.execute(sa.delete(table).where(table.c.record_id.in_(mine)))
    return gone + uow.connection.execute(sa.delete(source_record).where(stored.run_id == run_id)).rowcount


def _drop_late(uow: UnitOfWork, run_id: int) -> int:
    """Removes versions that came late by a run, and gives the current ones their numbers back."""
    stored, old = source_record.c, source_record_version.c
    counted = sa.select(old.record_id, sa.func.count()).where(old.run_id == run_id).group_by(old.record_id)
    late = uow.connection.execute(counted).all()
    for record_id, count in late:
        one = sa.update(source_record).where(stored.record_id == record_id)
        uow.connection.execute(one.values({"version": stored.version - count}))
    uow.connection.execute(sa.delete(source_record_version).where(old.run_id == run_id))
    return sum(count for _, count in late)


def update_features(uow: UnitOfWork, record_ids: Integers, *, layout: str, features: FeatureRows) -> None:
    """Replaces the feature rows of stored records: int64[n], uint8[n, width]."""
    values: dict[str, bulk.Column] = {"feature_layout": Every(layout), "feature_row": features}
    bulk.update(uow, record_feature, keys={"record_id": record_ids}, values=values)


def feature_rows(uow: UnitOfWork, layout: str) -> Iterator[tuple[Integers, FeatureRows]]:
    """Streams the feature rows of one layout in the order of record ids: int64[n], uint8[n, width]."""
    feature = record_feature.c
    query = sa.select(feature.record_id, feature.feature_row).order_by(feature.record_id)
    for low, high in _id_ranges(uow, feature.record_id):
        (record_ids,), rows = uow.dialect.read_packed(
            uow.connection,
            query.where(feature.record_id.between(low, high), feature.feature_layout == layout),
            integers=1,
        )
        if rows is not None and len(record_ids):
            yield record_ids, rows


def records_with_other_layout(uow: UnitOfWork, layout: str) -> Integers:
    """Ids int64[n], ascending, of records whose feature rows are of any other layout and must be made anew."""
    feature = record_feature.c
    query = sa.select(feature.record_id).where(feature.feature_layout != layout).order_by(feature.record_id)
    (record_ids,), _ = uow.dialect.read_packed(uow.connection, query, integers=1)
    return record_ids


def raw_records(uow: UnitOfWork, record_ids: Integers) -> Iterator[tuple[int, SourceRecord]]:
    """The current raw values of records, in ascending order of id; ids that are not stored are left out."""
    names = source_system_names(uow)
    stored, content = source_record.c, record_content.c
    wanted = np.sort(record_ids)
    for start in range(0, len(wanted), _IDS_A_READ):
        rows = uow.connection.execute(
            sa.select(
                stored.record_id, stored.source_system_id, stored.source_record_id, stored.recorded_at, content.raw
            )
            .join_from(source_record, record_content, stored.record_id == content.record_id)
            .where(stored.record_id.in_(uow.dialect.id_set(wanted[start : start + _IDS_A_READ])))
            .order_by(stored.record_id)
        )
        for record_id, system, local_id, recorded_at, raw in rows.all():
            yield record_id, SourceRecord(RecordKey(names[system], local_id), uow.codec.decode(raw), recorded_at)


@dataclass(frozen=True, slots=True)
class RawColumns:
    """n records by column, string each: source systems, their own ids, times of capture, and some raw values."""

    systems: pa.ChunkedArray
    source_record_ids: pa.ChunkedArray
    recorded_ats: pa.ChunkedArray
    values: pa.Table


def raw_columns(uow: UnitOfWork, record_ids: Integers, names: Sequence[str]) -> RawColumns:
    """What `raw_records` gives, without a Python object a record."""
    systems = source_system_names(uow)
    stored, content = source_record.c, record_content.c
    keys, values = [], []
    wanted = np.sort(record_ids)
    for start in range(0, len(wanted), _IDS_A_READ):
        rows = uow.connection.execute(
            sa.select(stored.source_system_id, stored.source_record_id, stored.recorded_at, content.raw)
            .join_from(source_record, record_content, stored.record_id == content.record_id)
            .where(stored.record_id.in_(uow.dialect.id_set(wanted[start : start + _IDS_A_READ])))
            .order_by(stored.record_id)
        ).all()
        numbers, *texts, raws = zip(*rows, strict=True) if rows else ((),) * 4
        columns = [[systems[number] for number in numbers], *texts]
        keys.append(pa.table([pa.array(column, pa.string()) for column in columns], names=_KEY_COLUMNS))
        values.append(uow.codec.decode_columns(raws, names))
    if not keys:
        keys = [pa.schema([(name, pa.string()) for name in _KEY_COLUMNS]).empty_table()]
        values = [uow.codec.decode_columns((), names)]
    names_of, local_ids, recorded_ats = pa.concat_tables(keys).columns
    return RawColumns(names_of, local_ids, recorded_ats, pa.concat_tables(values))


_KEY_COLUMNS = ["source_system", "source_record_id", "recorded_at"]


def find(uow: UnitOfWork, key: RecordKey) -> int:
    """The record id of a key. Raises NotFoundError."""
    found = uow.connection.scalar(
        sa.select(source_record.c.record_id)
        .join_from(source_record, source_system, source_record.c.source_system_id == source_system.c.source_system_id)
        .where(source_system.c.name == key.source_system, source_record.c.source_record_id == key.source_record_id)
    )
    if found is None:
        raise NotFoundError(f"no record {key} in the registry")
    return int(found)


def keys_of(uow: UnitOfWork, record_ids: Integers) -> dict[int, RecordKey]:
    """The keys of records by id; ids that are not stored are left out."""
    names = source_system_names(uow)
    stored = source_record.c
    keys: dict[int, RecordKey] = {}
    for start in range(0, len(record_ids), _IDS_A_READ):
        rows = uow.connection.execute(
            sa.select(stored.record_id, stored.source_system_id, stored.source_record_id).where(
                stored.record_id.in_(uow.dialect.id_set(record_ids[start : start + _IDS_A_READ]))
            )
        )
        keys.update((record_id, RecordKey(names[system], local_id)) for record_id, system, local_id in rows)
    return keys


def any_stored(uow: UnitOfWork) -> bool:
    """Whether there is any record."""
    return bool(uow.connection.scalar(sa.select(sa.exists(sa.select(source_record.c.record_id)))))


def count(uow: UnitOfWork) -> int:
    """How many records are stored and not withdrawn (not counting superseded versions)."""
    every, gone = (sa.select(sa.func.count()).select_from(table) for table in (source_record, withdrawn_record))
    return int(uow.connection.scalar(sa.select(every.scalar_subquery() - gone.scalar_subquery())) or 0)


def _refuse_unfit(batch: RecordBatchRows) -> None:
    """New versions must be storable, and of each record one. Raises InvalidInputError."""
    _refuse_nul(batch)
    if len(np.unique(batch.record_ids)) != len(batch.record_ids):
        raise InvalidInputError("a batch of new versions holds one record twice")


def _refuse_nul(batch: RecordBatchRows) -> None:
    for name, texts in (("source_record_id", batch.source_record_ids), ("recorded_at", batch.recorded_ats)):
        if any(text is not None and "\x00" in text for text in texts):
            raise InvalidInputError(f"a {name} holds a NUL character")


def _id_ranges(uow: UnitOfWork, column: sa.Column[int]) -> Iterator[tuple[int, int]]:
    """Consecutive ranges of a key column that together hold all of its rows."""
    low, high = uow.connection.execute(sa.select(sa.func.min(column), sa.func.max(column))).one()
    if low is not None:
        for start in range(low, high + 1, _IDS_A_READ):
            yield start, min(start + _IDS_A_READ - 1, high)
