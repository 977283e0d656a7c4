"""One person's records as a small drawing: where each record stands and which lines are between them.

The layout is the same for the same records. It knows places and shapes only; words and colours are the template's, and
whatever is drawn is told in a table as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi.services.desk.cluster_view import ClusterView, MemberPair

Points = NDArray[np.float64]
Places = NDArray[np.int64]

SHAPES = (
    "M0-14A14 14 0 1 1 0 14A14 14 0 1 1 0-14Z",
    "M-13-13H13V13H-13Z",
    "M0-17L17 0L0 17L-17 0Z",
    "M-16-9L0-18L16-9V9L0 18L-16 9Z",
    "M0-20L19 13H-19Z",
    "M-19-13H19L0 20Z",
    "M-9-15H9L18 0L9 15H-9L-18 0Z",
)
"""Outlines around (0, 0), all large enough for a number of two digits: circle, square, diamond and so on."""

MOST_LABELLED = 24
"""Records that have their source's name beneath them; of more the legend tells the shapes."""

MOST_CURVES = 40
"""Conflicts that are drawn; the table has them all."""

_WIDTH = 640.0
_MARGIN_X, _MARGIN_TOP, _MARGIN_BOTTOM = 60.0, 26.0, 40.0
_APART = 44.0
_STEPS = 150
_SETTLED = 2e-3
_WEAKEST_LENGTH = 1.8
_BEND = 0.22
_THINNEST, _THICKEST = 1.5, 6.0
_BITS_OF_THICKEST = 40.0
_NAME_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Node:
    """One record: its number, its source's name (short, or None where there is no room) and outline."""

    number: int
    x: float
    y: float
    outline: str
    label: str | None
    marked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two records, as the path of an SVG; `middle_x` and `middle_y` are where a word about it stands."""

    pair: MemberPair
    path: str
    width: float
    middle_x: float
    middle_y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing of `width` by `height`. `joins` are the lines of the strongest tree, `conflicts` curves beside them.

    `legend` gives each source its outline; `conflicts_left_out` counts those that found no room.
    """

    width: int
    height: int
    nodes: tuple[Node, ...]
    joins: tuple[Line, ...]
    conflicts: tuple[Line, ...]
    legend: tuple[tuple[str, str], ...]
    conflicts_left_out: int


def draw(view: ClusterView) -> Drawing | None:
    """The drawing of a person's records; None where there is nothing between records to draw."""
    if not view.pairs or len(view.members) < 2:
        return None
    numbers = [member.number for member in view.members]
    joins = [pair for pair in view.pairs if pair.joins]
    conflicts = [pair for pair in view.pairs if pair.conflicts]
    height = min(max(200.0, 130.0 + 9.0 * len(numbers)), 560.0)
    points = _layout(numbers, joins, height)
    place = {number: points[at] for at, number in enumerate(numbers)}
    outlines = _outlines(view)
    labelled = len(numbers) <= MOST_LABELLED
    nodes = tuple(
        Node(
            number=member.number,
            x=round(float(place[member.number][0]), 1),
            y=round(float(place[member.number][1]), 1),
            outline=outlines[member.key.source_system],
            label=_short(member.key.source_system) if labelled else None,
            marked=member.marked,
        )
        for member in view.members
    )
    return Drawing(
        width=int(_WIDTH),
        height=int(height),
        nodes=nodes,
        joins=tuple(_line(pair, place, bend=0.0) for pair in joins),
        conflicts=tuple(_line(pair, place, bend=_BEND) for pair in conflicts[:MOST_CURVES]),
        legend=tuple(outlines.items()),
        conflicts_left_out=max(0, len(conflicts) - MOST_CURVES),
    )


def _outlines(view: ClusterView) -> dict[str, str]:
    """An outline for each source, in the order of their names; of more sources than outlines some share one."""
    names = sorted({member.key.source_system for member in view.members})
    return {name: SHAPES[at % len(SHAPES)] for at, name in enumerate(names)}


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…"


