"""A run walks from ingesting to placing to done; only one may be unfinished."""

import pytest

from mpi.domain.errors import NotFoundError, RunConflictError
from mpi.registry import runs
from mpi.registry.registry import Registry
from mpi.registry.runs import RunStatus


def test_a_run_from_start_to_end(registry: Registry) -> None:
    with registry.begin() as uow:
        assert runs.unfinished_run(uow) is None
        run = runs.start_run(uow, "link", request={"sources": ["student"]}, state={"records": 0})
        assert (run.run_id, run.status, run.cursor) == (1, RunStatus.INGESTING, 0)
    with registry.begin() as uow:
        runs.advance(uow, run.run_id, cursor=50_000, state={"records": 50_000})
    with registry.begin() as uow:
        found = runs.unfinished_run(uow)
        assert found is not None
        assert (found.cursor, found.state, found.request) == (50_000, {"records": 50_000}, {"sources": ["student"]})
        runs.begin_placing(uow, run.run_id, plan_digest="abc")
    with registry.begin() as uow:
        found = runs.find_run(uow, run.run_id)
        assert (found.status, found.cursor, found.plan_digest) == (RunStatus.PLACING, 0, "abc")
        runs.finish(uow, run.run_id, summary={"people": 3})
    with registry.snapshot() as uow:
        assert runs.unfinished_run(uow) is None
        found = runs.find_run(uow, run.run_id)
    assert (found.status, found.summary) == (RunStatus.DONE, {"people": 3})
    assert found.finished_at is not None
    assert found.started_at <= found.finished_at
    assert found.started_at.endswith("+00:00")


def test_two_unfinished_runs_are_refused_until_one_is_abandoned(registry: Registry) -> None:
    with registry.begin() as uow:
        first = runs.start_run(uow, "link", request={}, state={})
    with pytest.raises(RunConflictError, match=r"run 1 \(link\) is unfinished"), registry.begin() as uow:
        runs.start_run(uow, "link", request={}, state={})
    with registry.begin() as uow:
        runs.abandon(uow, first.run_id, reason="DIED", message="nobody came back")
        assert runs.find_run(uow, first.run_id).summary == {
            "given_up": {"reason": "DIED", "message": "nobody came back"}
        }
        assert runs.start_run(uow, "link", request={}, state={}).run_id == 2


def test_a_finished_run_does_not_move_again(registry: Registry) -> None:
    with registry.begin() as uow:
        run_id = runs.start_run(uow, "link", request={}, state={}).run_id
        runs.finish(uow, run_id, summary={})
    with registry.begin() as uow:
        for step in (
            lambda: runs.advance(uow, run_id, cursor=1),
            lambda: runs.begin_placing(uow, run_id, plan_digest="x"),
            lambda: runs.finish(uow, run_id, summary={}),
            lambda: runs.abandon(uow, run_id, reason="DIED", message=""),
        ):
            with pytest.raises(RunConflictError, match="is not"):
                step()
        with pytest.raises(NotFoundError, match="no run"):
            runs.find_run(uow, 99)
