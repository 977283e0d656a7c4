"""What an unmerge would do, found by doing it in a transaction that is taken back: nothing is ever changed here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpi.domain.errors import ContradictionError, InvalidInputError, UndoBlockedError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Right
from mpi.persons.enterprise_id import parse
from mpi.persons.survivorship import GoldenRecord, key_order
from mpi.registry import decisions, entries, events, persons
from mpi.registry.registry import Registry
from mpi.registry.source_records import keys_of, raw_records
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services import applying
from mpi.services.access import require
from mpi.services.deciding import Deciding
from mpi.services.golden_records import golden_record_of
from mpi.services.neighbourhood import OnlineRules


@dataclass(frozen=True, slots=True)
class UnmergedSide:
    """One of the people that an unmerge leaves: golden record, records, and the entries that hang on them."""

    enterprise_id: str
    golden: GoldenRecord
    records: tuple[RecordKey, ...]
    entries: int


@dataclass(frozen=True, slots=True)
class UnmergePreview:
    """What an unmerge would do. `sides` are the one who stays and the one who gets the ID back, then anybody else to
    whom the rules would give a record that came since; `since` are such records.

    Where it would be refused there are no sides: `blocked_by` names the later decision that has to be undone first, or
    `contradiction` the judgements in the way.
    """

    enterprise_id: str
    survivor: str
    sides: tuple[UnmergedSide, ...]
    since: tuple[RecordKey, ...]
    moved: tuple[RecordKey, ...]
    blocked_by: str | None
    contradiction: str | None
    seen_revision: int


class _TakenBackError(Exception):
    """Ends the transaction of a preview."""


def preview_unmerge(registry: Registry, rules: OnlineRules, actor: Actor, enterprise_id: str) -> UnmergePreview:
    """What giving a merged person its ID back would do. Changes nothing.

    Raises MissingRightError, InvalidInputError for a mistyped ID and for one who is not merged, UnknownPersonError,
    RunInProgressError.
    """
    require(actor, Right.CHANGE_PEOPLE)
    found: list[UnmergePreview] = []
    try:
        with registry.begin() as uow:
            uow.dialect.lock_keys(uow.driver, [], all_keys=True)
            found.append(_tried(Deciding(uow, registry.secret, rules, actor, ""), parse(enterprise_id)))
            raise _TakenBackError
    except _TakenBackError:
        return found[0]


def _tried(deciding: Deciding, enterprise_id: str) -> UnmergePreview:
    uow = deciding.uow
    dead = persons.named(uow, enterprise_id)
    if dead.superseded_by is None:
        raise InvalidInputError(
            f"{enterprise_id} is not merged into another person", metadata={"field": "enterprise_id"}
        )
    survivor = persons.find_person(uow, dead.superseded_by)
    newest = events.last_revision(uow)
    before = _records(uow, survivor.person_id)
    came = _came_since(uow, dead.person_id, survivor.person_id)
    blocked_by = contradiction = None
    sides: tuple[UnmergedSide, ...] = ()
    moved: list[int] = []
    try:
        made = applying.unmerge(deciding, dead.person_id)
        people = [survivor.person_id, dead.person_id]
        sides = tuple(_side(deciding, each) for each in (*people, *sorted(made.people.difference(people))))
        moved = sorted(set(before).difference(_records(uow, survivor.person_id)))
    except UndoBlockedError as refused:
        blocked_by = refused.metadata["decision"]
    except ContradictionError as refused:
        contradiction = refused.metadata["path"]
    return UnmergePreview(
        enterprise_id=dead.enterprise_id,
        survivor=survivor.enterprise_id,
        sides=sides,
        since=_keys(uow, came),
        moved=_keys(uow, moved),
        blocked_by=blocked_by,
        contradiction=contradiction,
        seen_revision=newest,
    )


def _came_since(uow: UnitOfWork, dead: int, survivor: int) -> list[int]:
    """The survivor's records that came after the merge."""
    merged = decisions.redirected_since(uow, dead)
    if merged is None:
        return []
    made = decisions.at_revision(uow, merged)
    last = merged if made is None else made.last_revision
    return sorted(persons.linked_since(uow, survivor, last))


def _side(deciding: Deciding, person: int) -> UnmergedSide:
    uow = deciding.uow
    numbers = np.array(_records(uow, person), dtype=np.int64)
    records = [record for _, record in raw_records(uow, numbers)]
    name = deciding.names([person])[person]
    golden = golden_record_of(deciding.rules.model, name, records)
    return UnmergedSide(name, golden, golden.record_keys, int(entries.count_of_records(uow, numbers).sum()))


def _records(uow: UnitOfWork, person: int) -> list[int]:
    found: list[int] = persons.members(uow, np.array([person], dtype=np.int64)).record_ids.tolist()
    return found


def _keys(uow: UnitOfWork, records: Sequence[int]) -> tuple[RecordKey, ...]:
    found = keys_of(uow, np.array(sorted(records), dtype=np.int64))
    return tuple(sorted(found.values(), key=key_order))