def _line(pair: MemberPair, place: dict[int, Points], *, bend: float) -> Line:
    """A straight line, or a curve that leaves it by a part of its length."""
    one, other = place[pair.left], place[pair.right]
    across = np.array([one[1] - other[1], other[0] - one[0]])
    turn = (one + other) / 2 + across * bend
    # a curve of this kind passes half-way between its turning point and the straight line
    middle = (one + other) / 2 + across * bend / 2
    (x1, y1), (x2, y2), (cx, cy) = one.tolist(), other.tolist(), turn.tolist()
    curve = f"Q{cx:.1f} {cy:.1f} " if bend else "L"
    share = min(max(pair.weight / _BITS_OF_THICKEST, 0.0), 1.0)
    return Line(
        pair=pair,
        path=f"M{x1:.1f} {y1:.1f}{curve}{x2:.1f} {y2:.1f}",
        width=round(_THINNEST + share * (_THICKEST - _THINNEST), 1),
        middle_x=round(float(middle[0]), 1),
        middle_y=round(float(middle[1]), 1),
    )


def _layout(numbers: Sequence[int], joins: Sequence[MemberPair], height: float) -> Points:
    """Places float64 (n, 2): records as far apart as they are along the tree (stress majorisation: Gansner, Koren and
    North 2004), then moved until none covers another."""
    at = {number: place for place, number in enumerate(numbers)}
    edges = np.array([(at[pair.left], at[pair.right]) for pair in joins], dtype=np.int64).reshape(-1, 2)
    lengths = np.array([_WEAKEST_LENGTH if pair.weakest else 1.0 for pair in joins])
    far = _distances(len(numbers), edges, lengths)
    return _moved_apart(_fitted(_stretched(far), height), height)


def _distances(count: int, edges: Places, lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far every two records are from one another along the edges, float64 (n, n); the longest way where none."""
    far = np.full((count, count), np.inf)
    np.fill_diagonal(far, 0.0)
    far[edges[:, 0], edges[:, 1]] = far[edges[:, 1], edges[:, 0]] = lengths
    for through in range(count):
        far = np.minimum(far, far[:, through, None] + far[None, through, :])
    return np.where(np.isinf(far), far[np.isfinite(far)].max() + 1.0, far)


def _stretched(far: NDArray[np.float64]) -> Points:
    """Places whose distances are as near to `far` as the plane allows, from a circle on."""
    count = len(far)
    angles = 2 * np.pi * np.arange(count) / count
    points: Points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * far.max() / 2
    weights = np.divide(1.0, far**2, out=np.zeros_like(far), where=far > 0)
    solve = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
    for _ in range(_STEPS):
        apart = _gaps(points)
        pull = np.divide(-weights * far, apart, out=np.zeros_like(far), where=apart > 1e-9)
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(axis=1))
        moved = solve @ (pull @ points)
        settled = np.abs(moved - points).max() < _SETTLED
        points = moved
        if settled:
            break
    return points


def _gaps(points: Points) -> NDArray[np.float64]:
    """The distance between every two places, float64 (n, n)."""
    across, down = (np.subtract.outer(each, each) for each in points.T)
    gaps: NDArray[np.float64] = np.hypot(across, down)
    return gaps


def _fitted(points: Points, height: float) -> Points:
    """Turned so that the longest way lies level, the first record on the left, and scaled to the drawing."""
    points = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(points, full_matrices=False)
    points = points @ axes.T
    # which way round the axes point is nobody's choice but ours
    first = points[0]
    points = points * np.where(first > 0, -1.0, 1.0)
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([_WIDTH - 2 * _MARGIN_X, height - _MARGIN_TOP - _MARGIN_BOTTOM])
    spread = np.maximum(high - low, 1e-9)
    scale = min(room[0] / spread[0], 170.0)
    flat = np.array([scale, min(room[1] / spread[1], scale)])
    middle = np.array([_WIDTH / 2, _MARGIN_TOP + room[1] / 2])
    fitted: Points = (points - (low + high) / 2) * flat + middle
    return fitted


def _moved_apart(points: Points, height: float) -> Points:
    """Pushes apart records that cover one another, inside the drawing."""
    low = np.array([_MARGIN_X / 2, _MARGIN_TOP])
    high = np.array([_WIDTH - _MARGIN_X / 2, height - _MARGIN_BOTTOM])
    count = len(points)
    # where two stand on one spot each is sent another way
    nudge = np.stack([np.cos(np.arange(count) * 2.4), np.sin(np.arange(count) * 2.4)], axis=1) * 1e-3
    points = points + nudge
    for _ in range(400):
        between, apart = points[:, None] - points[None], _gaps(points)
        np.fill_diagonal(apart, np.inf)
        lacking = np.maximum(_APART - apart, 0.0)
        if lacking.max() < 0.5:
            break
        push = between / apart[:, :, None] * lacking[:, :, None]
        points = np.clip(points + push.sum(axis=1) * 0.4, low, high)
    return points
