"""Streams of items: each answered for itself, none read that there is no room for, none lost when the server ends."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from mpi.client import IdentityError
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import identity_service_pb2_grpc as service_grpc
from mpi.identity.v1.record_pb2 import RecordKey, SourceRecord
from mpi.registry.registry import Registry
from mpi.rpc.identity import ITEMS_IN_WORK
from mpi.rpc.server import Limits
from tests.rpc.serving import (
    Running,
    lan,
    refused,
    resolve_request,
    running,
    stranger,
    told_in,
    wait_until,
    writers_held,
)

BATCH = "/mpi.identity.v1.IdentityService/BatchResolve"


def item(item_id: str, record: SourceRecord) -> service.BatchResolveRequest:
    return service.BatchResolveRequest(item_id=item_id, request=resolve_request(record, f"r-{item_id}"))


def test_every_item_is_answered_under_its_own_id(served: Running) -> None:
    replies = {
        each.item_id: each for each in served.stub.BatchResolve(item(str(at), stranger(at)) for at in range(300))
    }
    assert replies.keys() == {str(at) for at in range(300)}
    people = {each.response.enterprise_id for each in replies.values()}
    assert len(people) == 300
    asked = (
        service.BatchMatchRequest(item_id=f"m{at}", request=service.MatchRequest(record=stranger(at)))
        for at in range(0, 300, 30)
    )
    for reply in served.stub.BatchMatch(asked):
        assert reply.response.candidates[0].enterprise_id == replies[reply.item_id[1:]].response.enterprise_id


def test_a_failure_answers_for_its_own_item(served: Running) -> None:
    bad = SourceRecord(key=RecordKey(source_system="HOSPITAL", source_record_id="1"))
    items = [item("good", lan()), item("bad", bad), item("again", lan()), item("fine", stranger(1))]
    items[2].request.request_id = "r-good"
    items[2].request.record.sex = "Nam"
    replies = {each.item_id: each for each in served.stub.BatchResolve(iter(items))}
    assert replies["good"].response.enterprise_id
    assert replies["fine"].response.enterprise_id
    told = told_in(replies["bad"].error)
    assert (told.code, told.fields) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        ["request.record.key.source_system"],
    )
    assert told_in(replies["again"].error).reason == "REQUEST_ID_REUSED"


def test_versions_of_one_record_are_taken_in_their_order(served: Running) -> None:
    days = [f"2025-01-{day:02}" for day in range(1, 21)]
    items = [item(day, lan(recorded_at=day, phone=f"09037182{day[-2:]}")) for day in days]
    list(served.stub.BatchResolve(iter(items)))
    person = served.client.look_up(source_record=lan().key).persons[0].enterprise_id
    [reference] = served.client.get_person(person).cross_references
    assert reference.recorded_at == days[-1]


def test_what_is_no_item_ends_the_stream_once_the_others_are_answered(served: Running) -> None:
    call: Any = served.channel.stream_stream(BATCH, request_serializer=None, response_deserializer=None)
    sent = [item("one", lan()).SerializeToString(), b"\xff\xff", item("two", stranger(1)).SerializeToString()]
    stream = call(iter(sent))
    replies = [service.BatchResolveResponse.FromString(next(stream))]
    told = refused(lambda: next(stream))
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
    assert [each.item_id for each in replies] == ["one"]


def test_who_does_not_read_is_soon_not_read_from(served: Running) -> None:
    # Items are large, so that they do not all fit into the buffers on their way.
    served.client.resolve(lan())
    sent = []
    large = lan(ward_code="x" * 1_999, sex="y" * 1_999, birth_date="z" * 1_999)

    def items() -> Iterator[service.BatchMatchRequest]:
        for at in range(20_000):
            sent.append(at)
            request = service.MatchRequest(record=large, include_explanations=True)
            yield service.BatchMatchRequest(item_id=str(at), request=request)

    # A window that does not grow: what is on its way back is little.
    narrow = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536))
    with grpc.insecure_channel(served.address, options=narrow) as channel:
        stream = service_grpc.IdentityServiceStub(channel).BatchMatch(items(), timeout=120.0)
        next(stream)
        before = -1
        while before != len(sent):
            before = len(sent)
            time.sleep(1.0)
        assert ITEMS_IN_WORK <= len(sent) < 10_000
        # how many replies lie in buffers on their way depends on the machine
        for _ in range(before):
            next(stream)
            if len(sent) > before:
                break
        assert len(sent) > before
        stream.cancel()


def test_a_stream_whose_caller_goes_leaves_nothing_behind(served: Running) -> None:
    threads = threading.active_count()
    for _ in range(3):
        stream = served.stub.BatchResolve(item(str(at), stranger(at)) for at in range(5_000))
        next(stream)
        stream.cancel()
    wait_until(lambda: served.server._batches.load == 0)
    wait_until(lambda: not any(each.name == "mpi-batch-reader" for each in threading.enumerate()))
    assert served.client.resolve(lan()).enterprise_id
    assert threading.active_count() < threads + 40


def test_a_server_that_goes_down_answers_what_it_has_begun(registry: Registry) -> None:
    with running(registry) as up:
        up.client.resolve(stranger(1000))
        sent: list[str] = []
        hold = threading.Event()

        def items() -> Iterator[service.BatchResolveRequest]:
            for at in range(40):
                sent.append(str(at))
                yield item(str(at), stranger(at))
            hold.wait(20)

        with writers_held(registry):
            stream = up.stub.BatchResolve(items())
            gatherer = up.server._identity._services.gatherer
            wait_until(lambda: len(sent) == 40 and gatherer.waiting > 0)
            wait_until(lambda: up.server._batches.load == 1)
            time.sleep(0.3)
            stopped = up.server.go_down(20)
        replies = []

        def read() -> None:
            replies.extend(stream)

        told = refused(read)
        hold.set()
        assert stopped.wait(10)
        assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert sorted(int(each.item_id) for each in replies) == list(range(40))
        assert all(each.response.enterprise_id for each in replies)


def test_more_streams_than_there_is_room_for_are_refused(registry: Registry) -> None:
    with running(registry, limits=Limits(batches=1)) as up:
        hold = threading.Event()

        def items() -> Iterator[service.BatchResolveRequest]:
            yield item("1", lan())
            hold.wait(20)

        first = up.stub.BatchResolve(items())
        assert next(first).item_id == "1"
        told = refused(lambda: next(up.stub.BatchResolve(iter([item("2", lan())]))))
        assert (told.code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
        hold.set()
        assert list(first) == []


def test_the_client_sends_again_what_a_broken_stream_left_open(served: Running) -> None:
    broken = threading.Event()
    people = {}
    for request, answer in served.client.resolve_many((stranger(at) for at in range(400)), at_once=64):
        assert not isinstance(answer, IdentityError)
        people[request.record.key.source_record_id] = answer.enterprise_id
        if len(people) == 100 and not broken.is_set():
            broken.set()
            for end_stream in list(served.server._identity.drain._listeners):
                end_stream()  # as when the server goes down; this one stays up
    assert len(people) == len(set(people.values())) == 400


@pytest.mark.parametrize("at_once", [1, 64])
def test_the_client_gives_every_answer_with_its_request(at_once: int, served: Running) -> None:
    served.client.resolve(lan())
    asked = [service.MatchRequest(record=lan(), max_candidates=at % 60) for at in range(120)]
    found = list(served.client.match_many(iter(asked), at_once=at_once))
    assert len(found) == 120
    for request, answer in found:
        assert isinstance(answer, IdentityError) == (request.max_candidates > 50)


def test_an_iterable_that_fails_is_told_to_the_caller(served: Running) -> None:
    def records() -> Iterator[SourceRecord]:
        yield lan()
        raise ValueError("the file ends here")

    with pytest.raises(ValueError, match="the file ends here"):
        list(served.client.resolve_many(records()))
