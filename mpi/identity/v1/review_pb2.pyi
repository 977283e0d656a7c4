import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpi.identity.v1 import person_pb2 as _person_pb2
from mpi.identity.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReviewTaskStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_TASK_STAGE_UNSPECIFIED: _ClassVar[ReviewTaskStage]
    REVIEW_TASK_STAGE_FIRST: _ClassVar[ReviewTaskStage]
    REVIEW_TASK_STAGE_SECOND: _ClassVar[ReviewTaskStage]
    REVIEW_TASK_STAGE_ADJUDICATION: _ClassVar[ReviewTaskStage]

class ReviewTaskStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_TASK_STATUS_UNSPECIFIED: _ClassVar[ReviewTaskStatus]
    REVIEW_TASK_STATUS_OPEN: _ClassVar[ReviewTaskStatus]
    REVIEW_TASK_STATUS_CLOSED: _ClassVar[ReviewTaskStatus]

class ReviewVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_VERDICT_UNSPECIFIED: _ClassVar[ReviewVerdict]
    REVIEW_VERDICT_SAME: _ClassVar[ReviewVerdict]
    REVIEW_VERDICT_DIFFERENT: _ClassVar[ReviewVerdict]
    REVIEW_VERDICT_UNSURE: _ClassVar[ReviewVerdict]
    REVIEW_VERDICT_ESCALATE: _ClassVar[ReviewVerdict]

class DecisionStanding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_STANDING_UNSPECIFIED: _ClassVar[DecisionStanding]
    DECISION_STANDING_APPLIED: _ClassVar[DecisionStanding]
    DECISION_STANDING_SECOND_READING: _ClassVar[DecisionStanding]
    DECISION_STANDING_ADJUDICATION: _ClassVar[DecisionStanding]

class SecondReadingReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SECOND_READING_REASON_UNSPECIFIED: _ClassVar[SecondReadingReason]
    SECOND_READING_REASON_ESTABLISHED: _ClassVar[SecondReadingReason]
    SECOND_READING_REASON_DECEASED: _ClassVar[SecondReadingReason]
    SECOND_READING_REASON_MINOR: _ClassVar[SecondReadingReason]
    SECOND_READING_REASON_LOW_MARGIN: _ClassVar[SecondReadingReason]
    SECOND_READING_REASON_UNSURE: _ClassVar[SecondReadingReason]
    SECOND_READING_REASON_SAMPLE: _ClassVar[SecondReadingReason]

class DecisionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_KIND_UNSPECIFIED: _ClassVar[DecisionKind]
    DECISION_KIND_JUDGE: _ClassVar[DecisionKind]
    DECISION_KIND_MERGE: _ClassVar[DecisionKind]
    DECISION_KIND_UNMERGE: _ClassVar[DecisionKind]
    DECISION_KIND_SPLIT: _ClassVar[DecisionKind]
    DECISION_KIND_MOVE: _ClassVar[DecisionKind]
    DECISION_KIND_UNDO: _ClassVar[DecisionKind]
REVIEW_TASK_STAGE_UNSPECIFIED: ReviewTaskStage
REVIEW_TASK_STAGE_FIRST: ReviewTaskStage
REVIEW_TASK_STAGE_SECOND: ReviewTaskStage
REVIEW_TASK_STAGE_ADJUDICATION: ReviewTaskStage
REVIEW_TASK_STATUS_UNSPECIFIED: ReviewTaskStatus
REVIEW_TASK_STATUS_OPEN: ReviewTaskStatus
REVIEW_TASK_STATUS_CLOSED: ReviewTaskStatus
REVIEW_VERDICT_UNSPECIFIED: ReviewVerdict
REVIEW_VERDICT_SAME: ReviewVerdict
REVIEW_VERDICT_DIFFERENT: ReviewVerdict
REVIEW_VERDICT_UNSURE: ReviewVerdict
REVIEW_VERDICT_ESCALATE: ReviewVerdict
DECISION_STANDING_UNSPECIFIED: DecisionStanding
DECISION_STANDING_APPLIED: DecisionStanding
DECISION_STANDING_SECOND_READING: DecisionStanding
DECISION_STANDING_ADJUDICATION: DecisionStanding
SECOND_READING_REASON_UNSPECIFIED: SecondReadingReason
SECOND_READING_REASON_ESTABLISHED: SecondReadingReason
SECOND_READING_REASON_DECEASED: SecondReadingReason
SECOND_READING_REASON_MINOR: SecondReadingReason
SECOND_READING_REASON_LOW_MARGIN: SecondReadingReason
SECOND_READING_REASON_UNSURE: SecondReadingReason
SECOND_READING_REASON_SAMPLE: SecondReadingReason
DECISION_KIND_UNSPECIFIED: DecisionKind
DECISION_KIND_JUDGE: DecisionKind
DECISION_KIND_MERGE: DecisionKind
DECISION_KIND_UNMERGE: DecisionKind
DECISION_KIND_SPLIT: DecisionKind
DECISION_KIND_MOVE: DecisionKind
DECISION_KIND_UNDO: DecisionKind

