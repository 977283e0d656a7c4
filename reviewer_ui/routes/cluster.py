"""One person's records on a screen, to be looked at together and chosen from. Nothing here changes anybody.

What was chosen is in the form, never in an address; pages of records hand it on to each other.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from mpi.domain.errors import MpiError
from mpi.domain.records import RecordKey
from mpi.domain.review import RevealReason
from mpi.services.desk.cluster_view import ClusterView, MemberPair, cluster_view
from mpi.services.desk.reveal import reveal
from mpi.services.stewardship.adjudicate import last_act
from mpi.services.stewardship.rearrange import propose_split
from mpi.services.stewardship.review_queue import ReviewTask
from mpi.services.stewardship.review_queue import task as find_task
from reviewer_ui import cluster_words as words
from reviewer_ui.access import SignedInVisit, Visit
from reviewer_ui.contradictions import Step, path_steps
from reviewer_ui.forms import Number, PageNumber, Text, record_named
from reviewer_ui.graph import draw
from reviewer_ui.meanings import Meaning, meaning_of
from reviewer_ui.pages import render
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

_ENTERPRISE_ID = re.compile(r"[0-9A-Z-]{1,20}")

PAIRS_AT_ONCE = 5
"""Rows of pairs that are open; the others wait behind a summary."""


class ChoiceForm(BaseModel):
    """What the form of the cluster holds: records as `source:id`, and what was typed beside them."""

    record: list[str] = []
    into: Text = ""
    reason: Text = ""
    seen_revision: Number = 0
    task: Number | None = None
    page: PageNumber = 1
    part: str = ""
    how: str = "split"
    shown: list[str] = []
    show: str = ""
    why: RevealReason = RevealReason.COMPARE

    @property
    def keys(self) -> tuple[RecordKey, ...]:
        """The records chosen. Raises InvalidInputError."""
        return tuple(dict.fromkeys(map(record_named, self.record)))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a choice did not go through: a heading and a sentence, what changed, and the path of what forbids it."""

    heading: str
    words: str
    changed: Sequence[str] = ()
    path: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: a sentence, the person whom the records came to, and the decision, so that it can be undone."""

    words: str
    person: str | None
    decision_id: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a cluster's page holds beside the person: the task it was opened from, the choice, what is revealed, and
    what went wrong or was done."""

    task: ReviewTask | None = None
    chosen: Collection[RecordKey] | None = None
    into: str = ""
    reason: str = ""
    page: int = 1
    problem: Problem | None = None
    done: Done | None = None
    revealed: Mapping[RecordKey, Mapping[str, str]] = field(default_factory=dict)
    revealed_columns: Sequence[str] = ()
    why: RevealReason = RevealReason.COMPARE


@ROUTER.get("/people/{enterprise_id}/cluster")
def cluster(
    request: Request,
    visit: SignedInVisit,
    enterprise_id: str,
    page: Annotated[PageNumber, Query()] = 1,
    task: Annotated[Number | None, Query()] = None,
    done: str = "",
    other: Annotated[str, Query(alias="with")] = "",
    decision: Annotated[Number | None, Query()] = None,
) -> Response:
    """The records of a person; opened from a task, those that the service would part are chosen.

    After a split it tells what was `done`, and with whom the records are that left.
    """
    shown = Shown(task=task_of(request, visit, task), page=page, done=_news(request, visit, done, other, decision))
    return cluster_page(request, visit, enterprise_id, shown)


@ROUTER.post("/people/{enterprise_id}/cluster")
def choose(request: Request, visit: SignedInVisit, enterprise_id: str, form: Annotated[ChoiceForm, Form()]) -> Response:
    """The same page with another choice, or another page of records with the same choice."""
    return cluster_page(request, visit, enterprise_id, shown_of(request, visit, form), part=form.part)


@ROUTER.post("/people/{enterprise_id}/cluster/reveal")
def reveal_rows(
    request: Request, visit: SignedInVisit, enterprise_id: str, form: Annotated[ChoiceForm, Form()]
) -> Response:
    """The page with some rows in clear: those that were, and one more."""
    services = desk(request)
    view = cluster_view(services.registry, services.rules, visit.actor, enterprise_id, page=form.page)
    columns = [name for name in (*form.shown, form.show) if name in {row.column for row in view.rows}]
    keys = [member.key for member in view.members]
    seen = reveal(services.registry, visit.actor, keys, columns, reason=form.why, task_id=form.task)
    shown = shown_of(request, visit, form, revealed=seen.values, revealed_columns=tuple(dict.fromkeys(columns)))
    return cluster_page(request, visit, enterprise_id, shown)


