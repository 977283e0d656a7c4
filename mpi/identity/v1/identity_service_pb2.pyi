import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from mpi.identity.v1 import health_record_pb2 as _health_record_pb2
from mpi.identity.v1 import match_pb2 as _match_pb2
from mpi.identity.v1 import person_pb2 as _person_pb2
from mpi.identity.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MatchOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MATCH_OUTCOME_UNSPECIFIED: _ClassVar[MatchOutcome]
    MATCH_OUTCOME_NO_MATCH: _ClassVar[MatchOutcome]
    MATCH_OUTCOME_MATCH: _ClassVar[MatchOutcome]
    MATCH_OUTCOME_POSSIBLE_MATCHES: _ClassVar[MatchOutcome]
    MATCH_OUTCOME_SEVERAL_FIT: _ClassVar[MatchOutcome]

class ResolveOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESOLVE_OUTCOME_UNSPECIFIED: _ClassVar[ResolveOutcome]
    RESOLVE_OUTCOME_LINKED: _ClassVar[ResolveOutcome]
    RESOLVE_OUTCOME_NEW_PERSON: _ClassVar[ResolveOutcome]
    RESOLVE_OUTCOME_PROVISIONAL: _ClassVar[ResolveOutcome]
MATCH_OUTCOME_UNSPECIFIED: MatchOutcome
MATCH_OUTCOME_NO_MATCH: MatchOutcome
MATCH_OUTCOME_MATCH: MatchOutcome
MATCH_OUTCOME_POSSIBLE_MATCHES: MatchOutcome
MATCH_OUTCOME_SEVERAL_FIT: MatchOutcome
RESOLVE_OUTCOME_UNSPECIFIED: ResolveOutcome
RESOLVE_OUTCOME_LINKED: ResolveOutcome
RESOLVE_OUTCOME_NEW_PERSON: ResolveOutcome
RESOLVE_OUTCOME_PROVISIONAL: ResolveOutcome

