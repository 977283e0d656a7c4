"""What stewards decide, who they are and what each may do: the words that every floor and both shells share."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class TaskKind(StrEnum):
    """Why a steward is asked. Of the first three two people may be one; of the others one person may be two."""

    POSSIBLE_MATCH = "possible_match"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    STOPPED_BY_VETO = "stopped_by_veto"
    OVERLAY = "overlay"
    SUSPECTED_WRONG_MERGE = "suspected_wrong_merge"


class Verdict(StrEnum):
    """What a steward says of two records. UNSURE binds nobody."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


class Stage(StrEnum):
    """Who has to read a task next: anybody, somebody else than before, or a lead who has not read it."""

    FIRST = "first"
    SECOND = "second"
    ADJUDICATION = "adjudication"


class Role(StrEnum):
    """What an account is for."""

    STEWARD = "steward"
    LEAD = "lead"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Right(StrEnum):
    """What somebody may do.

    REVIEW: read tasks and decide them. CHANGE_PEOPLE: merge, unmerge and split without a task. ADJUDICATE: decide where
    two readers disagree, and choose gold pairs. LOOK_UP: search, and see people masked. REVEAL: see what is masked.
    SEE_TEAM: the team's figures. SEE_AUDIT: the audit trail. MANAGE_ACCOUNTS: make and close accounts.
    """

    REVIEW = "review"
    CHANGE_PEOPLE = "change_people"
    ADJUDICATE = "adjudicate"
    LOOK_UP = "look_up"
    REVEAL = "reveal"
    SEE_TEAM = "see_team"
    SEE_AUDIT = "see_audit"
    MANAGE_ACCOUNTS = "manage_accounts"


_OF_STEWARDS = {Right.REVIEW, Right.CHANGE_PEOPLE, Right.LOOK_UP, Right.REVEAL}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.STEWARD: frozenset(_OF_STEWARDS),
    Role.LEAD: frozenset(_OF_STEWARDS | {Right.ADJUDICATE, Right.SEE_TEAM, Right.SEE_AUDIT}),
    Role.AUDITOR: frozenset({Right.LOOK_UP, Right.REVEAL, Right.SEE_AUDIT}),
    Role.ADMIN: frozenset({Right.SEE_TEAM, Right.MANAGE_ACCOUNTS}),
}
"""The whole of access control: what each role may do."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who is known to be who they say."""

    name: str
    role: Role

    def may(self, right: Right) -> bool:
        """Whether the role has a right."""
        return right in RIGHTS[self.role]


class DecisionKind(StrEnum):
    """What a decision did to people. JUDGE changed nobody; UNDO took another decision back."""

    JUDGE = "judge"
    MERGE = "merge"
    UNMERGE = "unmerge"
    SPLIT = "split"
    MOVE = "move"
    UNDO = "undo"


class RevealReason(StrEnum):
    """Why somebody looks at personal data that is masked; written down with every reveal."""

    COMPARE = "compare"
    CONTACT = "contact"
    COMPLAINT = "complaint"
    AUDIT = "audit"
