"""What single records need of the registry, each in one statement on either database: who is stored, candidates with
their people, members of people and open questions about them."""

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
from mpi.registry.dialect import Found, Statement
from mpi.registry.known_records import DIGEST_BYTES, Digests, digests_from_bytes
from mpi.registry.requests import AnsweredRequest
from mpi.registry.tables import person
from mpi.registry.unit_of_work import Readable, UnitOfWork

Integers = NDArray[np.int64]
Rows = NDArray[np.uint8]

_STORED = Statement(
    sqlite="SELECT wanted.key, record_id, version, content_digest, recorded_at, EXISTS (SELECT 1 FROM withdrawn_record"
    " AS gone WHERE gone.record_id = source_record.record_id) FROM json_each(?) AS wanted CROSS JOIN source_record"
    " ON source_system_id = json_extract(wanted.value, '$[0]')"
    " AND source_record_id = json_extract(wanted.value, '$[1]')",
    postgresql="SELECT wanted.place - 1, record_id, version, content_digest, recorded_at, EXISTS (SELECT 1"
    " FROM withdrawn_record AS gone WHERE gone.record_id = source_record.record_id)"
    " FROM unnest(%s::int2[], %s::text[]) WITH ORDINALITY AS wanted(source_system_id, source_record_id, place)"
    " JOIN source_record USING (source_system_id, source_record_id)",
)

_OLDER = Statement(
    sqlite="SELECT record_id, content_digest FROM json_each(?) AS wanted CROSS JOIN source_record_version"
    " ON record_id = wanted.value",
    postgresql="SELECT record_id, content_digest FROM unnest(%s::int8[]) AS wanted(record_id)"
    " JOIN source_record_version USING (record_id)",
)

_FEATURES = Statement(
    sqlite="SELECT record_id, feature_row FROM json_each(?1) AS wanted CROSS JOIN record_feature"
    " ON record_id = wanted.value WHERE feature_layout = ?2",
    postgresql="SELECT record_id, feature_row FROM unnest(%s::int8[]) AS wanted(record_id)"
    " JOIN record_feature USING (record_id) WHERE feature_layout = %s",
)

_MEMBERS = (
    "SELECT member.record_id, member.link_id, member.person_id, NULL, NULL, feature_row, system.name,"
    " record.source_record_id FROM {} JOIN link AS member ON member.person_id = {}"
    " JOIN record_feature AS feature ON feature.record_id = member.record_id"
    " JOIN source_record AS record ON record.record_id = member.record_id"
    " JOIN source_system AS system ON system.source_system_id = record.source_system_id"
    " WHERE member.valid_to_revision IS NULL AND feature_layout = {}"
)
_TASKS = (
    " UNION ALL SELECT task_id, record_a, record_b, person_a, person_b, NULL, NULL, question"
    " FROM own JOIN review_task ON {} = own.person_id WHERE status = 'open'"
)
_OWN_AND_TASKS = (
    f"{_MEMBERS.format('own', 'own.person_id', '{}')}{_TASKS.format('person_a')}{_TASKS.format('person_b')}"
)

# all records of the people that some records belong to, and then open questions about these people, without a row
_BY_RECORD = Statement(
    sqlite="WITH own AS MATERIALIZED (SELECT DISTINCT person_id FROM json_each(?1) AS wanted CROSS JOIN link"
    " ON record_id = wanted.value AND valid_to_revision IS NULL) "
    + _OWN_AND_TASKS.format("?2").replace(" JOIN ", " CROSS JOIN "),
    postgresql="WITH own AS MATERIALIZED (SELECT DISTINCT person_id FROM unnest(%s::int8[]) AS wanted(record_id)"
    " JOIN link ON link.record_id = wanted.record_id AND valid_to_revision IS NULL) " + _OWN_AND_TASKS.format("%s"),
)

_BY_PERSON = Statement(
    sqlite=_MEMBERS.format("json_each(?1) AS wanted", "wanted.value", "?2").replace(" JOIN ", " CROSS JOIN "),
    postgresql=_MEMBERS.format("unnest(%s::int8[]) AS wanted(person_id)", "wanted.person_id", "%s"),
)

MOST_LOCKS = 500
"""Keys that one transaction locks one by one; for more it locks all there are. PostgreSQL's lock table has room for
6,400 by default, for all transactions together."""

_COUNTERS = "SELECT record, judgement, revision FROM registry_counter"
_NUMBERS = Statement(sqlite=_COUNTERS, postgresql=_COUNTERS)

_RUNS = "SELECT run_id, status FROM run WHERE status IN ('ingesting', 'placing')"
_UNFINISHED = Statement(sqlite=_RUNS, postgresql=_RUNS)


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


def numbers_now(reading: Readable) -> Numbers:
    """The counters as other transactions have committed them."""
    (counters,) = reading.dialect.read(reading.driver, _NUMBERS, ())
    return Numbers(*counters)


