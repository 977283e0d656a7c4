"""Sessions: how they begin and end, and how often one may try."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from mpi.domain.errors import NotSignedInError, SignInRefusedError, TooManyAttemptsError
from mpi.domain.review import Role
from mpi.registry.registry import Registry
from mpi.registry.tables import account, desk_session
from mpi.registry.unit_of_work import written
from mpi.services import passwords
from mpi.services.accounts import NewAccount, add_account, change_password
from mpi.services.sessions import IDLE, LOCKED, LONGEST, MOST_FAILURES, session_of, sign_in, sign_out

PASSWORD = "a long enough password"
WRONG = "quite another password"


@pytest.fixture(autouse=True)
def lan(registry: Registry, quick_passwords: None) -> None:
    add_account(registry, NewAccount("lan", Role.STEWARD, PASSWORD))


def sessions(registry: Registry) -> list[Any]:
    with registry.snapshot() as uow:
        return list(uow.connection.execute(sa.select(desk_session).order_by("created_at")))


def put(registry: Registry, table: sa.Table, **values: object) -> None:
    """Changes every row of a table: time goes by for them."""
    with registry.begin() as uow:
        uow.connection.execute(sa.update(table).values(**values))


def ago(passed: timedelta) -> str:
    return written(datetime.now(UTC) - passed)


def fail(registry: Registry, times: int, name: str = "lan") -> None:
    for _ in range(times):
        with pytest.raises(SignInRefusedError):
            sign_in(registry, name, WRONG)


def test_a_session_is_known_by_its_secret_alone(registry: Registry) -> None:
    first, second = sign_in(registry, "lan", PASSWORD), sign_in(registry, " LAN ", PASSWORD)
    assert first.secret != second.secret
    assert len(first.secret) >= 43  # 256 bits in base64
    assert session_of(registry, first.secret) == first.session
    assert first.session.csrf_token != second.session.csrf_token
    rows = sessions(registry)
    assert len(rows) == 2
    assert not any(secret in repr(rows) for secret in (first.secret, second.secret))
    for wrong in ("", first.secret[:-1], "\x00", "ă"):
        with pytest.raises(NotSignedInError):
            session_of(registry, wrong)


def test_a_new_session_ends_the_one_it_replaces(registry: Registry) -> None:
    planted = sign_in(registry, "lan", PASSWORD).secret
    own = sign_in(registry, "lan", PASSWORD, instead_of=planted).secret
    with pytest.raises(NotSignedInError):
        session_of(registry, planted)
    assert session_of(registry, own).account.name == "lan"
    sign_in(registry, "lan", PASSWORD, instead_of="a secret that is nobody's")
    assert len(sessions(registry)) == 2


def test_signing_out_ends_one_session(registry: Registry) -> None:
    first, second = sign_in(registry, "lan", PASSWORD).secret, sign_in(registry, "lan", PASSWORD).secret
    sign_out(registry, first)
    sign_out(registry, first)
    with pytest.raises(NotSignedInError):
        session_of(registry, first)
    assert session_of(registry, second).account.name == "lan"


@pytest.mark.parametrize(
    "values", [{"seen_at": ago(IDLE)}, {"expires_at": ago(timedelta())}, {"seen_at": ago(LONGEST)}]
)
def test_a_session_ends_by_itself_and_is_forgotten(registry: Registry, values: dict[str, str]) -> None:
    secret = sign_in(registry, "lan", PASSWORD).secret
    put(registry, desk_session, **values)
    with pytest.raises(NotSignedInError):
        session_of(registry, secret)
    sign_in(registry, "lan", PASSWORD)
    assert len(sessions(registry)) == 1


def test_using_a_session_keeps_it_but_not_beyond_its_longest(registry: Registry) -> None:
    secret = sign_in(registry, "lan", PASSWORD).secret
    [begun] = sessions(registry)
    session_of(registry, secret)
    assert sessions(registry) == [begun]  # seen within the minute: nothing is written
    put(registry, desk_session, seen_at=ago(IDLE - timedelta(minutes=1)))
    session_of(registry, secret)
    [used] = sessions(registry)
    assert used.seen_at >= begun.seen_at
    assert used.expires_at == begun.expires_at
    lasts = datetime.fromisoformat(begun.expires_at) - datetime.fromisoformat(begun.created_at)
    assert lasts == LONGEST


def test_after_five_failures_even_the_right_password_waits(registry: Registry) -> None:
    fail(registry, MOST_FAILURES)
    for password in (PASSWORD, WRONG):
        with pytest.raises(TooManyAttemptsError) as refused:
            sign_in(registry, "lan", password)
        assert LOCKED.total_seconds() - 60 < int(refused.value.metadata["seconds"]) <= LOCKED.total_seconds() + 1
    put(registry, account, locked_until=ago(timedelta()))
    assert sign_in(registry, "lan", PASSWORD).secret
    fail(registry, MOST_FAILURES - 1)
    assert sign_in(registry, "lan", PASSWORD).secret


def test_success_begins_the_count_anew_and_the_fifth_try_may_still_succeed(registry: Registry) -> None:
    for _ in range(3):
        fail(registry, MOST_FAILURES - 1)
        assert sign_in(registry, "lan", PASSWORD).secret


def test_another_password_ends_the_wait(registry: Registry) -> None:
    fail(registry, MOST_FAILURES)
    change_password(registry, "lan", WRONG)
    assert sign_in(registry, "lan", WRONG).secret


@pytest.mark.parametrize("name", ["nobody.at.all", "Nhập nhầm mật khẩu", "a\x00b"])
def test_a_name_that_nobody_has_waits_like_any_other(registry: Registry, name: str, database: str) -> None:
    name += database
    fail(registry, MOST_FAILURES, name)
    with pytest.raises(TooManyAttemptsError):
        sign_in(registry, name, WRONG)
    assert sign_in(registry, "lan", PASSWORD).secret


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_name_that_nobody_has_costs_the_same_hash(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[list[str]] = []

    class Noting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 (the library's name)
            verified.append(str(hash).split("$")[1:4])
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_HASHER", Noting())
    change_password(registry, "lan", PASSWORD)
    for name in ("lan", "nobody.else", "no name at all"):
        fail(registry, 1, name)
    assert verified == [["argon2id", "v=19", "m=65536,t=3,p=4"]] * 3


def test_tries_at_once_are_no_more_than_tries_one_by_one(registry: Registry) -> None:
    told: list[str] = []

    def guess(password: str) -> None:
        try:
            sign_in(registry, "lan", password)
        except (SignInRefusedError, TooManyAttemptsError) as refused:
            told.append(refused.reason)

    threads = [threading.Thread(target=guess, args=(f"{WRONG} {number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["SIGN_IN_REFUSED"] * MOST_FAILURES + ["TOO_MANY_ATTEMPTS"] * (12 - MOST_FAILURES)


def test_a_hash_of_old_costs_is_made_anew(registry: Registry) -> None:
    cheap = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    put(registry, account, password_hash=cheap)
    assert sign_in(registry, "lan", PASSWORD).secret
    with registry.snapshot() as uow:
        kept = uow.connection.scalar(sa.select(account.c.password_hash))
    assert kept is not None
    assert "m=8,t=1,p=1" in kept
    assert sign_in(registry, "lan", PASSWORD).secret


_REFUSE_CHANGES = {
    "sqlite": ["CREATE TRIGGER refuse BEFORE UPDATE ON desk_session BEGIN SELECT RAISE(ABORT, 'no'); END"],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
        "CREATE TRIGGER refuse BEFORE UPDATE ON desk_session FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}


def test_a_registry_that_cannot_be_written_sends_no_reader_away(registry: Registry, database: str) -> None:
    secret = sign_in(registry, "lan", PASSWORD).secret
    seen_at = ago(timedelta(minutes=5))
    put(registry, desk_session, seen_at=seen_at)
    with registry.begin() as uow:
        for statement in _REFUSE_CHANGES[database]:
            uow.connection.execute(sa.text(statement))
    assert session_of(registry, secret).account.name == "lan"
    assert [row.seen_at for row in sessions(registry)] == [seen_at]
