"""A small hand-made linkage model and records of it, whose match weights can be worked out on paper.

Bits: number +16.5 / -4.3, name +9.8 / -3.3, birth date +10.8 / -3.3, phone +9.0 / -1.0; the prior of 100 records: -6.9.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import (
    AllOf,
    BlockingRule,
    Comparison,
    Condition,
    FieldRule,
    FrequencyCap,
    Level,
    LevelParameters,
    LinkageModel,
    Parameters,
    Predicate,
    TermFrequencies,
    Thresholds,
    Veto,
    VetoEffect,
)
from mpi.domain.records import ColumnKind, RecordKey, StandardRecord
from mpi.matching.features import columns_of
from mpi.matching.kernel import APART
from mpi.matching.scorer import Scorer
from mpi.matching.siphash import PUBLIC_KEY, hash_text
from mpi.persons.clusters import Edges

KEY = b"sixteen bytes of"
PRIOR = -6.9
DOUBT = 8.0

_SHARES = {
    ("number", "equal"): (0.95, 1e-5),
    ("number", "different"): (0.05, 0.99999),
    ("name", "equal"): (0.9, 0.001),
    ("name", "different"): (0.1, 0.999),
    ("birth", "equal"): (0.9, 0.0005),
    ("birth", "different"): (0.1, 0.9995),
    ("phone", "shared"): (0.5, 0.001),
    ("phone", "different"): (0.5, 0.999),
}


def _comparison(column: str, name: str, equal: Condition, *, best: str = "equal", **of_level: Any) -> Comparison:
    return Comparison(
        name,
        (
            Level("missing", Predicate("null", (column,)), is_null=True),
            Level(best, equal, **of_level),
            Level("different", None),
        ),
    )


@cache
def small_model() -> LinkageModel:
    """Numbers, names, birth dates and phones; different numbers forbid, a twin's name holds."""
    # what is exact anyway is tested by its letters and syllables as well, so that rows hold every representation
    number = AllOf((Predicate("exact", ("number",)), Predicate("levenshtein", ("number",), 1)))
    name = AllOf((Predicate("exact", ("name",)), Predicate("syllables_contained", ("name",))))
    return LinkageModel(
        family="small",
        version="1.0.0",
        digest="0" * 64,
        columns={
            "number": ColumnKind.TEXT,
            "name": ColumnKind.TEXT,
            "birth": ColumnKind.TEXT,
            "year": ColumnKind.INTEGER,
            "phones": ColumnKind.TEXTS,
        },
        fields=(
            FieldRule("number", "digits", {"value": "number"}, {"number": 12}),
            FieldRule("name", "token", {"value": "name"}, {"name": 24}),
            FieldRule("birth", "date", {"value": "birth"}),
            FieldRule("year", "integer", {"value": "year"}),
            FieldRule("phones", "vn_phone", {"phone": "phone"}),
        ),
        blocking=(
            BlockingRule("number", ("number",)),
            BlockingRule("name", ("name",)),
            BlockingRule("phone", ("phones",)),
            BlockingRule("birth", ("birth",)),
        ),
        comparisons=(
            _comparison("number", "number", number),
            _comparison("name", "name", name, tf_column="name", tf_weight=0.5),
            _comparison("birth", "birth", Predicate("exact", ("birth",))),
            _comparison("phones", "phone", Predicate("shared", ("phones",), 1), best="shared"),
        ),
        vetoes=(
            Veto("two numbers", VetoEffect.FORBID, (("number", frozenset({"different"})),)),
            Veto(
                "twins",
                VetoEffect.HOLD,
                (
                    ("name", frozenset({"different"})),
                    ("birth", frozenset({"equal"})),
                    ("number", frozenset({"missing"})),
                ),
            ),
        ),
        frequency_caps=(),
        thresholds=Thresholds(link=8.0, review=2.0, margin=3.0),
        survivorship=(),
        trust={},
        parameters=Parameters(1.8, {where: LevelParameters(*share) for where, share in _SHARES.items()}, {}),
        # as frequent as the average name: the adjustment is there and adds nothing
        term_frequencies={"name": TermFrequencies("name", {hash_text("common", PUBLIC_KEY): 0.001}, 0.001)},
    )


@cache
def small_scorer() -> Scorer:
    """The small model, compiled once a test process."""
    return Scorer(small_model())


def with_blocking(*rules: BlockingRule, caps: Sequence[FrequencyCap] = ()) -> Scorer:
    """The small model under other blocking rules and caps."""
    return Scorer(replace(small_model(), blocking=tuple(rules), frequency_caps=tuple(caps)))


def records_of(*values: dict[str, Any]) -> list[StandardRecord]:
    """Records of one source; a column left out is missing."""
    return [StandardRecord(RecordKey("source", str(place)), each) for place, each in enumerate(values)]


def rows_of(*values: dict[str, Any], scorer: Scorer | None = None) -> NDArray[np.uint8]:
    """Feature rows of records given as their standard values."""
    used = scorer or small_scorer()
    return used.pack(columns_of(records_of(*values), used.columns), KEY)


def all_pairs(count: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Every pair of `count` records, left < right."""
    left, right = np.triu_indices(count, 1)
    return left.astype(np.int32), right.astype(np.int32)


def edges_of(rows: NDArray[np.uint8], *, scorer: Scorer | None = None) -> Edges:
    """Every pair of rows that is worth weighing, scored."""
    used = scorer or small_scorer()
    left, right = all_pairs(len(rows))
    scores = used.score(rows, left, right, prior=PRIOR)
    kept = (scores.weights >= used.model.thresholds.review - DOUBT) & (scores.vetoes & APART == 0)
    return Edges(left[kept], right[kept], scores.weights[kept], scores.vetoes[kept])
