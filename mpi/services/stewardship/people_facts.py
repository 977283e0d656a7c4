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

_LATEST = {"birth_month": 12, "birth_day": 31}
"""What stands for a part of a birth date that is not known: nobody is taken for older than they may be."""


def people_facts(uow: UnitOfWork, model: LinkageModel, person_ids: Sequence[int]) -> Mapping[int, PersonFacts]:
    """Facts of some people by number. The age is by the newest birth date that any record of theirs gives."""
    links = persons.members(uow, np.array(sorted(set(person_ids)), dtype=np.int64))
    owner = dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))
    dead = {owner[record] for record in entries.bearers_of_death(uow, links.record_ids).tolist()}
    born: dict[int, tuple[int, ...]] = {}
    for record_id, record in source_records.raw_records(uow, links.record_ids):
        date = _born(model, record)
        if date is not None:
            born[owner[record_id]] = max(date, born.get(owner[record_id], date))
    today = datetime.now(UTC)
    return {
        person: PersonFacts(
            records=int(np.count_nonzero(links.person_ids == person)),
            deceased=person in dead,
            age=_age(born[person], (today.year, today.month, today.day)) if person in born else None,
        )
        for person in person_ids
    }


def _born(model: LinkageModel, record: SourceRecord) -> tuple[int, ...] | None:
    """Year, month and day of the latest birth date that fits a record, by rules that know a birth year."""
    values = standardise_record(record, model.fields).values
    year = values.get("birth_year")
    if not isinstance(year, int):
        return None
    parts = ((values.get(name), latest) for name, latest in _LATEST.items())
    return year, *(part if isinstance(part, int) else latest for part, latest in parts)


def _age(born: tuple[int, ...], today: tuple[int, ...]) -> int:
    """Full years between two dates."""
    return today[0] - born[0] - (today[1:] < born[1:])
