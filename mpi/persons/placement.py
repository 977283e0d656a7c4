"""From clusters to people: who is new, who is joined, which people turn out to be one, and what to ask a steward.

The oldest person (the smallest number) survives a merge; a number is never given twice.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import Thresholds
from mpi.matching.kernel import APART, FORBID
from mpi.persons.clusters import Clusters, Edges


class TaskKind(StrEnum):
    """Why a steward is asked."""

    POSSIBLE_MATCH = "possible_match"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    STOPPED_BY_VETO = "stopped_by_veto"
    OVERLAY = "overlay"


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
    (e, comparisons), the clusters, and overlays int32 (k, 2): placed records whose new values contradict a member of
    their person."""

    plan: Plan
    edges: Edges
    codes: NDArray[np.int8]
    clusters: Clusters
    overlays: NDArray[np.int32]


def place(
    clusters: Clusters, edges: Edges, persons: NDArray[np.int64], *, next_person: int, thresholds: Thresholds
) -> Plan:
    """Turn clusters into people. `persons` int64 (n,) holds each record's present person or -1; new numbers start at
    `next_person`."""
    labels = clusters.labels
    roots, group = np.unique(labels, return_inverse=True)
    oldest = np.full(len(roots), np.iinfo(np.int64).max)
    placed = persons >= 0
    np.minimum.at(oldest, group[placed], persons[placed])
    fresh = oldest == np.iinfo(np.int64).max
    oldest[fresh] = next_person + np.arange(int(fresh.sum()))
    person_of = oldest[group]
    moved = np.unique(np.stack([person_of[placed], persons[placed]], axis=1), axis=0)
    return Plan(
        person_of=person_of,
        linked=np.flatnonzero(person_of != persons).astype(np.int32),
        new_persons=oldest[fresh],
        merges=moved[moved[:, 0] != moved[:, 1]],
        evidence=_evidence(labels, edges),
        tasks=_tasks(clusters, edges, persons, thresholds),
    )


def _evidence(labels: NDArray[np.int32], edges: Edges) -> NDArray[np.int64]:
    """The strongest edge inside its group that touches each record."""
    evidence = np.full(len(labels), -1, dtype=np.int64)
    if not len(edges.left):
        return evidence
    inside = np.flatnonzero(labels[edges.left] == labels[edges.right])
    rising = inside[np.lexsort((-edges.right[inside], -edges.left[inside], edges.weights[inside]))]
    evidence[edges.left[rising]] = rising
    # an edge may be the strongest of one end only: the later (stronger) one wins on each side by itself
    right = np.full(len(labels), -1, dtype=np.int64)
    right[edges.right[rising]] = rising
    both = (evidence >= 0) & (right >= 0)
    stronger = both & (edges.weights[np.where(both, right, 0)] > edges.weights[np.where(both, evidence, 0)])
    return np.where(stronger | (evidence < 0), right, evidence)


def _tasks(clusters: Clusters, edges: Edges, persons: NDArray[np.int64], thresholds: Thresholds) -> Tasks:
    """One question for every two groups with an open edge worth asking about: the strongest edge asks."""
    labels = clusters.labels
    forbidden = clusters.vetoes & FORBID != 0
    with np.errstate(invalid="ignore"):
        asked = np.where(forbidden, clusters.weights >= thresholds.link, clusters.weights >= thresholds.review)
    asked &= clusters.vetoes & APART == 0
    chosen = np.flatnonzero(asked)
    a = np.minimum(labels[edges.left[chosen]], labels[edges.right[chosen]]).astype(np.int64)
    b = np.maximum(labels[edges.left[chosen]], labels[edges.right[chosen]]).astype(np.int64)
    order = np.lexsort((edges.right[chosen], edges.left[chosen], -edges.weights[chosen], b, a))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (a[order][1:] != a[order][:-1]) | (b[order][1:] != b[order][:-1])
    chosen = chosen[order][first]
    both_placed = (persons[edges.left[chosen]] >= 0) & (persons[edges.right[chosen]] >= 0)
    kinds = tuple(
        TaskKind.STOPPED_BY_VETO if stopped else TaskKind.POSSIBLE_DUPLICATE if placed else TaskKind.POSSIBLE_MATCH
        for stopped, placed in zip(forbidden[chosen].tolist(), both_placed.tolist(), strict=True)
    )
    return Tasks(edges.left[chosen], edges.right[chosen], clusters.weights[chosen], chosen, kinds)
