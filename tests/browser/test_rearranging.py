"""People taken apart and put together at the desk, by keyboard: split, overlay, merge by two readers, unmerge, undo."""

from playwright.sync_api import expect

from tests.browser.deciding import SETTLED, press_on, task_on
from tests.browser.desk import Desk
from tests.browser.screens import Way, merge_preview, split_preview
from tests.browser.visits import Visits
from tests.services.linking import assert_sound

OVERWRITTEN, BEFORE = "hospital:BN3", "insurance:BH3"
ONE, OTHER = "hospital:BN6", "station:TYT7"


def people(desk: Desk, *records: str) -> list[str | None]:
    """The enterprise IDs of records."""
    elsewhere = desk.elsewhere()
    return [elsewhere.id_of(record) for record in records]


def test_a_person_is_split_by_keyboard_and_the_split_undone(desk: Desk, visits: Visits) -> None:
    [whole, same] = people(desk, OVERWRITTEN, BEFORE)
    assert whole == same
    way = Way(visits)
    page = way.open(f"{way.person(OVERWRITTEN)}/cluster")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.locator("[data-cluster-record]:checked")).to_have_count(1)
    page.keyboard.press("1")
    expect(page.locator("[data-cluster-record]:checked")).to_have_count(0)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".parts")).to_contain_text("BN3")
    expect(page.locator(SETTLED)).to_be_attached()
    page.keyboard.press("n")
    page.locator(f"{SETTLED} [data-action=undo]").first.wait_for()
    [left, stayed] = people(desk, OVERWRITTEN, BEFORE)
    assert stayed == whole
    assert left not in (whole, None)
    with page.expect_response("**/undo") as answered:
        page.keyboard.press("z")
    assert answered.value.status == 303
    expect(page.locator(f"{SETTLED} [data-action=undo]")).to_have_count(0)
    assert people(desk, OVERWRITTEN, BEFORE) == [whole, whole]
    assert_sound(desk.registry)


def test_different_parts_an_overlay(desk: Desk, visits: Visits) -> None:
    [whole] = people(desk, BEFORE)
    way = Way(visits)
    page = way.open(way.task(OVERWRITTEN))
    press_on(page, "n")
    [left, stayed] = people(desk, OVERWRITTEN, BEFORE)
    assert stayed == whole
    assert left not in (whole, None)


def test_two_people_are_merged_by_two_readers_and_unmerged(desk: Desk, visits: Visits) -> None:
    way = Way(visits)
    [older, younger] = people(desk, ONE, OTHER)
    page = merge_preview(way)
    page.keyboard.press("c")
    page.keyboard.type("cùng một người, đã gọi điện")
    page.keyboard.press("Escape")
    page.locator("form[action='/merge'] .button-primary").press("Enter")
    page.locator("main a[href^='/tasks/']").first.wait_for()
    assert people(desk, ONE, OTHER) == [older, younger]
    href = page.locator("main [data-announce] a[href^='/tasks/']").get_attribute("href")
    second = way.open(href or "", name="steward2")
    task_on(second)
    press_on(second, "m")
    assert people(desk, ONE, OTHER) == [older, older]
    page.goto(desk.url(f"/people/{younger}"))
    expect(page.locator("main h1")).to_contain_text(older or "")
    page.locator("main a[href*='unmerge']").first.click()
    page.locator(f"{SETTLED} form .button-danger, {SETTLED} form .button-primary").first.click()
    page.locator(f"{SETTLED} [data-announce]").first.wait_for()
    assert people(desk, ONE, OTHER) == [older, younger]
    assert_sound(desk.registry)


def test_a_split_of_a_person_who_changed_meanwhile_keeps_the_choice_and_the_note(desk: Desk, visits: Visits) -> None:
    page = split_preview(Way(visits))
    [whole] = people(desk, OVERWRITTEN)
    desk.elsewhere().split(whole or "", "station:TYT3", by=desk.actor("steward2"))
    page.keyboard.press("c")
    page.keyboard.type("sổ khám nói khác")
    page.keyboard.press("Escape")
    with page.expect_response("**/people/**/split") as answered:
        page.locator(".button-danger").press("Enter")
    assert answered.value.status == 409
    expect(page.locator("textarea").first).to_have_value("sổ khám nói khác")
    expect(page.get_by_role("alert").first).to_be_visible()
    assert people(desk, OVERWRITTEN) == [whole]
