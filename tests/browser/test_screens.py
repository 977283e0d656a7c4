"""Every screen and state: nothing for axe to find in light or dark, room for everything at 400 %, the focus seen."""

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser.checks import axe_problems, controls, focus_problems, too_wide
from tests.browser.chromium import LAPTOP
from tests.browser.screens import SCREENS, Way
from tests.browser.visits import Visits

ZOOMED: ViewportSize = {"width": 1366 // 4, "height": 768 // 4}
"""What is left of a laptop's window when everything in it is four times as large."""


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest, visits: Visits) -> Page:
    return SCREENS[request.param](Way(visits))


def test_a_screen_is_for_everybody(screen: Page) -> None:
    for scheme in ("light", "dark"):
        screen.emulate_media(color_scheme=scheme)
        assert axe_problems(screen) == "", scheme
    assert too_wide(screen) == []
    everything = controls(screen)
    screen.set_viewport_size(ZOOMED)
    assert too_wide(screen) == []
    assert controls(screen) == everything
    assert axe_problems(screen) == ""
    screen.set_viewport_size(LAPTOP)
    assert focus_problems(screen) == []
