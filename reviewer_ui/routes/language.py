"""The choice of a language: kept with the account or, before signing in, in a cookie. The page stays the same."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.errors import InvalidInputError
from mpi.services.accounts import choose_language
from reviewer_ui import languages
from reviewer_ui.access import known_visit, own_path
from reviewer_ui.security import check_token
from reviewer_ui.wiring import desk

OPEN = APIRouter()

_YEAR = 365 * 24 * 3600


@OPEN.post("/language")
async def language(
    request: Request,
    language: Annotated[str, Form(max_length=2)],
    back: Annotated[str, Form(max_length=2048)] = "/",
) -> Response:
    """Speak another language from now on, and show the same page again."""
    visit = await run_in_threadpool(known_visit, request)
    response = RedirectResponse(own_path(back), 303)
    if visit is not None:
        await check_token(request, visit.csrf_token)
        await run_in_threadpool(choose_language, desk(request).registry, visit.actor, language)
    elif language not in languages.LANGUAGES:
        raise InvalidInputError("the desk does not speak this language", metadata={"field": "language"})
    response.set_cookie(languages.COOKIE, language, max_age=_YEAR, path="/", secure=True, httponly=True, samesite="lax")
    return response
