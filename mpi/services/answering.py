"""Writing calls under a request id: done once, and answered with the same bytes however often they are repeated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mpi.registry import requests
from mpi.registry.registry import Registry
from mpi.registry.requests import AnsweredRequest
from mpi.registry.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class WritingCall:
    """Which call this is: its id, its verb, and the digest that tells a repeat from another call under the same id."""

    request_id: str
    verb: str
    payload_digest: bytes


def answer_once(
    registry: Registry,
    asked: WritingCall,
    work: Callable[[UnitOfWork], bytes],
    *,
    alone: Sequence[str] = (),
    quite_alone: bool = False,
) -> bytes:
    """The answer kept under a request id or, the first time, that of `work`, kept in the same transaction.

    Writers that name one of `alone`, or the request id, wait for each other; `quite_alone` waits for every writer of
    single records.
    Raises RequestReusedError when the id was used for another call, and what `work` raises: then nothing is kept.
    """
    with registry.begin() as uow:
        locks = sorted({requests.lock_of(name) for name in (asked.request_id, *alone)})
        uow.dialect.lock_keys(uow.driver, locks, all_keys=quite_alone)
        kept = requests.answered(uow, [asked.request_id]).get(asked.request_id)
        if kept is None:
            response = work(uow)
            requests.keep(uow, [AnsweredRequest(asked.request_id, asked.verb, asked.payload_digest, response)])
            return response
        return kept.repeated(asked.verb, asked.payload_digest)
