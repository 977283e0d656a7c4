"""Accounts: who may sign in, with what, and what ends when an account or its password does."""

import logging
import unicodedata
from typing import Literal

import pytest
import sqlalchemy as sa

from mpi.domain.errors import (
    InvalidInputError,
    NotSignedInError,
    SignInRefusedError,
    UnknownAccountError,
)
from mpi.domain.review import Actor, Right, Role
from mpi.registry.registry import Registry
from mpi.registry.tables import account
from mpi.services import accounts
from mpi.services.accounts import NewAccount
from mpi.services.passwords import LONGEST, SHORTEST
from mpi.services.sessions import session_of, sign_in

pytestmark = pytest.mark.usefixtures("quick_passwords")

PASSWORD = "a long enough password"
LAN = NewAccount("lan", Role.STEWARD, PASSWORD, "  Trần  Thị Lan ")


def stored(registry: Registry) -> list[dict[str, object]]:
    with registry.snapshot() as uow:
        return [dict(row._mapping) for row in uow.connection.execute(sa.select(account))]


def test_an_account_is_made_listed_and_signs_in(registry: Registry) -> None:
    made = accounts.add_account(registry, LAN)
    accounts.add_account(registry, NewAccount("an", Role.ADMIN, PASSWORD))
    assert accounts.list_accounts(registry)[1] == made
    assert [each.name for each in accounts.list_accounts(registry)] == ["an", "lan"]
    assert (made.display_name, made.role, made.active, made.language) == ("Trần Thị Lan", Role.STEWARD, True, "vi")
    assert made.actor == Actor("lan", Role.STEWARD)
    assert made.actor.may(Right.REVIEW)
    assert sign_in(registry, "lan", PASSWORD).session.account == made


def test_only_a_slow_hash_of_the_password_is_kept(registry: Registry) -> None:
    accounts.add_account(registry, LAN)
    accounts.add_account(registry, NewAccount("mai", Role.STEWARD, PASSWORD))
    one, other = (row["password_hash"] for row in stored(registry))
    assert str(one).startswith("$argon2id$")
    assert one != other
    assert PASSWORD not in str(stored(registry))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (NewAccount("Lan", Role.STEWARD, PASSWORD), "small letters"),
        (NewAccount("l", Role.STEWARD, PASSWORD), "small letters"),
        (NewAccount("lan\n", Role.STEWARD, PASSWORD), "small letters"),
        (NewAccount("trần", Role.STEWARD, PASSWORD), "small letters"),
        (NewAccount("mai", Role.STEWARD, "x" * (SHORTEST - 1)), "12 to 256 characters"),
        (NewAccount("mai", Role.STEWARD, "x" * (LONGEST + 1)), "12 to 256 characters"),
        (NewAccount("mai.of.the.desk", Role.STEWARD, "Mai.Of.The.Desk"), "the account's name"),
        (NewAccount("mai", Role.STEWARD, PASSWORD, "x" * 81), "display name"),
        (NewAccount("mai", Role.STEWARD, PASSWORD, "a\x1b[31m"), "display name"),
        (NewAccount("lan", Role.LEAD, PASSWORD), "already"),
    ],
)
def test_what_cannot_be_an_account_is_refused(registry: Registry, wanted: NewAccount, said: str) -> None:
    accounts.add_account(registry, LAN)
    with pytest.raises(InvalidInputError, match=said) as refused:
        accounts.add_account(registry, wanted)
    assert wanted.password not in str(refused.value)
    assert [(row["account_name"], row["role"]) for row in stored(registry)] == [("lan", "steward")]


_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


def test_a_password_is_the_same_however_a_keyboard_sends_its_marks(registry: Registry) -> None:
    password = "mật khẩu đủ dài của Lan"
    accounts.add_account(registry, NewAccount("lan", Role.STEWARD, unicodedata.normalize("NFD", password)))
    for form in _FORMS:
        assert sign_in(registry, "lan", unicodedata.normalize(form, password)).secret


def test_closing_an_account_ends_its_sessions_and_its_token(registry: Registry) -> None:
    accounts.add_account(registry, LAN)
    accounts.add_account(registry, NewAccount("mai", Role.STEWARD, PASSWORD))
    secrets = [sign_in(registry, "lan", PASSWORD).secret for _ in range(2)]
    others = sign_in(registry, "mai", PASSWORD).secret
    token = accounts.issue_token(registry, "lan")
    assert accounts.close_account(registry, "lan") == 2
    for secret in secrets:
        with pytest.raises(NotSignedInError):
            session_of(registry, secret)
    with pytest.raises(NotSignedInError):
        accounts.actor_of_token(registry, token)
    with pytest.raises(SignInRefusedError):
        sign_in(registry, "lan", PASSWORD)
    with pytest.raises(InvalidInputError, match="closed"):
        accounts.issue_token(registry, "lan")
    assert session_of(registry, others).account.name == "mai"
    assert [each.active for each in accounts.list_accounts(registry)] == [False, True]


