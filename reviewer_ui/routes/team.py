"""The team's figures as charts and tables. Nothing here is of one steward."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mpi.domain.review import Stage, TaskKind
from mpi.services.desk.team import AGES, AGREEMENT_DAYS, DAYS, DayDone, KindWaiting, team_figures
from reviewer_ui.access import SignedInVisit
from reviewer_ui.charts import Bar, bar_chart
from reviewer_ui.languages import CITY, Words, catalogues, message
from reviewer_ui.pages import language_of, render
from reviewer_ui.task_words import KIND_WORDS, READINGS_WORDS
from reviewer_ui.wiring import desk

ROUTER = APIRouter()

_DONE = message("Readings a day")
_DONE_SAID = message("Bars from {first} to {last}, each of first readings, second readings and adjudications.")
_WAITING = message("Open tasks by age")
_WAITING_SAID = message("Bars by age, the freshest first, each of the kinds of tasks.")
_UP_TO_A_DAY = message("up to a day")
_UP_TO = message("up to {days} days")
_OLDER = message("older than {days} days")
_GROUPED: tuple[tuple[str, tuple[TaskKind, ...]], ...] = (
    (KIND_WORDS[TaskKind.POSSIBLE_MATCH], (TaskKind.POSSIBLE_MATCH,)),
    (KIND_WORDS[TaskKind.POSSIBLE_DUPLICATE], (TaskKind.POSSIBLE_DUPLICATE, TaskKind.STOPPED_BY_VETO)),
    (KIND_WORDS[TaskKind.OVERLAY], (TaskKind.OVERLAY,)),
    (KIND_WORDS[TaskKind.SUSPECTED_WRONG_MERGE], (TaskKind.SUSPECTED_WRONG_MERGE,)),
)
"""The parts of a bar of waiting tasks: a duplicate that a rule stopped is drawn with duplicates; the table tells them
apart."""


@ROUTER.get("/team")
def team(request: Request, visit: SignedInVisit) -> Response:
    """What was done, how long it took, how far readers agree, and what waits."""
    figures = team_figures(desk(request).registry, visit.actor, zone=CITY)
    said = catalogues()[language_of(request, visit)]
    ages = _ages(said)
    return render(
        request,
        "team.html",
        figures=figures,
        days=DAYS,
        agreement_days=AGREEMENT_DAYS,
        ages=ages,
        done_chart=_done_chart(said, figures.days),
        waiting_chart=_waiting_chart(said, figures.backlog, ages),
        grouped=[name for name, _ in _GROUPED],
        readings_words=READINGS_WORDS,
        read_at=figures.read_at.isoformat(),
    )


def _ages(said: Words) -> list[str]:
    """The names of ages, the freshest first."""
    first, *between = AGES
    assert first == 1
    ups = [said.gettext(_UP_TO, days=days) for days in between]
    return [said.gettext(_UP_TO_A_DAY), *ups, said.gettext(_OLDER, days=AGES[-1])]


def _done_chart(said: Words, days: Sequence[DayDone]) -> str:
    described = said.gettext(
        _DONE_SAID, first=said.date(days[0].day.isoformat()), last=said.date(days[-1].day.isoformat())
    )
    bars = [Bar(f"{day.day.day}/{day.day.month}", [day.done[stage] for stage in Stage]) for day in days]
    return bar_chart("done", title=said.gettext(_DONE), description=described, bars=bars)


def _waiting_chart(said: Words, backlog: Sequence[KindWaiting], ages: Sequence[str]) -> str:
    of_kind = {each.kind: each.by_age for each in backlog}
    bars = [
        Bar(age, [sum(of_kind[kind][place] for kind in kinds) for _, kinds in _GROUPED])
        for place, age in enumerate(ages)
    ]
    return bar_chart("waiting", title=said.gettext(_WAITING), description=said.gettext(_WAITING_SAID), bars=bars)
