"""What stewards decided: who made it, whom it touched, what came later, and what its revisions did to people."""

import numpy as np
import pytest

from mpi.domain.errors import UnknownDecisionError
from mpi.domain.review import DecisionKind
from mpi.registry import decisions, persons
from mpi.registry.counters import Counters, allocate
from mpi.registry.decisions import Decision, Moved
from mpi.registry.persons import LinkRows
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from tests.registry.rows import KEY, store_persons, store_records


def made(
    number: int,
    kind: DecisionKind = DecisionKind.MERGE,
    *,
    last: int | None = None,
    by: str = "lan",
    undoes: int | None = None,
) -> Decision:
    return Decision(number, kind, last or number, None, by, "", "reason", undoes, None)


def people(*numbers: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(numbers, dtype=np.int64)


def test_a_decision_is_kept_with_whom_it_touched(registry: Registry) -> None:
    with registry.begin() as uow:
        decisions.add(uow, made(10, last=12), {3, 1})
        decisions.add(uow, made(13, DecisionKind.JUDGE), ())
    with registry.snapshot() as uow:
        found = decisions.find(uow, 10)
        assert (found.kind, found.last_revision, found.made_by, found.reason) == (
            DecisionKind.MERGE,
            12,
            "lan",
            "reason",
        )
        assert found.made_at.endswith("+00:00")
        assert decisions.people_of(uow, 10) == [1, 3]
        assert decisions.people_of(uow, 13) == []
        with pytest.raises(UnknownDecisionError):
            decisions.find(uow, 11)


def test_an_event_belongs_to_the_decision_around_it(registry: Registry) -> None:
    with registry.begin() as uow:
        decisions.add(uow, made(10, last=12), ())
        decisions.add(uow, made(20), ())
    with registry.snapshot() as uow:
        found = {revision: decisions.at_revision(uow, revision) for revision in (9, 10, 12, 13, 19, 20, 21)}
    assert {revision: None if each is None else each.decision_id for revision, each in found.items()} == {
        9: None,
        10: 10,
        12: 10,
        13: None,
        19: None,
        20: 20,
        21: None,
    }


def test_the_newest_that_stands_and_is_no_undo(registry: Registry) -> None:
    with registry.begin() as uow:
        decisions.add(uow, made(10), ())
        decisions.add(uow, made(20, by="minh"), ())
        decisions.add(uow, made(30), ())
        decisions.add(uow, made(40, DecisionKind.UNDO, undoes=30), ())
        decisions.mark_undone(uow, 30, 40)
    with registry.snapshot() as uow:
        newest = {by: decisions.last_of(uow, by) for by in ("lan", "minh", "hoa")}
    assert {by: each and each.decision_id for by, each in newest.items()} == {"lan": 10, "minh": 20, "hoa": None}


def test_what_stands_by_a_redo(registry: Registry) -> None:
    """20 undid 10, 30 undid 20; later 40 undid 30, and 50 undid 40."""
    with registry.begin() as uow:
        for number, undoes in ((10, None), (20, 10), (30, 20), (40, 30), (50, 40)):
            decisions.add(uow, made(number, DecisionKind.UNDO if undoes else DecisionKind.MERGE, undoes=undoes), ())
        for undone, by in ((20, 30), (40, 50)):
            decisions.mark_undone(uow, undone, by)
    with registry.snapshot() as uow:
        by_redo = {number: decisions.redone_by(uow, number) for number in (10, 20, 30, 50)}
        assert decisions.find(uow, 20).undone_by == 30
    assert {number: each and each.decision_id for number, each in by_redo.items()} == {
        10: 30,
        20: None,
        30: 50,
        50: None,
    }


def test_later_decisions_on_which_something_rests(registry: Registry) -> None:
    with registry.begin() as uow:
        for number, kind, whom in (
            (10, DecisionKind.MERGE, (1, 2)),
            (20, DecisionKind.SPLIT, (2, 3)),
            (30, DecisionKind.JUDGE, (1, 2)),
            (40, DecisionKind.UNMERGE, (1, 2)),
            (50, DecisionKind.MOVE, (1, 2)),
            (60, DecisionKind.MERGE, (1, 2)),
            (70, DecisionKind.UNDO, (1, 2)),
            (80, DecisionKind.MERGE, (8, 9)),
        ):
            decisions.add(uow, made(number, kind), whom)
        decisions.mark_undone(uow, 60, 70)
    with registry.snapshot() as uow:

        def later(revision: int, *numbers: int) -> list[int]:
            return [each.decision_id for each in decisions.later_about(uow, people(*numbers), revision)]

        assert later(0, 1, 2) == [10, 20, 50]
        assert later(10, 1, 2) == [20, 50]
        assert later(9, 1) == [10, 50]
        assert later(0, 3) == [20]
        assert later(50, 1, 2, 3) == []
        assert later(0, 9, 8, 1) == [10, 50, 80]


def move(uow: UnitOfWork, records: list[int], to: int, *, revision: int) -> None:
    links = persons.links_of_records(uow, np.array(records))
    count = len(links.record_ids)
    first = allocate(uow, Counters(link=count)).link
    revisions = np.full(count, revision)
    persons.close_links(uow, links.link_ids, revisions=revisions)
    persons.open_links(
        uow, LinkRows(first + np.arange(count), links.record_ids, np.full(count, to), revisions, "steward", "vn@1.0.0")
    )


@pytest.fixture
def merged_and_parted(registry: Registry) -> Registry:
    """Persons 1 (records 1, 2), 2 (record 3) and 3 (record 4), of revisions 1 to 3. At 11 person 2 goes into 1, at 21
    it comes back with its record; at 31 record 2 goes to a new person 4."""
    with registry.begin() as uow:
        records = store_records(uow, ["a", "b", "c", "d"]).tolist()
        store_persons(uow, [records[:2], records[2:3], records[3:]])
        move(uow, [3], 1, revision=11)
        persons.supersede_persons(uow, people(2), survivors=people(1), revisions=people(11))
        move(uow, [3], 2, revision=21)
        persons.restore_persons(uow, people(2), revisions=people(21))
        persons.insert_persons(uow, people(4), revisions=people(31), key=KEY)
        move(uow, [2], 4, revision=31)
    return registry


def test_what_some_revisions_did_to_people(merged_and_parted: Registry) -> None:
    with merged_and_parted.snapshot() as uow:
        merge, unmerge, split, all_of_it = (
            decisions.traces(uow, people(1, 2, 3, 4), first, last)
            for first, last in ((10, 12), (20, 22), (30, 32), (10, 32))
        )
        nobody = decisions.traces(uow, people(3), 1, 99)
    assert merge.moved == (Moved(3, closed_link=3, opened_link=5, from_person=2, to_person=1),)
    assert (merge.superseded, merge.restored, merge.created) == (((2, 1),), (), ())
    assert unmerge.moved == (Moved(3, 5, 6, 1, 2),)
    assert (unmerge.superseded, unmerge.restored, unmerge.created) == ((), ((2, 1),), ())
    assert split.moved == (Moved(2, 2, 7, 1, 4),)
    assert (split.superseded, split.restored, split.created) == ((), (), (4,))
    assert all_of_it.moved == (Moved(2, 2, 7, 1, 4), Moved(3, 3, 6, 2, 2))
    assert nobody == decisions.Traces((Moved(4, -1, 4, -1, 3),), (), (), (3,))


def test_links_of_between_are_no_trace(merged_and_parted: Registry) -> None:
    with merged_and_parted.begin() as uow:
        move(uow, [1], 4, revision=41)
        move(uow, [1], 2, revision=42)
        there = decisions.traces(uow, people(1, 2, 4), 41, 42)
        move(uow, [1], 4, revision=51)
        move(uow, [1], 2, revision=52)
        back = decisions.traces(uow, people(1, 2, 4), 51, 52)
    assert there.moved == (Moved(1, 1, 9, 1, 2),)
    assert back.moved == (Moved(1, 9, 11, 2, 2),)


def test_merges_that_hold_and_since_when(merged_and_parted: Registry) -> None:
    with merged_and_parted.begin() as uow:
        assert decisions.redirected_since(uow, 2) is None
        assert decisions.redirects_since(uow, people(1, 2), 0) == []
        persons.supersede_persons(uow, people(2), survivors=people(3), revisions=people(41))
        assert decisions.redirected_since(uow, 2) == 41
        for numbers in ((2,), (3,), (1, 2, 3)):
            assert decisions.redirects_since(uow, people(*numbers), 40) == [(2, 3, 41)]
        assert decisions.redirects_since(uow, people(2), 41) == []
        assert decisions.redirects_since(uow, people(1), 0) == []