class MatchRequest(_message.Message):
    __slots__ = ("record", "max_candidates", "include_explanations", "include_certainly_not", "consistency_token")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_EXPLANATIONS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_CERTAINLY_NOT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    record: _record_pb2.SourceRecord
    max_candidates: int
    include_explanations: bool
    include_certainly_not: bool
    consistency_token: str
    def __init__(self, record: _Optional[_Union[_record_pb2.SourceRecord, _Mapping]] = ..., max_candidates: _Optional[int] = ..., include_explanations: _Optional[bool] = ..., include_certainly_not: _Optional[bool] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class MatchResponse(_message.Message):
    __slots__ = ("outcome", "candidates", "blocking", "rule_version", "thresholds", "consistency_token")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    outcome: MatchOutcome
    candidates: _containers.RepeatedCompositeFieldContainer[_match_pb2.Candidate]
    blocking: _match_pb2.BlockingReport
    rule_version: str
    thresholds: _match_pb2.Thresholds
    consistency_token: str
    def __init__(self, outcome: _Optional[_Union[MatchOutcome, str]] = ..., candidates: _Optional[_Iterable[_Union[_match_pb2.Candidate, _Mapping]]] = ..., blocking: _Optional[_Union[_match_pb2.BlockingReport, _Mapping]] = ..., rule_version: _Optional[str] = ..., thresholds: _Optional[_Union[_match_pb2.Thresholds, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class ResolveRequest(_message.Message):
    __slots__ = ("request_id", "record")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    record: _record_pb2.SourceRecord
    def __init__(self, request_id: _Optional[str] = ..., record: _Optional[_Union[_record_pb2.SourceRecord, _Mapping]] = ...) -> None: ...

class ResolveResponse(_message.Message):
    __slots__ = ("enterprise_id", "outcome", "record_change", "match_weight", "linked_through", "review_tasks", "affected_persons", "revision", "decision_id", "rule_version", "thresholds", "blocking", "consistency_token")
    ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RECORD_CHANGE_FIELD_NUMBER: _ClassVar[int]
    MATCH_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    LINKED_THROUGH_FIELD_NUMBER: _ClassVar[int]
    REVIEW_TASKS_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_PERSONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    enterprise_id: str
    outcome: ResolveOutcome
    record_change: _record_pb2.RecordChange
    match_weight: float
    linked_through: _record_pb2.RecordKey
    review_tasks: _containers.RepeatedCompositeFieldContainer[_person_pb2.ReviewTaskReference]
    affected_persons: _containers.RepeatedCompositeFieldContainer[_person_pb2.AffectedPerson]
    revision: int
    decision_id: str
    rule_version: str
    thresholds: _match_pb2.Thresholds
    blocking: _match_pb2.BlockingReport
    consistency_token: str
    def __init__(self, enterprise_id: _Optional[str] = ..., outcome: _Optional[_Union[ResolveOutcome, str]] = ..., record_change: _Optional[_Union[_record_pb2.RecordChange, str]] = ..., match_weight: _Optional[float] = ..., linked_through: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., review_tasks: _Optional[_Iterable[_Union[_person_pb2.ReviewTaskReference, _Mapping]]] = ..., affected_persons: _Optional[_Iterable[_Union[_person_pb2.AffectedPerson, _Mapping]]] = ..., revision: _Optional[int] = ..., decision_id: _Optional[str] = ..., rule_version: _Optional[str] = ..., thresholds: _Optional[_Union[_match_pb2.Thresholds, _Mapping]] = ..., blocking: _Optional[_Union[_match_pb2.BlockingReport, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class BatchMatchRequest(_message.Message):
    __slots__ = ("item_id", "request")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    request: MatchRequest
    def __init__(self, item_id: _Optional[str] = ..., request: _Optional[_Union[MatchRequest, _Mapping]] = ...) -> None: ...

class BatchMatchResponse(_message.Message):
    __slots__ = ("item_id", "response", "error")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    response: MatchResponse
    error: _status_pb2.Status
    def __init__(self, item_id: _Optional[str] = ..., response: _Optional[_Union[MatchResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class BatchResolveRequest(_message.Message):
    __slots__ = ("item_id", "request")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    request: ResolveRequest
    def __init__(self, item_id: _Optional[str] = ..., request: _Optional[_Union[ResolveRequest, _Mapping]] = ...) -> None: ...

class BatchResolveResponse(_message.Message):
    __slots__ = ("item_id", "response", "error")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    response: ResolveResponse
    error: _status_pb2.Status
    def __init__(self, item_id: _Optional[str] = ..., response: _Optional[_Union[ResolveResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class LookUpIdentifierRequest(_message.Message):
    __slots__ = ("source_record", "citizen_id", "health_insurance_number", "consistency_token")
    SOURCE_RECORD_FIELD_NUMBER: _ClassVar[int]
    CITIZEN_ID_FIELD_NUMBER: _ClassVar[int]
    HEALTH_INSURANCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    source_record: _record_pb2.RecordKey
    citizen_id: str
    health_insurance_number: str
    consistency_token: str
    def __init__(self, source_record: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., citizen_id: _Optional[str] = ..., health_insurance_number: _Optional[str] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class IdentifiedPerson(_message.Message):
    __slots__ = ("enterprise_id", "bearing_records", "cross_references")
    ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    BEARING_RECORDS_FIELD_NUMBER: _ClassVar[int]
    CROSS_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    enterprise_id: str
    bearing_records: _containers.RepeatedCompositeFieldContainer[_record_pb2.RecordKey]
    cross_references: _containers.RepeatedCompositeFieldContainer[_record_pb2.RecordKey]
    def __init__(self, enterprise_id: _Optional[str] = ..., bearing_records: _Optional[_Iterable[_Union[_record_pb2.RecordKey, _Mapping]]] = ..., cross_references: _Optional[_Iterable[_Union[_record_pb2.RecordKey, _Mapping]]] = ...) -> None: ...

class LookUpIdentifierResponse(_message.Message):
    __slots__ = ("persons", "shared_widely", "consistency_token")
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    SHARED_WIDELY_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    persons: _containers.RepeatedCompositeFieldContainer[IdentifiedPerson]
    shared_widely: bool
    consistency_token: str
    def __init__(self, persons: _Optional[_Iterable[_Union[IdentifiedPerson, _Mapping]]] = ..., shared_widely: _Optional[bool] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class GetPersonRequest(_message.Message):
    __slots__ = ("name", "as_of_time", "as_of_revision", "consistency_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    AS_OF_REVISION_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    as_of_time: _timestamp_pb2.Timestamp
    as_of_revision: int
    consistency_token: str
    def __init__(self, name: _Optional[str] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., as_of_revision: _Optional[int] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class GetPersonResponse(_message.Message):
    __slots__ = ("person", "consistency_token")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    person: _person_pb2.Person
    consistency_token: str
    def __init__(self, person: _Optional[_Union[_person_pb2.Person, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class ExplainMatchRequest(_message.Message):
    __slots__ = ("left", "right", "consistency_token")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    left: _record_pb2.RecordKey
    right: _record_pb2.RecordKey
    consistency_token: str
    def __init__(self, left: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., right: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class ExplainMatchResponse(_message.Message):
    __slots__ = ("explanation", "verdict", "vetoes", "same_person", "left_enterprise_id", "right_enterprise_id", "capped_columns", "records_in_play", "rule_version", "thresholds", "consistency_token")
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    VETOES_FIELD_NUMBER: _ClassVar[int]
    SAME_PERSON_FIELD_NUMBER: _ClassVar[int]
    LEFT_ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    RIGHT_ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    CAPPED_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_IN_PLAY_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    explanation: _match_pb2.Explanation
    verdict: _match_pb2.PairVerdict
    vetoes: _containers.RepeatedScalarFieldContainer[str]
    same_person: bool
    left_enterprise_id: str
    right_enterprise_id: str
    capped_columns: _containers.RepeatedScalarFieldContainer[str]
    records_in_play: int
    rule_version: str
    thresholds: _match_pb2.Thresholds
    consistency_token: str
    def __init__(self, explanation: _Optional[_Union[_match_pb2.Explanation, _Mapping]] = ..., verdict: _Optional[_Union[_match_pb2.PairVerdict, str]] = ..., vetoes: _Optional[_Iterable[str]] = ..., same_person: _Optional[bool] = ..., left_enterprise_id: _Optional[str] = ..., right_enterprise_id: _Optional[str] = ..., capped_columns: _Optional[_Iterable[str]] = ..., records_in_play: _Optional[int] = ..., rule_version: _Optional[str] = ..., thresholds: _Optional[_Union[_match_pb2.Thresholds, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class WithdrawRecordRequest(_message.Message):
    __slots__ = ("request_id", "record", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    record: _record_pb2.RecordKey
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., record: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class WithdrawRecordResponse(_message.Message):
    __slots__ = ("affected_persons", "revision", "decision_id", "consistency_token")
    AFFECTED_PERSONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    affected_persons: _containers.RepeatedCompositeFieldContainer[_person_pb2.AffectedPerson]
    revision: int
    decision_id: str
    consistency_token: str
    def __init__(self, affected_persons: _Optional[_Iterable[_Union[_person_pb2.AffectedPerson, _Mapping]]] = ..., revision: _Optional[int] = ..., decision_id: _Optional[str] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class WatchPersonsRequest(_message.Message):
    __slots__ = ("resume_token", "after_revision", "kinds")
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AFTER_REVISION_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    after_revision: int
    kinds: _containers.RepeatedScalarFieldContainer[_person_pb2.PersonChangeKind]
    def __init__(self, resume_token: _Optional[str] = ..., after_revision: _Optional[int] = ..., kinds: _Optional[_Iterable[_Union[_person_pb2.PersonChangeKind, str]]] = ...) -> None: ...

class WatchPersonsResponse(_message.Message):
    __slots__ = ("change", "resume_token")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    change: _person_pb2.PersonChange
    resume_token: str
    def __init__(self, change: _Optional[_Union[_person_pb2.PersonChange, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class GetActiveRulesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetActiveRulesResponse(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _match_pb2.LinkageRules
    def __init__(self, rules: _Optional[_Union[_match_pb2.LinkageRules, _Mapping]] = ...) -> None: ...
