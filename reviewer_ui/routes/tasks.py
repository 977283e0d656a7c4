"""One review task: taken, looked at, answered, given back; and undo. After an answer the next task follows at once.

Two records are shown side by side whatever the question; nothing personal is in an address.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.errors import (
    ContradictionError,
    MpiError,
    OwnReadingError,
    StaleVersionError,
    TaskClaimedError,
    TaskClosedError,
    UndoBlockedError,
)
from mpi.domain.review import RevealReason, Verdict
from mpi.services.stewardship import adjudicate, gold, review_queue
from mpi.services.stewardship.adjudicate import DecisionRequest
from mpi.services.stewardship.task_ending import task_ending
from reviewer_ui import calls
from reviewer_ui.access import SignedInVisit, Visit, own_path
from reviewer_ui.contradictions import path_steps
from reviewer_ui.errors import error_page
from reviewer_ui.forms import LARGEST, Number, Text, record_named
from reviewer_ui.meanings import meaning_of
from reviewer_ui.pages import render
from reviewer_ui.pair_page import Opening, pair_page
from reviewer_ui.routes import split
from reviewer_ui.routes.queue import Choice, Told, to_next
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

ESCALATE = "escalate"
MOST_SECONDS = 86_400.0

TaskNumber = Annotated[int, Path(ge=1, le=LARGEST)]

_NOT_MINE = (TaskClosedError, TaskClaimedError, OwnReadingError)
_CONFLICTS = (StaleVersionError, ContradictionError)


class TaskForm(Choice):
    """What every form of the page holds: the note typed so far, and the rows that are open."""

    comment: Text = ""
    open: list[str] = Field(default_factory=list)
    reveal_reason: RevealReason = RevealReason.COMPARE


class AnswerForm(TaskForm):
    """An answer. `record` names those that leave a person who is found to be two, as "source:id"."""

    verdict: Literal["same", "different", "unsure", "escalate"]
    expected_version: Number
    seen_revision: Number
    request_id: UUID
    seconds: float | None = Field(None, ge=0, le=MOST_SECONDS)
    blind: bool = False
    record: list[str] = Field(default_factory=list, max_length=500)


class RevealForm(TaskForm):
    """Which rows to open: one by its column, or all of some."""

    column: list[str]


class UndoForm(BaseModel):
    """What to take back: a decision or a reading; `back` is a page to return to instead of the task's."""

    request_id: UUID
    decision_id: Number | None = None
    task_id: Number | None = None
    back: str | None = Field(None, max_length=2048)


@ROUTER.get("/tasks/{task_id}")
def show(request: Request, visit: SignedInVisit, task_id: TaskNumber, told: Annotated[Told, Query()]) -> Response:
    """Take a task and look at it."""
    return _shown(request, visit, task_id, choice=told, told=told)


@ROUTER.post("/tasks/{task_id}/claim")
def claim(request: Request, visit: SignedInVisit, task_id: TaskNumber, form: Annotated[TaskForm, Form()]) -> Response:
    """Try to take a task that somebody else had; the note is kept."""
    return _shown(request, visit, task_id, choice=form, comment=form.comment)


@ROUTER.post("/tasks/{task_id}/reveal")
def reveal(
    request: Request, visit: SignedInVisit, task_id: TaskNumber, form: Annotated[RevealForm, Form()]
) -> Response:
    """Open rows; those that were open stay so."""
    opening = Opening([*form.open, *form.column], form.reveal_reason)
    return _shown(
        request, visit, task_id, choice=form, comment=form.comment, opening=opening, just_opened=form.column[0]
    )


@ROUTER.post("/tasks/{task_id}/release")
def release(request: Request, visit: SignedInVisit, task_id: TaskNumber, form: Annotated[TaskForm, Form()]) -> Response:
    """Skip a task: somebody else may have it, and the next one follows."""
    services = desk(request)
    review_queue.release(services.registry, visit.actor, task_id)
    return to_next(services, visit.actor, form, after=task_id, done=task_id, said="skipped")


