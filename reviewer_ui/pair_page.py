"""What the page of a pair shows: the view of the service, rows that are open, and what an answer would do."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, RevealReason, Stage
from mpi.services.desk import pair_view, reveal
from mpi.services.desk.pair_view import PairQuestion, PairRow, PairView
from mpi.services.stewardship import adjudicate, rearrange
from mpi.services.stewardship.adjudicate import LastAct
from mpi.services.stewardship.earlier_readings import EarlierReading, earlier_readings
from mpi.services.stewardship.review_queue import ReviewTask
from mpi.standardise.text import folded
from reviewer_ui.compare import Compared, compare
from reviewer_ui.wiring import DeskServices

EVERY = "*"
"""In the place of a column: all of them."""


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row whose values are shown: in pieces, and without their marks. None for a side that has no value."""

    compared: Compared
    left_folded: str
    right_folded: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the page: masked, or open."""

    row: PairRow
    open: OpenRow | None = None


@dataclass(frozen=True, slots=True)
class PairPage:
    """A task with two records, its rows, the records that would leave if one person is two (nothing where nobody
    knows), what readers said before (for a lead who decides between them), and what an undo would take back."""

    task: ReviewTask
    view: PairView
    rows: tuple[ShownRow, ...]
    leaving: tuple[RecordKey, ...]
    earlier: tuple[EarlierReading, ...]
    last: LastAct | None

    @property
    def hidden_columns(self) -> list[str]:
        """Columns of rows that may still be opened."""
        return [shown.row.column for shown in self.rows if shown.row.hides and shown.open is None]

    @property
    def open_columns(self) -> list[str]:
        """Columns of rows that are open."""
        return [shown.row.column for shown in self.rows if shown.open is not None]


@dataclass(frozen=True, slots=True)
class Opening:
    """Which rows are to be opened, and why; EVERY among the columns opens all."""

    columns: Collection[str] = field(default_factory=tuple)
    reason: RevealReason = RevealReason.COMPARE


def pair_page(services: DeskServices, actor: Actor, task: ReviewTask, opening: Opening | None = None) -> PairPage:
    """The page of a task about two records; rows are opened only with an event that says so.

    Raises what pair_view and reveal raise.
    """
    assert task.record_b is not None
    question = PairQuestion(task.record_a, task.record_b, task.task_id, blind=task.weight_hidden)
    view = pair_view.pair_view(services.registry, services.rules, actor, question)
    opened = _opened(services, actor, view, opening, task.task_id) if opening and opening.columns else {}
    return PairPage(
        task=task,
        view=view,
        rows=tuple(ShownRow(row, opened.get(row.column)) for row in view.rows),
        leaving=_leaving(services, actor, view),
        earlier=earlier_readings(services.registry, actor, task.task_id) if task.stage is Stage.ADJUDICATION else (),
        last=adjudicate.last_act(services.registry, actor),
    )


def _opened(
    services: DeskServices, actor: Actor, view: PairView, opening: Opening, task_id: int
) -> Mapping[str, OpenRow]:
    columns = [row.column for row in view.rows if row.hides and {row.column, EVERY} & set(opening.columns)]
    if not columns:
        return {}
    shown = reveal.reveal(
        services.registry, actor, (view.left, view.right), columns, reason=opening.reason, task_id=task_id
    )
    left, right = shown.values[view.left], shown.values[view.right]
    return {column: _open_row(left.get(column, ""), right.get(column, "")) for column in columns}


def _open_row(left: str, right: str) -> OpenRow:
    return OpenRow(compare(left, right), folded(left), folded(right))


def _leaving(services: DeskServices, actor: Actor, view: PairView) -> tuple[RecordKey, ...]:
    """The records that an answer of "different" would part from their person."""
    person = view.left_person
    if person is None or not view.one_person:
        return ()
    proposal = rearrange.propose_split(
        services.registry, services.rules, actor, person.enterprise_id, view.left, view.right
    )
    return proposal[0]
