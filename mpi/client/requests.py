"""Requests put together from plain arguments, the same for both clients."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from mpi.identity.v1 import health_record_pb2 as health
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import person_pb2, record_pb2

PAGE = 1_000
"""Entries of a lifelong record that are asked for at once."""


def new_request_id() -> str:
    """A request id that nobody has used."""
    return str(uuid.uuid4())


def person_name(enterprise_id: str) -> str:
    """The resource name of a person."""
    return f"persons/{enterprise_id}"


def match(
    record: record_pb2.SourceRecord,
    max_candidates: int,
    include_explanations: bool,
    include_certainly_not: bool,
    consistency_token: str,
) -> service.MatchRequest:
    """What `Match` is asked."""
    return service.MatchRequest(
        record=record,
        max_candidates=max_candidates,
        include_explanations=include_explanations,
        include_certainly_not=include_certainly_not,
        consistency_token=consistency_token,
    )


def look_up(
    source_record: record_pb2.RecordKey | None,
    citizen_id: str | None,
    health_insurance_number: str | None,
    consistency_token: str,
) -> service.LookUpIdentifierRequest:
    """What `LookUpIdentifier` is asked. Raises ValueError unless exactly one identifier is given."""
    if sum(each is not None for each in (source_record, citizen_id, health_insurance_number)) != 1:
        raise ValueError("give one of source_record, citizen_id and health_insurance_number")
    return service.LookUpIdentifierRequest(
        source_record=source_record,
        citizen_id=citizen_id,
        health_insurance_number=health_insurance_number,
        consistency_token=consistency_token,
    )


def get_person(
    enterprise_id: str, as_of_time: datetime | None, as_of_revision: int | None, consistency_token: str
) -> service.GetPersonRequest:
    """What `GetPerson` is asked. Raises ValueError for two points in time at once, or a time without a zone."""
    if as_of_time is not None and as_of_revision is not None:
        raise ValueError("give a time or a revision, not both")
    moment = None
    if as_of_time is not None:
        if as_of_time.tzinfo is None:
            raise ValueError("as_of_time needs a time zone")
        moment = Timestamp()
        moment.FromDatetime(as_of_time)
    return service.GetPersonRequest(
        name=person_name(enterprise_id),
        as_of_time=moment,
        as_of_revision=as_of_revision,
        consistency_token=consistency_token,
    )


def list_entries(
    enterprise_id: str,
    kinds: Iterable[health.EntryKind],
    start_date: date | None,
    end_date: date | None,
    consistency_token: str,
) -> health.ListHealthRecordEntriesRequest:
    """What `ListHealthRecordEntries` is asked for the first page."""
    return health.ListHealthRecordEntriesRequest(
        parent=person_name(enterprise_id),
        page_size=PAGE,
        kinds=list(kinds),
        start_date=_day(start_date),
        end_date=_day(end_date),
        consistency_token=consistency_token,
    )


def watch(
    resume_token: str, after_revision: int | None, kinds: Iterable[person_pb2.PersonChangeKind]
) -> service.WatchPersonsRequest:
    """What `WatchPersons` is asked. Raises ValueError for two starts."""
    if resume_token and after_revision is not None:
        raise ValueError("give a resume token or a revision, not both")
    return service.WatchPersonsRequest(
        resume_token=resume_token or None, after_revision=after_revision, kinds=list(kinds)
    )


def _day(day: date | None) -> Date | None:
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)
