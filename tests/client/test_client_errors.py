"""What a failed call says to a caller, and when the same call may be made again."""

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from mpi.client.errors import IdentityError, error_of_status, pause_before
from mpi.domain.errors import InvalidInputError, RegistryError, RunInProgressError
from mpi.rpc.errors import status_of

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def test_a_status_becomes_an_error_with_all_that_it_says() -> None:
    error = error_of_status(status_of(InvalidInputError("x is required", metadata={"field": "record.x"})))
    assert (error.code, error.reason, error.message) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        "x is required",
    )
    assert error.metadata == {"field": "record.x"}
    assert error.field_violations == (("record.x", "x is required"),)
    assert str(error) == "INVALID_ARGUMENT (INVALID_FIELD): x is required"
    assert error.retry_after is None


def test_a_defect_is_known_by_its_incident() -> None:
    error = error_of_status(status_of(ValueError("a value")))
    assert len(error.incident) == 16
    assert error.incident in error.message
    assert not error.transient


def test_an_unknown_code_or_detail_is_no_trouble() -> None:
    status = Status(code=999, message="from the future")
    status.details.add(type_url="type.googleapis.com/mpi.Unknown", value=b"\x01")
    status.details.add().Pack(ErrorInfo(reason="NEW"))
    error = error_of_status(status)
    assert (error.code, error.reason) == (grpc.StatusCode.UNKNOWN, "NEW")


@pytest.mark.parametrize(
    ("code", "reason", "transient", "broken"),
    [
        (UNAVAILABLE, "", True, True),
        (UNAVAILABLE, "SERVER_DRAINING", True, True),
        (grpc.StatusCode.ABORTED, "WRITE_CONFLICT", True, True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", True, True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "", False, False),
        (grpc.StatusCode.CANCELLED, "", True, True),
        (grpc.StatusCode.INTERNAL, "", False, True),
        (grpc.StatusCode.INTERNAL, "UNEXPECTED", False, False),
        (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", False, False),
        (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", False, False),
        (grpc.StatusCode.ABORTED, "STALE_VERSION", False, False),
        (grpc.StatusCode.FAILED_PRECONDITION, "REVIEW_TASK_CLAIMED", False, False),
        (grpc.StatusCode.UNAUTHENTICATED, "NOT_SIGNED_IN", False, False),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_PASSED", False, False),
    ],
)
def test_only_what_may_succeed_later_is_tried_again(
    code: grpc.StatusCode, reason: str, transient: bool, broken: bool
) -> None:
    error = IdentityError(code, "said", reason=reason)
    assert (error.transient, error.broken) == (transient, broken)


def test_pauses_grow_differ_and_heed_the_service() -> None:
    error = error_of_status(status_of(RegistryError("gone")))
    assert error.retry_after == 1.0
    assert all(0.75 <= pause_before(1, error) <= 1.25 for _ in range(50))
    plain = IdentityError(UNAVAILABLE, "nobody")
    first = [pause_before(1, plain) for _ in range(50)]
    assert max(first) < 0.07
    assert len(set(first)) > 10
    assert min(pause_before(4, plain) for _ in range(50)) > 0.25
    assert max(pause_before(50, plain) for _ in range(50)) <= 2.5
    assert pause_before(1, error_of_status(status_of(RunInProgressError("busy")))) > 20
