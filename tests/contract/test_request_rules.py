"""Every field of every request has a rule; each kind of rule refuses what it should, by path and without the value."""

import time
import unicodedata
from collections.abc import Iterator
from typing import TypeVar

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from hypothesis import given
from hypothesis import strategies as st

from mpi.domain.errors import InvalidInputError
from mpi.identity.v1 import health_record_pb2 as health
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import person_pb2 as person
from mpi.identity.v1 import record_pb2 as record
from mpi.identity.v1 import stewardship_service_pb2 as stewardship
from mpi.rpc.validation import EXCEPTIONS, RULES, InvalidFieldError, TooManyItemsError, check

AnyMessage = TypeVar("AnyMessage", bound=Message)

KEY = record.RecordKey(source_system="hospital", source_record_id="H-1")
RECORD = record.SourceRecord(key=KEY, full_name="Nguyễn Thị Minh Khai")
DAY = Date(year=2026, month=3, day=14)
ENTRY = health.HealthRecordEntry(record=KEY, entry_id="E 1", kind=health.ENTRY_KIND_CLAIM, date=DAY)


def changed(message: AnyMessage, **fields: object) -> AnyMessage:
    copy = type(message)()
    copy.CopyFrom(message)
    copy.MergeFrom(type(message)(**fields))
    return copy


def cleared(message: AnyMessage, field: str) -> AnyMessage:
    copy = changed(message)
    copy.ClearField(field)
    return copy


DECISION = stewardship.DecideReviewTaskRequest(
    request_id="r-1",
    name="reviewTasks/12",
    verdict="REVIEW_VERDICT_DIFFERENT",
    comment="Anh em sinh đôi",
    expected_version=1,
    seen_revision=7,
    seconds_spent=11.5,
)
MERGE = stewardship.MergePersonsRequest(
    request_id="r-1",
    left_name="persons/K7Q-2MD-9XA",
    right_name="persons/K7Q-2MD-9XB",
    reason="one card",
    seen_revision=7,
)
SPLIT = stewardship.SplitPersonRequest(
    request_id="r-1", name="persons/K7Q-2MD-9XA", records=[KEY], reason="twins", seen_revision=7
)

VALID: list[Message] = [
    service.MatchRequest(record=RECORD),
    service.ResolveRequest(request_id="r-1", record=RECORD),
    service.BatchMatchRequest(item_id="1", request=service.MatchRequest(record=RECORD)),
    service.BatchResolveRequest(item_id="1", request=service.ResolveRequest(request_id="r-1", record=RECORD)),
    service.LookUpIdentifierRequest(source_record=KEY),
    service.LookUpIdentifierRequest(citizen_id="079187001234", consistency_token="t"),
    service.GetPersonRequest(name="persons/K7Q-2MD-9XA", as_of_time=Timestamp(seconds=1_700_000_000)),
    service.GetPersonRequest(name="persons/k7q2md9xa", as_of_revision=1),
    health.RegisterHealthRecordEntriesRequest(request_id="r-1", entries=[ENTRY]),
    health.ListHealthRecordEntriesRequest(parent="persons/K7Q-2MD-9XA", start_date=DAY, page_size=5_000),
    service.ExplainMatchRequest(left=KEY, right=record.RecordKey(source_system="school", source_record_id="1")),
    service.WithdrawRecordRequest(request_id="r-1", record=KEY, reason="entered twice"),
    service.WatchPersonsRequest(),
    service.WatchPersonsRequest(after_revision=0, kinds=[person.PERSON_CHANGE_KIND_MERGED]),
    service.GetActiveRulesRequest(),
    stewardship.ListReviewTasksRequest(),
    stewardship.ListReviewTasksRequest(kinds=[person.REVIEW_TASK_KIND_OVERLAY], stages=["REVIEW_TASK_STAGE_SECOND"]),
    stewardship.ClaimReviewTaskRequest(name="reviewTasks/1"),
    stewardship.ReleaseReviewTaskRequest(name="reviewTasks/123456789012345678"),
    DECISION,
    stewardship.PreviewMergeRequest(left_name="persons/K7Q-2MD-9XA", right_name="persons/k7q2md9xb"),
    MERGE,
    stewardship.UnmergePersonsRequest(request_id="r-1", name="persons/K7Q-2MD-9XA", reason="twins", seen_revision=7),
    SPLIT,
    changed(SPLIT, into_name="persons/K7Q-2MD-9XB"),
]


def requests() -> list[Descriptor]:
    files = (service.DESCRIPTOR, stewardship.DESCRIPTOR)
    services = [each for file in files for each in file.services_by_name.values()]
    return [method.input_type for each in services for method in each.methods]


