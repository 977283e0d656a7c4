"""What stewards decided about pairs of records, as constraints that every later link obeys."""

from collections.abc import Iterable, Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.review import Verdict
from mpi.persons.judged import Judgement
from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.dialect import Statement
from mpi.registry.tables import judgement
from mpi.registry.unit_of_work import Readable, UnitOfWork, now_text

_COLUMNS = "judgement_id, verdict, record_a, record_b, made_by, made_at, decision_id"

_SAID = ", ".join(f"said.{name}" for name in _COLUMNS.split(", "))
_STANDS = "withdrawn_revision IS NULL"

# All records tied to those wanted by judgements of the same person, and every judgement about any of these. On
# PostgreSQL each end has a look-up of its own: plans made while the table is small would read all of it for an OR (289
# to 2 ms a call, with 200,000 judgements).
_ABOUT = Statement(
    sqlite="WITH RECURSIVE tied(record_id) AS (SELECT value FROM json_each(?) UNION"
    " SELECT CASE WHEN said.record_a = tied.record_id THEN said.record_b ELSE said.record_a END"
    " FROM tied CROSS JOIN judgement AS said ON (said.record_a = tied.record_id OR said.record_b = tied.record_id)"
    f" AND said.verdict = 'same' AND said.{_STANDS})"
    f" SELECT {_SAID} FROM tied CROSS JOIN judgement AS said"
    f" ON (said.record_a = tied.record_id OR said.record_b = tied.record_id) WHERE said.{_STANDS}",
    postgresql="WITH RECURSIVE tied(record_id) AS (SELECT unnest(%s::int8[]) UNION"
    " SELECT said.other FROM tied CROSS JOIN LATERAL"
    f" (SELECT record_b AS other FROM judgement WHERE record_a = tied.record_id AND verdict = 'same' AND {_STANDS}"
    f" UNION ALL SELECT record_a FROM judgement WHERE record_b = tied.record_id AND verdict = 'same' AND {_STANDS})"
    f" AS said) SELECT {_SAID} FROM tied CROSS JOIN LATERAL"
    f" (SELECT * FROM judgement WHERE record_a = tied.record_id AND {_STANDS}"
    f" UNION ALL SELECT * FROM judgement WHERE record_b = tied.record_id AND {_STANDS}) AS said",
)


def about(reading: Readable, record_ids: Sequence[int]) -> list[Judgement]:
    """Every standing judgement about some records, or about records that others tie to them, by number."""
    found = set(map(tuple, reading.dialect.read(reading.driver, _ABOUT, [list(record_ids)])))
    return [_judgement(row) for row in sorted(found)]


def standing(uow: UnitOfWork) -> list[Judgement]:
    """Every judgement that stands, by number."""
    query = (
        sa.select(*(judgement.c[name] for name in _COLUMNS.split(", ")))
        .where(judgement.c.withdrawn_revision.is_(None))
        .order_by(judgement.c.judgement_id)
    )
    return [_judgement(tuple(row)) for row in uow.connection.execute(query)]


def of_decision(uow: UnitOfWork, decision_id: int) -> list[Judgement]:
    """The judgements that a decision made, by number, withdrawn ones too."""
    query = (
        sa.select(*(judgement.c[name] for name in _COLUMNS.split(", ")))
        .where(judgement.c.decision_id == decision_id)
        .order_by(judgement.c.judgement_id)
    )
    return [_judgement(tuple(row)) for row in uow.connection.execute(query)]


def withdrawn_between(uow: UnitOfWork, first_revision: int, last_revision: int) -> list[Judgement]:
    """The judgements that were withdrawn at some revisions, by number."""
    query = (
        sa.select(*(judgement.c[name] for name in _COLUMNS.split(", ")))
        .where(judgement.c.withdrawn_revision.between(first_revision, last_revision))
        .order_by(judgement.c.judgement_id)
    )
    return [_judgement(tuple(row)) for row in uow.connection.execute(query)]


def add(
    uow: UnitOfWork,
    pairs: Iterable[tuple[int, int]],
    verdicts: Iterable[Verdict],
    *,
    first_judgement: int,
    decision_id: int,
    made_by: str,
    reason: str,
) -> int:
    """Adds judgements, numbered from `first_judgement`; returns how many. `reason` must hold nobody's data."""
    ends = [tuple(sorted(pair)) for pair in pairs]
    if not ends:
        return 0
    return bulk.insert(
        uow,
        judgement,
        {
            "judgement_id": first_judgement + np.arange(len(ends), dtype=np.int64),
            "record_a": [a for a, _ in ends],
            "record_b": [b for _, b in ends],
            "verdict": [verdict.value for verdict in verdicts],
            "made_by": Every(made_by),
            "made_at": Every(now_text()),
            "reason": Every(reason),
            "withdrawn_revision": Every(None),
            "decision_id": Every(decision_id),
        },
    )


def withdraw(uow: UnitOfWork, judgement_ids: Sequence[int], *, revision: int) -> int:
    """Takes standing judgements back; returns how many there were."""
    if not judgement_ids:
        return 0
    ids: NDArray[np.int64] = np.array(judgement_ids, dtype=np.int64)
    done = uow.connection.execute(
        sa.update(judgement)
        .where(judgement.c.judgement_id.in_(uow.dialect.id_set(ids)), judgement.c.withdrawn_revision.is_(None))
        .values(withdrawn_revision=revision)
    )
    return int(done.rowcount)


def _judgement(row: Sequence[object]) -> Judgement:
    number, verdict, *rest = row
    return Judgement(number, Verdict(str(verdict)), *rest)  # type: ignore[arg-type]