def _stored(reading: Readable, rows: Found, count: int) -> list[StoredRecord | None]:
    """The records of `count` keys from the rows of `_STORED`."""
    found: list[StoredRecord | None] = [None] * count
    older: dict[int, list[bytes]] = {}
    several = [row[1] for row in rows if row[2] > 1]
    for record_id, digest in reading.dialect.read(reading.driver, _OLDER, [several]) if several else ():
        older.setdefault(record_id, []).append(digest)
    for place, record_id, version, digest, recorded_at, withdrawn in rows:
        digests = b"".join([digest, *older.get(record_id, ())])
        every = np.frombuffer(digests, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
        found[place] = StoredRecord(record_id, version, digests_from_bytes(every), recorded_at, bool(withdrawn))
    return found


def feature_rows(reading: Readable, record_ids: Integers, *, layout: str, width: int) -> tuple[Integers, Rows]:
    """Ids int64 (n,), growing, and feature rows uint8 (n, width) of some records, given growing; those without a row of
    the layout are left out."""
    found = reading.dialect.read(reading.driver, _FEATURES, [record_ids.tolist()], layout)
    found.sort(key=itemgetter(0))
    return np.array([row[0] for row in found], dtype=np.int64), _joined([row[1] for row in found], width)


def _joined(rows: Sequence[bytes], width: int) -> Rows:
    """Feature rows uint8 (n, width), writable as new ones are: for others kernels would be compiled a second time."""
    return np.frombuffer(bytearray().join(rows), dtype=np.uint8).reshape(-1, width)


@dataclass(frozen=True, slots=True)
class Members:
    """All records of some people, their keys by record id, and the open questions about these people."""

    placed: PlacedRows
    keys: dict[int, RecordKey]
    questions: list[OpenQuestion]


def people_of(reading: Readable, record_ids: Sequence[int], *, layout: str, width: int) -> Members:
    """All records of the people that some records belong to, and the open questions about these people."""
    return _members(reading.dialect.read(reading.driver, _BY_RECORD, [record_ids], layout), width)


def members(reading: Readable, person_ids: Sequence[int], *, layout: str, width: int) -> Members:
    """All records of some people, without questions."""
    return _members(reading.dialect.read(reading.driver, _BY_PERSON, [person_ids], layout), width)


def _members(found: Found, width: int) -> Members:
    """Members in the order of record ids, and questions, each once however many people led to it."""
    placed = sorted((row for row in found if row[5] is not None), key=itemgetter(0))
    numbers = np.array([row[:3] for row in placed], dtype=np.int64).reshape(-1, 3)
    rows = _joined([row[5] for row in placed], width)
    questions = {
        row[7]: OpenQuestion(row[7], row[0], _pair(row[1:3]), _pair(row[3:5])) for row in found if row[5] is None
    }
    return Members(
        PlacedRows(numbers[:, 0], numbers[:, 1], numbers[:, 2], rows),
        {row[0]: RecordKey(row[6], row[7]) for row in placed},
        list(questions.values()),
    )


def _pair(ends: Sequence[int | None]) -> tuple[int, int]:
    a, b = (-1 if end is None else end for end in ends)
    return a, b


def changed_since(uow: UnitOfWork, person_ids: Integers, revision: int) -> bool:
    """Whether any of some people changed after a revision."""
    newest = sa.select(sa.func.max(person.c.changed_revision)).where(
        person.c.person_id.in_(uow.dialect.id_set(person_ids))
    )
    return int(uow.connection.scalar(newest) or 0) > revision


def refuse_during_run(reading: Readable) -> None:
    """Single records wait while a bulk run places people. Raises RunInProgressError."""
    for run_id, status in reading.dialect.read(reading.driver, _UNFINISHED, ()):
        raise RunInProgressError(f"bulk run {run_id} is {status}: try again when it has ended")


def take_locks(uow: UnitOfWork, keys: set[int]) -> None:
    """Holds keys against other writers of single records until the transaction ends; before anything else is read."""
    uow.dialect.lock_keys(uow.driver, sorted(keys), all_keys=len(keys) > MOST_LOCKS)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a writing transaction finds when it has its locks: the answers there are, the stored record of each key or
    None, and the counters."""

    answers: dict[str, AnsweredRequest]
    stored: list[StoredRecord | None]
    numbers: Numbers


def enter(uow: UnitOfWork, locks: set[int], request_ids: Sequence[str], keys: Sequence[tuple[int, str]]) -> Entry:
    """Takes locks and then reads what is known of some requests and keys (number of the source system, its own id)."""
    take_locks(uow, locks)
    numbers = numbers_now(uow)
    answers = requests.answered(uow, request_ids)
    rows = uow.dialect.read(uow.driver, _STORED, list(zip(*keys, strict=True)))
    return Entry(answers, _stored(uow, rows, len(keys)), numbers)
