"""The browser that the tests drive: a Chrome or Chromium that is on this machine, and how it is started.

It asks nobody on the network but the page's server, and every context has no past.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserType, ViewportSize

# The same names as in tools/browser.sh.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""By what names a browser may go on PATH."""
_ON_A_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

LAPTOP: ViewportSize = {"width": 1366, "height": 768}
"""The window that stewards have."""

CONTEXT: dict[str, Any] = {
    "viewport": LAPTOP,
    "locale": "vi-VN",
    "timezone_id": "Asia/Ho_Chi_Minh",
    "reduced_motion": "reduce",
}
"""Arguments of Browser.new_context for everybody at the desk."""


class NoBrowserError(RuntimeError):
    """There is no browser to test with; the message says what to do."""


def executable(browser_type: BrowserType) -> str:
    """Where the browser lies. Raises NoBrowserError."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is not None:
        return found
    for path in (_ON_A_MAC, Path(browser_type.executable_path)):
        if path.exists():
            return str(path)
    raise NoBrowserError(
        "no Chrome or Chromium is on this machine: install one (as root, 'make test' does so on Debian)"
    )


def launch_arguments(browser_type: BrowserType) -> dict[str, Any]:
    """Arguments of BrowserType.launch. Raises NoBrowserError."""
    # A browser that runs as root has no sandbox to offer.
    arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.getuid() == 0 else [])]
    return {"executable_path": executable(browser_type), "args": arguments}
