"""One person: who it is held to be and why, its records, its past, and another ID given back.

Addresses hold enterprise IDs, revisions and days: nothing of a person.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mpi.domain.entries import EntryKind
from mpi.domain.errors import ContradictionError, InvalidInputError, StaleVersionError, UndoBlockedError
from mpi.domain.records import RecordKey, in_reading_order
from mpi.domain.review import Actor, RevealReason
from mpi.services.desk.person_view import MOST_PAGES, PersonAsked, PersonPage, person_page
from mpi.services.desk.reveal import reveal
from mpi.services.stewardship.rearrange import UnmergeRequest, unmerge_persons
from mpi.services.stewardship.unmerge_preview import preview_unmerge
from reviewer_ui import people_words as words
from reviewer_ui.access import SignedInVisit, Visit
from reviewer_ui.calls import decode, encode, writing_call
from reviewer_ui.contradictions import path_steps
from reviewer_ui.forms import LARGEST, Number, RequestId, Text
from reviewer_ui.languages import CITY
from reviewer_ui.pages import new_request_id, render
from reviewer_ui.routes.cluster import Problem, problem_of
from reviewer_ui.side_by_side import side_by_side
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

_UNMERGE_VERB = "unmerge"
_HIDDEN_COLUMNS = frozenset({"address", "recorded_at"})
"""Columns that the table of records leaves to the records side by side, for want of room, or has by itself."""


class PersonQuery(BaseModel):
    """What an address of a person may ask for: a moment, entries of a kind and which page of them, and what was done
    just before."""

    revision: str = Field("", max_length=20)
    date: str = Field("", max_length=10)
    kind: str = Field("", max_length=40)
    page: int = Field(1, ge=1, le=MOST_PAGES)
    done: str = Field("", max_length=20)
    decision: Number | None = None
    task: Number | None = None


@ROUTER.get("/people/{enterprise_id}")
def person(
    request: Request, visit: SignedInVisit, enterprise_id: str, wanted: Annotated[PersonQuery, Query()]
) -> Response:
    """The person today, or as of a revision or the end of a day."""
    services, moment = desk(request), _moment(wanted.date)
    asked = PersonAsked(enterprise_id, _revision(wanted.revision), moment, _kind(wanted.kind), wanted.page)
    found = person_page(services.registry, services.rules, visit.actor, asked)
    return _page(request, visit, asked, found, wanted=wanted)


@ROUTER.post("/people/{enterprise_id}/reveal")
def reveal_field(
    request: Request,
    visit: SignedInVisit,
    enterprise_id: str,
    show: Annotated[str, Form(max_length=100)],
    shown: Annotated[list[str] | None, Form()] = None,
    why: Annotated[RevealReason, Form()] = RevealReason.COMPARE,
) -> Response:
    """The page with one more field in clear, for all records shown; a page that is loaded anew is masked again."""
    services, asked = desk(request), PersonAsked(enterprise_id)
    found = person_page(services.registry, services.rules, visit.actor, asked)
    known = {golden.field for golden in found.golden}
    fields = [field for field in dict.fromkeys((*(shown or ()), show)) if field in known]
    keys = [record.key for record in found.records]
    seen = reveal(services.registry, visit.actor, keys, fields, reason=why)
    return _page(request, visit, asked, found, revealed=seen.values, shown=fields, why=why)


@ROUTER.get("/people/{enterprise_id}/unmerge")
def unmerge_page(request: Request, visit: SignedInVisit, enterprise_id: str) -> Response:
    """What would happen if a merged person got its ID back; nothing is changed."""
    return _unmerge_page(request, visit, enterprise_id)


@ROUTER.post("/people/{enterprise_id}/unmerge")
def unmerge(
    request: Request,
    visit: SignedInVisit,
    enterprise_id: str,
    request_id: Annotated[RequestId, Form()],
    seen_revision: Annotated[Number, Form()],
    reason: Annotated[Text, Form()] = "",
) -> Response:
    """Give it back; then the person who has it."""
    services = desk(request)
    wanted = UnmergeRequest(enterprise_id, reason, seen_revision)
    call = writing_call(_UNMERGE_VERB, visit.actor, request_id, enterprise_id, reason, seen_revision)
    try:
        answer = unmerge_persons(services.registry, services.rules, visit.actor, call, wanted, encode)
    except (StaleVersionError, ContradictionError, UndoBlockedError) as error:
        problem, status = problem_of(error)
        return _unmerge_page(request, visit, enterprise_id, problem=problem, reason=reason, status=status)
    about = {"done": "unmerged", "decision": decode(answer).decision_id}
    return RedirectResponse(f"/people/{enterprise_id}?{urlencode(about)}", 303)


def _page(
    request: Request,
    visit: Visit,
    asked: PersonAsked,
    found: PersonPage,
    *,
    wanted: PersonQuery | None = None,
    revealed: Mapping[RecordKey, Mapping[str, str]] | None = None,
    shown: Sequence[str] = (),
    why: RevealReason = RevealReason.COMPARE,
) -> Response:
    return render(
        request,
        "person.html",
        **words.SHARED,
        day=wanted.date if wanted and asked.time else "",
        done=wanted.done if wanted and wanted.done in words.DONE_WORDS else "",
        decision=wanted.decision if wanted else None,
        task=wanted.task if wanted else None,
        page=found,
        page_path=f"/people/{found.enterprise_id}",
        direct={each.enterprise_id for each in found.leading if each.through == found.enterprise_id},
        columns=_columns(found),
        undoable=_own_decisions(found, visit.actor),
        revision=asked.revision,
        kind=asked.kind,
        revealed=revealed or {},
        shown=list(shown),
        why=why,
    )


def _unmerge_page(
    request: Request,
    visit: Visit,
    enterprise_id: str,
    *,
    problem: Problem | None = None,
    reason: str = "",
    status: int = 200,
) -> Response:
    services = desk(request)
    preview = preview_unmerge(services.registry, services.rules, visit.actor, enterprise_id)
    return render(
        request,
        "unmerge.html",
        status=status,
        preview=preview,
        rows=side_by_side(services.rules.model, (side.golden for side in preview.sides)),
        path=path_steps(preview.contradiction or ""),
        problem=problem,
        done=None,
        reason=reason,
        request_id=new_request_id(),
        page_path=f"/people/{preview.enterprise_id}/unmerge",
    )


def _own_decisions(found: PersonPage, actor: Actor) -> set[int]:
    """The decisions about a person that somebody has made and that stand."""
    made = (event.decision for event in found.history if event.decision is not None)
    return {each.decision_id for each in made if each.made_by == actor.name and each.undone_by is None}


def _columns(found: PersonPage) -> list[str]:
    """The columns of the table of records: those that any has a value of, in the order in which people read them."""
    held = {column for record in found.records for column in record.values} - _HIDDEN_COLUMNS
    return in_reading_order(held)


def _revision(text: str) -> int | None:
    """A revision as it was typed; nothing where nothing was. Raises InvalidInputError."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or int(text) > LARGEST:
        raise InvalidInputError("a revision is a number", metadata={"field": "revision"})
    return int(text)


def _moment(day: str) -> datetime | None:
    """The end of a day on the city's clock; nothing for none, and for a day that has not ended. Raises
    InvalidInputError."""
    if not day:
        return None
    try:
        end = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), CITY)
    except (ValueError, OverflowError):
        raise InvalidInputError("this is no day", metadata={"field": "date"}) from None
    return None if end > datetime.now(UTC) else end - timedelta(microseconds=1)


def _kind(text: str) -> EntryKind | None:
    """A kind of entry; nothing for all. Raises InvalidInputError."""
    if not text:
        return None
    if text not in set(EntryKind):
        raise InvalidInputError("there are no entries of this kind", metadata={"field": "kind"})
    return EntryKind(text)
