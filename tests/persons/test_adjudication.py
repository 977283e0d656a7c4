"""Who is asked a second time, and where a task goes: every rule as a row of a table."""

from dataclasses import replace

import pytest

from mpi.domain.model import Thresholds
from mpi.domain.review import Stage, Verdict
from mpi.persons.adjudication import (
    ADULT,
    ESTABLISHED,
    SAMPLED_ONE_IN,
    PersonFacts,
    QuestionFacts,
    SecondReason,
    is_sampled,
    next_stage,
    part_alike,
    second_reasons,
)

LIMITS = Thresholds(link=8.0, review=2.0, margin=3.0)
SECRET = bytes(range(16))

NEW, GROWN = PersonFacts(1, False, 40), PersonFacts(ESTABLISHED, False, 40)
CHILD, OF_AGE = replace(NEW, age=ADULT - 1), replace(NEW, age=ADULT)
DEAD, OF_NO_AGE = replace(NEW, deceased=True), replace(NEW, age=None)
SAME, DIFFERENT, UNSURE = Verdict.SAME, Verdict.DIFFERENT, Verdict.UNSURE
CLEAR = LIMITS.review + LIMITS.margin


def about(
    *people: PersonFacts, weight: float | None = CLEAR, several: bool = False, sampled: bool = False
) -> QuestionFacts:
    return QuestionFacts(people, weight, several, sampled)


@pytest.mark.parametrize(
    ("verdict", "facts", "reasons"),
    [
        (SAME, about(NEW, NEW), ""),
        (SAME, about(NEW, GROWN), ""),
        (SAME, about(GROWN, GROWN), "established"),
        (SAME, about(GROWN, replace(GROWN, records=100)), "established"),
        (SAME, about(NEW, DEAD), "deceased"),
        (SAME, about(DEAD, NEW), "deceased"),
        (SAME, about(NEW, CHILD), "minor"),
        (SAME, about(CHILD, GROWN), "minor"),
        (SAME, about(OF_AGE, OF_NO_AGE), ""),
        (SAME, about(NEW, NEW, weight=CLEAR - 0.01), "low_margin"),
        (SAME, about(NEW, NEW, weight=-3.0), "low_margin"),
        (SAME, about(NEW, NEW, weight=None), ""),
        (SAME, about(NEW, NEW, weight=None, several=True), "low_margin"),
        (SAME, about(NEW, NEW, weight=20.0, several=True), "low_margin"),
        (SAME, about(NEW, NEW, sampled=True), "sample"),
        (
            SAME,
            about(replace(GROWN, deceased=True), replace(GROWN, age=3), weight=0.0, sampled=True),
            "established deceased minor low_margin sample",
        ),
        # what joins nobody is read once, unless it is in the sample
        (SAME, about(replace(GROWN, deceased=True, age=3), weight=0.0), ""),
        (SAME, about(GROWN, sampled=True), "sample"),
        (DIFFERENT, about(replace(GROWN, deceased=True, age=3), GROWN, weight=0.0, several=True), ""),
        (DIFFERENT, about(NEW, NEW, sampled=True), "sample"),
        (UNSURE, about(NEW, NEW), "unsure"),
        (UNSURE, about(CHILD, DEAD, weight=0.0, several=True), "unsure"),
        (UNSURE, about(NEW, NEW, sampled=True), "unsure sample"),
    ],
)
def test_who_is_read_twice(verdict: Verdict, facts: QuestionFacts, reasons: str) -> None:
    assert [each.value for each in second_reasons(verdict, facts, LIMITS)] == reasons.split()


def test_every_reason_has_a_row_above() -> None:
    everything = about(replace(GROWN, deceased=True), replace(GROWN, age=3), weight=0.0, sampled=True)
    said = {*second_reasons(SAME, everything, LIMITS), *second_reasons(UNSURE, everything, LIMITS)}
    assert said == set(SecondReason)


@pytest.mark.parametrize(
    ("stage", "earlier", "verdict", "second_needed", "goes"),
    [
        (Stage.FIRST, [], SAME, False, None),
        (Stage.FIRST, [], SAME, True, Stage.SECOND),
        (Stage.FIRST, [], UNSURE, True, Stage.SECOND),
        (Stage.FIRST, [], DIFFERENT, False, None),
        (Stage.SECOND, [SAME], SAME, False, None),
        (Stage.SECOND, [SAME], SAME, True, None),
        (Stage.SECOND, [DIFFERENT], DIFFERENT, False, None),
        (Stage.SECOND, [UNSURE], UNSURE, True, None),
        (Stage.SECOND, [SAME], DIFFERENT, False, Stage.ADJUDICATION),
        (Stage.SECOND, [DIFFERENT], SAME, False, Stage.ADJUDICATION),
        (Stage.SECOND, [SAME], UNSURE, False, Stage.ADJUDICATION),
        (Stage.SECOND, [UNSURE], SAME, False, Stage.ADJUDICATION),
        *((Stage.ADJUDICATION, [SAME, DIFFERENT], verdict, True, None) for verdict in Verdict),
        (Stage.ADJUDICATION, [], SAME, True, None),
    ],
)
def test_where_a_task_goes(
    stage: Stage, earlier: list[Verdict], verdict: Verdict, second_needed: bool, goes: Stage | None
) -> None:
    assert next_stage(stage, earlier, verdict, second_needed=second_needed) is goes


def test_readers_who_part_a_person_otherwise_leave_it_to_a_lead() -> None:
    goes = [
        next_stage(stage, [DIFFERENT], DIFFERENT, second_needed=False, same_parts=False)
        for stage in (Stage.FIRST, Stage.SECOND, Stage.ADJUDICATION)
    ]
    assert goes == [None, Stage.ADJUDICATION, None]


@pytest.mark.parametrize(
    ("choices", "alike"),
    [
        ([], True),
        ([{4}], True),
        ([{4}, set()], True),
        ([{4}, {4}], True),
        ([{4}, {1, 2, 3}], True),
        ([{3, 4}, {1, 2}], True),
        ([{4}, {3}], False),
        ([{4}, {3, 4}], False),
        ([{4}, {1, 2, 3}, {1, 2}], False),
    ],
)
def test_parts_are_alike_whichever_side_is_named(choices: list[set[int]], alike: bool) -> None:
    assert part_alike([1, 2, 3, 4], choices) is alike


def test_the_sample_is_one_in_twenty_and_hangs_on_the_secret() -> None:
    count = 40_000
    mine = {number for number in range(count) if is_sampled(number, SECRET)}
    theirs = {number for number in range(count) if is_sampled(number, bytes(16))}
    expected = count / SAMPLED_ONE_IN
    # four standard deviations of a fair draw
    spread = 4 * (expected * (1 - 1 / SAMPLED_ONE_IN)) ** 0.5
    assert abs(len(mine) - expected) < spread
    assert abs(len(theirs) - expected) < spread
    assert abs(len(mine & theirs) - expected / SAMPLED_ONE_IN) < spread / SAMPLED_ONE_IN * 5
    # nobody is told by the number alone, such as every twentieth
    assert len({number % SAMPLED_ONE_IN for number in mine}) == SAMPLED_ONE_IN