class ReviewTask(_message.Message):
    __slots__ = ("name", "task_id", "version", "kind", "stage", "status", "reason", "left", "right", "left_enterprise_id", "right_enterprise_id", "match_weight", "score_hidden", "priority", "open_time", "claimed_by", "claim_expire_time", "closed_reason", "seen_revision")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    LEFT_ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    RIGHT_ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    MATCH_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SCORE_HIDDEN_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_BY_FIELD_NUMBER: _ClassVar[int]
    CLAIM_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSED_REASON_FIELD_NUMBER: _ClassVar[int]
    SEEN_REVISION_FIELD_NUMBER: _ClassVar[int]
    name: str
    task_id: str
    version: int
    kind: _person_pb2.ReviewTaskKind
    stage: ReviewTaskStage
    status: ReviewTaskStatus
    reason: str
    left: _record_pb2.RecordKey
    right: _record_pb2.RecordKey
    left_enterprise_id: str
    right_enterprise_id: str
    match_weight: float
    score_hidden: bool
    priority: float
    open_time: _timestamp_pb2.Timestamp
    claimed_by: str
    claim_expire_time: _timestamp_pb2.Timestamp
    closed_reason: str
    seen_revision: int
    def __init__(self, name: _Optional[str] = ..., task_id: _Optional[str] = ..., version: _Optional[int] = ..., kind: _Optional[_Union[_person_pb2.ReviewTaskKind, str]] = ..., stage: _Optional[_Union[ReviewTaskStage, str]] = ..., status: _Optional[_Union[ReviewTaskStatus, str]] = ..., reason: _Optional[str] = ..., left: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., right: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., left_enterprise_id: _Optional[str] = ..., right_enterprise_id: _Optional[str] = ..., match_weight: _Optional[float] = ..., score_hidden: _Optional[bool] = ..., priority: _Optional[float] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., claimed_by: _Optional[str] = ..., claim_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_reason: _Optional[str] = ..., seen_revision: _Optional[int] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("standing", "kind", "decision_id", "review_task", "affected_persons", "second_reading_reasons", "revision")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REVIEW_TASK_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_PERSONS_FIELD_NUMBER: _ClassVar[int]
    SECOND_READING_REASONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    standing: DecisionStanding
    kind: DecisionKind
    decision_id: str
    review_task: ReviewTask
    affected_persons: _containers.RepeatedCompositeFieldContainer[_person_pb2.AffectedPerson]
    second_reading_reasons: _containers.RepeatedScalarFieldContainer[SecondReadingReason]
    revision: int
    def __init__(self, standing: _Optional[_Union[DecisionStanding, str]] = ..., kind: _Optional[_Union[DecisionKind, str]] = ..., decision_id: _Optional[str] = ..., review_task: _Optional[_Union[ReviewTask, _Mapping]] = ..., affected_persons: _Optional[_Iterable[_Union[_person_pb2.AffectedPerson, _Mapping]]] = ..., second_reading_reasons: _Optional[_Iterable[_Union[SecondReadingReason, str]]] = ..., revision: _Optional[int] = ...) -> None: ...
