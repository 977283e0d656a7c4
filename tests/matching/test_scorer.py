"""Working memory is kept for each thread: what was scored before, and with which model, leaves no trace."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mpi.matching.features import columns_of
from mpi.matching.kernel import as_rows, score_pairs, workspace
from mpi.matching.scorer import Scorer, Scores
from tests.factories import KEY, PRIOR, all_pairs, records_of, small_model, small_scorer

RECORDS = records_of(
    *[
        {"name": f"n{place % 5}", "birth": f"b{place % 3}", "number": f"{place % 7}" * (place % 2), "phones": ("p",)}
        for place in range(24)
    ]
)


def _shorter() -> Scorer:
    """The small model with two of its comparisons: another program, other sizes of working memory."""
    model = small_model()
    return Scorer(replace(model, comparisons=model.comparisons[:2], vetoes=model.vetoes[:1]))


def _fresh(scorer: Scorer, rows: NDArray[np.uint8]) -> Scores:
    left, right = all_pairs(len(rows))
    scores = Scores(
        np.empty(len(left)),
        np.empty((len(left), len(scorer.model.comparisons)), dtype=np.int8),
        np.empty(len(left), dtype=np.uint8),
    )
    out = (scores.weights, scores.codes, scores.vetoes)
    score_pairs(scorer.program, as_rows(rows), (left, right), PRIOR, -np.inf, out, workspace(scorer.program))
    return scores


def test_working_memory_of_a_thread_leaves_no_trace() -> None:
    scorers = [small_scorer(), _shorter()]
    packed = [scorer.pack_records(RECORDS, KEY) for scorer in scorers]
    expected = [_fresh(scorer, rows) for scorer, rows in zip(scorers, packed, strict=True)]

    def score(turn: int) -> None:
        which = turn % 2 if turn % 5 else 0
        rows, scorer = packed[which], scorers[which]
        left, right = all_pairs(len(rows))
        some = slice(turn % 7, None)
        found = scorer.score(rows, left[some], right[some], prior=PRIOR)
        assert np.array_equal(found.weights, expected[which].weights[some])
        assert np.array_equal(found.codes, expected[which].codes[some])
        assert np.array_equal(found.vetoes, expected[which].vetoes[some])
        # what is given up half way must not be seen by the next call
        scorer.score(rows, left, right, prior=PRIOR, floor=5.0)

    with ThreadPoolExecutor(4) as threads:
        assert len(list(threads.map(score, range(200)))) == 200


def test_records_are_packed_as_their_columns_are() -> None:
    scorer = small_scorer()
    rows = scorer.pack(columns_of(RECORDS, scorer.columns), KEY)
    assert np.array_equal(scorer.pack_records(RECORDS, KEY), rows)
    assert rows.any(axis=1).all()


def test_no_pairs_have_no_scores() -> None:
    scorer = small_scorer()
    none = np.empty(0, dtype=np.int32)
    scores = scorer.score(scorer.pack_records(RECORDS, KEY), none, none, prior=PRIOR)
    assert (len(scores.weights), scores.codes.shape, len(scores.vetoes)) == (0, (0, 4), 0)
