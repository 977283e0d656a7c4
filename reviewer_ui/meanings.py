"""What each error means on a page: one table from reasons to HTTP statuses and words, which catalogues translate."""

from collections.abc import Mapping
from dataclasses import dataclass

from mpi.domain.errors import InvalidInputError, MpiError, NotFoundError, RegistryError
from mpi.domain.review import Right
from reviewer_ui.languages import message


@dataclass(frozen=True, slots=True)
class Meaning:
    """What somebody is told: the HTTP status, a heading, a sentence, and seconds after which to try again.

    The sentence may have places for `seconds`, `right` and `trace_id`.
    """

    status: int
    heading: str
    words: str
    retry: int | None = None


_GONE = message("It may have been closed or taken back meanwhile.")
_CHANGED = message("Nothing was changed. Look at it again, and decide then.")
_LATER = message("Nothing was lost. Try again in a moment.")
_WAIT = message("You can try again in {seconds} seconds.")

_NOT_FOUND = Meaning(404, message("There is no such page"), message("The address may be mistyped."))
_BAD = Meaning(
    400, message("This cannot be used"), message("Something in the form is missing or is not what it should be.")
)
_BUSY = Meaning(503, message("The registry does not answer"), _LATER, 5)
_CONFLICT = Meaning(503, message("Somebody was at the same record in this moment"), _LATER, 1)
UNEXPECTED = Meaning(
    500,
    message("Something went wrong"),
    message("The fault is ours, and it was written down. Tell those who look after the desk this number: {trace_id}"),
)

MEANINGS: Mapping[str, Meaning] = {
    "MISSING_RIGHT": Meaning(
        403, message("You may not do this"), message("Your role does not have the right that this needs: {right}.")
    ),
    "FOREIGN_REQUEST": Meaning(
        403, message("This form is not of your session"), message("Go back, load the page again, and send it anew.")
    ),
    "OWN_SECOND_READING": Meaning(
        403,
        message("Somebody else has to read this"),
        message("You have read it before, and a second reading is for another steward."),
    ),
    "NOT_SIGNED_IN": Meaning(
        401, message("You are not signed in"), message("Your session has ended. Sign in, and you come back here.")
    ),
    "SIGN_IN_REFUSED": Meaning(
        403,
        message("Signing in was refused"),
        message("The name or the password is wrong, or the account is closed."),
    ),
    "TOO_MANY_ATTEMPTS": Meaning(429, message("Too many attempts"), _WAIT),
    "OVERLOADED": Meaning(429, message("Too many requests"), _WAIT, 1),
    "UNKNOWN_PAGE": _NOT_FOUND,
    "UNKNOWN_REVIEW_TASK": Meaning(404, message("There is no such review task"), _GONE),
    "UNKNOWN_PERSON": Meaning(404, message("Nobody has this enterprise ID"), message("The ID may be mistyped.")),
    "UNKNOWN_RECORD": Meaning(404, message("There is no such record"), _GONE),
    "UNKNOWN_DECISION": Meaning(404, message("There is no such decision"), _GONE),
    "WRONG_METHOD": Meaning(
        405,
        message("This cannot be asked for in this way"),
        message("The address is that of a button, not of a page."),
    ),
    "BODY_TOO_SLOW": Meaning(408, message("The form came too slowly"), _LATER),
    "BODY_TOO_LARGE": Meaning(413, message("The form is too large"), message("Shorten what you wrote.")),
    "STALE_VERSION": Meaning(409, message("This has changed since you looked at it"), _CHANGED),
    "JUDGEMENT_CONTRADICTED": Meaning(409, message("Earlier judgements say otherwise"), _CHANGED),
    "REVIEW_TASK_CLOSED": Meaning(409, message("This review task is closed"), _CHANGED),
    "REVIEW_TASK_CLAIMED": Meaning(409, message("Somebody else is at this review task"), _CHANGED),
    "UNDO_BLOCKED": Meaning(
        409, message("A later decision rests on this one"), message("Undo the later decision first.")
    ),
    "RECORD_WITHDRAWN": Meaning(409, message("The record was withdrawn by its source"), _CHANGED),
    "REQUEST_ID_REUSED": Meaning(
        409, message("This form was sent before"), message("Load the page again to see what became of it.")
    ),
    "INVALID_INPUT": _BAD,
    "INVALID_FORM": _BAD,
    "REGISTRY_UNAVAILABLE": _BUSY,
    "RULES_NOT_READY": _BUSY,
    "BULK_RUN_IN_PROGRESS": Meaning(
        503, message("A bulk run is writing people"), message("Deciding has to wait until it has ended."), 30
    ),
}
"""By the reason of an MpiError."""

_BY_CLASS: tuple[tuple[type[MpiError], Meaning], ...] = (
    (InvalidInputError, _BAD),
    (NotFoundError, _NOT_FOUND),
    (RegistryError, _BUSY),
)
"""For reasons that the table does not name: by the nearest class."""

RIGHT_WORDS: Mapping[Right, str] = {
    Right.REVIEW: message("reading and deciding review tasks"),
    Right.CHANGE_PEOPLE: message("merging, separating and splitting people"),
    Right.ADJUDICATE: message("deciding where two readers disagree"),
    Right.LOOK_UP: message("searching and seeing people"),
    Right.REVEAL: message("seeing masked personal data"),
    Right.SEE_TEAM: message("seeing the figures of the team"),
    Right.SEE_AUDIT: message("seeing the audit trail"),
    Right.MANAGE_ACCOUNTS: message("making and closing accounts"),
}
"""What a right is called on a page."""

# PostgreSQL's SQLSTATEs that a second try cures, and classes of them that are our defects, not outages.
_CONFLICTS = frozenset({"40001", "40P01", "55P03"})
_DEFECTS = frozenset({"22", "23", "42"})


def meaning_of(error: Exception) -> Meaning:
    """What an error means to whoever sees the page."""
    if not isinstance(error, MpiError):
        return UNEXPECTED
    state = error.metadata.get("sqlstate", "") if isinstance(error, RegistryError) else ""
    if state in _CONFLICTS:
        return _CONFLICT
    if state[:2] in _DEFECTS:
        return UNEXPECTED
    known = MEANINGS.get(error.reason)
    return known or next((meaning for kind, meaning in _BY_CLASS if isinstance(error, kind)), UNEXPECTED)
