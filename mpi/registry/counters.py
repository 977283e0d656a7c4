"""Numbers for records, people, links, tasks, judgements, runs and revisions: one row, taken inside the transaction.

Taking numbers locks that row until the transaction ends, so commit order is revision order and no number is lost or
given twice. Take other locks first, numbers last and all in one call, or two writers may wait for each other.
"""

from dataclasses import dataclass, fields

import sqlalchemy as sa

from mpi.registry.tables import registry_counter
from mpi.registry.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """A count or a number of each kind; as a result of `allocate`, the first number of each range."""

    record: int = 0
    person: int = 0
    link: int = 0
    task: int = 0
    judgement: int = 0
    run: int = 0
    revision: int = 0


_NAMES = tuple(item.name for item in fields(Counters))


def allocate(uow: UnitOfWork, wanted: Counters) -> Counters:
    """Takes `wanted` numbers of each kind; returns the first of each range. Ranges are contiguous and start at 1."""
    row = uow.connection.execute(
        sa.update(registry_counter)
        .values({name: registry_counter.c[name] + getattr(wanted, name) for name in _NAMES})
        .returning(*(registry_counter.c[name] for name in _NAMES))
    ).one()
    return Counters(**{name: last - getattr(wanted, name) + 1 for name, last in row._mapping.items()})


def last_numbers(uow: UnitOfWork) -> Counters:
    """The last number given of each kind; 0 where none was."""
    row = uow.connection.execute(sa.select(*(registry_counter.c[name] for name in _NAMES))).one()
    return Counters(**dict(row._mapping))
