"""Clusters: constraints hold whatever comes, a third record settles a doubt, twins and namesakes stay apart."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mpi.domain.model import AllOf, Comparison, Level, LevelParameters, LinkageModel, Predicate
from mpi.matching.kernel import FORBID, HOLD, as_rows
from mpi.matching.scorer import Scorer
from mpi.persons import clusters as module
from mpi.persons.clusters import Clusters, Constraints, Edges, cluster, weigh_people
from mpi.persons.placement import place
from tests.factories import PRIOR, edges_of, rows_of, small_model, small_scorer

LINK, REVIEW = 8.0, 2.0
Pairs = list[tuple[int, int]]


def _retrained(levels: dict[tuple[str, str], tuple[float, float]]) -> LinkageModel:
    """The small model with other m and u for some levels."""
    model = small_model()
    assert model.parameters is not None
    trained = {**model.parameters.levels, **{where: LevelParameters(*share) for where, share in levels.items()}}
    return replace(model, parameters=replace(model.parameters, levels=trained))


@cache
def _scorer(**equal_u: float) -> Scorer:
    """The small model where the u of some comparisons' equal level is another."""
    return Scorer(_retrained({(name, "equal"): (0.95, u) for name, u in equal_u.items()}))


@cache
def _scorer_of_years() -> Scorer:
    """The small model with a level for years that agree where one side knows no more: 5.6 bits."""
    model = _retrained({("birth", "year alone"): (0.5, 0.01)})
    levels = (
        Level("missing", Predicate("null", ("year",)), is_null=True),
        Level("equal", Predicate("exact", ("birth",))),
        Level("year alone", AllOf((Predicate("exact", ("year",)), Predicate("null", ("birth",))))),
        Level("different", None),
    )
    comparisons = [Comparison("birth", levels) if each.name == "birth" else each for each in model.comparisons]
    return Scorer(replace(model, comparisons=tuple(comparisons)))


@dataclass
class Case:
    """Records with who they are already and what stewards said."""

    records: list[dict[str, Any]]
    must: Pairs = field(default_factory=list)
    cannot: Pairs = field(default_factory=list)
    persons: list[int] | None = None
    scorer: Scorer = field(default_factory=small_scorer)

    @property
    def owners(self) -> NDArray[np.int64]:
        return np.array(self.persons or [-1] * len(self.records), dtype=np.int64)

    def run(self, *, order: NDArray[np.int64] | None = None) -> tuple[Clusters, Edges]:
        edges = edges_of(rows := rows_of(*self.records, scorer=self.scorer), scorer=self.scorer)
        if order is not None:
            edges = Edges(edges.left[order], edges.right[order], edges.weights[order], edges.vetoes[order])
        return self.weigh(rows, edges), edges

    def weigh(self, rows: NDArray[np.uint8], edges: Edges) -> Clusters:
        must, cannot = (np.array(pairs, dtype=np.int32).reshape(-1, 2) for pairs in (self.must, self.cannot))
        return cluster(
            self.scorer.program,
            as_rows(rows),
            edges,
            persons=self.owners,
            constraints=Constraints(must, cannot),
            thresholds=small_model().thresholds,
            prior=PRIOR,
        )

    def groups(self) -> set[frozenset[int]]:
        return _partition(self.run()[0].labels)

    def questions(self) -> set[tuple[int, int]]:
        found, edges = self.run()
        tasks = place(found, edges, self.owners, next_person=1_000, thresholds=small_model().thresholds).tasks
        return set(zip(tasks.left.tolist(), tasks.right.tolist(), strict=True))