@ROUTER.post("/tasks/{task_id}/decide")
def decide(
    request: Request, visit: SignedInVisit, task_id: TaskNumber, form: Annotated[AnswerForm, Form()]
) -> Response:
    """Answer a task; the next one follows. What changed meanwhile is shown, and the note stays."""
    services = desk(request)
    asked = DecisionRequest(
        task_id=task_id,
        verdict=None if form.verdict == ESCALATE else Verdict(form.verdict),
        comment=form.comment,
        expected_version=form.expected_version,
        seen_revision=form.seen_revision,
        seconds=form.seconds,
        records=tuple(map(record_named, form.record)),
    )
    said = form.model_dump(mode="json", exclude={"request_id"})
    call = calls.writing_call("decide", visit.actor, str(form.request_id), task_id, sorted(said.items()))
    try:
        answer = adjudicate.decide(services.registry, services.rules, visit.actor, call, asked, calls.encode)
    except _NOT_MINE as error:
        return _not_mine(request, visit, error, task_id, choice=form, comment=form.comment)
    except _CONFLICTS as error:
        if form.record:
            return _choice_refused(request, visit, task_id, form, error)
        return _shown(request, visit, task_id, choice=form, comment=form.comment, problem=error)
    done = calls.decode(answer)
    told = {} if form.blind else {"now": done.standing, "why": ",".join(done.second_reasons) or None}
    return to_next(services, visit.actor, form, after=task_id, done=task_id, said=form.verdict, **told)


@ROUTER.post("/tasks/{task_id}/gold")
def use_as_gold(request: Request, visit: SignedInVisit, task_id: TaskNumber) -> Response:
    """Let the pair of a settled task test other readers."""
    gold.add_gold(desk(request).registry, visit.actor, task_id)
    return RedirectResponse(f"/queue?done={task_id}&said=gold", 303)


@ROUTER.post("/undo")
def undo(request: Request, visit: SignedInVisit, form: Annotated[UndoForm, Form()]) -> Response:
    """Take a decision or a reading back; its question is asked again."""
    services = desk(request)
    call = calls.writing_call("undo", visit.actor, str(form.request_id), form.decision_id, form.task_id)
    try:
        answer = adjudicate.undo(
            services.registry,
            services.rules,
            visit.actor,
            call,
            decision_id=form.decision_id,
            task_id=None if form.decision_id is not None else form.task_id,
            encode=calls.encode,
        )
    except UndoBlockedError as error:
        return error_page(
            request,
            error,
            template="task_problem.html",
            task_id=None,
            ending=None,
            choice=Choice(),
            comment="",
            page_path="/queue",
        )
    task_id = calls.decode(answer).task_id
    if form.back:
        return RedirectResponse(own_path(form.back), 303)
    path = "/queue" if task_id is None else f"/tasks/{task_id}"
    return RedirectResponse(path + Choice().query(done=task_id, said="undone"), 303)


def _shown(
    request: Request,
    visit: Visit,
    task_id: int,
    *,
    choice: Choice,
    comment: str = "",
    opening: Opening | None = None,
    problem: MpiError | None = None,
    **more: Any,
) -> Response:
    """The page of a task that is taken, or kept, by showing it."""
    services = desk(request)
    try:
        task = review_queue.claim(services.registry, visit.actor, task_id)
    except _NOT_MINE as error:
        return _not_mine(request, visit, error, task_id, choice=choice, comment=comment)
    if task.record_b is None:
        path = "/queue" if task.enterprise_id_a is None else f"/people/{task.enterprise_id_a}/cluster?task={task_id}"
        return RedirectResponse(path, 303)
    meaning = None if problem is None else meaning_of(problem)
    context = {"told": None, "just_opened": None, **more}
    return render(
        request,
        "pair.html",
        status=200 if meaning is None else meaning.status,
        page=pair_page(services, visit.actor, task, opening),
        choice=choice,
        comment=comment,
        problem=problem,
        meaning=meaning,
        path=[] if problem is None else path_steps(problem.metadata.get("path", "")),
        reveal_reason=RevealReason.COMPARE if opening is None else opening.reason,
        page_path=f"/tasks/{task_id}{choice.choice.query()}",
        **context,
    )


def _choice_refused(request: Request, visit: Visit, task_id: int, form: AnswerForm, error: MpiError) -> Response:
    """What stands in the way of a choice of records that leave; it is kept with the note."""
    task = review_queue.task(desk(request).registry, visit.actor, task_id)
    if task.enterprise_id_a is None:
        return _shown(request, visit, task_id, choice=form, comment=form.comment, problem=error)
    return split.refused_answer(request, visit, task, records=form.record, comment=form.comment, error=error)


def _not_mine(
    request: Request, visit: Visit, error: MpiError, task_id: int, *, choice: Choice, comment: str
) -> Response:
    """Why a task cannot be answered, the note that was typed, and the way to the next one."""
    return error_page(
        request,
        error,
        template="task_problem.html",
        task_id=task_id,
        ending=task_ending(desk(request).registry, visit.actor, task_id),
        choice=choice.choice,
        comment=comment,
        page_path=f"/tasks/{task_id}",
    )
