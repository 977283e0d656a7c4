"""Stewards at work on a registry: their calls in one line each, with answers unpacked and request ids of their own."""

import pickle
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import sqlalchemy as sa

from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Role, Stage, Verdict
from mpi.registry import persons, review_tasks, source_records, tables
from mpi.registry.registry import Registry
from mpi.services.answering import WritingCall
from mpi.services.stewardship import adjudicate, rearrange, review_queue
from mpi.services.stewardship.adjudicate import DecisionRequest, Outcome, Standing
from mpi.services.stewardship.rearrange import MergeRequest, SplitRequest, UnmergeRequest
from mpi.services.stewardship.review_queue import ReviewTask, TaskFilter
from mpi.services.withdraw import withdraw
from tests.online.desk import Desk
from tests.services.linking import query

LAN = Actor("lan", Role.STEWARD)
MINH = Actor("minh", Role.STEWARD)
HOA = Actor("hoa", Role.LEAD)
AUDITOR = Actor("audit", Role.AUDITOR)

EVERYTHING = TaskFilter()
NOW = 1 << 40
"""A revision that nothing is newer than: the caller has seen all."""


def call(request_id: str | None = None, digest: bytes = b"asked") -> WritingCall:
    return WritingCall(request_id or str(uuid4()), "test", digest)


def key(text: str) -> RecordKey:
    system, _, local_id = text.partition(":")
    return RecordKey(system, local_id)


class Stewards:
    """Calls of the desk's services over one desk where records come in."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.registry: Registry = desk.registry

    def tasks(self, actor: Actor = LAN) -> tuple[ReviewTask, ...]:
        return review_queue.list_tasks(self.registry, actor, EVERYTHING, page_size=1000).tasks

    def only_task(self, actor: Actor = LAN) -> ReviewTask:
        (task,) = self.tasks(actor)
        return task

    def answer(
        self,
        task: ReviewTask,
        verdict: Verdict | None,
        *,
        by: Actor = LAN,
        records: Sequence[str] = (),
        request_id: str | None = None,
        seen: int | None = None,
    ) -> Outcome:
        request = DecisionRequest(
            task.task_id,
            verdict,
            "as the papers say",
            task.version,
            task.seen_revision if seen is None else seen,
            seconds=3.5,
            records=tuple(key(each) for each in records),
        )
        return self._told(
            adjudicate.decide(self.registry, self.desk.rules, by, call(request_id), request, pickle.dumps)
        )

    def settle(self, task: ReviewTask, verdict: Verdict, *, by: Actor = LAN, then: Actor = MINH) -> Outcome:
        """An answer, and that of a second reader where one is asked for."""
        outcome = self.answer(task, verdict, by=by)
        if outcome.standing is Standing.SECOND_READING:
            outcome = self.answer(self.task(task.task_id, then), verdict, by=then)
        assert outcome.standing is Standing.APPLIED
        return outcome

    def task(self, task_id: int, actor: Actor = LAN) -> ReviewTask:
        return review_queue.task(self.registry, actor, task_id)

    def undo(self, outcome: Outcome, *, by: Actor = LAN) -> Outcome:
        assert outcome.decision_id is not None
        return self.undo_decision(outcome.decision_id, by=by)

    def undo_decision(self, decision_id: int, *, by: Actor = LAN) -> Outcome:
        return self._told(
            adjudicate.undo(self.registry, self.desk.rules, by, call(), decision_id=decision_id, encode=pickle.dumps)
        )

    def undo_reading(self, task_id: int, *, by: Actor = LAN) -> Outcome:
        return self._told(
            adjudicate.undo(self.registry, self.desk.rules, by, call(), task_id=task_id, encode=pickle.dumps)
        )

    def merge(self, one: str, other: str, *, by: Actor = LAN, then: Actor = MINH) -> Outcome:
        """A merge without a task; by two readers where two are needed."""
        request = MergeRequest((one, other), "one and the same", NOW)
        outcome = self._told(rearrange.merge_persons(self.registry, self.desk.rules, by, call(), request, pickle.dumps))
        if outcome.standing is Standing.SECOND_READING:
            assert outcome.task is not None
            assert outcome.task.stage is Stage.SECOND
            outcome = self.answer(self.task(outcome.task.task_id, then), Verdict.SAME, by=then)
        return outcome

    def unmerge(self, enterprise_id: str, *, by: Actor = LAN) -> Outcome:
        request = UnmergeRequest(enterprise_id, "two people after all", NOW)
        return self._told(rearrange.unmerge_persons(self.registry, self.desk.rules, by, call(), request, pickle.dumps))

    def split(self, enterprise_id: str, *records: str, into: str | None = None, by: Actor = LAN) -> Outcome:
        request = SplitRequest(enterprise_id, tuple(map(key, records)), into, "somebody else's", NOW)
        return self._told(rearrange.split_person(self.registry, self.desk.rules, by, call(), request, pickle.dumps))

    def withdraw(self, record: str) -> None:
        """A source takes a record back."""
        withdraw(
            self.registry,
            request_id=str(uuid4()),
            payload_digest=b"",
            key=key(record),
            reason="sent in error",
            encode=lambda _: b"",
        )

    def id_of(self, record: str) -> str | None:
        """The enterprise ID of a record's person today; None for a record of nobody."""
        with self.registry.snapshot() as uow:
            number = source_records.find(uow, key(record))
            links = persons.links_of_records(uow, np.array([number], dtype=np.int64))
            if not len(links.person_ids):
                return None
            return persons.enterprise_ids_of(uow, links.person_ids)[int(links.person_ids[0])]

    def closed_reason(self, task_id: int) -> str | None:
        with self.registry.snapshot() as uow:
            return review_tasks.find(uow, task_id).closed_reason

    def state(self) -> dict[str, Any]:
        """Who is who: the open links with their evidence, and where every ID leads."""
        link = tables.link.c
        links = query(
            self.registry,
            sa.select(
                link.record_id, link.person_id, link.made_by, link.match_weight, link.via_record_id, link.rule_version
            )
            .where(link.valid_to_revision.is_(None))
            .order_by(link.record_id),
        )
        person = tables.person.c
        people = query(
            self.registry, sa.select(person.person_id, person.status, person.superseded_by).order_by(person.person_id)
        )
        return {"links": [tuple(row) for row in links], "people": [tuple(row) for row in people]}

    @staticmethod
    def _told(answer: bytes) -> Outcome:
        outcome = pickle.loads(answer)
        assert isinstance(outcome, Outcome)
        return outcome
