"""A steward at the keyboard: pressing keys on a task's screen, and waiting for what comes of it."""

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from mpi.registry import tables
from tests.browser.desk import Desk
from tests.services.linking import query

TASK = "[data-seconds]"
"""The field of a task's screen that tells how long it is there; it names the task."""

SETTLED = "main#main:not([aria-busy=true])"
"""The page when it waits for somebody."""

NOTE = "Đã xem sổ khám: hai người"
"""A note on a decision."""

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


def readings(desk: Desk) -> list[tuple[int, str, str, str]]:
    """Every reading that stands: task, reader, verdict, comment."""
    table = tables.reading.c
    chosen = sa.select(table.task_id, table.reader, table.verdict, table.comment).where(table.withdrawn_at.is_(None))
    return [tuple(each) for each in query(desk.registry, chosen.order_by(table.read_at))]


def decisions(desk: Desk) -> list[tuple[str, bool]]:
    """Every decision, and whether it stands."""
    table = tables.decision.c
    return [
        (kind, undone_by is None)
        for kind, undone_by in query(desk.registry, sa.select(table.kind, table.undone_by).order_by(table.decision_id))
    ]


def asked_about(desk: Desk, task_id: int) -> tuple[str, str]:
    """The records of a task, open or closed."""
    task = desk.elsewhere().task(task_id, desk.actor("lead"))
    return str(task.record_a), str(task.record_b)


def write_note(page: Page, text: str) -> None:
    """Write a note by keyboard, and leave the field."""
    page.keyboard.press("c")
    page.keyboard.type(text)
    page.keyboard.press("Escape")
