"""Entries of the lifelong health record between messages and plain values."""

from collections.abc import Mapping
from datetime import date

from google.type.date_pb2 import Date

from mpi.domain.entries import EntryChange, EntryKind, HealthRecordEntry
from mpi.domain.errors import MpiError
from mpi.identity.v1 import health_record_pb2 as health_pb2
from mpi.rpc.convert import put_key, record_key
from mpi.rpc.errors import status_of
from mpi.rpc.tokens import Tokens
from mpi.services.entries import EntryPage, Registered

ENTRY_KINDS = {
    EntryKind.SCHOOL_CHECK: health_pb2.ENTRY_KIND_SCHOOL_CHECK,
    EntryKind.STATION_VISIT: health_pb2.ENTRY_KIND_STATION_VISIT,
    EntryKind.ENCOUNTER: health_pb2.ENTRY_KIND_ENCOUNTER,
    EntryKind.CLAIM: health_pb2.ENTRY_KIND_CLAIM,
    EntryKind.VACCINATION: health_pb2.ENTRY_KIND_VACCINATION,
    EntryKind.LABORATORY_REPORT: health_pb2.ENTRY_KIND_LABORATORY_REPORT,
    EntryKind.PRESCRIPTION: health_pb2.ENTRY_KIND_PRESCRIPTION,
    EntryKind.IMAGING_STUDY: health_pb2.ENTRY_KIND_IMAGING_STUDY,
    EntryKind.BIRTH: health_pb2.ENTRY_KIND_BIRTH,
    EntryKind.HEALTH_CHECK: health_pb2.ENTRY_KIND_HEALTH_CHECK,
    EntryKind.DEATH: health_pb2.ENTRY_KIND_DEATH,
    EntryKind.OTHER: health_pb2.ENTRY_KIND_OTHER,
}
ENTRY_CHANGES = {
    EntryChange.NEW: health_pb2.ENTRY_CHANGE_NEW,
    EntryChange.REPLACED: health_pb2.ENTRY_CHANGE_REPLACED,
    EntryChange.UNCHANGED: health_pb2.ENTRY_CHANGE_UNCHANGED,
}
_KIND_OF: Mapping[int, EntryKind] = {number: kind for kind, number in ENTRY_KINDS.items()}


def day(message: Date) -> date:
    """A whole date out of a message that was checked."""
    return date(message.year, message.month, message.day)


def entry(message: health_pb2.HealthRecordEntry) -> HealthRecordEntry:
    """An entry out of a message that was checked."""
    return HealthRecordEntry(
        record=record_key(message.record),
        entry_id=message.entry_id,
        kind=kind(message.kind),
        date=day(message.date),
        facility=message.facility,
        locator=message.locator,
    )


def kind(number: int) -> EntryKind:
    """A kind out of a message that was checked."""
    return _KIND_OF[number]


def _put_entry(message: health_pb2.HealthRecordEntry, given: HealthRecordEntry) -> None:
    put_key(message.record, given.record)
    message.entry_id = given.entry_id
    message.kind = ENTRY_KINDS[given.kind]
    message.date.year, message.date.month, message.date.day = given.date.year, given.date.month, given.date.day
    message.facility = given.facility
    message.locator = given.locator


def register_response(done: Registered, tokens: Tokens) -> health_pb2.RegisterHealthRecordEntriesResponse:
    """What `RegisterHealthRecordEntries` answers."""
    response = health_pb2.RegisterHealthRecordEntriesResponse(consistency_token=tokens.consistency(done.revision))
    for place, each in enumerate(done.results):
        result = response.results.add()
        if isinstance(each, MpiError):
            each.metadata.setdefault("field", f"entries[{place}].record")
            result.error.CopyFrom(status_of(each))
        else:
            result.change = ENTRY_CHANGES[each]
    return response


def list_response(page: EntryPage, question: bytes, tokens: Tokens) -> health_pb2.ListHealthRecordEntriesResponse:
    """What `ListHealthRecordEntries` answers to a question."""
    response = health_pb2.ListHealthRecordEntriesResponse(
        enterprise_id=page.enterprise_id, consistency_token=tokens.consistency(page.revision)
    )
    for each in page.entries:
        _put_entry(response.entries.add(), each)
    if page.next_after is not None:
        response.next_page_token = tokens.page(question, page.next_after)
    return response


def question(request: health_pb2.ListHealthRecordEntriesRequest) -> bytes:
    """What must not change from page to page: all but the page's own fields and the consistency token."""
    asked = health_pb2.ListHealthRecordEntriesRequest()
    asked.CopyFrom(request)
    for name in ("page_size", "page_token", "consistency_token"):
        asked.ClearField(name)
    return asked.SerializeToString(deterministic=True)