def names_inside(message: Descriptor) -> Iterator[str]:
    """Full names of all fields and oneofs that a message of ours may hold, at any depth."""
    for oneof in message.oneofs:
        yield oneof.full_name
    for field in message.fields:
        yield field.full_name
        inner = field.message_type
        if inner is not None and inner.file.package == message.file.package and not inner.GetOptions().map_entry:
            yield from names_inside(inner)


def places_inside(message: Descriptor, place: str) -> Iterator[str]:
    for field in message.fields:
        yield f"{place}.{field.name}"
        if field.message_type is not None:
            yield from places_inside(field.message_type, f"{place}.{field.name}")


def with_record(**fields: object) -> service.MatchRequest:
    return service.MatchRequest(record=changed(RECORD, **fields))


def with_key(key: record.RecordKey) -> service.ResolveRequest:
    return service.ResolveRequest(request_id="r", record=record.SourceRecord(key=key))


def entries(*listed: health.HealthRecordEntry) -> health.RegisterHealthRecordEntriesRequest:
    return health.RegisterHealthRecordEntriesRequest(request_id="r", entries=listed)


def refusal(message: Message) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        check(message)
    return caught.value


def test_every_field_of_every_request_has_a_rule() -> None:
    wanted = {name for request in requests() for name in names_inside(request)}
    assert wanted - RULES.keys() == set(), "fields without a rule"
    assert RULES.keys() - wanted == set(), "rules without a field"


def test_every_exception_is_about_a_field_that_exists() -> None:
    places = {place for request in requests() for place in places_inside(request, request.full_name)}
    assert EXCEPTIONS.keys() - places == set()


def test_every_request_has_a_valid_example() -> None:
    assert {request.full_name for request in requests()} == {message.DESCRIPTOR.full_name for message in VALID}


@pytest.mark.parametrize("message", VALID, ids=[f"{n} {each.DESCRIPTOR.name}" for n, each in enumerate(VALID)])
def test_valid_requests_pass(message: Message) -> None:
    check(message)


def test_match_needs_no_id_and_no_key_and_resolve_needs_both() -> None:
    nameless = record.SourceRecord(full_name="An")
    half = record.SourceRecord(key=record.RecordKey(source_system="hospital"), full_name="An")
    check(service.MatchRequest(record=nameless))
    check(service.MatchRequest(record=half))
    check(service.BatchMatchRequest(item_id="1", request=service.MatchRequest(record=half)))
    refused = refusal(service.ResolveRequest(request_id="r", record=nameless))
    assert refused.metadata == {"field": "record.key"}
    assert str(refused) == "record.key is required"
    refused = refusal(service.ResolveRequest(request_id="r", record=half))
    assert refused.metadata == {"field": "record.key.source_record_id"}
    refused = refusal(service.ExplainMatchRequest(left=KEY, right=half.key))
    assert refused.metadata == {"field": "right.source_record_id"}


SYSTEM, LOCAL = "record.key.source_system", "record.key.source_record_id"


def system(name: str) -> Message:
    return with_key(record.RecordKey(source_system=name, source_record_id="1"))


def local(name: str) -> Message:
    return with_key(record.RecordKey(source_system="a", source_record_id=name))


