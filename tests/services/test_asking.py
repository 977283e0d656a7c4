"""What is asked of stewards, by runs and by single records: asked once, closed when gone, urgent where it matters."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.persons.priority import doubt, harm
from mpi.registry import reviews, tables
from mpi.registry.registry import Registry
from mpi.services.task_reasons import CONTRADICTING, SPEAKING_AGAINST, WEAKLY_JOINED
from tests.factories import small_model
from tests.online.desk import Desk
from tests.services.linking import judge, link_rows, partition, people, query, record_id, row, strangers, tasks

LAN = {"name": "lan", "birth": "1984-03-19"}
HOA = {"name": "hoa", "birth": "1999-09-09"}
THU = {"name": "thu", "birth": "1970-07-07"}
MINH = {"name": "minh", "birth": "2001-01-01"}


def _joined(registry: Registry, folder: Path) -> None:
    """a:1 and b:1 are one person by their number, and so are a:2 and b:2."""
    rows = [row("1", **LAN, number="1"), row("2", **THU, number="2")]
    link_rows(registry, folder, a=rows, b=rows, x=strangers())


def _suspect(registry: Registry, key: str = "a:1") -> str:
    return f"suspect:{people(registry)[key]}"


def _column(registry: Registry, *names: str) -> list[Any]:
    task = tables.review_task
    return query(registry, sa.select(*(task.c[name] for name in names)).order_by(task.c.task_id))


def _close(registry: Registry, question: str, reason: str) -> None:
    """What a steward's desk does with a task that is read."""
    with registry.begin() as uow:
        numbers = np.array([reviews.open_questions(uow)[question]], dtype=np.int64)
        reviews.close_tasks(uow, numbers, reasons=reason, run_id=None)


def test_a_person_who_falls_apart_is_asked_about_until_it_holds_again(registry: Registry, tmp_path: Path) -> None:
    _joined(registry, tmp_path)
    assert tasks(registry) == []
    done = link_rows(registry, tmp_path, b=[row("1", **HOA)])
    asked = ("suspected_wrong_merge", _suspect(registry), WEAKLY_JOINED)
    assert tasks(registry) == [asked]
    assert (done.review_tasks_opened, done.review_tasks_open) == (1, 1)
    assert frozenset({"a:1", "b:1"}) in partition(registry)
    [(one, other, weight, opened_by)] = _column(registry, "record_a", "record_b", "match_weight", "created_run")
    assert {one, other} == {record_id(registry, "a:1"), record_id(registry, "b:1")}
    assert weight == pytest.approx(-13.6, abs=0.1)
    assert opened_by == done.run_id
    # still asked, and not asked again, when others come
    assert link_rows(registry, tmp_path, a=[row("9", name="vy")]).review_tasks_opened == 0
    assert tasks(registry) == [asked]
    assert link_rows(registry, tmp_path, b=[row("1", **LAN, number="1", year="1984")]).review_tasks_closed == 1
    assert tasks(registry, status="closed") == [(*asked[:2], "the person's records hold together")]


def test_a_person_whom_a_steward_holds_together_is_not_asked_about(registry: Registry, tmp_path: Path) -> None:
    _joined(registry, tmp_path)
    judge(registry, "same", "a:1", "b:1")
    assert link_rows(registry, tmp_path, b=[row("1", **HOA), row("2", **MINH)]).review_tasks_opened == 1
    assert [question for _, question, _ in tasks(registry)] == [_suspect(registry, "a:2")]
    judge(registry, "same", "a:2", "b:2")
    assert link_rows(registry, tmp_path, a=[row("9", name="vy")]).review_tasks_closed == 1


def test_records_that_speak_against_each_other_are_named_by_their_veto(registry: Registry, tmp_path: Path) -> None:
    _joined(registry, tmp_path)
    rows = [row("3", **MINH, phone="0903718264"), row("4", **{**MINH, "name": "mai"}, phone="0903718264")]
    link_rows(registry, tmp_path, a=rows)
    one, other = record_id(registry, "a:3"), record_id(registry, "a:4")
    [before] = tasks(registry)
    assert before[0] == "possible_match"
    # a steward joins the twins and takes that back: now they are one person whom nobody holds together
    judge(registry, "same", "a:3", "a:4")
    link_rows(registry, tmp_path, a=[row("9", name="vy")])
    with registry.begin() as uow:
        uow.connection.execute(sa.update(tables.judgement).values(withdrawn_revision=1))
    link_rows(registry, tmp_path, a=[row("9", name="van")])
    [(kind, question, reason)] = tasks(registry)
    assert (kind, question) == ("suspected_wrong_merge", _suspect(registry, "a:3"))
    assert reason == f"{SPEAKING_AGAINST}: twins"
    assert _column(registry, "record_a", "record_b")[-1] in {(one, other), (other, one)}


