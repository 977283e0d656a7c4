"""Resolve: register source records and say who they are; record, link, questions, events and answer in one transaction.

Several calls may share a transaction; each keeps its own outcome. Locks on the records' blocking keys keep two writers
from making one person twice; people that changed while they were read send the transaction round again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import MpiError, RecordWithdrawnError, RegistryError, RequestReusedError
from mpi.domain.records import RecordKey
from mpi.persons.enterprise_id import enterprise_id, names_of
from mpi.registry import blocking_keys, bulk, online, persons, requests, source_records
from mpi.registry.codec import PersonalDataCodec
from mpi.registry.counters import Counters, allocate
from mpi.registry.known_records import content_digests, key_hashes
from mpi.registry.online import Numbers, StoredRecord
from mpi.registry.registry import Registry
from mpi.registry.requests import AnsweredRequest
from mpi.registry.reviews import TaskRows
from mpi.registry.source_records import RecordBatchRows
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.moments import is_earlier
from mpi.services.neighbourhood import (
    Newcomers,
    OnlineRules,
    Surroundings,
    decide,
    links_before,
    look_around,
    numbered,
)
from mpi.services.people_now import PeopleNow
from mpi.services.placing import Placed, PlanWriter
from mpi.services.questions import settle
from mpi.services.resolution import (
    Affected,
    Blocking,
    OpenedTask,
    PersonChange,
    RecordChange,
    Resolution,
    ResolveOutcome,
    ResolveRequest,
)

VERB = "Resolve"
ATTEMPTS = 8
"""How often a transaction is begun again because a person changed while it was read."""

Integers = NDArray[np.int64]
Answer = bytes | MpiError

_codec = PersonalDataCodec()


class ChangedMeanwhileError(Exception):
    """A person changed while it was read: nothing was written, look again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready for the registry: source system, stored text, digest uint64 (2,), feature row uint8 (width,)."""

    request: ResolveRequest
    system_id: int
    raw: str
    digest: NDArray[np.uint64]
    row: NDArray[np.uint8]

    @property
    def key(self) -> RecordKey:
        """What names the record for ever."""
        return self.request.record.key

    @property
    def recorded_at(self) -> str | None:
        """When its source captured it."""
        return self.request.record.recorded_at


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """A record that is new or has new values; `stored` is what the registry has of it."""

    prepared: Prepared
    stored: StoredRecord | None
    person_id: int

    @property
    def says_more(self) -> bool:
        """Whether it is a stored record with other values than the current ones."""
        return self.stored is not None and bool((self.stored.digests[0] != self.prepared.digest).any())


class Resolver:
    """Resolves records into one registry by one set of rules; safe to share between threads."""

    def __init__(self, registry: Registry, rules: OnlineRules) -> None:
        self._registry = registry
        self._rules = rules
        self._systems: dict[str, int] = {}

    def resolve(self, asked: Sequence[ResolveRequest]) -> list[Answer]:
        """Resolve records, no key and no request id twice; the answer of each, or the error that refused it alone.

        Raises RegistryError when the registry cannot serve: then nothing of any was done.
        """
        return self.settle(self.prepare(asked))

    def settle(self, prepared: Sequence[Prepared]) -> list[Answer]:
        """Resolve prepared records as `resolve` does, in one transaction."""
        for _ in range(ATTEMPTS):
            try:
                with self._registry.begin() as uow:
                    return _Transaction(replace(uow, later=[]), self._registry, self._rules).run(prepared)
            except ChangedMeanwhileError:
                continue
        raise RegistryError(f"people kept changing while they were read, {ATTEMPTS} times over: try again")

    def prepare(self, asked: Sequence[ResolveRequest]) -> list[Prepared]:
        """All that can be done before the registry is asked; any thread may do it, beside a transaction."""
        records = [request.record for request in asked]
        rows = self._rules.feature_rows(records)
        systems = self._system_ids({record.key.source_system for record in records})
        raws = [_codec.encode(self._rules.stored_values(record)) for record in records]
        digests = content_digests(raws, [record.recorded_at for record in records])
        return [
            Prepared(request, systems[request.record.key.source_system], raw, digest, row)
            for request, raw, digest, row in zip(asked, raws, digests, rows, strict=True)
        ]

    def _system_ids(self, names: set[str]) -> Mapping[str, int]:
        """Numbers of source systems; a new one is registered in a transaction of its own, and kept once it is there."""
        unknown = names - self._systems.keys()
        if unknown:
            with self._registry.begin() as uow:
                allocate(uow, Counters())  # one at a time: two may meet the same new system
                online.refuse_during_run(uow)  # a run that fails forgets the systems that it brought
                numbers = source_records.source_system_ids(uow, sorted(unknown))
            self._systems |= numbers
        return self._systems


class _Transaction:
    """One writing transaction for several requests."""

    def __init__(self, uow: UnitOfWork, registry: Registry, rules: OnlineRules) -> None:
        self._uow = uow
        self._registry = registry
        self._rules = rules
        self._answers: dict[str, Answer] = {}
        self._kept: list[AnsweredRequest] = []

    def run(self, prepared: Sequence[Prepared]) -> list[Answer]:
        """Answer every request, in order."""
        found = online.enter(
            self._uow,
            self._locks(prepared),
            [each.request.request_id for each in prepared],
            [(each.system_id, each.key.source_record_id) for each in prepared],
        )
        self._repeat(prepared, found.answers)
        every = zip(prepared, found.stored, strict=True)
        newcomers, late = self._newcomers([each for each in every if each[0].request.request_id not in found.answers])
        if newcomers:
            self._place(newcomers, found.numbers)
        if late:
            self._store_late(late)
        requests.keep(self._uow, self._kept)
        bulk.send(self._uow)
        return [self._answers[each.request.request_id] for each in prepared]

    def _locks(self, prepared: Sequence[Prepared]) -> set[int]:
        """The records' blocking keys, their own keys and the request ids: to be held against other writers."""
        keys = self._rules.lock_keys(np.stack([each.row for each in prepared]))
        names = {name for each in prepared for name in (str(each.key), each.request.request_id)}
        return keys | set(map(requests.lock_of, names))

    def _repeat(self, prepared: Sequence[Prepared], known: Mapping[str, AnsweredRequest]) -> None:
        """Answer repeats with the bytes of the first time."""
        digests = {each.request.request_id: each.request.payload_digest for each in prepared}
        for request_id, answer in known.items():
            try:
                self._answers[request_id] = answer.repeated(VERB, digests[request_id])
            except RequestReusedError as refused:
                self._answers[request_id] = refused

    def _newcomers(
        self, prepared: Sequence[tuple[Prepared, StoredRecord | None]]
    ) -> tuple[list[_Newcomer], list[_Newcomer]]:
        """Records to be placed, and versions that came late; the others are answered here."""
        ids = np.array([known.record_id for _, known in prepared if known is not None], dtype=np.int64)
        owner = self._owners(ids)
        # after the owners: whoever gives it back sees them
        revision = online.numbers_now(self._uow).revision if len(ids) else 0
        newcomers: list[_Newcomer] = []
        late: list[_Newcomer] = []
        for each, known in prepared:
            request_id = each.request.request_id
            person = owner.get(known.record_id, -1) if known else -1
            if known is None:
                newcomers.append(_Newcomer(each, None, -1))
            elif known.withdrawn:
                self._answers[request_id] = RecordWithdrawnError(f"{each.key} was withdrawn by its source")
            elif (known.digests == each.digest).all(axis=1).any() and person >= 0:
                self._keep(each, self._standing(person, RecordChange.UNCHANGED, revision))
            elif is_earlier(each.recorded_at, known.recorded_at) and person >= 0:
                late.append(_Newcomer(each, known, person))
                self._keep(each, self._standing(person, RecordChange.LATE_VERSION, revision))
            else:
                newcomers.append(_Newcomer(each, known, person))
        return newcomers, late

    def _owners(self, record_ids: Integers) -> dict[int, int]:
        """The person of each stored record that has one."""
        if not len(record_ids):
            return {}
        links = persons.links_of_records(self._uow, record_ids)
        return dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))

    def _standing(self, person: int, change: RecordChange, revision: int) -> Resolution:
        """The resolution of a record that stays as it is."""
        return Resolution(
            enterprise_id=enterprise_id(person, self._registry.secret),
            outcome=ResolveOutcome.LINKED,
            change=change,
            match_weight=None,
            linked_through=None,
            review_tasks=(),
            affected=(),
            revision=revision,
            rule_version=self._rules.model.name,
            thresholds=self._rules.model.thresholds,
            blocking=Blocking(0, ()),
        )

    def _keep(self, prepared: Prepared, resolution: Resolution) -> None:
        """Answer a request, and remember the answer for its repeats."""
        request = prepared.request
        response = request.encode(resolution)
        self._answers[request.request_id] = response
        self._kept.append(AnsweredRequest(request.request_id, VERB, request.payload_digest, response))

    def _place(self, newcomers: list[_Newcomer], now: Numbers) -> None:
        """Place records, write all that follows, and answer."""
        new = Newcomers(
            np.stack([each.prepared.row for each in newcomers]),
            np.array([each.stored.record_id if each.stored else -1 for each in newcomers], dtype=np.int64),
            np.array([each.person_id for each in newcomers], dtype=np.int64),
        )
        around = look_around(self._uow, self._rules, new, now)
        decided = decide(self._rules, around, len(newcomers))
        unstored = np.flatnonzero(new.record_ids < 0)
        wanted = Counters(record=len(unstored), person=len(decided.plan.new_persons), key_batch=1)
        first = allocate(self._uow, wanted)
        online.refuse_during_run(self._uow)
        self._refuse_stale(around, first.revision - 1)
        record_ids = around.record_ids.copy()
        record_ids[unstored] = first.record + np.arange(len(unstored))
        plan = numbered(decided.plan, first.person)
        changed = np.flatnonzero(new.record_ids >= 0)
        placed = Placed(record_ids, links_before(around), replace(decided, plan=plan), changed)
        self._store_records(newcomers, record_ids[: len(newcomers)])
        writer = PlanWriter(self._registry.secret, self._rules.model, None, placed)
        revisions = writer.write_all(self._uow)
        tasks, _ = writer.write_tasks(self._uow, {each.question: each.task_id for each in around.questions})
        blocking_keys.add(self._uow, around.keys, record_ids[: len(newcomers)], batch=first.key_batch)
        for column, codes in around.newly_capped.items():
            blocking_keys.add_capped(self._uow, column, codes)
        if len(plan.merges):
            # whom the merged were asked about beside, nobody of the table may know
            bulk.send(self._uow)
            settle(PeopleNow(self._uow), plan.merges[:, 1].tolist())
        decision = _Decision(newcomers, around, placed, tasks, revisions)
        outcome = _Outcome(self._registry.secret, self._rules, decision)
        for each, resolution in zip(newcomers, outcome.resolutions(), strict=True):
            self._keep(each.prepared, resolution)

    def _refuse_stale(self, around: Surroundings, revision: int) -> None:
        """Nobody of the table may have changed since it was read. From here on nobody can: the counters are held."""
        people = np.unique(around.person_ids[around.person_ids >= 0])
        if revision != around.revision and len(people) and online.changed_since(self._uow, people, around.revision):
            raise ChangedMeanwhileError

    def _store_records(self, newcomers: list[_Newcomer], record_ids: Integers) -> None:
        """Write new records and new versions of stored ones."""
        new = [at for at, each in enumerate(newcomers) if each.stored is None]
        changed = [at for at, each in enumerate(newcomers) if each.says_more]
        for write, rows in ((source_records.insert_batch, new), (source_records.supersede_batch, changed)):
            if rows:
                batch = self._batch([newcomers[row].prepared for row in rows], record_ids[rows])
                write(self._uow, batch, run_id=None)

    def _store_late(self, late: list[_Newcomer]) -> None:
        """Keep versions that were captured before the current ones, as history."""
        ids = np.array([each.stored.record_id for each in late if each.stored], dtype=np.int64)
        allocate(self._uow, Counters())  # numbers are taken last, and a run must not begin meanwhile
        online.refuse_during_run(self._uow)
        source_records.archive_batch(self._uow, self._batch([each.prepared for each in late], ids), run_id=None)

    def _batch(self, prepared: list[Prepared], record_ids: Integers) -> RecordBatchRows:
        hashes = [key_hashes(each.system_id, [each.key.source_record_id]) for each in prepared]
        return RecordBatchRows(
            source_system_id=np.array([each.system_id for each in prepared], dtype=np.int64),
            record_ids=record_ids,
            source_record_ids=[each.key.source_record_id for each in prepared],
            key_hashes=np.concatenate(hashes),
            digests=np.stack([each.digest for each in prepared]),
            recorded_ats=[each.recorded_at for each in prepared],
            raws=[each.raw for each in prepared],
            feature_layout=self._rules.scorer.layout.digest,
            features=np.stack([each.row for each in prepared]),
        )


