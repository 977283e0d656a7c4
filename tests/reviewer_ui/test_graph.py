"""The drawing of a person's records: the same every time, nobody covered, and lines where the table has pairs."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi.domain.model import VetoEffect
from mpi.domain.records import RecordKey
from mpi.services.desk.cluster_view import ClusterView, Member, MemberPair, Strength
from reviewer_ui.graph import MOST_CURVES, MOST_LABELLED, SHAPES, Drawing, draw

SOURCES = ("clinic", "hospital", "insurance", "a source with a very long name")


def pair(
    left: int,
    right: int,
    weight: float = 20.0,
    *,
    joins: bool = True,
    effect: VetoEffect | None = None,
    weakest: bool = False,
) -> MemberPair:
    return MemberPair(left, right, weight, Strength.CERTAIN, effect, (), None, joins, weakest)


def view_of(count: int, pairs: list[MemberPair], *, sources: tuple[str, ...] = SOURCES) -> ClusterView:
    members = tuple(
        Member(number, RecordKey(sources[number % len(sources)], str(number)), None, 0, None, number == 2)
        for number in range(1, count + 1)
    )
    return ClusterView(
        "AAA-AAA-AAA", "AAA-AAA-AAA", members, count, 1, 1, (), tuple(pairs), (), weights_hidden=False, seen_revision=1
    )


def drawing_of(count: int, pairs: list[MemberPair], **options: tuple[str, ...]) -> Drawing:
    found = draw(view_of(count, pairs, **options))
    assert found is not None
    return found


@st.composite
def trees(draw_: st.DrawFn) -> tuple[int, list[MemberPair]]:
    """Records joined to one before each; the last join is the weakest."""
    count = draw_(st.integers(2, 60))
    ends = [draw_(st.integers(1, number - 1)) for number in range(2, count + 1)]
    joins = [pair(end, number, weakest=number == count) for number, end in enumerate(ends, start=2)]
    return count, joins


@settings(max_examples=40, deadline=None)
@given(trees())
def test_no_record_covers_another_or_leaves_the_drawing(tree: tuple[int, list[MemberPair]]) -> None:
    count, joins = tree
    found = drawing_of(count, joins)
    points = np.array([(node.x, node.y) for node in found.nodes])
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    # no outline reaches further than 20 from its middle
    assert apart.min() > 30
    assert (points > 20).all()
    assert (points < [found.width - 20, found.height - 20]).all()


@settings(max_examples=40, deadline=None)
@given(trees())
def test_the_same_records_are_drawn_the_same(tree: tuple[int, list[MemberPair]]) -> None:
    assert drawing_of(*tree) == drawing_of(*tree)


def test_a_chain_lies_level_in_its_order() -> None:
    found = drawing_of(4, [pair(1, 2), pair(2, 3, 5.0, weakest=True), pair(3, 4)])
    places = [node.x for node in found.nodes]
    assert places == sorted(places)
    gaps = np.diff(places)
    assert gaps[1] > 1.3 * gaps[0]


def test_lines_are_those_of_the_pairs_and_as_wide_as_they_weigh() -> None:
    pairs = [pair(1, 2, 40.0), pair(2, 3, 4.0, weakest=True), pair(1, 3, 6.0, joins=False, effect=VetoEffect.HOLD)]
    found = drawing_of(3, pairs)
    assert [line.pair for line in found.joins] == pairs[:2]
    assert [line.pair for line in found.conflicts] == pairs[2:]
    assert [line.width for line in found.joins] == [6.0, pytest.approx(1.95, abs=0.06)]
    at = {node.number: node for node in found.nodes}
    for line in (*found.joins, *found.conflicts):
        numbers = [float(each) for each in re.findall(r"-?[0-9.]+", line.path)]
        ends = [*numbers[:2], *numbers[-2:]]
        left, right = at[line.pair.left], at[line.pair.right]
        assert ends == pytest.approx([left.x, left.y, right.x, right.y], abs=0.11)
    assert ["Q" in line.path for line in (*found.joins, *found.conflicts)] == [False, False, True]


def test_a_pair_that_only_keeps_relatives_apart_is_no_conflict() -> None:
    found = drawing_of(3, [pair(1, 2), pair(2, 3), pair(1, 3, joins=False, effect=VetoEffect.APART)])
    assert (len(found.joins), found.conflicts) == (2, ())


def test_each_source_has_an_outline_of_its_own() -> None:
    found = drawing_of(4, [pair(1, 2), pair(2, 3), pair(3, 4)])
    assert dict(found.legend).keys() == set(SOURCES)
    assert len({outline for _, outline in found.legend}) == len(SOURCES)
    assert [node.outline for node in found.nodes] == [dict(found.legend)[SOURCES[at % 4]] for at in (1, 2, 3, 4)]
    assert [node.label for node in found.nodes][2] == "a source with a…"
    assert [node.marked for node in found.nodes] == [False, True, False, False]


def test_more_sources_than_outlines_share_some() -> None:
    names = tuple(f"source {letter}" for letter in "abcdefghij")
    found = drawing_of(10, [pair(number, number + 1) for number in range(1, 10)], sources=names)
    assert [outline for _, outline in found.legend] == [SHAPES[at % len(SHAPES)] for at in range(10)]


def test_names_and_conflicts_that_find_no_room_are_left_out_and_counted() -> None:
    joins = [pair(number, number + 1) for number in range(1, MOST_LABELLED + 1)]
    conflicts = [
        pair(left, right, joins=False, effect=VetoEffect.FORBID) for left in range(1, 10) for right in range(10, 20)
    ]
    found = drawing_of(MOST_LABELLED + 1, [*joins, *conflicts])
    assert {node.label for node in found.nodes} == {None}
    assert (len(found.conflicts), found.conflicts_left_out) == (MOST_CURVES, len(conflicts) - MOST_CURVES)


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_is_drawn_of_fewer_than_two_records(count: int) -> None:
    assert draw(view_of(count, [])) is None
