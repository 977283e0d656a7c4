"""Words for the service's own terms, and all that every template may use without being given it.

Nothing here reads a registry or a request.
"""

from collections.abc import Mapping
from typing import Any

from mpi.domain.review import Role, TaskKind
from reviewer_ui import present_pair, rule_words
from reviewer_ui.compare import DIFFERENCE_WORDS
from reviewer_ui.languages import message

ROLE_WORDS: Mapping[Role, str] = {
    Role.STEWARD: message("steward"),
    Role.LEAD: message("team lead"),
    Role.AUDITOR: message("auditor"),
    Role.ADMIN: message("administrator"),
}

KIND_WORDS: Mapping[TaskKind, str] = {
    TaskKind.POSSIBLE_MATCH: message("Possible match"),
    TaskKind.POSSIBLE_DUPLICATE: message("Possible duplicate"),
    TaskKind.STOPPED_BY_VETO: message("Stopped by a rule"),
    TaskKind.OVERLAY: message("Record changed its person"),
    TaskKind.SUSPECTED_WRONG_MERGE: message("Suspected wrong merge"),
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
    "kind_words": KIND_WORDS,
    "key_words": KEY_WORDS,
    "chip_words": CHIP_WORDS,
    "key_label": key_label,
    "stage_words": present_pair.STAGE_WORDS,
    "reason_words": present_pair.REASON_WORDS,
    "said_words": present_pair.SAID_WORDS,
    "now_words": present_pair.NOW_WORDS,
    "why_words": present_pair.WHY_WORDS,
    "act_words": present_pair.ACT_WORDS,
    "change_words": present_pair.CHANGE_WORDS,
    "difference_words": DIFFERENCE_WORDS,
    "caution_words": rule_words.CAUTION_WORDS,
    "field_word": rule_words.field_word,
    "comparison_word": rule_words.comparison_word,
    "strength": rule_words.strength,
    "says_something": rule_words.SAYS_SOMETHING,
}
"""What every template may use."""
