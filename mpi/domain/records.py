"""Source records and standard records: what a source system sent, and what we make of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

CANONICAL_COLUMNS = (
    "source_record_id",
    "full_name",
    "birth_date",
    "sex",
    "citizen_id",
    "health_insurance_number",
    "phone",
    "ward_code",
    "address",
    "mother_name",
    "recorded_at",
)
"""The canonical columns of the Vietnamese person family, all strings; only the first two are required."""

RECORD_COLUMNS = ("source_record_id", "recorded_at")
"""Columns with a meaning of their own in every family: the local id and the time of capture."""


def in_reading_order(columns: Collection[str]) -> list[str]:
    """Raw columns in the order in which people read them: canonical ones as above, others behind by name."""
    return [*(name for name in CANONICAL_COLUMNS if name in columns), *sorted(set(columns) - set(CANONICAL_COLUMNS))]


class ColumnKind(StrEnum):
    """How one standard column is typed: `text` a string, `integer` a 32-bit number, `texts` a set of strings."""

    TEXT = "text"
    INTEGER = "integer"
    TEXTS = "texts"


StandardValue = str | int | tuple[str, ...] | None
"""One standard value; None is missing (never an empty string or an empty tuple)."""


@dataclass(frozen=True, slots=True)
class RecordKey:
    """What names a record for ever: the source system and that system's own id."""

    source_system: str
    source_record_id: str

    def __str__(self) -> str:
        return f"{self.source_system}:{self.source_record_id}"


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record as a source system sent it: raw strings by column, missing columns absent."""

    key: RecordKey
    values: Mapping[str, str]
    recorded_at: str | None = None


@dataclass(frozen=True, slots=True)
class StandardRecord:
    """Standard values by standard column, as a rule file's fields declare them."""

    key: RecordKey
    values: Mapping[str, StandardValue] = field(default_factory=dict)
