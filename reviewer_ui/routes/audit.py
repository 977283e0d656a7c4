"""The audit trail: filters, a page of events in words, and the same as a file.

An address may hold accounts, IDs, kinds and revisions. A record's own id may be a person's number with some source:
it travels in the body of a form alone.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mpi.domain.errors import InvalidInputError, MpiError, NotFoundError
from mpi.domain.records import RecordKey
from mpi.domain.review import Right
from mpi.services.access import require
from mpi.services.desk.audit_trail import KINDS, TrailFilter, trail, whole_trail
from mpi.services.desk.event_notes import NotedEvent
from reviewer_ui import people_words as words
from reviewer_ui.access import SignedInVisit, Visit
from reviewer_ui.forms import LARGEST, Number, record_named
from reviewer_ui.meanings import meaning_of
from reviewer_ui.pages import render
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

_A_PAGE = 50
_HEAD = (
    "revision",
    "recorded_at",
    "kind",
    "made_by",
    "steward",
    "enterprise_id",
    "other_enterprise_ids",
    "records",
    "decision",
    "decision_kind",
    "task",
    "run",
    "verdicts",
    "fields",
    "reveal_reason",
    "note",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TrailQuery(BaseModel):
    """The filters that an address may hold; empty ones ask for nothing."""

    steward: str = Field("", max_length=40)
    kind: str = Field("", max_length=40)
    person: str = Field("", max_length=40)
    first: str = Field("", max_length=20)
    last: str = Field("", max_length=20)
    by_people: bool = False
    before: Number | None = None

    def wanted(self) -> TrailFilter:
        """The filter. Raises InvalidInputError naming the field."""
        return TrailFilter(
            steward=self.steward.strip() or None,
            kinds=(self.kind,) if self.kind else (),
            enterprise_id=self.person.strip() or None,
            record=_typed_record(self.own_id),
            first=_revision("first", self.first),
            last=_revision("last", self.last),
            by_people=self.by_people,
        )

    @property
    def own_id(self) -> str:
        """The record that is asked about."""
        return ""

    def address(self) -> str:
        """The address of a page of the same filters."""
        given = self.model_dump(include=set(TrailQuery.model_fields), exclude_defaults=True)
        return f"/audit?{urlencode(given)}" if given else "/audit"


class TrailForm(TrailQuery):
    """All filters, as the form sends them."""

    record: str = Field("", max_length=300)

    @property
    def own_id(self) -> str:
        """The record that is asked about, as its source, a colon and its own id."""
        return self.record


@ROUTER.get("/audit")
def audit(request: Request, visit: SignedInVisit, asked: Annotated[TrailQuery, Query()]) -> Response:
    """A page of the trail."""
    return _page(request, visit, asked)


@ROUTER.post("/audit")
def filtered(request: Request, visit: SignedInVisit, asked: Annotated[TrailForm, Form()]) -> Response:
    """A page of the trail by all filters."""
    return _page(request, visit, asked)


@ROUTER.post("/audit.csv")
def audit_file(request: Request, visit: SignedInVisit, asked: Annotated[TrailForm, Form()]) -> Response:
    """Everything that the filters leave, as a CSV file, sent as it is read."""
    events = whole_trail(desk(request).registry, visit.actor, asked.wanted())
    headers = {"Content-Disposition": 'attachment; filename="audit-trail.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(events), media_type="text/csv; charset=utf-8", headers=headers)


def _page(request: Request, visit: Visit, asked: TrailQuery) -> Response:
    """The page; with filters that cannot be used, the filters and what is wrong."""
    require(visit.actor, Right.SEE_AUDIT)
    page, problem, status = None, None, 200
    try:
        page = trail(desk(request).registry, visit.actor, asked.wanted(), page_size=_A_PAGE, before=asked.before)
    except (InvalidInputError, NotFoundError) as error:
        problem, status = _problem(error), meaning_of(error).status
    return render(
        request,
        "audit.html",
        status=status,
        **words.SHARED,
        asked=asked,
        page=page,
        problem=problem,
        kinds=KINDS,
        page_path=asked.address(),
    )


def _lines(events: Iterable[NotedEvent]) -> Iterator[str]:
    """The file a line at a time. The mark in front lets spreadsheets read Vietnamese."""
    yield "\ufeff" + _line(_HEAD)
    for event in events:
        yield _line(_cells(event))


def _cells(event: NotedEvent) -> Iterator[str]:
    decision = event.decision
    values: tuple[object, ...] = (
        event.revision,
        event.recorded_at,
        event.kind,
        event.made_by,
        event.steward,
        event.enterprise_id,
        " ".join(event.others),
        " ".join(map(str, event.records)),
        None if decision is None else decision.decision_id,
        None if decision is None else decision.kind,
        event.task_id,
        event.run_id,
        " ".join(event.verdicts),
        " ".join(event.fields),
        event.reveal_reason,
        None if decision is None else decision.reason,
    )
    for value in values:
        text = "" if value is None else str(value)
        # a spreadsheet would take such a text for a formula and run it
        yield f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _typed_record(text: str) -> RecordKey | None:
    """A record as somebody typed it; nothing where nothing was. Raises InvalidInputError."""
    return record_named(":".join(part.strip() for part in text.split(":", 1))) if text.strip() else None


def _revision(field: str, text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal() or not 1 <= int(text) <= LARGEST:
        raise InvalidInputError("a revision is a number", metadata={"field": field})
    return int(text)


def _problem(error: MpiError) -> str:
    """What is wrong with the filters, as a message."""
    return words.FILTER_WORDS.get(error.metadata.get("field", ""), words.FILTER_UNKNOWN)