def test_another_password_ends_the_sessions_of_the_old_one(registry: Registry) -> None:
    accounts.add_account(registry, LAN)
    secret = sign_in(registry, "lan", PASSWORD).secret
    assert accounts.change_password(registry, "lan", "quite another password") == 1
    with pytest.raises(NotSignedInError):
        session_of(registry, secret)
    with pytest.raises(SignInRefusedError):
        sign_in(registry, "lan", PASSWORD)
    assert sign_in(registry, "lan", "quite another password").secret


def test_a_token_stands_for_an_account_until_there_is_another(registry: Registry) -> None:
    accounts.add_account(registry, LAN)
    first = accounts.issue_token(registry, "lan")
    assert accounts.actor_of_token(registry, first) == Actor("lan", Role.STEWARD)
    second = accounts.issue_token(registry, "lan")
    assert accounts.actor_of_token(registry, second) == Actor("lan", Role.STEWARD)
    for wrong in (first, second[:-1], "", "\x00", second + "\n"):
        with pytest.raises(NotSignedInError):
            accounts.actor_of_token(registry, wrong)
    assert first.encode() not in repr(stored(registry)).encode()
    assert second not in repr(stored(registry))


def test_a_closed_account_is_nobody_even_with_a_token_and_a_session(registry: Registry) -> None:
    accounts.add_account(registry, LAN)
    token, secret = accounts.issue_token(registry, "lan"), sign_in(registry, "lan", PASSWORD).secret
    with registry.begin() as uow:
        uow.connection.execute(sa.update(account).values(status="closed"))
    with pytest.raises(NotSignedInError):
        accounts.actor_of_token(registry, token)
    with pytest.raises(NotSignedInError):
        session_of(registry, secret)


@pytest.mark.parametrize("change", [accounts.close_account, accounts.issue_token])
def test_an_account_that_there_is_not_is_told(registry: Registry, change: object) -> None:
    assert callable(change)
    with pytest.raises(UnknownAccountError, match="'nobody'"):
        change(registry, "nobody")
    with pytest.raises(UnknownAccountError):
        accounts.change_password(registry, "nobody", PASSWORD)


def test_a_demo_has_every_role_and_only_an_empty_desk_gets_it(registry: Registry) -> None:
    made = accounts.add_demo_accounts(registry)
    assert [each.name for each, _ in made] == ["steward", "steward2", "lead", "auditor", "admin"]
    assert {each.role for each, _ in made} == set(Role)
    assert len({password for _, password in made}) == len(made)
    for each, password in made:
        assert sign_in(registry, each.name, password).session.account.role is each.role
    with pytest.raises(InvalidInputError, match="accounts already"):
        accounts.add_demo_accounts(registry)
    assert len(stored(registry)) == len(made)


def test_settings_stay_with_the_account(registry: Registry) -> None:
    lan = accounts.add_account(registry, LAN).actor
    accounts.choose_language(registry, lan, "en")
    accounts.choose_keys(registry, lan, {"same": "KeyX", "undo": "", "skip": "KeyS"})
    [found] = accounts.list_accounts(registry)
    assert found.language == "en"
    assert found.keyboard == {"same": "KeyX", "undo": ""}
    with pytest.raises(InvalidInputError):
        accounts.choose_language(registry, lan, "fr")
    with pytest.raises(InvalidInputError):
        accounts.choose_keys(registry, lan, {"same": "KeyN"})
    assert accounts.list_accounts(registry) == [found]


def test_nothing_secret_is_logged(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="mpi"):
        accounts.add_account(registry, LAN)
        token = accounts.issue_token(registry, "lan")
        secret = sign_in(registry, "lan", PASSWORD).secret
        with pytest.raises(SignInRefusedError):
            sign_in(registry, "my own password by mistake", PASSWORD)
        accounts.change_password(registry, "lan", "quite another password")
    assert "signed in: account=lan" in caplog.text
    for hidden in (PASSWORD, token, secret, "by mistake", "quite another"):
        assert hidden not in caplog.text
