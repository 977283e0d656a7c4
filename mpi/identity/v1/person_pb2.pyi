import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mpi.identity.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MadeBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MADE_BY_UNSPECIFIED: _ClassVar[MadeBy]
    MADE_BY_RULES: _ClassVar[MadeBy]
    MADE_BY_STEWARD: _ClassVar[MadeBy]
    MADE_BY_SOURCE: _ClassVar[MadeBy]

class PersonChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERSON_CHANGE_KIND_UNSPECIFIED: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_CREATED: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_LINKED: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_MERGED: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_SUPERSEDED: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_SPLIT: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_GOLDEN_RECORD_CHANGED: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_RECORD_WITHDRAWN: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_UNMERGED: _ClassVar[PersonChangeKind]
    PERSON_CHANGE_KIND_RESTORED: _ClassVar[PersonChangeKind]

class ReviewTaskKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_TASK_KIND_UNSPECIFIED: _ClassVar[ReviewTaskKind]
    REVIEW_TASK_KIND_POSSIBLE_MATCH: _ClassVar[ReviewTaskKind]
    REVIEW_TASK_KIND_POSSIBLE_DUPLICATE: _ClassVar[ReviewTaskKind]
    REVIEW_TASK_KIND_STOPPED_BY_VETO: _ClassVar[ReviewTaskKind]
    REVIEW_TASK_KIND_OVERLAY: _ClassVar[ReviewTaskKind]
    REVIEW_TASK_KIND_SUSPECTED_WRONG_MERGE: _ClassVar[ReviewTaskKind]
MADE_BY_UNSPECIFIED: MadeBy
MADE_BY_RULES: MadeBy
MADE_BY_STEWARD: MadeBy
MADE_BY_SOURCE: MadeBy
PERSON_CHANGE_KIND_UNSPECIFIED: PersonChangeKind
PERSON_CHANGE_KIND_CREATED: PersonChangeKind
PERSON_CHANGE_KIND_LINKED: PersonChangeKind
PERSON_CHANGE_KIND_MERGED: PersonChangeKind
PERSON_CHANGE_KIND_SUPERSEDED: PersonChangeKind
PERSON_CHANGE_KIND_SPLIT: PersonChangeKind
PERSON_CHANGE_KIND_GOLDEN_RECORD_CHANGED: PersonChangeKind
PERSON_CHANGE_KIND_RECORD_WITHDRAWN: PersonChangeKind
PERSON_CHANGE_KIND_UNMERGED: PersonChangeKind
PERSON_CHANGE_KIND_RESTORED: PersonChangeKind
REVIEW_TASK_KIND_UNSPECIFIED: ReviewTaskKind
REVIEW_TASK_KIND_POSSIBLE_MATCH: ReviewTaskKind
REVIEW_TASK_KIND_POSSIBLE_DUPLICATE: ReviewTaskKind
REVIEW_TASK_KIND_STOPPED_BY_VETO: ReviewTaskKind
REVIEW_TASK_KIND_OVERLAY: ReviewTaskKind
REVIEW_TASK_KIND_SUSPECTED_WRONG_MERGE: ReviewTaskKind

class Person(_message.Message):
    __slots__ = ("name", "enterprise_id", "requested_enterprise_id", "redirected", "golden_fields", "cross_references", "merged_enterprise_ids", "revision", "create_time", "update_time", "seen_revision")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    REDIRECTED_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_FIELDS_FIELD_NUMBER: _ClassVar[int]
    CROSS_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    MERGED_ENTERPRISE_IDS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEEN_REVISION_FIELD_NUMBER: _ClassVar[int]
    name: str
    enterprise_id: str
    requested_enterprise_id: str
    redirected: bool
    golden_fields: _containers.RepeatedCompositeFieldContainer[GoldenField]
    cross_references: _containers.RepeatedCompositeFieldContainer[CrossReference]
    merged_enterprise_ids: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    seen_revision: int
    def __init__(self, name: _Optional[str] = ..., enterprise_id: _Optional[str] = ..., requested_enterprise_id: _Optional[str] = ..., redirected: _Optional[bool] = ..., golden_fields: _Optional[_Iterable[_Union[GoldenField, _Mapping]]] = ..., cross_references: _Optional[_Iterable[_Union[CrossReference, _Mapping]]] = ..., merged_enterprise_ids: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seen_revision: _Optional[int] = ...) -> None: ...

