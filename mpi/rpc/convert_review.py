"""Review tasks, decisions and previews between messages and plain values. Nothing is decided here."""

from collections.abc import Iterable
from typing import Any

from mpi.domain.records import RecordKey
from mpi.domain.review import DecisionKind, Stage, TaskKind, Verdict
from mpi.identity.v1 import review_pb2
from mpi.identity.v1 import stewardship_service_pb2 as service_pb2
from mpi.persons.adjudication import SecondReason
from mpi.rpc.convert import TASK_KINDS, put_affected, put_key, put_keys, record_key
from mpi.rpc.convert_persons import person_name, put_golden, put_moment
from mpi.rpc.tokens import Tokens
from mpi.services.stewardship.adjudicate import DecisionRequest, Outcome, Standing
from mpi.services.stewardship.person_sides import PersonSide
from mpi.services.stewardship.rearrange import MergePreview
from mpi.services.stewardship.review_queue import ReviewTask, TaskFilter, TaskPage

STAGES = {
    Stage.FIRST: review_pb2.REVIEW_TASK_STAGE_FIRST,
    Stage.SECOND: review_pb2.REVIEW_TASK_STAGE_SECOND,
    Stage.ADJUDICATION: review_pb2.REVIEW_TASK_STAGE_ADJUDICATION,
}
STATUSES = {
    "open": review_pb2.REVIEW_TASK_STATUS_OPEN,
    "closed": review_pb2.REVIEW_TASK_STATUS_CLOSED,
}
VERDICTS: dict[int, Verdict | None] = {
    review_pb2.REVIEW_VERDICT_SAME: Verdict.SAME,
    review_pb2.REVIEW_VERDICT_DIFFERENT: Verdict.DIFFERENT,
    review_pb2.REVIEW_VERDICT_UNSURE: Verdict.UNSURE,
    review_pb2.REVIEW_VERDICT_ESCALATE: None,
}
"""What a service is told; None asks for a lead."""

STANDINGS = {
    Standing.APPLIED: review_pb2.DECISION_STANDING_APPLIED,
    Standing.SECOND_READING: review_pb2.DECISION_STANDING_SECOND_READING,
    Standing.ADJUDICATION: review_pb2.DECISION_STANDING_ADJUDICATION,
    # A reader is not told which tasks are there to measure readings.
    Standing.NOTED: review_pb2.DECISION_STANDING_APPLIED,
}
DECISION_KINDS = {
    DecisionKind.JUDGE: review_pb2.DECISION_KIND_JUDGE,
    DecisionKind.MERGE: review_pb2.DECISION_KIND_MERGE,
    DecisionKind.UNMERGE: review_pb2.DECISION_KIND_UNMERGE,
    DecisionKind.SPLIT: review_pb2.DECISION_KIND_SPLIT,
    DecisionKind.MOVE: review_pb2.DECISION_KIND_MOVE,
    DecisionKind.UNDO: review_pb2.DECISION_KIND_UNDO,
}
SECOND_REASONS = {
    SecondReason.ESTABLISHED: review_pb2.SECOND_READING_REASON_ESTABLISHED,
    SecondReason.DECEASED: review_pb2.SECOND_READING_REASON_DECEASED,
    SecondReason.MINOR: review_pb2.SECOND_READING_REASON_MINOR,
    SecondReason.LOW_MARGIN: review_pb2.SECOND_READING_REASON_LOW_MARGIN,
    SecondReason.UNSURE: review_pb2.SECOND_READING_REASON_UNSURE,
    SecondReason.SAMPLE: review_pb2.SECOND_READING_REASON_SAMPLE,
}

_KIND_OF = {number: kind for kind, number in TASK_KINDS.items()}
_STAGE_OF = {number: stage for stage, number in STAGES.items()}
_PREFIX = "reviewTasks/"


def task_id(name: str) -> int:
    """The number in the resource name of a task that was checked."""
    return int(name.removeprefix(_PREFIX))


def task_filter(request: service_pb2.ListReviewTasksRequest) -> TaskFilter:
    """Which tasks are asked for."""
    return TaskFilter(
        kinds=tuple(dict.fromkeys(_KIND_OF[number] for number in request.kinds)),
        stages=tuple(dict.fromkeys(_STAGE_OF[number] for number in request.stages)),
        claimed_by_me=request.claimed_by_me,
    )


def keys(messages: Any) -> tuple[RecordKey, ...]:
    """Keys out of a repeated field, each once."""
    return tuple(dict.fromkeys(map(record_key, messages)))


