"""Screens rule out no pair that holds: near the bounds too, a chunk's answers are those of each pair."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import DamerauLevenshtein, Levenshtein

from mpi.domain.model import Level, Predicate
from mpi.domain.records import RecordKey, StandardRecord
from mpi.matching.features import columns_of
from mpi.matching.kernel import CHUNK, FEW, as_rows
from mpi.matching.levels import MAXIMUM_SYLLABLES, Representation
from mpi.matching.predicates import holds
from mpi.matching.scorer import Scorer
from mpi.matching.screens import screen
from tests.parity.models import KEY, comparison_of, model_of

TEXTS = st.text("abc 12", min_size=1, max_size=12)
WIDTH = 64
WORDS = CHUNK // 64


@cache
def _scorer(kind: str, parameter: float | None, columns: tuple[str, ...] = ("text",)) -> Scorer:
    return Scorer(model_of([comparison_of("one", Level("held", Predicate(kind, columns, parameter)))]))


def _held(scorer: Scorer, left: str, right: str) -> bool:
    """What the scorer says of a pair that has a chunk of its own."""
    records = [StandardRecord(RecordKey("s", str(place)), {"text": text}) for place, text in enumerate((left, right))]
    rows = scorer.pack(columns_of(records, scorer.columns), KEY)
    scores = scorer.score(rows, np.array([0], dtype=np.int32), np.array([1], dtype=np.int32), prior=0.0)
    return bool(scores.codes[0, 0] == 1)


def _signature(text: str) -> int:
    scorer = _scorer("levenshtein", 1.0)
    rows = scorer.pack(columns_of([StandardRecord(RecordKey("s", "1"), {"text": text})], scorer.columns), KEY)
    return int(rows.view(np.uint64)[0, scorer.layout.offset("text", Representation.SIGNATURE) // 8])


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_an_edit_changes_two_bits_of_a_signature_at_most(left: str, right: str) -> None:
    apart = (_signature(left) ^ _signature(right)).bit_count()
    assert apart <= 2 * DamerauLevenshtein.distance(left, right)
    assert apart <= 2 * Levenshtein.distance(left, right)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["an", "anh", "binh", "nh", "thanh"]), min_size=1, max_size=18), st.data())
def test_one_edited_syllable_is_found_in_long_and_in_cut_texts(syllables: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(syllables) - 1))
    edited = list(syllables)
    edited[place] = data.draw(st.sampled_from([edited[place] + "x", edited[place][1:] + "z", "q" + edited[place]]))
    left, right = " ".join(syllables), " ".join(edited)
    kept = place < MAXIMUM_SYLLABLES - 1 or place == len(syllables) - 1
    shown = max(len(left), len(right)) <= WIDTH
    if kept and shown:
        assert _held(_scorer("syllable_edit", 2.0), left, right)
    elif not kept:
        assert not _held(_scorer("syllable_edit", 2.0), left, right)


@pytest.mark.parametrize("kind", ["syllable_edit", "levenshtein", "damerau_levenshtein"])
def test_a_cut_text_is_not_ruled_out(kind: str) -> None:
    """The edit at the front pushes other bytes over the edge of the kept text."""
    left = "an " + " ".join(["nguyenvantrinh"] * 4) + " zk"
    assert len(left) > WIDTH - 3
    assert _held(_scorer(kind, 2.0), left, left.replace("an ", "and ", 1))


def test_a_date_two_months_later_is_not_ruled_out() -> None:
    scorer = _scorer("days_apart", 59.0, ("year", "month", "day"))
    values = [{"year": 1999, "month": 12, "day": 31}, {"year": 2000, "month": 2, "day": 28}]
    records = [StandardRecord(RecordKey("s", str(place)), value) for place, value in enumerate(values)]
    rows = scorer.pack(columns_of(records, scorer.columns), KEY)
    assert scorer.score(rows, np.array([0], np.int32), np.array([1], np.int32), prior=0.0).codes.tolist() == [[1]]


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=CHUNK))
def test_a_chunk_answers_as_its_pairs_do(pairs: list[tuple[str, str]]) -> None:
    scorer = _scorer("damerau_levenshtein", 2.0)
    texts = [text for pair in pairs for text in pair]
    records = [StandardRecord(RecordKey("s", str(place)), {"text": text}) for place, text in enumerate(texts)]
    rows = as_rows(scorer.pack(columns_of(records, scorer.columns), KEY))
    left = np.arange(0, 2 * len(pairs), 2, dtype=np.uint64)
    right = left + np.uint64(1)
    held, could = np.zeros(WORDS, dtype=np.uint64), np.zeros(WORDS, dtype=np.uint64)
    test = scorer.program.tests[0]
    screen(rows, (left, right), len(pairs), test, held, could)
    scratch = np.empty(20_000, dtype=np.int32)
    for place, (i, j) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        answer = holds(rows, i, j, test, 0.0, scratch)
        possible = bool(int(held[place // 64] | could[place // 64]) >> (place % 64) & 1)
        assert possible or not answer


def test_many_pairs_and_few_get_the_same_answers() -> None:
    """Up to FEW pairs are screened apart from their chunk."""
    scorer = _scorer("levenshtein", 1.0)
    words = ["an", "anh", "binh", "bin", "chi", "chin", "dung", "dun"]
    records = [StandardRecord(RecordKey("s", str(place)), {"text": word}) for place, word in enumerate(words)]
    rows = scorer.pack(columns_of(records, scorer.columns), KEY)
    random = np.random.default_rng(3)
    left, right = random.integers(0, len(words), (2, CHUNK)).astype(np.int32)
    whole = scorer.score(rows, left, right, prior=0.0)
    for size in (1, FEW, FEW + 1):
        part = scorer.score(rows, left[:size], right[:size], prior=0.0)
        assert np.array_equal(part.codes, whole.codes[:size])
    assert 0 < int((whole.codes == 1).sum()) < CHUNK