def test_a_changed_record_is_one_question_and_not_two(registry: Registry, tmp_path: Path) -> None:
    _joined(registry, tmp_path)
    link_rows(registry, tmp_path, b=[row("1", **HOA, number="3")])
    overlay = ("overlay", f"overlay:{record_id(registry, 'b:1')}", CONTRADICTING)
    assert tasks(registry) == [overlay]
    link_rows(registry, tmp_path, a=[row("9", name="vy")])
    link_rows(registry, tmp_path, a=[row("1", **LAN, number="1", phone="0903718264")])
    assert [question for _, question, _ in tasks(registry)] == [
        f"overlay:{record_id(registry, f'{key}:1')}" for key in "ba"
    ]
    link_rows(registry, tmp_path, b=[row("1", **LAN, number="1", year="1984")])
    assert tasks(registry) == []
    assert {reason for _, _, reason in tasks(registry, status="closed")} == {
        "the record's values no longer contradict those of its person"
    }


def test_an_overlay_takes_the_place_of_a_suspicion(registry: Registry, tmp_path: Path) -> None:
    _joined(registry, tmp_path)
    link_rows(registry, tmp_path, b=[row("1", **HOA)])
    suspicion = _suspect(registry)
    link_rows(registry, tmp_path, b=[row("1", **HOA, number="3")])
    assert [kind for kind, _, _ in tasks(registry)] == ["overlay"]
    assert tasks(registry, status="closed") == [
        ("suspected_wrong_merge", suspicion, "a changed record of the person is asked about instead")
    ]


def test_a_suspicion_goes_with_its_person_into_a_merge(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, o=[row("1", number="5")], x=strangers())
    _joined(registry, tmp_path)
    link_rows(registry, tmp_path, b=[row("1", **HOA, phone="0903718264")])
    before = _suspect(registry)
    judge(registry, "same", "o:1", "b:1")
    link_rows(registry, tmp_path, a=[row("9", name="vy")])
    after = _suspect(registry)
    assert after != before
    assert (("suspected_wrong_merge", before, "the person asked about was joined with another")) in tasks(
        registry, status="closed"
    )
    assert after in {question for _, question, _ in tasks(registry)}


