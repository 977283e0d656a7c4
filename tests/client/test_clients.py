"""Both clients against a real server: calls, deadlines, and tries that do nothing twice."""

import asyncio
import socket
import threading
import time
from datetime import UTC, date, datetime
from typing import Any

import grpc
import pytest
from google.type.date_pb2 import Date

from mpi.client import AsyncIdentityClient, IdentityClient, IdentityError
from mpi.identity.v1 import health_record_pb2 as health
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.registry.registry import Registry
from mpi.rpc.identity import Identity, Services
from mpi.rpc.server import Limits, Server
from mpi.services.neighbourhood import OnlineRules
from tests.rpc.conftest import served
from tests.rpc.serving import Running, lan, running, stranger, wait_until, writers_held
from tests.services.stored import SCORER

__all__ = ["served"]


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_a_call_waits_for_a_server_that_is_not_there_yet(registry: Registry) -> None:
    address = free_address()
    answers: list[service.ResolveResponse] = []
    with IdentityClient(address, timeout=30, attempts=50) as client:
        caller = threading.Thread(target=lambda: answers.append(client.resolve(lan())))
        caller.start()
        time.sleep(0.5)
        identity = Identity(Services.over(registry, OnlineRules(SCORER, registry.secret)))
        server = Server(identity, address, limits=Limits(), reflected=False)
        server.start()
        caller.join(30)
        assert answers[0].outcome == service.RESOLVE_OUTCOME_NEW_PERSON
    server.go_down(0).wait(10)
    server.close()


def test_nobody_there_is_told_within_the_timeout() -> None:
    with IdentityClient(free_address(), timeout=0.5, attempts=100) as client:
        began = time.monotonic()
        with pytest.raises(IdentityError) as failed:
            client.match(lan())
        assert time.monotonic() - began < 2
    assert failed.value.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    assert failed.value.reason == ""


def test_what_the_caller_did_wrong_is_not_tried_again(served: Running) -> None:
    began = time.monotonic()
    with pytest.raises(IdentityError) as failed:
        served.client.match(lan(full_name="x\x00"), timeout=60)
    assert time.monotonic() - began < 5
    assert [each.field for each in failed.value.field_violations] == ["record.full_name"]


def test_a_write_that_is_tried_again_is_done_once(served: Running, registry: Registry) -> None:
    """Deadlines pass while the write waits; the last try finds what the first one did."""
    first = served.client.resolve(stranger(1))
    tries: list[service.ResolveResponse] = []
    with writers_held(registry):
        for _ in range(3):
            with pytest.raises(IdentityError) as late:
                served.client.resolve(stranger(2), request_id="kept", timeout=0.2)
            assert late.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
    wait_until(lambda: served.server._calls.load == 0)
    tries = [served.client.resolve(stranger(2), request_id="kept") for _ in range(2)]
    assert tries[0] == tries[1]
    assert tries[0].record_change == tries[1].record_change
    assert tries[0].revision == first.revision + 1


def test_every_call_has_a_deadline(served: Running, registry: Registry) -> None:
    served.client.resolve(stranger(1))
    with IdentityClient(served.address, timeout=0.3) as client, writers_held(registry):
        began = time.monotonic()
        with pytest.raises(IdentityError) as late:
            client.resolve(stranger(2))
        assert time.monotonic() - began < 3
    assert late.value.code == grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    "arguments",
    [{}, {"citizen_id": "1", "health_insurance_number": "2"}],
)
def test_one_identifier_is_looked_up_at_a_time(arguments: dict[str, Any]) -> None:
    with IdentityClient(free_address()) as client, pytest.raises(ValueError, match="give one of"):
        client.look_up(**arguments)


def test_points_in_time_and_starts_are_given_once() -> None:
    with IdentityClient(free_address()) as client:
        with pytest.raises(ValueError, match="not both"):
            client.get_person("K7Q-2MD-9XA", as_of_time=datetime.now(UTC), as_of_revision=1)
        with pytest.raises(ValueError, match="time zone"):
            client.get_person("K7Q-2MD-9XA", as_of_time=datetime(2025, 1, 1))  # noqa: DTZ001 (that is the point)
        with pytest.raises(ValueError, match="not both"):
            next(client.watch(resume_token="t", after_revision=1))


def test_closing_a_client_ends_its_watch(registry: Registry) -> None:
    with running(registry) as up:
        client = IdentityClient(up.address)
        seen = threading.Event()

        def watch() -> None:
            for _ in client.watch():
                seen.set()

        thread = threading.Thread(target=watch)
        thread.start()
        assert seen.wait(10)
        client.close()
        thread.join(10)
        assert not thread.is_alive()


def test_the_asyncio_client_does_the_same(served: Running) -> None:
    entry = health.HealthRecordEntry(
        record=lan().key, entry_id="e", kind=health.ENTRY_KIND_CLAIM, date=Date(year=2024, month=5, day=6)
    )

    async def calls() -> None:
        async with AsyncIdentityClient(served.address) as client:
            one, other = await asyncio.gather(client.resolve(lan()), client.resolve(stranger(3)))
            assert one.enterprise_id != other.enterprise_id
            [candidate] = (await client.match(lan(), consistency_token=one.consistency_token)).candidates
            assert candidate.enterprise_id == one.enterprise_id
            [found] = (await client.look_up(source_record=lan().key)).persons
            assert found.enterprise_id == one.enterprise_id
            assert (await client.get_person(one.enterprise_id)).enterprise_id == one.enterprise_id
            written = await client.register_entries([entry])
            listed = [
                each
                async for each in client.list_entries(
                    one.enterprise_id, start_date=date(2024, 1, 1), consistency_token=written.consistency_token
                )
            ]
            assert listed == [entry]
            why = await client.explain(lan().key, stranger(3).key)
            assert not why.same_person
            withdrawn = await client.withdraw(stranger(3).key, "a mistake")
            assert withdrawn.revision > other.revision
            assert (await client.active_rules()).family == "vn_person"
            revisions = []
            async for message in client.watch(after_revision=0):
                if message.HasField("change"):
                    revisions.append(message.change.revision)
                if len(revisions) == withdrawn.revision:
                    break
            assert revisions == list(range(1, withdrawn.revision + 1))
            with pytest.raises(IdentityError) as failed:
                await client.match(lan(sex="\x00"))
            assert [each.field for each in failed.value.field_violations] == ["record.sex"]

    asyncio.run(calls())
