"""What single records need of the registry, each in one statement on either database: who is stored, candidates with
their people, members of people, open questions and judgements about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.domain.errors import RunInProgressError
from mpi.domain.records import RecordKey
from mpi.registry import requests
from mpi.registry.dialect import Found, Look, Statement
from mpi.registry.known_records import DIGEST_BYTES, Digests, digests_from_bytes
from mpi.registry.requests import AnsweredRequest
from mpi.registry.tables import person
from mpi.registry.unit_of_work import UnitOfWork

Integers = NDArray[np.int64]
Rows = NDArray[np.uint8]

_STORED = Statement(
    sqlite="SELECT record_id, version, content_digest, recorded_at, EXISTS (SELECT 1 FROM withdrawn_record AS gone"
    " WHERE gone.record_id = source_record.record_id) FROM source_record"
    " WHERE source_system_id = ? AND source_record_id = ?",
    postgresql="SELECT wanted.place - 1, record_id, version, content_digest, recorded_at, EXISTS (SELECT 1"
    " FROM withdrawn_record AS gone WHERE gone.record_id = source_record.record_id)"
    " FROM unnest(%s::int2[], %s::text[]) WITH ORDINALITY AS wanted(source_system_id, source_record_id, place)"
    " JOIN source_record USING (source_system_id, source_record_id)",
)

_OLDER = Statement(
    sqlite="SELECT content_digest FROM source_record_version WHERE record_id = ?",
    postgresql="SELECT wanted.place - 1, content_digest FROM unnest(%s::int8[]) WITH ORDINALITY"
    " AS wanted(record_id, place) JOIN source_record_version USING (record_id)",
)

_FEATURES = Statement(
    sqlite="SELECT record_id, feature_row FROM record_feature WHERE record_id = ? AND feature_layout = ?",
    postgresql="SELECT wanted.place - 1, record_id, feature_row FROM unnest(%s::int8[]) WITH ORDINALITY"
    " AS wanted(record_id, place) JOIN record_feature USING (record_id) WHERE feature_layout = %s",
)

_MEMBER = (
    "member.record_id, member.link_id, member.person_id, feature_row, system.name, record.source_record_id"
    " FROM {} JOIN record_feature AS feature ON feature.record_id = member.record_id"
    " JOIN source_record AS record ON record.record_id = member.record_id"
    " JOIN source_system AS system ON system.source_system_id = record.source_system_id"
    " WHERE member.valid_to_revision IS NULL AND {} feature_layout = {}"
)
_OWN = "own.record_id = {} AND own.valid_to_revision IS NULL"

# all records of the person that a record belongs to
_BY_RECORD = Statement(
    sqlite="SELECT "
    + _MEMBER.format("link AS own JOIN link AS member USING (person_id)", _OWN.format("?") + " AND", "?"),
    postgresql="SELECT wanted.place - 1, "
    + _MEMBER.format(
        "unnest(%s::int8[]) WITH ORDINALITY AS wanted(record_id, place)"
        f" JOIN link AS own ON {_OWN.format('wanted.record_id')} JOIN link AS member USING (person_id)",
        "",
        "%s",
    ),
)

_BY_PERSON = Statement(
    sqlite="SELECT " + _MEMBER.format("link AS member", "member.person_id = ? AND", "?"),
    postgresql="SELECT wanted.place - 1, "
    + _MEMBER.format(
        "unnest(%s::int8[]) WITH ORDINALITY AS wanted(person_id, place) JOIN link AS member USING (person_id)", "", "%s"
    ),
)

_TASK = "question, task_id, record_a, record_b, person_a, person_b"

# open questions about the person that a record belongs to
_QUESTIONS = Statement(
    sqlite=f"SELECT {_TASK} FROM link AS own JOIN review_task ON person_a = own.person_id"
    f" WHERE status = 'open' AND {_OWN.format('?1')} UNION SELECT {_TASK} FROM link AS own"
    f" JOIN review_task ON person_b = own.person_id WHERE status = 'open' AND {_OWN.format('?1')}",
    postgresql=f"SELECT wanted.place - 1, {_TASK} FROM unnest(%s::int8[]) WITH ORDINALITY AS wanted(record_id, place)"
    f" JOIN link AS own ON {_OWN.format('wanted.record_id')} CROSS JOIN LATERAL"
    " (SELECT * FROM review_task WHERE status = 'open' AND person_a = own.person_id"
    " UNION ALL SELECT * FROM review_task WHERE status = 'open' AND person_b = own.person_id) AS task",
)

_JUDGED = Statement(
    sqlite="SELECT verdict, record_a, record_b FROM judgement WHERE withdrawn_revision IS NULL AND record_a = ?1"
    " UNION SELECT verdict, record_a, record_b FROM judgement WHERE withdrawn_revision IS NULL AND record_b = ?1",
    postgresql="SELECT wanted.place - 1, verdict, record_a, record_b"
    " FROM unnest(%s::int8[]) WITH ORDINALITY AS wanted(record_id, place) CROSS JOIN LATERAL"
    " (SELECT * FROM judgement WHERE record_a = wanted.record_id"
    " UNION ALL SELECT * FROM judgement WHERE record_b = wanted.record_id) AS judged WHERE withdrawn_revision IS NULL",
)

MOST_LOCKS = 500
"""Keys that one transaction locks one by one; for more it locks all there are. PostgreSQL's lock table has room for
6,400 by default, for all transactions together."""

_NUMBERS = Statement(
    sqlite="SELECT record, judgement, revision FROM registry_counter WHERE counter_id = ?",
    postgresql="SELECT 0, record, judgement, revision FROM registry_counter WHERE counter_id = ANY (%s::int2[])",
)

_UNFINISHED = Statement(
    sqlite="SELECT run_id, status FROM run WHERE status = ?",
    postgresql="SELECT 0, run_id, status FROM run WHERE status = ANY (%s::text[])",
)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record under its own key as it stands: its number, current version, digests uint64 (k, 2) of all its versions
    (the current one first), and whether it was withdrawn."""

    record_id: int
    version: int
    digests: Digests
    recorded_at: str | None
    withdrawn: bool


