"""Nothing that rules and services say is without words: every term there is stands in a table, and has its Vietnamese.

What is walked are the sources themselves, so that a new term without words fails here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from mpi.app import App
from mpi.domain.entries import EntryKind
from mpi.domain.model import LinkageModel
from mpi.domain.review import DecisionKind, RevealReason, Right, Role, Stage, TaskKind, Verdict
from mpi.persons.adjudication import SecondReason
from mpi.registry.review_tasks import ESCALATE
from mpi.registry.reviews import UNSURE
from mpi.rules.load import load_model
from mpi.services import task_reasons
from mpi.services.desk.audit_trail import KINDS
from mpi.services.desk.cluster_view import Strength
from mpi.services.desk.pair_chips import Chip
from mpi.services.desk.pair_warnings import Caution
from mpi.services.desk.search import Problem, Understood
from mpi.services.keyboard import DEFAULT_KEYS
from mpi.services.resolution import PersonChange
from mpi.services.stewardship.adjudicate import Standing
from reviewer_ui import cluster_words, meanings, people_words, present, rule_words, task_words
from reviewer_ui.compare import DIFFERENCE_WORDS, Difference
from reviewer_ui.languages import catalogues

ENGLISH, VIETNAMESE = catalogues()["en"], catalogues()["vi"]
CATALOGUE = App.start().catalogue()
RULES = [f"vn_person@{version}" for version in CATALOGUE.versions()["vn_person"]]
"""The family that the desk speaks of; what others say is shown as their rules say it."""

TABLES: tuple[tuple[Mapping[Any, str], Iterable[str]], ...] = (
    (present.ROLE_WORDS, Role),
    (present.CHIP_WORDS, Chip),
    (present.KEY_WORDS, DEFAULT_KEYS),
    (meanings.RIGHT_WORDS, Right),
    (task_words.KIND_WORDS, TaskKind),
    (task_words.KIND_MEANINGS, TaskKind),
    (task_words.STAGE_WORDS, Stage),
    (task_words.READINGS_WORDS, Stage),
    (task_words.REVEAL_WORDS, RevealReason),
    (task_words.VERDICT_WORDS, Verdict),
    (task_words.SAID_WORDS, (*Verdict, ESCALATE)),
    (task_words.DECISION_WORDS, DecisionKind),
    (task_words.ACT_WORDS, (*Verdict, ESCALATE, *DecisionKind)),
    # of a pair that tests readers they are told what they are told of any other
    (task_words.NOW_WORDS, set(Standing) - {Standing.NOTED}),
    (task_words.SECOND_REASON_WORDS, SecondReason),
    (task_words.CHANGE_WORDS, ("task", *PersonChange)),
    (rule_words.CAUTION_WORDS, Caution),
    (DIFFERENCE_WORDS, set(Difference) - {Difference.NONE}),
    (cluster_words.STRENGTH_WORDS, Strength),
    (people_words.EVENT_WORDS, KINDS),
    (people_words.EVENT_SENTENCES, KINDS),
    (people_words.ENTRY_WORDS, EntryKind),
    (people_words.PROBLEM_WORDS, Problem),
    (people_words.UNDERSTOOD_WORDS, set(Understood) - {Understood.NOTHING}),
)


@pytest.fixture(scope="module", params=RULES)
def model(request: pytest.FixtureRequest) -> LinkageModel:
    """The rules of one shipped version."""
    return load_model(CATALOGUE.find(request.param), trained=False)


@pytest.mark.parametrize(("table", "terms"), TABLES)
def test_every_term_has_its_words_in_both_languages(table: Mapping[Any, str], terms: Iterable[str]) -> None:
    assert set(table) == set(terms)
    assert_said(table.values())


def test_all_that_shipped_rules_say_is_said_in_both_languages(model: LinkageModel) -> None:
    levels = {level.label for comparison in model.comparisons for level in comparison.levels}
    vetoes = {veto.name for veto in model.vetoes}
    assert levels <= set(rule_words.LEVELS)
    assert vetoes <= set(rule_words.VETOES)
    assert {comparison.name for comparison in model.comparisons} <= set(rule_words.COMPARISON_WORDS)
    assert {column for rule in model.fields for column in rule.inputs.values()} <= set(rule_words.FIELD_WORDS)
    assert {rule.field for rule in model.survivorship} <= set(rule_words.FIELD_WORDS)
    assert_said((*levels, *vetoes, *rule_words.COMPARISON_WORDS.values(), *rule_words.FIELD_WORDS.values()))


def test_a_veto_can_stand_in_a_reason(model: LinkageModel) -> None:
    # several are one text, with these signs between them
    assert not [veto.name for veto in model.vetoes if ";" in veto.name or ":" in veto.name]


def test_every_reason_of_a_task_is_said_in_both_languages() -> None:
    named = {text for name, text in vars(task_reasons).items() if name.isupper() and isinstance(text, str)} - {UNSURE}
    assert named <= {*task_reasons.OPENED, *task_reasons.CLOSED}
    assert set(task_reasons.DECIDED) == set(Verdict)
    assert set(task_words.OPENED) == set(task_reasons.OPENED)
    assert set(task_words.CLOSED) == set(task_reasons.CLOSED)
    assert_said((*task_words.OPENED, *task_words.CLOSED))


def test_a_reason_is_told_with_its_vetoes_one_by_one() -> None:
    against = task_reasons.SPEAKING_AGAINST
    several = f"{against}: twins; birth years apart"
    assert task_words.why_asked(ENGLISH, several) == several
    said = [VIETNAMESE.single[text] for text in (against, "twins", "birth years apart")]
    assert task_words.why_asked(VIETNAMESE, several) == "{}: {}; {}".format(*said)
    assert task_words.why_asked(VIETNAMESE, "twins; birth years apart") == "; ".join(said[1:])
    assert task_words.why_asked(VIETNAMESE, "") == ""


def test_what_no_table_knows_is_never_markup() -> None:
    assert task_words.why_asked(VIETNAMESE, "a <b>; twins") == f"a &lt;b&gt;; {VIETNAMESE.single['twins']}"
    assert VIETNAMESE.gettext(rule_words.field_word("<img>")) == "&lt;img&gt;"
    assert ENGLISH.gettext(rule_words.field_word("<img>")) == "&lt;img&gt;"


def assert_said(texts: Iterable[str]) -> None:
    """Every text has a Vietnamese of its own, and stays in English what it is."""
    for text in texts:
        assert VIETNAMESE.single[text] != text
        assert str(ENGLISH.gettext(text)) == text.replace("'", "&#39;")
