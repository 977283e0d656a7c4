"""People at the desk: making, listing and closing accounts, their settings, and the tokens of those who call by gRPC.

Whoever ends what an account could do (closing it, another password) ends its sessions in the same transaction.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from mpi.domain.errors import InvalidInputError, NotSignedInError, UnknownAccountError
from mpi.domain.review import Actor, Role
from mpi.registry import accounts
from mpi.registry.accounts import Account, Credentials
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork, now_text
from mpi.services import keyboard
from mpi.services.passwords import hash_password, new_secret, secret_hash

LANGUAGES = ("vi", "en")
"""What the desk speaks; the first one unless somebody chooses."""

_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_LONGEST_DISPLAY_NAME = 80
_TOKEN_MARK = "mpi_"
_DEMO_ACCOUNTS = (
    ("steward", Role.STEWARD),
    ("steward2", Role.STEWARD),
    ("lead", Role.LEAD),
    ("auditor", Role.AUDITOR),
    ("admin", Role.ADMIN),
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made; without a `display_name` it is shown by its name."""

    name: str
    role: Role
    password: str
    display_name: str = ""


def add_account(registry: Registry, wanted: NewAccount) -> Account:
    """Make an account.

    Raises InvalidInputError for a name that is taken or cannot be one, and for a password that is too short.
    """
    made = _account(wanted)
    password_hash = hash_password(wanted.password, name=made.name)
    with registry.begin() as uow:
        if accounts.find(uow, made.name) is not None:
            raise InvalidInputError(f"there is an account '{made.name}' already")
        accounts.add(uow, made, password_hash=password_hash)
    _log.info("account made: account=%s role=%s", made.name, made.role.value)
    return made


def add_demo_accounts(registry: Registry) -> list[tuple[Account, str]]:
    """One account and more of every role, each with a password of its own; accounts and their passwords.

    Raises InvalidInputError where there is any account: a demo's are not for a registry in use.
    """
    wanted = [NewAccount(name, role, _easy_password()) for name, role in _DEMO_ACCOUNTS]
    hashed = [(_account(each), hash_password(each.password), each.password) for each in wanted]
    with registry.begin() as uow:
        if accounts.all_accounts(uow):
            raise InvalidInputError("the registry has accounts already; demo accounts are for one that has none")
        for made, password_hash, _ in hashed:
            accounts.add(uow, made, password_hash=password_hash)
    return [(made, password) for made, _, password in hashed]


def list_accounts(registry: Registry) -> list[Account]:
    """Every account, by name."""
    with registry.snapshot() as uow:
        return accounts.all_accounts(uow)


def close_account(registry: Registry, name: str) -> int:
    """Close an account: nobody signs in with it any more, its token is gone, its sessions end; how many there were.

    Raises UnknownAccountError.
    """
    with registry.begin() as uow:
        _existing(uow, name)
        accounts.set_active(uow, name, active=False)
        ended = accounts.delete_sessions_of(uow, name)
    _log.info("account closed: account=%s", name)
    return ended


def change_password(registry: Registry, name: str, password: str) -> int:
    """Give an account another password; its sessions end, and a wait after failed tries is over. How many there were.

    Raises UnknownAccountError, and InvalidInputError for a password that is too short.
    """
    password_hash = hash_password(password, name=name)
    with registry.begin() as uow:
        _existing(uow, name)
        accounts.set_password(uow, name, password_hash)
        accounts.note_attempts(uow, name, failed_sign_ins=0, locked_until=None)
        ended = accounts.delete_sessions_of(uow, name)
    _log.info("password changed: account=%s", name)
    return ended


def issue_token(registry: Registry, name: str) -> str:
    """A new token for calls by gRPC, in the place of the old one. It is told here, once, and kept as a hash.

    Raises UnknownAccountError, and InvalidInputError for a closed account.
    """
    token = _TOKEN_MARK + new_secret()
    with registry.begin() as uow:
        if not _existing(uow, name).account.active:
            raise InvalidInputError(f"the account '{name}' is closed")
        accounts.set_token(uow, name, secret_hash(token))
    _log.info("token issued: account=%s", name)
    return token


def actor_of_token(registry: Registry, token: str) -> Actor:
    """Whom a token stands for. Raises NotSignedInError for one that is nobody's, or of a closed account."""
    with registry.snapshot() as uow:
        found = accounts.of_token(uow, secret_hash(token))
    if found is None or not found.active:
        raise NotSignedInError("this token is nobody's")
    return found.actor


def choose_language(registry: Registry, actor: Actor, language: str) -> None:
    """Set the language in which somebody reads the desk. Raises InvalidInputError for one that it does not speak."""
    if language not in LANGUAGES:
        raise InvalidInputError("the desk does not speak this language", metadata={"field": "language"})
    with registry.begin() as uow:
        accounts.set_language(uow, actor.name, language)


def choose_keys(registry: Registry, actor: Actor, wanted: Mapping[str, str]) -> None:
    """Set somebody's keys: an action to a KeyboardEvent.code, or to "" for off; actions left out are as for everybody.

    Raises InvalidInputError for what is no action or no code, and for two actions on one key.
    """
    changed = keyboard.changes(wanted)
    with registry.begin() as uow:
        accounts.set_keyboard(uow, actor.name, changed)


def can_be_name(text: str) -> bool:
    """Whether an account could have this name."""
    return _NAME.fullmatch(text) is not None


def _account(wanted: NewAccount) -> Account:
    display_name = " ".join(wanted.display_name.split()) or wanted.name
    if not can_be_name(wanted.name):
        raise InvalidInputError(
            "an account's name has 2 to 32 small letters a to z, digits, dots, dashes and lines below, a letter first"
        )
    if len(display_name) > _LONGEST_DISPLAY_NAME or not display_name.isprintable():
        raise InvalidInputError(f"a display name has at most {_LONGEST_DISPLAY_NAME} characters that can be shown")
    return Account(
        name=wanted.name,
        display_name=display_name,
        role=wanted.role,
        active=True,
        has_token=False,
        language=LANGUAGES[0],
        keyboard={},
        created_at=now_text(),
    )


def _existing(uow: UnitOfWork, name: str) -> Credentials:
    found = accounts.find(uow, name, held=True)
    if found is None:
        raise UnknownAccountError(f"there is no account '{name}'")
    return found


def _easy_password() -> str:
    """Sixteen small letters in fours: 75 random bits that can be typed from a screen."""
    letters = "abcdefghijkmnopqrstuvwxyz"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))
