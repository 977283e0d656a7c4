"""Tokens are read by the registry that gave them, and by no other; what is not whole is refused."""

import pytest

from mpi.domain.errors import InvalidInputError
from mpi.rpc.errors import ConsistencyTokenError, PageTokenError, ResumeTokenError
from mpi.rpc.tokens import Tokens, digest_of

OURS, THEIRS = Tokens(bytes(range(16))), Tokens(bytes(range(1, 17)))
BROKEN = ["", "x", "!", "é", "AAAA", "A" * 1000]


@pytest.mark.parametrize("revision", [0, 1, 255, 256, 2**62])
def test_a_token_stands_for_its_revision(revision: int) -> None:
    assert OURS.at_least(OURS.consistency(revision)) == revision
    assert OURS.resumed(OURS.resume(revision)) == revision


def test_no_token_asks_for_nothing() -> None:
    assert OURS.at_least("") == 0


@pytest.mark.parametrize("token", [*BROKEN[1:], THEIRS.consistency(5), OURS.resume(5), OURS.page(b"", ["5"])])
def test_a_foreign_or_broken_consistency_token_is_refused(token: str) -> None:
    with pytest.raises(ConsistencyTokenError):
        OURS.at_least(token)


@pytest.mark.parametrize("token", [*BROKEN, THEIRS.resume(5), OURS.consistency(5)])
def test_a_foreign_or_broken_resume_token_is_refused(token: str) -> None:
    with pytest.raises(ResumeTokenError):
        OURS.resumed(token)


def test_a_changed_token_is_refused() -> None:
    token = OURS.consistency(7)
    for place in range(len(token) - 1):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(ConsistencyTokenError):
            OURS.at_least(changed)


def test_a_page_token_belongs_to_its_question() -> None:
    position = ("2020-01-31", "bệnh viện", "E 1")
    token = OURS.page(b"question", position)
    assert OURS.position(b"question", token) == position
    for tokens, question in ((OURS, b"another"), (THEIRS, b"question")):
        with pytest.raises(PageTokenError):
            tokens.position(question, token)


def test_there_is_no_token_of_a_revision_below_zero() -> None:
    with pytest.raises(InvalidInputError):
        OURS.resume(-1)


def test_a_digest_tells_verbs_and_payloads_apart() -> None:
    assert len({digest_of("Resolve", b"a"), digest_of("Resolve", b"b"), digest_of("Withdraw", b"a")}) == 3
    assert digest_of("Resolve", b"a") == digest_of("Resolve", b"a")
