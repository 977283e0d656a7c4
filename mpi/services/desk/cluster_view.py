"""One person of several records, laid out for somebody who may take it apart. Read only.

Values are masked here: what is equal is told by groups of the standard values, so that nothing has to be revealed to
see a difference. Weights are those of the rules in force, not those of the day when the records were linked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import LinkageModel, VetoEffect
from mpi.domain.records import RECORD_COLUMNS, RecordKey, SourceRecord, in_reading_order
from mpi.domain.review import Actor, Right, Verdict
from mpi.matching.kernel import APART, FORBID, HOLD
from mpi.matching.scorer import Scores
from mpi.persons.cohesion import Cohesion, cohesion, strengths
from mpi.persons.enterprise_id import parse
from mpi.persons.judged import Judged, Judgement
from mpi.persons.survivorship import key_order
from mpi.registry import entries, events, judgements, online, persons, review_tasks
from mpi.registry.registry import Registry
from mpi.registry.source_records import keys_of, raw_records
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.access import require
from mpi.services.desk.masking import Masking
from mpi.services.enquire import LinkView, link_views
from mpi.services.golden_records import Form, forms_of
from mpi.services.neighbourhood import OnlineRules
from mpi.services.stewardship.blind_readers import weights_hidden

Integers = NDArray[np.int64]

MOST_WEIGHED = 60
"""Records that are weighed against one another and drawn; of more only the table is shown, so many to a page."""

_EFFECTS = ((FORBID, VetoEffect.FORBID), (HOLD, VetoEffect.HOLD), (APART, VetoEffect.APART))
"""Effects of vetoes by their bits, the gravest first."""


class Strength(StrEnum):
    """What a pair's match weight says by the rules' thresholds."""

    CERTAIN = "certain"
    LIKELY = "likely"
    DOUBTFUL = "doubtful"
    AGAINST = "against"


_FAR_ABOVE = 10.0
"""Bits above the threshold of a link from which a pair is as good as certain: one error in a thousand."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One record's value of a field, masked; None where it has none.

    Cells of one group hold the same value, however it is written: groups are numbered from 0 as they come up. None for
    a value that counts as missing (a placeholder, or nothing that can be read).
    """

    text: str | None
    group: int | None


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of all records shown.

    `groups` counts the different values among them; `hidden` says that the masks hide something of such values.
    """

    column: str
    cells: tuple[Cell, ...]
    groups: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One record of the person. `number` counts from 1, by key; `entries` of the lifelong record hang on it."""

    number: int
    key: RecordKey
    recorded_at: str | None
    entries: int
    link: LinkView | None
    marked: bool


@dataclass(frozen=True, slots=True)
class MemberPair:
    """Two records of the person, by number. `weight` is in bits.

    `effect` is the gravest effect of the vetoes that hold, whose names are in `vetoes`; `judged` what a steward said of
    the two. `joins` marks the pairs of the strongest tree, `weakest` the one of them that holds least.
    """

    left: int
    right: int
    weight: float
    strength: Strength
    effect: VetoEffect | None
    vetoes: tuple[str, ...]
    judged: Judgement | None
    joins: bool
    weakest: bool

    @property
    def conflicts(self) -> bool:
        """Whether a veto says that the two are not one person, or may not be joined without a steward's eye."""
        return self.effect in (VetoEffect.FORBID, VetoEffect.HOLD)


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A person's records as they are at revision `seen_revision`.

    `asked_for` differs from `enterprise_id` where the person asked for was merged. `members` are the records of one
    page in the order of their numbers, `total` counts all. `pairs` are those worth showing: what joins the records,
    conflicts and judgements, the weakest first; None where there are too many records to weigh. `parts` are the record
    numbers on either side of the weakest pair, empty where there is none. `weights_hidden`: the viewer may have to read
    a second time whether this person is two or another's, and should not know the weights before.
    """

    enterprise_id: str
    asked_for: str
    members: tuple[Member, ...]
    total: int
    page: int
    pages: int
    rows: tuple[FieldRow, ...]
    pairs: tuple[MemberPair, ...] | None
    parts: tuple[tuple[int, ...], ...]
    weights_hidden: bool
    seen_revision: int

    @property
    def weakest(self) -> MemberPair | None:
        """The pair that holds the records together least."""
        return next((pair for pair in self.pairs or () if pair.weakest), None)


def cluster_view(
    registry: Registry,
    rules: OnlineRules,
    actor: Actor,
    enterprise_id: str,
    *,
    marked: Collection[RecordKey] = (),
    page: int = 1,
) -> ClusterView:
    """The records of the person that an enterprise ID leads to today; `marked` ones are pointed out.

    A page that is not there gives the nearest. Raises MissingRightError, InvalidInputError for a mistyped ID,
    UnknownPersonError for one that nobody has.
    """
    require(actor, Right.LOOK_UP)
    with registry.snapshot() as uow:
        revision = events.last_revision(uow)
        person = persons.resolve_enterprise_id(uow, enterprise_id)
        record_ids = _in_order(uow, person.person_id)
        pages = max(1, -(-len(record_ids) // MOST_WEIGHED))
        page = min(max(page, 1), pages)
        first = (page - 1) * MOST_WEIGHED
        shown = record_ids[first : first + MOST_WEIGHED]
        sources = dict(raw_records(uow, np.array(shown, dtype=np.int64)))
        records = [sources[record_id] for record_id in shown]
        pairs, parts = _pairs(uow, rules, person.person_id, record_ids) if pages == 1 else (None, ())
        about = review_tasks.about_people(uow, np.array([person.person_id], dtype=np.int64))
        return ClusterView(
            enterprise_id=person.enterprise_id,
            asked_for=parse(enterprise_id),
            members=_members(uow, shown, records, first=first, marked=marked),
            total=len(record_ids),
            page=page,
            pages=pages,
            rows=_rows(rules.model, records),
            pairs=pairs,
            parts=parts,
            weights_hidden=weights_hidden(uow, actor, about),
            seen_revision=revision,
        )


def _in_order(uow: UnitOfWork, person_id: int) -> list[int]:
    """The numbers of a person's records, sorted by key."""
    found = persons.members(uow, np.array([person_id], dtype=np.int64))
    keys = keys_of(uow, found.record_ids)
    return sorted(keys, key=lambda record_id: key_order(keys[record_id]))


