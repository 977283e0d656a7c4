"""People at the desk, each in a browser context of their own, and what went wrong in their pages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from reviewer_ui.access import COOKIE
from tests.browser.desk import Desk

PATIENCE = 30_000.0
"""Milliseconds that somebody waits for a page on a machine that has other things to do."""

# What a page must not do unseen: break the content policy. The browser tells the console, and the page itself.
_LISTEN = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`content policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""
# The browser writes down every answer that is no success; whether it should have been one is for the test to say.
_ANSWERS = "Failed to load resource: "


@dataclass
class Visits:
    """Browsers of people at one desk; pages may ask the desk and `other_addresses`, nobody else."""

    desk: Desk
    new_context: Callable[..., BrowserContext]
    wrong: list[str] = field(default_factory=list)
    other_addresses: list[str] = field(default_factory=list)

    def of(self, name: str, *, language: str = "vi", path: str | None = None, **options: Any) -> Page:
        """A page of somebody who is signed in, at `path`; `options` are Browser.new_context's."""
        context = self.new_context(**options)
        self.carry(context, self.desk.session(name, language))
        page = self.page(context)
        if path is not None:
            page.goto(self.desk.url(path))
        return page

    def carry(self, context: BrowserContext, secret: str) -> None:
        """Put the cookie of a session into a browser."""
        # Playwright takes secure cookies for secure addresses only, and then sends them on this machine without that.
        address = self.desk.address.replace("http:", "https:")
        context.add_cookies(
            [{"name": COOKIE, "value": secret, "url": address, "secure": True, "httpOnly": True, "sameSite": "Lax"}]
        )

    def anybody(self, **options: Any) -> Page:
        """A page of somebody who is not signed in."""
        return self.page(self.new_context(**options))

    def page(self, context: BrowserContext) -> Page:
        """One more page of a context, listened to."""
        context.add_init_script(_LISTEN)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))
        page.on("request", self._request)
        return page

    def assert_nothing_went_wrong(self) -> None:
        """No script failed, nothing broke the content policy, no other server was asked for anything."""
        assert self.wrong == []

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_ANSWERS):
            self.wrong.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" not in (self.desk.address, *self.other_addresses):
            self.wrong.append(f"asked another server: {request.url}")
