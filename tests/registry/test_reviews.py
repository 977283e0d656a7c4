"""Review tasks: one open task a question, closed with a reason, exported with the keys a steward knows."""

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import RegistryError
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry import persons, reviews
from mpi.registry.registry import Registry
from mpi.registry.reviews import TaskRows
from mpi.registry.tables import health_record_entry, review_task
from tests.registry.rows import KEY, store_persons, store_records


def _tasks(task_ids: list[int], questions: list[str], *, record_a: int, record_b: int, person: int) -> TaskRows:
    count = len(task_ids)
    return TaskRows(
        task_ids=np.array(task_ids),
        kinds=["possible_match"] * count,
        questions=questions,
        record_a=np.full(count, record_a),
        record_b=np.full(count, record_b),
        person_a=np.full(count, person),
        person_b=np.full(count, -1),
        match_weights=np.array([3.25, *[np.nan] * (count - 1)]),
        level_codes=np.full((count, 2), -1, dtype=np.int8),
        reasons=["between review and link"] * count,
        priorities=np.ones(count),
    )


def test_tasks_open_close_and_export(registry: Registry) -> None:
    with registry.begin() as uow:
        a = int(store_records(uow, ["a"])[0])
        b = int(store_records(uow, ["b"], source="hospital")[0])
        (person,) = store_persons(uow, [[a]]).tolist()
        reviews.open_tasks(uow, _tasks([1, 2], ["q1", "q2"], record_a=a, record_b=b, person=person), run_id=9)
    with registry.begin() as uow:
        assert reviews.open_questions(uow) == {"q1": 1, "q2": 2}
        assert reviews.count_open(uow) == 2
        reviews.close_tasks(uow, np.array([2]), reasons="linked since", run_id=10)
    with registry.snapshot() as uow:
        assert reviews.open_questions(uow) == {"q1": 1}
        (batch,) = reviews.export_open(uow)
        closed = uow.connection.execute(sa.select(review_task).where(review_task.c.task_id == 2)).one()
    assert batch.to_pylist() == [
        {
            "task_id": 1,
            "kind": "possible_match",
            "source_system_a": "station",
            "source_record_id_a": "a",
            "source_system_b": "hospital",
            "source_record_id_b": "b",
            "enterprise_id_a": enterprise_id(person, KEY),
            "enterprise_id_b": None,
            "match_weight": 3.25,
            "reason": "between review and link",
        }
    ]
    assert (closed.closed_run, closed.closed_reason, closed.match_weight) == (10, "linked since", None)
    assert closed.level_codes == b"\xff\xff"


def test_a_question_is_open_once_and_may_come_back(registry: Registry) -> None:
    with registry.begin() as uow:
        a, b = store_records(uow, ["a", "b"]).tolist()
        reviews.open_tasks(uow, _tasks([1], ["q"], record_a=a, record_b=b, person=-1), run_id=1)
    with pytest.raises(RegistryError, match="refused"), registry.begin() as uow:
        reviews.open_tasks(uow, _tasks([2], ["q"], record_a=a, record_b=b, person=-1), run_id=1)
    with registry.begin() as uow:
        reviews.close_tasks(uow, np.array([1]), reasons=["gone"], run_id=2)
        reviews.open_tasks(uow, _tasks([2], ["q"], record_a=a, record_b=b, person=-1), run_id=2)
    with pytest.raises(RegistryError, match="not open"), registry.begin() as uow:
        reviews.close_tasks(uow, np.array([1, 2]), reasons="gone", run_id=3)
    with registry.snapshot() as uow:
        assert reviews.open_questions(uow) == {"q": 2}


def test_what_hangs_on_people(registry: Registry) -> None:
    """Person 1: two records of two systems, three entries; 2: one record, none; 3: its record was taken away."""
    with registry.begin() as uow:
        records = store_records(uow, ["a", "b"]).tolist()
        other = store_records(uow, ["a"], source="hospital").tolist()
        store_persons(uow, [[records[0], other[0]], [records[1]], store_records(uow, ["c"]).tolist()])
        gone = persons.members(uow, np.array([3]))
        persons.close_links(uow, gone.link_ids, revisions=np.array([9]))
        for number, record in enumerate((records[0], records[0], other[0], 4)):
            uow.connection.execute(
                sa.insert(health_record_entry).values(
                    source_system_id=1,
                    entry_id=f"E{number}",
                    record_id=record,
                    kind="encounter",
                    entry_date="2026-01-02",
                    facility="",
                    locator="",
                    registered_at="",
                )
            )
        harm = reviews.harm_counts(uow, np.array([2, 1, -1, 3, 1, 77]))
    assert harm.records.tolist() == [1, 2, 0, 0, 2, 0]
    assert harm.systems.tolist() == [1, 2, 0, 0, 2, 0]
    assert harm.entries.tolist() == [0, 3, 0, 0, 3, 0]


def test_what_hangs_on_many_is_counted_in_parts(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "_PEOPLE_A_READ", 2)
    with registry.begin() as uow:
        store_persons(uow, [[record] for record in store_records(uow, [str(n) for n in range(5)]).tolist()])
        harm = reviews.harm_counts(uow, np.array([5, 4, 3, 2, 1, 6]))
    assert harm.records.tolist() == [1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("a_read", [1, 500])
def test_questions_that_nobody_could_answer_last_time(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, a_read: int
) -> None:
    monkeypatch.setattr(reviews, "_QUESTIONS_A_READ", a_read)
    with registry.begin() as uow:
        a, b = store_records(uow, ["a", "b"]).tolist()

        def asked(number: int, question: str, reason: str | None) -> None:
            rows = _tasks([number], [question], record_a=a, record_b=b, person=-1)
            reviews.open_tasks(uow, replace(rows, match_weights=np.array([float(number)])), run_id=None)
            if reason is not None:
                reviews.close_tasks(uow, np.array([number]), reasons=reason, run_id=None)

        asked(1, "unsure", "judged different")
        asked(2, "unsure", f"{reviews.UNSURE}: nobody could tell")
        asked(3, "answered since", f"{reviews.UNSURE}: nobody could tell")
        asked(4, "answered since", "judged same")
        asked(5, "open again", f"{reviews.UNSURE}: nobody could tell")
        asked(6, "open again", None)
        asked(7, "twice", f"{reviews.UNSURE}: nobody could tell")
        asked(8, "twice", f"{reviews.UNSURE}: nobody could tell")
        every = ["unsure", "answered since", "open again", "twice", "never asked"]
        assert reviews.last_unsure(uow, every) == {"unsure": 2.0, "twice": 8.0}
        assert reviews.last_unsure(uow, ["never asked"]) == reviews.last_unsure(uow, []) == {}
