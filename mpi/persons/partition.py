"""A partition of records while it grows: groups are rings of members under a root, some kept apart by stewards.

The smallest record of a group is its root.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.matching.jit import leaf


class Groups(NamedTuple):
    """A partition while it grows: `parent` points to a root, `next_member` closes a ring over the members, `size`
    counts them.

    `barred` marks records that rules may not place (several people fit). Cannot-links of record r are
    others[offsets[r]:offsets[r + 1]].
    """

    parent: NDArray[np.int32]
    next_member: NDArray[np.int32]
    size: NDArray[np.int32]
    barred: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    others: NDArray[np.int32]


@leaf
def root(parent: Any, record: int) -> int:
    """The root of a record's group; the way there is shortened."""
    while parent[record] != record:
        parent[record] = parent[parent[record]]
        record = parent[record]
    return record


@leaf
def join(groups: Groups, a: int, b: int) -> None:
    """Join two roots; the smaller record stays the root."""
    keep, drop = min(a, b), max(a, b)
    groups.parent[drop] = keep
    groups.size[keep] += groups.size[drop]
    groups.next_member[keep], groups.next_member[drop] = groups.next_member[drop], groups.next_member[keep]


@leaf
def kept_apart(groups: Groups, a: int, b: int) -> bool:
    """Whether a cannot-link lies between the groups of roots a and b."""
    if groups.others.shape[0] == 0:
        return False
    member = a
    while True:
        for place in range(groups.offsets[member], groups.offsets[member + 1]):
            if root(groups.parent, groups.others[place]) == b:
                return True
        member = groups.next_member[member]
        if member == a:
            return False


@leaf
def record_kept_apart(groups: Groups, record: int, b: int) -> bool:
    """Whether a cannot-link of `record` itself leads to the group of root b."""
    for place in range(groups.offsets[record], groups.offsets[record + 1]):
        if root(groups.parent, groups.others[place]) == b:
            return True
    return False


@leaf
def join_first(groups: Groups, persons: Any, placed: Any, must_link: Any) -> None:
    """One group a record, then people who exist already (`placed`: their records by person), then what stewards
    joined."""
    for record in range(groups.parent.shape[0]):
        groups.parent[record] = groups.next_member[record] = record
        groups.size[record] = 1
    for place in range(1, placed.shape[0]):
        if persons[placed[place]] == persons[placed[place - 1]]:
            join(groups, root(groups.parent, placed[place - 1]), root(groups.parent, placed[place]))
    for place in range(must_link.shape[0]):
        a, b = root(groups.parent, must_link[place, 0]), root(groups.parent, must_link[place, 1])
        if a != b:
            join(groups, a, b)


def both_ways(count: int, cannot_link: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Cannot-links (pairs int32 (n, 2)) of each of `count` records: offsets, and the records at the other end."""
    offsets = np.zeros(count + 1, dtype=np.int64)
    if not len(cannot_link):
        return offsets, np.empty(0, dtype=np.int32)
    ends = np.concatenate([cannot_link, cannot_link[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    np.cumsum(np.bincount(ends[:, 0], minlength=count), out=offsets[1:])
    return offsets, np.ascontiguousarray(ends[:, 1]).astype(np.int32)
