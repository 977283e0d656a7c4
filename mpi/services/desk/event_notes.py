"""Events with what it takes to tell them in words: names instead of numbers, who acted, and by which decision."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.domain.records import RecordKey
from mpi.registry import audit_reads, persons
from mpi.registry.audit_reads import DecisionNote
from mpi.registry.change_feed import others_of, records_of
from mpi.registry.events import Event
from mpi.registry.source_records import keys_of
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.desk.reveal import EVENT

REVEALED = EVENT
"""The kind of an event that says who looked at what is masked."""


@dataclass(frozen=True, slots=True)
class NotedEvent:
    """One event. `steward` is the account that acted, None where rules or a source did (`made_by`).

    `others` are the other people named, by ID. `fields` and `reveal_reason` are those of a reveal, `verdicts` those of
    the judgements made, each once; what a reader said before others have read is in no event. `decision` is what the
    event belongs to, with the reason that its maker gave.
    """

    revision: int
    recorded_at: str
    kind: str
    made_by: str
    steward: str | None
    enterprise_id: str | None
    others: tuple[str, ...]
    records: tuple[RecordKey, ...]
    run_id: int | None
    task_id: int | None
    decision: DecisionNote | None
    verdicts: tuple[str, ...]
    fields: tuple[str, ...]
    reveal_reason: str | None


def noted(uow: UnitOfWork, found: Iterable[Event]) -> Iterator[NotedEvent]:
    """Events told with names, in the order given."""
    shown = list(found)
    keys = keys_of(uow, _numbers(number for event in shown for number in records_of(event)))
    people = {number for event in shown for number in (event.person_id, *others_of(event)) if number is not None}
    names = persons.enterprise_ids_of(uow, _numbers(people))
    decisions = audit_reads.decisions(uow, _numbers(filter(None, (_number(event, "decision") for event in shown))))
    for event in shown:
        payload = event.payload
        yield NotedEvent(
            revision=event.revision,
            recorded_at=event.recorded_at,
            kind=event.kind,
            made_by=event.made_by,
            steward=payload.get("steward"),
            enterprise_id=None if event.person_id is None else names.get(event.person_id),
            others=tuple(names[number] for number in others_of(event) if number in names),
            records=tuple(keys[number] for number in records_of(event) if number in keys),
            run_id=event.run_id,
            task_id=_number(event, "task"),
            decision=decisions.get(_number(event, "decision") or 0),
            verdicts=tuple(dict.fromkeys(payload.get("verdicts", ()))),
            fields=tuple(payload.get("fields", ())),
            reveal_reason=payload.get("reason") if event.kind == REVEALED else None,
        )


def _number(event: Event, name: str) -> int | None:
    found: Any = event.payload.get(name)
    return None if found is None else int(found)


def _numbers(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.array(sorted(set(numbers)), dtype=np.int64)