@dataclass(frozen=True, slots=True)
class _Decision:
    """What one transaction decided: its newcomers, the table around them, where all were placed, the tasks opened, and
    the revision of each person's event."""

    newcomers: list[_Newcomer]
    around: Surroundings
    placed: Placed
    tasks: TaskRows
    revisions: Mapping[int, int]


class _Outcome:
    """What became of the newcomers of one transaction, person by person."""

    def __init__(self, secret: bytes, rules: OnlineRules, decision: _Decision) -> None:
        self._rules = rules
        self._newcomers = decision.newcomers
        self._around = around = decision.around
        self._placed = placed = decision.placed
        self._plan = placed.decided.plan
        self._tasks = decision.tasks
        self._revisions = decision.revisions
        people = np.unique(np.concatenate([self._plan.person_of, self._plan.merges.ravel(), around.person_ids]))
        self._names = names_of(people[people >= 0].tolist(), secret)
        self._created = set(self._plan.new_persons.tolist())
        self._linked = set(self._plan.person_of[self._plan.linked].tolist())
        self._merged: dict[int, list[int]] = {}
        for survivor, gone in self._plan.merges.tolist():
            self._merged.setdefault(survivor, []).append(gone)
        self._questions: dict[int, list[OpenedTask]] = {}
        for place, pair in enumerate(zip(self._tasks.person_a.tolist(), self._tasks.person_b.tolist(), strict=True)):
            for person, other in {pair, pair[::-1]}:
                self._questions.setdefault(person, []).append(self._opened(place, other))

    def _partner(self, at: int) -> int:
        """The place of the record that a record is tied to most strongly; -1 where it stands alone."""
        edge = int(self._plan.evidence[at])
        if edge < 0:
            return -1
        left, right = int(self._around.edges.left[edge]), int(self._around.edges.right[edge])
        return right if left == at else left

    def _key(self, place: int) -> RecordKey:
        """The key of the record at a place of the table."""
        if place < len(self._newcomers):
            return self._newcomers[place].prepared.key
        return self._around.names[int(self._placed.record_ids[place])]

    def resolutions(self) -> list[Resolution]:
        """The resolution of every newcomer, in order."""
        seen: set[int] = set()
        found = []
        for at, each in enumerate(self._newcomers):
            person = int(self._plan.person_of[at])
            found.append(self._resolution(at, each, first=person not in seen))
            seen.add(person)
        return found

    def _resolution(self, at: int, newcomer: _Newcomer, *, first: bool) -> Resolution:
        person = int(self._plan.person_of[at])
        partner = self._partner(at)
        tasks = tuple(self._questions.get(person, ()))
        outcome = ResolveOutcome.LINKED
        if person in self._created and first:
            outcome = ResolveOutcome.PROVISIONAL if tasks else ResolveOutcome.NEW_PERSON
        tied = outcome is ResolveOutcome.LINKED and partner >= 0
        edge = int(self._plan.evidence[at])
        return Resolution(
            enterprise_id=self._names[person],
            outcome=outcome,
            change=RecordChange.NEW if newcomer.stored is None else RecordChange.NEW_VERSION,
            match_weight=float(self._around.edges.weights[edge]) if tied else None,
            linked_through=self._key(partner) if tied else None,
            review_tasks=tasks,
            affected=self._affected(person),
            revision=self._revisions[person],
            rule_version=self._rules.model.name,
            thresholds=self._rules.model.thresholds,
            blocking=Blocking(int(self._around.considered[at]), self._around.bounded[at]),
        )

    def _opened(self, place: int, other: int) -> OpenedTask:
        """A question that was opened, as the one of its people sees it who is not `other`."""
        weight = float(self._tasks.match_weights[place])
        return OpenedTask(
            int(self._tasks.task_ids[place]),
            self._tasks.kinds[place],
            self._tasks.reasons[place],
            self._names[other],
            None if np.isnan(weight) else weight,
        )

    def _affected(self, person: int) -> tuple[Affected, ...]:
        """The person, and those that were merged into it."""
        merged = self._merged.get(person, ())
        change = PersonChange.LINKED if person in self._linked else PersonChange.UPDATED
        if person in self._created:
            change = PersonChange.CREATED
        elif merged:
            change = PersonChange.MERGED
        name = self._names[person]
        superseded = (Affected(self._names[gone], PersonChange.SUPERSEDED, superseded_by=name) for gone in merged)
        return (Affected(name, change), *superseded)
