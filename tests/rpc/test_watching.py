"""Watching over a socket: every change once, in order, across breaks; an end that says where to go on."""

import threading
import time
from typing import Any

import grpc
import pytest

from mpi.client import IdentityError
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import identity_service_pb2_grpc as service_grpc
from mpi.identity.v1 import person_pb2
from mpi.registry.registry import Registry
from mpi.rpc import watching
from mpi.rpc.server import Limits
from mpi.services.watch import WatchLimits
from tests.registries import SECRET
from tests.rpc.serving import Running, lan, refused, resolve_request, running, stranger, wait_until

CREATED, LINKED = person_pb2.PERSON_CHANGE_KIND_CREATED, person_pb2.PERSON_CHANGE_KIND_LINKED


def changes_of(stream: Any, count: int) -> list[person_pb2.PersonChange]:
    """The next changes of a stream."""
    found: list[person_pb2.PersonChange] = []
    while len(found) < count:
        message = next(stream)
        assert message.resume_token
        if message.HasField("change"):
            found.append(message.change)
    return found


def test_changes_come_as_they_happen(served: Running) -> None:
    stream = served.stub.WatchPersons(service.WatchPersonsRequest(after_revision=0))
    first = served.client.resolve(lan())
    second = served.client.resolve(lan("S1", "station"))
    served.client.withdraw(lan().key, "a mistake")
    created, linked, withdrawn = changes_of(stream, 3)
    assert [each.kind for each in (created, linked, withdrawn)] == [
        CREATED,
        LINKED,
        person_pb2.PERSON_CHANGE_KIND_RECORD_WITHDRAWN,
    ]
    assert [each.revision for each in (created, linked)] == [first.revision, second.revision]
    assert created.enterprise_id == linked.enterprise_id == first.enterprise_id
    assert list(linked.records) == [lan("S1", "station").key]
    assert (linked.made_by, withdrawn.made_by) == (person_pb2.MADE_BY_RULES, person_pb2.MADE_BY_SOURCE)
    assert abs(linked.event_time.seconds - time.time()) < 300
    stream.cancel()


def test_a_stream_goes_on_from_its_token_without_a_gap_or_a_repeat(served: Running) -> None:
    revisions = [served.client.resolve(stranger(number)).revision for number in range(9)]
    seen: list[int] = []
    start: dict[str, Any] = {"after_revision": 0}
    for _ in range(3):
        stream = served.stub.WatchPersons(service.WatchPersonsRequest(**start))
        for message in stream:
            if message.HasField("change"):
                seen.append(message.change.revision)
                if len(seen) % 3 == 0:
                    start = {"resume_token": message.resume_token}
                    break
        stream.cancel()
    assert seen == revisions


def test_a_watch_begins_with_what_happens_after_now(served: Running) -> None:
    served.client.resolve(stranger(1))
    stream = served.stub.WatchPersons(service.WatchPersonsRequest())
    assert not next(stream).HasField("change")
    done = served.client.resolve(stranger(2))
    [change] = changes_of(stream, 1)
    assert change.enterprise_id == done.enterprise_id
    stream.cancel()


def test_only_the_kinds_asked_for_come(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "HEARTBEAT", 0.2)
    served.client.resolve(lan())
    second = served.client.resolve(lan("S1", "station"))
    stream = served.stub.WatchPersons(service.WatchPersonsRequest(after_revision=0, kinds=[LINKED]))
    [change] = changes_of(stream, 1)
    assert (change.kind, change.revision) == (LINKED, second.revision)
    stream.cancel()
    kinds = [person_pb2.PERSON_CHANGE_KIND_SPLIT]
    stream = served.stub.WatchPersons(service.WatchPersonsRequest(after_revision=0, kinds=kinds))
    assert not any(next(stream).HasField("change") for _ in range(4))
    stream.cancel()


def test_a_silent_stream_says_how_far_it_has_come(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "HEARTBEAT", 0.1)
    done = served.client.resolve(lan())
    stream = served.stub.WatchPersons(service.WatchPersonsRequest())
    tokens = {next(stream).resume_token for _ in range(3)}
    stream.cancel()
    later = served.client.resolve(stranger(1))
    assert later.revision == done.revision + 1
    [token] = tokens
    stream = served.stub.WatchPersons(service.WatchPersonsRequest(resume_token=token))
    assert [each.revision for each in changes_of(stream, 1)] == [later.revision]
    stream.cancel()


