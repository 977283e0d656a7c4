"""Two people to become one: the preview, which always comes first, and the merge itself.

What is refused gives the preview back with the note, and says what changed or what stands in the way.
"""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.errors import (
    ContradictionError,
    InvalidInputError,
    MpiError,
    NotFoundError,
    StaleVersionError,
)
from mpi.domain.review import RevealReason, Right
from mpi.services.access import require
from mpi.services.desk.reveal import reveal
from mpi.services.stewardship.rearrange import MergePreview, MergeRequest, merge_persons, preview_merge
from reviewer_ui import people_words as words
from reviewer_ui.access import SignedInVisit, Visit
from reviewer_ui.calls import decode, encode, writing_call
from reviewer_ui.contradictions import path_steps
from reviewer_ui.forms import Number, RequestId, Text
from reviewer_ui.pages import new_request_id, render
from reviewer_ui.routes.cluster import Problem, problem_of
from reviewer_ui.side_by_side import Revealed, side_by_side
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

_VERB = "merge"
_LONGEST_ID = 40
_NO_PREVIEW = (InvalidInputError, NotFoundError, StaleVersionError)


@dataclass(frozen=True, slots=True)
class _Clear:
    """What is shown in clear, and why somebody asked for it."""

    values: Revealed = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    why: RevealReason = RevealReason.COMPARE


@ROUTER.get("/merge")
def preview(
    request: Request,
    visit: SignedInVisit,
    a: Annotated[str, Query(max_length=_LONGEST_ID)] = "",
    b: Annotated[str, Query(max_length=_LONGEST_ID)] = "",
) -> Response:
    """What a merge of two people would do; nothing is changed."""
    require(visit.actor, Right.CHANGE_PEOPLE)
    return _page(request, visit, (a.strip(), b.strip()))


@ROUTER.post("/merge/reveal")
def reveal_field(
    request: Request,
    visit: SignedInVisit,
    a: Annotated[str, Form(max_length=_LONGEST_ID)],
    b: Annotated[str, Form(max_length=_LONGEST_ID)],
    show: Annotated[str, Form(max_length=100)],
    shown: Annotated[list[str] | None, Form()] = None,
    why: Annotated[RevealReason, Form()] = RevealReason.COMPARE,
) -> Response:
    """The preview with one more field in clear."""
    services = desk(request)
    seen = preview_merge(services.registry, services.rules, visit.actor, (a, b))
    golden = [each for side in (seen.survivor, seen.superseded) for each in side.golden.survivors]
    known = {each.field for each in golden}
    fields = [each for each in dict.fromkeys((*(shown or ()), show)) if each in known]
    keys = list(dict.fromkeys(each.key for each in golden if each.field in fields))
    found = reveal(services.registry, visit.actor, keys, fields, reason=why)
    return _page(request, visit, (a, b), seen=seen, clear=_Clear(found.values, tuple(fields), why))


@ROUTER.post("/merge")
def merge(
    request: Request,
    visit: SignedInVisit,
    a: Annotated[str, Form(max_length=_LONGEST_ID)],
    b: Annotated[str, Form(max_length=_LONGEST_ID)],
    request_id: Annotated[RequestId, Form()],
    seen_revision: Annotated[Number, Form()],
    reason: Annotated[Text, Form()] = "",
) -> Response:
    """Do what was previewed, or ask a second reader; then the person who stays."""
    services = desk(request)
    call = writing_call(_VERB, visit.actor, request_id, a, b, reason, seen_revision)
    wanted = MergeRequest((a, b), reason, seen_revision)
    try:
        answer = merge_persons(services.registry, services.rules, visit.actor, call, wanted, encode)
    except (StaleVersionError, ContradictionError) as error:
        problem, status = problem_of(error)
        return _page(request, visit, (a, b), reason=reason, problem=problem, status=status)
    told = decode(answer)
    if not told.is_applied:
        return RedirectResponse(f"/people/{a}?{urlencode({'done': 'second', 'task': told.task_id})}", 303)
    return RedirectResponse(f"/people/{a}?{urlencode({'done': 'merged', 'decision': told.decision_id})}", 303)


def _page(
    request: Request,
    visit: Visit,
    ids: tuple[str, str],
    *,
    reason: str = "",
    problem: Problem | None = None,
    status: int = 200,
    seen: MergePreview | None = None,
    clear: _Clear | None = None,
) -> Response:
    """The preview, or where there can be none the form for the two IDs with the reason why."""
    services = desk(request)
    if seen is None and all(ids):
        try:
            seen = preview_merge(services.registry, services.rules, visit.actor, ids)
        except _NO_PREVIEW as error:
            problem, status = (problem, status) if problem is not None else _told(error)
    clear = clear or _Clear()
    sides = () if seen is None else (seen.survivor.golden, seen.superseded.golden, seen.golden_after)
    return render(
        request,
        "merge.html",
        status=status,
        **words.SHARED,
        ids=ids,
        preview=seen,
        rows=side_by_side(services.rules.model, sides, clear.values),
        shown=clear.fields,
        why=clear.why,
        path=[] if seen is None or problem is not None else path_steps(seen.contradiction or ""),
        problem=problem,
        done=None,
        reason=reason,
        request_id=new_request_id(),
        page_path=f"/merge?{urlencode({'a': ids[0], 'b': ids[1]})}",
    )


def _told(error: MpiError) -> tuple[Problem, int]:
    """Why there is no preview of two IDs."""
    problem, status = problem_of(error)
    if isinstance(error, InvalidInputError):
        return Problem(words.TWO_PEOPLE, words.CHECK_IDS), status
    return problem, status