def cluster_page(
    request: Request, visit: Visit, enterprise_id: str, shown: Shown, *, part: str = "", status: int = 200
) -> Response:
    """The page of one person's records. `part` chooses anew: record numbers with commas, or "none"."""
    services, task = desk(request), shown.task
    asked = () if task is None else tuple(key for key in (task.record_a, task.record_b) if key is not None)
    view = cluster_view(services.registry, services.rules, visit.actor, enterprise_id, marked=asked, page=shown.page)
    chosen = _chosen(request, visit, view, shown, part)
    here = {member.key for member in view.members}
    hidden = view.weights_hidden or (task is not None and task.weight_hidden)
    pairs = _without_weights(view.pairs or ()) if hidden else view.pairs or ()
    return render(
        request,
        "cluster.html",
        status=status,
        view=view,
        drawing=None if hidden else draw(view),
        task=task,
        chosen={str(key) for key in chosen},
        chosen_numbers={member.number for member in view.members if member.key in chosen},
        chosen_elsewhere=[str(key) for key in chosen if key not in here] if view.pages > 1 else [],
        smaller_part=min(view.parts, key=len) if view.parts else (),
        first_pairs=pairs[:PAIRS_AT_ONCE],
        more_pairs=pairs[PAIRS_AT_ONCE:],
        hidden=hidden,
        into=shown.into,
        reason=shown.reason,
        problem=shown.problem,
        done=shown.done,
        revealed=shown.revealed,
        revealed_columns=shown.revealed_columns,
        why=shown.why,
        letters=words.LETTERS,
        strength_words=words.STRENGTH_WORDS,
    )


def task_of(request: Request, visit: Visit, task_id: int | None) -> ReviewTask | None:
    """The task that a cluster is opened from. Raises UnknownTaskError, MissingRightError."""
    return None if task_id is None else find_task(desk(request).registry, visit.actor, task_id)


def _news(request: Request, visit: Visit, done: str, other: str, decision: int | None) -> Done | None:
    """What was done. Undo is offered of the visitor's last decision alone: an address must not choose another."""
    said = words.DONE_WORDS.get(done)
    if said is None:
        return None
    last = last_act(desk(request).registry, visit.actor)
    mine = last is not None and last.decision_id == decision
    return Done(said, other if _ENTERPRISE_ID.fullmatch(other) else None, decision if mine else None)


def problem_of(error: MpiError) -> tuple[Problem, int]:
    """What to tell of an error, and its HTTP status."""
    meaning: Meaning = meaning_of(error)
    changed = [word for word in error.metadata.get("changed", "").split(",") if word]
    return Problem(meaning.heading, meaning.words, changed, path_steps(error.metadata.get("path", ""))), meaning.status


def shown_of(request: Request, visit: Visit, form: ChoiceForm, **more: Any) -> Shown:
    """What a form holds, to be shown again. Raises UnknownTaskError, InvalidInputError for records named wrongly."""
    return Shown(
        task=task_of(request, visit, form.task),
        chosen=form.keys,
        into=form.into,
        reason=form.reason,
        page=form.page,
        why=form.why,
        **more,
    )


def _chosen(request: Request, visit: Visit, view: ClusterView, shown: Shown, part: str) -> Collection[RecordKey]:
    """The records that are chosen: a part by its numbers, those of the form or, at first, the service's proposal."""
    if part == "none":
        return ()
    if part:
        numbers = set(part.split(","))
        return [member.key for member in view.members if str(member.number) in numbers]
    if shown.chosen is not None:
        return shown.chosen
    return _proposed(request, visit, view, shown.task)


def _proposed(request: Request, visit: Visit, view: ClusterView, task: ReviewTask | None) -> Collection[RecordKey]:
    """The smaller of the parts that the service makes of a person whom a task asks about; a second reader chooses
    alone."""
    if task is None or task.record_b is None or task.weight_hidden:
        return ()
    asked = (task.record_a, task.record_b)
    if not {member.key for member in view.members}.issuperset(asked):
        return ()
    services = desk(request)
    parts = propose_split(services.registry, services.rules, visit.actor, view.enterprise_id, *asked)
    return min(reversed(parts), key=len)


def _without_weights(pairs: Sequence[MemberPair]) -> Sequence[MemberPair]:
    """The pairs that a reader may see who must not see weights; neither which they are nor their order tells any."""
    return sorted((pair for pair in pairs if pair.conflicts or pair.judged), key=lambda pair: (pair.left, pair.right))
