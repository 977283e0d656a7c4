"""Bulk runs: what was asked, how far it came, what it knew at its start; enough to finish after a crash.

A run goes from ingesting to placing to done, or is abandoned and says why. At most one is unfinished.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from mpi.domain.errors import NotFoundError, RunConflictError
from mpi.registry.counters import Counters, allocate
from mpi.registry.tables import run
from mpi.registry.unit_of_work import UnitOfWork, now_text


class RunStatus(StrEnum):
    """Where a run stands."""

    INGESTING = "ingesting"
    PLACING = "placing"
    DONE = "done"
    ABANDONED = "abandoned"


_UNFINISHED = (RunStatus.INGESTING, RunStatus.PLACING)


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `request` is what was asked, `state` what it keeps for its resumption, `cursor` how far it came.

    `summary` is what a finished run did; of an abandoned one it holds `given_up` with a `reason` and a `message`.
    """

    run_id: int
    kind: str
    status: RunStatus
    request: Mapping[str, Any]
    plan_digest: str | None
    cursor: int
    state: Mapping[str, Any]
    started_at: str
    finished_at: str | None
    summary: Mapping[str, Any] | None


def start_run(uow: UnitOfWork, kind: str, *, request: Mapping[str, Any], state: Mapping[str, Any]) -> Run:
    """Records a new run, ingesting, with its cursor at 0. Raises RunConflictError while another one is unfinished."""
    other = unfinished_run(uow)
    if other is not None:
        raise RunConflictError(f"run {other.run_id} ({other.kind}) is unfinished: finish or abandon it first")
    run_id = allocate(uow, Counters(run=1)).run
    row = {
        "run_id": run_id,
        "kind": kind,
        "status": RunStatus.INGESTING.value,
        "request": _text(request),
        "cursor": 0,
        "state": _text(state),
        "started_at": now_text(),
    }
    uow.connection.execute(sa.insert(run).values(row))
    return find_run(uow, run_id)


def unfinished_run(uow: UnitOfWork) -> Run | None:
    """The run that is ingesting or placing, if there is one."""
    row = uow.connection.execute(sa.select(run).where(run.c.status.in_(_UNFINISHED))).one_or_none()
    return None if row is None else _run(row)


def find_run(uow: UnitOfWork, run_id: int) -> Run:
    """One run. Raises NotFoundError."""
    row = uow.connection.execute(sa.select(run).where(run.c.run_id == run_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"no run {run_id} in the registry")
    return _run(row)


def last_finished(uow: UnitOfWork) -> int:
    """The newest run that placed everything it knew; 0 before the first. Versions of later runs have not been
    compared."""
    done = sa.select(sa.func.max(run.c.run_id)).where(run.c.status == RunStatus.DONE)
    return int(uow.connection.scalar(done) or 0)


def advance(uow: UnitOfWork, run_id: int, *, cursor: int, state: Mapping[str, Any] | None = None) -> None:
    """Notes how far a run came, in the transaction that brought it there; `state` replaces the old one when given."""
    values: dict[str, Any] = {"cursor": cursor}
    if state is not None:
        values["state"] = _text(state)
    _change(uow, run_id, _UNFINISHED, values)


def begin_placing(uow: UnitOfWork, run_id: int, *, plan_digest: str, state: Mapping[str, Any] | None = None) -> None:
    """The records are in and the plan is made: the cursor starts anew, counting what of the plan has been written."""
    values: dict[str, Any] = {"status": RunStatus.PLACING.value, "plan_digest": plan_digest, "cursor": 0}
    if state is not None:
        values["state"] = _text(state)
    _change(uow, run_id, (RunStatus.INGESTING,), values)


def finish(uow: UnitOfWork, run_id: int, *, summary: Mapping[str, Any]) -> None:
    """All is written."""
    values = {"status": RunStatus.DONE.value, "finished_at": now_text(), "summary": _text(summary)}
    _change(uow, run_id, _UNFINISHED, values)


def abandon(uow: UnitOfWork, run_id: int, *, reason: str, message: str) -> None:
    """Gives a run up and keeps why, for an auditor: a stable word, and a line that must hold nobody's data.

    What the run has committed stays, unless it is taken back in the same transaction.
    """
    summary = _text({"given_up": {"reason": reason, "message": message}})
    values = {"status": RunStatus.ABANDONED.value, "finished_at": now_text(), "summary": summary}
    _change(uow, run_id, _UNFINISHED, values)


def _change(uow: UnitOfWork, run_id: int, allowed: tuple[RunStatus, ...], values: Mapping[str, Any]) -> None:
    changed = uow.connection.execute(
        sa.update(run).where(run.c.run_id == run_id, run.c.status.in_(allowed)).values(dict(values))
    )
    if changed.rowcount != 1:
        raise RunConflictError(f"run {run_id} is not {' or '.join(allowed)}")


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _run(row: sa.Row[Any]) -> Run:
    fields = dict(row._mapping)
    fields["status"] = RunStatus(fields["status"])
    for name in ("request", "state"):
        fields[name] = json.loads(fields[name])
    fields["summary"] = None if fields["summary"] is None else json.loads(fields["summary"])
    return Run(**fields)
