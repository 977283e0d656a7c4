"""Takes the pictures of the desk for the documentation: every screen that the browser tests look at, over their city.

Run as `python -m tools.screens [NAME ...]` (`make screens` takes all); it writes docs/screens/NAME.png.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from mpi.registry.registry import Registry
from tests.browser import city
from tests.browser.chromium import CONTEXT, launch_arguments
from tests.browser.desk import model, running_desk
from tests.browser.screens import SCREENS, Way
from tests.browser.visits import Visits
from tests.registries import SECRET
from tests.reviewer_ui.running_desk import people_at_the_desk
from tools.small_png import pixels_of, small_png

FOLDER = Path(__file__).parents[1] / "docs" / "screens"

IN_ENGLISH = ("pair", "person")
"""Screens that are also taken in English; all are taken in Vietnamese."""


def main(names: Sequence[str]) -> None:
    """Take the pictures of some screens, or of all."""
    wanted = [(name, "vi") for name in names or SCREENS]
    wanted += [(name, "en") for name in IN_ENGLISH if name in (names or SCREENS)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        filled = Path(folder) / "filled.db"
        with Registry.open(f"sqlite:///{filled}", secret=SECRET, create=True) as registry:
            city.fill(registry, model(), Path(folder))
            people_at_the_desk(registry)
        browser = driver.chromium.launch(**launch_arguments(driver.chromium))
        for name, language in wanted:
            take(browser, filled, name, language)
        browser.close()


def take(browser: Browser, filled: Path, name: str, language: str) -> None:
    """One picture, over a registry of its own."""
    copy = filled.with_name("copy.db")
    shutil.copy(filled, copy)
    with Registry.open(f"sqlite:///{copy}", secret=SECRET, create=False) as registry, running_desk(registry) as desk:
        page = SCREENS[name](Way(Visits(desk, partial(browser.new_context, **CONTEXT)), language))
        out = FOLDER / (f"{name}.png" if language == "vi" else f"{name}-{language}.png")
        # once more without the pointer, which rests where it was last needed
        page.mouse.move(0, 0)
        picture = page.screenshot(animations="disabled", caret="hide")
        blank = browser.new_page()
        out.write_bytes(small_png(pixels_of(blank, picture)))
        blank.close()
        sys.stdout.write(f"{out.name}: {out.stat().st_size // 1024} kB\n")
        page.context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
