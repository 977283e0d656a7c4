"""Search: a form whose text travels in the body alone, and what was found, masked."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.review import Right
from mpi.services.access import require
from mpi.services.desk.search import Answer, Question, Understood, search
from reviewer_ui import people_words as words
from reviewer_ui.access import SignedInVisit
from reviewer_ui.forms import Text
from reviewer_ui.pages import render
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

_COLUMNS = ("full_name", "birth_date", "sex", "ward_code", "address")


@ROUTER.get("/people")
def people(request: Request, visit: SignedInVisit) -> Response:
    """The form."""
    require(visit.actor, Right.LOOK_UP)
    return _page(request, Question(""), None)


@ROUTER.get("/search")
def search_address(visit: SignedInVisit) -> Response:
    """Somebody who loads the address of an answer again gets the form."""
    require(visit.actor, Right.LOOK_UP)
    return RedirectResponse("/people", 303)


@ROUTER.post("/search")
def found(
    request: Request,
    visit: SignedInVisit,
    text: Annotated[Text, Form()] = "",
    birth: Annotated[Text, Form()] = "",
    ward: Annotated[Text, Form()] = "",
) -> Response:
    """What was found; an enterprise ID leads straight to its person."""
    services, asked = desk(request), Question(text.strip(), birth.strip(), ward.strip())
    answer = search(services.registry, services.rules, visit.actor, asked)
    if answer.understood is Understood.ENTERPRISE_ID and answer.people:
        return RedirectResponse(f"/people/{answer.people[0].enterprise_id}", 303)
    return _page(request, asked, answer)


def _page(request: Request, asked: Question, answer: Answer | None) -> Response:
    known = set() if answer is None else {column for person in answer.people for column in person.values}
    return render(
        request,
        "people.html",
        asked=asked,
        answer=answer,
        columns=[column for column in _COLUMNS if column in known],
        understood_words=words.UNDERSTOOD_WORDS,
        problem_words=words.PROBLEM_WORDS,
        page_path="/people",
    )
