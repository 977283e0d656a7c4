"""Input to the stewards' service that no honest caller sends: refused by name and at once, and nothing is written."""

import time

import grpc
import pytest
import sqlalchemy as sa

from mpi.identity.v1 import stewardship_service_pb2 as service
from mpi.registry import tables
from mpi.registry.registry import Registry
from tests.rpc.serving import refused
from tests.rpc.stewards import METHODS, Stewards, refused_by
from tests.rpc.test_hostile_input import ENDLESS, MEBIBYTE, length_prefixed
from tests.services.linking import query

LIST = "ListReviewTasks"
NOT_TEXT = length_prefixed(0x0A, b"\xff\xfe")
SQL, MARKUP = "'; DROP TABLE review_task; --", "<script>alert(1)</script>"


@pytest.mark.parametrize("sent", [b"\x00", NOT_TEXT, ENDLESS], ids=["zero", "no UTF-8", "endless"])
def test_bytes_that_are_no_message_are_the_callers_error(sent: bytes, stewards: Stewards) -> None:
    for method in METHODS:
        # its first text is its second field
        bytes_ = sent.replace(b"\x0a", b"\x12", 1) if method == LIST else sent
        told = refused(lambda: stewards.send(method, bytes_))  # noqa: B023 (called at once)
        assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


def test_messages_that_are_too_large_are_refused_by_the_transport(stewards: Stewards) -> None:
    for method in METHODS:
        code = refused_by(lambda: stewards.send(method, length_prefixed(0x0A, b"r" * MEBIBYTE)))  # noqa: B023
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_empty_message_misses_its_required_field(stewards: Stewards) -> None:
    wanted = {"ClaimReviewTask": "name", "ReleaseReviewTask": "name", "PreviewMerge": "left_name"}
    for method in set(METHODS) - {LIST}:
        told = refused(lambda: stewards.send(method, b""))  # noqa: B023 (called at once)
        assert told.fields == [wanted.get(method, "request_id")]


def test_a_hundred_thousand_records_are_refused_at_once(stewards: Stewards) -> None:
    head = length_prefixed(0x0A, b"r") + length_prefixed(0x12, b"persons/K7Q-2MD-9XA")
    began = time.monotonic()
    told = refused(lambda: stewards.send("SplitPerson", head + length_prefixed(0x1A, b"") * 100_000))
    assert (told.code, told.reason, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, "TOO_MANY_ITEMS", ["records"])
    assert time.monotonic() - began < 5


def test_what_stewards_write_is_kept_as_text(stewards: Stewards, registry: Registry) -> None:
    task = stewards.doubt()
    request = service.DecideReviewTaskRequest(
        request_id=SQL.replace(" ", "_"),
        name=task.name,
        verdict="REVIEW_VERDICT_DIFFERENT",
        comment=f"{SQL} {MARKUP}",
        expected_version=task.version,
        seen_revision=task.seen_revision,
    )
    assert stewards.ask("DecideReviewTask", request).decision.decision_id
    [(comment,)] = query(registry, sa.select(tables.reading.c.comment))
    assert comment == f"{SQL} {MARKUP}"


def test_numbers_at_the_edge_are_refused_and_change_nothing(stewards: Stewards, registry: Registry) -> None:
    task = stewards.doubt()
    fields = {"request_id": "r", "name": task.name, "verdict": "REVIEW_VERDICT_SAME"}
    seen = {"expected_version": task.version, "seen_revision": task.seen_revision}
    for odd, field in (
        ({"seconds_spent": float("nan")}, "seconds_spent"),
        ({"seconds_spent": -1.0}, "seconds_spent"),
        ({"seen_revision": -1}, "seen_revision"),
        ({"expected_version": -(2**31)}, "expected_version"),
        ({"verdict": 99}, "verdict"),
        ({"name": "reviewTasks/99999999999999999999"}, "name"),
        ({"comment": "a\x00b"}, "comment"),
    ):
        sent = service.DecideReviewTaskRequest()
        for name, value in {**fields, **seen, **odd}.items():
            wanted = sent.DESCRIPTOR.fields_by_name[name].enum_type
            known = wanted.values_by_name[value].number if wanted and isinstance(value, str) else value
            setattr(sent, name, known)
        told = refused(lambda: stewards.ask("DecideReviewTask", sent))  # noqa: B023 (called at once)
        assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
    assert query(registry, sa.select(sa.func.count()).select_from(tables.reading)) == [(0,)]
    largest = service.ClaimReviewTaskRequest(name=f"reviewTasks/{'9' * 18}")
    assert refused(lambda: stewards.ask("ClaimReviewTask", largest)).reason == "UNKNOWN_REVIEW_TASK"


def test_another_registrys_page_token_is_refused(stewards: Stewards) -> None:
    for token in ("x", "A" * 1_000, "!" * 10):
        told = refused(
            lambda: stewards.ask("ListReviewTasks", service.ListReviewTasksRequest(page_token=token))  # noqa: B023
        )
        assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")
