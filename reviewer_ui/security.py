"""What holds for every answer whatever its page: headers, a bounded body, a trace id, and no exception that gets out.

Also whether a request that changes something comes from a page of the desk.
"""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mpi.domain.errors import MpiError

LARGEST_BODY = 64 << 10
"""Bytes of a request's body."""

_BODY_SECONDS = 20.0
_CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ONLY_BY_TLS = {"Strict-Transport-Security": "max-age=31536000"}
_NEVER_STORED = "no-store"
SAFE_METHODS = frozenset({"GET", "HEAD"})

CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"
"""Where a form, and a script, put the token of their session."""


class ForeignRequestError(MpiError):
    """The request was not sent by a page of the desk, or by one of another session."""

    reason = "FOREIGN_REQUEST"


class BodyTooLargeError(MpiError):
    """The request holds more than the desk reads."""

    reason = "BODY_TOO_LARGE"


class BodyTooSlowError(MpiError):
    """The request's body did not come in time."""

    reason = "BODY_TOO_SLOW"


class SenderGoneError(Exception):
    """Whoever sent the request has gone; there is nobody to answer."""


Respond = Callable[[Request, Exception], Awaitable[Response]]


class Guard:
    """The outermost layer of the desk. `respond` makes the page of an error; it must not raise."""

    def __init__(self, app: ASGIApp, *, secure: bool, respond: Respond) -> None:
        self._app = app
        self._headers = {**_HEADERS, **(_ONLY_BY_TLS if secure else {})}
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = secrets.token_hex(8)
        scope.setdefault("state", {})["trace_id"] = trace_id
        began = False

        async def guarded(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers["X-Trace-Id"] = trace_id
                headers.setdefault("Cache-Control", _NEVER_STORED)
            await send(message)

        try:
            body = await _whole_body(Headers(scope=scope), receive)
            # what a page's head is asked for, the page answers; the server sends no body then
            asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
            await self._app(asked, _replayed(body, receive), guarded)
        except SenderGoneError:
            return
        except Exception as error:
            response = await self._respond(Request(scope), error)
            if not began:
                await response(scope, receive, guarded)


async def _whole_body(headers: Headers, receive: Receive) -> bytes:
    """The body. Raises BodyTooLargeError, BodyTooSlowError, SenderGoneError."""
    told = headers.get("content-length", "0")
    if not told.isdigit() or int(told) > LARGEST_BODY:
        raise BodyTooLargeError(f"a request may hold {LARGEST_BODY} bytes")
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise SenderGoneError
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > LARGEST_BODY:
                    raise BodyTooLargeError(f"a request may hold {LARGEST_BODY} bytes")
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise BodyTooSlowError("the request did not come in time") from None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, and then what comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def check_origin(request: Request) -> None:
    """Raises ForeignRequestError for a request that another site's page sent, or of which nobody says who sent it.

    Browsers tell by Sec-Fetch-Site, older ones by Origin. Under our referrer policy Origin may be "null" on our own
    forms, so it is asked only where the other is missing.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise ForeignRequestError("the request comes from another site")
        return
    origin = urlsplit(request.headers.get("origin", ""))
    if not origin.netloc or (origin.scheme, origin.netloc) != (request.url.scheme, request.headers.get("host")):
        raise ForeignRequestError("the request does not say that it comes from this site")


async def check_token(request: Request, csrf_token: str) -> None:
    """Raises ForeignRequestError where neither the form nor the header holds the session's token."""
    given: Any = request.headers.get(CSRF_HEADER)
    if given is None:
        given = (await request.form(max_files=0)).get(CSRF_FIELD)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), csrf_token.encode()):
        raise ForeignRequestError("the form is of another session")
