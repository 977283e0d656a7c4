"""What was answered to writing calls: a repeat of a request id gets the same bytes and writes nothing.

Every writing verb keeps its rows here, in the transaction that does what the answer says.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mpi.domain.errors import RequestReusedError
from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.dialect import Statement
from mpi.registry.tables import answered_request
from mpi.registry.unit_of_work import UnitOfWork, now_text

KEY_CONSTRAINT = "pk_answered_request"
"""What a RegistryError names in its `constraint` when another transaction kept one of the request ids first."""

_COLUMNS = "request_id, verb, payload_digest, response"
_KEPT = Statement(
    sqlite=f"SELECT {_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN answered_request ON request_id = wanted.value",
    postgresql=f"SELECT {_COLUMNS} FROM unnest(%s::text[]) AS wanted(request_id)"
    " JOIN answered_request USING (request_id)",
)


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """One answered call: which verb, the digest of what was asked, and the reply as it was sent, byte for byte."""

    request_id: str
    verb: str
    payload_digest: bytes
    response: bytes

    def repeated(self, verb: str, payload_digest: bytes) -> bytes:
        """The reply to a repeat. Raises RequestReusedError where the id now stands for another request."""
        if (self.verb, self.payload_digest) != (verb, payload_digest):
            raise RequestReusedError(
                "this request id was used before, for another request; a new request needs a new id",
                metadata={"request_id": self.request_id},
            )
        return self.response


def lock_of(name: str) -> int:
    """The 64-bit lock that stands for a name, such as a request id, a record's key or whatever only one may change."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)


def answered(uow: UnitOfWork, request_ids: Sequence[str]) -> dict[str, AnsweredRequest]:
    """The kept answers of some request ids; ids that nobody has used are left out."""
    if not request_ids:
        return {}
    return {row[0]: AnsweredRequest(*row) for row in uow.dialect.read(uow.driver, _KEPT, [request_ids])}


def keep(uow: UnitOfWork, rows: Sequence[AnsweredRequest]) -> None:
    """Keeps answers.

    Raises RegistryError (when the unit of work is left) for an id that is in use already: its metadata then hold
    `constraint` KEY_CONSTRAINT on PostgreSQL, where two writers may use one id at once. Ask `answered` again then.
    """
    bulk.insert(
        uow,
        answered_request,
        {
            "request_id": [row.request_id for row in rows],
            "verb": [row.verb for row in rows],
            "payload_digest": [row.payload_digest for row in rows],
            "response": [row.response for row in rows],
            "answered_at": Every(now_text()),
        },
    )
