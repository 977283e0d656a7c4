"""What stewards judged binds every later link, of files and of single records, also through records long gone."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mpi.domain.review import Verdict
from mpi.registry.registry import Registry
from tests.online.desk import Desk
from tests.services.linking import link_rows, people, questions, row, strangers
from tests.services.stewardship.replayed import look
from tests.services.stewardship.stewards import Stewards

LAN_THI = {"name": "lan thi", "birth": "19850101"}
HUNG = {"name": "hung", "birth": "19900909"}
MAI = {"name": "mai", "birth": "19750505"}
CLEAR = {**LAN_THI, "number": "71"}

Comes = Callable[..., None]


@pytest.fixture
def stewards(registry: Registry, tmp_path: Path) -> Stewards:
    link_rows(registry, tmp_path / "first", x=strangers())
    return Stewards(Desk(registry))


@pytest.fixture(params=["files", "single records"])
def comes(request: pytest.FixtureRequest, stewards: Stewards, tmp_path: Path) -> Comes:
    """Lets records come, each given by its key and values."""
    seasons = iter(range(99))

    def by_files(**records: dict[str, str]) -> None:
        sources: dict[str, list[object]] = {}
        for name, values in records.items():
            sources.setdefault(name[0], []).append(row(name[1:], **values))
        link_rows(stewards.registry, tmp_path / str(next(seasons)), **sources)  # type: ignore[arg-type]

    def one_by_one(**records: dict[str, str]) -> None:
        for name, values in records.items():
            stewards.desk.comes(f"{name[0]}:{name[1:]}", **values)

    return by_files if request.param == "files" else one_by_one


def groups(stewards: Stewards, *records: str) -> set[frozenset[str]]:
    """Who is one person among some records."""
    owner = people(stewards.registry)
    return {
        frozenset(each for each in records if owner.get(each) == person)
        for person in {owner[record] for record in records if record in owner}
    }


def apart(*groups: Sequence[str]) -> set[frozenset[str]]:
    return {frozenset(group) for group in groups}


def judged_different(stewards: Stewards, one: str, other: str) -> None:
    """Two records of one name, which a steward keeps apart."""
    stewards.desk.comes(one, name="lan thi")
    stewards.desk.comes(other, name="lan thi")
    (task,) = (each for each in stewards.tasks() if {str(each.record_a), str(each.record_b)} == {one, other})
    stewards.settle(task, Verdict.DIFFERENT)


def merged(stewards: Stewards, one: str, other: str) -> None:
    ids = [stewards.id_of(each) for each in (one, other)]
    assert None not in ids
    stewards.merge(*(each or "" for each in ids))


def test_two_judged_different_are_not_joined_by_what_comes(stewards: Stewards, comes: Comes) -> None:
    judged_different(stewards, "a:1", "b:1")
    comes(a1=CLEAR, b1=CLEAR)
    comes(c1=CLEAR, c2={**CLEAR, "phone": "0901234567"})
    found = groups(stewards, "a:1", "b:1", "c:1", "c:2")
    assert not any({"a:1", "b:1"} <= group for group in found)
    assert not any({"a:1", "b:1"} <= asked for asked in questions(stewards.registry))


def test_two_judged_the_same_stay_together_whatever_they_say(stewards: Stewards, comes: Comes) -> None:
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", **HUNG)
    merged(stewards, "a:1", "b:1")
    comes(a1={**LAN_THI, "number": "71"}, b1={**HUNG, "number": "72"})
    assert groups(stewards, "a:1", "b:1") == apart(["a:1", "b:1"])


def test_different_holds_through_a_chain(stewards: Stewards, comes: Comes) -> None:
    """a:1 is c:1 by one steward, and not b:1 by another: c:1 is not b:1, though nobody said so."""
    judged_different(stewards, "a:1", "b:1")
    stewards.desk.comes("c:1", **HUNG)
    merged(stewards, "a:1", "c:1")
    comes(b1={**HUNG, "number": "77"}, c1={**HUNG, "number": "77"})
    assert groups(stewards, "a:1", "b:1", "c:1") == apart(["a:1", "c:1"], ["b:1"])


def test_different_holds_through_a_record_that_was_withdrawn(stewards: Stewards, comes: Comes) -> None:
    """c:1 was both a:1's and a stranger to b:1; it is gone, and a:1 and b:1 are still two."""
    stewards.desk.comes("a:1", **HUNG)
    judged_different(stewards, "c:1", "b:1")
    merged(stewards, "a:1", "c:1")
    stewards.withdraw("c:1")
    comes(a1=CLEAR, b1=CLEAR)
    assert groups(stewards, "a:1", "b:1") == apart(["a:1"], ["b:1"])
    assert questions(stewards.registry) == set()


def test_same_holds_through_a_record_that_was_withdrawn(stewards: Stewards, comes: Comes) -> None:
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("c:1", **HUNG)
    stewards.desk.comes("b:1", **MAI)
    merged(stewards, "a:1", "c:1")
    merged(stewards, "a:1", "b:1")
    stewards.withdraw("c:1")
    comes(a1={**LAN_THI, "number": "71"}, b1={**MAI, "number": "72"}, d1={**MAI, "number": "71"})
    assert groups(stewards, "a:1", "b:1") == apart(["a:1", "b:1"])


def test_what_was_taken_back_binds_nobody(stewards: Stewards, comes: Comes) -> None:
    stewards.desk.comes("a:1", name="lan thi")
    stewards.desk.comes("b:1", name="lan thi")
    outcome = stewards.answer(stewards.only_task(), Verdict.DIFFERENT)
    stewards.undo(outcome)
    comes(a1=CLEAR, b1=CLEAR)
    assert groups(stewards, "a:1", "b:1") == apart(["a:1", "b:1"])


def test_a_newcomer_who_fits_both_joins_neither_or_one(stewards: Stewards, comes: Comes) -> None:
    """c:1 is the same as either by all that it says: it brings nobody together."""
    judged_different(stewards, "a:1", "b:1")
    comes(a1=CLEAR, b1=CLEAR)
    before = look(stewards.registry).judged
    comes(c1=CLEAR)
    assert frozenset(("a:1", "b:1")) not in {group - {"c:1"} for group in groups(stewards, "a:1", "b:1", "c:1")}
    assert look(stewards.registry).judged == before


def test_a_split_holds_against_a_season_that_would_join_them_again(stewards: Stewards, comes: Comes) -> None:
    comes(a1=CLEAR, a2=CLEAR, b1=CLEAR)
    person = stewards.id_of("a:1")
    assert person is not None
    stewards.split(person, "b:1")
    comes(a1={**CLEAR, "phone": "0901234567"}, b1={**CLEAR, "phone": "0901234567"})
    assert groups(stewards, "a:1", "a:2", "b:1") == apart(["a:1", "a:2"], ["b:1"])
    assert questions(stewards.registry) == set()
