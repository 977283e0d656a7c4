"""Limits, deadlines, health, reflection, and going down under load."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mpi.domain.errors import InvalidInputError
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.registry.migrate import migrate
from mpi.registry.registry import Registry
from mpi.rpc.identity import SERVICE
from mpi.rpc.server import Limits, Server
from mpi.rpc.stewardship import SERVICE as STEWARDSHIP
from tests.postgres import PostgresServer, postgres_server
from tests.registries import SECRET
from tests.rpc.serving import Running, lan, refused, resolve_request, running, stranger, wait_until, writers_held

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def health_of(up: Running, name: str = SERVICE) -> int:
    stub: Any = health_pb2_grpc.HealthStub(up.channel)
    status: int = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status
    return status


def test_calls_beyond_the_limit_are_refused_with_details_and_health_still_answers(registry: Registry) -> None:
    with running(registry, limits=Limits(threads=2, calls=4)) as up:
        up.client.resolve(stranger(1000))
        with writers_held(registry):
            held = [up.stub.Resolve.future(resolve_request(stranger(at), str(at))) for at in range(4)]
            wait_until(lambda: up.server._calls.load == 4)
            assert up.server._calls.waiting == 2
            told = refused(lambda: up.stub.Match(service.MatchRequest(record=lan())))
            assert (told.code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
            assert told.retry_seconds is not None
            assert health_of(up) == SERVING
        assert all(each.result(20).enterprise_id for each in held)
        assert up.stub.Match(service.MatchRequest(record=lan())).outcome


def test_a_call_whose_deadline_passed_before_it_was_begun_is_not_begun(registry: Registry) -> None:
    with running(registry, limits=Limits(threads=8)) as up:
        up.client.resolve(stranger(1000))
        with writers_held(registry):
            taken = up.stub.Resolve.future(resolve_request(stranger(1), "1"))
            gatherer = up.server._identity._services.gatherer
            wait_until(lambda: up.server._calls.load == 1)
            time.sleep(0.2)  # until the one thread that writes has taken it up
            with pytest.raises(grpc.RpcError) as late:
                up.stub.Resolve(resolve_request(stranger(2), "2"), timeout=0.3)
            assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            wait_until(lambda: up.server._calls.load == 1)
        assert taken.result(20).enterprise_id
        wait_until(lambda: gatherer.waiting == 0)
        told = refused(lambda: up.stub.LookUpIdentifier(service.LookUpIdentifierRequest(source_record=stranger(2).key)))
        assert told.reason in ("UNKNOWN_RECORD", "UNKNOWN_SOURCE_SYSTEM")


def test_the_server_caps_a_call_without_a_deadline(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mpi.rpc.calls.LONGEST_CALL", 0.3)
    with running(registry) as up:
        up.client.resolve(lan("H0"), timeout=20)
        with writers_held(registry):
            told = refused(lambda: up.stub.Resolve(resolve_request(lan(), "1")))
        assert (told.code, told.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_PASSED")
        # The same request later tells whether it was written.
        assert up.client.resolve(lan(), request_id="1").enterprise_id


def test_an_address_that_cannot_be_had_is_an_error_of_one_line(served: Running) -> None:
    with pytest.raises(InvalidInputError, match=r"cannot listen on nowhere\.invalid:1"):
        Server(served.server._identity, "nowhere.invalid:1", limits=Limits(), reflected=False)


def test_health_is_told_for_the_service_and_the_whole(served: Running) -> None:
    assert health_of(served) == health_of(served, "") == SERVING
    with pytest.raises(grpc.RpcError) as unknown:
        health_of(served, "mpi.other.v1.Service")
    assert unknown.value.code() == grpc.StatusCode.NOT_FOUND


def test_reflection_is_off_unless_it_is_asked_for(registry: Registry) -> None:
    def names(up: Running) -> set[str]:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(up.channel)
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        [answer] = stub.ServerReflectionInfo(asked)
        return {each.name for each in answer.list_services_response.service}

    with running(registry) as up:
        with pytest.raises(grpc.RpcError) as off:
            names(up)
        assert off.value.code() == grpc.StatusCode.UNIMPLEMENTED
    with Registry.open(registry.name, secret=SECRET, create=False) as again, running(again, reflected=True) as up:
        assert {SERVICE, STEWARDSHIP} <= names(up)
        assert health_of(up, STEWARDSHIP) == SERVING


def test_a_server_that_goes_down_finishes_its_calls_and_loses_none(registry: Registry, registry_url: str) -> None:
    acknowledged: list[int] = []
    codes: Counter[grpc.StatusCode] = Counter()
    ended = threading.Event()

    def work(up: Running, first: int) -> None:
        with grpc.insecure_channel(up.address) as channel:
            resolve = channel.unary_unary(
                f"/{SERVICE}/Resolve",
                request_serializer=service.ResolveRequest.SerializeToString,
                response_deserializer=service.ResolveResponse.FromString,
            )
            for number in range(first, first + 10_000):
                try:
                    resolve(resolve_request(stranger(number), str(number)), timeout=20)
                except grpc.RpcError as failed:
                    codes[failed.code()] += 1
                    return
                acknowledged.append(number)
                if ended.is_set():
                    return

    with running(registry) as up:
        with ThreadPoolExecutor(8) as workers:
            working = [workers.submit(work, up, first) for first in range(0, 80_000, 10_000)]
            wait_until(lambda: len(acknowledged) > 100)
            began = time.monotonic()
            assert up.server.go_down(20).wait(20)
            took = time.monotonic() - began
            ended.set()
            for each in working:
                each.result(20)
        up.server.close()
    assert took < 10
    # What reached a server that takes no new calls is refused by gRPC itself with one or the other: nothing was done.
    assert set(codes) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    with Registry.open(registry_url, secret=SECRET, create=False) as again, running(again) as other:
        for number in acknowledged:
            key = stranger(number).key
            found = other.stub.LookUpIdentifier(service.LookUpIdentifierRequest(source_record=key))
            assert len(found.persons) == 1


def test_health_says_not_serving_first_and_its_watchers_hold_nothing_up(registry: Registry) -> None:
    with running(registry) as up:
        stub: Any = health_pb2_grpc.HealthStub(up.channel)
        stream = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert next(stream).status == SERVING
        up.client.resolve(lan("H0"))
        with writers_held(registry):
            held = up.stub.Resolve.future(resolve_request(lan(), "1"))
            wait_until(lambda: up.server._calls.load == 1)
            stopped = up.server.go_down(20)
            assert next(stream).status == NOT_SERVING
            assert not stopped.wait(0.2)
        assert held.result(20).enterprise_id
        assert stopped.wait(5)


@pytest.fixture(scope="module")
def failing() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


def test_health_follows_the_database(failing: PostgresServer) -> None:
    url = failing.create_database("health")
    migrate(url)
    with Registry.open(url, secret=SECRET, create=False) as registry, running(registry) as up:
        first = up.client.resolve(lan())
        failing.stop("immediate")
        try:
            told = refused(lambda: up.stub.Match(service.MatchRequest(record=lan())))
            assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "REGISTRY_UNAVAILABLE")
            told = refused(lambda: up.stub.Resolve(resolve_request(stranger(1), "1")))
            assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "REGISTRY_UNAVAILABLE")
            wait_until(lambda: health_of(up) == NOT_SERVING, seconds=10)
        finally:
            failing.start()
        wait_until(lambda: health_of(up) == SERVING, seconds=10)
        assert up.client.resolve(lan()).enterprise_id == first.enterprise_id
        assert up.client.resolve(stranger(1), request_id="1").enterprise_id != first.enterprise_id
