from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer_ui.charts import Bar, bar_chart

SIZES = st.lists(st.lists(st.integers(0, 10_000), min_size=3, max_size=3), min_size=1, max_size=15)


def drawn(bars: list[Bar]) -> ET.Element:
    return ET.fromstring(bar_chart("c", title="T", description="D", bars=bars))


def parts(chart: ET.Element) -> list[ET.Element]:
    return [each for each in chart.iter("rect") if "class" in each.attrib]


@given(SIZES)
def test_parts_are_as_high_as_they_are_large_and_stay_inside(sizes: list[list[int]]) -> None:
    chart = drawn([Bar(str(at), each) for at, each in enumerate(sizes)])
    found = parts(chart)
    shown = [size for each in sizes for size in each if size]
    assert len(found) == len(shown)
    heights = [float(each.attrib["height"]) for each in found]
    if shown:
        unit = max(heights) / max(shown)
        for height, size in zip(heights, shown, strict=True):
            assert abs(height - unit * size) < 0.2
    _, _, width, height = map(float, chart.attrib["viewBox"].split())
    for each in found:
        left, upper = float(each.attrib["x"]), float(each.attrib["y"])
        assert 0 <= left <= left + float(each.attrib["width"]) <= width
        assert 0 <= upper <= upper + float(each.attrib["height"]) <= height


def test_the_parts_of_a_bar_stand_on_each_other() -> None:
    chart = drawn([Bar("x", [3, 0, 4, 5]), Bar("y", [1, 2, 3, 4])])
    bars: dict[str, list[tuple[float, float]]] = {}
    for each in parts(chart):
        upper = float(each.attrib["y"])
        bars.setdefault(each.attrib["x"], []).append((upper, upper + float(each.attrib["height"])))
    assert len(bars) == 2
    for edges in bars.values():
        for (upper, _), (_, lower) in pairwise(edges):
            assert abs(upper - lower) < 0.2
    grounds = {edges[0][1] for edges in bars.values()}
    assert len(grounds) == 1


@given(SIZES)
def test_the_scale_has_four_equal_whole_steps(sizes: list[list[int]]) -> None:
    chart = drawn([Bar("x", each) for each in sizes])
    scale = [int(each.text or "") for each in chart.iter("text") if each.attrib.get("text-anchor") == "end"]
    assert scale[0] == 0
    assert len({after - before for before, after in pairwise(scale)}) == 1
    assert scale[-1] >= max(sum(each) for each in sizes)


def test_labels_are_text_and_parts_are_told_apart_without_colour() -> None:
    made = bar_chart("c", title="<b>&", description='"', bars=[Bar("<script>", [1, 2, 3, 4])])
    assert "<script>" not in made
    assert "<b>" not in made
    chart = ET.fromstring(made)
    patterns = {each.attrib["id"] for each in chart.iter("pattern")}
    filled = {each.attrib["fill"] for each in chart.iter("rect") if "fill" in each.attrib}
    assert filled == {f"url(#{name})" for name in patterns}
    assert len(filled) == 3
    assert "style" not in made


def test_more_parts_than_patterns_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 4 parts"):
        drawn([Bar("x", [1, 1, 1, 1, 1])])