@pytest.mark.parametrize(
    ("request_", "code", "reason", "field"),
    [
        ({"resume_token": "abc"}, "INVALID_ARGUMENT", "RESUME_TOKEN_INVALID", "resume_token"),
        ({"after_revision": -1}, "INVALID_ARGUMENT", "INVALID_FIELD", "after_revision"),
        ({"after_revision": 10**9}, "OUT_OF_RANGE", "REVISION_NOT_REACHED", ""),
        ({"kinds": [99]}, "INVALID_ARGUMENT", "INVALID_FIELD", "kinds[0]"),
    ],
)
def test_a_start_that_is_none_is_refused(
    request_: dict[str, Any], code: str, reason: str, field: str, served: Running
) -> None:
    told = refused(lambda: next(served.stub.WatchPersons(service.WatchPersonsRequest(**request_))))
    assert (told.code.name, told.reason, told.fields) == (code, reason, [field] if field else [])


def test_a_server_that_goes_down_ends_its_streams_with_a_token(registry: Registry, registry_url: str) -> None:
    with running(registry) as up:
        done = up.client.resolve(lan())
        stream = up.stub.WatchPersons(service.WatchPersonsRequest(after_revision=0))
        [change] = changes_of(stream, 1)
        assert change.revision == done.revision
        began = time.monotonic()
        stopped = up.server.go_down(20)
        told = refused(lambda: list(stream))
        assert stopped.wait(5)
        assert time.monotonic() - began < 5
        assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        token = told.metadata["resume_token"]
    # The token is good at another server of the registry.
    with (
        Registry.open(registry_url, secret=SECRET, create=False) as again,
        running(again) as other,
    ):
        new = other.client.resolve(stranger(1))
        stream = other.stub.WatchPersons(service.WatchPersonsRequest(resume_token=token))
        assert [each.revision for each in changes_of(stream, 1)] == [new.revision]
        stream.cancel()


def test_more_watchers_than_there_is_room_for_are_refused_with_details(registry: Registry) -> None:
    with running(registry, limits=Limits(watchers=2)) as up:
        streams = [up.stub.WatchPersons(service.WatchPersonsRequest()) for _ in range(2)]
        for stream in streams:
            next(stream)
        told = refused(lambda: next(up.stub.WatchPersons(service.WatchPersonsRequest())))
        assert (told.code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
        assert up.client.resolve(lan()).enterprise_id
        streams[0].cancel()
        wait_until(lambda: up.server._watchers.load < 2)
        third = up.stub.WatchPersons(service.WatchPersonsRequest())
        next(third)
        third.cancel()
        streams[1].cancel()


def test_a_client_that_watches_goes_on_by_itself_when_streams_break(registry: Registry) -> None:
    with running(registry) as up:
        seen: list[int] = []
        done = threading.Event()

        def watch() -> None:
            for message in up.client.watch(after_revision=0):
                if message.HasField("change"):
                    seen.append(message.change.revision)
                if len(seen) == 12:
                    done.set()
                    return

        thread = threading.Thread(target=watch)
        thread.start()
        revisions = []
        for number in range(12):
            revisions.append(up.stub.Resolve(resolve_request(stranger(number), str(number))).revision)
            if number % 4 == 3:
                wait_until(lambda: len(seen) == len(revisions))
                for stream in list(up.server._identity._watching._stuck._open):
                    stream.context.cancel()
        assert done.wait(20)
        thread.join()
        assert seen == revisions


def test_who_does_not_read_is_cut_and_can_go_on(registry: Registry) -> None:
    limits = WatchLimits(waiting=50, page=100, patience=0.5)
    narrow = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536))
    with running(registry, watch_limits=limits) as up:
        records = [stranger(number) for number in range(1_200)]
        for number, record in enumerate(records):
            record.key.source_record_id = f"{number:0250}"  # Long ids make long messages.
        answers = [answer for _, answer in up.client.resolve_many(records)]
        last = max(answer.revision for answer in answers if not isinstance(answer, IdentityError))
        with grpc.insecure_channel(up.address, options=narrow) as channel:
            stream = service_grpc.IdentityServiceStub(channel).WatchPersons(
                service.WatchPersonsRequest(after_revision=0)
            )
            [first] = changes_of(stream, 1)
            assert first.revision == 1
            # Nobody reads on; the server does not wait for ever.
            wait_until(lambda: up.server._watchers.load == 0)
            seen = [1]
            token = ""

            def read() -> None:
                nonlocal token
                for message in stream:
                    token = message.resume_token
                    if message.HasField("change"):
                        seen.append(message.change.revision)

            with pytest.raises(grpc.RpcError):
                read()
        assert len(seen) < last
        again = up.stub.WatchPersons(service.WatchPersonsRequest(resume_token=token))
        seen += [change.revision for change in changes_of(again, last - len(seen))]
        again.cancel()
        assert seen == list(range(1, last + 1))
