"""People at the desk and their sessions, as rows. Passwords, tokens and cookies are here as hashes only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mpi.domain.review import Actor, Role
from mpi.registry.tables import account, desk_session
from mpi.registry.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in: `keyboard` is what they changed of the keys, an action to a key's code, "" for none.

    `active` is false once it was closed; times are ISO 8601 UTC.
    """

    name: str
    display_name: str
    role: Role
    active: bool
    has_token: bool
    language: str
    keyboard: Mapping[str, str]
    created_at: str

    @property
    def actor(self) -> Actor:
        """Whom services know."""
        return Actor(self.name, self.role)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in needs beside the account: the password's argon2id hash, and how it went lately."""

    account: Account
    password_hash: str
    failed_sign_ins: int
    locked_until: str | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session: the account that it is of, the token that its forms carry, and its times."""

    account: Account
    csrf_token: str
    created_at: str
    seen_at: str
    expires_at: str


_OF_ACCOUNT = account.c
_OF_SESSION = desk_session.c


def add(uow: UnitOfWork, made: Account, *, password_hash: str) -> None:
    """Adds an account. Raises RegistryError (when the unit of work is left) for a name that is taken."""
    uow.connection.execute(
        sa.insert(account).values(
            account_name=made.name,
            display_name=made.display_name,
            role=made.role.value,
            status=_status(made.active),
            password_hash=password_hash,
            token_hash=None,
            language=made.language,
            keyboard=_keyboard_text(made.keyboard),
            created_at=made.created_at,
            failed_sign_ins=0,
            locked_until=None,
        )
    )


def find(uow: UnitOfWork, name: str, *, held: bool = False) -> Credentials | None:
    """An account by its name; `held` keeps other writers from it until the transaction ends."""
    query = sa.select(account).where(_OF_ACCOUNT.account_name == name)
    row = uow.connection.execute(query.with_for_update() if held else query).one_or_none()
    return None if row is None else _credentials(row)


def of_token(uow: UnitOfWork, token_hash: bytes) -> Account | None:
    """The account that a token stands for, closed or not."""
    row = uow.connection.execute(sa.select(account).where(_OF_ACCOUNT.token_hash == token_hash)).one_or_none()
    return None if row is None else _account(row)


def all_accounts(uow: UnitOfWork) -> list[Account]:
    """Every account, by name."""
    rows = uow.connection.execute(sa.select(account).order_by(_OF_ACCOUNT.account_name))
    return [_account(row) for row in rows]


def note_attempts(uow: UnitOfWork, name: str, *, failed_sign_ins: int, locked_until: str | None) -> None:
    """Sets how signing in to an account went lately."""
    _change(uow, name, failed_sign_ins=failed_sign_ins, locked_until=locked_until)


def set_password(uow: UnitOfWork, name: str, password_hash: str) -> None:
    """Gives an account another password's hash."""
    _change(uow, name, password_hash=password_hash)


def set_active(uow: UnitOfWork, name: str, *, active: bool) -> None:
    """Closes an account, or opens it again. A closed one has no token."""
    changed: dict[str, Any] = {"status": _status(active)}
    _change(uow, name, **(changed if active else {**changed, "token_hash": None}))


def set_token(uow: UnitOfWork, name: str, token_hash: bytes) -> None:
    """Gives an account a token in the place of the one that it had."""
    _change(uow, name, token_hash=token_hash)


def set_language(uow: UnitOfWork, name: str, language: str) -> None:
    """Sets the language in which an account reads."""
    _change(uow, name, language=language)


def set_keyboard(uow: UnitOfWork, name: str, keyboard: Mapping[str, str]) -> None:
    """Sets what an account has changed of the keys."""
    _change(uow, name, keyboard=_keyboard_text(keyboard))


def add_session(uow: UnitOfWork, session_hash: bytes, session: SessionRow) -> None:
    """Adds a session."""
    uow.connection.execute(
        sa.insert(desk_session).values(
            session_hash=session_hash,
            account_name=session.account.name,
            csrf_token=session.csrf_token,
            created_at=session.created_at,
            seen_at=session.seen_at,
            expires_at=session.expires_at,
        )
    )


def find_session(uow: UnitOfWork, session_hash: bytes) -> SessionRow | None:
    """A session with its account, over or not."""
    query = (
        sa.select(account, *(_OF_SESSION[name].label(f"session_{name}") for name in _SESSION_COLUMNS))
        .join_from(desk_session, account, _OF_SESSION.account_name == _OF_ACCOUNT.account_name)
        .where(_OF_SESSION.session_hash == session_hash)
    )
    row = uow.connection.execute(query).one_or_none()
    if row is None:
        return None
    return SessionRow(_account(row), *(row._mapping[f"session_{name}"] for name in _SESSION_COLUMNS))


_SESSION_COLUMNS = ("csrf_token", "created_at", "seen_at", "expires_at")


def touch_session(uow: UnitOfWork, session_hash: bytes, seen_at: str) -> None:
    """Notes when a session was last used; nothing where it is gone."""
    changed = sa.update(desk_session).where(_OF_SESSION.session_hash == session_hash)
    uow.connection.execute(changed.values(seen_at=seen_at))


def delete_session(uow: UnitOfWork, session_hash: bytes) -> None:
    """Ends one session."""
    uow.connection.execute(sa.delete(desk_session).where(_OF_SESSION.session_hash == session_hash))


def delete_sessions_of(uow: UnitOfWork, name: str) -> int:
    """Ends every session of an account; how many there were."""
    return uow.connection.execute(sa.delete(desk_session).where(_OF_SESSION.account_name == name)).rowcount


def delete_sessions_over(uow: UnitOfWork, *, now: str, idle_since: str) -> None:
    """Forgets sessions that are over: past their end, or not used since a time."""
    over = sa.or_(_OF_SESSION.expires_at <= now, _OF_SESSION.seen_at <= idle_since)
    uow.connection.execute(sa.delete(desk_session).where(over))


def _change(uow: UnitOfWork, name: str, **values: Any) -> None:
    uow.connection.execute(sa.update(account).where(_OF_ACCOUNT.account_name == name).values(**values))


def _status(active: bool) -> str:
    return "active" if active else "closed"


def _keyboard_text(keyboard: Mapping[str, str]) -> str:
    return json.dumps(dict(keyboard), sort_keys=True)


def _account(row: sa.Row[Any]) -> Account:
    return Account(
        name=row.account_name,
        display_name=row.display_name,
        role=Role(row.role),
        active=row.status == "active",
        has_token=row.token_hash is not None,
        language=row.language,
        keyboard=json.loads(row.keyboard),
        created_at=row.created_at,
    )


def _credentials(row: sa.Row[Any]) -> Credentials:
    return Credentials(_account(row), row.password_hash, row.failed_sign_ins, row.locked_until)
