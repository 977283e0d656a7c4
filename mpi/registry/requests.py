"""What was answered to writing calls: a repeat of a request id gets the same bytes and writes nothing.

Every writing verb keeps its rows here, in the transaction that does what the answer says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from mpi.registry import bulk
from mpi.registry.bulk import Every
from mpi.registry.tables import answered_request
from mpi.registry.unit_of_work import UnitOfWork, now_text

KEY_CONSTRAINT = "pk_answered_request"
"""What a RegistryError names in its `constraint` when another transaction kept one of the request ids first."""

_IDS_A_READ = 1024


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """One answered call: which verb, the digest of what was asked, and the reply as it was sent, byte for byte."""

    request_id: str
    verb: str
    payload_digest: bytes
    response: bytes


def answered(uow: UnitOfWork, request_ids: Sequence[str]) -> dict[str, AnsweredRequest]:
    """The kept answers of some request ids; ids that nobody has used are left out."""
    kept = answered_request.c
    query = sa.select(kept.request_id, kept.verb, kept.payload_digest, kept.response)
    found: dict[str, AnsweredRequest] = {}
    for start in range(0, len(request_ids), _IDS_A_READ):
        wanted = _padded(request_ids[start : start + _IDS_A_READ])
        rows = uow.connection.execute(query.where(kept.request_id.in_(wanted)))
        found.update((row.request_id, AnsweredRequest(*row)) for row in rows)
    return found


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


def _padded(request_ids: Sequence[str]) -> list[str]:
    """The ids, the last one repeated up to a power of two: few shapes of statement, so that servers keep their
    plans."""
    width = 1 << (len(request_ids) - 1).bit_length()
    return [*request_ids, *[request_ids[-1]] * (width - len(request_ids))]
