"""Accounts with tokens on a served registry, and questions for them to answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from mpi.client import StewardshipClient
from mpi.client.connection import bearing
from mpi.domain.review import Role
from mpi.identity.v1 import review_pb2, stewardship_service_pb2_grpc
from mpi.identity.v1 import stewardship_service_pb2 as service
from mpi.registry import accounts
from mpi.registry.accounts import Account
from mpi.registry.registry import Registry
from mpi.services.accounts import issue_token
from tests.rpc.serving import Running, lan

SAME, DIFFERENT = review_pb2.REVIEW_VERDICT_SAME, review_pb2.REVIEW_VERDICT_DIFFERENT
UNSURE, ESCALATE = review_pb2.REVIEW_VERDICT_UNSURE, review_pb2.REVIEW_VERDICT_ESCALATE
SECOND, ADJUDICATION = review_pb2.REVIEW_TASK_STAGE_SECOND, review_pb2.REVIEW_TASK_STAGE_ADJUDICATION
APPLIED = review_pb2.DECISION_STANDING_APPLIED

METHODS = service.DESCRIPTOR.services_by_name["StewardshipService"].methods_by_name
PATH = "/mpi.identity.v1.StewardshipService/"


def enrol(registry: Registry, name: str, role: Role) -> str:
    """An account that nobody can sign in with at the desk, and its token."""
    with registry.begin() as uow:
        made = Account(name, name, role, True, False, "vi", {}, "2026-01-01T00:00:00.000000Z")
        accounts.add(uow, made, password_hash="none")
    return issue_token(registry, name)


class Stewards:
    """Who is at work: mai and nam are stewards, hoa is a lead, ly is an auditor."""

    def __init__(self, registry: Registry, up: Running) -> None:
        self.up = up
        self._tokens = {
            "mai": enrol(registry, "mai", Role.STEWARD),
            "nam": enrol(registry, "nam", Role.STEWARD),
            "hoa": enrol(registry, "hoa", Role.LEAD),
            "ly": enrol(registry, "ly", Role.AUDITOR),
        }
        self._clients = {name: StewardshipClient(up.address, token) for name, token in self._tokens.items()}
        self.mai, self.nam, self.hoa = (self._clients[name] for name in ("mai", "nam", "hoa"))

    def token(self, name: str) -> str:
        return self._tokens[name]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def ask(self, method: str, request: Any, *, by: str = "mai") -> Any:
        """One call, made once."""
        stub = stewardship_service_pb2_grpc.StewardshipServiceStub(self.up.channel)
        return getattr(stub, method)(request, metadata=bearing(self._tokens[by]))

    def send(self, method: str, sent: bytes, *, metadata: Any = None, by: str = "mai") -> bytes:
        """Bytes to a method, and the bytes of its reply."""
        call: Any = self.up.channel.unary_unary(f"{PATH}{method}", request_serializer=None, response_deserializer=None)
        answer: bytes = call(sent, timeout=20, metadata=bearing(self._tokens[by]) if metadata is None else metadata)
        return answer

    def doubt(self, number: str = "1", **values: str) -> review_pb2.ReviewTask:
        """Two records of one woman under two citizen numbers: the question that comes of it."""
        one, other = f"079184{number:0>6}", f"079184{number:9>6}"
        phone = f"09037{number:0>5}"
        self.up.client.resolve(lan(f"H{number}", citizen_id=one, phone=phone, **values))
        done = self.up.client.resolve(lan(f"S{number}", "station", citizen_id=other, phone=phone, **values))
        [told] = done.review_tasks
        [task] = [each for each in self.mai.list_tasks() if each.task_id == told.task_id]
        return task


@contextmanager
def at_work(registry: Registry, up: Running) -> Iterator[Stewards]:
    """Stewards for as long as the block lasts."""
    stewards = Stewards(registry, up)
    try:
        yield stewards
    finally:
        stewards.close()


def decision_on(task: review_pb2.ReviewTask, **fields: object) -> service.DecideReviewTaskRequest:
    """DIFFERENT, said of a task as it was seen, unless `fields` say otherwise."""
    given: dict[str, object] = {"request_id": "one", "name": task.name, "verdict": DIFFERENT}
    given |= {"expected_version": task.version, "seen_revision": task.seen_revision}
    return service.DecideReviewTaskRequest(**{**given, **fields})  # type: ignore[arg-type]


def refused_by(call: Any) -> grpc.StatusCode:
    """The code with which a call fails, details or not."""
    try:
        call()
    except grpc.RpcError as failed:
        code: grpc.StatusCode = failed.code()
        return code
    raise AssertionError("the call did not fail")
