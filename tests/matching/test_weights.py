"""Weights in bits: m over u, the frequency term worked out by hand, the prior, and untrained levels refused by name."""

import math
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from mpi.domain.errors import RuleFileError, UntrainedLevelError
from mpi.domain.model import (
    Comparison,
    Level,
    LevelParameters,
    LinkageModel,
    Parameters,
    Predicate,
    TermFrequencies,
    Veto,
    VetoEffect,
)
from mpi.domain.records import RecordKey, StandardRecord
from mpi.matching.features import columns_of
from mpi.matching.kernel import HOLD, MAXIMUM_VETOES, OUTCOMES
from mpi.matching.scorer import Scorer
from mpi.matching.siphash import PUBLIC_KEY, hash_text
from mpi.matching.weights import SMALLEST_PROBABILITY, prior_bits, probability_of, untrained_levels
from tests.parity.models import KEY, model_of

LEVELS = {
    ("text", "equal"): LevelParameters(0.8, 0.01),
    ("text", "near"): LevelParameters(0.15, 0.002),
    ("text", "else"): LevelParameters(0.05, 0.988),
}


def _model(minimum: float = 0.0, weight: float = 1.0) -> LinkageModel:
    text = Comparison(
        "text",
        (
            Level("missing", Predicate("null", ("text",)), is_null=True),
            Level("equal", Predicate("exact", ("text",)), tf_column="text", tf_minimum=minimum),
            Level("near", Predicate("levenshtein", ("text",), 1.0), tf_column="text", tf_weight=weight),
            Level("else", None),
        ),
        tf_reference="equal",
    )
    terms = TermFrequencies("text", {hash_text("an", PUBLIC_KEY): 0.25, hash_text("am", PUBLIC_KEY): 0.125}, 2.0**-10)
    return model_of([text], parameters=Parameters(1.5, LEVELS, {}), term_frequencies={"text": terms})


def _weight(model: LinkageModel, left: str | None, right: str | None, prior: float = 0.0) -> float:
    scorer = Scorer(model)
    records = [StandardRecord(RecordKey("s", "1"), {"text": value}) for value in (left, right)]
    rows = scorer.pack(columns_of(records, scorer.columns), KEY)
    pair = np.array([0], dtype=np.int32), np.array([1], dtype=np.int32)
    return float(scorer.score(rows, *pair, prior=prior).weights[0])


def test_a_level_weighs_the_log_of_m_over_u() -> None:
    assert _weight(_model(), "an", "binh chau", prior=-3.0) == pytest.approx(-3 + math.log2(0.05 / 0.988))
    assert _weight(_model(), "an", None, prior=-3.0) == -3.0


def test_a_frequent_value_weighs_less_than_a_rare_one() -> None:
    assert _weight(_model(), "an", "an") == pytest.approx(math.log2(0.8 / 0.25))
    assert _weight(_model(), "unheard", "unheard") == pytest.approx(math.log2(0.8) + 10)
    assert _weight(_model(minimum=2.0**-6), "unheard", "unheard") == pytest.approx(math.log2(0.8) + 6)


def test_two_values_take_the_more_frequent_and_the_reference_level() -> None:
    plain = math.log2(0.15 / 0.002)
    assert _weight(_model(), "an", "am") == pytest.approx(plain + math.log2(0.01) - math.log2(0.25))
    assert _weight(_model(weight=0.5), "an", "am") == pytest.approx(plain + 0.5 * (math.log2(0.01) - math.log2(0.25)))


def test_untrained_levels_are_refused_by_name() -> None:
    model = _model()
    few = {name: each for name, each in LEVELS.items() if name != ("text", "near")}
    for parameters, missing in ((Parameters(1.5, few, {}), ["text / near"]), (None, [" / ".join(n) for n in LEVELS])):
        untrained = replace(model, parameters=parameters)
        assert untrained_levels(untrained) == missing
        with pytest.raises(UntrainedLevelError, match=", ".join(missing)):
            Scorer(untrained)


def test_a_probability_of_nothing_is_held_above_zero() -> None:
    levels = LEVELS | {("text", "else"): LevelParameters(0.0, 0.988)}
    model = replace(_model(), parameters=Parameters(1.5, levels, {}))
    assert _weight(model, "an", "binh chau") == pytest.approx(math.log2(SMALLEST_PROBABILITY / 0.988))


def test_the_prior_is_the_odds_of_one_random_pair() -> None:
    probability = 0.85 / 999_999
    assert prior_bits(1.85, 1_000_000) == pytest.approx(math.log2(probability / (1 - probability)))
    assert prior_bits(1.85, 2_000_000) == pytest.approx(prior_bits(1.85, 1_000_000) - 1, abs=1e-5)
    assert math.isfinite(prior_bits(1.0, 10))
    assert prior_bits(5.0, 1) == 0.0


@given(st.floats(allow_nan=False))
def test_probabilities_are_safe_and_rise_with_the_weight(weight: float) -> None:
    assert 0.0 <= probability_of(weight) <= 1.0
    assert probability_of(weight) <= probability_of(weight + 1.0)
    assert probability_of(-weight) == pytest.approx(1 - probability_of(weight))


def test_known_probabilities() -> None:
    assert [probability_of(w) for w in (-math.inf, 0.0, 1.0, math.inf)] == pytest.approx([0.0, 0.5, 2 / 3, 1.0])


def test_as_many_vetoes_as_a_word_has_bits_and_no_more() -> None:
    never = Veto("never", VetoEffect.FORBID, (("text", frozenset({"missing"})),))
    last = Veto("last", VetoEffect.HOLD, (("text", frozenset({"equal"})),))
    full = replace(_model(), vetoes=(*[never] * (MAXIMUM_VETOES - 1), last))
    scorer = Scorer(full)
    records = [StandardRecord(RecordKey("s", str(place)), {"text": "an"}) for place in range(2)]
    rows = scorer.pack(columns_of(records, scorer.columns), KEY)
    scores = scorer.score(rows, np.array([0], np.int32), np.array([1], np.int32), prior=0.0)
    assert scores.vetoes.tolist() == [HOLD]
    with pytest.raises(RuleFileError, match="65 vetoes, at most 64"):
        Scorer(replace(full, vetoes=(*full.vetoes, never)))


def test_a_comparison_of_too_many_levels_is_refused() -> None:
    levels = tuple(Level(f"at most {k}", Predicate("difference", ("year",), float(k))) for k in range(OUTCOMES - 1))
    with pytest.raises(RuleFileError, match="year has 34 levels, at most 33"):
        Scorer(model_of([Comparison("year", (*levels, Level("else", None)))]))
