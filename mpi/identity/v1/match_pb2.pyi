from mpi.identity.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MatchGrade(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MATCH_GRADE_UNSPECIFIED: _ClassVar[MatchGrade]
    MATCH_GRADE_CERTAIN: _ClassVar[MatchGrade]
    MATCH_GRADE_PROBABLE: _ClassVar[MatchGrade]
    MATCH_GRADE_POSSIBLE: _ClassVar[MatchGrade]
    MATCH_GRADE_CERTAINLY_NOT: _ClassVar[MatchGrade]

class PairVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAIR_VERDICT_UNSPECIFIED: _ClassVar[PairVerdict]
    PAIR_VERDICT_LINK: _ClassVar[PairVerdict]
    PAIR_VERDICT_REVIEW: _ClassVar[PairVerdict]
    PAIR_VERDICT_APART: _ClassVar[PairVerdict]

class VetoEffect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VETO_EFFECT_UNSPECIFIED: _ClassVar[VetoEffect]
    VETO_EFFECT_FORBID: _ClassVar[VetoEffect]
    VETO_EFFECT_HOLD: _ClassVar[VetoEffect]
    VETO_EFFECT_APART: _ClassVar[VetoEffect]
MATCH_GRADE_UNSPECIFIED: MatchGrade
MATCH_GRADE_CERTAIN: MatchGrade
MATCH_GRADE_PROBABLE: MatchGrade
MATCH_GRADE_POSSIBLE: MatchGrade
MATCH_GRADE_CERTAINLY_NOT: MatchGrade
PAIR_VERDICT_UNSPECIFIED: PairVerdict
PAIR_VERDICT_LINK: PairVerdict
PAIR_VERDICT_REVIEW: PairVerdict
PAIR_VERDICT_APART: PairVerdict
VETO_EFFECT_UNSPECIFIED: VetoEffect
VETO_EFFECT_FORBID: VetoEffect
VETO_EFFECT_HOLD: VetoEffect
VETO_EFFECT_APART: VetoEffect

class Thresholds(_message.Message):
    __slots__ = ("link", "review", "margin")
    LINK_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    link: float
    review: float
    margin: float
    def __init__(self, link: _Optional[float] = ..., review: _Optional[float] = ..., margin: _Optional[float] = ...) -> None: ...

class BlockingReport(_message.Message):
    __slots__ = ("candidate_records", "bounded_rules")
    CANDIDATE_RECORDS_FIELD_NUMBER: _ClassVar[int]
    BOUNDED_RULES_FIELD_NUMBER: _ClassVar[int]
    candidate_records: int
    bounded_rules: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, candidate_records: _Optional[int] = ..., bounded_rules: _Optional[_Iterable[str]] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("enterprise_id", "match_weight", "match_probability", "grade", "cross_references", "best_record", "vetoes", "explanation")
    ENTERPRISE_ID_FIELD_NUMBER: _ClassVar[int]
    MATCH_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    MATCH_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    GRADE_FIELD_NUMBER: _ClassVar[int]
    CROSS_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    BEST_RECORD_FIELD_NUMBER: _ClassVar[int]
    VETOES_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    enterprise_id: str
    match_weight: float
    match_probability: float
    grade: MatchGrade
    cross_references: _containers.RepeatedCompositeFieldContainer[_record_pb2.RecordKey]
    best_record: _record_pb2.RecordKey
    vetoes: _containers.RepeatedScalarFieldContainer[str]
    explanation: Explanation
    def __init__(self, enterprise_id: _Optional[str] = ..., match_weight: _Optional[float] = ..., match_probability: _Optional[float] = ..., grade: _Optional[_Union[MatchGrade, str]] = ..., cross_references: _Optional[_Iterable[_Union[_record_pb2.RecordKey, _Mapping]]] = ..., best_record: _Optional[_Union[_record_pb2.RecordKey, _Mapping]] = ..., vetoes: _Optional[_Iterable[str]] = ..., explanation: _Optional[_Union[Explanation, _Mapping]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("prior", "contributions", "match_weight", "match_probability")
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    MATCH_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    MATCH_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    prior: float
    contributions: _containers.RepeatedCompositeFieldContainer[Contribution]
    match_weight: float
    match_probability: float
    def __init__(self, prior: _Optional[float] = ..., contributions: _Optional[_Iterable[_Union[Contribution, _Mapping]]] = ..., match_weight: _Optional[float] = ..., match_probability: _Optional[float] = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("comparison", "level", "weight", "term_frequency_adjustment", "running_total")
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TERM_FREQUENCY_ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_TOTAL_FIELD_NUMBER: _ClassVar[int]
    comparison: str
    level: str
    weight: float
    term_frequency_adjustment: float
    running_total: float
    def __init__(self, comparison: _Optional[str] = ..., level: _Optional[str] = ..., weight: _Optional[float] = ..., term_frequency_adjustment: _Optional[float] = ..., running_total: _Optional[float] = ...) -> None: ...

class LinkageRules(_message.Message):
    __slots__ = ("family", "version", "digest", "thresholds", "records_per_person", "records_in_play", "prior", "comparisons", "blocking_rules", "vetoes", "frequency_caps")
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_PER_PERSON_FIELD_NUMBER: _ClassVar[int]
    RECORDS_IN_PLAY_FIELD_NUMBER: _ClassVar[int]
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_RULES_FIELD_NUMBER: _ClassVar[int]
    VETOES_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_CAPS_FIELD_NUMBER: _ClassVar[int]
    family: str
    version: str
    digest: str
    thresholds: Thresholds
    records_per_person: float
    records_in_play: int
    prior: float
    comparisons: _containers.RepeatedCompositeFieldContainer[Comparison]
    blocking_rules: _containers.RepeatedCompositeFieldContainer[BlockingRule]
    vetoes: _containers.RepeatedCompositeFieldContainer[Veto]
    frequency_caps: _containers.RepeatedCompositeFieldContainer[FrequencyCap]
    def __init__(self, family: _Optional[str] = ..., version: _Optional[str] = ..., digest: _Optional[str] = ..., thresholds: _Optional[_Union[Thresholds, _Mapping]] = ..., records_per_person: _Optional[float] = ..., records_in_play: _Optional[int] = ..., prior: _Optional[float] = ..., comparisons: _Optional[_Iterable[_Union[Comparison, _Mapping]]] = ..., blocking_rules: _Optional[_Iterable[_Union[BlockingRule, _Mapping]]] = ..., vetoes: _Optional[_Iterable[_Union[Veto, _Mapping]]] = ..., frequency_caps: _Optional[_Iterable[_Union[FrequencyCap, _Mapping]]] = ...) -> None: ...

class Comparison(_message.Message):
    __slots__ = ("name", "levels")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    name: str
    levels: _containers.RepeatedCompositeFieldContainer[ComparisonLevel]
    def __init__(self, name: _Optional[str] = ..., levels: _Optional[_Iterable[_Union[ComparisonLevel, _Mapping]]] = ...) -> None: ...

class ComparisonLevel(_message.Message):
    __slots__ = ("label", "is_null", "m_probability", "u_probability", "weight", "term_frequency_column")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    IS_NULL_FIELD_NUMBER: _ClassVar[int]
    M_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    U_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TERM_FREQUENCY_COLUMN_FIELD_NUMBER: _ClassVar[int]
    label: str
    is_null: bool
    m_probability: float
    u_probability: float
    weight: float
    term_frequency_column: str
    def __init__(self, label: _Optional[str] = ..., is_null: _Optional[bool] = ..., m_probability: _Optional[float] = ..., u_probability: _Optional[float] = ..., weight: _Optional[float] = ..., term_frequency_column: _Optional[str] = ...) -> None: ...

class BlockingRule(_message.Message):
    __slots__ = ("name", "columns", "refining_columns", "limit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    REFINING_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    columns: _containers.RepeatedScalarFieldContainer[str]
    refining_columns: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    def __init__(self, name: _Optional[str] = ..., columns: _Optional[_Iterable[str]] = ..., refining_columns: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ...) -> None: ...

class Veto(_message.Message):
    __slots__ = ("name", "effect")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    name: str
    effect: VetoEffect
    def __init__(self, name: _Optional[str] = ..., effect: _Optional[_Union[VetoEffect, str]] = ...) -> None: ...

class FrequencyCap(_message.Message):
    __slots__ = ("column", "per_columns", "limit")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    PER_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    column: str
    per_columns: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    def __init__(self, column: _Optional[str] = ..., per_columns: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ...) -> None: ...
