"""Scores of pairs: symmetric, the same whatever the threads, the floor or the company; missing is never equal."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from mpi.batch.tables import columns_of_table
from mpi.domain.model import Comparison, Level, LinkageModel, Predicate, TermFrequencies, Veto, VetoEffect
from mpi.domain.records import ColumnKind, RecordKey, StandardRecord, StandardValue
from mpi.matching.features import columns_of
from mpi.matching.kernel import APART, FORBID, HOLD
from mpi.matching.levels import LEVEL_KINDS
from mpi.matching.scorer import Scorer
from mpi.matching.siphash import PUBLIC_KEY, hash_text
from tests.parity.models import COLUMNS, KEY, comparison_of, model_of, pairs_of, table_of

ROWS, PAIRS = 700, 6_000


def _null(column: str) -> Level:
    return Level("missing", Predicate("null", (column,)), is_null=True)


def _model() -> LinkageModel:
    """Text with frequencies, a date and a set, and a veto of each effect."""
    text = Comparison(
        "text",
        (
            _null("text"),
            Level("equal", Predicate("exact", ("text",)), tf_column="text", tf_minimum=1e-3),
            Level("near", Predicate("damerau_levenshtein", ("text",), 2.0), tf_column="text", tf_weight=0.5),
            Level("else", None),
        ),
        tf_reference="equal",
    )
    date = comparison_of(
        "date",
        _null("year"),
        Level("swapped", Predicate("date_swapped", ("year", "month", "day"))),
        Level("two parts", Predicate("date_parts", ("year", "month", "day"), 2.0)),
    )
    members = comparison_of("members", _null("members"), Level("shared", Predicate("shared", ("members",))))
    return model_of(
        [text, date, members],
        term_frequencies={"text": TermFrequencies("text", {hash_text("an", PUBLIC_KEY): 0.25}, 1e-4)},
        vetoes=[
            Veto("far", VetoEffect.APART, (("text", frozenset({"else"})), ("date", frozenset({"otherwise"})))),
            Veto("no member", VetoEffect.FORBID, (("members", frozenset({"otherwise"})),)),
            Veto("no text", VetoEffect.HOLD, (("text", frozenset({"missing"})),)),
        ],
    )


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(_model())


@pytest.fixture(scope="module")
def rows(scorer: Scorer) -> NDArray[np.uint8]:
    return scorer.pack(columns_of_table(table_of(ROWS, seed=21), COLUMNS), KEY)


def test_a_score_does_not_depend_on_the_side(scorer: Scorer, rows: NDArray[np.uint8]) -> None:
    left, right = pairs_of(PAIRS, ROWS, seed=22)
    there, back = scorer.score(rows, left, right, prior=-10.0), scorer.score(rows, right, left, prior=-10.0)
    assert np.array_equal(there.weights, back.weights)
    assert np.array_equal(there.codes, back.codes)
    assert np.array_equal(there.vetoes, back.vetoes)


def test_every_level_kind_is_symmetric() -> None:
    parameters = {"jaro": 0.8, "jaro_winkler": 0.9}
    columns = {
        ColumnKind.TEXT: ("text", "other"),
        ColumnKind.INTEGER: ("year", "month", "day"),
        ColumnKind.TEXTS: ("members",),
    }
    comparisons = [
        comparison_of(
            f"{name}-{column_kind}",
            Level(
                "holds",
                Predicate(
                    name,
                    columns[column_kind][: len(kind.columns)],
                    parameters.get(name, 1.0) if kind.parameter else None,
                ),
            ),
        )
        for name, kind in LEVEL_KINDS.items()
        for column_kind in kind.opcodes
    ]
    scorer = Scorer(model_of(comparisons))
    rows = scorer.pack(columns_of_table(table_of(ROWS, seed=23), COLUMNS), KEY)
    left, right = pairs_of(PAIRS, ROWS, seed=24)
    there, back = scorer.score(rows, left, right, prior=0.0), scorer.score(rows, right, left, prior=0.0)
    differ = np.flatnonzero((there.codes != back.codes).any(axis=0))
    assert [comparisons[place].name for place in differ] == []


def test_the_floor_changes_no_weight_above_it(scorer: Scorer, rows: NDArray[np.uint8]) -> None:
    left, right = pairs_of(PAIRS, ROWS, seed=25)
    whole = scorer.score(rows, left, right, prior=-3.0)
    for floor in np.quantile(whole.weights, [0.2, 0.9, 0.99]):
        some = scorer.score(rows, left, right, prior=-3.0, floor=float(floor))
        above = whole.weights >= floor
        assert np.array_equal(some.weights[above], whole.weights[above])
        assert np.array_equal(some.codes[above], whole.codes[above])
        assert np.array_equal(some.vetoes[above], whole.vetoes[above])
        assert np.all(some.weights[~above] < floor)


def test_threads_and_company_change_nothing(scorer: Scorer, rows: NDArray[np.uint8]) -> None:
    left, right = (np.tile(side, 90) for side in pairs_of(PAIRS, ROWS, seed=26))
    alone = scorer.score(rows, left, right, prior=0.0)
    with ThreadPoolExecutor(4) as executor:
        together = scorer.score(rows, left, right, prior=0.0, executor=executor)
    assert np.array_equal(alone.weights, together.weights)
    assert np.array_equal(alone.codes, together.codes)
    for place in (0, 257, 5999):
        one = scorer.score(rows, left[place : place + 1], right[place : place + 1], prior=0.0)
        assert one.weights[0] == alone.weights[place]


def test_missing_is_never_equal() -> None:
    kinds = {
        "exact": "text",
        "shared": "members",
        "syllables_reordered": "text",
        "syllables_contained": "text",
        "crossed": "text",
    }
    comparisons = [
        comparison_of(kind, Level("holds", Predicate(kind, (column, "other") if kind == "crossed" else (column,))))
        for kind, column in kinds.items()
    ]
    dates = ("year", "month", "day")
    for kind in ("date_swapped", "date_parts", "days_apart"):
        parameter = {"date_parts": 1.0, "days_apart": 9.0}.get(kind)
        comparisons.append(comparison_of(kind, Level("holds", Predicate(kind, dates, parameter))))
    comparisons.append(comparison_of("difference", Level("holds", Predicate("difference", ("year",), 1e6))))
    scorer = Scorer(model_of(comparisons))
    empty = StandardRecord(RecordKey("s", "1"), {})
    rows = scorer.pack(columns_of([empty, empty], scorer.columns), KEY)
    pair = np.array([0], dtype=np.int32), np.array([1], dtype=np.int32)
    assert not scorer.score(rows, *pair, prior=0.0).codes.any()


def _record(**values: StandardValue) -> StandardRecord:
    return StandardRecord(RecordKey("s", "1"), values)


def _vetoes(scorer: Scorer, left: StandardRecord, right: StandardRecord) -> int:
    rows = scorer.pack(columns_of([left, right], scorer.columns), KEY)
    pair = np.array([0], dtype=np.int32), np.array([1], dtype=np.int32)
    return int(scorer.score(rows, *pair, prior=0.0).vetoes[0])


def test_vetoes_hold_when_every_named_level_does(scorer: Scorer) -> None:
    a = _record(text="an", year=2000, month=1, day=1, members=("x",))
    far = _record(text="nguyen thi binh", year=1950, month=5, day=7, members=("x",))
    assert _vetoes(scorer, a, a) == 0
    assert _vetoes(scorer, a, far) == APART
    assert _vetoes(scorer, a, _record(text="an", year=1950, month=5, day=7, members=("x",))) == 0
    assert _vetoes(scorer, a, _record(text="an", members=("y",))) == FORBID
    assert _vetoes(scorer, a, _record(members=("y",))) == FORBID | HOLD
