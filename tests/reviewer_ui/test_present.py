"""Words for the service's own terms: every one has its word, and every key its sign."""

import pytest

from mpi.domain.review import RevealReason, Role, Stage, TaskKind, Verdict
from mpi.persons.adjudication import SecondReason
from mpi.services.adjudicate import Standing
from mpi.services.keyboard import DEFAULT_KEYS
from mpi.services.pair_chips import Chip
from mpi.services.pair_warnings import Caution
from reviewer_ui import present, present_pair, rule_words
from reviewer_ui.compare import DIFFERENCE_WORDS, Difference


def test_every_term_has_a_word() -> None:
    assert set(present.ROLE_WORDS) == set(Role)
    assert set(present.KIND_WORDS) == set(TaskKind)
    assert set(present.CHIP_WORDS) == set(Chip)
    assert list(present.KEY_WORDS) == list(DEFAULT_KEYS)
    assert set(present_pair.STAGE_WORDS) == set(Stage)
    assert set(present_pair.REASON_WORDS) == set(RevealReason)
    assert set(present_pair.SAID_WORDS) == {*Verdict, "escalate"}
    assert set(present_pair.NOW_WORDS) == set(Standing) - {Standing.NOTED}
    assert set(present_pair.WHY_WORDS) == set(SecondReason)
    assert set(rule_words.CAUTION_WORDS) == set(Caution)
    assert set(DIFFERENCE_WORDS) == set(Difference) - {Difference.NONE}


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
