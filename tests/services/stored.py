"""Registries with a few hand-made people in them, written through the registry's own functions."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import LevelParameters, LinkageModel, Parameters, TermFrequencies
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.features import columns_of
from mpi.matching.scorer import Scorer
from mpi.registry import persons
from mpi.registry.codec import PersonalDataCodec
from mpi.registry.counters import Counters, allocate
from mpi.registry.events import EventRows, append, payload_text
from mpi.registry.known_records import content_digests, key_hashes
from mpi.registry.persons import LinkRows
from mpi.registry.record_versions import tell_superseded
from mpi.registry.registry import Registry
from mpi.registry.source_records import (
    RecordBatchRows,
    feature_rows,
    find,
    insert_batch,
    source_system_ids,
    supersede_batch,
)
from mpi.registry.unit_of_work import UnitOfWork
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from mpi.rules.load import load_model
from mpi.services.index_keys import write_keys
from mpi.services.neighbourhood import OnlineRules
from mpi.standardise.record import standardise_record
from tests.registry.rows import store_persons


def _with_round_numbers(model: LinkageModel) -> LinkageModel:
    """The model with parameters of its own: tests of services do not hang on what training found."""
    levels = {
        (comparison.name, level.label): LevelParameters(m=0.5, u=0.5 ** (2.0 * code) if code else 0.9)
        for comparison in model.comparisons
        for level in comparison.levels
        if (code := comparison.code_of(level.label)) >= 0
    }
    columns = {level.tf_column for comparison in model.comparisons for level in comparison.levels}
    frequencies = {column: TermFrequencies(column, {}, 0.001) for column in columns if column is not None}
    return replace(model, parameters=Parameters(2.0, levels, {}), term_frequencies=frequencies)


MODEL = _with_round_numbers(load_model(Catalogue(default_root()).find("vn_person"), trained=False))
"""The shipped fields, comparisons, vetoes and survivorship."""

SCORER = Scorer(MODEL)


def record(source: str, local_id: str, *, at: str | None = None, **values: str) -> SourceRecord:
    return SourceRecord(RecordKey(source, local_id), values, at)


LAN = (
    record("hospital", "H1", at="2025-01-10", full_name="TRẦN THỊ LAN", birth_date="1984-03-19", phone="0903718264"),
    record(
        "insurance", "I1", at="2024-05-01", full_name="Trần Thị Lan", birth_date="19/03/1984", citizen_id="079184000123"
    ),
    record("station", "S1", at="2025-11-30", full_name="không rõ", birth_date="19/3/1984", phone="0000000000"),
)
"""One woman in three sources; the last to see her knew neither her name nor her number."""

HUNG = (record("student", "T1", full_name="Lê Văn Hùng", birth_date="2011-09-05", sex="Nam", phone="0912604837"),)
MAI = (
    record("student", "T2", at="2025-09-05", full_name="Phạm Ngọc Mai", birth_date="2012-01-20", sex="Nữ"),
    record("hospital", "H2", at="2025-02-01", full_name="Phạm Ngọc Mai", birth_date="2012-01-02", sex="Nữ"),
)


def store(registry: Registry, people: Sequence[Sequence[SourceRecord]]) -> list[str]:
    """Stores records and makes one person of each group; returns the enterprise IDs."""
    with registry.begin() as uow:
        groups = [[_insert(uow, registry, each) for each in group] for group in people]
        person_ids = store_persons(uow, groups)
        names = persons.enterprise_ids_of(uow, person_ids)
        return [names[number] for number in person_ids.tolist()]


def store_unplaced(registry: Registry, records: Sequence[SourceRecord]) -> list[int]:
    """Stores records that are nobody's yet; returns their ids."""
    with registry.begin() as uow:
        return [_insert(uow, registry, each) for each in records]


def merge(registry: Registry, loser: str, survivor: str) -> None:
    """Moves the links of one person to another and redirects its ID, with the two events of a run."""
    with registry.begin() as uow:
        gone, kept = (persons.resolve_enterprise_id(uow, each).person_id for each in (loser, survivor))
        moving = persons.members(uow, _one(gone))
        numbers = allocate(uow, Counters(link=len(moving.link_ids), revision=2))
        revisions = np.full(len(moving.link_ids), numbers.revision, dtype=np.int64)
        persons.close_links(uow, moving.link_ids, revisions=revisions)
        persons.open_links(
            uow,
            LinkRows(
                link_ids=numbers.link + np.arange(len(moving.link_ids)),
                record_ids=moving.record_ids,
                person_ids=np.full(len(moving.link_ids), kept, dtype=np.int64),
                revisions=revisions,
                made_by="steward",
                rule_version=MODEL.name,
            ),
        )
        persons.supersede_persons(uow, _one(gone), survivors=_one(kept), revisions=_one(numbers.revision))
        payloads = [
            payload_text({"records": moving.record_ids.tolist(), "superseded": [gone]}),
            payload_text({"superseded_by": kept}),
        ]
        rows = EventRows(
            ["person.merged", "person.superseded"], np.array([kept, gone], dtype=np.int64), payloads, "steward"
        )
        append(uow, rows, first_revision=numbers.revision)


def _one(number: int) -> NDArray[np.int64]:
    return np.array([number], dtype=np.int64)


def _insert(uow: UnitOfWork, registry: Registry, source: SourceRecord) -> int:
    record_id = allocate(uow, Counters(record=1)).record
    insert_batch(uow, batch_of(uow, registry, source, record_id), run_id=None)
    return record_id


def update(registry: Registry, source: SourceRecord) -> int:
    """Stores a new version of a record that stays with its person, as a single resolve does; returns the revision."""
    with registry.begin() as uow:
        record_id = find(uow, source.key)
        (owner,) = persons.links_of_records(uow, _one(record_id)).person_ids.tolist()
        supersede_batch(uow, batch_of(uow, registry, source, record_id), run_id=None)
        rows = EventRows("person.updated", _one(owner), [payload_text({"records": [record_id]})], "rules")
        revision = append(uow, rows)
        tell_superseded(uow, _one(record_id), revisions=_one(revision))
        persons.touch_persons(uow, _one(owner), revisions=_one(revision))
        return revision


def index(registry: Registry) -> OnlineRules:
    """Stores the blocking keys of all records; gives the rules to look them up by."""
    rules = OnlineRules(SCORER, registry.secret)
    with registry.begin() as uow:
        ids, rows = (np.concatenate(parts) for parts in zip(*feature_rows(uow, SCORER.layout.digest), strict=True))
        every = np.ones(len(ids), dtype=np.bool_)
        write_keys(uow, SCORER, registry.secret, rows=rows, record_ids=ids, fresh=every, capped=[])
    return rules


def batch_of(uow: UnitOfWork, registry: Registry, source: SourceRecord, record_id: int) -> RecordBatchRows:
    """One record as the registry's writers take it."""
    system = source_system_ids(uow, [source.key.source_system])[source.key.source_system]
    raws = [PersonalDataCodec().encode(source.values)]
    standard = standardise_record(source, MODEL.fields)
    return RecordBatchRows(
        source_system_id=system,
        record_ids=_one(record_id),
        source_record_ids=[source.key.source_record_id],
        key_hashes=key_hashes(system, [source.key.source_record_id]),
        digests=content_digests(raws, [source.recorded_at]),
        recorded_ats=[source.recorded_at],
        raws=raws,
        feature_layout=SCORER.layout.digest,
        features=SCORER.pack(columns_of([standard], SCORER.columns), registry.secret),
    )
