"""People as a transaction finds them: whose records are whose, and what was judged of them."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from mpi.persons.judged import Judged
from mpi.registry import judgements, persons
from mpi.registry.unit_of_work import UnitOfWork


@dataclass(slots=True)
class PeopleNow:
    """What one transaction reads of people; what it has read it keeps until it is told to forget."""

    uow: UnitOfWork
    _members: dict[int, list[int]] = field(default_factory=dict, init=False)

    def forget(self) -> None:
        """People have changed: read them anew."""
        self._members.clear()

    def records_of(self, person: int) -> list[int]:
        """The records of a person, by number."""
        if person not in self._members:
            self._members[person] = persons.members(self.uow, np.array([person], dtype=np.int64)).record_ids.tolist()
        return self._members[person]

    def owners(self, records: Collection[int]) -> dict[int, int]:
        """The person of each record that has one."""
        links = persons.links_of_records(self.uow, np.array(sorted(records), dtype=np.int64))
        return dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))

    def judged(self, records: Collection[int], *, without: Collection[int] = ()) -> Judged:
        """What was judged of some records, but for judgements of some numbers."""
        said = judgements.about(self.uow, sorted(records))
        return Judged(each for each in said if each.judgement_id not in without)
