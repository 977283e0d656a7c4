"""Match: who a record would be, without writing anything. The same candidates, weights and vetoes as a resolve has."""

from dataclasses import dataclass
from threading import BoundedSemaphore

import numpy as np

from mpi.domain.errors import NotYetVisibleError
from mpi.domain.records import SourceRecord
from mpi.matching.explain import explain as waterfall_of
from mpi.matching.kernel import APART, FORBID, HOLD, as_rows
from mpi.matching.weights import probability_of
from mpi.persons.clusters import weigh_people
from mpi.persons.enterprise_id import enterprise_ids
from mpi.registry.registry import Registry
from mpi.services.neighbourhood import Newcomers, OnlineRules, Surroundings, look_around
from mpi.services.resolution import Blocking, Candidate, Grade, MatchOutcome, MatchResult

MOST_AT_ONCE = 4
"""Matches that read at once in one process: more threads would only take the interpreter from one another."""


@dataclass(frozen=True, slots=True)
class _Home:
    """A person that the record may be: its number, the match weight against it (bits), its vetoes, and the place in the
    table of the record of it that weighs most."""

    person_id: int
    weight: float
    vetoes: int
    best: int


class Matcher:
    """Answers matches from one registry by one set of rules; safe to share between threads."""

    def __init__(self, registry: Registry, rules: OnlineRules) -> None:
        self._registry = registry
        self._rules = rules
        self._at_once = BoundedSemaphore(MOST_AT_ONCE)

    def match(
        self,
        record: SourceRecord,
        *,
        limit: int,
        explain: bool = False,
        include_certainly_not: bool = False,
        at_least: int = 0,
    ) -> MatchResult:
        """The people that a record may be, at most `limit`, best first.

        `at_least` is a revision that the registry must have reached. Raises NotYetVisibleError, RegistryError.
        """
        none = np.array([-1], dtype=np.int64)
        new = Newcomers(self._rules.feature_rows([record]), none, none)
        with self._at_once, self._registry.look() as reading:
            around = look_around(reading, self._rules, new)
        if around.revision < at_least:
            raise NotYetVisibleError(f"this registry is at revision {around.revision}, not yet at {at_least}")
        homes = [(home, self._grade(home)) for home in self._homes(around)]
        wanted = [each for each in homes if include_certainly_not or each[1] is not Grade.CERTAINLY_NOT][:limit]
        return MatchResult(
            outcome=self._outcome(homes),
            candidates=self._candidates(around, wanted, explained=explain),
            blocking=Blocking(int(around.considered[0]), around.bounded[0]),
            rule_version=self._rules.model.name,
            thresholds=self._rules.model.thresholds,
            revision=around.revision,
        )

    def _homes(self, around: Surroundings) -> list[_Home]:
        """Every person that an edge of the record leads to, best first."""
        mine = np.flatnonzero((around.edges.left == 0) | (around.edges.right == 0))
        if not len(mine):
            return []
        weights, vetoes = weigh_people(
            self._rules.scorer.program,
            as_rows(around.rows),
            around.edges,
            persons=around.person_ids,
            constraints=around.constraints,
            thresholds=self._rules.model.thresholds,
            prior=around.prior,
        )
        best: dict[int, _Home] = {}
        for edge in mine[np.argsort(-around.edges.weights[mine], kind="stable")].tolist():
            other = int(around.edges.left[edge] + around.edges.right[edge])
            person = int(around.person_ids[other])
            if person not in best:
                best[person] = _Home(person, float(weights[edge]), int(vetoes[edge]), other)
        return sorted(best.values(), key=lambda home: (-home.weight, home.person_id))

    def _grade(self, home: _Home) -> Grade:
        thresholds = self._rules.model.thresholds
        if home.vetoes & (FORBID | APART) or home.weight < thresholds.review:
            return Grade.CERTAINLY_NOT
        if home.weight >= thresholds.link and not home.vetoes & HOLD:
            return Grade.CERTAIN
        return Grade.PROBABLE if home.weight >= 0 else Grade.POSSIBLE

    def _outcome(self, homes: list[tuple[_Home, Grade]]) -> MatchOutcome:
        """What the candidates come to. Two homes within the margin are equally likely, whatever their grade."""
        likely = [(home, grade) for home, grade in homes if grade is not Grade.CERTAINLY_NOT]
        if not likely:
            return MatchOutcome.NO_MATCH
        certain = [home for home, grade in likely if grade is Grade.CERTAIN]
        if not certain:
            return MatchOutcome.POSSIBLE_MATCHES
        close = [home for home in certain if certain[0].weight - home.weight < self._rules.model.thresholds.margin]
        return MatchOutcome.SEVERAL_FIT if len(close) > 1 else MatchOutcome.MATCH

    def _candidates(
        self, around: Surroundings, homes: list[tuple[_Home, Grade]], *, explained: bool
    ) -> tuple[Candidate, ...]:
        if not homes:
            return ()
        people = np.array([home.person_id for home, _ in homes], dtype=np.int64)
        records_of: dict[int, list[int]] = {home.person_id: [] for home, _ in homes}
        for record_id, person in zip(around.record_ids.tolist(), around.person_ids.tolist(), strict=True):
            if person in records_of:
                records_of[person].append(record_id)
        names = enterprise_ids(people, self._registry.secret)
        candidates = []
        for name, (home, grade) in zip(names, homes, strict=True):
            waterfall = None
            if explained or home.vetoes:
                waterfall = waterfall_of(self._rules.scorer, around.rows, 0, home.best, prior=around.prior)
            candidates.append(
                Candidate(
                    enterprise_id=name,
                    match_weight=home.weight,
                    probability=probability_of(home.weight),
                    grade=grade,
                    cross_references=tuple(around.names[record_id] for record_id in records_of[home.person_id]),
                    best_record=around.names[int(around.record_ids[home.best])],
                    vetoes=waterfall.vetoes if waterfall else (),
                    explanation=waterfall if explained else None,
                )
            )
        return tuple(candidates)