class GoldenField(_message.Message):
    __slots__ = ("field", "value", "source", "reason", "runners_up")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RUNNERS_UP_FIELD_NUMBER: _ClassVar[int]
    field: str
    value: str
    source: _record_pb2.RecordKey
    reason: str
    runners_up: _containers.RepeatedCompositeFieldContainer[RunnerUp]
    def __init__(self, field: _Optional[str] = ..., value: _Optional[str] = ..., source: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., reason: _Optional[str] = ..., runners_up: _Optional[_Iterable[_Union[RunnerUp, _Mapping]]] = ...) -> None: ...

class RunnerUp(_message.Message):
    __slots__ = ("value", "source")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    value: str
    source: _record_pb2.RecordKey
    def __init__(self, value: _Optional[str] = ..., source: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ...) -> None: ...

class CrossReference(_message.Message):
    __slots__ = ("record", "recorded_at", "made_by", "since_revision", "match_weight", "linked_through", "rule_version")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    MADE_BY_FIELD_NUMBER: _ClassVar[int]
    SINCE_REVISION_FIELD_NUMBER: _ClassVar[int]
    MATCH_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    LINKED_THROUGH_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    record: _record_pb2.RecordKey
    recorded_at: str
    made_by: MadeBy
    since_revision: int
    match_weight: float
    linked_through: _record_pb2.RecordKey
    rule_version: str
    def __init__(self, record: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., recorded_at: _Optional[str] = ..., made_by: _Optional[_Union[MadeBy, str]] = ..., since_revision: _Optional[int] = ..., match_weight: _Optional[float] = ..., linked_through: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., rule_version: _Optional[str] = ...) -> None: ...

class AffectedPerson(_message.Message):
    __slots__ = ("enterprise_id", "changes", "superseded_by")
    ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_FIELD_NUMBER: _ClassVar[int]
    enterprise_id: str
    changes: _containers.RepeatedScalarFieldContainer[PersonChangeKind]
    superseded_by: str
    def __init__(self, enterprise_id: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[PersonChangeKind, str]]] = ..., superseded_by: _Optional[str] = ...) -> None: ...

class PersonChange(_message.Message):
    __slots__ = ("revision", "kind", "enterprise_id", "other_enterprise_ids", "records", "made_by", "event_time")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_ENTERPRISE_IDS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    MADE_BY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    revision: int
    kind: PersonChangeKind
    enterprise_id: str
    other_enterprise_ids: _containers.RepeatedScalarFieldContainer[str]
    records: _containers.RepeatedCompositeFieldContainer[_record_pb2.RecordKey]
    made_by: MadeBy
    event_time: _timestamp_pb2.Timestamp
    def __init__(self, revision: _Optional[int] = ..., kind: _Optional[_Union[PersonChangeKind, str]] = ..., enterprise_id: _Optional[str] = ..., other_enterprise_ids: _Optional[_Iterable[str]] = ..., records: _Optional[_Iterable[_Union[_record_pb2.RecordKey, _Mapping]]] = ..., made_by: _Optional[_Union[MadeBy, str]] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReviewTaskReference(_message.Message):
    __slots__ = ("task_id", "kind", "reason", "other_enterprise_id", "match_weight")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OTHER_ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    MATCH_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    kind: ReviewTaskKind
    reason: str
    other_enterprise_id: str
    match_weight: float
    def __init__(self, task_id: _Optional[str] = ..., kind: _Optional[_Union[ReviewTaskKind, str]] = ..., reason: _Optional[str] = ..., other_enterprise_id: _Optional[str] = ..., match_weight: _Optional[float] = ...) -> None: ...
