"""What is known of people when a decision about them is made: facts for second readings, in few reads."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from mpi.domain.model import LinkageModel
from mpi.domain.records import SourceRecord
from mpi.persons.adjudication import PersonFacts
from mpi.registry import entries, persons, source_records
from mpi.registry.unit_of_work import UnitOfWork
from mpi.standardise.record import standardise_record

_BIRTH_YEAR = "birth_year"


def people_facts(uow: UnitOfWork, model: LinkageModel, person_ids: Sequence[int]) -> Mapping[int, PersonFacts]:
    """Facts of some people by number. The age is of the newest birth year that any record of theirs gives."""
    links = persons.members(uow, np.array(sorted(set(person_ids)), dtype=np.int64))
    owner = dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))
    dead = {owner[record] for record in entries.bearers_of_death(uow, links.record_ids).tolist()}
    born: dict[int, int] = {}
    for record_id, record in source_records.raw_records(uow, links.record_ids):
        year = _birth_year(model, record)
        if year is not None:
            born[owner[record_id]] = max(year, born.get(owner[record_id], year))
    today = datetime.now(UTC).year
    return {
        person: PersonFacts(
            records=int(np.count_nonzero(links.person_ids == person)),
            deceased=person in dead,
            age=today - born[person] if person in born else None,
        )
        for person in person_ids
    }


def _birth_year(model: LinkageModel, record: SourceRecord) -> int | None:
    """The year of birth that a record gives, by rules that know one."""
    year = standardise_record(record, model.fields).values.get(_BIRTH_YEAR)
    return year if isinstance(year, int) else None
