"""Look-up: who bears this identifier? A record's own key leads to one person, a number may lead to several.

No message repeats a number: whoever reads a log must not learn it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import (
    InvalidInputError,
    NotFoundError,
    RecordWithdrawnError,
    UnknownIdentifierError,
    UnknownRecordError,
    UnknownSourceSystemError,
)
from mpi.domain.records import ColumnKind, RecordKey, SourceRecord
from mpi.matching.features import representation_of
from mpi.matching.stored_keys import PAGE_ENTRIES, blocks_of, stored_keys
from mpi.persons.survivorship import key_order
from mpi.registry import blocking_keys, events, online, persons, withdrawals
from mpi.registry.registry import Registry
from mpi.registry.source_records import find, keys_of, source_system_names
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.neighbourhood import OnlineRules

MOST_PEOPLE = 50
"""People that one answer names."""

_CITIZEN, _INSURANCE = "citizen_id", "health_insurance_number"
_WORDS = {_CITIZEN: "citizen number", _INSURANCE: "health insurance number"}

Rows = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class IdentifiedPerson:
    """One person who bears an identifier: the records that bear it and all records, both sorted by key."""

    enterprise_id: str
    bearing: tuple[RecordKey, ...]
    cross_references: tuple[RecordKey, ...]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Who bears an identifier, in the order of enterprise IDs, at the registry's newest revision.

    `shared_widely`: more people have the number than the rules allow, so that it says nothing about who somebody is.
    """

    people: Sequence[IdentifiedPerson]
    shared_widely: bool
    revision: int


def look_up(
    registry: Registry,
    rules: OnlineRules,
    *,
    key: RecordKey | None = None,
    citizen_id: str | None = None,
    health_insurance_number: str | None = None,
    at_least: int = 0,
) -> LookUp:
    """Who bears a record key, a citizen number or an insurance number; one of the three must be given.

    Numbers are read as those of records are: any form that a record may hold is understood.
    Raises InvalidInputError naming the field for a number that is none, UnknownSourceSystemError, UnknownRecordError,
    RecordWithdrawnError, UnknownIdentifierError, NotYetVisibleError.
    """
    given = {_CITIZEN: citizen_id, _INSURANCE: health_insurance_number}
    numbers = {field: number for field, number in given.items() if number is not None}
    if len(numbers) + (key is not None) != 1:
        raise InvalidInputError("give one identifier", metadata={"field": "identifier"})
    with registry.snapshot() as uow:
        revision = events.reached(uow, at_least)
        if key is not None:
            return _by_key(uow, key, revision)
        ((field, number),) = numbers.items()
        return _by_number(uow, rules, field, number, revision)


def find_record(uow: UnitOfWork, key: RecordKey) -> int:
    """The number of a record. Raises UnknownSourceSystemError or UnknownRecordError; neither repeats its own id."""
    about = {"source_system": key.source_system}
    if key.source_system not in source_system_names(uow).values():
        raise UnknownSourceSystemError(f"no record ever came from a source system {key.source_system}", metadata=about)
    try:
        return find(uow, key)
    except NotFoundError:
        raise UnknownRecordError(f"{key.source_system} has no record of this id", metadata=about) from None


def _by_key(uow: UnitOfWork, key: RecordKey, revision: int) -> LookUp:
    record_ids = np.array([find_record(uow, key)], dtype=np.int64)
    about = {"source_system": key.source_system}
    if len(withdrawals.withdrawn_among(uow, record_ids)):
        raise RecordWithdrawnError("the record was withdrawn by its source", metadata=about)
    links = persons.links_of_records(uow, record_ids)
    if not len(links.person_ids):
        raise UnknownRecordError("the record was read by a run that has not placed it yet", metadata=about)
    return LookUp(_people(uow, links.record_ids, links.person_ids), False, revision)


