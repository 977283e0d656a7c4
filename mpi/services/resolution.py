"""What the online services answer: candidates of a match, the outcome of a resolve. Plain values for every shell."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mpi.domain.model import Thresholds
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.explain import Explanation


class Grade(StrEnum):
    """How sure a candidate is, the same words as FHIR's match grades.

    Certain: rules would link. Probable: more likely than not, but a veto or the threshold leaves it to a steward.
    Possible: worth a steward's question. Certainly not: too little evidence, or a veto forbids it.
    """

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    CERTAINLY_NOT = "certainly_not"


class MatchOutcome(StrEnum):
    """What the candidates of a match come to. Several fit: two people or more are certain, or about equally likely."""

    NO_MATCH = "no_match"
    MATCH = "match"
    POSSIBLE_MATCHES = "possible_matches"
    SEVERAL_FIT = "several_fit"


class ResolveOutcome(StrEnum):
    """What became of a record. Provisional: its own person for now, while a steward is asked."""

    LINKED = "linked"
    NEW_PERSON = "new_person"
    PROVISIONAL = "provisional"


class RecordChange(StrEnum):
    """What a record was to the registry. A late version was captured before the current one and changes nothing."""

    NEW = "new"
    NEW_VERSION = "new_version"
    LATE_VERSION = "late_version"
    UNCHANGED = "unchanged"


class PersonChange(StrEnum):
    """What a decision did to a person."""

    CREATED = "created"
    LINKED = "linked"
    UPDATED = "updated"
    MERGED = "merged"
    SUPERSEDED = "superseded"
    SPLIT = "split"
    UNMERGED = "unmerged"
    RESTORED = "restored"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Blocking:
    """What blocking did for one record: candidate records scored, and the rules whose block was too large to score
    whole."""

    records: int
    bounded_rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person that a record may be. `match_weight` is in bits, of the record against the whole person.

    `cross_references` are the person's records; `best_record` is the one that weighs most against the record asked
    about, and `explanation` is of that pair.
    """

    enterprise_id: str
    match_weight: float
    probability: float
    grade: Grade
    cross_references: tuple[RecordKey, ...]
    best_record: RecordKey
    vetoes: tuple[str, ...]
    explanation: Explanation | None


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Candidates, best first, by all that had happened at `revision`, and perhaps by what came while they were read."""

    outcome: MatchOutcome
    candidates: tuple[Candidate, ...]
    blocking: Blocking
    rule_version: str
    thresholds: Thresholds
    revision: int


@dataclass(frozen=True, slots=True)
class OpenedTask:
    """A question to a steward: may the record's person and this other one be the same?

    `match_weight` is that of the two people in bits, None where a record contradicts its own person.
    """

    task_id: int
    kind: str
    reason: str
    enterprise_id: str
    match_weight: float | None


@dataclass(frozen=True, slots=True)
class Affected:
    """A person that a decision touched."""

    enterprise_id: str
    change: PersonChange
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who a record is. `match_weight` (bits) and `linked_through` are those of the pair that tied it to its person.

    `revision` is that of the newest event of the decision, which names it for ever.
    """

    enterprise_id: str
    outcome: ResolveOutcome
    change: RecordChange
    match_weight: float | None
    linked_through: RecordKey | None
    review_tasks: tuple[OpenedTask, ...]
    affected: tuple[Affected, ...]
    revision: int
    rule_version: str
    thresholds: Thresholds
    blocking: Blocking


@dataclass(frozen=True, slots=True)
class ResolveRequest:
    """A record to be resolved. `payload_digest` tells a repeat of `request_id` from another request under its name.

    `encode` makes the bytes that are stored with the decision and answered, now and to every repeat.
    """

    request_id: str
    payload_digest: bytes
    record: SourceRecord
    encode: Callable[[Resolution], bytes]
