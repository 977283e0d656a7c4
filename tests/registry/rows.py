"""Made-up rows for registry tests: deterministic, small, and written through the public functions only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mpi.registry.codec import PersonalDataCodec
from mpi.registry.counters import Counters, allocate
from mpi.registry.events import EventRows, append, payload_text
from mpi.registry.known_records import content_digests, key_hashes
from mpi.registry.persons import LinkEvidence, LinkRows, insert_persons, open_links
from mpi.registry.source_records import RecordBatchRows, insert_batch, source_system_ids
from mpi.registry.unit_of_work import UnitOfWork

KEY = bytes(range(16))
LAYOUT = "layout-1"
WIDTH = 40


def record_rows(
    uow: UnitOfWork,
    local_ids: Sequence[str],
    *,
    record_ids: NDArray[np.int64],
    city: str = "Huế",
    source: str = "station",
) -> RecordBatchRows:
    """Rows of one source whose raw values tell the city, so that another city makes another version."""
    system = source_system_ids(uow, [source])[source]
    codec = PersonalDataCodec()
    raws = [codec.encode({"full_name": f"Nguyễn {local_id}", "address": city}) for local_id in local_ids]
    times = ["2026-01-02T03:04:05"] * len(local_ids)
    features = np.arange(len(local_ids) * WIDTH, dtype=np.uint64).astype(np.uint8).reshape(-1, WIDTH) + len(city)
    return RecordBatchRows(
        source_system_id=system,
        record_ids=record_ids,
        source_record_ids=list(local_ids),
        key_hashes=key_hashes(system, local_ids),
        digests=content_digests(raws, times),
        recorded_ats=times,
        raws=raws,
        feature_layout=LAYOUT,
        features=features.astype(np.uint8),
    )


def store_records(uow: UnitOfWork, local_ids: Sequence[str], *, source: str = "station") -> NDArray[np.int64]:
    """Stores new records; returns their ids."""
    first = allocate(uow, Counters(record=len(local_ids))).record
    record_ids = np.arange(first, first + len(local_ids), dtype=np.int64)
    insert_batch(uow, record_rows(uow, local_ids, record_ids=record_ids, source=source), run_id=None)
    return record_ids


def store_persons(uow: UnitOfWork, groups: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """One person for each group of record ids, with its event and links; returns the person ids."""
    sizes = [len(group) for group in groups]
    first = allocate(uow, Counters(person=len(groups), revision=len(groups), link=sum(sizes)))
    person_ids = np.arange(first.person, first.person + len(groups), dtype=np.int64)
    revisions = np.arange(first.revision, first.revision + len(groups), dtype=np.int64)
    payloads = [payload_text({"records": list(group)}) for group in groups]
    append(uow, EventRows("person_created", person_ids, payloads, made_by="rules"), first_revision=first.revision)
    insert_persons(uow, person_ids, revisions=revisions, key=KEY)
    record_ids = np.array([record for group in groups for record in group], dtype=np.int64)
    via = np.array([-1 if at == 0 else group[0] for group in groups for at in range(len(group))], dtype=np.int64)
    weights = np.where(via < 0, np.nan, 12.5)
    codes = np.tile(np.array([2, -1, 0], dtype=np.int8), (len(record_ids), 1))
    open_links(
        uow,
        LinkRows(
            link_ids=np.arange(first.link, first.link + len(record_ids), dtype=np.int64),
            record_ids=record_ids,
            person_ids=np.repeat(person_ids, sizes),
            revisions=np.repeat(revisions, sizes),
            made_by="rules",
            rule_version="vn_person@1.0.0",
            evidence=LinkEvidence(via, weights, codes),
        ),
    )
    return person_ids
