"""An explanation adds up to the score, names the levels and tells which vetoes hold."""

from dataclasses import replace

import numpy as np
import pytest

from mpi.batch.tables import columns_of_table
from mpi.domain.model import Level, Predicate, TermFrequencies, Veto, VetoEffect
from mpi.matching.explain import explain
from mpi.matching.scorer import Scorer
from mpi.matching.weights import probability_of
from tests.parity.models import COLUMNS, KEY, comparison_of, model_of, pairs_of, table_of


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    text = comparison_of(
        "text",
        Level("missing", Predicate("null", ("text",)), is_null=True),
        Level("equal", Predicate("exact", ("text",)), tf_column="text"),
        Level("near", Predicate("syllable_edit", ("text",), 2.0)),
    )
    year = comparison_of("year", Level("equal", Predicate("exact", ("year",))))
    return Scorer(
        model_of(
            [replace(text, tf_reference="equal"), year],
            term_frequencies={"text": TermFrequencies("text", {}, 1e-3)},
            vetoes=[
                Veto("another year", VetoEffect.HOLD, (("year", frozenset({"otherwise"})),)),
                Veto(
                    "another text and year",
                    VetoEffect.FORBID,
                    (("text", frozenset({"otherwise"})), ("year", frozenset({"otherwise"}))),
                ),
            ],
        )
    )


def test_contributions_add_up_to_the_weight(scorer: Scorer) -> None:
    rows = scorer.pack(columns_of_table(table_of(300, seed=31), COLUMNS), KEY)
    left, right = pairs_of(500, 300, seed=32)
    scores = scorer.score(rows, left, right, prior=-4.0)
    frequencies = 0
    for place in range(len(left)):
        told = explain(scorer, rows, int(left[place]), int(right[place]), prior=-4.0)
        assert told.weight == pytest.approx(scores.weights[place], abs=1e-12)
        assert told.weight == pytest.approx(-4.0 + sum(each.bits for each in told.contributions), abs=1e-12)
        assert told.contributions[-1].running_total == told.weight
        assert told.probability == probability_of(told.weight)
        codes = [c.code_of(e.level) for c, e in zip(scorer.model.comparisons, told.contributions, strict=True)]
        assert codes == scores.codes[place].tolist()
        levels = {each.comparison: each.level for each in told.contributions}
        assert ("another year" in told.vetoes) == (levels["year"] == "otherwise")
        assert ("another text and year" in told.vetoes) == (set(levels.values()) == {"otherwise"})
        assert bool(told.vetoes) == bool(scores.vetoes[place])
        for each in told.contributions:
            if each.of_which_frequency:
                frequencies += 1
                assert (each.comparison, each.level) == ("text", "equal")
                u = scorer.model.parameters.levels["text", "equal"].u if scorer.model.parameters else 0.0
                assert each.of_which_frequency == pytest.approx(np.log2(u) - np.log2(1e-3))
    assert frequencies > 3
