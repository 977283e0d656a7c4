"""What single records ask of the registry, on both databases, and locks that other writers wait for."""

import threading
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import RunInProgressError
from mpi.registry import judgements, online, runs, tables
from mpi.registry.dialect import Statement
from mpi.registry.registry import Registry
from tests.factories import small_scorer
from tests.online.desk import Desk
from tests.services.linking import judge, link_rows, query, record_id, row, strangers

WORDS = ["plain", 'qu"ote', "back\\slash", "{brace, comma}", "NULL", "", "Trần Thị Lan", "line\nbreak", "none", "'s"]


def test_look_ups_give_back_any_text_and_number(registry: Registry) -> None:
    """Arrays are written by hand on PostgreSQL: nothing in a value may break out of its place."""
    numbers = [0, 1, -1, (1 << 63) - 1, -(1 << 63), 5, 6, 7, 8, 9]
    statement = Statement(
        sqlite="SELECT key, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)"
        " WHERE json_extract(value, '$[0]') <> 'none'",
        postgresql="SELECT wanted.place - 1, wanted.word, wanted.number FROM unnest(%s::text[], %s::int8[])"
        " WITH ORDINALITY AS wanted(word, number, place) WHERE wanted.word <> 'none'",
    )
    with registry.snapshot() as uow:
        found = uow.dialect.read(uow.driver, statement, [WORDS, numbers])
        assert uow.dialect.read(uow.driver, statement, [[], []]) == []
    expected = [(at, word, number) for at, (word, number) in enumerate(zip(WORDS, numbers, strict=True))]
    assert sorted(found) == [each for each in expected if each[1] != "none"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("held", "wanted", "waits"),
    [
        ({1, 2, -3}, {4, 5}, False),
        ({1, 2, -3}, {-3, 9}, True),
        (set(range(online.MOST_LOCKS + 1)), {-9}, True),
        ({-9}, set(range(online.MOST_LOCKS + 1)), True),
    ],
)
def test_locks_exclude_whoever_wants_one_of_the_keys(
    held: set[int], wanted: set[int], waits: bool, registry: Registry
) -> None:
    got = threading.Event()

    def other() -> None:
        with registry.begin() as uow:
            online.take_locks(uow, wanted)
            got.set()

    with registry.begin() as uow:
        online.take_locks(uow, held)
        thread = threading.Thread(target=other)
        thread.start()
        assert got.wait(0.3 if waits else 10) is not waits
    thread.join(10)
    assert got.is_set()


def test_people_with_their_records_and_questions(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path / "known", x=strangers(), a=[row("1", name="lan", birth="1980-01-01")])
    desk = Desk(registry)
    doubt = desk.comes("a:2", name="lan")
    ids = [record_id(registry, key) for key in ("a:1", "a:2")]
    layout = small_scorer().layout
    with registry.snapshot() as uow:
        stored, rows = online.feature_rows(uow, np.array([*ids, 10**6]), layout=layout.digest, width=layout.width)
        assert stored.tolist() == ids
        assert rows.shape == (2, layout.width)
        none, no_rows = online.feature_rows(uow, np.array(ids), layout="another", width=layout.width)
        assert len(none) == len(no_rows) == 0
        # one record leads to its person, the question about it, and the records of either
        known = online.people_of(uow, [ids[1]], layout=layout.digest, width=layout.width)
        assert ids[1] in known.placed.record_ids.tolist()
        assert str(known.keys[ids[1]]) == "a:2"
        (question,) = known.questions
        assert question.task_id == doubt.review_tasks[0].task_id
        assert set(question.records) == set(ids)
        both = online.members(uow, sorted(question.people), layout=layout.digest, width=layout.width)
        assert both.placed.record_ids.tolist() == ids
        assert np.array_equal(both.placed.rows, rows)
        people = both.placed.person_ids
        assert set(people.tolist()) == set(question.people)
        assert not online.changed_since(uow, people, doubt.revision)
        assert online.changed_since(uow, people, doubt.revision - 1)
        assert online.numbers_now(uow).revision == doubt.revision


def test_judgements_that_stand(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path / "known", a=[row(str(n), name=f"an {n}") for n in range(4)])
    judge(registry, "same", "a:0", "a:1")
    judge(registry, "different", "a:1", "a:2")
    judge(registry, "same", "a:2", "a:3", withdrawn=1)
    ids = [record_id(registry, f"a:{n}") for n in range(4)]

    def ends(one: int, other: int) -> tuple[int, int]:
        return min(ids[one], ids[other]), max(ids[one], ids[other])

    with registry.snapshot() as uow:
        said = [(each.verdict, each.record_a, each.record_b) for each in judgements.about(uow, [ids[0]])]
        assert said == [("same", *ends(0, 1)), ("different", *ends(1, 2))]
        assert judgements.about(uow, [ids[3]]) == []
        assert (
            online.numbers_now(uow).judgements == query(registry, sa.select(tables.registry_counter.c.judgement))[0][0]
        )


def test_a_run_in_progress(registry: Registry) -> None:
    with registry.begin() as uow:
        online.refuse_during_run(uow)
        run = runs.start_run(uow, "link", request={}, state={})
        with pytest.raises(RunInProgressError, match="ingesting"):
            online.refuse_during_run(uow)
        runs.finish(uow, run.run_id, summary={})
        online.refuse_during_run(uow)
