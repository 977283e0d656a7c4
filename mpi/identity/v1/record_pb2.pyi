from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_CHANGE_UNSPECIFIED: _ClassVar[RecordChange]
    RECORD_CHANGE_NEW: _ClassVar[RecordChange]
    RECORD_CHANGE_NEW_VERSION: _ClassVar[RecordChange]
    RECORD_CHANGE_LATE_VERSION: _ClassVar[RecordChange]
    RECORD_CHANGE_UNCHANGED: _ClassVar[RecordChange]
RECORD_CHANGE_UNSPECIFIED: RecordChange
RECORD_CHANGE_NEW: RecordChange
RECORD_CHANGE_NEW_VERSION: RecordChange
RECORD_CHANGE_LATE_VERSION: RecordChange
RECORD_CHANGE_UNCHANGED: RecordChange

class RecordKey(_message.Message):
    __slots__ = ("source_system", "source_record_id")
    SOURCE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    source_system: str
    source_record_id: str
    def __init__(self, source_system: _Optional[str] = ..., source_record_id: _Optional[str] = ...) -> None: ...

class SourceRecord(_message.Message):
    __slots__ = ("key", "full_name", "birth_date", "sex", "citizen_id", "health_insurance_number", "phone", "ward_code", "address", "mother_name", "recorded_at", "additional_values")
    class AdditionalValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    CITIZEN_ID_FIELD_NUMBER: _ClassVar[int]
    HEALTH_INSURANCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    WARD_CODE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MOTHER_NAME_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_VALUES_FIELD_NUMBER: _ClassVar[int]
    key: RecordKey
    full_name: str
    birth_date: str
    sex: str
    citizen_id: str
    health_insurance_number: str
    phone: str
    ward_code: str
    address: str
    mother_name: str
    recorded_at: str
    additional_values: _containers.ScalarMap[str, str]
    def __init__(self, key: _Optional[_Union[RecordKey, _Mapping]] = ..., full_name: _Optional[str] = ..., birth_date: _Optional[str] = ..., sex: _Optional[str] = ..., citizen_id: _Optional[str] = ..., health_insurance_number: _Optional[str] = ..., phone: _Optional[str] = ..., ward_code: _Optional[str] = ..., address: _Optional[str] = ..., mother_name: _Optional[str] = ..., recorded_at: _Optional[str] = ..., additional_values: _Optional[_Mapping[str, str]] = ...) -> None: ...
