"""Two records side by side, as a steward sees them who is to say whether they are one person. Read only.

Values are masked here: nothing personal leaves this service. See reveal.py for the way to the values themselves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from mpi.domain.records import RecordKey, in_reading_order
from mpi.domain.review import Actor, Right
from mpi.registry import entries, persons, review_tasks
from mpi.registry.registry import Registry
from mpi.registry.source_records import keys_of
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.access import require
from mpi.services.desk.masking import Masking
from mpi.services.desk.pair_chips import Chip, Chips
from mpi.services.desk.pair_warnings import Caution, PairFacts, RecordFacts, cautions
from mpi.services.explain import PairExplanation, SideView, explain_stored
from mpi.services.lookup import find_record
from mpi.services.neighbourhood import OnlineRules

RECORDED, SOURCE = "recorded_at", "source"
"""Rows that every pair has beside its fields."""

_NEAR_DAYS = 366
"""Days between two records that count as recorded at about the same time."""


@dataclass(frozen=True, slots=True)
class PairQuestion:
    """Which two records are looked at, in which task. `blind` where the reader must know neither the weight nor what
    was decided of the two so far: second readings, and pairs that test readers and must look like one."""

    left: RecordKey
    right: RecordKey
    task_id: int | None = None
    blind: bool = False


@dataclass(frozen=True, slots=True)
class PairRow:
    """One field of both records: the masked values (None where there is none) and how they compare. `hides` says that
    there is more to reveal than is shown."""

    column: str
    left: str | None
    right: str | None
    chip: Chip
    hides: bool


@dataclass(frozen=True, slots=True)
class PersonOfSide:
    """The person that a record belongs to: how many records from which source systems, how many entries of the lifelong
    record, and whether a death is registered."""

    enterprise_id: str
    records: int
    sources: tuple[str, ...]
    entries: int
    deceased: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """One step of the waterfall: what a comparison says (its level) and what that weighs, in bits."""

    comparison: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From the prior to the match weight, all in bits."""

    prior: float
    steps: tuple[Evidence, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair at revision `seen_revision`.

    `left_person` and `right_person` are None for a record that is nobody's yet. `stays` and `leads` are the enterprise
    IDs of a merge: which one stays and which one leads to it from then on; None where there is nothing to merge.
    `vetoes` are the rules that speak against one person, `capped` the standard columns of values shared too widely,
    `other_tasks` the numbers of other open tasks of these people. For a blind reader there are no people, no other
    tasks, no vetoes and no waterfall.
    """

    left: RecordKey
    right: RecordKey
    left_person: PersonOfSide | None
    right_person: PersonOfSide | None
    stays: str | None
    leads: str | None
    rows: tuple[PairRow, ...]
    cautions: tuple[Caution, ...]
    vetoes: tuple[str, ...]
    capped: tuple[str, ...]
    other_tasks: tuple[int, ...]
    waterfall: Waterfall | None
    seen_revision: int

    @property
    def one_person(self) -> bool:
        """Whether both records belong to one person today."""
        return self.left_person is not None and self.left_person == self.right_person


def pair_view(registry: Registry, rules: OnlineRules, actor: Actor, question: PairQuestion) -> PairView:
    """Both records of a question, field by field, with what speaks for and against one person.

    Raises MissingRightError, UnknownSourceSystemError, UnknownRecordError; no message repeats a record's own id.
    """
    require(actor, Right.REVIEW)
    with registry.snapshot() as uow:
        ends = find_record(uow, question.left), find_record(uow, question.right)
        found = explain_stored(uow, rules, ends)
        owners = (None, None) if question.blind else _owners(uow, ends)
        people = _people(uow, {owner for owner in owners if owner is not None})
        sides = [None if owner is None else people[owner] for owner in owners]
        stays, leads = _merged(people)
        return PairView(
            left=question.left,
            right=question.right,
            left_person=sides[0],
            right_person=sides[1],
            stays=stays,
            leads=leads,
            rows=_rows(rules, found),
            cautions=cautions(_facts(found)),
            vetoes=() if question.blind else found.waterfall.vetoes,
            capped=found.capped or (),
            other_tasks=_other_tasks(uow, list(people), question.task_id),
            waterfall=None if question.blind else _waterfall(found),
            seen_revision=found.revision,
        )


def _owners(uow: UnitOfWork, ends: tuple[int, int]) -> tuple[int | None, int | None]:
    """The people of both records by number."""
    links = persons.links_of_records(uow, np.array(sorted(ends), dtype=np.int64))
    owner = dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))
    return owner.get(ends[0]), owner.get(ends[1])


def _people(uow: UnitOfWork, person_ids: Collection[int]) -> dict[int, PersonOfSide]:
    """Some people by number."""
    wanted = np.array(sorted(person_ids), dtype=np.int64)
    links = persons.members(uow, wanted)
    names = persons.enterprise_ids_of(uow, wanted)
    keys = keys_of(uow, links.record_ids)
    counts = entries.count_of_records(uow, links.record_ids)
    dead = np.isin(links.record_ids, entries.bearers_of_death(uow, links.record_ids))
    found = {}
    for person_id in wanted.tolist():
        own = links.person_ids == person_id
        found[person_id] = PersonOfSide(
            enterprise_id=names[person_id],
            records=int(np.count_nonzero(own)),
            sources=tuple(sorted({keys[record_id].source_system for record_id in links.record_ids[own].tolist()})),
            entries=int(counts[own].sum()),
            deceased=bool(dead[own].any()),
        )
    return found


def _merged(people: Mapping[int, PersonOfSide]) -> tuple[str, str] | tuple[None, None]:
    """Which ID would stay, and which would lead to it: the person who came first stays."""
    if len(people) != 2:
        return None, None
    first, later = sorted(people)
    return people[first].enterprise_id, people[later].enterprise_id


def _other_tasks(uow: UnitOfWork, people: list[int], own: int | None) -> tuple[int, ...]:
    found = review_tasks.about_people(uow, np.array(sorted(people), dtype=np.int64))
    return tuple(task.task_id for task in found if task.task_id != own)


def _facts(found: PairExplanation) -> PairFacts:
    sides = [RecordFacts(side.standard, side.values, side.recorded_at) for side in (found.left, found.right)]
    return PairFacts(sides[0], sides[1], found.capped or ())


def _waterfall(found: PairExplanation) -> Waterfall:
    steps = tuple(Evidence(step.comparison, step.level, step.bits) for step in found.waterfall.contributions)
    return Waterfall(found.waterfall.prior, steps, found.waterfall.weight)


def _rows(rules: OnlineRules, found: PairExplanation) -> tuple[PairRow, ...]:
    """The fields in the order of the canonical columns, other families' behind, then when and where it was recorded."""
    masking, chips = Masking(rules.model), Chips(rules.model)
    levels = {step.comparison: step.level for step in found.waterfall.contributions}
    left, right = found.left, found.right
    rows = [
        PairRow(
            column=column,
            left=_masked(masking, column, left),
            right=_masked(masking, column, right),
            chip=chips.chip(column, left.standard, right.standard, levels) if _both(column, found) else Chip.MISSING,
            hides=masking.hides(column) and bool(left.values.get(column) or right.values.get(column)),
        )
        for column in _columns(rules, found)
    ]
    rows.append(PairRow(RECORDED, left.recorded_at, right.recorded_at, _recorded_chip(left, right), hides=False))
    same_source = left.key.source_system == right.key.source_system
    source = Chip.SAME if same_source else Chip.DIFFERENT
    return (*rows, PairRow(SOURCE, str(left.key), str(right.key), source, hides=False))


def _both(column: str, found: PairExplanation) -> bool:
    """Whether both records have a value in a column; what an address says of a ward is not the column's."""
    return bool(found.left.values.get(column)) and bool(found.right.values.get(column))


def _masked(masking: Masking, column: str, side: SideView) -> str | None:
    value = side.values.get(column)
    return masking.value(column, value) if value else None


def _columns(rules: OnlineRules, found: PairExplanation) -> list[str]:
    """Raw columns that the rules compare, or that a record holds."""
    read = {column for rule in rules.model.fields for column in rule.inputs.values()}
    held = (read | {*found.left.values, *found.right.values}) - {RECORDED, "source_record_id"}
    return in_reading_order(held)


def _recorded_chip(left: SideView, right: SideView) -> Chip:
    days = [_day(side.recorded_at) for side in (left, right)]
    if days[0] is None or days[1] is None:
        return Chip.MISSING
    apart = abs((days[0] - days[1]).days)
    if apart == 0:
        return Chip.SAME
    return Chip.NEAR if apart < _NEAR_DAYS else Chip.DIFFERENT


def _day(recorded_at: str | None) -> date | None:
    """The day of a record; None where it has none, or one that is no date of ISO 8601."""
    try:
        return date.fromisoformat((recorded_at or "")[:10])
    except ValueError:
        return None