def _partition(labels: NDArray[np.int32]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


def _sets(*groups: str) -> set[frozenset[int]]:
    return {frozenset(map(int, group)) for group in groups}


def test_the_hand_made_weights_are_what_the_factory_says() -> None:
    same = {"number": "1", "name": "an", "birth": "b", "phones": ("p",)}
    _, edges = Case([same, same]).run()
    assert edges.weights[0] == pytest.approx(16.54 + 9.81 + 10.81 + 8.97 - 6.9, abs=0.02)


def test_strong_pairs_are_joined_and_weak_ones_asked_about() -> None:
    case = Case([{"name": "an", "birth": "b"}, {"name": "an", "birth": "b"}, {"name": "an"}, {"name": "ba"}])
    assert case.groups() == _sets("01", "2", "3")
    # the nameless date decides nothing: record 2 is in doubt with the person of 0 and 1, once
    assert len(case.questions()) == 1


def test_a_third_record_settles_a_doubtful_pair() -> None:
    """0 and 1 share a name, 0 and 2 a phone: each in doubt. 1 and 2 share a number, and both together settle it."""
    one, two, three = {"name": "an", "phones": ("p",)}, {"name": "an", "number": "7"}, {"number": "7", "phones": ("p",)}
    assert Case([one, two]).groups() == _sets("0", "1")
    assert Case([one, three]).groups() == _sets("0", "1")
    case = Case([one, two, three])
    assert case.groups() == _sets("012")
    assert case.questions() == set()


def test_a_third_record_unsettles_a_pair_that_it_contradicts() -> None:
    case = Case(
        [{"name": "an", "birth": "b", "number": "1"}, {"number": "2", "name": "an"}, {"number": "2", "birth": "b"}]
    )
    assert case.groups() == _sets("0", "12")


def test_twins_stay_apart_and_are_asked_about() -> None:
    twin = {"birth": "b", "phones": ("p",)}
    case = Case([{"name": "an", **twin}, {"name": "anh", **twin}])
    _, edges = case.run()
    assert edges.weights[0] >= LINK
    assert edges.vetoes[0] == HOLD
    assert case.groups() == _sets("0", "1")
    assert case.questions() == {(0, 1)}
    # each twin's own records come together all the same
    more = Case([{"name": name, **twin} for name in ("an", "anh", "an", "anh")])
    assert more.groups() == _sets("02", "13")


AN, ANH = {"name": "an", "birth": "b"}, {"name": "anh", "birth": "b"}


def test_a_third_record_is_no_bridge_between_two_that_hold_each_other() -> None:
    """2 fits 0 by its name and 1 by its number, which 17 bits do not make a number of one's own."""
    case = Case([AN, {**ANH, "number": "1"}, {**AN, "number": "1"}])
    _, edges = case.run()
    assert edges.vetoes[0] == HOLD
    assert (edges.weights[1:] >= LINK).all()
    assert case.groups() == _sets("0", "12")
    assert case.questions() == {(0, 2)}


def test_more_records_than_hold_each_other_are_a_bridge() -> None:
    other = {**AN, "number": "1"}
    assert Case([AN, {**ANH, "number": "1"}, other, other]).groups() == _sets("0123")


def test_a_pair_that_is_all_but_sure_counts_twice_against_a_hold() -> None:
    records: list[dict[str, Any]] = [
        AN,
        {**ANH, "number": "1", "phones": ("q",)},
        {**AN, "number": "1", "phones": ("p", "q")},
    ]
    assert Case(records, scorer=_scorer(birth=1e-7)).groups() == _sets("0", "12")
    records[0] = {**AN, "phones": ("p",)}
    assert Case(records, scorer=_scorer(birth=1e-7)).groups() == _sets("012")


def test_a_number_of_ones_own_bridges_whatever_holds() -> None:
    case = Case([{**AN, "number": "1"}, ANH, ANH, {**ANH, "number": "1"}], persons=[-1, 5, 5, 5])
    assert case.groups() == _sets("0", "123")
    assert replace(case, scorer=_scorer(number=1e-9)).groups() == _sets("0123")


def test_a_record_that_knows_less_outvotes_none_that_knows_more() -> None:
    """2 knows the year alone. Its number is that of 0, whose whole date is not that of 1."""
    one, two = {"name": "an", "year": 1, "birth": "b"}, {"name": "an", "year": 1, "birth": "c"}
    case = Case([{**one, "number": "7"}, two, {"name": "an", "year": 1, "number": "7"}], scorer=_scorer_of_years())
    _, edges = case.run()
    assert edges.weights[(edges.left == 1) & (edges.right == 2)] >= LINK
    assert case.groups() == _sets("02", "1")
    # without a number it fits both alike, and they are hardly one: a steward is asked about either
    unsure = Case([one, two, {"name": "an", "year": 1}], scorer=_scorer_of_years())
    assert unsure.groups() == _sets("0", "1", "2")
    assert unsure.questions() == {(0, 2), (1, 2)}


def test_different_numbers_forbid_through_any_member() -> None:
    """0 and 1 are one; 2 would fit 1, but its number is not that of 0."""
    person = {"name": "an", "birth": "b"}
    case = Case([{**person, "number": "1"}, {**person, "number": "1", "phones": ("p",)}, {**person, "number": "2"}])
    assert case.groups() == _sets("01", "2")
    assert len(case.questions()) == 1


AMBIGUOUS = [
    {"name": "an", "birth": "b", "number": "1"},
    {"name": "an", "birth": "b", "number": "2"},
    {"name": "an", "birth": "b"},
]


def test_a_record_that_fits_two_people_is_barred_and_asked_about_twice() -> None:
    case = Case(AMBIGUOUS)
    found, _ = case.run()
    assert found.barred.tolist() == [False, False, True]
    assert case.groups() == _sets("0", "1", "2")
    assert {(0, 2), (1, 2)} <= case.questions()


def test_a_record_that_fits_two_people_whom_a_steward_keeps_apart_is_barred_too() -> None:
    case = Case([{k: v for k, v in each.items() if k != "number"} for each in AMBIGUOUS], cannot=[(0, 1)])
    assert case.groups() == _sets("0", "1", "2")
    assert case.questions() == {(0, 2), (1, 2)}


def test_a_record_that_fits_one_of_two_people_clearly_better_goes_there() -> None:
    one, two, third = AMBIGUOUS
    assert Case([{**one, "phones": ("p",)}, two, {**third, "phones": ("p",)}]).groups() == _sets("02", "1")


def test_a_steward_settles_an_ambiguous_record() -> None:
    assert Case(AMBIGUOUS, must=[(1, 2)]).groups() == _sets("0", "12")
    assert Case(AMBIGUOUS, cannot=[(2, 0)]).groups() == _sets("0", "12")
    assert Case(AMBIGUOUS, persons=[5, 6, 6]).groups() == _sets("0", "12")


def test_what_a_steward_kept_apart_is_not_asked_again() -> None:
    same = {"name": "an", "birth": "b", "phones": ("p",)}
    case = Case([same, same, {**same}], cannot=[(0, 1), (0, 2)])
    assert case.groups() == _sets("0", "12")
    assert case.questions() == set()


def test_a_must_link_outranks_evidence_and_vetoes() -> None:
    assert Case([{"number": "1"}, {"number": "2"}], must=[(0, 1)]).groups() == _sets("01")


def test_people_who_exist_are_never_split() -> None:
    records = [{"number": "1"}, {"number": "2"}, {"name": "x"}, {"number": "2", "name": "ba"}]
    assert Case(records, persons=[9, 9, 9, -1], cannot=[(0, 2)]).groups() == _sets("012", "3")


def test_groups_too_large_to_weigh_are_not_joined_and_are_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """33 by 32 records have more pairs between them than are ever weighed; 32 by 32 have not."""
    left, right = {"name": "an", "birth": "b"}, {"name": "an", "birth": "b"}
    for count, joined in ((32, True), (33, False)):
        persons = [1] * count + [2] * 32
        case = Case([left] * count + [right] * 32, persons=persons)
        assert (len(case.groups()) == 1) is joined
        assert len(case.questions()) == (0 if joined else 1)
    assert module.MAXIMUM_CROSS_PAIRS == 32 * 32


def test_no_records_and_no_edges() -> None:
    assert Case([]).groups() == set()
    assert Case([{}, {}]).groups() == _sets("0", "1")


_VALUES = {
    "number": st.sampled_from(["1", "2", "3", None, None]),
    "name": st.sampled_from(["an", "ba", None]),
    "birth": st.sampled_from(["b", "c", None]),
    "phones": st.sampled_from([("p",), ("q",), ("p", "q"), None]),
}


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    raw = draw(st.lists(st.fixed_dictionaries(_VALUES), min_size=2, max_size=9))
    records = [{name: value for name, value in each.items() if value is not None} for each in raw]
    pairs = st.tuples(st.integers(0, len(raw) - 1), st.integers(0, len(raw) - 1)).filter(
        lambda pair: pair[0] != pair[1]
    )
    owners = draw(st.lists(st.sampled_from([-1, -1, -1, 1, 2]), min_size=len(raw), max_size=len(raw)))
    few = st.lists(pairs, max_size=2)
    return Case(records, draw(few), draw(few), owners)


def _forced(case: Case) -> set[frozenset[int]]:
    """What people and stewards joined before any rule was asked."""
    labels = list(range(len(case.records)))
    known = [(a, b) for a in labels for b in labels if case.owners[a] == case.owners[b] >= 0]
    for a, b in [*known, *case.must]:
        labels = [labels[a] if label == labels[b] else label for label in labels]
    return _partition(np.array(labels, dtype=np.int32))


_PROPERTY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_PROPERTY
@given(_cases())
def test_constraints_are_never_broken(case: Case) -> None:
    found, _ = case.run()
    forced = _forced(case)
    groups = _partition(found.labels)
    of = {record: group for group in groups for record in group}
    start = {record: group for group in forced for record in group}
    assert all(group <= of[next(iter(group))] for group in forced), "people and must-links stay whole"
    assert all(min(group) == found.labels[next(iter(group))] for group in groups)
    for a, b in case.cannot:
        assert of[a] is not of[b] or start[a] == start[b]
    numbers = [record.get("number") for record in case.records]
    for group in groups:
        clash = [
            (a, b) for a in group for b in group if None not in (numbers[a], numbers[b]) and numbers[a] != numbers[b]
        ]
        assert all(start[a] == start[b] for a, b in clash)


@_PROPERTY
@given(_cases())
def test_three_records_never_bridge_a_hold_silently(case: Case) -> None:
    found, edges = case.run()
    alone = {min(group) for group in _forced(case) if len(group) == 1}
    for group in _partition(found.labels):
        if len(group) == 3 and group <= alone:
            inside = np.isin(edges.left, list(group)) & np.isin(edges.right, list(group))
            sure = (edges.weights[inside] >= module.STRONG_PAIR).any()
            assert sure or not edges.vetoes[inside].any()


@_PROPERTY
@given(_cases(), st.randoms(use_true_random=False))
def test_the_order_of_edges_does_not_matter(case: Case, random: Any) -> None:
    found, edges = case.run()
    order = np.arange(len(edges.left))
    random.shuffle(order)
    again, _ = case.run(order=order)
    assert np.array_equal(again.labels, found.labels)
    assert np.array_equal(again.joined, found.joined[order])
    assert np.array_equal(again.weights, found.weights[order], equal_nan=True)
    assert np.array_equal(again.vetoes, found.vetoes[order])


@_PROPERTY
@given(_cases(), st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(case: Case, random: Any) -> None:
    """Record `k` of the shuffled case is record `order[k]` of the first. Every edge has a weight of its own."""
    edges = edges_of(rows := rows_of(*case.records))
    edges = edges._replace(weights=edges.weights + np.arange(len(edges.left)) * 1e-9)
    order = np.arange(len(case.records))
    random.shuffle(order)
    back = np.argsort(order).astype(np.int32)
    left, right = back[edges.left], back[edges.right]
    moved = Edges(np.minimum(left, right), np.maximum(left, right), edges.weights, edges.vetoes)
    must, cannot = [(back[a], back[b]) for a, b in case.must], [(back[b], back[a]) for a, b in case.cannot]
    shuffled = Case([case.records[record] for record in order], must, cannot, case.owners[order].tolist())
    found, again = case.weigh(rows, edges), shuffled.weigh(np.ascontiguousarray(rows[order]), moved)
    groups = {frozenset(order[list(group)].tolist()) for group in _partition(again.labels)}
    assert groups == _partition(found.labels)
    assert np.array_equal(again.barred, found.barred[order])
    assert np.array_equal(again.vetoes, found.vetoes)
    assert np.allclose(again.weights, found.weights, rtol=0, atol=1e-9, equal_nan=True)


@_PROPERTY
@given(_cases())
def test_what_is_joined_had_evidence_and_what_is_asked_is_in_doubt(case: Case) -> None:
    found, edges = case.run()
    same = found.labels[edges.left] == found.labels[edges.right]
    assert np.isnan(found.weights[same]).all()
    assert not found.joined[~same].any()
    tasks = place(found, edges, case.owners, next_person=1_000, thresholds=small_model().thresholds).tasks
    asked = tasks.edges
    assert (tasks.weights >= REVIEW).all()
    forbidden = found.vetoes[asked] & FORBID != 0
    assert (tasks.weights[forbidden] >= LINK).all()
    ends = np.stack([found.labels[tasks.left], found.labels[tasks.right]], axis=1)
    assert len(np.unique(np.sort(ends, axis=1), axis=0)) == len(ends), "two people are asked about once"
    assert (ends[:, 0] != ends[:, 1]).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_cases(), min_size=2, max_size=5))
