"""What a request may hold: one rule a field, and `check`, which refuses a request by naming the field that breaks one.

Checks are put together once for each message type. A test walks the descriptors and fails for a request field without a
rule.
"""

import re
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mpi.domain.errors import InvalidInputError
from mpi.identity.v1 import identity_service_pb2, stewardship_service_pb2
from mpi.rpc.field_rules import (
    Check,
    Choice,
    Day,
    Entries,
    Flag,
    Items,
    LocalId,
    Moment,
    Number,
    OneOf,
    Part,
    Raw,
    Real,
    RefusedError,
    Rule,
    Text,
)


class InvalidFieldError(InvalidInputError):
    """A field breaks its rule; `metadata["field"]` is its path, such as `record.key.source_system`."""

    reason = "INVALID_FIELD"


class TooManyItemsError(InvalidInputError):
    """A repeated or map field has more items than `metadata["limit"]`; `metadata["field"]` is its path."""

    reason = "TOO_MANY_ITEMS"


_VISIBLE = re.compile("[!-~]+")
_RAW = Raw(2_000)
_CALLER_ID = Text(128, required=True, pattern=_VISIBLE, words="visible ASCII characters")
_TOKEN = Text(1_024, pattern=_VISIBLE, words="a token of this service")
_IDENTIFIER = Text(64, required=True)
_PERSON = re.compile("persons/[0-9A-Za-z-]{9,20}")
_NAME = Text(64, required=True, pattern=_PERSON, words="persons/{enterprise_id}")
_TASK_NAME = Text(64, required=True, pattern=re.compile("reviewTasks/[0-9]{1,18}"), words="reviewTasks/{task_id}")
_COLUMN = Text(
    64, required=True, pattern=re.compile("[a-z][a-z0-9_]*"), words="a column name of a-z, 0-9 and underscore"
)
_LOCATOR = Text(2_048, pattern=re.compile("[A-Za-z][A-Za-z0-9+.-]*:[!-~]+"), words="a URI of visible ASCII characters")
_SYSTEM = Text(64, required=True, pattern=re.compile("[a-z0-9_.-]+"), words="of a-z, 0-9, dot, hyphen and underscore")
_REVISIONS = 2**63 - 1
_SEEN = Number(1, _REVISIONS)
_REASON = Text(2_000, required=True)

_PACKAGE = "mpi.identity.v1."

