"""Charts as SVG made here: bars of several parts, with a title and a description for who does not see them.

Nothing is styled inline (the content security policy forbids it): colours come by classes. Beside every chart stands a
table with the same figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from markupsafe import Markup

_WIDTH = 640
_HEIGHT = 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 26
_GAP = 0.3
_MOST_PARTS = 4
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, and the sizes of its parts from the bottom up."""

    label: str
    parts: Sequence[int]

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(self.parts)


def bar_chart(name: str, *, title: str, description: str, bars: Sequence[Bar]) -> Markup:
    """Upright bars as one SVG image; `name` makes its ids unique on the page.

    Raises ValueError for more parts than there are patterns to tell them apart.
    """
    if any(len(bar.parts) > _MOST_PARTS for bar in bars):
        raise ValueError(f"a bar has at most {_MOST_PARTS} parts")
    top = _round_up(max((bar.total for bar in bars), default=0))
    root = ET.Element(
        "svg",
        {
            "class": "chart",
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
        },
    )
    ET.SubElement(root, "title", {"id": f"{name}-title"}).text = title
    ET.SubElement(root, "desc", {"id": f"{name}-description"}).text = description
    _patterns(root, name)
    for tick in range(_TICKS + 1):
        _grid_line(root, top * tick // _TICKS, top)
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(bars), 1)
    for place, bar in enumerate(bars):
        _bar(root, name, bar, left=_LEFT + step * (place + _GAP / 2), width=step * (1 - _GAP), top=top)
    return Markup(ET.tostring(root, encoding="unicode"))


def _patterns(root: ET.Element, name: str) -> None:
    """Marks that tell the parts apart without colour: none, strokes one way, dots, strokes the other way."""
    drawn = ("", "M0 8L8 0", "M4 3v2", "M0 0L8 8")
    defined = ET.SubElement(root, "defs")
    for place, path in enumerate(drawn):
        if path:
            sizes = {"width": "8", "height": "8", "patternUnits": "userSpaceOnUse"}
            pattern = ET.SubElement(defined, "pattern", {"id": f"{name}-mark-{place}", **sizes})
            ET.SubElement(pattern, "path", {"class": "chart-mark", "d": path})


def _bar(root: ET.Element, name: str, bar: Bar, *, left: float, width: float, top: int) -> None:
    group = ET.SubElement(root, "g")
    base = 0
    for place, size in enumerate(bar.parts):
        if not size:
            continue
        upper, lower = _y(base + size, top), _y(base, top)
        box = {"x": _text(left), "y": _text(upper), "width": _text(width), "height": _text(lower - upper)}
        ET.SubElement(group, "rect", {**box, "class": f"chart-part chart-part-{place}"})
        if place:
            ET.SubElement(group, "rect", {**box, "fill": f"url(#{name}-mark-{place})"})
        base += size
    middle = _text(left + width / 2)
    if bar.total:
        above = {"x": middle, "y": _text(_y(bar.total, top) - 3), "text-anchor": "middle"}
        ET.SubElement(group, "text", above).text = str(bar.total)
    below = {"x": middle, "y": str(_HEIGHT - _BOTTOM + 16), "text-anchor": "middle", "class": "chart-quiet"}
    ET.SubElement(group, "text", below).text = bar.label


def _grid_line(root: ET.Element, value: int, top: int) -> None:
    y = _text(_y(value, top))
    kind = "chart-grid" if value else "chart-axis"
    ET.SubElement(root, "path", {"class": kind, "d": f"M{_LEFT} {y}H{_WIDTH - _RIGHT}"})
    place = {"x": str(_LEFT - 6), "y": y, "dy": "4", "text-anchor": "end", "class": "chart-quiet"}
    ET.SubElement(root, "text", place).text = str(value)


def _y(value: float, top: int) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - _TOP - 12)


def _round_up(most: int) -> int:
    """The end of the scale: a number of four equal whole steps that is not below the largest bar."""
    if most <= _TICKS:
        return _TICKS
    size = 10 ** math.floor(math.log10(most / _TICKS))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * _TICKS >= most)
    return int(step * _TICKS)


def _text(number: float) -> str:
    return f"{number:.1f}"