def _members(
    uow: UnitOfWork,
    record_ids: Sequence[int],
    records: Sequence[SourceRecord],
    *,
    first: int,
    marked: Collection[RecordKey],
) -> tuple[Member, ...]:
    ids = np.array(record_ids, dtype=np.int64)
    links = link_views(uow, ids)
    counts = entries.count_of_records(uow, ids).tolist()
    return tuple(
        Member(
            number=first + place,
            key=record.key,
            recorded_at=record.recorded_at,
            entries=count,
            link=links[record_id][1] if record_id in links else None,
            marked=record.key in marked,
        )
        for place, (record_id, record, count) in enumerate(zip(record_ids, records, counts, strict=True), start=1)
    )


def _rows(model: LinkageModel, records: Sequence[SourceRecord]) -> tuple[FieldRow, ...]:
    """The fields that any record has a value of, in the order in which people read them."""
    held = {column for record in records for column, value in record.values.items() if value} - set(RECORD_COLUMNS)
    columns = in_reading_order(held)
    mask = Masking(model)
    return tuple(_row(model, mask, column, records) for column in columns)


def _row(model: LinkageModel, mask: Masking, column: str, records: Sequence[SourceRecord]) -> FieldRow:
    groups: dict[Form, int] = {}
    cells = []
    for record, form in zip(records, forms_of(model, column, records), strict=True):
        text = record.values.get(column)
        said = text is not None and any(part is not None for part in form)
        group = groups.setdefault(form, len(groups)) if said else None
        cells.append(Cell(mask.value(column, text) if text else None, group))
    return FieldRow(column, tuple(cells), len(groups), mask.hides(column))


