"""A server on a real socket over a real registry, and what tests send to it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from mpi.client import IdentityClient
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import identity_service_pb2_grpc as service_grpc
from mpi.identity.v1.record_pb2 import RecordKey, SourceRecord
from mpi.registry.registry import Registry
from mpi.rpc.errors import STATUS_KEY
from mpi.rpc.identity import Identity, Services
from mpi.rpc.server import Limits, Server
from mpi.services.neighbourhood import OnlineRules
from mpi.services.watch import Watch, WatchLimits
from tests.services.stored import SCORER


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers, and ways to call it. `stub` makes every call once; `client` tries again."""

    server: Server
    address: str
    channel: grpc.Channel
    stub: Any
    client: IdentityClient


@contextmanager
def running(
    registry: Registry,
    *,
    limits: Limits | None = None,
    reflected: bool = False,
    watch_limits: WatchLimits | None = None,
) -> Iterator[Running]:
    """A server for as long as the block lasts."""
    services = Services.over(registry, OnlineRules(SCORER, registry.secret))
    if watch_limits is not None:
        services.watch.close()
        services = replace(services, watch=Watch(registry, watch_limits))
    server = Server(Identity(services), "127.0.0.1:0", limits=limits or Limits(), reflected=reflected)
    server.start()
    address = f"127.0.0.1:{server.port}"
    try:
        wait_until(lambda: server.health.serving)
        with grpc.insecure_channel(address) as channel, IdentityClient(address) as client:
            yield Running(server, address, channel, service_grpc.IdentityServiceStub(channel), client)
    finally:
        server.go_down(0).wait(10)
        server.close()


def wait_until(holds: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Waits for something to become true."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


@contextmanager
def writers_held(registry: Registry) -> Iterator[None]:
    """Nobody else can write single records while the block lasts; what tries waits."""
    with registry.begin() as uow:
        uow.dialect.lock_keys(uow.driver, [], all_keys=True)
        yield


def lan(local_id: str = "H1", system: str = "hospital", **values: str) -> SourceRecord:
    """Always the same woman."""
    given: dict[str, Any] = {"full_name": "Trần Thị Lan", "birth_date": "19/03/1984", "citizen_id": "079184000123"}
    key = RecordKey(source_system=system, source_record_id=local_id)
    return SourceRecord(key=key, **{**given, "phone": "0903718264", **values})


_FAMILY = "Trần Nguyễn Lê Phạm Hoàng Vũ Đặng Bùi Đỗ Hồ Ngô Dương".split()
_GIVEN = "An Bình Chi Dũng Giang Hà Khánh Linh Minh Nam Oanh Phúc Quân Sơn Thảo Uyên Vân Xuân Yến".split()


def stranger(number: int, system: str = "school") -> SourceRecord:
    """One of many people who have nothing in common with each other."""
    family, given = _FAMILY[number % len(_FAMILY)], _GIVEN[number // 3 % len(_GIVEN)]
    year = 1930 + number * 7 % 80
    return SourceRecord(
        key=RecordKey(source_system=system, source_record_id=f"S{number}"),
        full_name=f"{family} {_GIVEN[number * 5 % len(_GIVEN)]} {given}",
        birth_date=f"{year}-{1 + number % 12:02}-{1 + number % 28:02}",
        citizen_id=f"0791{year % 100:02}{100_000 + number:06}",
    )


def resolve_request(record: SourceRecord, request_id: str) -> service.ResolveRequest:
    return service.ResolveRequest(request_id=request_id, record=record)


@dataclass(frozen=True, slots=True)
class Told:
    """What a failed call said."""

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: dict[str, str]
    fields: list[str]
    retry_seconds: float | None


def told_by(failed: grpc.RpcError) -> Told:
    """A failed call's status. It must have one, with exactly one ErrorInfo."""
    trailing: Any = failed.trailing_metadata()
    [packed] = [value for key, value in trailing if key == STATUS_KEY]
    status = Status.FromString(packed)
    assert (status.code, status.message) == (failed.code().value[0], failed.details())
    return told_in(status)


def told_in(status: Status) -> Told:
    infos, fields, retries = [], [], []
    details: Sequence[Any] = status.details
    for detail in details:
        if detail.Is(ErrorInfo.DESCRIPTOR):
            infos.append(ErrorInfo.FromString(detail.value))
        elif detail.Is(BadRequest.DESCRIPTOR):
            bad = BadRequest.FromString(detail.value)
            fields += [each.field for each in bad.field_violations]
        elif detail.Is(RetryInfo.DESCRIPTOR):
            delay = RetryInfo.FromString(detail.value).retry_delay
            retries.append(delay.seconds + delay.nanos / 1e9)
    [info] = infos
    assert info.domain == "mpi.identity.v1"
    [code] = [each for each in grpc.StatusCode if each.value[0] == status.code]
    retry = retries[0] if retries else None
    return Told(code, status.message, info.reason, dict(info.metadata), fields, retry)


def refused(call: Callable[[], object]) -> Told:
    """What a call that must fail says."""
    try:
        call()
    except grpc.RpcError as failed:
        return told_by(failed)
    raise AssertionError("the call did not fail")