def test_a_few_records_alone_come_out_as_among_many(cases: list[Case]) -> None:
    """Tables with no edge between them, laid end to end: the outcome of each is what it is alone."""
    whole = Case([], persons=[])
    edges, alone, starts = [], [], [0]
    for case in cases:
        first = starts[-1]
        found, own = case.run()
        alone.append(found)
        edges.append(Edges(own.left + np.int32(first), own.right + np.int32(first), own.weights, own.vetoes))
        whole.records += case.records
        whole.must += [(a + first, b + first) for a, b in case.must]
        whole.cannot += [(a + first, b + first) for a, b in case.cannot]
        whole.persons = [*(whole.persons or []), *(p if p < 0 else p + 10 * first for p in case.owners.tolist())]
        starts.append(first + len(case.records))
    together = whole.weigh(rows_of(*whole.records), Edges(*map(np.concatenate, zip(*edges, strict=True))))
    labels = [found.labels + first for found, first in zip(alone, starts, strict=False)]
    assert np.array_equal(together.labels, np.concatenate(labels))
    assert np.array_equal(together.joined, np.concatenate([found.joined for found in alone]))
    assert np.array_equal(together.weights, np.concatenate([found.weights for found in alone]), equal_nan=True)
    assert np.array_equal(together.vetoes, np.concatenate([found.vetoes for found in alone]))
    assert np.array_equal(together.barred, np.concatenate([found.barred for found in alone]))


