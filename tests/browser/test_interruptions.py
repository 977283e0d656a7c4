"""What comes between a steward and the registry: no connection, a lost answer, an ended session, too many at once."""

from playwright.sync_api import Route, expect

from tests.browser.deciding import NOTE, SETTLED, TASK, begin, press_on, readings, task_on, write_note
from tests.browser.desk import Desk
from tests.browser.visits import Visits
from tests.reviewer_ui.running_desk import PASSWORD


def test_without_a_connection_nothing_is_lost_and_nothing_is_done_twice(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    first = begin(page)
    write_note(page, NOTE)
    page.context.set_offline(True)
    page.keyboard.press("n")
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("textarea")).to_have_value(NOTE)
    assert readings(desk) == []
    page.context.set_offline(False)
    page.locator(f"{SETTLED} {TASK}:not([data-seconds='{first}'])").first.wait_for(state="attached")
    assert readings(desk) == [(first, "steward", "different", NOTE)]
    expect(page.locator("#offline")).to_be_hidden()


def test_an_answer_that_got_lost_on_its_way_back_is_not_decided_again(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    first = begin(page)
    lost: list[int] = []

    def lose(route: Route) -> None:
        lost.append(route.fetch(max_redirects=0).status)
        route.abort()

    page.route("**/decide", lose, times=1)
    page.keyboard.press("n")
    expect(page.locator("#offline")).to_be_visible()
    assert lost == [303]
    page.locator("#try-again").click()
    page.locator(f"{SETTLED} {TASK}:not([data-seconds='{first}'])").first.wait_for(state="attached")
    assert [each[:3] for each in readings(desk)] == [(first, "steward", "different")]


def test_too_many_requests_are_waited_out(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    first = begin(page)
    write_note(page, NOTE)
    page.route("**/decide", lambda route: route.fulfill(status=429, headers={"Retry-After": "1"}), times=1)
    page.keyboard.press("n")
    expect(page.locator("#waiting")).to_be_visible()
    expect(page.locator("textarea")).to_have_value(NOTE)
    page.locator(f"{SETTLED} {TASK}:not([data-seconds='{first}'])").first.wait_for(state="attached")
    assert readings(desk) == [(first, "steward", "different", NOTE)]


def test_a_session_that_has_ended_leads_to_sign_in_and_back_to_the_task(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    first = begin(page)
    page.context.clear_cookies()
    page.keyboard.press("n")
    page.wait_for_url("**/sign-in?**")
    assert readings(desk) == []
    page.locator("#name").fill("steward")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tasks/{first}**")
    assert task_on(page) == first
    press_on(page, "n")
    assert [each[:3] for each in readings(desk)] == [(first, "steward", "different")]


def test_going_back_shows_the_page_before_and_decides_nothing(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/queue")
    first = begin(page)
    press_on(page, "n")
    page.go_back()
    expect(page.locator(SETTLED)).to_be_attached()
    page.wait_for_url(f"**/tasks/{first}**")
    expect(page.locator(TASK)).to_have_count(0)
    page.go_back()
    page.wait_for_url("**/queue")
    expect(page.locator("main table")).to_be_visible()
    assert [each[:3] for each in readings(desk)] == [(first, "steward", "different")]