_BY_MESSAGE: Mapping[str, Mapping[str, Rule]] = {
    "RecordKey": {"source_system": _SYSTEM, "source_record_id": LocalId(256)},
    "SourceRecord": {
        "key": Part(required=True),
        "full_name": _RAW,
        "birth_date": _RAW,
        "sex": _RAW,
        "citizen_id": _RAW,
        "health_insurance_number": _RAW,
        "phone": _RAW,
        "ward_code": _RAW,
        "address": _RAW,
        "mother_name": _RAW,
        "recorded_at": _RAW,
        "additional_values": Entries(64, _COLUMN, _RAW),
    },
    "HealthRecordEntry": {
        "record": Part(required=True),
        "entry_id": LocalId(256),
        "kind": Choice(),
        "date": Day(required=True),
        "facility": Text(200),
        "locator": _LOCATOR,
    },
    "MatchRequest": {
        "record": Part(required=True),
        "max_candidates": Number(0, 50),
        "include_explanations": Flag(),
        "include_certainly_not": Flag(),
        "consistency_token": _TOKEN,
    },
    "ResolveRequest": {"request_id": _CALLER_ID, "record": Part(required=True)},
    "BatchMatchRequest": {"item_id": _CALLER_ID, "request": Part(required=True)},
    "BatchResolveRequest": {"item_id": _CALLER_ID, "request": Part(required=True)},
    "LookUpIdentifierRequest": {
        "identifier": OneOf(required=True),
        "source_record": Part(),
        "citizen_id": _IDENTIFIER,
        "health_insurance_number": _IDENTIFIER,
        "consistency_token": _TOKEN,
    },
    "GetPersonRequest": {
        "name": _NAME,
        "as_of": OneOf(),
        "as_of_time": Moment(),
        "as_of_revision": Number(1, _REVISIONS),
        "consistency_token": _TOKEN,
    },
    "RegisterHealthRecordEntriesRequest": {
        "request_id": _CALLER_ID,
        "entries": Items(500, Part(), least=1),
    },
    "ListHealthRecordEntriesRequest": {
        "parent": _NAME,
        "page_size": Number(0, 2**31 - 1),
        "page_token": _TOKEN,
        "kinds": Items(50, Choice()),
        "start_date": Day(),
        "end_date": Day(),
        "consistency_token": _TOKEN,
    },
    "ExplainMatchRequest": {
        "left": Part(required=True),
        "right": Part(required=True),
        "consistency_token": _TOKEN,
    },
    "WithdrawRecordRequest": {
        "request_id": _CALLER_ID,
        "record": Part(required=True),
        "reason": Text(500, required=True),
    },
    "WatchPersonsRequest": {
        "start": OneOf(),
        "resume_token": Text(1_024, required=True, pattern=_VISIBLE, words="a token of this service"),
        "after_revision": Number(0, _REVISIONS),
        "kinds": Items(50, Choice()),
    },
    "GetActiveRulesRequest": {},
    "ListReviewTasksRequest": {
        "page_size": Number(0, 2**31 - 1),
        "page_token": _TOKEN,
        "kinds": Items(50, Choice()),
        "stages": Items(50, Choice()),
        "claimed_by_me": Flag(),
    },
    "ClaimReviewTaskRequest": {"name": _TASK_NAME, "lease_seconds": Number(0, 3_600)},
    "ReleaseReviewTaskRequest": {"name": _TASK_NAME},
    "DecideReviewTaskRequest": {
        "request_id": _CALLER_ID,
        "name": _TASK_NAME,
        "verdict": Choice(),
        "comment": Text(2_000),
        "expected_version": Number(1, 2**31 - 1),
        "seen_revision": _SEEN,
        "seconds_spent": Real(0, 86_400),
        "records": Items(500, Part()),
    },
    "PreviewMergeRequest": {"left_name": _NAME, "right_name": _NAME},
    "MergePersonsRequest": {
        "request_id": _CALLER_ID,
        "left_name": _NAME,
        "right_name": _NAME,
        "reason": _REASON,
        "seen_revision": _SEEN,
    },
    "UnmergePersonsRequest": {"request_id": _CALLER_ID, "name": _NAME, "reason": _REASON, "seen_revision": _SEEN},
    "SplitPersonRequest": {
        "request_id": _CALLER_ID,
        "name": _NAME,
        "records": Items(500, Part(), least=1),
        "into_name": Text(64, pattern=_PERSON, words="persons/{enterprise_id}"),
        "reason": _REASON,
        "seen_revision": _SEEN,
    },
}

RULES: Mapping[str, Rule] = {
    f"{_PACKAGE}{message}.{field}": rule for message, rules in _BY_MESSAGE.items() for field, rule in rules.items()
}
"""The rule of every field and oneof that a request may hold, by full name."""

EXCEPTIONS: Mapping[str, Rule] = {
    f"{_PACKAGE}MatchRequest.record.key": Part(),
    f"{_PACKAGE}MatchRequest.record.key.source_record_id": LocalId(256, required=False),
}
"""Other rules for fields in one place: by the full name of a message, and the path from there."""


def check(message: Message) -> None:
    """Refuse a request, or an item of a stream, that breaks a rule.

    Raises InvalidFieldError or TooManyItemsError naming the path of the first field that does.
    """
    try:
        _CHECKS[type(message)](message)
    except RefusedError as refused:
        line, metadata = f"{refused.path} {refused.words}", {"field": refused.path}
        if refused.limit is None:
            raise InvalidFieldError(line, metadata=metadata) from None
        raise TooManyItemsError(line, metadata={**metadata, "limit": str(refused.limit)}) from None


