"""The one place where a request becomes somebody: a session's cookie to an account, or nobody.

Every route but sign-in hangs on `visitor`; it refuses who is not signed in, and forms that the desk did not give out.
"""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mpi.domain.errors import NotSignedInError
from mpi.domain.review import Actor
from mpi.registry.accounts import Account
from mpi.services.sessions import LONGEST, Session, SignedIn, session_of
from reviewer_ui.security import SAFE_METHODS, check_origin, check_token
from reviewer_ui.wiring import desk

COOKIE = "__Host-desk"
_LONGEST_PATH = 512


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is signed in."""

    account: Account
    csrf_token: str

    @property
    def actor(self) -> Actor:
        """Whom services are told."""
        return self.account.actor


def known_visit(request: Request) -> Visit | None:
    """Who sends a request, as far as its cookie tells; looked up once a request. Raises RegistryError."""
    if not hasattr(request.state, "visit"):
        request.state.visit = _look_up(request)
    visit: Visit | None = request.state.visit
    return visit


def _look_up(request: Request) -> Visit | None:
    secret = request.cookies.get(COOKIE)
    if secret is None:
        return None
    try:
        session: Session = session_of(desk(request).registry, secret)
    except NotSignedInError:
        return None
    return Visit(session.account, session.csrf_token)


async def from_the_desk(request: Request) -> None:
    """Raises ForeignRequestError where something is to be changed by a form of another site."""
    if request.method not in SAFE_METHODS:
        check_origin(request)


async def visitor(request: Request) -> Visit:
    """Whoever is signed in.

    Raises NotSignedInError, and ForeignRequestError where something is to be changed without a form of their session.
    """
    visit = await run_in_threadpool(known_visit, request)
    if visit is None:
        raise NotSignedInError("nobody is signed in, or the session has ended")
    if request.method not in SAFE_METHODS:
        await check_token(request, visit.csrf_token)
    return visit


SignedInVisit = Annotated[Visit, Depends(visitor)]
"""What a route takes to know who asks: `def queue(request: Request, visit: SignedInVisit)`."""


def give_session(response: Response, signed_in: SignedIn) -> None:
    """Sets the cookie of a new session."""
    response.set_cookie(
        COOKIE,
        signed_in.secret,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def take_session(response: Response) -> None:
    """Takes the cookie back."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


def sign_in_path(request: Request) -> str:
    """Where to sign in so as to come back to the page that was asked for."""
    asked = {"ended": "1"} if COOKIE in request.cookies else {}
    if request.method in SAFE_METHODS and request.url.path != "/":
        asked["next"] = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/sign-in?{urlencode(asked)}" if asked else "/sign-in"


def own_path(wanted: str) -> str:
    """A path of the desk that somebody wants to go on to; "/" for whatever leads elsewhere.

    Browsers read backslashes as slashes and drop control characters, so that neither may be in it.
    """
    is_own = (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isascii()
        and wanted.isprintable()
        and len(wanted) <= _LONGEST_PATH
    )
    return wanted if is_own else "/"
