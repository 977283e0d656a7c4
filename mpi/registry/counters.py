"""Numbers for records, people, links, tasks, judgements, runs, revisions and batches of keys: one row, taken inside
the transaction.

Taking numbers locks that row until the transaction ends, so commit order is revision order and no number is lost or
given twice. Take other locks first, numbers last and all in one call, or two writers may wait for each other.
"""

from dataclasses import dataclass, fields

import sqlalchemy as sa

from mpi.registry.dialect import Statement
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
    key_batch: int = 0


_NAMES = tuple(item.name for item in fields(Counters))
_LIST = ", ".join(_NAMES)
_ALLOCATE = Statement(
    sqlite=f"UPDATE registry_counter SET {', '.join(f'{name} = {name} + ?' for name in _NAMES)} RETURNING {_LIST}",
    postgresql=f"UPDATE registry_counter SET {', '.join(f'{name} = {name} + %s' for name in _NAMES)} RETURNING {_LIST}",
)


def allocate(uow: UnitOfWork, wanted: Counters) -> Counters:
    """Takes `wanted` numbers of each kind; returns the first of each range. Ranges are contiguous and start at 1."""
    counts = [getattr(wanted, name) for name in _NAMES]
    (last,) = uow.dialect.read(uow.driver, _ALLOCATE, (), *counts)
    return Counters(**{name: end - count + 1 for name, end, count in zip(_NAMES, last, counts, strict=True)})


def last_numbers(uow: UnitOfWork) -> Counters:
    """The last number given of each kind; 0 where none was."""
    row = uow.connection.execute(sa.select(*(registry_counter.c[name] for name in _NAMES))).one()
    return Counters(**dict(row._mapping))