def _message_check(message: Descriptor, places: Sequence[str]) -> Check:
    """The check of one message type. `places` are its names as parts of the messages around it."""
    places = [*places, message.full_name]
    raw: list[str] = []
    steps: list[tuple[str, bool, bool, Check]] = []
    for field in message.fields:
        rule = _rule(field, places)
        if isinstance(rule, Raw) and rule == _RAW and not field.has_presence:
            raw.append(field.name)
            continue
        required = field.containing_oneof is None and isinstance(rule, Part | Day | Moment) and rule.required
        steps.append((field.name, field.has_presence, required, _field_check(field, rule, places)))
    wanted = [oneof.name for oneof in message.oneofs if RULES[oneof.full_name] == OneOf(required=True)]

    def check_fields(value: Any) -> None:
        for oneof in wanted:
            if value.WhichOneof(oneof) is None:
                raise _refused(oneof, "is required")
        for name, has_presence, required, check_field in steps:
            if has_presence and not value.HasField(name):
                if required:
                    raise _refused(name, "is required")
                continue
            try:
                check_field(getattr(value, name))
            except RefusedError as refused:
                refused.under(name)
                raise

    return _with_raw_texts(raw, check_fields) if raw else check_fields


def _with_raw_texts(names: list[str], check_others: Check) -> Check:
    """Check raw texts all at once, and one by one only when something about them is out of the ordinary."""
    texts = attrgetter(*names, names[0])  # at least two names, so that it gives a tuple

    def check_all(value: Any) -> None:
        joined = "".join(texts(value))
        if len(joined) > _RAW.most or not joined.isprintable():
            for name in names:
                try:
                    _RAW.check(getattr(value, name))
                except RefusedError as refused:
                    refused.under(name)
                    raise
        check_others(value)

    return check_all


def _rule(field: FieldDescriptor, places: Sequence[str]) -> Rule:
    """The rule of a field; that of the outermost place which has one of its own."""
    own = (EXCEPTIONS.get(f"{place}.{field.name}") for place in places)
    return next((rule for rule in own if rule is not None), None) or RULES[field.full_name]


def _field_check(field: FieldDescriptor, rule: Rule, places: Sequence[str]) -> Check:
    """The check of one field that is set; of a repeated one, that of all its items."""
    if isinstance(rule, Items):
        return _items_check(rule, _field_check(field, rule.each, places))
    if isinstance(rule, Entries):
        return _entries_check(rule)
    if isinstance(rule, Part) and field.message_type is not None:
        return _message_check(field.message_type, [f"{place}.{field.name}" for place in places])
    if isinstance(rule, Choice) and field.enum_type is not None:
        return rule.of(field.enum_type)
    if isinstance(rule, Part | Choice | OneOf):
        raise TypeError(f"{field.full_name} cannot have a rule of kind {type(rule).__name__}")
    return rule.check


def _items_check(rule: Items, check_item: Check) -> Check:
    def check_items(items: Any) -> None:
        count = len(items)
        if count > rule.most:
            raise RefusedError(f"has more than {rule.most:,} items", limit=rule.most)
        if count < rule.least:
            raise RefusedError(f"has fewer than {rule.least:,} items")
        for index, item in enumerate(items):
            try:
                check_item(item)
            except RefusedError as refused:
                refused.under(f"[{index}]")
                raise

    return check_items


def _entries_check(rule: Entries) -> Check:
    def check_entries(entries: Any) -> None:
        if not entries:
            return
        if len(entries) > rule.most:
            raise RefusedError(f"has more than {rule.most:,} items", limit=rule.most)
        for key, value in entries.items():
            # A key is told only once it is known to be a column's name.
            rule.key.check(key)
            try:
                rule.value.check(value)
            except RefusedError as refused:
                refused.under(f"[{key}]")
                raise

    return check_entries


def _refused(place: str, words: str) -> RefusedError:
    error = RefusedError(words)
    error.under(place)
    return error


def _all_checks() -> dict[type[Message], Check]:
    """The check of every request of the services, and of every request inside an item of a stream."""
    files = (identity_service_pb2.DESCRIPTOR, stewardship_service_pb2.DESCRIPTOR)
    services = [service for file in files for service in file.services_by_name.values()]
    requests = [method.input_type for service in services for method in service.methods]
    return {GetMessageClass(request): _message_check(request, ()) for request in requests}


_CHECKS = _all_checks()
