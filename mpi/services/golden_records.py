"""Golden records of source records: what the rules' survivorship makes of one person's values, or of many people's.

Both ways standardise each field's raw column by itself (with the time of capture): what gives no standard value there
is a placeholder or garbage and never wins, and what gives the same standard values is the same value.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mpi.domain.model import FieldRule, LinkageModel, SurvivorshipRule
from mpi.domain.records import RecordKey, SourceRecord, StandardValue
from mpi.persons.survivorship import (
    AGREED,
    UNTRUSTED,
    Candidate,
    Candidates,
    Choices,
    GoldenRecord,
    choose,
    golden_record,
    reason,
)
from mpi.registry.source_records import RawColumns
from mpi.services.moments import moment
from mpi.standardise.catalogue import STANDARDISERS
from mpi.standardise.record import standardise_record, standardise_table

Integers = NDArray[np.int64]
Form = tuple[StandardValue, ...]

_RECORDED = "recorded_at"
_MEMBER = "\x1f"


@dataclass(frozen=True, slots=True)
class PeoplesRecords:
    """n source records with the raw columns of `golden_columns`, and the person of each, int64 (n,).

    People are numbered 0 to p - 1 and each has a record.
    """

    records: RawColumns
    people: Integers


@dataclass(frozen=True, slots=True)
class _Batch:
    """n records by column, in the order of their keys: raw values with the time of capture, and what criteria go by.

    `keys` and `local_ids` are string (n,). `systems` int64 (n,) are places in `names`; `moments` int64 (n,) are places
    in `times`, which grow, or -1.
    """

    raw: pa.Table
    keys: pa.Array
    local_ids: pa.Array
    people: Integers
    names: Sequence[str]
    systems: Integers
    tiers: Integers
    times: Sequence[str]
    moments: Integers


def golden_columns(model: LinkageModel) -> list[str]:
    """The raw columns that golden records are made of, beside the time of capture."""
    return [rule.field for rule in model.survivorship if rule.field != _RECORDED]


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
        for record, form in zip(records, forms_of(model, rule.field, records), strict=True):
            value = _raw(record, rule.field)
            if value is not None and any(part is not None for part in form):
                tier = model.trust.get(record.key.source_system, UNTRUSTED)
                candidate = Candidate(record.key, value, moment(record.recorded_at), tier, form)
                candidates.setdefault(rule.field, []).append(candidate)
    keys = [record.key for record in records]
    return golden_record(enterprise_id, model.survivorship, candidates, record_keys=keys)


def forms_of(model: LinkageModel, column: str, records: Sequence[SourceRecord]) -> list[Form]:
    """The standard values that one raw column alone gives of each record: records of equal forms hold the same value.

    A form of None alone is of a record that holds no value there, a placeholder or garbage.
    """
    reading = _reading(model, column)
    return [tuple(standardise_record(_only(record, column), reading).values.values()) for record in records]


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
    """The fields that a raw column alone can give values of, cut down to that column and the time of capture."""
    return tuple(
        replace(rule, inputs={name: raw for name, raw in rule.inputs.items() if raw in (column, _RECORDED)})
        for rule in model.fields
        if any(
            raw == column for name, raw in rule.inputs.items() if name not in STANDARDISERS[rule.standardiser].context
        )
    )


def _raw(record: SourceRecord, column: str) -> str | None:
    return record.recorded_at if column == _RECORDED else record.values.get(column)


def _only(record: SourceRecord, column: str) -> SourceRecord:
    value = record.values.get(column)
    return replace(record, values={} if value is None else {column: value})


def _batch(model: LinkageModel, given: PeoplesRecords) -> _Batch:
    records = given.records
    keys = pa.table({"system": records.systems, "local_id": records.source_record_ids})
    order = pc.sort_indices(keys, sort_keys=[("system", "ascending"), ("local_id", "ascending")])
    keys = keys.take(order).combine_chunks()
    system = pc.dictionary_encode(keys["system"].combine_chunks())
    names = sorted(system.dictionary.to_pylist())
    number = {name: at for at, name in enumerate(names)}
    numbers = np.array([number[name] for name in system.dictionary.to_pylist()], dtype=np.int64)
    systems = numbers[system.indices.to_numpy()]
    tiers = np.array([model.trust.get(name, UNTRUSTED) for name in names], dtype=np.int64)
    recorded = records.recorded_ats.take(order).combine_chunks()
    times, moments = _moments(recorded)
    raw = records.values.select(golden_columns(model)).take(order).append_column(_RECORDED, recorded)
    return _Batch(
        raw=raw.combine_chunks(),
        keys=pc.binary_join_element_wise(keys["system"], keys["local_id"], ":").combine_chunks(),
        local_ids=keys["local_id"].combine_chunks(),
        people=given.people[order.to_numpy()],
        names=names,
        systems=systems,
        tiers=tiers[systems],
        times=times,
        moments=moments,
    )


def _moments(recorded: pa.Array) -> tuple[list[str], Integers]:
    """The moments that times of capture stand for, growing, and the place of each time's among them or -1."""
    encoded = pc.dictionary_encode(recorded)
    known = [moment(text) for text in encoded.dictionary.to_pylist()]
    times = sorted({each for each in known if each is not None})
    places = np.array([-1 if each is None else bisect_left(times, each) for each in known] + [-1], dtype=np.int64)
    return times, places[pc.fill_null(encoded.indices, len(known)).to_numpy()]


