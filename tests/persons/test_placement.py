"""Placement: the oldest number survives, numbers are used once, every pair of people is asked about once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mpi.domain.model import Thresholds
from mpi.domain.review import TaskKind
from mpi.matching.kernel import APART, FORBID, HOLD
from mpi.persons.clusters import Clusters, Edges
from mpi.persons.placement import Plan, place

THRESHOLDS = Thresholds(link=8.0, review=2.0, margin=3.0)
Edge = tuple[int, int, float]


def _plan(
    labels: list[int],
    persons: list[int],
    edges: list[Edge] | None = None,
    *,
    doubts: list[tuple[float, int]] | None = None,
    next_person: int = 100,
) -> Plan:
    """`doubts` gives the weight and vetoes of the people at the ends of each edge, for edges between people."""
    rows = np.array(edges or [], dtype=float).reshape(-1, 3)
    left, right = rows[:, 0].astype(np.int32), rows[:, 1].astype(np.int32)
    ends = Edges(left, right, rows[:, 2], np.zeros(len(rows), dtype=np.uint8))
    given_doubts = doubts or [(weight, 0) for _, _, weight in edges or []]
    groups = np.array(labels, dtype=np.int32)
    between = groups[left] != groups[right]
    weights = np.where(between, np.array([weight for weight, _ in given_doubts] or np.empty(0)), np.nan)
    clusters = Clusters(
        groups,
        ~between,
        weights,
        np.array([vetoes for _, vetoes in given_doubts], dtype=np.uint8),
        np.zeros(len(labels), dtype=np.bool_),
    )
    return place(clusters, ends, np.array(persons, dtype=np.int64), next_person=next_person, thresholds=THRESHOLDS)


def _rows(values: NDArray[np.int64] | NDArray[np.int32]) -> list[object]:
    return list(values.tolist())


def test_new_people_get_the_next_numbers_in_order() -> None:
    plan = _plan([0, 1, 0, 3], [-1, -1, -1, -1])
    assert _rows(plan.person_of) == [100, 101, 100, 102]
    assert _rows(plan.new_persons) == [100, 101, 102]
    assert _rows(plan.linked) == [0, 1, 2, 3]
    assert _rows(plan.merges) == []


def test_a_record_joins_the_person_of_its_group_and_nobody_else_moves() -> None:
    plan = _plan([0, 0, 2, 2], [7, -1, -1, 3])
    assert _rows(plan.person_of) == [7, 7, 3, 3]
    assert _rows(plan.linked) == [1, 2]
    assert _rows(plan.new_persons) == []


def test_the_oldest_survives_and_each_merge_is_listed_once() -> None:
    plan = _plan([0, 0, 0, 0, 4], [9, 4, 9, 6, 2])
    assert _rows(plan.person_of) == [4, 4, 4, 4, 2]
    assert _rows(plan.merges) == [[4, 6], [4, 9]]
    assert _rows(plan.linked) == [0, 2, 3]
    assert _rows(plan.new_persons) == []


def test_evidence_is_the_strongest_edge_of_a_record_inside_its_group() -> None:
    edges = [(0, 1, 10.0), (1, 2, 20.0), (0, 2, 15.0), (2, 3, 99.0)]
    plan = _plan([0, 0, 0, 3, 4], [-1] * 5, edges)
    assert _rows(plan.evidence) == [2, 1, 1, -1, -1]
    falling = _plan([0, 0, 0], [-1] * 3, [(0, 1, 20.0), (1, 2, 10.0)])
    assert _rows(falling.evidence) == [0, 0, 1]


def test_evidence_of_equal_weight_does_not_depend_on_the_order_of_edges() -> None:
    edges = [(1, 2, 10.0), (0, 2, 10.0), (0, 1, 10.0)]
    for turn in range(3):
        turned = edges[turn:] + edges[:turn]
        plan = _plan([0, 0, 0], [-1] * 3, turned)
        assert [turned[edge][:2] for edge in plan.evidence] == [(0, 1), (1, 2), (0, 2)]


def test_without_any_edge_everything_is_new() -> None:
    plan = _plan([0, 1], [-1, -1])
    assert _rows(plan.evidence) == [-1, -1]
    assert len(plan.tasks.left) == 0
    assert _rows(_plan([], []).person_of) == []


@pytest.mark.parametrize(
    ("weight", "vetoes", "asked"),
    [
        (1.9, 0, None),
        (2.0, 0, TaskKind.POSSIBLE_MATCH),
        (50.0, 0, TaskKind.POSSIBLE_MATCH),
        (2.0, HOLD, TaskKind.POSSIBLE_MATCH),
        (7.9, FORBID, None),
        (8.0, FORBID, TaskKind.STOPPED_BY_VETO),
        (8.0, FORBID | HOLD, TaskKind.STOPPED_BY_VETO),
        (50.0, APART, None),
        (float("nan"), 0, None),
        (float("-inf"), 0, None),
    ],
)
def test_what_is_asked(weight: float, vetoes: int, asked: TaskKind | None) -> None:
    plan = _plan([0, 1], [-1, 5], [(0, 1, 4.0)], doubts=[(weight, vetoes)])
    assert plan.tasks.kinds == (() if asked is None else (asked,))


def test_two_people_who_exist_are_a_possible_duplicate() -> None:
    assert _plan([0, 1], [5, 6], [(0, 1, 4.0)]).tasks.kinds == (TaskKind.POSSIBLE_DUPLICATE,)


def test_two_people_are_asked_about_once_by_their_strongest_edge() -> None:
    edges = [(0, 2, 3.0), (1, 3, 5.0), (0, 3, 4.0), (1, 4, 2.5)]
    plan = _plan([0, 0, 2, 2, 4], [-1] * 5, edges, doubts=[(6.0, 0), (6.0, 0), (6.0, 0), (2.5, 0)])
    tasks = plan.tasks
    asked = sorted(zip(_rows(tasks.left), _rows(tasks.right), tasks.weights.tolist(), _rows(tasks.edges), strict=True))
    assert asked == [(1, 3, 6.0, 1), (1, 4, 2.5, 3)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 6)), max_size=12), st.integers(7, 50))
def test_numbers_are_never_lost_or_used_twice(records: list[tuple[int, int]], next_person: int) -> None:
    # a person's records are in one group: the group of the first one
    group_of: dict[int, int] = {}
    groups = [group if person < 0 else group_of.setdefault(person, group) for group, person in records]
    labels = [groups.index(group) for group in groups]
    persons = [person for _, person in records]
    plan = _plan(labels, persons, next_person=next_person)
    known = {person for person in persons if person >= 0}
    gone = {int(dead) for _, dead in plan.merges}
    survivors = {int(survivor) for survivor, _ in plan.merges}
    assert set(plan.person_of.tolist()) == (known - gone) | set(plan.new_persons.tolist())
    assert not gone & survivors
    assert len(gone) == len(plan.merges)
    assert all(survivor < dead for survivor, dead in plan.merges.tolist())
    assert plan.new_persons.tolist() == list(range(next_person, next_person + len(plan.new_persons)))
    assert plan.linked.tolist() == [n for n, person in enumerate(persons) if plan.person_of[n] != person]
    by_label = {label: {int(plan.person_of[n]) for n, each in enumerate(labels) if each == label} for label in labels}
    assert all(len(people) == 1 for people in by_label.values())
    assert len({next(iter(people)) for people in by_label.values()}) == len(by_label)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[int], list[int], list[Edge], list[tuple[float, int]]]:
    """Labels, persons, edges with many equal weights, and what is in doubt along each."""
    count = draw(st.integers(1, 9))
    groups = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    labels = [groups.index(group) for group in groups]
    # person p belongs to the group of label p % 9 alone
    persons = [draw(st.sampled_from([-1, label, label + 9, label + 18])) for label in labels]
    record = st.integers(0, count - 1)
    pairs = st.tuples(record, record, st.sampled_from([-2.0, 3.0, 9.0])).filter(lambda edge: edge[0] < edge[1])
    edges = draw(st.lists(pairs, max_size=8)) if count > 1 else []
    doubt = st.tuples(st.sampled_from([1.0, 4.0, 9.0]), st.sampled_from([0, HOLD, FORBID, APART]))
    return labels, persons, edges, draw(st.lists(doubt, min_size=len(edges), max_size=len(edges)))


def _evidence(labels: list[int], edges: list[Edge], record: int) -> int:
    """The strongest edge inside its group; of equal ones one on its left side, then the first by its ends, then the
    last listed."""
    inside = [place for place, (a, b, _) in enumerate(edges) if record in (a, b) and labels[a] == labels[b]]
    rank = {p: (edges[p][2], edges[p][0] == record, -edges[p][0], -edges[p][1], p) for p in inside}
    return max(inside, key=rank.__getitem__, default=-1)


@settings(max_examples=300, deadline=None)
@given(_tables())
def test_small_tables_are_placed_as_the_rules_say(
    table: tuple[list[int], list[int], list[Edge], list[tuple[float, int]]],
) -> None:
    labels, persons, edges, doubts = table
    plan = _plan(labels, persons, edges, doubts=doubts)
    assert plan.evidence.tolist() == [_evidence(labels, edges, record) for record in range(len(labels))]
    of_label = {
        label: min((p for p, each in zip(persons, labels, strict=True) if each == label and p >= 0), default=None)
        for label in sorted(set(labels))
    }
    fresh = [label for label, person in of_label.items() if person is None]
    of_label |= {label: 100 + place for place, label in enumerate(fresh)}
    assert plan.person_of.tolist() == [of_label[label] for label in labels]
    assert plan.new_persons.tolist() == [100 + place for place in range(len(fresh))]
    moved = {(of_label[label], p) for label, p in zip(labels, persons, strict=True) if p >= 0 and p != of_label[label]}
    assert plan.merges.tolist() == [list(pair) for pair in sorted(moved, key=lambda pair: (pair[0] or 0, pair[1]))]
    asked: dict[tuple[int, int], int] = {}
    ranked = sorted(range(len(edges)), key=lambda p: (-edges[p][2], edges[p][0], edges[p][1], p))
    for place_of_edge in ranked:
        a, b, _ = edges[place_of_edge]
        weight, vetoes = doubts[place_of_edge]
        worth = weight >= (THRESHOLDS.link if vetoes & FORBID else THRESHOLDS.review) and not vetoes & APART
        if labels[a] != labels[b] and worth:
            asked.setdefault((min(labels[a], labels[b]), max(labels[a], labels[b])), place_of_edge)
    assert plan.tasks.edges.tolist() == [asked[ends] for ends in sorted(asked)]
