"""Signing in and out, and where somebody begins. The only pages for who is not signed in."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.errors import SignInRefusedError, TooManyAttemptsError
from mpi.domain.review import Right
from mpi.services import sessions
from reviewer_ui.access import COOKIE, SignedInVisit, give_session, known_visit, own_path, take_session
from reviewer_ui.errors import error_page
from reviewer_ui.pages import render
from reviewer_ui.wiring import desk

OPEN = APIRouter()
SIGNED_IN = APIRouter()

_FIRST_PAGES = ((Right.REVIEW, "/queue"), (Right.SEE_AUDIT, "/audit"), (Right.SEE_TEAM, "/team"))
_NOWHERE = "an unknown address"


@OPEN.get("/sign-in")
def sign_in_page(
    request: Request,
    wanted: Annotated[str, Query(alias="next", max_length=2048)] = "/",
    ended: bool = False,
) -> Response:
    """The form; who is signed in already goes on."""
    if known_visit(request) is not None:
        return RedirectResponse(own_path(wanted), 303)
    return render(request, "sign_in.html", next=own_path(wanted), ended=ended, name="", error=None)


@OPEN.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=4096)] = "",
    wanted: Annotated[str, Form(alias="next", max_length=2048)] = "/",
) -> Response:
    """Begin a session under a new secret, and go on to the page that was wanted."""
    services, address = desk(request), request.client.host if request.client else _NOWHERE
    try:
        services.sign_ins.note(address)
        signed_in = sessions.sign_in(services.registry, name, password, instead_of=request.cookies.get(COOKIE))
    except (SignInRefusedError, TooManyAttemptsError) as error:
        return error_page(request, error, template="sign_in.html", next=own_path(wanted), ended=False, name=name)
    services.sign_ins.forget(address)
    response = RedirectResponse(own_path(wanted), 303)
    give_session(response, signed_in)
    return response


@SIGNED_IN.post("/sign-out")
def sign_out(request: Request, visit: SignedInVisit) -> Response:
    """End the session."""
    sessions.sign_out(desk(request).registry, request.cookies[COOKIE])
    response = RedirectResponse("/sign-in", 303)
    take_session(response)
    return response


@SIGNED_IN.get("/")
def begin(visit: SignedInVisit) -> Response:
    """The first page that somebody may see."""
    first = next((path for right, path in _FIRST_PAGES if visit.actor.may(right)), "/help")
    return RedirectResponse(first, 303)
