"""cases.yaml: invented pairs that must match, must not match, must be asked about, or must rank; and running them.

A case goes the whole way: raw values, standardiser, feature rows, scorer, vetoes, thresholds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from mpi.domain.model import LinkageModel
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.explain import Explanation, explain
from mpi.matching.kernel import APART, FORBID, HOLD
from mpi.matching.scorer import Scorer
from mpi.rules.checks import raw_columns
from mpi.rules.documents import Location, Problems, read_bytes, read_document
from mpi.rules.schema import Name, Shape, add_shape_problems
from mpi.standardise.record import standardise_record

CASES = "cases.yaml"

_KEY = bytes(16)  # codes of one run are compared with one another only, so any key serves

RawValues = Mapping[str, str]


class Expectation(StrEnum):
    """What the rules are to make of a pair."""

    MATCH = "match"
    REVIEW = "review"
    NO_MATCH = "no_match"


@dataclass(frozen=True, slots=True)
class PairCase:
    """Two records and what the rules must make of them when `population` records are in play."""

    name: str
    left: RawValues
    right: RawValues
    expect: Expectation
    population: int


@dataclass(frozen=True, slots=True)
class RankCase:
    """A record, and two others of which `better` must weigh more with it than `worse`."""

    name: str
    base: RawValues
    better: RawValues
    worse: RawValues


Case = PairCase | RankCase


@dataclass(frozen=True, slots=True)
class CaseResult:
    """Whether a case holds, and what was found, in words."""

    name: str
    passed: bool
    found: str


class _CasesFile(Shape):
    cases: Annotated[tuple[Mapping[str, Any], ...], Field(min_length=1)]


class _PairShape(Shape):
    name: Name
    left: Annotated[Mapping[str, str | None], Field(min_length=1)]
    right: Annotated[Mapping[str, str | None], Field(min_length=1)]
    expect: Literal["match", "review", "no_match"]
    population: Annotated[int, Field(strict=False, ge=2)] = 1_000_000


class _RankShape(Shape):
    name: Name
    base: Annotated[Mapping[str, str | None], Field(min_length=1)]
    better: Annotated[Mapping[str, str | None], Field(min_length=1)]
    worse: Annotated[Mapping[str, str | None], Field(min_length=1)]


def _present(values: Mapping[str, str | None]) -> dict[str, str]:
    return {column: value for column, value in values.items() if value is not None}


def load_cases(folder: Path, model: LinkageModel) -> tuple[Case, ...]:
    """The cases of a folder; values are read as they are written, so that 0123 keeps its zero.

    Raises NotFoundError without cases.yaml, RuleFileError for a malformed case or a raw column that no field reads.
    """
    path = folder / CASES
    document = read_document(path, read_bytes(path), as_text=True)
    problems = Problems(document)
    cases: list[Case] = []
    try:
        file = _CasesFile.model_validate(document.data)
    except ValidationError as error:
        add_shape_problems(error, problems)
        problems.refuse()
        raise
    known = raw_columns(model.fields) | {"recorded_at"}
    names: set[str] = set()
    for index, raw in enumerate(file.cases):
        where: Location = ("cases", index)
        try:
            case = _read_case(raw)
        except ValidationError as error:
            add_shape_problems(error, problems, where)
            continue
        if case.name in names:
            problems.add((*where, "name"), "a case of this name stands here twice")
        names.add(case.name)
        for side in ("left", "right", "base", "better", "worse"):
            for column in raw.get(side, ()):
                if column not in known:
                    problems.add_unknown((*where, side, column), "raw column", column, known)
        cases.append(case)
    problems.refuse()
    return tuple(cases)


def _read_case(raw: Mapping[str, Any]) -> Case:
    if "base" in raw:
        rank = _RankShape.model_validate(raw)
        return RankCase(rank.name, _present(rank.base), _present(rank.better), _present(rank.worse))
    pair = _PairShape.model_validate(raw)
    return PairCase(pair.name, _present(pair.left), _present(pair.right), Expectation(pair.expect), pair.population)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One scored pair: its weight in bits, its vetoes as bits, and the waterfall."""

    weight: float
    vetoes: int
    explanation: Explanation

    def words(self) -> str:
        steps = ", ".join(f"{each.comparison} {each.level} {each.bits:+.1f}" for each in self.explanation.contributions)
        held = f"; vetoes: {', '.join(self.explanation.vetoes)}" if self.explanation.vetoes else ""
        return f"{self.weight:.1f} bits (prior {self.explanation.prior:+.1f}, {steps}{held})"


def _score(scorer: Scorer, left: RawValues, right: RawValues, *, population: int) -> _Pair:
    records = [
        standardise_record(
            SourceRecord(RecordKey("case", side), values, values.get("recorded_at")), scorer.model.fields
        )
        for side, values in (("left", left), ("right", right))
    ]
    rows = scorer.pack_records(records, _KEY)
    first, second = np.array([0], dtype=np.int32), np.array([1], dtype=np.int32)
    prior = scorer.prior(population)
    scores = scorer.score(rows, first, second, prior=prior)
    return _Pair(float(scores.weights[0]), int(scores.vetoes[0]), explain(scorer, rows, 0, 1, prior=prior))


def _expectation(model: LinkageModel, pair: _Pair) -> Expectation:
    if pair.vetoes & (FORBID | APART) or pair.weight < model.thresholds.review:
        return Expectation.NO_MATCH
    if pair.vetoes & HOLD or pair.weight < model.thresholds.link:
        return Expectation.REVIEW
    return Expectation.MATCH


def _weight(pair: _Pair) -> float:
    return -np.inf if pair.vetoes & (FORBID | APART) else pair.weight


def run_cases(model: LinkageModel, cases: Sequence[Case]) -> list[CaseResult]:
    """Run cases in their order. Raises UntrainedLevelError for a model without parameters."""
    scorer = Scorer(model)
    results: list[CaseResult] = []
    for case in cases:
        if isinstance(case, PairCase):
            pair = _score(scorer, case.left, case.right, population=case.population)
            found = _expectation(model, pair)
            words = f"expected {case.expect}, found {found}: {pair.words()}"
            results.append(CaseResult(case.name, found is case.expect, words))
        else:
            better = _score(scorer, case.base, case.better, population=1_000_000)
            worse = _score(scorer, case.base, case.worse, population=1_000_000)
            words = f"better: {better.words()}; worse: {worse.words()}"
            results.append(CaseResult(case.name, _weight(better) > _weight(worse), words))
    return results
