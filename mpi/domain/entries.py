"""Entries of the lifelong health record: pointers to what source systems hold about a person, never its content."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mpi.domain.records import RecordKey


class EntryKind(StrEnum):
    """What an entry is about. A person with an entry of kind DEATH is held to be deceased."""

    SCHOOL_CHECK = "school_check"
    STATION_VISIT = "station_visit"
    ENCOUNTER = "encounter"
    CLAIM = "claim"
    VACCINATION = "vaccination"
    LABORATORY_REPORT = "laboratory_report"
    PRESCRIPTION = "prescription"
    IMAGING_STUDY = "imaging_study"
    BIRTH = "birth"
    HEALTH_CHECK = "health_check"
    DEATH = "death"
    OTHER = "other"


class EntryChange(StrEnum):
    """What registering an entry did."""

    NEW = "new"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class HealthRecordEntry:
    """One entry: the record it hangs on, the source system's own id of it, what, when, where, and where to read it.

    The record's source system keeps the entry and names it: `entry_id` is unique within that system. `facility` is
    empty when not known; `locator` means something to the source system alone.
    """

    record: RecordKey
    entry_id: str
    kind: EntryKind
    date: date
    facility: str
    locator: str