def test_what_nobody_could_tell_waits_for_other_evidence(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", name="lan", number="1")], b=[row("1", name="lan")], x=strangers())
    [(_, question, _)] = tasks(registry)
    _close(registry, question, "unsure: nobody could tell")
    # other values, the same evidence
    assert link_rows(registry, tmp_path, b=[row("1", name="lan", year="1984")]).review_tasks_opened == 0
    # a number in common under another name: 3.4 bits more
    assert link_rows(registry, tmp_path, b=[row("1", name="ba", number="1")]).review_tasks_opened == 1
    assert [asked for _, asked, _ in tasks(registry)] == [question]
    _close(registry, question, "judged different")
    assert link_rows(registry, tmp_path, b=[row("1", name="ba", number="1", year="1985")]).review_tasks_opened == 1


def test_a_suspicion_that_nobody_could_settle_waits_too(registry: Registry, tmp_path: Path) -> None:
    _joined(registry, tmp_path)
    link_rows(registry, tmp_path, b=[row("1", **HOA)])
    _close(registry, _suspect(registry), "unsure: nobody could tell")
    assert link_rows(registry, tmp_path, a=[row("9", name="vy")]).review_tasks_opened == 0
    assert (
        link_rows(registry, tmp_path, b=[row("1", name="hoa", birth="1984-03-19", number="1")]).review_tasks_open == 0
    )
    assert link_rows(registry, tmp_path, b=[row("1", name="hoa", phone="0903718264")]).review_tasks_opened == 1


def _give_entries(registry: Registry, key: str, count: int) -> None:
    """Entries of the health record of one record, of source system 1."""
    entry = {
        "source_system_id": 1,
        "record_id": record_id(registry, key),
        "kind": "visit",
        "entry_date": "2026-01-01",
        "facility": "",
        "locator": "",
        "registered_at": "2026-01-02",
    }
    with registry.begin() as uow:
        rows = [{**entry, "entry_id": f"e{number}"} for number in range(count)]
        uow.connection.execute(sa.insert(tables.health_record_entry), rows)


def test_the_most_in_doubt_comes_first_where_it_would_do_most_harm(registry: Registry, tmp_path: Path) -> None:
    rows = [row("1", name="lan"), row("2", birth="1999-09-09"), row("3", **THU, number="3")]
    link_rows(registry, tmp_path, a=rows, x=strangers())
    _give_entries(registry, "a:3", 7)
    link_rows(registry, tmp_path, b=[row("1", name="lan"), row("2", birth="1999-09-09"), row("3", name="thu")])
    found = {question: each for question, *each in _column(registry, "question", "match_weight", "priority")}
    now = people(registry)
    priority: dict[int, float] = {}
    for number, entries in ((1, 0), (2, 0), (3, 7)):
        weight, priority[number] = found["people:{}-{}".format(*sorted((now[f"a:{number}"], now[f"b:{number}"])))]
        open_ = doubt(np.array([weight]), np.zeros(1, dtype=np.bool_), small_model().thresholds)
        assert priority[number] == pytest.approx((open_ * harm(np.array([entries]), np.array([2])))[0])
    # 3.9 bits are nearer the middle between 2 and 8 than 2.9 are
    assert len(found) == 3
    assert priority[1] < priority[2] < priority[3]


def test_what_hangs_on_one_person_is_counted_once(registry: Registry, tmp_path: Path) -> None:
    _joined(registry, tmp_path)
    _give_entries(registry, "a:1", 3)
    link_rows(registry, tmp_path, b=[row("1", **HOA)])
    [(priority,)] = _column(registry, "priority")
    assert priority == pytest.approx(harm(np.array([3]), np.array([2]))[0])


@pytest.fixture
def desk(registry: Registry, tmp_path: Path) -> Desk:
    """A hundred strangers, and a:1 and b:1 who are one person by their number."""
    _joined(registry, tmp_path)
    return Desk(registry)


def test_single_records_raise_and_settle_suspicions(desk: Desk) -> None:
    done = desk.comes("b:1", **HOA)
    assert [(task.kind, task.reason) for task in done.review_tasks] == [("suspected_wrong_merge", WEAKLY_JOINED)]
    assert [question for _, question, _ in tasks(desk.registry)] == [_suspect(desk.registry)]
    # somebody who may be the same person says nothing of it
    desk.comes("a:5", name="lan")
    assert [kind for kind, _, _ in tasks(desk.registry)] == ["suspected_wrong_merge", "possible_match"]
    assert desk.comes("b:1", **LAN, number="1", phone="0912000111").review_tasks == ()
    assert [kind for kind, _, _ in tasks(desk.registry)] == ["possible_match"]
    assert tasks(desk.registry, status="closed") == [
        ("suspected_wrong_merge", _suspect(desk.registry), "the person's records hold together")
    ]


def test_single_records_raise_and_settle_overlays(desk: Desk) -> None:
    assert [task.kind for task in desk.comes("b:1", **LAN, number="3").review_tasks] == ["overlay"]
    assert [kind for kind, _, _ in tasks(desk.registry)] == ["overlay"]
    # the other record of the person takes the new number too
    assert desk.comes("a:1", **LAN, number="3").review_tasks == ()
    assert tasks(desk.registry) == []


def test_single_records_leave_alone_what_a_steward_holds_together(desk: Desk) -> None:
    judge(desk.registry, "same", "a:1", "b:1")
    assert desk.comes("b:1", **HOA).review_tasks == ()
    assert tasks(desk.registry) == []


def test_single_records_ask_nothing_again_that_nobody_could_tell(desk: Desk) -> None:
    desk.comes("a:7", name="lan")
    desk.comes("a:8", name="lan")
    for _, question, _ in tasks(desk.registry):
        _close(desk.registry, question, "unsure")
    assert desk.comes("a:8", name="lan", year="1984").review_tasks == ()
    priorities = [priority for (priority,) in _column(desk.registry, "priority")]
    assert priorities
    assert min(priorities) > 0
