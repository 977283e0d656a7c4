"""Words for what services say: every reason that survivorship gives is understood, whatever the language."""

import itertools

import pytest

from mpi.domain.records import RecordKey
from mpi.persons.survivorship import AGREED, SOLE, Candidate, reason
from reviewer_ui import people_words as words
from reviewer_ui.languages import catalogues

CRITERIA = ("trusted", "recent", "frequent", "longest")
WINNER = Candidate(RecordKey("hospital, of <all>", "H1"), "Trần Thị Lan", "2025-01-10", 2)


def all_reasons() -> list[str]:
    """Every sentence that there can be, for every order of the criteria."""
    return [
        reason(order, decider, held=3, known=7, winner=WINNER)
        for size in range(1, 5)
        for order in itertools.permutations(CRITERIA, size)
        for decider in (SOLE, AGREED, *range(size + 1))
    ]


def test_every_reason_is_said_in_vietnamese() -> None:
    vietnamese = catalogues()["vi"]
    for given in all_reasons():
        said = words.golden_reason(vietnamese, given)
        assert said != given
        for english in ("the ", "all ", "held", "tier", "tie ", "recorded", " and ", "first", "from"):
            assert english not in said.replace("of &lt;all&gt;", ""), (given, said)


def test_in_english_a_reason_is_what_survivorship_says_with_its_values_escaped() -> None:
    english = catalogues()["en"]
    for given in all_reasons():
        assert words.golden_reason(english, given) == given.replace("<all>", "&lt;all&gt;")


def test_a_reason_that_nobody_foresaw_is_said_as_it_is() -> None:
    assert words.golden_reason(catalogues()["vi"], "because it rained") == "because it rained"


@pytest.mark.parametrize(
    ("weight", "said"), [(35.0, "very strong"), (20.0, "very strong"), (19.9, "strong"), (3.0, "fair"), (0.0, "weak")]
)
def test_weights_are_told_by_how_strong_they_are(weight: float, said: str) -> None:
    assert words.link_strength(weight) == f"{said} evidence"
    assert words.link_strength(-0.1) == "the pair alone speaks against it"
