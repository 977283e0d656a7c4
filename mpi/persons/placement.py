"""From clusters to people: who is new, who is joined, which people turn out to be one, and what to ask a steward.

The oldest person (the smallest number) survives a merge; a number is never given twice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import Thresholds
from mpi.domain.review import TaskKind
from mpi.matching.jit import leaf
from mpi.matching.kernel import APART, FORBID
from mpi.persons.clusters import Clusters, Edges
from mpi.persons.suspects import Suspects


@dataclass(frozen=True, slots=True)
class Tasks:
    """Questions about n pairs of records: int32 ends, the weight of the two people in bits, the edge that raises it,
    its kind."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weights: NDArray[np.float64]
    edges: NDArray[np.int64]
    kinds: tuple[TaskKind, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will write.

    `person_of` int64 (n,): the person of every record. `linked` int32 (k,): records that get a new link.
    `new_persons` int64: numbers
    that are first used here, in order. `merges` int64 (m, 2): (survivor, superseded). `evidence` int64 (n,): the
    strongest
    edge that ties a record to another of its person, -1 where there is none.
    """

    person_of: NDArray[np.int64]
    linked: NDArray[np.int32]
    new_persons: NDArray[np.int64]
    merges: NDArray[np.int64]
    evidence: NDArray[np.int64]
    tasks: Tasks


@dataclass(frozen=True, slots=True)
class Decided:
    """What linking decided for a table of records: the plan, the edges it rests on with their level codes int8
    (e, comparisons), the clusters, overlays int32 (k, 2): placed records whose new values contradict a member of
    their person, and people who may be two."""

    plan: Plan
    edges: Edges
    codes: NDArray[np.int8]
    clusters: Clusters
    overlays: NDArray[np.int32]
    suspects: Suspects


def place(
    clusters: Clusters, edges: Edges, persons: NDArray[np.int64], *, next_person: int, thresholds: Thresholds
) -> Plan:
    """Turn clusters into people. `persons` int64 (n,) holds each record's present person or -1; new numbers start at
    `next_person`."""
    labels = clusters.labels
    persons = np.ascontiguousarray(persons, dtype=np.int64)
    person_of = np.empty(len(labels), dtype=np.int64)
    evidence = np.empty((2, len(labels)), dtype=np.int64)
    asked = np.empty(len(edges.left), dtype=np.bool_)
    limits = next_person, thresholds.link, thresholds.review
    fresh = _place(labels, persons, edges, (clusters.weights, clusters.vetoes), limits, (person_of, evidence, asked))
    linked = np.flatnonzero(person_of != persons).astype(np.int32)
    superseded = linked[persons[linked] >= 0]
    return Plan(
        person_of=person_of,
        linked=linked,
        new_persons=np.arange(next_person, next_person + fresh, dtype=np.int64),
        merges=_merges(person_of[superseded], persons[superseded]),
        evidence=evidence[0],
        tasks=_tasks(clusters, edges, persons, np.flatnonzero(asked)),
    )


@leaf
def _people(labels: Any, persons: Any, next_person: int, person_of: Any) -> int:
    """The oldest person of each group, or the next new number; gives how many are new."""
    for record in range(labels.shape[0]):
        person_of[record] = -1
    for record in range(labels.shape[0]):
        root, person = labels[record], persons[record]
        if person >= 0 and (person_of[root] < 0 or person < person_of[root]):
            person_of[root] = person
    fresh = 0
    for record in range(labels.shape[0]):
        # a root is the first record of its group
        if labels[record] == record and person_of[record] < 0:
            person_of[record] = next_person + fresh
            fresh += 1
        person_of[record] = person_of[labels[record]]
    return fresh


@leaf
def _strongest(edges: Edges, one: Any, other: Any, labels: Any, found: Any) -> None:
    """The strongest edge inside a group at each of its ends `one`, the first `other` of equal ones, -1 where there is
    none."""
    for record in range(labels.shape[0]):
        found[record] = -1
    for edge in range(one.shape[0]):
        record = one[edge]
        if labels[record] != labels[other[edge]]:
            continue
        best = found[record]
        if best >= 0 and edges.weights[edge] == edges.weights[best]:
            stronger = other[edge] <= other[best]
        else:
            stronger = best < 0 or edges.weights[edge] > edges.weights[best]
        if stronger:
            found[record] = edge


@leaf
def _place(labels: Any, persons: Any, edges: Edges, doubts: Any, limits: Any, out: Any) -> int:
    """People, evidence and the edges worth asking about; gives how many people are new.

    `doubts` is (weights, vetoes) between the groups; `limits` is (next person, link, review); `out` is (people int64
    (n,), evidence int64 (2, n) of which the first row counts, asked bool (e,)).
    """
    weights, vetoes = doubts
    next_person, link, review = limits
    person_of, evidence, asked = out
    _strongest(edges, edges.left, edges.right, labels, evidence[0])
    _strongest(edges, edges.right, edges.left, labels, evidence[1])
    for record in range(labels.shape[0]):
        left, right = evidence[0, record], evidence[1, record]
        if right >= 0 and (left < 0 or edges.weights[right] > edges.weights[left]):
            evidence[0, record] = right
    for edge in range(asked.shape[0]):
        least = link if vetoes[edge] & FORBID else review
        asked[edge] = weights[edge] >= least and not vetoes[edge] & APART
    return _people(labels, persons, next_person, person_of)


def _merges(survivors: NDArray[np.int64], superseded: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each pair once, in rising order, int64 (m, 2)."""
    pairs = np.empty((len(survivors), 2), dtype=np.int64)
    if len(pairs):
        order = np.lexsort((superseded, survivors))
        pairs[:, 0], pairs[:, 1] = survivors[order], superseded[order]
        # a person has one survivor
        pairs = pairs[np.append(True, pairs[1:, 1] != pairs[:-1, 1])]
    return pairs


def _tasks(clusters: Clusters, edges: Edges, persons: NDArray[np.int64], chosen: NDArray[np.int64]) -> Tasks:
    """One question for every two groups with an open edge worth asking about: the strongest edge asks."""
    if len(chosen) > 1:
        ends = np.sort(clusters.labels[np.stack([edges.left[chosen], edges.right[chosen]])], axis=0)
        order = np.lexsort((edges.right[chosen], edges.left[chosen], -edges.weights[chosen], ends[1], ends[0]))
        ends = ends[:, order]
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = (ends[0, 1:] != ends[0, :-1]) | (ends[1, 1:] != ends[1, :-1])
        chosen = chosen[order[first]]
    left, right = edges.left[chosen], edges.right[chosen]
    forbidden = clusters.vetoes[chosen] & FORBID
    both_placed = (persons[left] >= 0) & (persons[right] >= 0)
    kinds = tuple(
        TaskKind.STOPPED_BY_VETO if stopped else TaskKind.POSSIBLE_DUPLICATE if placed else TaskKind.POSSIBLE_MATCH
        for stopped, placed in zip(forbidden.tolist(), both_placed.tolist(), strict=True)
    )
    return Tasks(left, right, clusters.weights[chosen], chosen, kinds)
