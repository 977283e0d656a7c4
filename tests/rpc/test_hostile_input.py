"""Input that no honest caller sends: it is refused by name and at once, and hurts nobody else."""

import time
import unicodedata
from typing import Any

import grpc
import psutil
import pytest

from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1.record_pb2 import RecordKey, SourceRecord
from tests.rpc.serving import Running, lan, refused, resolve_request, stranger

MATCH = "/mpi.identity.v1.IdentityService/Match"
MEBIBYTE = 1 << 20


def raw(served: Running, sent: bytes, method: str = MATCH) -> bytes:
    call: Any = served.channel.unary_unary(method, request_serializer=None, response_deserializer=None)
    answer: bytes = call(sent, timeout=20)
    return answer


def length_prefixed(tag: int, content: bytes) -> bytes:
    encoded, size = bytearray([tag]), len(content)
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(encoded) + bytes([size]) + content


NOT_UTF8 = length_prefixed(0x0A, length_prefixed(0x12, b"\xff\xfe"))
SURROGATE = length_prefixed(0x0A, length_prefixed(0x12, b"\xed\xa0\x80"))
ENDLESS = b"\x0a\xff\xff\xff\xff\x0f"
DEEP = b""
for _ in range(3_000):
    DEEP = length_prefixed(0x0A, DEEP)


@pytest.mark.parametrize(
    "sent",
    [b"\x00", b"\xff" * 100, NOT_UTF8, SURROGATE, ENDLESS],
    ids=["zero", "ones", "no UTF-8", "a surrogate", "endless"],
)
def test_bytes_that_are_no_message_are_the_callers_error(sent: bytes, served: Running) -> None:
    told = refused(lambda: raw(served, sent))
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


def test_an_empty_message_misses_its_required_field(served: Running) -> None:
    told = refused(lambda: raw(served, b""))
    assert (told.code, told.reason, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", ["record"])


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (SourceRecord(full_name="La\x00n"), "record.full_name"),
        (SourceRecord(full_name="L" * 3000), "record.full_name"),
        (SourceRecord(key=RecordKey(source_system="Hospital")), "record.key.source_system"),
        (SourceRecord(key=RecordKey(source_system="h", source_record_id="1\u200b")), "record.key.source_record_id"),
        (
            SourceRecord(key=RecordKey(source_system="h", source_record_id=unicodedata.normalize("NFD", "ế"))),
            "record.key.source_record_id",
        ),
        (SourceRecord(additional_values={"a b": "c"}), "record.additional_values"),
    ],
    ids=["NUL", "too long", "capital", "zero width", "NFD", "no column"],
)
def test_a_bad_field_is_named(record: SourceRecord, field: str, served: Running) -> None:
    told = refused(lambda: served.stub.Match(service.MatchRequest(record=record)))
    assert (told.code, told.reason, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", [field])


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
@pytest.mark.parametrize("between", ["", "\u200b", "\u200d", "\ufeff"])
def test_names_may_have_any_unicode_form_and_zero_width_characters(form: Any, between: str, served: Running) -> None:
    made = served.client.resolve(lan())
    name = unicodedata.normalize(form, f"Trần{between} Thị Lan")
    record = SourceRecord(full_name=name, birth_date="19/03/1984", citizen_id="079184000123")
    [candidate] = served.client.match(record).candidates
    assert candidate.enterprise_id == made.enterprise_id


def test_a_hundred_thousand_values_are_refused_at_once(served: Running) -> None:
    values = (length_prefixed(0x62, length_prefixed(0x0A, b"%05x" % number)) for number in range(100_000))
    sent = length_prefixed(0x0A, b"".join(values))
    began = time.monotonic()
    told = refused(lambda: raw(served, sent))
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "TOO_MANY_ITEMS")
    assert told.fields == ["record.additional_values"]
    assert time.monotonic() - began < 5


def test_a_hundred_thousand_entries_are_refused_at_once(served: Running) -> None:
    sent = length_prefixed(0x0A, b"r") + length_prefixed(0x12, b"") * 100_000
    told = refused(lambda: raw(served, sent, "/mpi.identity.v1.IdentityService/RegisterHealthRecordEntries"))
    assert (told.code, told.reason, told.fields) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "TOO_MANY_ITEMS",
        ["entries"],
    )


@pytest.mark.parametrize("size", [MEBIBYTE + 1, 8 * MEBIBYTE])
def test_a_message_that_is_too_large_is_refused_by_the_transport(size: int, served: Running) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        raw(served, length_prefixed(0x0A, b"\x00" * size))
    assert failed.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_hostile_callers_do_not_make_the_server_grow_or_fall(served: Running) -> None:
    process = psutil.Process()
    sent = [NOT_UTF8, b"\x00" * (MEBIBYTE // 2), length_prefixed(0x0A, b"\x00" * (2 * MEBIBYTE)), DEEP]

    def attack() -> None:
        for each in sent * 10:
            with pytest.raises(grpc.RpcError) as failed:
                raw(served, each)
            assert failed.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)

    attack()
    before = process.memory_info().rss
    attack()
    attack()
    assert process.memory_info().rss - before < 32 * MEBIBYTE
    assert served.stub.Resolve(resolve_request(stranger(1), "after-all-that")).enterprise_id
