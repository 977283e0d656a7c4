"""Who has to read a question before its answer holds, and how an answer comes about. Pure: no registry, no clock.

A merge is harder to mend than a missed one, so merges of much are read twice; disagreement goes to a lead.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mpi.domain.model import Thresholds
from mpi.domain.review import Stage, Verdict

ESTABLISHED = 2
"""Records from which on a person counts as established."""

ADULT = 18
"""Years. Below it a person is a minor (Children's Law 102/2016 says 16, the Civil Code 91/2015 says 18: the wider)."""

SAMPLED_ONE_IN = 20
"""Of all answers one in so many is read twice for no other reason: 5 %."""


class SecondReason(StrEnum):
    """Why a second reader is asked."""

    ESTABLISHED = "established"
    DECEASED = "deceased"
    MINOR = "minor"
    LOW_MARGIN = "low_margin"
    UNSURE = "unsure"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What second reading asks of a person: how many records, whether a death is registered, the age in full years
    (None where no birth year is known)."""

    records: int
    deceased: bool
    age: int | None


@dataclass(frozen=True, slots=True)
class QuestionFacts:
    """What second reading asks of a question: the people, the weight in bits (None where there is none), whether
    several people fit about equally well, and whether it is in the sample."""

    people: Sequence[PersonFacts]
    match_weight: float | None
    several_fit: bool
    sampled: bool


def second_reasons(verdict: Verdict, facts: QuestionFacts, thresholds: Thresholds) -> tuple[SecondReason, ...]:
    """Why a first answer needs a second reader; nothing where it does not."""
    reasons: list[SecondReason] = []
    if verdict is Verdict.UNSURE:
        reasons.append(SecondReason.UNSURE)
    if verdict is Verdict.SAME and len(facts.people) > 1:
        if all(person.records >= ESTABLISHED for person in facts.people):
            reasons.append(SecondReason.ESTABLISHED)
        if any(person.deceased for person in facts.people):
            reasons.append(SecondReason.DECEASED)
        if any(person.age is not None and person.age < ADULT for person in facts.people):
            reasons.append(SecondReason.MINOR)
        if facts.several_fit or _is_low(facts.match_weight, thresholds):
            reasons.append(SecondReason.LOW_MARGIN)
    if facts.sampled:
        reasons.append(SecondReason.SAMPLE)
    return tuple(reasons)


def _is_low(weight: float | None, thresholds: Thresholds) -> bool:
    """Whether the evidence lies hardly above what is asked about at all."""
    return weight is not None and weight < thresholds.review + thresholds.margin


def is_sampled(task_id: int, secret: bytes) -> bool:
    """Whether a task is in the sample; nobody can tell beforehand who does not know the registry's 16-byte secret."""
    digest = hashlib.blake2b(task_id.to_bytes(8, "little"), key=secret, person=b"second-reading", digest_size=8)
    return int.from_bytes(digest.digest(), "little") % SAMPLED_ONE_IN == 0


def next_stage(
    stage: Stage, earlier: Sequence[Verdict], verdict: Verdict, *, second_needed: bool, same_parts: bool = True
) -> Stage | None:
    """Where a task goes after a verdict at a stage; None: the verdict holds.

    `earlier` are the verdicts of the readings before; `same_parts` tells whether readers who want one person parted
    would part it alike. Two readers who agree are enough; a lead's word is the last.
    """
    if stage is Stage.ADJUDICATION:
        return None
    if stage is Stage.SECOND:
        return None if same_parts and all(each is verdict for each in earlier) else Stage.ADJUDICATION
    return Stage.SECOND if second_needed else None


def part_alike(members: Collection[int], choices: Iterable[Collection[int]]) -> bool:
    """Whether all who chose records that leave a person of some members would part it alike; who chose none did not."""
    parts = [frozenset(choice) for choice in choices if choice]
    everybody = frozenset(members)
    return len({min(part, everybody - part, key=sorted) for part in parts}) <= 1
