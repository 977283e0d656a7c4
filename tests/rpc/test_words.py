"""Every word of the API has its meaning inside, and every word from inside its place in the API."""

from collections.abc import Mapping
from typing import Any

import pytest

from mpi.domain.entries import EntryKind
from mpi.domain.review import DecisionKind, Stage, TaskKind, Verdict
from mpi.identity.v1 import health_record_pb2, person_pb2, review_pb2
from mpi.persons.adjudication import SecondReason
from mpi.rpc import convert, convert_entries, convert_review
from mpi.services.resolution import PersonChange
from mpi.services.stewardship.adjudicate import Standing

TABLES: list[tuple[Mapping[Any, int], Any, Any]] = [
    (convert.TASK_KINDS, TaskKind, person_pb2.ReviewTaskKind),
    (convert.PERSON_CHANGES, PersonChange, person_pb2.PersonChangeKind),
    (convert_entries.ENTRY_KINDS, EntryKind, health_record_pb2.EntryKind),
    (convert_review.STAGES, Stage, review_pb2.ReviewTaskStage),
    (convert_review.DECISION_KINDS, DecisionKind, review_pb2.DecisionKind),
    (convert_review.SECOND_REASONS, SecondReason, review_pb2.SecondReadingReason),
    (convert_review.STANDINGS, Standing, review_pb2.DecisionStanding),
]


@pytest.mark.parametrize(("table", "words", "enum"), TABLES, ids=[words.__name__ for _, words, _ in TABLES])
def test_words_lead_there_and_back(table: Mapping[Any, int], words: Any, enum: Any) -> None:
    assert set(table) == set(words)
    assert {number for number in enum.values() if number} == set(table.values())


def test_alike_words_have_alike_names() -> None:
    for table, words, enum in TABLES:
        if words in (PersonChange, Standing):
            continue
        for word in words:
            assert enum.Name(table[word]).endswith(f"_{word.name}")


def test_every_verdict_can_be_said_and_escalating_is_none() -> None:
    said = {review_pb2.ReviewVerdict.Name(number): verdict for number, verdict in convert_review.VERDICTS.items()}
    wanted: dict[str, Verdict | None] = {f"REVIEW_VERDICT_{each.name}": each for each in Verdict}
    assert said == {**wanted, "REVIEW_VERDICT_ESCALATE": None}


def test_readers_are_not_told_which_questions_test_them() -> None:
    assert convert_review.STANDINGS[Standing.NOTED] == convert_review.STANDINGS[Standing.APPLIED]
