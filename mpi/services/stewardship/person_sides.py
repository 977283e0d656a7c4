"""One person as previews show it: what it is made of before or after a change."""

from dataclasses import dataclass

import numpy as np

from mpi.domain.records import RecordKey, SourceRecord
from mpi.persons.survivorship import GoldenRecord
from mpi.registry import entries, events, persons, source_records
from mpi.services.golden_records import golden_record_of
from mpi.services.stewardship.deciding import Deciding


@dataclass(frozen=True, slots=True)
class PersonSide:
    """One person as a preview shows it: golden record, records by key, entries of the health record that hang on it."""

    enterprise_id: str
    golden: GoldenRecord
    records: tuple[RecordKey, ...]
    entries: int
    created_at: str
    created_revision: int


def person_side(deciding: Deciding, person: int) -> tuple[PersonSide, list[SourceRecord]]:
    """A person as the transaction finds it, and its records. Raises UnknownPersonError."""
    uow = deciding.uow
    found = persons.find_person(uow, person)
    numbers = np.array(deciding.records_of(person), dtype=np.int64)
    records = [record for _, record in source_records.raw_records(uow, numbers)]
    golden = golden_record_of(deciding.rules.model, found.enterprise_id, records)
    hanging = int(entries.count_of_records(uow, numbers).sum())
    created_at = events.recorded_at(uow, found.created_revision)
    side = PersonSide(found.enterprise_id, golden, golden.record_keys, hanging, created_at, found.created_revision)
    return side, records
