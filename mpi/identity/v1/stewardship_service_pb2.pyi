import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpi.identity.v1 import person_pb2 as _person_pb2
from mpi.identity.v1 import record_pb2 as _record_pb2
from mpi.identity.v1 import review_pb2 as _review_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListReviewTasksRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "kinds", "stages", "claimed_by_me")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_BY_ME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    kinds: _containers.RepeatedScalarFieldContainer[_person_pb2.ReviewTaskKind]
    stages: _containers.RepeatedScalarFieldContainer[_review_pb2.ReviewTaskStage]
    claimed_by_me: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kinds: _Optional[_Iterable[_Union[_person_pb2.ReviewTaskKind, str]]] = ..., stages: _Optional[_Iterable[_Union[_review_pb2.ReviewTaskStage, str]]] = ..., claimed_by_me: _Optional[bool] = ...) -> None: ...

class ListReviewTasksResponse(_message.Message):
    __slots__ = ("review_tasks", "next_page_token", "total_size")
    REVIEW_TASKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    review_tasks: _containers.RepeatedCompositeFieldContainer[_review_pb2.ReviewTask]
    next_page_token: str
    total_size: int
    def __init__(self, review_tasks: _Optional[_Iterable[_Union[_review_pb2.ReviewTask, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class ClaimReviewTaskRequest(_message.Message):
    __slots__ = ("name", "lease_seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    lease_seconds: int
    def __init__(self, name: _Optional[str] = ..., lease_seconds: _Optional[int] = ...) -> None: ...

class ClaimReviewTaskResponse(_message.Message):
    __slots__ = ("review_task",)
    REVIEW_TASK_FIELD_NUMBER: _ClassVar[int]
    review_task: _review_pb2.ReviewTask
    def __init__(self, review_task: _Optional[_Union[_review_pb2.ReviewTask, _Mapping]] = ...) -> None: ...

class ReleaseReviewTaskRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ReleaseReviewTaskResponse(_message.Message):
    __slots__ = ("review_task",)
    REVIEW_TASK_FIELD_NUMBER: _ClassVar[int]
    review_task: _review_pb2.ReviewTask
    def __init__(self, review_task: _Optional[_Union[_review_pb2.ReviewTask, _Mapping]] = ...) -> None: ...

class DecideReviewTaskRequest(_message.Message):
    __slots__ = ("request_id", "name", "verdict", "comment", "expected_version", "seen_revision", "seconds_spent", "records")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SEEN_REVISION_FIELD_NUMBER: _ClassVar[int]
    SECONDS_SPENT_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    verdict: _review_pb2.ReviewVerdict
    comment: str
    expected_version: int
    seen_revision: int
    seconds_spent: float
    records: _containers.RepeatedCompositeFieldContainer[_record_pb2.RecordKey]
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., verdict: _Optional[_Union[_review_pb2.ReviewVerdict, str]] = ..., comment: _Optional[str] = ..., expected_version: _Optional[int] = ..., seen_revision: _Optional[int] = ..., seconds_spent: _Optional[float] = ..., records: _Optional[_Iterable[_Union[_record_pb2.RecordKey, _Mapping]]] = ...) -> None: ...

class DecideReviewTaskResponse(_message.Message):
    __slots__ = ("decision", "consistency_token")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decision: _review_pb2.Decision
    consistency_token: str
    def __init__(self, decision: _Optional[_Union[_review_pb2.Decision, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class PreviewMergeRequest(_message.Message):
    __slots__ = ("left_name", "right_name")
    LEFT_NAME_FIELD_NUMBER: _ClassVar[int]
    RIGHT_NAME_FIELD_NUMBER: _ClassVar[int]
    left_name: str
    right_name: str
    def __init__(self, left_name: _Optional[str] = ..., right_name: _Optional[str] = ...) -> None: ...

class MergeSide(_message.Message):
    __slots__ = ("name", "enterprise_id", "golden_fields", "cross_references", "entry_count", "create_time", "create_revision")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_FIELDS_FIELD_NUMBER: _ClassVar[int]
    CROSS_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_REVISION_FIELD_NUMBER: _ClassVar[int]
    name: str
    enterprise_id: str
    golden_fields: _containers.RepeatedCompositeFieldContainer[_person_pb2.GoldenField]
    cross_references: _containers.RepeatedCompositeFieldContainer[_record_pb2.RecordKey]
    entry_count: int
    create_time: _timestamp_pb2.Timestamp
    create_revision: int
    def __init__(self, name: _Optional[str] = ..., enterprise_id: _Optional[str] = ..., golden_fields: _Optional[_Iterable[_Union[_person_pb2.GoldenField, _Mapping]]] = ..., cross_references: _Optional[_Iterable[_Union[_record_pb2.RecordKey, _Mapping]]] = ..., entry_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_revision: _Optional[int] = ...) -> None: ...

class PreviewMergeResponse(_message.Message):
    __slots__ = ("survivor", "superseded", "golden_fields_after", "changed_records", "affected_source_systems", "second_reading_reasons", "contradiction", "seen_revision", "consistency_token")
    SURVIVOR_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_FIELDS_AFTER_FIELD_NUMBER: _ClassVar[int]
    CHANGED_RECORDS_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_SOURCE_SYSTEMS_FIELD_NUMBER: _ClassVar[int]
    SECOND_READING_REASONS_FIELD_NUMBER: _ClassVar[int]
    CONTRADICTION_FIELD_NUMBER: _ClassVar[int]
    SEEN_REVISION_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    survivor: MergeSide
    superseded: MergeSide
    golden_fields_after: _containers.RepeatedCompositeFieldContainer[_person_pb2.GoldenField]
    changed_records: _containers.RepeatedCompositeFieldContainer[_record_pb2.RecordKey]
    affected_source_systems: _containers.RepeatedScalarFieldContainer[str]
    second_reading_reasons: _containers.RepeatedScalarFieldContainer[_review_pb2.SecondReadingReason]
    contradiction: str
    seen_revision: int
    consistency_token: str
    def __init__(self, survivor: _Optional[_Union[MergeSide, _Mapping]] = ..., superseded: _Optional[_Union[MergeSide, _Mapping]] = ..., golden_fields_after: _Optional[_Iterable[_Union[_person_pb2.GoldenField, _Mapping]]] = ..., changed_records: _Optional[_Iterable[_Union[_record_pb2.RecordKey, _Mapping]]] = ..., affected_source_systems: _Optional[_Iterable[str]] = ..., second_reading_reasons: _Optional[_Iterable[_Union[_review_pb2.SecondReadingReason, str]]] = ..., contradiction: _Optional[str] = ..., seen_revision: _Optional[int] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class MergePersonsRequest(_message.Message):
    __slots__ = ("request_id", "left_name", "right_name", "reason", "seen_revision")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LEFT_NAME_FIELD_NUMBER: _ClassVar[int]
    RIGHT_NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEEN_REVISION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    left_name: str
    right_name: str
    reason: str
    seen_revision: int
    def __init__(self, request_id: _Optional[str] = ..., left_name: _Optional[str] = ..., right_name: _Optional[str] = ..., reason: _Optional[str] = ..., seen_revision: _Optional[int] = ...) -> None: ...

class MergePersonsResponse(_message.Message):
    __slots__ = ("decision", "consistency_token")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decision: _review_pb2.Decision
    consistency_token: str
    def __init__(self, decision: _Optional[_Union[_review_pb2.Decision, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class UnmergePersonsRequest(_message.Message):
    __slots__ = ("request_id", "name", "reason", "seen_revision")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEEN_REVISION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    reason: str
    seen_revision: int
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ..., seen_revision: _Optional[int] = ...) -> None: ...

class UnmergePersonsResponse(_message.Message):
    __slots__ = ("decision", "consistency_token")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decision: _review_pb2.Decision
    consistency_token: str
    def __init__(self, decision: _Optional[_Union[_review_pb2.Decision, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class SplitPersonRequest(_message.Message):
    __slots__ = ("request_id", "name", "records", "into_name", "reason", "seen_revision")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    INTO_NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEEN_REVISION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    records: _containers.RepeatedCompositeFieldContainer[_record_pb2.RecordKey]
    into_name: str
    reason: str
    seen_revision: int
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., records: _Optional[_Iterable[_Union[_record_pb2.RecordKey, _Mapping]]] = ..., into_name: _Optional[str] = ..., reason: _Optional[str] = ..., seen_revision: _Optional[int] = ...) -> None: ...

class SplitPersonResponse(_message.Message):
    __slots__ = ("decision", "consistency_token")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decision: _review_pb2.Decision
    consistency_token: str
    def __init__(self, decision: _Optional[_Union[_review_pb2.Decision, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...
