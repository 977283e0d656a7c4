"""Golden records of source records: what the rules' survivorship makes of one person's values, or of many people's.

Both ways standardise each field's raw column by itself (with the time of capture): what gives no standard value there
is a placeholder or garbage and never wins, and what gives the same standard values is the same value.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mpi.domain.model import FieldRule, LinkageModel, SurvivorshipRule
from mpi.domain.records import SourceRecord
from mpi.persons.survivorship import (
    UNTRUSTED,
    Candidate,
    Candidates,
    Choices,
    GoldenRecord,
    choose,
    golden_record,
    key_order,
    reason,
)
from mpi.standardise.dates import parse_date
from mpi.standardise.record import standardise_record, standardise_table

Integers = NDArray[np.int64]

_RECORDED = "recorded_at"
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
_MEMBER = "\x1f"


@dataclass(frozen=True, slots=True)
class PeoplesRecords:
    """n source records and the person of each, int64 (n,): people are numbered 0 to p - 1 and each has a record."""

    records: Sequence[SourceRecord]
    people: Integers


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the fields of one batch share: records in the order of their keys."""

    records: Sequence[SourceRecord]
    people: Integers
    tiers: Integers
    moments: Integers
    times: Sequence[str | None]


def golden_schema(model: LinkageModel) -> pa.Schema:
    """Columns of `golden_table`."""
    fields = [pa.field("enterprise_id", pa.string()), pa.field("records", pa.int32())]
    for rule in model.survivorship:
        fields += [pa.field(name, pa.string()) for name in _columns_of(rule)]
    return pa.schema(fields)


def golden_record_of(model: LinkageModel, enterprise_id: str, records: Sequence[SourceRecord]) -> GoldenRecord:
    """The golden record of one person, with the reasons and the values that did not win."""
    candidates: dict[str, list[Candidate]] = {}
    for rule in model.survivorship:
        reading = _reading(model, rule.field)
        for record in records:
            value = _raw(record, rule.field)
            form = tuple(standardise_record(_only(record, rule.field), reading).values.values())
            if value is not None and any(part is not None for part in form):
                tier = model.trust.get(record.key.source_system, UNTRUSTED)
                candidate = Candidate(record.key, value, _moment(record.recorded_at), tier, form)
                candidates.setdefault(rule.field, []).append(candidate)
    keys = [record.key for record in records]
    return golden_record(enterprise_id, model.survivorship, candidates, record_keys=keys)


def golden_table(model: LinkageModel, enterprise_ids: Sequence[str], given: PeoplesRecords) -> pa.Table:
    """One row a person, in the order of `enterprise_ids` (p): each field with the record it is from and the reason."""
    batch = _batch(model, given)
    counts = np.bincount(batch.people, minlength=len(enterprise_ids))
    columns = [pa.array(enterprise_ids, pa.string()), pa.array(counts, pa.int32())]
    for rule in model.survivorship:
        columns += _field_columns(model, rule, batch, len(enterprise_ids))
    return pa.table(columns, schema=golden_schema(model))


def _columns_of(rule: SurvivorshipRule) -> tuple[str, str, str]:
    return rule.field, f"{rule.field}_from", f"{rule.field}_reason"


def _reading(model: LinkageModel, column: str) -> tuple[FieldRule, ...]:
    """The fields that read a raw column, cut down to that column and the time of capture."""
    return tuple(
        replace(rule, inputs={name: raw for name, raw in rule.inputs.items() if raw in (column, _RECORDED)})
        for rule in model.fields
        if column in rule.inputs.values()
    )


def _raw(record: SourceRecord, column: str) -> str | None:
    return record.recorded_at if column == _RECORDED else record.values.get(column)


def _only(record: SourceRecord, column: str) -> SourceRecord:
    value = record.values.get(column)
    return replace(record, values={} if value is None else {column: value})


def _moment(recorded_at: str | None) -> str | None:
    """A time of capture as text that sorts by time; sources write it in forms of their own."""
    if recorded_at is None or _ISO.fullmatch(recorded_at):
        return recorded_at
    known = parse_date(recorded_at)
    if known.year is None:
        return None
    return "-".join(f"{part:02d}" for part in (known.year, known.month, known.day) if part is not None)


