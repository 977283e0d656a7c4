"""What holds for every answer, and which requests may change something."""

import itertools
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.responses import Response

from mpi.domain.errors import RegistryError
from mpi.registry.registry import Registry
from mpi.services.neighbourhood import OnlineRules
from reviewer_ui import app as application
from reviewer_ui import assets, security
from reviewer_ui.app import create_app
from reviewer_ui.routes import OPEN_ROUTERS, ROUTERS
from reviewer_ui.security import LARGEST_BODY, SAFE_METHODS
from reviewer_ui.wiring import DeskServices
from tests.reviewer_ui.running_desk import Visitor, people_at_the_desk, running_desk, serving_app
from tests.services.stored import SCORER

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
BROKEN = APIRouter()


@BROKEN.get("/broken")
def broken() -> Response:
    raise ValueError("Trần Thị Lan 079184000123")


@BROKEN.get("/unreachable")
def unreachable() -> Response:
    raise RegistryError("the database is gone")


@pytest.fixture
def desk(registry: Registry, quick_passwords: None) -> Iterator[str]:
    """With pages that fail."""
    people_at_the_desk(registry)
    app = create_app(DeskServices(registry, OnlineRules(SCORER, registry.secret)), secure=False)
    app.include_router(BROKEN)
    with serving_app(app) as address:
        yield address


def assert_guarded(answer: httpx.Response) -> None:
    headers = answer.headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert re.fullmatch(r"[0-9a-f]{16}", headers["x-trace-id"])
    assert "strict-transport-security" not in headers
    assert headers["cache-control"] in ("no-store", assets.FOR_EVER)


def test_every_kind_of_answer_is_guarded(visitor: Visitor, desk: str) -> None:
    steward = Visitor(desk)
    answers = {
        "page": (visitor.get("/sign-in"), 200),
        "redirect to sign in": (visitor.get("/"), 303),
        "refused": (visitor.sign_in("steward", "wrong"), 403),
        "signed in": (steward.sign_in("steward"), 303),
        "unknown path": (visitor.get("/wp-login.php"), 404),
        "wrong method": (visitor.get("/sign-out"), 405),
        "odd method": (visitor.client.request("TRACE", desk + "/"), 405),
        "head": (visitor.client.head(desk + "/sign-in"), 200),
        "too large": (visitor.post("/sign-in", {"name": "x" * (LARGEST_BODY + 1)}), 413),
        "from another site": (visitor.post("/sign-in", {}, sec_fetch_site="cross-site"), 403),
        "file": (visitor.get(assets.address("desk.css")), 200),
        "file of another digest": (visitor.get("/static/0000000000000000/desk.css"), 404),
        "path out of the files": (visitor.get("/static/x/..%2f..%2faccess.py"), 404),
        "our fault": (visitor.get("/broken"), 500),
        "no registry": (visitor.get("/unreachable"), 503),
        "json": (visitor.get("/broken", accept="application/json"), 500),
    }
    for what, (answer, status) in answers.items():
        assert answer.status_code == status, what
        assert_guarded(answer)
        assert "server" not in answer.headers or answer.headers["server"] != "mpi", what
    assert len({answer.headers["x-trace-id"] for answer, _ in answers.values()}) == len(answers)


def test_by_https_browsers_are_told_to_insist_on_it(registry: Registry) -> None:
    with running_desk(registry, secure=True) as address:
        answer = Visitor(address).get("/sign-in")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_own_files_are_kept_for_ever_under_their_digest(visitor: Visitor) -> None:
    page = visitor.get("/sign-in").text
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(found) >= 3
    for path in found:
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert visitor.get(assets.address("desk.js")).headers["content-type"].startswith("text/javascript")


def test_pages_hold_nothing_that_the_policy_forbids(visitor: Visitor) -> None:
    for page in (visitor.get("/sign-in").text, visitor.get("/nothing").text):
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page)
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        for address in re.findall(r'(?:href|src|action)="([^"]*)"', page):
            assert not urlsplit(address).netloc


