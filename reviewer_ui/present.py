"""Words for the service's own terms, and all that every template may use without being given it.

Nothing here reads a registry or a request.
"""

from collections.abc import Mapping
from typing import Any

from mpi.domain.review import Role
from reviewer_ui import rule_words, task_words
from reviewer_ui.compare import DIFFERENCE_WORDS
from reviewer_ui.languages import message

ROLE_WORDS: Mapping[Role, str] = {
    Role.STEWARD: message("steward"),
    Role.LEAD: message("team lead"),
    Role.AUDITOR: message("auditor"),
    Role.ADMIN: message("administrator"),
}

KEY_WORDS: Mapping[str, str] = {
    "same": message("same person"),
    "different": message("different people"),
    "unsure": message("unsure"),
    "skip": message("skip"),
    "escalate": message("escalate"),
    "comment": message("comment"),
    "undo": message("undo"),
    "next": message("next"),
    "reveal": message("reveal"),
    "folded": message("without marks"),
    "help": message("help"),
}
"""What each key does, in one or two words, in the order of the footer."""

CHIP_WORDS: Mapping[str, str] = {
    "same": message("Same"),
    "near": message("Near"),
    "different": message("Different"),
    "missing": message("Missing"),
    "swapped": message("Swapped"),
}

_KEY_SIGNS: Mapping[str, str] = {
    "Slash": "?",
    "Backslash": "\\",
    "IntlBackslash": "<",
    "Backquote": "`",
    "Minus": "-",
    "Equal": "=",
    "Comma": ",",
    "Period": ".",
    "Semicolon": ";",
    "Quote": "'",
    "BracketLeft": "[",
    "BracketRight": "]",
}


def key_label(code: str) -> str:
    """What stands on a key of a KeyboardEvent.code, as people know it: "m" for KeyM, "?" for Slash."""
    return _KEY_SIGNS.get(code) or code.removeprefix("Key").removeprefix("Digit").lower()


SHARED: Mapping[str, Any] = {
    "role_words": ROLE_WORDS,
    "kind_words": task_words.KIND_WORDS,
    "key_words": KEY_WORDS,
    "chip_words": CHIP_WORDS,
    "key_label": key_label,
    "stage_words": task_words.STAGE_WORDS,
    "reveal_words": task_words.REVEAL_WORDS,
    "made_by_words": task_words.MADE_BY_WORDS,
    "verdict_words": task_words.VERDICT_WORDS,
    "said_words": task_words.SAID_WORDS,
    "decision_words": task_words.DECISION_WORDS,
    "act_words": task_words.ACT_WORDS,
    "now_words": task_words.NOW_WORDS,
    "second_reason_words": task_words.SECOND_REASON_WORDS,
    "change_words": task_words.CHANGE_WORDS,
    "why_asked": task_words.why_asked,
    "difference_words": DIFFERENCE_WORDS,
    "caution_words": rule_words.CAUTION_WORDS,
    "field_word": rule_words.field_word,
    "comparison_word": rule_words.comparison_word,
    "strength": rule_words.strength,
    "says_something": rule_words.SAYS_SOMETHING,
}
"""What every template may use."""
