"""Templates to answers. Every template knows who asks, in which language, and what they may do."""

import uuid
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mpi.domain.errors import RegistryError
from mpi.domain.review import Right
from mpi.services.keyboard import keys_of
from reviewer_ui import assets, languages, present
from reviewer_ui.access import Visit, known_visit

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(present.SHARED, static=assets.address, new_request_id=new_request_id)
    return made


def new_request_id() -> str:
    """A request id for one form: sent twice, it does one thing."""
    return str(uuid.uuid4())


def language_of(request: Request, visit: Visit | None) -> str:
    """The language to answer in."""
    account = None if visit is None else visit.account.language
    cookie = request.cookies.get(languages.COOKIE)
    return languages.choose(account, cookie, request.headers.get("accept-language"))


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """The page that a template makes of some values.

    Beside these it finds: `actor` (None where nobody is signed in), `account`, `may(right)`, `csrf`, `keys` (action to
    KeyboardEvent.code, "" for off), `language`, `words` (dates and numbers), `_` and `t` (one message), `ngettext`,
    `static(name)`, `new_request_id()`, `request`, `page_path` (where to get this page, if the answer to a form says),
    and the tables of words of present.py.
    """
    visit = _visit(request)
    words = languages.catalogues()[language_of(request, visit)]
    known: dict[str, Any] = {
        "request": request,
        "page_path": None,
        "actor": None if visit is None else visit.actor,
        "account": None if visit is None else visit.account,
        "may": lambda right: visit is not None and visit.actor.may(Right(right)),
        "csrf": "" if visit is None else visit.csrf_token,
        "keys": keys_of({} if visit is None else visit.account.keyboard),
        "language": words.language,
        "words": words,
        "_": words.gettext,
        "t": words.gettext,
        "ngettext": words.ngettext,
    }
    page = _environment().get_template(template).render({**known, **context})
    return HTMLResponse(page, status, {"Content-Language": words.language, "Vary": "Cookie, Accept-Language"})


def _visit(request: Request) -> Visit | None:
    """Who asks; nobody where the registry cannot say, so that the page which tells that can be made."""
    try:
        return known_visit(request)
    except RegistryError:
        request.state.visit = None
        return None
