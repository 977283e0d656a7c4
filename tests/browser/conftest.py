"""A browser, a desk over a filled registry, and pages of people who are signed in.

pytest-playwright gives `page`, `new_context`, traces and screenshots of failures. Its driver lives here for one file of
tests, not for the session: while it lives no other event loop can run in the process, and other tests run theirs.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, Playwright, expect, sync_playwright

from mpi.registry.registry import Registry
from tests.browser import city
from tests.browser.chromium import CONTEXT, launch_arguments
from tests.browser.desk import Desk, model, running_desk
from tests.browser.visits import PATIENCE, Visits
from tests.registries import SECRET
from tests.reviewer_ui.running_desk import people_at_the_desk

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser_type(playwright: Playwright) -> BrowserType:
    return playwright.chromium


@pytest.fixture(scope="module")
def browser_type_launch_args(browser_type: BrowserType, pytestconfig: pytest.Config) -> dict[str, Any]:
    seen = {"headless": not pytestconfig.getoption("--headed"), "slow_mo": pytestconfig.getoption("--slowmo")}
    return {**launch_arguments(browser_type), **seen}


@pytest.fixture(scope="module")
def launch_browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Callable[..., Browser]:
    return lambda **more: browser_type.launch(**{**browser_type_launch_args, **more})


@pytest.fixture(scope="module")
def browser(launch_browser: Callable[..., Browser]) -> Iterator[Browser]:
    launched = launch_browser()
    yield launched
    launched.close()


@pytest.fixture(scope="module")
def browser_context_args() -> dict[str, Any]:
    return CONTEXT


@pytest.fixture(scope="session")
def city_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with the whole city and everybody's account: a file to copy. Made once for all processes of a run."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = shared / "browser-city.db"
    with (shared / "browser-city.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            folder = tmp_path_factory.mktemp("city")
            with Registry.open(f"sqlite:///{folder}/registry.db", secret=SECRET, create=True) as registry:
                city.fill(registry, model(), folder)
                people_at_the_desk(registry)
            (folder / "registry.db").rename(made)
    return made


@pytest.fixture
def registry(city_registry: Path, tmp_path: Path) -> Iterator[Registry]:
    """The city in a registry of its own."""
    shutil.copy(city_registry, tmp_path / "registry.db")
    with Registry.open(f"sqlite:///{tmp_path}/registry.db", secret=SECRET, create=False) as opened:
        yield opened


@pytest.fixture
def desk(registry: Registry) -> Iterator[Desk]:
    with running_desk(registry) as running:
        yield running


@pytest.fixture
def visits(desk: Desk, new_context: Callable[..., BrowserContext]) -> Iterator[Visits]:
    """Browsers of people at the desk; whatever goes wrong in one of their pages fails the test."""
    visiting = Visits(desk, new_context)
    yield visiting
    visiting.assert_nothing_went_wrong()


@pytest.fixture
def steward(visits: Visits) -> Page:
    """A steward's page in Vietnamese, not at any address yet."""
    return visits.of("steward")
