"""The queue: what waits, what is one's own, and the way to the next task.

What somebody chose to see travels in the address and in every form of a task, so that "next" stays within it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.errors import InvalidInputError
from mpi.domain.review import Actor, TaskKind
from mpi.services.stewardship import adjudicate, review_queue
from mpi.services.stewardship.adjudicate import Standing
from mpi.services.stewardship.review_queue import TaskFilter
from reviewer_ui.access import SignedInVisit
from reviewer_ui.forms import Number
from reviewer_ui.languages import message
from reviewer_ui.pages import render
from reviewer_ui.wiring import DeskServices, desk

ROUTER = APIRouter()

PAGE = 50

AGE_WORDS: Mapping[int, str] = {
    0: message("any age"),
    1: message("more than a day"),
    7: message("more than a week"),
    30: message("more than a month"),
}
"""Ages to choose from, by the days that a task has waited at least."""


class Choice(BaseModel):
    """What somebody wants to see of the queue: one kind or all, their own, and at least so many days old."""

    kind: Annotated[TaskKind | None, BeforeValidator(lambda kind: kind or None)] = None
    mine: bool = False
    days: int = Field(0, ge=0, le=3650)

    def query(self, **more: object) -> str:
        """The choice as the query of an address, with "?" in front, or nothing where everything is wanted."""
        chosen = {"kind": self.kind, "mine": int(self.mine) or None, "days": self.days or None, **more}
        text = urlencode({name: value for name, value in chosen.items() if value is not None})
        return f"?{text}" if text else ""

    @property
    def choice(self) -> "Choice":
        """The choice alone, of what holds more."""
        return Choice(kind=self.kind, mine=self.mine, days=self.days)

    def wanted(self) -> TaskFilter:
        """The choice as the service takes it."""
        since = datetime.now(UTC) - timedelta(days=self.days)
        return TaskFilter(
            kinds=() if self.kind is None else (self.kind,),
            claimed_by_me=self.mine,
            opened_before=since.isoformat(timespec="microseconds") if self.days else None,
        )


class Told(Choice):
    """What a page is told in its address: what became of the task before. Words and numbers only."""

    done: Number | None = None
    said: Literal["same", "different", "unsure", "escalate", "skipped", "undone", "gold"] | None = None
    now: Standing | None = None
    why: Annotated[str, Field(max_length=100, pattern="^[a-z_,]*$")] = ""


class QueuePage(Told):
    """Which part of the queue: behind a task, by its priority and number."""

    behind: Annotated[str, Field(max_length=60, pattern=r"^([0-9.e+-]+_[0-9]{1,18})?$")] = ""

    def place(self) -> tuple[float, int] | None:
        """The place in the queue. Raises InvalidInputError."""
        if not self.behind:
            return None
        priority, _, task_id = self.behind.partition("_")
        try:
            return float(priority), int(task_id)
        except ValueError:
            raise InvalidInputError("there is no such place in the queue", metadata={"field": "behind"}) from None


class Chosen(Choice):
    """A choice in a form, and the task that is left behind."""

    after: Number | None = None


@ROUTER.get("/queue")
def queue(request: Request, visit: SignedInVisit, told: Annotated[QueuePage, Query()]) -> Response:
    """Open tasks, the most urgent first."""
    services, choice = desk(request), told.choice
    page = review_queue.list_tasks(services.registry, visit.actor, choice.wanted(), page_size=PAGE, after=told.place())
    return render(
        request,
        "queue.html",
        choice=choice,
        told=told,
        tasks=page.tasks,
        total=page.total,
        behind=None if page.next_after is None else "{}_{}".format(*page.next_after),
        counts=review_queue.counts(services.registry, visit.actor),
        ages=AGE_WORDS,
        last=adjudicate.last_act(services.registry, visit.actor),
    )


@ROUTER.post("/tasks/next")
def next_task(request: Request, visit: SignedInVisit, chosen: Annotated[Chosen, Form()]) -> Response:
    """Take the most urgent task that nobody else has."""
    return to_next(desk(request), visit.actor, chosen, after=chosen.after)


def to_next(
    services: DeskServices, actor: Actor, choice: Choice, *, after: int | None, **told: object
) -> RedirectResponse:
    """The way to the next task behind one, or to the queue where nothing waits; `told` are words for that page."""
    # what is one's own is what one has left open: the next task is never among it
    wanted = replace(choice.wanted(), claimed_by_me=False)
    found = review_queue.claim_next(services.registry, actor, wanted, after=after)
    plain = Choice(kind=choice.kind, days=choice.days)
    path = "/queue" if found is None else f"/tasks/{found.task_id}"
    return RedirectResponse(path + plain.query(**told), 303)
