from google.rpc import status_pb2 as _status_pb2
from google.type import date_pb2 as _date_pb2
from mpi.identity.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EntryKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENTRY_KIND_UNSPECIFIED: _ClassVar[EntryKind]
    ENTRY_KIND_SCHOOL_CHECK: _ClassVar[EntryKind]
    ENTRY_KIND_STATION_VISIT: _ClassVar[EntryKind]
    ENTRY_KIND_ENCOUNTER: _ClassVar[EntryKind]
    ENTRY_KIND_CLAIM: _ClassVar[EntryKind]
    ENTRY_KIND_VACCINATION: _ClassVar[EntryKind]
    ENTRY_KIND_LABORATORY_REPORT: _ClassVar[EntryKind]
    ENTRY_KIND_PRESCRIPTION: _ClassVar[EntryKind]
    ENTRY_KIND_IMAGING_STUDY: _ClassVar[EntryKind]
    ENTRY_KIND_BIRTH: _ClassVar[EntryKind]
    ENTRY_KIND_HEALTH_CHECK: _ClassVar[EntryKind]
    ENTRY_KIND_OTHER: _ClassVar[EntryKind]
    ENTRY_KIND_DEATH: _ClassVar[EntryKind]

class EntryChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENTRY_CHANGE_UNSPECIFIED: _ClassVar[EntryChange]
    ENTRY_CHANGE_NEW: _ClassVar[EntryChange]
    ENTRY_CHANGE_REPLACED: _ClassVar[EntryChange]
    ENTRY_CHANGE_UNCHANGED: _ClassVar[EntryChange]
ENTRY_KIND_UNSPECIFIED: EntryKind
ENTRY_KIND_SCHOOL_CHECK: EntryKind
ENTRY_KIND_STATION_VISIT: EntryKind
ENTRY_KIND_ENCOUNTER: EntryKind
ENTRY_KIND_CLAIM: EntryKind
ENTRY_KIND_VACCINATION: EntryKind
ENTRY_KIND_LABORATORY_REPORT: EntryKind
ENTRY_KIND_PRESCRIPTION: EntryKind
ENTRY_KIND_IMAGING_STUDY: EntryKind
ENTRY_KIND_BIRTH: EntryKind
ENTRY_KIND_HEALTH_CHECK: EntryKind
ENTRY_KIND_OTHER: EntryKind
ENTRY_KIND_DEATH: EntryKind
ENTRY_CHANGE_UNSPECIFIED: EntryChange
ENTRY_CHANGE_NEW: EntryChange
ENTRY_CHANGE_REPLACED: EntryChange
ENTRY_CHANGE_UNCHANGED: EntryChange

class HealthRecordEntry(_message.Message):
    __slots__ = ("record", "entry_id", "kind", "date", "facility", "locator")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    FACILITY_FIELD_NUMBER: _ClassVar[int]
    LOCATOR_FIELD_NUMBER: _ClassVar[int]
    record: _record_pb2.RecordKey
    entry_id: str
    kind: EntryKind
    date: _date_pb2.Date
    facility: str
    locator: str
    def __init__(self, record: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., entry_id: _Optional[str] = ..., kind: _Optional[_Union[EntryKind, str]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., facility: _Optional[str] = ..., locator: _Optional[str] = ...) -> None: ...

class RegisterHealthRecordEntriesRequest(_message.Message):
    __slots__ = ("request_id", "entries")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    entries: _containers.RepeatedCompositeFieldContainer[HealthRecordEntry]
    def __init__(self, request_id: _Optional[str] = ..., entries: _Optional[_Iterable[_Union[HealthRecordEntry, _Mapping]]] = ...) -> None: ...

class RegisterEntryResult(_message.Message):
    __slots__ = ("change", "error")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    change: EntryChange
    error: _status_pb2.Status
    def __init__(self, change: _Optional[_Union[EntryChange, str]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class RegisterHealthRecordEntriesResponse(_message.Message):
    __slots__ = ("results", "consistency_token")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RegisterEntryResult]
    consistency_token: str
    def __init__(self, results: _Optional[_Iterable[_Union[RegisterEntryResult, _Mapping]]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class ListHealthRecordEntriesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "kinds", "start_date", "end_date", "consistency_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    kinds: _containers.RepeatedScalarFieldContainer[EntryKind]
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    consistency_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kinds: _Optional[_Iterable[_Union[EntryKind, str]]] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class ListHealthRecordEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token", "enterprise_id", "consistency_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[HealthRecordEntry]
    next_page_token: str
    enterprise_id: str
    consistency_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[HealthRecordEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., enterprise_id: _Optional[str] = ..., consistency_token: _Optional[str] = ...) -> None: ...
