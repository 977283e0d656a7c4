"""The desk's keys: what each does, its place on the keyboard (a KeyboardEvent.code), and what somebody may change.

Places, not letters: they stay where they are under every layout and input method.
"""

import re
from collections.abc import Mapping

from mpi.domain.errors import InvalidInputError

DEFAULT_KEYS: Mapping[str, str] = {
    "same": "KeyM",
    "different": "KeyN",
    "unsure": "KeyU",
    "skip": "KeyS",
    "escalate": "KeyE",
    "comment": "KeyC",
    "undo": "KeyZ",
    "next": "KeyG",
    "reveal": "KeyR",
    "folded": "KeyL",
    "help": "Slash",
}
"""What a key does, and where it is for who has changed nothing."""

OFF = ""
"""The place of a key that is turned off."""

_CODE = re.compile(
    r"Key[A-Z]|Digit[0-9]|Numpad[0-9]|F[0-9]{1,2}|Slash|Backslash|Backquote|Minus|Equal|Comma|Period|Semicolon|Quote"
    r"|BracketLeft|BracketRight|IntlBackslash"
)


def keys_of(changed: Mapping[str, str]) -> dict[str, str]:
    """The whole keyboard of somebody who has changed something: an action to a code, or to OFF."""
    return {action: changed.get(action, code) for action, code in DEFAULT_KEYS.items()}


def changes(wanted: Mapping[str, str]) -> dict[str, str]:
    """What of a wanted keyboard differs from the one that everybody has.

    Raises InvalidInputError for an action or a code that there is not, and for two actions on one key.
    """
    for action, code in wanted.items():
        if action not in DEFAULT_KEYS:
            raise InvalidInputError("there is no such key at the desk", metadata={"field": "action"})
        if code != OFF and not _CODE.fullmatch(code):
            raise InvalidInputError("this is no key that can be chosen", metadata={"field": action})
    used: dict[str, str] = {}
    for action, code in keys_of(wanted).items():
        other = used.setdefault(code, action)
        if code != OFF and other != action:
            raise InvalidInputError("two actions are on one key", metadata={"field": action, "other": other})
    return {action: code for action, code in wanted.items() if code != DEFAULT_KEYS[action]}
