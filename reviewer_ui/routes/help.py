"""Help: the keys, with the form that moves them or turns them off, and what every answer does."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.errors import InvalidInputError
from mpi.domain.review import RIGHTS, Right, Role
from mpi.services.accounts import choose_keys
from mpi.services.keyboard import DEFAULT_KEYS, OFF
from reviewer_ui.access import SignedInVisit
from reviewer_ui.meanings import RIGHT_WORDS
from reviewer_ui.pages import render
from reviewer_ui.task_words import KIND_MEANINGS
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

CHOICES = (
    OFF,
    *(f"Key{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    *(f"Digit{digit}" for digit in "1234567890"),
    *("Slash", "Period", "Comma", "Semicolon", "Quote", "BracketLeft", "BracketRight", "Minus", "Equal", "Backslash"),
)
"""The keys that the form offers; a place that an account has by other ways is offered beside them."""

_FIELD = "key-"
_RESET = "reset"


@ROUTER.get("/help")
def help_page(request: Request, visit: SignedInVisit, saved: bool = False) -> Response:
    """The page."""
    return _page(request, saved=saved)


@ROUTER.post("/keys")
async def keys(request: Request, visit: SignedInVisit) -> Response:
    """Keep somebody's keys; what cannot be kept is given back with the reason."""
    form: FormData = await request.form()
    given = {name.removeprefix(_FIELD): str(value) for name, value in form.items() if name.startswith(_FIELD)}
    wanted = {} if _RESET in form else given
    try:
        await run_in_threadpool(choose_keys, desk(request).registry, visit.actor, wanted)
    except InvalidInputError as error:
        return await run_in_threadpool(_page, request, wanted=wanted, refused=error)
    return RedirectResponse("/help?saved=true#keys", 303)


def _page(
    request: Request,
    *,
    saved: bool = False,
    wanted: dict[str, str] | None = None,
    refused: InvalidInputError | None = None,
) -> Response:
    clash = () if refused is None else tuple(refused.metadata.get(name, "") for name in ("field", "other"))
    return render(
        request,
        "help.html",
        status=200 if refused is None else 400,
        saved=saved,
        wanted=wanted,
        clash=clash,
        choices=CHOICES,
        actions=list(DEFAULT_KEYS),
        kind_meanings=KIND_MEANINGS,
        rights=list(Right),
        roles=list(Role),
        has=RIGHTS,
        right_words=RIGHT_WORDS,
        page_path="/help",
    )
