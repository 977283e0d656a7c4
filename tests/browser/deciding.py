"""A steward at the keyboard: pressing keys on a task's screen, and waiting for what comes of it."""

from playwright.sync_api import Page, expect

TASK = "[data-seconds]"
"""The field of a task's screen that tells how long it is there; it names the task."""

SETTLED = "main#main:not([aria-busy=true])"
"""The page when it waits for somebody."""

SAID = {"same": "m", "different": "n", "unsure": "u"}
"""The key of every verdict."""


def task_on(page: Page) -> int:
    """The task that is on the screen, when it can be decided."""
    page.locator(f"{SETTLED} {TASK}").first.wait_for(state="attached")
    return int(page.locator(TASK).first.get_attribute("data-seconds") or "")


def press_on(page: Page, key: str) -> int:
    """Press a key that leads to another task; that task."""
    before = task_on(page)
    page.keyboard.press(key)
    page.locator(f"{SETTLED} {TASK}:not([data-seconds='{before}'])").first.wait_for(state="attached")
    return task_on(page)


def begin(page: Page) -> int:
    """From the queue to its first task, by key."""
    expect(page.locator(SETTLED)).to_be_attached()
    page.keyboard.press("g")
    return task_on(page)