def _batch(model: LinkageModel, given: PeoplesRecords) -> _Batch:
    keys = [key_order(record.key) for record in given.records]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    records = [given.records[at] for at in order]
    moment_of = {text: _moment(text) for text in {record.recorded_at for record in records}}
    times = [moment_of[record.recorded_at] for record in records]
    place = {text: at for at, text in enumerate(sorted({text for text in times if text is not None}))}
    tiers = [model.trust.get(record.key.source_system, UNTRUSTED) for record in records]
    return _Batch(
        records=records,
        people=given.people[order],
        tiers=np.array(tiers, dtype=np.int64),
        moments=np.array([-1 if text is None else place[text] for text in times], dtype=np.int64),
        times=times,
    )


def _field_columns(model: LinkageModel, rule: SurvivorshipRule, batch: _Batch, people: int) -> list[pa.Array]:
    """Value, origin and reason of one field for all people of a batch; null where nobody knows a value."""
    raw = [_raw(record, rule.field) for record in batch.records]
    table = pa.table(
        {
            rule.field: pa.array(raw, pa.string()),
            _RECORDED: pa.array([record.recorded_at for record in batch.records], pa.string()),
        }
    )
    forms = _forms(standardise_table(table, _reading(model, rule.field)))
    rows = np.flatnonzero((forms >= 0) & table[rule.field].is_valid().to_numpy())
    values = table[rule.field].combine_chunks().take(pa.array(rows))
    # rows lie in the order of their keys, so the first of equal values has the smallest key
    candidates = Candidates(
        people=batch.people[rows],
        forms=forms[rows],
        tiers=batch.tiers[rows],
        moments=batch.moments[rows],
        lengths=pc.utf8_length(values).to_numpy(zero_copy_only=False).astype(np.int64),
        order=pc.rank(values, sort_keys="ascending", tiebreaker="first").to_numpy().astype(np.int64),
    )
    choices = choose(candidates, rule.prefer)
    place = np.full(people, -1, dtype=np.int64)
    place[choices.people] = np.arange(len(choices.people))
    spread = pa.array(place, mask=place < 0)
    origins = [str(batch.records[row].key) for row in rows[choices.winners].tolist()]
    columns = (
        values.take(pa.array(choices.winners)),
        pa.array(origins, pa.string()),
        _reasons(rule, batch, rows, choices),
    )
    return [column.take(spread) for column in columns]


def _forms(standard: pa.Table) -> Integers:
    """Numbers of rows' standard values, equal for equal values: int64 (n,); -1 where every value is missing."""
    forms = np.full(standard.num_rows, -1, dtype=np.int64)
    for column in standard.columns:
        if pa.types.is_list(column.type):
            column = pc.binary_join(column, _MEMBER)
        encoded = pc.dictionary_encode(column.combine_chunks())
        codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
        # -1 stays -1 only where both are: no pair of other codes gives it
        joined = (forms + 1) * (len(encoded.dictionary) + 1) + codes
        forms = pa.array(joined).dictionary_encode().indices.to_numpy().astype(np.int64)
        forms[joined == -1] = -1
    return forms


def _reasons(rule: SurvivorshipRule, batch: _Batch, rows: Integers, choices: Choices) -> pa.Array:
    """The reason of every choice: each distinct one is put into words once."""
    winners = rows[choices.winners]
    systems: dict[str, int] = {}
    system = [systems.setdefault(batch.records[row].key.source_system, len(systems)) for row in winners.tolist()]
    lengths = [len(_raw(batch.records[row], rule.field) or "") for row in winners.tolist()]
    many = max(int(choices.known.max(initial=0)), 1) + 1
    of_criterion = {
        "trusted": np.array(system, dtype=np.int64),
        "recent": batch.moments[winners] + 1,
        "frequent": choices.held * many + choices.known,
        "longest": np.array(lengths, dtype=np.int64),
    }
    # what a sentence says hangs on the criterion alone, and on the one figure that it names
    figure = np.zeros(len(winners), dtype=np.int64)
    figure[choices.deciders == -1] = choices.known[choices.deciders == -1]
    for place, name in enumerate(rule.prefer):
        decided = choices.deciders == place
        figure[decided] = of_criterion[name][decided]
    width = int(figure.max(initial=0)) + 1
    _, first, which = np.unique(choices.deciders * width + figure, return_index=True, return_inverse=True)
    sentences = []
    for at in first.tolist():
        record = batch.records[winners[at]]
        winner = Candidate(
            record.key, _raw(record, rule.field) or "", batch.times[winners[at]], int(batch.tiers[winners[at]])
        )
        held, known = int(choices.held[at]), int(choices.known[at])
        sentences.append(reason(rule.prefer, int(choices.deciders[at]), held=held, known=known, winner=winner))
    return pa.array(sentences, pa.string()).take(pa.array(which))
