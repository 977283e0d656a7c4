"""Signs of keys, what bits say in words, and the words of rule families that are not ours."""

import pytest

from reviewer_ui import present, rule_words


@pytest.mark.parametrize(
    ("code", "sign"),
    [("KeyM", "m"), ("Slash", "?"), ("Digit7", "7"), ("F2", "f2"), ("BracketLeft", "["), ("Numpad0", "numpad0")],
)
def test_a_key_is_shown_by_what_stands_on_it(code: str, sign: str) -> None:
    assert present.key_label(code) == sign


@pytest.mark.parametrize(
    ("bits", "words"),
    [(9.3, "strongly for it"), (-6.0, "strongly against it"), (2.5, "for it"), (-0.2, "weakly against it")],
)
def test_how_much_so_many_bits_say(bits: float, words: str) -> None:
    assert rule_words.strength(bits) == words


def test_what_other_rules_call_their_columns_is_shown_as_it_is() -> None:
    assert rule_words.field_word("given_name") == "given name"
    assert rule_words.comparison_word("social_number") == "social number"
