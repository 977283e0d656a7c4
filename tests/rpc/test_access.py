"""Who calls the stewards' service: an account by its token, with the rights of its role, asked before anything else."""

import grpc
import pytest

from mpi.identity.v1 import stewardship_service_pb2 as service
from mpi.registry.registry import Registry
from mpi.services.accounts import close_account
from tests.rpc.serving import refused
from tests.rpc.stewards import METHODS, Stewards, decision_on


def test_calls_without_an_account_are_refused_before_they_are_read(
    stewards: Stewards, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    mine = f"Bearer {stewards.token('mai')}"
    badly = [
        (),
        (("authorization", stewards.token("mai")),),
        (("authorization", "Bearer "),),
        (("authorization", "Basic bWFpOm1haQ=="),),
        (("authorization", "Bearer mpi_nobody"),),
        (("authorization", f"{mine}x"),),
        (("authorization", f"Bearer {'x' * 2_000}"),),
        (("authorization", mine), ("authorization", mine)),
    ]
    with caplog.at_level("DEBUG"):
        for method in METHODS:
            for metadata in badly:
                told = refused(lambda: stewards.send(method, b"\xff", metadata=metadata))  # noqa: B023 (called at once)
                assert (told.code, told.reason) == (grpc.StatusCode.UNAUTHENTICATED, "NOT_SIGNED_IN")
        assert stewards.send("ListReviewTasks", b"", metadata=(("authorization", mine.replace("B", "b", 1)),)) == b""
        close_account(registry, "mai")
        told = refused(lambda: stewards.send("ListReviewTasks", b""))
        assert told.reason == "NOT_SIGNED_IN"
    assert stewards.token("mai") not in caplog.text
    assert stewards.token("mai") not in told.message


def test_rights_are_those_of_the_role(stewards: Stewards) -> None:
    task = stewards.doubt()
    people = {"left_name": f"persons/{task.left_enterprise_id}", "right_name": f"persons/{task.right_enterprise_id}"}
    asked = {"request_id": "r", "reason": "r", "seen_revision": task.seen_revision}
    calls = {
        "ListReviewTasks": (service.ListReviewTasksRequest(), "review"),
        "ClaimReviewTask": (service.ClaimReviewTaskRequest(name=task.name), "review"),
        "ReleaseReviewTask": (service.ReleaseReviewTaskRequest(name=task.name), "review"),
        "DecideReviewTask": (decision_on(task), "review"),
        "PreviewMerge": (service.PreviewMergeRequest(**people), "change_people"),
        "MergePersons": (service.MergePersonsRequest(**people, **asked), "change_people"),  # type: ignore[arg-type]
        "UnmergePersons": (
            service.UnmergePersonsRequest(name=people["left_name"], **asked),  # type: ignore[arg-type]
            "change_people",
        ),
        "SplitPerson": (
            service.SplitPersonRequest(name=people["left_name"], records=[task.left], **asked),  # type: ignore[arg-type]
            "change_people",
        ),
    }
    assert calls.keys() == set(METHODS)
    for method, (request, right) in calls.items():
        told = refused(lambda: stewards.ask(method, request, by="ly"))  # noqa: B023 (called at once)
        assert (told.code, told.reason) == (grpc.StatusCode.PERMISSION_DENIED, "MISSING_RIGHT")
        assert told.metadata == {"right": right}