@dataclass(frozen=True, slots=True)
class _Weighed:
    """All pairs of some records: places int32 (p,) each, and their scores.

    By places, the smaller first: what stewards said of two of them, and the pairs that must stay together for it.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    scores: Scores
    judged: dict[tuple[int, int], Judgement]
    tied: set[tuple[int, int]]


def _pairs(
    uow: UnitOfWork, rules: OnlineRules, person_id: int, record_ids: Sequence[int]
) -> tuple[tuple[MemberPair, ...], tuple[tuple[int, ...], ...]]:
    """The pairs worth showing and the two parts, of the records whose features are those of the rules in force."""
    layout = rules.scorer.layout
    placed = online.members(uow, [person_id], layout=layout.digest, width=layout.width).placed
    number_of = {record_id: number for number, record_id in enumerate(record_ids, start=1)}
    known = sorted(range(len(placed.record_ids)), key=lambda at: number_of[int(placed.record_ids[at])])
    if len(known) < 2:
        return (), ()
    ids = placed.record_ids[known]
    weighed = _weigh(uow, rules, placed.rows[known], ids.tolist())
    found = cohesion(_table(weighed, len(ids)))
    numbers = [number_of[record_id] for record_id in ids.tolist()]
    sides = [np.flatnonzero(~found.beyond), np.flatnonzero(found.beyond)] if found.weakest >= 0 else []
    parts = tuple(tuple(numbers[place] for place in side.tolist()) for side in sides)
    return tuple(_worth_showing(rules.model, weighed, found, numbers)), parts


def _weigh(uow: UnitOfWork, rules: OnlineRules, rows: NDArray[np.uint8], record_ids: Sequence[int]) -> _Weighed:
    """Every pair of some records, as one call would weigh them now."""
    rows = rules.without(rows, rules.known_capped(uow))
    left, right = (side.astype(np.int32) for side in np.triu_indices(len(rows), 1))
    prior = rules.scorer.prior(online.numbers_now(uow).records)
    scores = rules.scorer.score(np.ascontiguousarray(rows), left, right, prior=prior)
    place_of = {record_id: place for place, record_id in enumerate(record_ids)}
    said = judgements.about(uow, record_ids)
    must, _ = Judged(said).constraints(record_ids)
    judged = {
        _places(place_of, each.record_a, each.record_b): each
        for each in said
        if each.record_a in place_of and each.record_b in place_of and each.verdict is not Verdict.UNSURE
    }
    same = {pair for pair, each in judged.items() if each.verdict is Verdict.SAME}
    return _Weighed(left, right, scores, judged, same | {_places(place_of, *pair) for pair in must})


def _places(place_of: Mapping[int, int], one: int, other: int) -> tuple[int, int]:
    first, second = sorted((place_of[one], place_of[other]))
    return first, second


def _table(weighed: _Weighed, count: int) -> NDArray[np.float64]:
    """How strongly every two records are held together, float64 (count, count)."""
    ends = zip(weighed.left.tolist(), weighed.right.tolist(), strict=True)
    same = np.array([pair in weighed.tied for pair in ends])
    held = strengths(weighed.scores.weights, weighed.scores.vetoes, same)
    table = np.full((count, count), -np.inf)
    table[weighed.left, weighed.right] = held
    table[weighed.right, weighed.left] = held
    return table


def _worth_showing(
    model: LinkageModel, weighed: _Weighed, found: Cohesion, numbers: Sequence[int]
) -> Iterable[MemberPair]:
    """What joins the records, what speaks against it and what stewards said: the weakest first, then by weight."""
    joining = {(a, b): at == found.weakest for at, (a, b) in enumerate(found.edges.tolist())}
    pairs = []
    for at, (a, b) in enumerate(combinations(range(len(numbers)), 2)):
        pair = MemberPair(
            left=numbers[a],
            right=numbers[b],
            weight=float(weighed.scores.weights[at]),
            strength=_strength(model, float(weighed.scores.weights[at])),
            effect=next((effect for bit, effect in _EFFECTS if weighed.scores.vetoes[at] & bit), None),
            vetoes=_vetoes(model, weighed.scores, at),
            judged=weighed.judged.get((a, b)),
            joins=(a, b) in joining,
            weakest=joining.get((a, b), False),
        )
        if pair.joins or pair.conflicts or pair.judged:
            pairs.append(pair)
    return sorted(pairs, key=lambda pair: (not pair.weakest, not pair.conflicts, pair.weight, pair.left, pair.right))


def _strength(model: LinkageModel, weight: float) -> Strength:
    limits = (
        (model.thresholds.link + _FAR_ABOVE, Strength.CERTAIN),
        (model.thresholds.link, Strength.LIKELY),
        (model.thresholds.review, Strength.DOUBTFUL),
    )
    return next((strength for least, strength in limits if weight >= least), Strength.AGAINST)


def _vetoes(model: LinkageModel, scores: Scores, at: int) -> tuple[str, ...]:
    """The names of the vetoes that hold for a pair."""
    if not scores.vetoes[at]:
        return ()
    codes = scores.codes[at].tolist()
    labels = {each.name: each.label_of(code) for each, code in zip(model.comparisons, codes, strict=True)}
    return tuple(veto.name for veto in model.vetoes_on(labels))