@_PROPERTY
@given(_cases())
def test_people_as_they_are_weigh_what_clusters_left_in_doubt(case: Case) -> None:
    found, edges = case.run()
    must, cannot = (np.array(pairs, dtype=np.int32).reshape(-1, 2) for pairs in (case.must, case.cannot))
    weights, vetoes = weigh_people(
        case.scorer.program,
        as_rows(rows_of(*case.records)),
        edges,
        persons=found.labels.astype(np.int64),
        constraints=Constraints(must, cannot),
        thresholds=small_model().thresholds,
        prior=PRIOR,
    )
    assert np.array_equal(weights, found.weights, equal_nan=True)
    assert np.array_equal(vetoes, found.vetoes)


def test_working_memory_of_a_thread_leaves_no_trace() -> None:
    """Two models of other sizes by turns in several threads, each against the groups that it gives alone."""
    one, two = {"name": "an", "year": 1, "birth": "b"}, {"name": "an", "year": 1, "birth": "c"}
    years = Case([{**one, "number": "7"}, two, {"name": "an", "year": 1, "number": "7"}], scorer=_scorer_of_years())
    held = Case([AN, {**ANH, "number": "1"}, {**AN, "number": "1"}])
    bridged = replace(held, records=[*held.records, {**AN, "number": "1"}])
    expected = [(years, _sets("02", "1")), (held, _sets("0", "12")), (bridged, _sets("0123"))]

    def agrees(turn: int) -> bool:
        case, groups = expected[turn * turn % 7 % 3]
        return case.groups() == groups

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(agrees, range(120)))
