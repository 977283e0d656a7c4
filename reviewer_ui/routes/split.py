"""Records that leave a person: the preview, which always comes first, and the split or move itself.

What is refused gives the choice back with the note, and says what changed or what stands in the way.
"""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.errors import (
    ContradictionError,
    InvalidInputError,
    MpiError,
    NotFoundError,
    StaleVersionError,
    UnknownRecordError,
    UnknownSourceSystemError,
)
from mpi.domain.review import Right
from mpi.services.access import require
from mpi.services.resolution import PersonChange
from mpi.services.stewardship.rearrange import SplitPreview, SplitRequest, preview_split, split_person
from mpi.services.stewardship.review_queue import ReviewTask
from reviewer_ui import cluster_words as words
from reviewer_ui.access import SignedInVisit, Visit
from reviewer_ui.calls import decode, encode, writing_call
from reviewer_ui.contradictions import path_steps
from reviewer_ui.forms import RequestId
from reviewer_ui.pages import new_request_id, render
from reviewer_ui.routes.cluster import ChoiceForm, Problem, cluster_page, problem_of, shown_of, task_of
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

_VERB = "split"


class SplitForm(ChoiceForm):
    """The form of a preview: the choice again, and the id under which it is done once."""

    request_id: RequestId


@ROUTER.post("/people/{enterprise_id}/split/preview")
def preview(
    request: Request, visit: SignedInVisit, enterprise_id: str, form: Annotated[ChoiceForm, Form()]
) -> Response:
    """What it would do if the chosen records left; nothing is changed."""
    require(visit.actor, Right.CHANGE_PEOPLE)
    if form.how == "move" and not form.into.strip():
        return _again(request, visit, enterprise_id, form, words.GIVE_ID)
    return _preview_page(request, visit, enterprise_id, form)


@ROUTER.post("/people/{enterprise_id}/split")
@ROUTER.post("/people/{enterprise_id}/move")
def split(request: Request, visit: SignedInVisit, enterprise_id: str, form: Annotated[SplitForm, Form()]) -> Response:
    """Do what was previewed; then the person that is left, with a word about what was done."""
    services, into = desk(request), form.into.strip() or None
    wanted = SplitRequest(enterprise_id, form.keys, into, form.reason, form.seen_revision)
    call = writing_call(
        _VERB, visit.actor, form.request_id, enterprise_id, form.record, into, form.reason, form.seen_revision
    )
    try:
        answer = split_person(services.registry, services.rules, visit.actor, call, wanted, encode)
    except (StaleVersionError, ContradictionError) as error:
        problem, status = problem_of(error)
        return _preview_page(request, visit, enterprise_id, form, problem=problem, status=status)
    told = decode(answer)
    others = told.who(PersonChange.CREATED, PersonChange.LINKED)
    about = {"done": told.kind, "with": others[0] if others else "", "decision": told.decision_id}
    return RedirectResponse(f"/people/{quote(enterprise_id)}/cluster?{urlencode(about)}", 303)


def refused_answer(
    request: Request, visit: Visit, task: ReviewTask, *, records: list[str], comment: str, error: MpiError
) -> Response:
    """The preview again, where a task's answer by which records leave is refused: with the choice and the note, and
    what changed or stands in the way. The task must show whose records it asks about."""
    assert task.enterprise_id_a is not None
    form = ChoiceForm(record=records, reason=comment, task=task.task_id)
    problem, status = problem_of(error)
    return _preview_page(request, visit, task.enterprise_id_a, form, problem=problem, status=status)


def _preview_page(
    request: Request,
    visit: Visit,
    enterprise_id: str,
    form: ChoiceForm,
    *,
    problem: Problem | None = None,
    status: int = 200,
) -> Response:
    """The preview; where none can be made of the choice, the choice again."""
    services, into = desk(request), form.into.strip() or None
    task = task_of(request, visit, form.task)
    try:
        seen = preview_split(services.registry, services.rules, visit.actor, enterprise_id, form.keys, into)
    except (InvalidInputError, NotFoundError, StaleVersionError) as error:
        return _refused(request, visit, enterprise_id, form, error, problem)
    return render(
        request,
        "split.html",
        status=status,
        person=seen.staying_id if into else seen.staying_id or seen.leaving_id,
        preview=seen,
        told=_told(seen, into),
        into=into or "",
        task=task,
        reason=form.reason,
        path=[] if problem else path_steps(seen.contradiction or ""),
        problem=problem,
        done=None,
        request_id=new_request_id(),
    )


def _told(seen: SplitPreview, into: str | None) -> list[str]:
    """The source systems whose records change their person."""
    moved = seen.leaving if into or seen.leaving_id is None else seen.staying
    return sorted({key.source_system for key in moved})


def _refused(
    request: Request, visit: Visit, enterprise_id: str, form: ChoiceForm, error: MpiError, before: Problem | None
) -> Response:
    """The choice again, with the reason why no preview can be made of it."""
    if isinstance(error, StaleVersionError) or before is not None:
        problem, status = problem_of(error) if before is None else (before, 409)
        shown = shown_of(request, visit, form, problem=problem)
        return cluster_page(request, visit, enterprise_id, shown, status=status)
    if isinstance(error, UnknownRecordError | UnknownSourceSystemError) or error.metadata.get("field") == "records":
        return _again(request, visit, enterprise_id, form, words.CHOOSE_SOME)
    if form.into.strip():
        return _again(request, visit, enterprise_id, form, words.GIVE_ID)
    raise error


def _again(request: Request, visit: Visit, enterprise_id: str, form: ChoiceForm, sentence: str) -> Response:
    problem = Problem(words.NOT_YET, sentence)
    return cluster_page(request, visit, enterprise_id, shown_of(request, visit, form, problem=problem), status=400)
