"""Records that their source took back: they keep their row and their versions, and take part in nothing any more.

A withdrawn record has no open link, no feature row and no open question; runs and single resolves leave it alone.
"""

import numpy as np
import sqlalchemy as sa

from mpi.registry import bulk
from mpi.registry.known_records import Integers
from mpi.registry.tables import recent_blocking_keys, record_feature, review_task, withdrawn_record
from mpi.registry.unit_of_work import UnitOfWork, now_text


def withdrawn_among(uow: UnitOfWork, record_ids: Integers) -> Integers:
    """Those of some records, ascending int64[n], that were withdrawn."""
    gone = withdrawn_record.c.record_id
    query = sa.select(gone).where(gone.in_(uow.dialect.id_set(record_ids))).order_by(gone)
    return np.array(uow.connection.scalars(query).all(), dtype=np.int64)


def withdraw(uow: UnitOfWork, record_id: int, *, revision: int, reason: str) -> None:
    """Notes that a record is withdrawn, by the event of a revision. Its link is the caller's to close.

    Raises RegistryError (when the unit of work is left) for a record that was withdrawn before.
    """
    row = {"record_id": record_id, "revision": revision, "reason": reason}
    uow.connection.execute(sa.insert(withdrawn_record).values(row))


def forget_features(uow: UnitOfWork, record_id: int) -> None:
    """Removes a record's feature row, and its blocking keys if it came by itself.

    Keys in pages, and in servers' memories, stay until the next run writes all anew: what they lead to has no feature
    row and no person.
    """
    for table in (record_feature, recent_blocking_keys):
        uow.connection.execute(sa.delete(table).where(table.c.record_id == record_id))


def close_questions(uow: UnitOfWork, record_id: int, person_id: int, *, person_is_empty: bool, reason: str) -> int:
    """Closes the open questions of a person that are about a record, or all of them when it has no other; returns how
    many there were."""
    task = review_task.c
    about = sa.true() if person_is_empty else sa.or_(task.record_a == record_id, task.record_b == record_id)
    # two statements in one, so that each has its index of open tasks
    sides = [sa.select(task.task_id).where(task.status == "open", side == person_id, about) for side in _SIDES]
    ids = np.array(uow.connection.scalars(sa.union(*sides)).all(), dtype=np.int64)
    if not len(ids):
        return 0
    return bulk.update(
        uow,
        review_task,
        keys={"task_id": ids, "status": bulk.Every("open")},
        values={
            "status": bulk.Every("closed"),
            "closed_reason": bulk.Every(reason),
            "closed_at": bulk.Every(now_text()),
        },
    )


_SIDES = (review_task.c.person_a, review_task.c.person_b)
