"""How requests fail: the page or the JSON that is sent, by the table of meanings.py.

No page holds a value of a person; what nobody foresaw is told by a trace id that only the log explains.
"""

import logging
import traceback
from pathlib import Path

from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from mpi.domain.errors import (
    InvalidInputError,
    MissingRightError,
    MpiError,
    NotFoundError,
    NotSignedInError,
    TooManyAttemptsError,
)
from mpi.domain.review import Right
from reviewer_ui.access import sign_in_path
from reviewer_ui.meanings import RIGHT_WORDS, UNEXPECTED, Meaning, meaning_of
from reviewer_ui.pages import render

_HOME = Path(__file__).parents[1]
_log = logging.getLogger(__name__)


class UnknownPageError(NotFoundError):
    """There is no such page."""

    reason = "UNKNOWN_PAGE"


class WrongMethodError(MpiError):
    """The page is there, but does not take this method."""

    reason = "WRONG_METHOD"


class FormError(InvalidInputError):
    """A form or an address does not hold what it has to; `field` in its metadata names where."""

    reason = "INVALID_FORM"


def error_page(request: Request, error: Exception, *, template: str = "error.html", **context: object) -> Response:
    """The answer to a request that failed: a page or, for who wants it, JSON; sign-in for who is not signed in.

    A screen that has more to say of an error (what changed, the note that was typed) gives its own `template`, which
    finds `error`, `meaning`, `seconds`, `trace_id` and `right` beside its own `context`.
    """
    meaning = meaning_of(error)
    trace_id: str = request.state.trace_id
    if meaning.status >= UNEXPECTED.status:
        _write_down(error, trace_id)
    seconds = error.metadata.get("seconds") if isinstance(error, TooManyAttemptsError) else meaning.retry
    response: Response
    if wants_json(request):
        response = JSONResponse({"error": _told(error, meaning, trace_id)}, meaning.status)
    elif isinstance(error, NotSignedInError):
        response = RedirectResponse(sign_in_path(request), 303)
    else:
        about = {"error": error, "meaning": meaning, "seconds": seconds, "right": _right(error), "trace_id": trace_id}
        response = render(request, template, status=meaning.status, **about, **context)
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Session realm="desk"'
    return response


def wants_json(request: Request) -> bool:
    """Whether JSON is asked for rather than a page."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def answer_error(request: Request, error: Exception) -> Response:
    """The answer to any exception that a route raised. Runs in a thread: it may look up who asks."""
    return error_page(request, _in_our_words(error))


async def answer_anything(request: Request, error: Exception) -> Response:
    """The answer to an exception that nothing else has caught; even where no page can be made."""
    try:
        return await run_in_threadpool(answer_error, request, error)
    except Exception as second:
        _write_down(second, request.state.trace_id)
        text = f"<!doctype html><html lang=en><title>500</title><p>500: {request.state.trace_id}"
        return HTMLResponse(text, UNEXPECTED.status)


def _in_our_words(error: Exception) -> Exception:
    """What the framework raises, as errors of our own."""
    if isinstance(error, HTTPException):
        if error.status_code == 404:
            return UnknownPageError("there is no such page")
        if error.status_code == 405:
            return WrongMethodError("this page does not take this method")
        return FormError("the request cannot be read")
    if isinstance(error, RequestValidationError):
        places = [tuple(map(str, problem["loc"])) for problem in error.errors()]
        if any(place[0] == "path" for place in places):
            return UnknownPageError("there is no such page")
        return FormError("the form cannot be used", metadata={"field": ", ".join(place[-1] for place in places)})
    return error


def _right(error: Exception) -> str:
    """What the right that is missing is called; empty for other errors."""
    return RIGHT_WORDS[Right(error.metadata["right"])] if isinstance(error, MissingRightError) else ""


def _told(error: Exception, meaning: Meaning, trace_id: str) -> dict[str, object]:
    if meaning is UNEXPECTED or not isinstance(error, MpiError):
        return {"reason": "UNEXPECTED", "message": UNEXPECTED.heading, "metadata": {}, "trace_id": trace_id}
    return {"reason": error.reason, "message": str(error), "metadata": error.metadata, "trace_id": trace_id}


def _write_down(error: Exception, trace_id: str) -> None:
    """Logs where in our own code it happened, not what the exception says, which may hold a person's data."""
    frames = [(Path(frame.filename), frame) for frame in traceback.extract_tb(error.__traceback__)]
    own = [(path, frame) for path, frame in frames if _HOME in path.parents and "site-packages" not in path.parts]
    way = " < ".join(f"{frame.name} ({path.relative_to(_HOME)}:{frame.lineno})" for path, frame in reversed(own))
    state = error.metadata.get("sqlstate") if isinstance(error, MpiError) else None
    _log.error("trace %s: %s%s in %s", trace_id, type(error).__name__, f" (SQLSTATE {state})" if state else "", way)
