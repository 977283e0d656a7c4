"""Requests of stewards put together from plain arguments, the same for both clients."""

from collections.abc import Iterable

from mpi.client.requests import new_request_id, person_name
from mpi.identity.v1 import person_pb2, record_pb2, review_pb2
from mpi.identity.v1 import stewardship_service_pb2 as service

PAGE = 100
"""Tasks that are asked for at once."""


def task_name(task_id: str) -> str:
    """The resource name of a review task."""
    return f"reviewTasks/{task_id}"


def list_tasks(
    kinds: Iterable[person_pb2.ReviewTaskKind], stages: Iterable[review_pb2.ReviewTaskStage], claimed_by_me: bool
) -> service.ListReviewTasksRequest:
    """What `ListReviewTasks` is asked for the first page."""
    return service.ListReviewTasksRequest(
        page_size=PAGE, kinds=list(kinds), stages=list(stages), claimed_by_me=claimed_by_me
    )


def decide(
    task: review_pb2.ReviewTask,
    verdict: review_pb2.ReviewVerdict,
    comment: str,
    seconds_spent: float,
    records: Iterable[record_pb2.RecordKey],
    request_id: str | None,
) -> service.DecideReviewTaskRequest:
    """What `DecideReviewTask` is asked about a task as it was seen."""
    return service.DecideReviewTaskRequest(
        request_id=request_id or new_request_id(),
        name=task.name,
        verdict=verdict,
        comment=comment,
        expected_version=task.version,
        seen_revision=task.seen_revision,
        seconds_spent=seconds_spent,
        records=list(records),
    )


def merge(preview: service.PreviewMergeResponse, reason: str, request_id: str | None) -> service.MergePersonsRequest:
    """What `MergePersons` is asked about two people as they were seen."""
    return service.MergePersonsRequest(
        request_id=request_id or new_request_id(),
        left_name=preview.survivor.name,
        right_name=preview.superseded.name,
        reason=reason,
        seen_revision=preview.seen_revision,
    )


def unmerge(
    enterprise_id: str, reason: str, seen_revision: int, request_id: str | None
) -> service.UnmergePersonsRequest:
    """What `UnmergePersons` is asked."""
    return service.UnmergePersonsRequest(
        request_id=request_id or new_request_id(),
        name=person_name(enterprise_id),
        reason=reason,
        seen_revision=seen_revision,
    )


def split(
    person: person_pb2.Person,
    records: Iterable[record_pb2.RecordKey],
    reason: str,
    into: person_pb2.Person | None,
    request_id: str | None,
) -> service.SplitPersonRequest:
    """What `SplitPerson` is asked about people as they were seen."""
    seen = [person.seen_revision, *([] if into is None else [into.seen_revision])]
    return service.SplitPersonRequest(
        request_id=request_id or new_request_id(),
        name=person.name,
        records=list(records),
        into_name="" if into is None else into.name,
        reason=reason,
        seen_revision=min(seen),
    )