def decision_request(request: service_pb2.DecideReviewTaskRequest) -> DecisionRequest:
    """What is decided of a task."""
    return DecisionRequest(
        task_id=task_id(request.name),
        verdict=VERDICTS[request.verdict],
        comment=request.comment,
        expected_version=request.expected_version,
        seen_revision=request.seen_revision,
        seconds=request.seconds_spent or None,
        records=keys(request.records),
    )


def put_task(message: review_pb2.ReviewTask, task: ReviewTask) -> None:
    """Writes a task into a message."""
    message.name, message.task_id = f"{_PREFIX}{task.task_id}", str(task.task_id)
    message.version = task.version
    message.kind = TASK_KINDS[TaskKind(task.kind)]
    message.stage = STAGES[task.stage]
    message.status = STATUSES[task.status]
    message.reason = task.reason
    put_key(message.left, task.record_a)
    if task.record_b is not None:
        put_key(message.right, task.record_b)
    message.left_enterprise_id = task.enterprise_id_a or ""
    message.right_enterprise_id = task.enterprise_id_b or ""
    if task.match_weight is not None:
        message.match_weight = task.match_weight
    message.score_hidden = task.weight_hidden
    message.priority = task.priority
    put_moment(message.open_time, task.opened_at)
    message.claimed_by = task.claimed_by or ""
    if task.claimed_until is not None:
        put_moment(message.claim_expire_time, task.claimed_until)
    message.closed_reason = task.closed_reason or ""
    message.seen_revision = task.seen_revision


def list_question(request: service_pb2.ListReviewTasksRequest, account: str) -> bytes:
    """What must not change from page to page: who asks, and all but the page's own fields."""
    asked = service_pb2.ListReviewTasksRequest()
    asked.CopyFrom(request)
    for name in ("page_size", "page_token"):
        asked.ClearField(name)
    return account.encode() + b"\x00" + asked.SerializeToString(deterministic=True)


def list_response(page: TaskPage, question: bytes, tokens: Tokens) -> service_pb2.ListReviewTasksResponse:
    """What `ListReviewTasks` answers to a question."""
    response = service_pb2.ListReviewTasksResponse(total_size=page.total)
    for task in page.tasks:
        put_task(response.review_tasks.add(), task)
    if page.next_after is not None:
        priority, last = page.next_after
        response.next_page_token = tokens.page(question, (priority.hex(), str(last)))
    return response


def place_after(question: bytes, token: str, tokens: Tokens) -> tuple[float, int] | None:
    """Behind which task a page begins; None for the first page. Raises PageTokenError."""
    if not token:
        return None
    priority, last = tokens.position(question, token)
    return float.fromhex(priority), int(last)


def put_decision(message: review_pb2.Decision, done: Outcome) -> None:
    """Writes what became of a decision into a message."""
    message.standing = STANDINGS[done.standing]
    if done.kind is not None:
        message.kind = DECISION_KINDS[done.kind]
    if done.decision_id is not None:
        message.decision_id = str(done.decision_id)
    if done.task is not None:
        put_task(message.review_task, done.task)
    put_affected(message.affected_persons, done.affected)
    message.second_reading_reasons.extend(_second_reasons(done.second_reasons))
    message.revision = done.revision


def _second_reasons(reasons: Iterable[str]) -> list[review_pb2.SecondReadingReason]:
    return [SECOND_REASONS[SecondReason(reason)] for reason in reasons]


def preview_response(preview: MergePreview, tokens: Tokens) -> service_pb2.PreviewMergeResponse:
    """What `PreviewMerge` answers."""
    response = service_pb2.PreviewMergeResponse(
        affected_source_systems=preview.source_systems,
        second_reading_reasons=_second_reasons(preview.second_reasons),
        contradiction=preview.contradiction or "",
        seen_revision=preview.seen_revision,
        consistency_token=tokens.consistency(preview.seen_revision),
    )
    _put_side(response.survivor, preview.survivor)
    _put_side(response.superseded, preview.superseded)
    put_golden(response.golden_fields_after, preview.golden_after)
    put_keys(response.changed_records, preview.changed_records)
    return response


def _put_side(message: service_pb2.MergeSide, side: PersonSide) -> None:
    message.name, message.enterprise_id = person_name(side.enterprise_id), side.enterprise_id
    put_golden(message.golden_fields, side.golden)
    put_keys(message.cross_references, side.records)
    message.entry_count = side.entries
    put_moment(message.create_time, side.created_at)
    message.create_revision = side.created_revision
