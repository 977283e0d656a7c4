"""The desk's keys: silent while somebody types or composes, held to places and not letters, changed and turned off."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.deciding import begin, press_on, readings, task_on
from tests.browser.desk import Desk
from tests.browser.visits import Visits

WAIT = 600
"""Milliseconds after which a key that was heard would have done something."""


@pytest.fixture
def steward(desk: Desk, visits: Visits) -> Page:
    """A steward at the first task."""
    page = visits.of("steward", path="/queue")
    begin(page)
    return page


def assert_nothing_happened(page: Page, desk: Desk, task: int) -> None:
    page.wait_for_timeout(WAIT)
    assert task_on(page) == task
    assert readings(desk) == []


def test_composing_vietnamese_in_the_note_presses_no_key(desk: Desk, steward: Page) -> None:
    task = task_on(steward)
    steward.keyboard.press("c")
    method = steward.context.new_cdp_session(steward)
    for text in ("n", "nh", "nhu", "như", "những"):
        method.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    method.send("Input.insertText", {"text": "những"})
    expect(steward.locator("textarea")).to_have_value("những")
    assert_nothing_happened(steward, desk, task)


@pytest.mark.parametrize("event", ["type", "rawKeyDown"])
def test_keys_that_an_input_method_takes_for_itself_press_nothing(event: str, desk: Desk, steward: Page) -> None:
    task = task_on(steward)
    method = steward.context.new_cdp_session(steward)
    if event == "type":
        # what some input methods send: the key with its place, and the mark that it is being composed
        steward.evaluate(
            """document.body.dispatchEvent(new KeyboardEvent("keydown",
               {code: "KeyM", key: "m", isComposing: true, bubbles: true}))"""
        )
    else:
        pressed = {"key": "Process", "code": "KeyM", "windowsVirtualKeyCode": 229, "nativeVirtualKeyCode": 229}
        method.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **pressed})
        method.send("Input.dispatchKeyEvent", {"type": "keyUp", **pressed})
    assert_nothing_happened(steward, desk, task)


def test_what_is_typed_into_a_field_is_no_key_until_escape_leaves_it(desk: Desk, steward: Page) -> None:
    task = task_on(steward)
    steward.keyboard.press("c")
    expect(steward.locator("textarea")).to_be_focused()
    steward.keyboard.type("mnusezgrl")
    expect(steward.locator("textarea")).to_have_value("mnusezgrl")
    assert_nothing_happened(steward, desk, task)
    steward.keyboard.press("Escape")
    press_on(steward, "n")
    assert [each[3] for each in readings(desk)] == ["mnusezgrl"]


@pytest.mark.parametrize("held", ["Control", "Alt", "Meta"])
def test_keys_of_the_browser_stay_the_browsers(held: str, desk: Desk, steward: Page) -> None:
    task = task_on(steward)
    for code in ("KeyM", "KeyU", "KeyE"):
        steward.evaluate(
            """([code, held]) => document.body.dispatchEvent(new KeyboardEvent("keydown",
               {code, key: code[3].toLowerCase(), bubbles: true, [held]: true}))""",
            [code, {"Control": "ctrlKey", "Alt": "altKey", "Meta": "metaKey"}[held]],
        )
    assert_nothing_happened(steward, desk, task)


def test_a_key_that_is_held_down_decides_one_pair(desk: Desk, steward: Page) -> None:
    task = task_on(steward)
    steward.keyboard.down("n")
    for _ in range(10):
        steward.keyboard.down("n")
    steward.wait_for_timeout(WAIT)
    for _ in range(10):
        steward.keyboard.down("n")
    steward.keyboard.up("n")
    steward.wait_for_timeout(WAIT)
    assert [each[0] for each in readings(desk)] == [task]


def test_keys_are_places_whatever_letter_the_layout_puts_there(desk: Desk, steward: Page) -> None:
    task = task_on(steward)
    method = steward.context.new_cdp_session(steward)
    # the place of N, which a Cyrillic layout calls т
    for kind in ("keyDown", "keyUp"):
        method.send("Input.dispatchKeyEvent", {"type": kind, "code": "KeyN", "key": "т", "windowsVirtualKeyCode": 78})
    steward.wait_for_timeout(WAIT)
    assert [each[:3] for each in readings(desk)] == [(task, "steward", "different")]


def test_revealing_and_folding_by_key(steward: Page) -> None:
    expect(steward.locator("main mark")).to_have_count(0)
    rows = steward.locator("[data-row] [data-action=reveal]").count()
    steward.keyboard.press("r")
    expect(steward.locator("[data-row] [data-action=reveal]")).to_have_count(rows - 1)
    written = steward.locator("bdi.as-written").first
    expect(written).to_be_visible()
    steward.keyboard.press("l")
    expect(written).to_be_hidden()
    expect(steward.locator("bdi.folded").first).to_be_visible()
    # the row stays open and the next key opens the next row; another visit has all of them masked again
    steward.keyboard.press("r")
    expect(steward.locator("[data-row] [data-action=reveal]")).to_have_count(rows - 2)
    steward.reload()
    expect(steward.locator("[data-row] [data-action=reveal]")).to_have_count(rows)


def test_every_key_has_a_button_that_says_so_and_help_is_one_of_them(steward: Page) -> None:
    keys = steward.evaluate("JSON.parse(document.body.dataset.keys)")
    shown = {
        action: steward.locator(f"[data-action={action}]").count() > 0 for action in keys if action not in ("undo",)
    }
    assert shown == dict.fromkeys(shown, True)
    steward.keyboard.press("?")
    steward.wait_for_url("**/help")


def test_a_key_is_moved_and_another_turned_off(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/help")
    choose(page, same="KeyJ", different="")
    page.goto(desk.url("/queue"))
    task = begin(page)
    for key in ("m", "n"):
        page.keyboard.press(key)
    assert_nothing_happened(page, desk, task)
    press_on(page, "j")
    assert [each[:3] for each in readings(desk)] == [(task, "steward", "same")]


def test_two_actions_on_one_key_are_refused(desk: Desk, visits: Visits) -> None:
    page = visits.of("steward", path="/help")
    with page.expect_response("**/keys") as answered:
        choose(page, same="KeyN")
    assert answered.value.status == 400
    page.goto(desk.url("/queue"))
    begin(page)
    press_on(page, "m")
    assert [each[2] for each in readings(desk)] == ["same"]


def choose(page: Page, **keys: str) -> None:
    """Choose keys on the page of help, and keep them."""
    for action, code in keys.items():
        page.locator(f"#key-{action}").select_option(code)
    page.locator("form[action='/keys'] .button-primary").click()
