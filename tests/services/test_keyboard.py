"""The desk's keys, and what may be changed of them."""

import pytest

from mpi.domain.errors import InvalidInputError
from mpi.services.keyboard import DEFAULT_KEYS, OFF, changes, keys_of


def test_everybody_has_a_key_for_every_action_and_none_twice() -> None:
    assert len(set(DEFAULT_KEYS.values())) == len(DEFAULT_KEYS)
    assert keys_of({}) == DEFAULT_KEYS


def test_only_what_differs_is_kept() -> None:
    wanted = {**DEFAULT_KEYS, "same": "KeyN", "different": "KeyM", "help": OFF, "undo": OFF}
    kept = changes(wanted)
    assert kept == {"same": "KeyN", "different": "KeyM", "help": OFF, "undo": OFF}
    assert keys_of(kept) == wanted


def test_what_was_kept_of_an_action_that_is_gone_is_left_out() -> None:
    assert keys_of({"dance": "KeyQ"}) == DEFAULT_KEYS


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"dance": "KeyQ"}, "action"),
        ({"same": "Tab"}, "same"),
        ({"same": "Escape"}, "same"),
        ({"same": "m"}, "same"),
        ({"same": "KeyMM"}, "same"),
        ({"same": "KeyN"}, "different"),
        ({"same": "KeyQ", "undo": "KeyQ"}, "undo"),
    ],
)
def test_what_cannot_be_a_keyboard_is_refused(wanted: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        changes(wanted)
    assert refused.value.metadata["field"] == field
