"""Personal data shown to somebody who asked for it: never without an event that says who saw what, and why.

The values and the event come of one transaction: what cannot be written down is not shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mpi.domain.errors import InvalidInputError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, RevealReason, Right
from mpi.registry import events
from mpi.registry.registry import Registry
from mpi.registry.source_records import raw_records
from mpi.services.access import require
from mpi.services.lookup import find_record

EVENT = "review.revealed"
"""The kind of event that a reveal leaves behind; it is about nobody in particular, and names records by number."""

MOST_RECORDS = 60
"""Records that one reveal shows: a screenful. More would be an export."""

_MADE_BY = "steward"


@dataclass(frozen=True, slots=True)
class Revealed:
    """Raw values by record, of the columns asked for that the record has; `revision` is that of the event."""

    values: Mapping[RecordKey, Mapping[str, str]]
    revision: int


def reveal(
    registry: Registry,
    actor: Actor,
    keys: Sequence[RecordKey],
    columns: Sequence[str],
    *,
    reason: RevealReason,
    task_id: int | None = None,
) -> Revealed:
    """Raw values of some columns of some records, and the event that tells of it.

    `task_id` is the review task on which they were looked at, None on other screens.
    Raises MissingRightError, InvalidInputError for no or too many records or columns, UnknownSourceSystemError,
    UnknownRecordError; no message repeats a record's own id.
    """
    require(actor, Right.REVEAL)
    if not keys or len(keys) > MOST_RECORDS or not columns:
        raise InvalidInputError(
            f"name one to {MOST_RECORDS} records and at least one field", metadata={"field": "records"}
        )
    with registry.begin() as uow:
        numbers = {key: find_record(uow, key) for key in dict.fromkeys(keys)}
        stored = dict(raw_records(uow, np.array(sorted(numbers.values()), dtype=np.int64)))
        known = {column for record in stored.values() for column in record.values}
        wanted = sorted(known.intersection(columns))
        payload = {
            "steward": actor.name,
            "task": task_id,
            "records": sorted(numbers.values()),
            "fields": wanted,
            "reason": reason.value,
        }
        revision = events.append_one(uow, EVENT, None, payload, made_by=_MADE_BY)
        return Revealed(
            {
                key: {column: stored[number].values[column] for column in wanted if column in stored[number].values}
                for key, number in numbers.items()
            },
            revision,
        )