def _field_columns(model: LinkageModel, rule: SurvivorshipRule, batch: _Batch, people: int) -> list[pa.Array]:
    """Value, origin and reason of one field for all people of a batch; null where nobody knows a value."""
    forms = _forms(standardise_table(batch.raw, _reading(model, rule.field)))
    column = batch.raw[rule.field].combine_chunks()
    rows = np.flatnonzero((forms >= 0) & column.is_valid().to_numpy(zero_copy_only=False))
    values = column.take(pa.array(rows))
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
    winners = values.take(pa.array(choices.winners))
    origins = batch.keys.take(pa.array(rows[choices.winners]))
    reasons = _reasons(rule, batch, choices, rows=rows[choices.winners], values=winners)
    return [each.take(spread) for each in (winners, origins, reasons)]


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


def _reasons(rule: SurvivorshipRule, batch: _Batch, choices: Choices, *, rows: Integers, values: pa.Array) -> pa.Array:
    """The reason of every choice; each distinct one is put into words once. `rows` and `values` are the winners'."""
    figures = {
        "trusted": batch.systems[rows],
        "recent": batch.moments[rows] + 1,
        "frequent": choices.held * (int(choices.known.max(initial=0)) + 1) + choices.known,
        "longest": pc.utf8_length(values).to_numpy(zero_copy_only=False).astype(np.int64),
    }
    # a sentence hangs on the decider, and on the one figure that it names
    figure = np.where(choices.deciders == AGREED, choices.known, 0)
    for place, name in enumerate(rule.prefer):
        figure = np.where(choices.deciders == place, figures[name], figure)
    width = int(figure.max(initial=0)) + 1
    _, first, which = np.unique(choices.deciders * width + figure, return_index=True, return_inverse=True)
    sentences = [
        reason(
            rule.prefer,
            int(choices.deciders[at]),
            held=int(choices.held[at]),
            known=int(choices.known[at]),
            winner=_candidate(batch, int(rows[at]), values[at].as_py()),
        )
        for at in first.tolist()
    ]
    return pa.array(sentences, pa.string()).take(pa.array(which))


def _candidate(batch: _Batch, row: int, value: str) -> Candidate:
    system = batch.names[batch.systems[row]]
    key = RecordKey(system, batch.local_ids[row].as_py())
    moment = int(batch.moments[row])
    return Candidate(key, value, batch.times[moment] if moment >= 0 else None, int(batch.tiers[row]))
