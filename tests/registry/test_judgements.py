"""Judgements as they are looked up: through chains of records, in any number, without those taken back."""

from collections.abc import Sequence

import pytest

from mpi.domain.review import Verdict
from mpi.persons.judged import Judgement
from mpi.registry import judgements
from mpi.registry.judgements import about, add, of_decision, standing, withdraw, withdrawn_between
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from tests.registry.rows import store_records

SAME, DIFFERENT, UNSURE = Verdict.SAME, Verdict.DIFFERENT, Verdict.UNSURE


def say(uow: UnitOfWork, said: Sequence[tuple[int, int, Verdict]], *, first: int = 1, decision: int = 7) -> int:
    return add(
        uow,
        [(a, b) for a, b, _ in said],
        [verdict for _, _, verdict in said],
        first_judgement=first,
        decision_id=decision,
        made_by="lan",
        reason="as the papers say",
    )


def numbers(found: Sequence[Judgement]) -> list[int]:
    return [each.judgement_id for each in found]


@pytest.fixture
def chained(registry: Registry) -> Registry:
    """1 is 2 is 3 is 4; 4 is not 5; 5 is 6; 6 is not 7; nobody could tell 1 from 8; 9 is 10."""
    with registry.begin() as uow:
        store_records(uow, [str(number) for number in range(12)])
        said = [(1, 2, SAME), (3, 2, SAME), (3, 4, SAME), (5, 4, DIFFERENT), (5, 6, SAME), (7, 6, DIFFERENT)]
        assert say(uow, [*said, (8, 1, UNSURE), (9, 10, SAME)]) == 8
    return registry


@pytest.mark.parametrize(
    ("records", "found"),
    [
        # all that ties, and what is said of those who are tied; not what is said of those kept apart from them
        ([1], [1, 2, 3, 4, 7]),
        ([4], [1, 2, 3, 4, 7]),
        ([5], [4, 5, 6]),
        ([7], [6]),
        ([8], [7]),
        ([10, 7], [6, 8]),
        ([1, 6], [1, 2, 3, 4, 5, 6, 7]),
        ([11], []),
        ([], []),
    ],
)
def test_what_is_said_of_records_and_of_those_tied_to_them(
    chained: Registry, records: list[int], found: list[int]
) -> None:
    with chained.snapshot() as uow:
        assert numbers(about(uow, records)) == found
    with chained.look() as reading:
        assert numbers(about(reading, records)) == found


def test_a_judgement_has_its_ends_in_order_and_says_who_made_it(chained: Registry) -> None:
    with chained.snapshot() as uow:
        (each,) = about(uow, [7])
    assert (each.verdict, each.record_a, each.record_b, each.made_by, each.decision_id) == (DIFFERENT, 6, 7, "lan", 7)
    assert each.made_at.endswith("+00:00")


def test_what_was_taken_back_ties_nobody(chained: Registry) -> None:
    with chained.begin() as uow:
        assert withdraw(uow, [2, 8], revision=30) == 2
    with chained.begin() as uow:
        # once taken back is taken back
        assert withdraw(uow, [2, 8, 5], revision=31) == 1
        assert withdraw(uow, [], revision=32) == 0
    with chained.snapshot() as uow:
        assert numbers(about(uow, [1])) == [1, 7]
        assert numbers(about(uow, [4])) == [3, 4]
        assert numbers(about(uow, [9, 10, 5])) == [4]
        assert numbers(standing(uow)) == [1, 3, 4, 6, 7]
        assert numbers(withdrawn_between(uow, 30, 30)) == [2, 8]
        assert numbers(withdrawn_between(uow, 31, 99)) == [5]
        assert numbers(of_decision(uow, 7)) == list(range(1, 9))
        assert of_decision(uow, 8) == []


def test_a_circle_of_judgements_ends(registry: Registry) -> None:
    with registry.begin() as uow:
        store_records(uow, ["a", "b", "c"])
        say(uow, [(1, 2, SAME), (2, 3, SAME), (3, 1, SAME), (1, 2, SAME)])
    with registry.snapshot() as uow:
        assert numbers(about(uow, [2])) == [1, 2, 3, 4]


def test_chains_of_thousands_are_found_from_any_end(registry: Registry) -> None:
    count = 3_000
    with registry.begin() as uow:
        store_records(uow, [str(number) for number in range(count)])
        say(uow, [(number, number + 1, SAME) for number in range(1, count - 9)])
    with registry.snapshot() as uow:
        for start in (1, count // 2, count - 9):
            assert len(about(uow, [start])) == count - 10
        assert about(uow, [count]) == []
        assert len(standing(uow)) == count - 10
        # asked for everything at once it is the same
        assert numbers(about(uow, list(range(1, count + 1)))) == numbers(judgements.standing(uow))
