"""Withdraw: a source takes a record back. It leaves its person and every comparison; its history stays.

A batch run never brings it back: new versions of it from files are kept and counted, and compared with nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpi.domain.errors import RecordWithdrawnError
from mpi.domain.records import RecordKey
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry import events, online, persons, review_tasks, withdrawals
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.answering import WritingCall, answer_once
from mpi.services.lookup import find_record
from mpi.services.resolution import Affected, PersonChange
from mpi.services.task_reasons import ITS_RECORD_WITHDRAWN

VERB = "WithdrawRecord"

_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal did: whom it touched (nobody where the record had no person yet), and its event's revision."""

    affected: tuple[Affected, ...]
    revision: int


def withdraw(
    registry: Registry,
    *,
    request_id: str,
    payload_digest: bytes,
    key: RecordKey,
    reason: str,
    encode: Callable[[Withdrawal], bytes],
) -> bytes:
    """Take a record out of its person and out of matching, once for every request id; gives the answer's bytes.

    The person stays, even without any record. `reason` must hold nobody's data.
    Raises RequestReusedError, UnknownSourceSystemError, UnknownRecordError, RecordWithdrawnError when it was withdrawn
    under another request id, RunInProgressError while a bulk run is at work.
    """

    def work(uow: UnitOfWork) -> bytes:
        return encode(_withdraw(uow, registry.secret, key, reason))

    # it may change a person whom a resolve has read under other locks than this record's
    return answer_once(registry, WritingCall(request_id, VERB, payload_digest), work, quite_alone=True)


def _withdraw(uow: UnitOfWork, secret: bytes, key: RecordKey, reason: str) -> Withdrawal:
    record_id = find_record(uow, key)
    record_ids = np.array([record_id], dtype=np.int64)
    if len(withdrawals.withdrawn_among(uow, record_ids)):
        raise RecordWithdrawnError("the record was withdrawn before", metadata={"source_system": key.source_system})
    # numbers before the look at runs: a run cannot begin in between
    revision = allocate(uow, Counters(revision=1)).revision
    online.refuse_during_run(uow)
    revisions = np.array([revision], dtype=np.int64)
    links = persons.links_of_records(uow, record_ids)
    person_id = int(links.person_ids[0]) if len(links.person_ids) else _NOBODY
    about = None if person_id == _NOBODY else person_id
    events.append_one(uow, "person.withdrawn", about, {"records": [record_id]}, made_by="source", revision=revision)
    if person_id != _NOBODY:
        persons.close_links(uow, links.link_ids, revisions=revisions)
        persons.touch_persons(uow, links.person_ids, revisions=revisions)
        withdrawals.close_questions(
            uow,
            record_id,
            person_id,
            person_is_empty=not len(persons.members(uow, links.person_ids).record_ids),
            reason=ITS_RECORD_WITHDRAWN,
        )
    review_tasks.close_gold(uow, record_id, reason=ITS_RECORD_WITHDRAWN)
    withdrawals.withdraw(uow, record_id, revision=revision, reason=reason)
    withdrawals.forget_features(uow, record_id)
    if person_id == _NOBODY:
        return Withdrawal((), revision)
    return Withdrawal((Affected(enterprise_id(person_id, secret), PersonChange.WITHDRAWN),), revision)
