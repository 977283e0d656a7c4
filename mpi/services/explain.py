"""Why two records are, or are not, one person: the waterfall of their pair as a run would weigh it today, and what was
decided. Read only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError
from mpi.domain.model import FrequencyCap, LinkageModel
from mpi.domain.records import RecordKey, SourceRecord, StandardRecord, StandardValue
from mpi.matching.explain import Explanation, explain
from mpi.matching.features import Layout
from mpi.matching.scorer import Scorer
from mpi.matching.sharing import shared_too_widely, void_values
from mpi.registry import blocking_keys, events, online
from mpi.registry.registry import Registry
from mpi.registry.source_records import count, feature_rows, find, raw_records
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.enquire import LinkView, link_views
from mpi.services.lookup import find_record
from mpi.services.neighbourhood import OnlineRules
from mpi.standardise.record import standardise_record

Rows = NDArray[np.uint8]

_Void = Callable[[UnitOfWork, Rows, int], tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class SideView:
    """One of the two records: raw and standard values, its person today and why."""

    key: RecordKey
    recorded_at: str | None
    values: Mapping[str, str]
    standard: Mapping[str, StandardValue]
    enterprise_id: str | None
    link: LinkView | None


@dataclass(frozen=True, slots=True)
class PairExplanation:
    """Why a pair weighs what it weighs, and what became of it.

    `records` is the number in play for the prior. `capped` names the standard columns of which the pair holds a value
    that too many people share, so that it counts as missing; None where caps were not looked into (see `explain_pair`).
    `verdict` is what thresholds and vetoes make of the pair alone: link, review or apart. What its people's other
    records say is not in it: they may be one person (`same_person`) by another way, or kept apart by another record.
    `revision` is the registry's newest when this was read.
    """

    rule_version: str
    left: SideView
    right: SideView
    same_person: bool
    records: int
    waterfall: Explanation
    capped: tuple[str, ...] | None
    verdict: str
    revision: int


def explain_pair(
    registry: Registry, model: LinkageModel, left: RecordKey, right: RecordKey, *, look_for_caps: bool = True
) -> PairExplanation:
    """Weigh two stored records by a model, as they are now, and tell what was decided about them.

    Frequency caps need the feature rows of all records (some seconds a million): `look_for_caps` False leaves them out,
    and so does a registry whose rows are of another model's layout.
    Raises NotFoundError naming an unknown record, InvalidInputError for a record beside itself, UntrainedLevelError for
    a model without parameters.
    """
    if left == right:
        raise InvalidInputError(f"{left} was named twice; name two records")
    scorer = Scorer(model)

    def void(uow: UnitOfWork, rows: Rows, records: int) -> tuple[str, ...] | None:
        return _void_capped(uow, scorer, rows, records) if look_for_caps else None

    with registry.snapshot() as uow:
        ids = find(uow, left), find(uow, right)
        return _explained(uow, scorer, registry.secret, ids, void, records=count(uow))


def explain_online(
    registry: Registry, rules: OnlineRules, left: RecordKey, right: RecordKey, *, at_least: int = 0
) -> PairExplanation:
    """As `explain_pair`, in the time of one call: values are shared too widely where the registry has them noted so.

    Raises UnknownSourceSystemError, UnknownRecordError, NotYetVisibleError, InvalidInputError for a record beside
    itself; no message repeats a record's own id.
    """
    if left == right:
        raise InvalidInputError("right names the same record as left", metadata={"field": "right"})
    with registry.snapshot() as uow:
        events.reached(uow, at_least)
        return explain_stored(uow, rules, (find_record(uow, left), find_record(uow, right)))


def explain_stored(uow: UnitOfWork, rules: OnlineRules, record_ids: tuple[int, int]) -> PairExplanation:
    """As `explain_online`, of two different records by number, for a service that reads more at the same revision."""
    scorer = rules.scorer

    def void(uow: UnitOfWork, rows: Rows, _records: int) -> tuple[str, ...]:
        noted = blocking_keys.capped_values(uow)
        return tuple(
            column for column, codes in noted.items() if void_values(rows, rules.model, scorer.layout, column, codes)
        )

    # all numbers given out so far, as single records are placed by: counting the table would read the whole of it
    return _explained(uow, scorer, rules.secret, record_ids, void, records=online.numbers_now(uow).records)


def _explained(
    uow: UnitOfWork, scorer: Scorer, key: bytes, ends: tuple[int, int], void: _Void, *, records: int
) -> PairExplanation:
    model, ids = scorer.model, np.array(ends, dtype=np.int64)
    stored = dict(raw_records(uow, ids))
    sources = [stored[record_id] for record_id in ends]
    standard = [standardise_record(source, model.fields) for source in sources]
    rows = scorer.pack_records(standard, key)
    capped = void(uow, rows, records)
    links = link_views(uow, ids)
    people = [links.get(record_id, (None, None)) for record_id in ends]
    waterfall = explain(scorer, rows, 0, 1, prior=scorer.prior(records))
    sides = [_side(*each) for each in zip(sources, standard, people, strict=True)]
    return PairExplanation(
        rule_version=model.name,
        left=sides[0],
        right=sides[1],
        same_person=people[0][0] is not None and people[0][0] == people[1][0],
        records=records,
        waterfall=waterfall,
        capped=capped,
        verdict=_verdict(model, waterfall),
        revision=events.last_revision(uow),
    )


def _side(source: SourceRecord, standard: StandardRecord, person: tuple[str | None, LinkView | None]) -> SideView:
    known = {column: value for column, value in standard.values.items() if value is not None}
    return SideView(source.key, source.recorded_at, source.values, known, *person)


def _verdict(model: LinkageModel, waterfall: Explanation) -> str:
    effects = {veto.effect.value for veto in model.vetoes if veto.name in waterfall.vetoes}
    if effects & {"forbid", "apart"} or waterfall.weight < model.thresholds.review:
        return "apart"
    return "review" if effects or waterfall.weight < model.thresholds.link else "link"


def _void_capped(uow: UnitOfWork, scorer: Scorer, rows: Rows, records: int) -> tuple[str, ...] | None:
    """Make the pair's capped values missing, in place; the columns that had one. None when it cannot be known."""
    model, layout = scorer.model, scorer.layout
    caps = [(cap, _codes_held(rows, model, layout, cap)) for cap in model.frequency_caps]
    sharing: list[list[Rows]] = [[rows[:0]] for _ in caps]
    seen = 0
    for ids, stored in feature_rows(uow, layout.digest):
        seen += len(ids)
        for (cap, codes), kept in zip(caps, sharing, strict=True):
            kept.append(_holders(stored, model, layout, cap, codes))
    if seen < records:
        return None
    capped = []
    for (cap, codes), kept in zip(caps, sharing, strict=True):
        shared = np.intersect1d(codes, shared_too_widely(np.concatenate(kept), model, layout, cap))
        if void_values(rows, model, layout, cap.column, shared):
            capped.append(cap.column)
    return tuple(capped)


def _codes_held(rows: Rows, model: LinkageModel, layout: Layout, cap: FrequencyCap) -> NDArray[np.uint64]:
    """Every code of a cap's column that the rows hold: those that more than none of anything share."""
    return shared_too_widely(rows, model, layout, replace(cap, per=(), limit=0))


def _holders(stored: Rows, model: LinkageModel, layout: Layout, cap: FrequencyCap, codes: NDArray[np.uint64]) -> Rows:
    """The rows that hold one of some codes: those that would change if the codes were void."""
    if not len(codes):
        return stored[:0]
    voided = stored.copy()
    void_values(voided, model, layout, cap.column, codes)
    holders: Rows = stored[(voided != stored).any(axis=1)]
    return holders
