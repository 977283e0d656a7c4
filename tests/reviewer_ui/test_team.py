"""The team's page: figures, charts with their tables, empty states, and nobody alone."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from mpi.domain.review import Stage, TaskKind, Verdict
from mpi.registry import review_tasks
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import StoredReading
from mpi.registry.unit_of_work import written
from tests.reviewer_ui.asked import ask
from tests.reviewer_ui.reading import main_of, said_by, signed_in
from tests.reviewer_ui.running_desk import Visitor
from tests.services.stored import HUNG, LAN, MAI, store


@pytest.fixture
def lead(desk: str) -> Visitor:
    return signed_in(desk, "lead")


def read(registry: Registry, task_id: int, reader: str, stage: Stage, verdict: Verdict, seconds: float) -> None:
    said = StoredReading(task_id, 0, stage, reader, verdict.value, "", seconds, written(datetime.now(UTC)))
    with registry.begin() as uow:
        review_tasks.add_reading(uow, said)


def charts(page: str) -> dict[str, ET.Element]:
    found = {}
    for part in main_of(page).split('<svg class="chart"')[1:]:
        drawn = ET.fromstring('<svg class="chart"' + part.split("</svg>")[0] + "</svg>")
        found[drawn.attrib["aria-labelledby"].split("-")[0]] = drawn
    return found


def test_with_nothing_done_every_part_says_so(lead: Visitor) -> None:
    page = lead.get("/team")
    assert page.status_code == 200
    said = said_by(page.text)
    for empty in (
        "nothing was timed yet",
        "nothing to compare yet",
        "Nobody has read a task in these days.",
        "Nothing waits: the queue is empty.",
    ):
        assert empty in said
    assert charts(page.text) == {}
    assert said.count("Readings a day, by stage") == 1


def test_figures_and_charts_are_of_the_whole_team(registry: Registry, lead: Visitor) -> None:
    store(registry, [LAN, HUNG, MAI])
    one = ask(registry, LAN[0].key, MAI[0].key)
    other = ask(registry, LAN[0].key, HUNG[0].key, kind=TaskKind.STOPPED_BY_VETO)
    read(registry, one, "an", Stage.FIRST, Verdict.SAME, 8.0)
    read(registry, one, "binh", Stage.SECOND, Verdict.SAME, 10.0)
    read(registry, other, "an", Stage.FIRST, Verdict.DIFFERENT, 31.5)
    read(registry, other, "binh", Stage.SECOND, Verdict.SAME, 12.0)
    page = lead.get("/team")
    said = said_by(page.text)
    assert "Done in 14 days 4 readings" in said
    assert "Median time 11.0 s of 4 timed readings" in said
    assert "First and second readers agree 50% of 2 readings; kappa 0.00" in said
    assert "Open tasks 2 wait for an answer" in said
    for name in ("binh", "chi"):
        assert name not in page.text
    drawn = charts(page.text)
    assert set(drawn) == {"done", "waiting"}
    for name, chart in drawn.items():
        texts = {element.attrib.get("id"): element.text for element in chart.iter()}
        assert texts[f"{name}-title"]
        assert texts[f"{name}-description"]
        assert not any("style" in element.attrib for element in chart.iter())
    assert [rect.attrib["class"] for rect in drawn["done"].iter("rect") if "class" in rect.attrib] == [
        "chart-part chart-part-0",
        "chart-part chart-part-1",
    ]


def test_numbers_are_written_as_the_language_does(registry: Registry, desk: str) -> None:
    store(registry, [LAN, MAI])
    task = ask(registry, LAN[0].key, MAI[0].key)
    read(registry, task, "an", Stage.FIRST, Verdict.SAME, 8.5)
    said = said_by(signed_in(desk, "admin", "vi").get("/team").text)
    assert "Thời gian trung vị 8,5 s" in said
    assert "Số liệu của nhóm" in said
    assert "Readings" not in said


@pytest.mark.parametrize("name", ["steward", "auditor"])
def test_who_may_not_see_it_is_told_the_missing_right(desk: str, name: str) -> None:
    page = signed_in(desk, name).get("/team")
    assert page.status_code == 403
    assert "seeing the figures of the team" in said_by(page.text)