REFUSED: list[tuple[Message, str]] = [
    (service.MatchRequest(), "record"),
    (service.MatchRequest(record=RECORD, max_candidates=51), "max_candidates"),
    (service.MatchRequest(record=RECORD, max_candidates=-1), "max_candidates"),
    (service.MatchRequest(record=RECORD, consistency_token="a b"), "consistency_token"),
    (service.MatchRequest(record=RECORD, consistency_token="a" * 1_025), "consistency_token"),
    (service.ResolveRequest(record=RECORD), "request_id"),
    (service.ResolveRequest(request_id="a" * 129, record=RECORD), "request_id"),
    (service.ResolveRequest(request_id="é", record=RECORD), "request_id"),
    (service.ResolveRequest(request_id="a\n", record=RECORD), "request_id"),
    (system(""), SYSTEM),
    (system("Hospital"), SYSTEM),
    (system("a" * 65), SYSTEM),
    (system("hospital\n"), SYSTEM),
    (local("a" * 257), LOCAL),
    (local("a\0"), LOCAL),
    (local("a\u200b1"), LOCAL),
    (local(" 1"), LOCAL),
    (local("1 "), LOCAL),
    (local(unicodedata.normalize("NFD", "Hồ-1")), LOCAL),
    (with_record(full_name="An\0"), "record.full_name"),
    (with_record(address="a" * 2_001), "record.address"),
    (with_record(mother_name="Lan\x1b[2J"), "record.mother_name"),
    (with_record(additional_values={"Soc Sec": "1"}), "record.additional_values"),
    (with_record(additional_values={"": "1"}), "record.additional_values"),
    (with_record(additional_values={"surname": "\0"}), "record.additional_values[surname]"),
    (service.LookUpIdentifierRequest(), "identifier"),
    (service.LookUpIdentifierRequest(citizen_id=""), "citizen_id"),
    (service.LookUpIdentifierRequest(health_insurance_number="1" * 65), "health_insurance_number"),
    (service.LookUpIdentifierRequest(citizen_id="1\n2"), "citizen_id"),
    (service.LookUpIdentifierRequest(source_record=record.RecordKey()), "source_record.source_system"),
    (service.GetPersonRequest(name="K7Q-2MD-9XA"), "name"),
    (service.GetPersonRequest(name="persons/K7Q-2MD-9XA/records"), "name"),
    (service.GetPersonRequest(name="persons/K7Q-2MD-9XA", as_of_revision=0), "as_of_revision"),
    (service.GetPersonRequest(name="persons/K7Q-2MD-9XA", as_of_time=Timestamp(seconds=2**40)), "as_of_time"),
    (service.GetPersonRequest(name="persons/K7Q-2MD-9XA", as_of_time=Timestamp(nanos=-1)), "as_of_time"),
    (entries(), "entries"),
    (entries(ENTRY, changed(ENTRY, kind=99)), "entries[1].kind"),
    (entries(ENTRY, ENTRY, changed(ENTRY, entry_id="a\u200b")), "entries[2].entry_id"),
    (entries(health.HealthRecordEntry(record=KEY, entry_id="1", date=DAY)), "entries[0].kind"),
    (entries(health.HealthRecordEntry(record=KEY, entry_id="1", kind="ENTRY_KIND_CLAIM")), "entries[0].date"),
    (entries(changed(ENTRY, date=Date(month=2, day=30))), "entries[0].date"),
    (entries(changed(ENTRY, date=Date(year=1899))), "entries[0].date"),
    (entries(changed(ENTRY, facility="a\tb")), "entries[0].facility"),
    (entries(changed(ENTRY, facility="a" * 201)), "entries[0].facility"),
    (entries(changed(ENTRY, locator="no address")), "entries[0].locator"),
    (entries(changed(ENTRY, record=record.RecordKey(source_system="!"))), "entries[0].record.source_system"),
    (health.ListHealthRecordEntriesRequest(parent="persons/K7Q-2MD-9XA", page_size=-1), "page_size"),
    (health.ListHealthRecordEntriesRequest(parent="persons/K7Q-2MD-9XA", start_date=Date(year=2026)), "start_date"),
    (
        health.ListHealthRecordEntriesRequest(parent="persons/K7Q-2MD-9XA", kinds=["ENTRY_KIND_UNSPECIFIED"]),
        "kinds[0]",
    ),
    (health.ListHealthRecordEntriesRequest(parent="persons/"), "parent"),
    (service.WithdrawRecordRequest(request_id="r", record=KEY), "reason"),
    (service.WatchPersonsRequest(resume_token=""), "resume_token"),
    (service.WatchPersonsRequest(after_revision=-1), "after_revision"),
    (service.WatchPersonsRequest.FromString(b"\x18\x03\x18\x4d"), "kinds[1]"),
    (service.BatchMatchRequest(request=service.MatchRequest(record=RECORD)), "item_id"),
    (service.BatchMatchRequest(item_id="1", request=with_record(sex="\x07")), "request.record.sex"),
    (service.BatchResolveRequest(item_id="1"), "request"),
    (stewardship.ListReviewTasksRequest(page_size=-1), "page_size"),
    (stewardship.ListReviewTasksRequest(stages=["REVIEW_TASK_STAGE_UNSPECIFIED"]), "stages[0]"),
    (stewardship.ListReviewTasksRequest.FromString(b"\x18\x63"), "kinds[0]"),
    (stewardship.ClaimReviewTaskRequest(name="reviewTasks/"), "name"),
    (stewardship.ClaimReviewTaskRequest(name="reviewTasks/-1"), "name"),
    (stewardship.ClaimReviewTaskRequest(name="reviewTasks/1234567890123456789"), "name"),
    (stewardship.ClaimReviewTaskRequest(name="reviewTasks/\u0661"), "name"),
    (stewardship.ClaimReviewTaskRequest(name="reviewTasks/1", lease_seconds=3_601), "lease_seconds"),
    (stewardship.ReleaseReviewTaskRequest(name="persons/K7Q-2MD-9XA"), "name"),
    (cleared(DECISION, "request_id"), "request_id"),
    (cleared(DECISION, "verdict"), "verdict"),
    (cleared(DECISION, "expected_version"), "expected_version"),
    (cleared(DECISION, "seen_revision"), "seen_revision"),
    (changed(DECISION, seen_revision=-1), "seen_revision"),
    (changed(DECISION, seconds_spent=-0.1), "seconds_spent"),
    (changed(DECISION, seconds_spent=float("nan")), "seconds_spent"),
    (changed(DECISION, seconds_spent=float("inf")), "seconds_spent"),
    (changed(DECISION, comment="a\x1b[2J"), "comment"),
    (changed(DECISION, comment="a" * 2_001), "comment"),
    (changed(DECISION, records=[record.RecordKey(source_system="hospital")]), "records[0].source_record_id"),
    (stewardship.PreviewMergeRequest(left_name="persons/K7Q-2MD-9XA"), "right_name"),
    (cleared(MERGE, "reason"), "reason"),
    (cleared(MERGE, "seen_revision"), "seen_revision"),
    (changed(MERGE, left_name="reviewTasks/1"), "left_name"),
    (stewardship.UnmergePersonsRequest(request_id="r", reason="twins", seen_revision=1), "name"),
    (cleared(SPLIT, "records"), "records"),
    (changed(SPLIT, into_name="persons/"), "into_name"),
]


