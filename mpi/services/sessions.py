"""Signing in and out, and the sessions in between. A session is known by 256 random bits that only its cookie holds.

A sign-in is counted before its password is looked at, so that many tries at once are no more tries than one by one.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mpi.domain.errors import NotSignedInError, RegistryError, SignInRefusedError
from mpi.registry import accounts
from mpi.registry.accounts import Account, Credentials, SessionRow
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork, written
from mpi.services.accounts import can_be_name
from mpi.services.attempts import Attempts, refuse_for
from mpi.services.passwords import is_outdated, is_password, new_secret, rehash, secret_hash

IDLE = timedelta(minutes=30)
"""How long a session lasts that nobody uses."""

LONGEST = timedelta(hours=12)
"""How long a session lasts at most."""

MOST_FAILURES = 5
LOCKED = timedelta(minutes=15)
"""After so many failed tries an account waits so long, whatever the password."""

_SEEN_EVERY = timedelta(minutes=1)
"""A session that is used all the time is written down this often."""

_NAMELESS = Attempts(most=MOST_FAILURES, seconds=LOCKED.total_seconds())
"""Names that nobody has wait like those that somebody has: the wait tells nothing."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in, and the token that their forms carry."""

    account: Account
    csrf_token: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session, and the secret that opens it."""

    session: Session
    secret: str


def sign_in(registry: Registry, name: str, password: str, *, instead_of: str | None = None) -> SignedIn:
    """Begin a session with a new secret; the session of the secret `instead_of`, if there is one, ends.

    Raises SignInRefusedError, which does not say what was wrong, and TooManyAttemptsError.
    """
    name = name.strip().lower()
    found = _count(registry, name)
    right = is_password(None if found is None else found.password_hash, password)
    if found is None or not right or not found.account.active:
        _log.warning("sign-in refused: account=%s", "unknown" if found is None else name)
        raise SignInRefusedError("the name or the password is wrong, or the account is closed")
    new_hash = rehash(password) if is_outdated(found.password_hash) else None
    with registry.begin() as uow:
        signed_in = _begin(uow, found, new_hash)
        if instead_of is not None:
            accounts.delete_session(uow, secret_hash(instead_of))
    _log.info("signed in: account=%s", name)
    return signed_in


def session_of(registry: Registry, secret: str) -> Session:
    """The session that a secret opens. Raises NotSignedInError where there is none, or it is over."""
    session_hash, now = secret_hash(secret), datetime.now(UTC)
    with registry.snapshot() as uow:
        found = accounts.find_session(uow, session_hash)
    if found is None or not found.account.active or found.expires_at <= written(now):
        raise NotSignedInError("nobody is signed in, or the session has ended")
    if found.seen_at <= written(now - IDLE):
        raise NotSignedInError("the session has ended: nobody used it for a while")
    if found.seen_at <= written(now - _SEEN_EVERY):
        # a registry that cannot be written at the moment is no reason to send somebody away who only reads
        with suppress(RegistryError), registry.begin() as uow:
            accounts.touch_session(uow, session_hash, written(now))
    return Session(found.account, found.csrf_token)


def sign_out(registry: Registry, secret: str) -> None:
    """End the session of a secret; nothing where there is none."""
    with registry.begin() as uow:
        accounts.delete_session(uow, secret_hash(secret))


def _count(registry: Registry, name: str) -> Credentials | None:
    """Counts an attempt to sign in; the account, if there is one. Raises TooManyAttemptsError."""
    found = None
    if can_be_name(name):
        with registry.begin() as uow:
            found = accounts.find(uow, name, held=True)
            if found is not None:
                _count_in(uow, found)
    if found is None:
        _NAMELESS.note(name)
    return found


def _count_in(uow: UnitOfWork, found: Credentials) -> None:
    now = datetime.now(UTC)
    if found.locked_until is not None and found.locked_until > written(now):
        raise refuse_for((datetime.fromisoformat(found.locked_until) - now).total_seconds())
    attempts = found.failed_sign_ins + 1
    is_last = attempts >= MOST_FAILURES
    locked_until = written(now + LOCKED) if is_last else None
    failed_sign_ins = 0 if is_last else attempts
    accounts.note_attempts(uow, found.account.name, failed_sign_ins=failed_sign_ins, locked_until=locked_until)


def _begin(uow: UnitOfWork, found: Credentials, new_hash: str | None) -> SignedIn:
    """Writes the session of an account whose password was right a moment ago."""
    now, name = datetime.now(UTC), found.account.name
    today = accounts.find(uow, name, held=True)
    if today is None or not today.account.active or today.password_hash != found.password_hash:
        raise SignInRefusedError("the account was changed in this moment; try again")
    if new_hash is not None:
        accounts.set_password(uow, name, new_hash)
    accounts.note_attempts(uow, name, failed_sign_ins=0, locked_until=None)
    accounts.delete_sessions_over(uow, now=written(now), idle_since=written(now - IDLE))
    secret = new_secret()
    row = SessionRow(today.account, new_secret(), written(now), written(now), written(now + LONGEST))
    accounts.add_session(uow, secret_hash(secret), row)
    return SignedIn(Session(today.account, row.csrf_token), secret)
