"""What forms of several screens hold, read in one way."""

from mpi.domain.errors import InvalidInputError
from mpi.domain.records import RecordKey


def record_named(text: str) -> RecordKey:
    """A record as forms name it: its source, a colon and its own id. Raises InvalidInputError."""
    system, colon, local_id = text.partition(":")
    if not (system and colon and local_id):
        raise InvalidInputError("a record is named by its source and its own id", metadata={"field": "record"})
    return RecordKey(system, local_id)