class PlacedRows(NamedTuple):
    """Records with the person each belongs to, in the order of their ids: int64 (n,) each, and feature rows uint8
    (n, width)."""

    record_ids: Integers
    link_ids: Integers
    person_ids: Integers
    rows: Rows

    def with_more(self, others: "PlacedRows") -> "PlacedRows":
        """These records and others."""
        record_ids = np.concatenate([self.record_ids, others.record_ids])
        order = np.argsort(record_ids)
        return PlacedRows(
            record_ids[order],
            np.concatenate([self.link_ids, others.link_ids])[order],
            np.concatenate([self.person_ids, others.person_ids])[order],
            np.concatenate([self.rows, others.rows])[order],
        )


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """An open review task: its stable key, its number, and the records and people it is about (-1 for none)."""

    question: str
    task_id: int
    records: tuple[int, int]
    people: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many records and judgements there ever were, and the newest revision."""

    records: int
    judgements: int
    revision: int


def numbers_now(uow: UnitOfWork) -> Numbers:
    """The counters as other transactions have committed them."""
    ((_, records, judgements, revision),) = uow.dialect.read_each(uow.connection, _NUMBERS, [[1]])
    return Numbers(records, judgements, revision)


def _stored(uow: UnitOfWork, rows: Found, count: int) -> list[StoredRecord | None]:
    """The records of `count` keys from the rows of `_STORED`."""
    found: list[StoredRecord | None] = [None] * count
    older: dict[int, list[bytes]] = {}
    several = [row[1] for row in rows if row[2] > 1]
    for at, digest in uow.dialect.read_each(uow.connection, _OLDER, [several]) if several else ():
        older.setdefault(several[at], []).append(digest)
    for place, record_id, version, digest, recorded_at, withdrawn in rows:
        digests = b"".join([digest, *older.get(record_id, ())])
        every = np.frombuffer(digests, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
        found[place] = StoredRecord(record_id, version, digests_from_bytes(every), recorded_at, bool(withdrawn))
    return found


def feature_rows(uow: UnitOfWork, record_ids: Integers, *, layout: str, width: int) -> tuple[Integers, Rows]:
    """Ids int64 (n,), growing, and feature rows uint8 (n, width) of some records, given growing; those without a row of
    the layout are left out."""
    found = uow.dialect.read_each(uow.connection, _FEATURES, [record_ids.tolist()], layout)
    found.sort(key=itemgetter(1))
    rows = np.frombuffer(b"".join([row[2] for row in found]), dtype=np.uint8).reshape(-1, width)
    return np.array([row[1] for row in found], dtype=np.int64), rows


@dataclass(frozen=True, slots=True)
class Members:
    """All records of some people, their keys by record id, and the open questions about these people."""

    placed: PlacedRows
    keys: dict[int, RecordKey]
    questions: list[OpenQuestion]


def people_of(uow: UnitOfWork, record_ids: Sequence[int], *, layout: str, width: int) -> Members:
    """All records of the people that some records belong to, and the open questions about these people."""
    records, tasks = uow.dialect.read_together(
        uow.connection, Look(_BY_RECORD, [record_ids], (layout,)), Look(_QUESTIONS, [record_ids])
    )
    questions = {
        question: OpenQuestion(question, task, _pair(ends), _pair(people))
        for _, question, task, *rest in tasks
        for ends, people in [(rest[:2], rest[2:])]
    }
    return _members(records, width, list(questions.values()))


def members(uow: UnitOfWork, person_ids: Sequence[int], *, layout: str, width: int) -> Members:
    """All records of some people, without questions."""
    found = uow.dialect.read_each(uow.connection, _BY_PERSON, [person_ids], layout)
    return _members(found, width, [])


def _members(found: Found, width: int, questions: list[OpenQuestion]) -> Members:
    """Members in the order of record ids, each once however many records led to it."""
    once = {row[1]: row for row in found}
    ordered = [once[record_id] for record_id in sorted(once)]
    numbers = np.array([row[1:4] for row in ordered], dtype=np.int64).reshape(-1, 3)
    rows = np.frombuffer(b"".join([row[4] for row in ordered]), dtype=np.uint8).reshape(-1, width)
    keys = {row[1]: RecordKey(row[5], row[6]) for row in ordered}
    return Members(PlacedRows(numbers[:, 0], numbers[:, 1], numbers[:, 2], rows), keys, questions)


def _pair(ends: Sequence[int | None]) -> tuple[int, int]:
    a, b = (-1 if end is None else end for end in ends)
    return a, b


def judgements(uow: UnitOfWork, record_ids: Sequence[int]) -> list[tuple[str, int, int]]:
    """(verdict, record, record) of every standing judgement about some records."""
    found = uow.dialect.read_each(uow.connection, _JUDGED, [record_ids])
    return sorted({(verdict, a, b) for _, verdict, a, b in found})


def changed_since(uow: UnitOfWork, person_ids: Integers, revision: int) -> bool:
    """Whether any of some people changed after a revision."""
    newest = sa.select(sa.func.max(person.c.changed_revision)).where(
        person.c.person_id.in_(uow.dialect.id_set(person_ids))
    )
    return int(uow.connection.scalar(newest) or 0) > revision


def refuse_during_run(uow: UnitOfWork) -> None:
    """Single records wait while a bulk run places people. Raises RunInProgressError."""
    for _, run_id, status in uow.dialect.read_each(uow.connection, _UNFINISHED, [["ingesting", "placing"]]):
        raise RunInProgressError(f"bulk run {run_id} is {status}: try again when it has ended")


def take_locks(uow: UnitOfWork, keys: set[int]) -> None:
    """Holds keys against other writers of single records until the transaction ends; before anything else is read."""
    uow.dialect.lock_keys(uow.connection, sorted(keys), all_keys=len(keys) > MOST_LOCKS)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a writing transaction finds when it has its locks: the answers there are, the stored record of each key or
    None, and the counters."""

    answers: dict[str, AnsweredRequest]
    stored: list[StoredRecord | None]
    numbers: Numbers


def enter(uow: UnitOfWork, locks: set[int], request_ids: Sequence[str], keys: Sequence[tuple[int, str]]) -> Entry:
    """Takes locks and then reads what is known of some requests and keys (number of the source system, its own id)."""
    with uow.dialect.together(uow.connection):
        take_locks(uow, locks)
        numbers, kept, rows = uow.dialect.read_together(
            uow.connection,
            Look(_NUMBERS, [[1]]),
            requests.look(request_ids),
            Look(_STORED, list(zip(*keys, strict=True))),
        )
    return Entry(requests.by_id(kept), _stored(uow, rows, len(keys)), Numbers(*numbers[0][1:]))