def _by_number(uow: UnitOfWork, rules: OnlineRules, field: str, number: str, revision: int) -> LookUp:
    """The people of the records that hold a number, whatever kind of number it proves to be."""
    row = rules.feature_rows([SourceRecord(RecordKey("", ""), {field: number})])
    found = [_holders(uow, rules, row, *each) for each in _number_rules(rules, row)]
    if not found:
        raise InvalidInputError(f"this is no {_WORDS[field]}", metadata={"field": field})
    record_ids = np.concatenate([each.record_ids for each in found])
    person_ids = np.concatenate([each.person_ids for each in found])
    shared = any(each.shared_widely for each in found)
    if not len(record_ids) and not shared:
        raise UnknownIdentifierError(f"no record bears this {_WORDS[field]}", metadata={"field": field})
    people = _people(uow, record_ids, person_ids)
    return LookUp(people[:MOST_PEOPLE], shared or len(people) > MOST_PEOPLE, revision)


def _number_rules(rules: OnlineRules, row: Rows) -> list[tuple[str, NDArray[np.int64]]]:
    """The columns of a row that have a value and a blocking rule of their own, each with the row's keys int64 (k,)."""
    keys = stored_keys(rules.plan, row, rules.secret)[0]
    found = []
    for place, rule in enumerate(rules.model.blocking):
        first, stop = rules.plan.keys.first_slot[place : place + 2]
        of_rule = keys[first:stop]
        alone = len(rule.columns) == 1 and rules.model.columns[rule.columns[0]] is ColumnKind.TEXT
        if alone and of_rule.any():
            found.append((rule.columns[0], of_rule[of_rule != 0].view(np.int64)))
    return found


@dataclass(frozen=True, slots=True)
class _Holders:
    """Records that hold a value, with their people, int64 (n,) each, and whether too many people have it."""

    record_ids: NDArray[np.int64]
    person_ids: NDArray[np.int64]
    shared_widely: bool


def _holders(uow: UnitOfWork, rules: OnlineRules, row: Rows, column: str, keys: NDArray[np.int64]) -> _Holders:
    layout = rules.scorer.layout
    offset = layout.offset(column, representation_of(rules.model.columns[column])) // 8
    code = row.view(np.uint64)[:, offset]
    near = rules.keys.near(uow, keys)[0].entries
    candidates = np.unique(near[np.isin(blocks_of(near[:, 0]), blocks_of(keys)), 1])
    record_ids, rows = online.feature_rows(uow, candidates, layout=layout.digest, width=layout.width)
    holds = np.ascontiguousarray(rows).view(np.uint64)[:, offset] == code[0]
    links = persons.links_of_records(uow, record_ids[holds])
    people = len(np.unique(links.person_ids))
    limit = min((cap.limit for cap in rules.model.frequency_caps if cap.column == column), default=MOST_PEOPLE)
    # of a block that fills a page nobody knows how much more there is
    shared = people > limit or (people > 1 and len(candidates) >= PAGE_ENTRIES)
    shared |= bool(blocking_keys.capped_among(uow, [column], code)[0])
    return _Holders(links.record_ids, links.person_ids, shared)


def _people(uow: UnitOfWork, record_ids: NDArray[np.int64], person_ids: NDArray[np.int64]) -> list[IdentifiedPerson]:
    """The people of records that bear an identifier, in the order of their enterprise IDs."""
    everyone = np.unique(person_ids)
    members = persons.members(uow, everyone)
    keys = keys_of(uow, members.record_ids)
    names = persons.enterprise_ids_of(uow, everyone)
    bearing = set(record_ids.tolist())
    records: dict[int, list[int]] = {}
    for record_id, person_id in zip(members.record_ids.tolist(), members.person_ids.tolist(), strict=True):
        records.setdefault(person_id, []).append(record_id)
    people = [
        IdentifiedPerson(
            names[person_id],
            bearing=_sorted(keys[each] for each in mine if each in bearing),
            cross_references=_sorted(keys[each] for each in mine),
        )
        for person_id, mine in records.items()
    ]
    return sorted(people, key=lambda each: each.enterprise_id)


def _sorted(keys: Iterable[RecordKey]) -> tuple[RecordKey, ...]:
    return tuple(sorted(keys, key=key_order))
