"""People, look-ups and withdrawals as messages."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from mpi.identity.v1 import identity_service_pb2 as service_pb2
from mpi.identity.v1 import person_pb2
from mpi.persons.survivorship import GoldenRecord, Survivor
from mpi.rpc.convert import put_affected, put_key, put_keys
from mpi.rpc.tokens import Tokens
from mpi.services.enquire import PersonView, RecordView
from mpi.services.lookup import LookUp
from mpi.services.withdraw import Withdrawal

MADE_BY = {
    "rules": person_pb2.MADE_BY_RULES,
    "steward": person_pb2.MADE_BY_STEWARD,
    "source": person_pb2.MADE_BY_SOURCE,
}

_PREFIX = "persons/"


def enterprise_id(name: str) -> str:
    """The enterprise ID in a resource name, as it was written there."""
    return name.removeprefix(_PREFIX)


def person_name(enterprise_id: str) -> str:
    """The resource name of a person."""
    return f"{_PREFIX}{enterprise_id}"


def made_by(who: str) -> person_pb2.MadeBy:
    """Who made something; `steward:mai` is a steward."""
    return MADE_BY[who.partition(":")[0]]


def moment(message: Timestamp) -> datetime:
    """A time out of a message, to the microsecond."""
    return message.ToDatetime(tzinfo=UTC)


def put_moment(message: Timestamp, text: str) -> None:
    """Writes a time of the registry (ISO 8601 with a zone) into a message."""
    message.FromDatetime(datetime.fromisoformat(text))


def person_response(view: PersonView, tokens: Tokens, *, is_now: bool) -> service_pb2.GetPersonResponse:
    """What `GetPerson` answers; `is_now` unless an earlier point was asked for."""
    response = service_pb2.GetPersonResponse(consistency_token=tokens.consistency(view.read_at))
    message = response.person
    message.name = person_name(view.enterprise_id)
    message.enterprise_id = view.enterprise_id
    message.requested_enterprise_id = view.asked_for
    message.redirected = view.redirected
    put_golden(message.golden_fields, view.golden)
    for record in view.records:
        _put_cross_reference(message.cross_references.add(), record)
    message.merged_enterprise_ids.extend(view.merged_ids)
    message.revision = view.revision
    put_moment(message.create_time, view.created_at)
    put_moment(message.update_time, view.changed_at)
    message.seen_revision = view.read_at if is_now else 0
    return response


def put_golden(messages: Any, golden: GoldenRecord) -> None:
    """Writes what is held to be true of a person into a repeated field."""
    for survivor in golden.survivors:
        _put_field(messages.add(), survivor)


def _put_field(message: person_pb2.GoldenField, survivor: Survivor) -> None:
    message.field, message.value, message.reason = survivor.field, survivor.value, survivor.reason
    put_key(message.source, survivor.key)
    for value, key in survivor.runners_up:
        runner_up = message.runners_up.add(value=value)
        put_key(runner_up.source, key)


def _put_cross_reference(message: person_pb2.CrossReference, record: RecordView) -> None:
    put_key(message.record, record.key)
    message.recorded_at = record.recorded_at or ""
    link = record.link
    if link is None:
        return
    message.made_by = made_by(link.made_by)
    message.since_revision = link.since_revision
    message.rule_version = link.rule_version
    if link.match_weight is not None:
        message.match_weight = link.match_weight
    if link.via is not None:
        put_key(message.linked_through, link.via)


def look_up_response(found: LookUp, tokens: Tokens) -> service_pb2.LookUpIdentifierResponse:
    """What `LookUpIdentifier` answers."""
    response = service_pb2.LookUpIdentifierResponse(
        shared_widely=found.shared_widely, consistency_token=tokens.consistency(found.revision)
    )
    for each in found.people:
        person = response.persons.add(enterprise_id=each.enterprise_id)
        put_keys(person.bearing_records, each.bearing)
        put_keys(person.cross_references, each.cross_references)
    return response


def withdraw_response(done: Withdrawal, tokens: Tokens) -> service_pb2.WithdrawRecordResponse:
    """What `WithdrawRecord` answers."""
    response = service_pb2.WithdrawRecordResponse(
        revision=done.revision,
        decision_id=str(done.revision),
        consistency_token=tokens.consistency(done.revision),
    )
    put_affected(response.affected_persons, done.affected)
    return response
