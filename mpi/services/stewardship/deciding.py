"""One decision inside one transaction: what it found, what it writes, and the row that names it.

The transaction holds the locks of every writer of single records: nobody changes between the look and the writing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpi.domain.errors import ContradictionError, InvalidInputError, StaleVersionError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, DecisionKind, Verdict
from mpi.persons.enterprise_id import names_of, parse
from mpi.persons.judged import Obstacle
from mpi.persons.survivorship import key_order
from mpi.registry import decisions, events, judgements, online, persons, source_records
from mpi.registry.counters import Counters, allocate
from mpi.registry.decisions import Decision
from mpi.registry.persons import Person
from mpi.services.lookup import find_record
from mpi.services.neighbourhood import OnlineRules
from mpi.services.people_now import PeopleNow
from mpi.services.resolution import Affected
from mpi.services.stewardship import people_writing
from mpi.services.stewardship.people_writing import Author, Rearrangement, Written

MOST_PAIRS = 400
"""Judgements that one split makes at most: every record that leaves against every one that stays, or as many."""

LONGEST_REASON = 2_000
"""Characters of a comment or reason."""


@dataclass(frozen=True, slots=True)
class Said:
    """A judgement to be made: two records by number."""

    record_a: int
    record_b: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Made:
    """A decision that was written, and what callers are told of it."""

    decision_id: int
    kind: DecisionKind
    created: int | None
    people: frozenset[int]
    affected: tuple[Affected, ...]
    undoes: int | None = None


@dataclass(slots=True)
class Deciding(PeopleNow):
    """One decision while it is being made. `reason` is what the steward wrote; nobody reads it but at the desk."""

    secret: bytes
    rules: OnlineRules
    actor: Actor
    reason: str
    task_id: int | None = None

    def number_of(self, enterprise_id: str) -> int:
        """The number of an active person. Raises UnknownPersonError, InvalidInputError, and StaleVersionError where the
        ID leads to another person by now."""
        found = persons.resolve_enterprise_id(self.uow, enterprise_id)
        if found.enterprise_id != parse(enterprise_id):
            raise StaleVersionError(
                f"{parse(enterprise_id)} has been merged into {found.enterprise_id}",
                metadata={"changed": "merged", "revision": str(found.changed_revision)},
            )
        return found.person_id

    def merged_person(self, enterprise_id: str) -> Person:
        """The person that an ID was given to, though it leads to another. Raises UnknownPersonError, InvalidInputError
        for one who is not merged."""
        found = persons.named(self.uow, parse(enterprise_id))
        if found.superseded_by is None:
            raise InvalidInputError(
                f"{found.enterprise_id} is not merged into another person", metadata={"field": "enterprise_id"}
            )
        return found

    def names(self, people: Iterable[int]) -> dict[int, str]:
        """Enterprise IDs by number."""
        return names_of(people, self.secret)

    def record_number(self, key: RecordKey) -> int:
        """The number of a record. Raises UnknownRecordError, UnknownSourceSystemError."""
        return find_record(self.uow, key)

    def keys_of(self, records: Collection[int]) -> tuple[RecordKey, ...]:
        """The keys of some records by number, in the order in which people read them."""
        found = source_records.keys_of(self.uow, np.array(sorted(records), dtype=np.int64))
        return tuple(sorted(found.values(), key=key_order))

    def refuse_stale(self, people: Iterable[int], seen_revision: int) -> None:
        """Nobody may have changed since the caller looked. Raises StaleVersionError, saying what happened."""
        for person in sorted(set(people)):
            found = persons.find_person(self.uow, person)
            if found.changed_revision <= seen_revision:
                continue
            later = [each for each in events.of_person(self.uow, person) if each.revision > seen_revision]
            words = sorted({each.kind.removeprefix("person.") for each in later})
            raise StaleVersionError(
                f"{found.enterprise_id} has changed since: {', '.join(words)}",
                metadata={
                    "enterprise_id": found.enterprise_id,
                    "changed": ",".join(words),
                    "revision": str(found.changed_revision),
                },
            )

    def refuse_contradiction(self, obstacle: Obstacle | None) -> None:
        """Raises ContradictionError, naming the path, where something stands against the decision."""
        if obstacle is None:
            return
        path = self.in_words(obstacle)
        raise ContradictionError(
            f"earlier judgements say otherwise: {path}",
            metadata={
                "path": path,
                "judgement": str(obstacle.judgement.judgement_id),
                "decision": str(obstacle.judgement.decision_id or ""),
            },
        )

    def in_words(self, obstacle: Obstacle) -> str:
        """A path as one line: records by their keys, and each judgement with its number, who made it and when."""
        numbers = [obstacle.start, *(step.record for step in obstacle.path)]
        keys = source_records.keys_of(self.uow, np.array(sorted(set(numbers)), dtype=np.int64))
        said = [str(keys[obstacle.start])]
        for step in obstacle.path:
            each = step.judgement
            made = f"judgement {each.judgement_id} by {each.made_by} on {each.made_at[:10]}"
            said.append(f"{each.verdict.value}, {made}, as {keys[step.record]}")
        return "; ".join(said)

    def make(
        self,
        kind: DecisionKind,
        *,
        wanted: Rearrangement | None = None,
        said: Sequence[Said] = (),
        takes_back: Collection[int] = (),
        undoes: int | None = None,
        people: Collection[int] = (),
    ) -> Made:
        """Write a decision: its own event, judgements made and taken back, and what happens to people.

        `people` are those it is about, whether they change or not. The decision's row is written by `finish`.
        Raises RunInProgressError while a bulk run is at work.
        """
        wanted = wanted or Rearrangement()
        # numbers before the look at runs: a run cannot begin in between
        first = allocate(self.uow, Counters(revision=1, judgement=len(said)))
        online.refuse_during_run(self.uow)
        decision_id = first.revision
        payload: dict[str, Any] = {"decision": decision_id, "steward": self.actor.name, "kind": kind.value}
        payload |= {"records": sorted({end for each in said for end in (each.record_a, each.record_b)})}
        payload |= {"judgements": list(range(first.judgement, first.judgement + len(said)))} if said else {}
        payload |= {"verdicts": [each.verdict.value for each in said]} if said else {}
        payload |= {"taken_back": sorted(takes_back)} if takes_back else {}
        payload |= {"task": self.task_id} if self.task_id is not None else {}
        payload |= {"undoes": undoes} if undoes is not None else {}
        name = "review.undone" if kind is DecisionKind.UNDO else "review.judged"
        events.append_one(self.uow, name, None, payload, made_by="steward", revision=decision_id)
        judgements.withdraw(self.uow, sorted(takes_back), revision=decision_id)
        judgements.add(
            self.uow,
            [(each.record_a, each.record_b) for each in said],
            [each.verdict for each in said],
            first_judgement=first.judgement,
            decision_id=decision_id,
            made_by=self.actor.name,
            reason=self.reason,
        )
        written = Written(None, frozenset(), ())
        if wanted.moves or wanted.superseded or wanted.restored:
            author = Author(self.actor.name, decision_id, self.rules.model.name)
            written = people_writing.write(self.uow, self.secret, wanted, author)
            self.forget()
        everybody = written.people | frozenset(people)
        affected = written.affected(self.names(everybody))
        return Made(decision_id, kind, written.created, everybody, affected, undoes)

    def finish(self, made: Made) -> int:
        """Write the decision's row, when all its events are written; gives its last revision."""
        last = events.last_revision(self.uow)
        row = Decision(
            made.decision_id, made.kind, last, self.task_id, self.actor.name, "", self.reason, made.undoes, None
        )
        decisions.add(self.uow, row, made.people)
        return last


def apart(leaving: Sequence[int], staying: Sequence[int]) -> list[Said]:
    """Judgements that keep two groups of records apart: each record of one against all of the other, as far as
    MOST_PAIRS reaches, and each against one of the other at least."""
    pairs = dict.fromkeys((one, staying[0]) for one in leaving)
    pairs |= dict.fromkeys((leaving[0], other) for other in staying)
    for one in leaving:
        for other in staying:
            if len(pairs) >= MOST_PAIRS:
                break
            pairs[one, other] = None
    return [Said(one, other, Verdict.DIFFERENT) for one, other in pairs]


def checked_reason(reason: str) -> str:
    """What a steward wrote. Raises InvalidInputError where it is too long."""
    if len(reason) > LONGEST_REASON:
        raise InvalidInputError(f"a comment has at most {LONGEST_REASON} characters", metadata={"field": "reason"})
    return reason.strip()