@pytest.mark.parametrize(("message", "field"), REFUSED, ids=[f"{n} {field}" for n, (_, field) in enumerate(REFUSED)])
def test_a_refusal_names_the_field(message: Message, field: str) -> None:
    refused = refusal(message)
    assert refused.metadata == {"field": field}
    assert str(refused).startswith(f"{field} ")
    assert type(refused) is InvalidFieldError
    assert refused.reason == "INVALID_FIELD"


def test_a_refusal_repeats_no_value() -> None:
    for message in (
        with_record(citizen_id="079187001234\0"),
        service.LookUpIdentifierRequest(citizen_id="079187001234\n"),
        with_record(additional_values={"079187001234 An": "1"}),
        local("079187001234 "),
        service.GetPersonRequest(name="079187001234"),
    ):
        refused = refusal(message)
        assert "079187001234" not in str(refused) + str(refused.metadata)


@pytest.mark.parametrize(
    "text",
    [
        unicodedata.normalize("NFD", "Nguyễn Thị Hồng"),
        "Nguy\u200bễn\ufeff",
        "12 Nguyễn Trãi\r\nPhường 2\tQuận 5",
        "Nguyễn".encode().decode("latin-1"),
        "a" * 2_000,
    ],
    ids=["nfd", "zero-width", "lines", "misread", "long"],
)
def test_raw_values_may_be_odd(text: str) -> None:
    check(with_record(address=text))
    check(with_record(additional_values={"given_name": text}))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_raw_text_is_refused_for_its_control_characters_alone(text: str) -> None:
    controls = {chr(code) for code in (*range(0x20), 0x7F)} - set("\t\r\n")
    if controls & set(text):
        assert refusal(with_record(phone=text)).metadata == {"field": "record.phone"}
    else:
        check(with_record(phone=text))


@pytest.mark.parametrize(
    ("message", "field", "limit"),
    [
        (entries(*[ENTRY] * 501), "entries", "500"),
        (entries(*[health.HealthRecordEntry()] * 100_000), "entries", "500"),
        (with_record(additional_values={f"c{n}": "" for n in range(100_000)}), "record.additional_values", "64"),
        (service.WatchPersonsRequest(kinds=[person.PERSON_CHANGE_KIND_MERGED] * 100_000), "kinds", "50"),
        (changed(DECISION, records=[KEY] * 501), "records", "500"),
        (changed(SPLIT, records=[KEY] * 500), "records", "500"),
    ],
    ids=["one too many", "entries", "map", "kinds", "records of a task", "records that leave"],
)
def test_too_many_items_are_refused_without_looking_at_them(message: Message, field: str, limit: str) -> None:
    before = time.thread_time()
    refused = refusal(message)
    assert time.thread_time() - before < 0.01
    assert type(refused) is TooManyItemsError
    assert refused.reason == "TOO_MANY_ITEMS"
    assert refused.metadata == {"field": field, "limit": limit}


def test_the_most_that_is_allowed_passes() -> None:
    check(entries(*[ENTRY] * 500))
    check(with_record(additional_values={f"c{n}": "x" for n in range(64)}))
    check(with_key(record.RecordKey(source_system="a" * 64, source_record_id="Hồ " + "x" * 253)))
