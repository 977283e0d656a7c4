"""What judgements mean together, against brute force; paths are ways that are there."""

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from mpi.domain.review import Verdict
from mpi.persons.judged import Judged, Judgement, Obstacle

RECORDS = range(8)

_pairs = st.tuples(st.sampled_from(RECORDS), st.sampled_from(RECORDS)).filter(lambda pair: pair[0] != pair[1])
_said = st.lists(st.tuples(_pairs, st.sampled_from(list(Verdict))), max_size=12)
_sides = st.lists(st.sampled_from(RECORDS), min_size=2, max_size=8, unique=True).flatmap(
    lambda records: st.integers(1, len(records) - 1).map(lambda at: (records[:at], records[at:]))
)


def judgements(said: Collection[tuple[tuple[int, int], Verdict]]) -> list[Judgement]:
    return [
        Judgement(number, verdict, a, b, "lan", "2026-01-01T00:00:00.000000+00:00")
        for number, ((a, b), verdict) in enumerate(said, 1)
    ]


def tied(said: Collection[Judgement], one: int, other: int) -> bool:
    """Whether SAME judgements lead from one record to another, by walking every way."""
    reached = {one}
    for _ in RECORDS:
        for each in said:
            ends = {each.record_a, each.record_b}
            if each.verdict is Verdict.SAME and ends & reached:
                reached |= ends
    return other in reached


def kept_apart(said: Collection[Judgement], one: int, other: int) -> bool:
    return any(
        (tied(said, one, a) and tied(said, other, b)) or (tied(said, one, b) and tied(said, other, a))
        for a, b in ((each.record_a, each.record_b) for each in said if each.verdict is Verdict.DIFFERENT)
    )


def check_path(obstacle: Obstacle, one: Collection[int], other: Collection[int], different: int) -> None:
    """The path leads from one side to the other by judgements about just these records."""
    assert obstacle.start in one
    at = obstacle.start
    verdicts = []
    for step in obstacle.path:
        assert step.judgement is not None
        assert {at, step.record} == {step.judgement.record_a, step.judgement.record_b}
        verdicts.append(step.judgement.verdict)
        at = step.record
    assert at in other
    assert verdicts.count(Verdict.DIFFERENT) == different
    assert verdicts.count(Verdict.SAME) == len(verdicts) - different
    assert obstacle.judgement in [step.judgement for step in obstacle.path]


@given(_said, st.sets(st.sampled_from(RECORDS), min_size=1))
def test_a_chain_is_all_that_same_ties(said: list[tuple[tuple[int, int], Verdict]], starts: set[int]) -> None:
    made = judgements(said)
    found = Judged(made).chain(starts)
    assert set(found) == {record for record in RECORDS if any(tied(made, start, record) for start in starts)}
    for record, (start, path) in found.items():
        assert start in starts
        at = start
        for step in path:
            assert step.judgement is not None
            assert step.judgement.verdict is Verdict.SAME
            assert {at, step.record} == {step.judgement.record_a, step.judgement.record_b}
            at = step.record
        assert at == record
        assert not path or record not in starts


@given(_said, _sides)
def test_one_person_is_forbidden_where_any_two_are_kept_apart(
    said: list[tuple[tuple[int, int], Verdict]], sides: tuple[list[int], list[int]]
) -> None:
    made = judgements(said)
    obstacle = Judged(made).against_one_person(*sides)
    assert (obstacle is not None) == any(kept_apart(made, a, b) for a in sides[0] for b in sides[1])
    if obstacle is not None:
        assert obstacle.judgement.verdict is Verdict.DIFFERENT
        check_path(obstacle, *sides, different=1)


@given(_said, _sides)
def test_two_people_are_forbidden_where_any_two_are_tied(
    said: list[tuple[tuple[int, int], Verdict]], sides: tuple[list[int], list[int]]
) -> None:
    made = judgements(said)
    obstacle = Judged(made).against_two_people(*sides)
    assert (obstacle is not None) == any(tied(made, a, b) for a in sides[0] for b in sides[1])
    if obstacle is not None:
        check_path(obstacle, *sides, different=0)


@given(_said, st.sets(st.sampled_from(RECORDS)))
def test_constraints_say_of_some_records_all_that_follows_from_all(
    said: list[tuple[tuple[int, int], Verdict]], places: set[int]
) -> None:
    """Records that are not in force have no place, and still hand on what was said of them."""
    made = judgements(said)
    must, cannot = Judged(made).constraints(places)
    assert {end for pair in (*must, *cannot) for end in pair} <= places
    asserted = judgements([((a, b), Verdict.SAME) for a, b in must if a != b])
    asserted += judgements([((a, b), Verdict.DIFFERENT) for a, b in cannot])
    for a in places:
        for b in places - {a}:
            assert tied(asserted, a, b) == tied(made, a, b)
            assert kept_apart(asserted, a, b) == kept_apart(made, a, b)


def test_a_path_of_several_steps_is_told_from_one_end_to_the_other() -> None:
    """1 is 2 is 3; 3 is not 4; 4 is 5: 1 and 5 are two people."""
    same, different = Verdict.SAME, Verdict.DIFFERENT
    judged = Judged(judgements([((2, 1), same), ((2, 3), same), ((4, 3), different), ((5, 4), same)]))
    obstacle = judged.against_one_person([1], [5])
    assert obstacle is not None
    told = [(step.record, step.judgement.judgement_id) for step in obstacle.path]
    assert (obstacle.start, told) == (1, [(2, 1), (3, 2), (4, 3), (5, 4)])
    assert obstacle.judgement.judgement_id == 3


def test_the_shortest_way_is_told() -> None:
    same = Verdict.SAME
    judged = Judged(judgements([((1, 2), same), ((2, 3), same), ((3, 4), same), ((1, 4), same)]))
    obstacle = judged.against_two_people([1], [4])
    assert obstacle is not None
    assert [step.record for step in obstacle.path] == [4]


def test_unsure_binds_nobody() -> None:
    judged = Judged(judgements([((1, 2), Verdict.UNSURE)]))
    assert judged.constraints({1, 2}) == ([], [])
    assert judged.against_one_person([1], [2]) is judged.against_two_people([1], [2]) is None
