"""What must hold on every screen, looked at in the page itself: accessibility, room, focus."""

from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SCRIPT = Path(__file__).with_suffix(".js").read_text()
_PARTS = 15
"""Presses of Tab beside one for every control: parts of a date, and the browser's own window."""

_axe = Axe()


def axe_problems(page: Page) -> str:
    """What axe finds on the page as it is, with every rule it has; "" for nothing."""
    found = _axe.run(page)
    return str(found.generate_report()) if found.violations_count else ""


def too_wide(page: Page) -> list[str]:
    """What needs the whole page to be scrolled sideways, and what is cut off."""
    return [*_ask(page, "tooWide"), *(f"cut off: {each}" for each in _ask(page, "cutOff"))]


def scrolling_regions(page: Page) -> list[str]:
    """Regions that scroll sideways on their own."""
    found: list[str] = _ask(page, "scrolling")
    return found


def controls(page: Page) -> int:
    """How many links, buttons and fields somebody can reach."""
    count: int = _ask(page, "controls")
    return count


def focus_problems(page: Page) -> list[str]:
    """What is wrong with the focus as it goes through every control by Tab: not seen, covered, never there, small."""
    problems, reached, expected = [], 0, controls(page)
    for _ in range(expected + _PARTS):
        page.keyboard.press("Tab")
        focus = _ask(page, "focus")
        # behind the last control comes the browser's own window, then the first
        if focus is None or focus["stays"]:
            continue
        if focus["again"]:
            break
        reached += 1
        problems += [f"{focus['name']} {each}" for each in focus["problems"]]
    if reached < expected:
        problems.append(f"Tab reaches {reached} of {expected} controls")
    return problems


def _ask(page: Page, check: str) -> Any:
    return page.evaluate(_SCRIPT, check)
