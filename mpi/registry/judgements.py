"""What stewards decided about pairs of records, as constraints that every later link obeys."""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.registry.tables import judgement, withdrawn_record
from mpi.registry.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class JudgedPairs:
    """Pairs of record ids, int64 (n, 2) each, that were judged the same person and different people and not
    withdrawn."""

    same: NDArray[np.int64]
    different: NDArray[np.int64]


def standing_judgements(uow: UnitOfWork) -> JudgedPairs:
    """Every judgement that stands, of records in force; UNSURE binds nobody."""
    gone = sa.exists().where(withdrawn_record.c.record_id.in_([judgement.c.record_a, judgement.c.record_b]))
    rows = uow.connection.execute(
        sa.select(judgement.c.verdict, judgement.c.record_a, judgement.c.record_b)
        .where(judgement.c.withdrawn_revision.is_(None), ~gone)
        .order_by(judgement.c.judgement_id)
    ).all()
    pairs = {
        wanted: np.array([(a, b) for verdict, a, b in rows if verdict == wanted], dtype=np.int64).reshape(-1, 2)
        for wanted in ("same", "different")
    }
    return JudgedPairs(pairs["same"], pairs["different"])
