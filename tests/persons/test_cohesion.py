"""The strongest tree over a person's records: against every spanning tree there is, and where it breaks."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mpi.matching.kernel import APART, FORBID, HOLD
from mpi.persons.cohesion import cohesion, strengths


def table_of(count: int, weights: dict[tuple[int, int], float]) -> NDArray[np.float64]:
    table = np.full((count, count), -50.0)
    for (a, b), weight in weights.items():
        table[a, b] = table[b, a] = weight
    return table


def parts_of(count: int, edges: list[tuple[int, int]]) -> set[frozenset[int]]:
    groups = [{at} for at in range(count)]
    for a, b in edges:
        joined = groups[a] | groups[b]
        for at in joined:
            groups[at] = joined
    return {frozenset(group) for group in groups}


@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.integers(-20, 20), min_size=n * n, max_size=n * n)))
def test_no_other_tree_is_heavier(numbers: list[int]) -> None:
    count = round(len(numbers) ** 0.5)
    table = np.array(numbers, dtype=np.float64).reshape(count, count)
    table = table + table.T
    pairs = list(combinations(range(count), 2))
    heaviest = max(
        sum(table[a, b] for a, b in chosen)
        for chosen in combinations(pairs, count - 1)
        if len(parts_of(count, list(chosen))) == 1
    )
    found = cohesion(table)
    edges = [tuple(edge) for edge in found.edges.tolist()]
    assert len(parts_of(count, edges)) == 1
    assert sum(table[a, b] for a, b in edges) == heaviest
    assert table[edges[found.weakest]] == min(table[edge] for edge in edges)


def test_the_weakest_pair_is_a_bridge_between_two_parts() -> None:
    weights = {(0, 1): 20.0, (1, 2): 18.0, (2, 3): 5.0, (3, 4): 25.0, (0, 2): 12.0}
    found = cohesion(table_of(5, weights))
    assert found.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert found.edges[found.weakest].tolist() == [2, 3]
    assert found.beyond.tolist() == [False, False, False, True, True]


def test_what_a_steward_joined_is_never_the_weakest() -> None:
    table = table_of(3, {(0, 1): np.inf, (1, 2): 30.0})
    assert cohesion(table).edges[cohesion(table).weakest].tolist() == [1, 2]
    every = cohesion(table_of(3, {(0, 1): np.inf, (1, 2): np.inf}))
    assert (every.weakest, every.beyond.tolist()) == (-1, [False] * 3)


@pytest.mark.parametrize("count", [0, 1])
def test_one_record_holds_by_itself(count: int) -> None:
    found = cohesion(np.zeros((count, count)))
    assert (found.edges.shape, found.weakest, len(found.beyond)) == ((0, 2), -1, count)


def test_vetoes_stand_behind_every_weight_and_judgements_before() -> None:
    weights = np.array([-30.0, 40.0, 41.0, 42.0, -90.0, 42.0])
    vetoes = np.array([0, HOLD, APART, FORBID, FORBID, HOLD | FORBID], dtype=np.uint8)
    same = np.array([False, False, False, False, True, False])
    found = strengths(weights, vetoes, same)
    assert np.argsort(-found, kind="stable").tolist() == [4, 0, 1, 2, 3, 5]
    assert found[4] == np.inf
    assert found[3] == found[5]
