"""Names, addresses, ids and notes that are programs stay text on every screen: nothing runs or is even tried."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from mpi.domain.review import Stage, Verdict
from mpi.registry import tables
from tests.browser.city import HOSTILE, HOSTILE_KEY
from tests.browser.deciding import press_on, task_on
from tests.browser.screens import Way
from tests.browser.visits import Visits

OTHER_KEY = "station:TYT2"
LOCAL_ID = HOSTILE_KEY.partition(":")[2]


def queue(way: Way) -> Page:
    number = int(way.task(OTHER_KEY).rpartition("/")[2])
    with way.desk.registry.begin() as uow:
        uow.connection.execute(
            sa.update(tables.review_task).where(tables.review_task.c.task_id == number).values(priority=100.0)
        )
    return way.open("/queue?kind=possible_match")


def pair(way: Way) -> Page:
    return way.open(way.task(OTHER_KEY))


def pair_in_clear(way: Way) -> Page:
    page = pair(way)
    reveal = page.locator("[data-action=reveal]")
    for left in range(reveal.count(), 0, -1):
        expect(reveal).to_have_count(left)
        page.keyboard.press("r")
        expect(reveal).to_have_count(left - 1)
    expect(page.locator("main")).to_contain_text("onerror=")
    return page


def second_reading(way: Way) -> Page:
    elsewhere, path = way.desk.elsewhere(), way.task(OTHER_KEY)
    task = elsewhere.task(int(path.rpartition("/")[2]), way.desk.actor("steward2"))
    outcome = elsewhere.answer(task, Verdict.UNSURE, by=way.desk.actor("steward2"))
    assert outcome.task is not None
    assert outcome.task.stage is Stage.SECOND
    return way.open(path)


def note_that_was_kept(way: Way) -> Page:
    page = pair(way)
    page.keyboard.press("c")
    page.keyboard.type(f"</textarea>{HOSTILE}")
    page.keyboard.press("Escape")
    way.end_leases()
    elsewhere, colleague = way.desk.elsewhere(), way.desk.actor("steward2")
    elsewhere.answer(elsewhere.task(task_on(page), colleague), Verdict.DIFFERENT, by=colleague)
    with page.expect_response("**/decide") as answered:
        page.keyboard.press("n")
    assert answered.value.status == 409
    expect(page.locator("textarea")).to_have_value(f"</textarea>{HOSTILE}")
    return page


def person(way: Way) -> Page:
    return way.open(way.person(HOSTILE_KEY))


def person_in_clear(way: Way) -> Page:
    page = person(way)
    page.locator("button[name=show][value=full_name]").click()
    expect(page.locator("main")).to_contain_text(HOSTILE)
    return page


def cluster_in_clear(way: Way) -> Page:
    page = way.open(f"{way.person(HOSTILE_KEY)}/cluster")
    page.locator("button[name=show][value=full_name]").click()
    expect(page.locator("main")).to_contain_text(HOSTILE)
    return page


def split_preview(way: Way) -> Page:
    page = way.open(f"{way.person(HOSTILE_KEY)}/cluster")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".parts")).to_contain_text(LOCAL_ID)
    return page


def merge_preview(way: Way) -> Page:
    one, other = (way.person(key).removeprefix("/people/") for key in (HOSTILE_KEY, OTHER_KEY))
    return way.open(f"/merge?a={one}&b={other}")


def search(way: Way) -> Page:
    page = way.open("/people")
    page.locator("#text").fill(HOSTILE_KEY)
    page.keyboard.press("Enter")
    page.locator("main a[href^='/people/']").first.wait_for()
    expect(page.locator("#text")).to_have_value(HOSTILE_KEY)
    return page


def audit(way: Way) -> Page:
    page = pair(way)
    page.keyboard.press("c")
    page.keyboard.type(HOSTILE)
    page.keyboard.press("Escape")
    press_on(page, "n")
    trail = way.open("/audit", name="lead")
    expect(trail.locator("main")).to_contain_text(HOSTILE)
    return trail


PLACES: dict[Callable[[Way], Page], str] = {
    queue: LOCAL_ID,
    pair: LOCAL_ID,
    pair_in_clear: HOSTILE,
    second_reading: LOCAL_ID,
    note_that_was_kept: "",
    person: LOCAL_ID,
    person_in_clear: HOSTILE,
    cluster_in_clear: HOSTILE,
    split_preview: LOCAL_ID,
    merge_preview: LOCAL_ID,
    search: LOCAL_ID,
    audit: HOSTILE,
}
"""What of it stands on every screen, letter by letter."""


@pytest.mark.parametrize("place", PLACES)
def test_programs_in_values_stay_text(place: Callable[[Way], Page], visits: Visits) -> None:
    page = place(Way(visits))
    expect(page.locator("main")).to_contain_text(PLACES[place])
    expect(page).not_to_have_title("ran")
    programs = "script, style, iframe, object, img, [onerror], [onload], [onclick], [style]"
    expect(page.locator("main").locator(programs)).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text("-alert(1)-' 49")
    visits.assert_nothing_went_wrong()
