"""Passwords as argon2id hashes, and secrets that need no slow hash because nobody could guess them."""

import hashlib
import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mpi.domain.errors import InvalidInputError

SHORTEST, LONGEST = 12, 256
"""Characters of a password."""

_SECRET_BYTES = 32
_HASHER = PasswordHasher()  # RFC 9106 for machines that do other work too: 64 MiB, three passes
_AT_ONCE = threading.BoundedSemaphore(2)  # each takes 64 MiB, and all processors


def hash_password(password: str, *, name: str = "") -> str:
    """The argon2id hash of a password that somebody chose.

    Raises InvalidInputError for one that is too short, too long, or the account's own name.
    """
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise InvalidInputError(f"a password has {SHORTEST} to {LONGEST} characters")
    if name and text.casefold() == name.casefold():
        raise InvalidInputError("a password must not be the account's name")
    with _AT_ONCE:
        return _HASHER.hash(text)


def is_password(password_hash: str | None, password: str) -> bool:
    """Whether a password has a hash. It takes as long without any hash, so that nobody learns which names there are."""
    wanted = _of_nobody() if password_hash is None else password_hash
    # no password is longer, so what is longer need not be read to its end
    text = _normal(password[: LONGEST + 1])
    with _AT_ONCE:
        try:
            return _HASHER.verify(wanted, text) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with other costs than are asked today."""
    return _HASHER.check_needs_rehash(password_hash)


def rehash(password: str) -> str:
    """The hash of a password that was accepted before, with the costs of today."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


def new_secret() -> str:
    """256 random bits as text for a cookie or a header."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def secret_hash(secret: str) -> bytes:
    """What is kept of such a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


@cache
def _of_nobody() -> str:
    return _HASHER.hash(new_secret())


def _normal(password: str) -> str:
    """One form of what keyboards send in two: Vietnamese letters whole, or with their marks apart."""
    return unicodedata.normalize("NFC", password)