def test_what_went_wrong_stays_in_the_log_and_without_data(visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    answer = visitor.get("/broken", accept_language="en")
    trace_id = answer.headers["x-trace-id"]
    assert f"this number: {trace_id}" in answer.text
    assert f"trace {trace_id}: ValueError in " in caplog.text
    told = visitor.get("/broken", accept="application/json").json()["error"]
    assert (told["reason"], told["metadata"]) == ("UNEXPECTED", {})
    for text in (answer.text, str(told), caplog.text):
        assert "Lan" not in text
        assert "079184" not in text


def test_a_registry_that_is_gone_says_when_to_try_again(visitor: Visitor) -> None:
    answer = visitor.get("/unreachable", accept_language="en")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["x-trace-id"] in answer.text


def as_path(template: str) -> str:
    return re.sub(r"\{[^}]*\}", "1", template)


def routes(routers: tuple[APIRouter, ...]) -> list[tuple[str, str]]:
    return [
        (method, as_path(route.path))
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def test_no_page_without_signing_in(visitor: Visitor) -> None:
    for method, path in routes(ROUTERS):
        ask = visitor.get if method == "GET" else visitor.post
        page, told = ask(path), ask(path, accept="application/json")
        assert (page.status_code, page.headers["location"].partition("?")[0]) == (303, "/sign-in"), path
        assert (told.status_code, told.json()["error"]["reason"]) == (401, "NOT_SIGNED_IN"), path
        assert told.headers["www-authenticate"]


def test_a_page_that_forgets_to_ask_who_is_there_is_closed_all_the_same(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "ROUTERS", (BROKEN,))
    with running_desk(registry) as address:
        answer = Visitor(address).get("/broken")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fbroken")


FOREIGN: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"csrf": ""}, {}),
    ({"csrf": "x" * 43}, {}),
    ({"csrf": "ă"}, {}),
    ({}, {"sec_fetch_site": "cross-site"}),
    ({}, {"sec_fetch_site": "same-site"}),
    ({}, {"sec_fetch_site": "none"}),
]


def test_no_change_by_a_form_that_the_desk_did_not_give_out(steward: Visitor) -> None:
    changing = [path for method, path in routes(ROUTERS) if method not in SAFE_METHODS]
    assert "/sign-out" in changing
    for path, (form, headers) in itertools.product(changing, FOREIGN):
        answer = steward.post(path, form, **headers, accept="application/json")
        assert answer.status_code == 403, (path, form, headers)
        assert answer.json()["error"]["reason"] == "FOREIGN_REQUEST"
    assert steward.get("/").headers["location"] == "/queue"


@pytest.mark.parametrize("path", [path for method, path in routes(OPEN_ROUTERS) if method == "POST"])
@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "{own}"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, False),
        ({"origin": "{own}"}, False),
        ({"origin": "http://evil.example"}, True),
        ({"origin": "https://{host}"}, True),
        ({"origin": "null"}, True),
        ({}, True),
    ],
)
def test_open_forms_too_come_from_the_desk_only(
    visitor: Visitor, path: str, headers: dict[str, str], refused: bool
) -> None:
    host = urlsplit(visitor.address).netloc
    sent = {name: value.format(own=visitor.address, host=host) for name, value in headers.items()}
    answer = visitor.client.post(visitor.address + path, data={}, headers={**sent, "accept": "application/json"})
    told = answer.json()["error"]["reason"] if answer.status_code >= 400 else ""
    assert (told == "FOREIGN_REQUEST") is refused


def test_a_script_may_send_the_token_as_a_header(steward: Visitor) -> None:
    token = steward.csrf
    assert steward.post("/sign-out", {"csrf": ""}, x_csrf_token=token[:-1]).status_code == 403
    assert steward.post("/sign-out", {"csrf": ""}, x_csrf_token=token).status_code == 303


def test_the_token_of_another_session_is_none_of_ones_own(steward: Visitor, desk: str) -> None:
    other = Visitor(desk)
    other.sign_in("lead")
    assert steward.post("/sign-out", {"csrf": other.csrf}).status_code == 403
    assert steward.post("/sign-out").status_code == 303


def raw(address: str, sent: bytes, *, hang_up: bool = False) -> bytes:
    """What the desk answers to some bytes, until it ends the connection; who hangs up sends no more."""
    parts = urlsplit(address)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
        connection.sendall(sent)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        got = b""
        while part := connection.recv(65536):
            got += part
    return got


def test_a_body_without_a_length_is_bounded_too(desk: str) -> None:
    head = b"POST /sign-in HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n"
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    for rest in (b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 5, b"Content-Length: 99999999\r\n\r\nabc"):
        assert raw(desk, head + rest).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_come_is_not_waited_for(desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_BODY_SECONDS", 0.1)
    head = b"POST /sign-in HTTP/1.1\r\nHost: desk\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc"
    assert raw(desk, head).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /sign-in HTTP/1.1\r\nHost: desk\r\nContent-Length: 10\r\n\r\nabc",
        b"POST /sign-in HTTP/1.1\r\nHost: desk\r\nContent-Length: -1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_garbage_and_broken_requests_leave_the_desk_standing(
    desk: str, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    raw(desk, sent, hang_up=True)
    assert Visitor(desk).get("/sign-in").status_code == 200
    assert "Traceback" not in caplog.text


def test_a_multipart_form_is_a_form_but_files_are_none(steward: Visitor) -> None:
    def sent(**parts: Any) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in steward.cookies.items())
        headers = {"cookie": cookie, "sec-fetch-site": "same-origin", "accept": "application/json"}
        return steward.client.post(steward.address + "/sign-out", files=parts, headers=headers)

    assert sent(csrf=("a.txt", b"x")).status_code in (400, 403)
    assert sent(csrf=(None, steward.csrf)).status_code == 303
