"""What errors mean on a page: every error of the project has words, in both languages, and a status that fits it."""

import pytest

import mpi.domain.errors as domain_errors
import reviewer_ui.errors as desk_errors
import reviewer_ui.security as security
from mpi.domain.errors import MpiError, RegistryError
from mpi.domain.review import Right
from reviewer_ui import meanings
from reviewer_ui.languages import catalogues
from reviewer_ui.meanings import MEANINGS, RIGHT_WORDS, UNEXPECTED, meaning_of

KINDS = sorted(
    {
        kind
        for module in (domain_errors, desk_errors, security)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, MpiError)
    },
    key=lambda kind: kind.__name__,
)
STATUSES = {
    "MissingRightError": 403,
    "ForeignRequestError": 403,
    "OwnReadingError": 403,
    "SignInRefusedError": 403,
    "NotSignedInError": 401,
    "TooManyAttemptsError": 429,
    "OverloadedError": 429,
    "StaleVersionError": 409,
    "ContradictionError": 409,
    "TaskClosedError": 409,
    "TaskClaimedError": 409,
    "UndoBlockedError": 409,
    "RecordWithdrawnError": 409,
    "RequestReusedError": 409,
    "WrongMethodError": 405,
    "BodyTooLargeError": 413,
    "BodyTooSlowError": 408,
    # the desk calls nothing that can raise these
    "MpiError": 500,
    "WorkerLostError": 500,
    "WatcherTooSlowError": 500,
}


def expected(kind: type[MpiError]) -> int:
    if kind.__name__ in STATUSES:
        return STATUSES[kind.__name__]
    if issubclass(kind, RegistryError):
        return 503
    return 404 if issubclass(kind, domain_errors.NotFoundError) else 400


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_its_status(kind: type[MpiError]) -> None:
    meaning = meaning_of(kind("x"))
    assert meaning.status == expected(kind)
    assert (meaning.retry is None) == (meaning.status not in (429, 503) or kind.__name__ == "TooManyAttemptsError")


@pytest.mark.parametrize(
    ("state", "status"), [("40001", 503), ("40P01", 503), ("23505", 500), ("42P01", 500), ("57P01", 503)]
)
def test_what_a_database_refuses_is_busy_or_our_fault(state: str, status: int) -> None:
    assert meaning_of(RegistryError("refused", metadata={"sqlstate": state})).status == status


def test_what_is_no_error_of_ours_is_unexpected() -> None:
    assert meaning_of(ValueError("079184000123")) is UNEXPECTED


def test_every_word_is_said_in_vietnamese() -> None:
    said = catalogues()["vi"].single
    wanted = [*MEANINGS.values(), UNEXPECTED, meanings._CONFLICT]
    texts = {text for each in wanted for text in (each.heading, each.words)} | set(RIGHT_WORDS.values())
    assert texts <= set(said)
    places = ("seconds", "right", "trace_id")
    for text in texts:
        assert [f"{{{place}}}" in text for place in places] == [f"{{{place}}}" in said[text] for place in places]


def test_every_right_has_words() -> None:
    assert set(RIGHT_WORDS) == set(Right)
