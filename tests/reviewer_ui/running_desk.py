"""A desk on a real socket over a real registry, and visitors who keep cookies as browsers do on this machine."""

import re
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import uvicorn

from mpi.domain.review import Role
from mpi.registry import accounts
from mpi.registry.accounts import Account
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import now_text
from mpi.services.neighbourhood import OnlineRules
from mpi.services.passwords import hash_password
from reviewer_ui.app import create_app
from reviewer_ui.wiring import DeskServices
from tests.services.stored import SCORER

PASSWORD = "a long enough password"
COOKIE = "__Host-desk"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@contextmanager
def running_desk(registry: Registry, *, secure: bool = False) -> Iterator[str]:
    """A desk for as long as the block lasts; its address."""
    app = create_app(DeskServices(registry, OnlineRules(SCORER, registry.secret)), secure=secure)
    with serving_app(app) as address:
        yield address


@contextmanager
def serving_app(app: Any) -> Iterator[str]:
    config = uvicorn.Config(app, "127.0.0.1", 0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the desk did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def people_at_the_desk(registry: Registry) -> None:
    """One account of each role, named like it, and a second steward; all with PASSWORD."""
    with registry.begin() as uow:
        for name, role in (*((each.value, each) for each in Role), ("steward2", Role.STEWARD)):
            made = Account(name, name, role, True, False, "vi", {}, now_text())
            accounts.add(uow, made, password_hash=_password_hash())


@cache
def _password_hash() -> str:
    """Made once a process, as slowly as every hash."""
    return hash_password(PASSWORD)


# Reading the authorities that this machine trusts takes longer than a page.
_trusted = cache(ssl.create_default_context)


def _client() -> httpx.Client:
    """One that keeps no connection open, so that it need not be closed."""
    return httpx.Client(timeout=30, verify=_trusted(), limits=httpx.Limits(max_keepalive_connections=0))


@dataclass
class Visitor:
    """Somebody with a browser: cookies are kept here, since Python's own jar sends secure ones by https alone.

    Forms are sent with the token of the page seen last and say that they come from this site.
    """

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    client: httpx.Client = field(default_factory=_client)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._seen(self.client.get(self.address + path, headers=self._headers(headers)))

    def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        values = {"csrf": self.csrf, "request_id": str(uuid.uuid4()), **(form or {})}
        own = {"sec-fetch-site": "same-origin", **headers}
        return self._seen(self.client.post(self.address + path, data=values, headers=self._headers(own)))

    def sign_in(self, name: str, password: str = PASSWORD, *, wanted: str = "/") -> httpx.Response:
        """Signs in and looks at the page of help, whose forms bear the token of the session."""
        answer = self.post("/sign-in", {"name": name, "password": password, "next": wanted})
        if answer.status_code == 303:
            self.get("/nothing-here")
        return answer

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"accept": "text/html", **({"cookie": cookie} if cookie else {}), **named}

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        self.client.cookies.clear()
        for header in answer.headers.get_list("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            if "max-age=0" in header.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        found = _CSRF.search(answer.text) if answer.headers.get("content-type", "").startswith("text/html") else None
        if found is not None:
            self.csrf = found[1]
        return answer
