"""Deciding as stewards do it: two at one pair, presses too many, second thoughts, another language, no script."""

from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import BrowserContext, expect

from mpi.registry import tables
from mpi.registry.registry import Registry
from tests.browser import city
from tests.browser.deciding import (
    NOTE,
    SETTLED,
    TASK,
    asked_about,
    begin,
    decisions,
    press_on,
    readings,
    task_on,
    write_note,
)
from tests.browser.desk import Desk, running_desk, scorer
from tests.browser.screens import Way
from tests.browser.visits import Visits
from tests.online.desk import Desk as OnlineDesk
from tests.registries import SECRET
from tests.reviewer_ui.running_desk import people_at_the_desk
from tests.services.linking import query


def test_the_last_decision_is_undone_by_key(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    first = begin(page)
    second = press_on(page, "n")
    assert [each[:3] for each in readings(desk)] == [(first, "steward", "different")]
    page.keyboard.press("z")
    page.wait_for_url("**said=undone**")
    again = task_on(page)
    assert again != second
    assert asked_about(desk, again) == asked_about(desk, first)
    assert decisions(desk) == [("judge", False), ("undo", True)]
    assert press_on(page, "n") == second


def test_skipping_decides_nothing_and_leaves_the_task_to_others(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    first = begin(page)
    assert press_on(page, "s") != first
    assert readings(desk) == []
    assert desk.elsewhere().task(first, desk.actor("steward2")).claimed_by is None


def test_escalating_asks_a_lead_and_takes_the_note_along(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    first = begin(page)
    write_note(page, NOTE)
    press_on(page, "e")
    assert readings(desk) == [(first, "steward", "escalate", NOTE)]
    assert first not in {task.task_id for task in desk.elsewhere().tasks(desk.actor("steward2"))}
    assert first in {task.task_id for task in desk.elsewhere().tasks(desk.actor("lead"))}


def test_a_double_press_decides_one_pair(desk: Desk, visits: Visits) -> None:
    """Neither while the answer is on its way, nor in the moment in which the next pair has just appeared."""
    page = visits.of("steward", path="/queue")
    first = begin(page)
    page.evaluate(
        """document.addEventListener("desk:shown", () => document.body.dispatchEvent(
           new KeyboardEvent("keydown", {code: "KeyM", key: "m", bubbles: true})), {once: true})"""
    )
    page.keyboard.press("m")
    page.keyboard.press("m")
    page.locator(f"{SETTLED} {TASK}:not([data-seconds='{first}'])").first.wait_for(state="attached")
    assert [each[0] for each in readings(desk)] == [first]


def test_the_time_on_the_screen_is_told(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    begin(page)
    page.wait_for_timeout(700)
    press_on(page, "n")
    [(seconds,)] = query(desk.registry, sa.select(tables.reading.c.seconds))
    assert 0.7 <= seconds < 30


def test_nobody_reads_a_pair_twice(desk: Desk, visits: Visits) -> None:
    way = Way(visits)
    page = way.open(way.task("student:HS1"))
    task = task_on(page)
    press_on(page, "m")
    elsewhere = desk.elsewhere()
    assert elsewhere.task(task, desk.actor("steward2")).stage.value == "second"
    answered = page.goto(desk.url(f"/tasks/{task}"))
    assert answered is not None
    assert answered.status == 403
    expect(page.locator(TASK)).to_have_count(0)
    page.goto(desk.url("/queue"))
    assert page.locator(f"a[href*='/tasks/{task}']").count() == 0


def test_a_second_reader_does_not_see_the_score(desk: Desk, visits: Visits) -> None:
    way = Way(visits)
    path = way.task("student:HS1")
    task = int(path.rpartition("/")[2])
    weight = desk.elsewhere().task(task, desk.actor("steward2")).match_weight
    assert weight is not None
    shown = f"{weight:.1f}".replace(".", ",")
    first = way.open(path)
    expect(first.locator("main")).to_contain_text(shown)
    press_on(first, "m")
    second = way.open(path, name="steward2")
    task_on(second)
    assert shown not in second.content()


def test_two_stewards_on_one_pair(registry_url: str, new_context: Callable[..., BrowserContext]) -> None:
    """One wins; the other is told what happened, and keeps the note. On either database."""
    with Registry.open(registry_url, secret=SECRET, create=False) as registry, running_desk(registry) as desk:
        city.particular_people(OnlineDesk(registry, scorer()))
        people_at_the_desk(registry)
        visits = Visits(desk, new_context)
        way = Way(visits)
        path = way.task("student:HS1")
        slow = way.open(path)
        task = task_on(slow)
        write_note(slow, NOTE)
        with registry.begin() as uow:
            # the lease of the first has run out
            uow.connection.execute(sa.update(tables.review_task).values(claimed_until="2026-01-01T00:00:00+00:00"))
        quick = way.open(path, name="steward2")
        assert task_on(quick) == task
        quick.keyboard.press("n")
        quick.wait_for_url("**said=different**")
        with slow.expect_response("**/decide") as answered:
            slow.keyboard.press("m")
        assert answered.value.status == 409
        expect(slow.locator("textarea")).to_have_value(NOTE)
        assert [each[:3] for each in readings(desk)] == [(task, "steward2", "different")]
        visits.assert_nothing_went_wrong()


def test_a_language_is_switched_in_place_and_the_note_stays(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    task = begin(page)
    write_note(page, NOTE)
    names = page.locator("bdi").all_text_contents()
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert task_on(page) == task
    assert page.evaluate("window.sameDocument") is True
    expect(page.locator("textarea")).to_have_value(NOTE)
    assert page.locator("bdi").all_text_contents() == names
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")


def test_a_pair_is_decided_without_script(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", java_script_enabled=False)
    page.goto(desk.url("/queue"))
    page.locator("[data-action=next]").first.click()
    first = task_on(page)
    page.locator("textarea").fill(NOTE)
    page.locator("[data-action=different]").first.click()
    assert task_on(page) != first
    assert readings(desk) == [(first, "steward", "different", NOTE)]
    page.locator("[data-action=undo]").first.click()
    assert asked_about(desk, task_on(page)) == asked_about(desk, first)
    assert decisions(desk) == [("judge", False), ("undo", True)]


def test_the_core_fields_of_a_pair_need_no_scrolling_on_a_laptop(visits: Visits) -> None:
    way = Way(visits)
    for key in ("student:HS1", "hospital:BN3", "station:TYT7"):
        page = way.open(way.task(key))
        task_on(page)
        window = page.evaluate("innerHeight")
        rows = page.locator("[data-row]")
        assert rows.count() >= 10
        for box in [each.bounding_box() for each in rows.all()]:
            assert box is not None
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= window
        for verdict in ("same", "different", "unsure"):
            expect(page.locator(f"[data-action={verdict}]").first).to_be_in_viewport(ratio=1)
