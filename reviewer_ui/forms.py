"""What forms of several screens hold, read in one way."""

from typing import Annotated

from pydantic import Field

from mpi.domain.errors import InvalidInputError
from mpi.domain.records import RecordKey
from mpi.services.stewardship.deciding import LONGEST_REASON

LARGEST = 2**63 - 1
Number = Annotated[int, Field(ge=0, le=LARGEST)]
"""A number that a registry can hold."""

Text = Annotated[str, Field(max_length=LONGEST_REASON)]
"""What somebody writes: a note, a reason, words to search for."""

PageNumber = Annotated[int, Field(ge=1, le=100_000)]
"""A page of a long list."""

RequestId = Annotated[str, Field(min_length=1, max_length=100)]
"""The id under which a form is carried out once, however often it is sent."""


def record_named(text: str) -> RecordKey:
    """A record as forms name it: its source, a colon and its own id. Raises InvalidInputError."""
    system, colon, local_id = text.partition(":")
    if not (system and colon and local_id):
        raise InvalidInputError("a record is named by its source and its own id", metadata={"field": "record"})
    return RecordKey(system, local_id)
