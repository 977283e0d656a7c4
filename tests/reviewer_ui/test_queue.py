"""The queue: what waits, what somebody chose to see, and the way to the next task."""

import re
from html import unescape

import pytest
import sqlalchemy as sa

from mpi.domain.review import TaskKind
from mpi.registry.registry import Registry
from mpi.registry.tables import review_task
from reviewer_ui.routes import queue
from tests.reviewer_ui.asked import ask, stored_task
from tests.reviewer_ui.running_desk import Visitor
from tests.services.stored import HUNG, LAN, MAI, store


def asked(registry: Registry) -> list[int]:
    """Three tasks, the last of them the most urgent."""
    store(registry, [LAN, HUNG, MAI])
    return [
        ask(registry, LAN[0].key, HUNG[0].key, priority=1.0),
        ask(registry, HUNG[0].key, MAI[0].key, priority=2.0, kind=TaskKind.POSSIBLE_MATCH),
        ask(registry, LAN[0].key, MAI[0].key, priority=3.0, kind=TaskKind.STOPPED_BY_VETO),
    ]


def test_the_most_urgent_stands_first(registry: Registry, steward: Visitor) -> None:
    first, second, third = asked(registry)
    page = steward.get("/queue").text
    places = [page.index(f'href="/tasks/{number}"') for number in (third, second, first)]
    assert places == sorted(places)
    assert "3 việc đang chờ" in page


def test_kinds_ages_and_ones_own_can_be_chosen(registry: Registry, steward: Visitor) -> None:
    first, second, third = asked(registry)

    def shown(query: str) -> set[int]:
        page = steward.get(f"/queue?{query}").text
        return {number for number in (first, second, third) if f'href="/tasks/{number}?' in page}

    assert shown("kind=possible_match&days=0") == {second}
    steward.get(f"/tasks/{first}")
    assert shown("kind=&mine=1") == {first}
    assert shown("days=1") == set()
    with registry.begin() as uow:
        uow.connection.execute(
            sa.update(review_task).where(review_task.c.task_id == third).values(opened_at="2026-01-05T00:00:00.000000Z")
        )
    assert shown("days=30") == {third}
    assert "Không có việc nào thuộc loại và thời gian này." in steward.get("/queue?kind=overlay").text


def test_a_long_queue_has_pages(registry: Registry, steward: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = asked(registry)
    monkeypatch.setattr(queue, "PAGE", 2)
    page = steward.get("/queue?days=0").text
    (link,) = re.findall(r'href="(/queue\?behind=[^"]+)"', page)
    assert f"/tasks/{first}" not in page
    rest = steward.get(unescape(link)).text
    assert f'href="/tasks/{first}"' in rest
    assert f'href="/tasks/{third}"' not in rest
    assert f'href="/tasks/{second}"' not in rest
    assert "behind=" not in rest
    for wrong in ("x", "1.2.3_4", "1_", "_4", "1_" + "9" * 30):
        assert steward.get(f"/queue?behind={wrong}").status_code == 400


def test_an_empty_queue_says_so(steward: Visitor) -> None:
    page = steward.get("/queue")
    assert page.status_code == 200
    assert "Không có việc nào đang chờ." in page.text
    assert 'data-action="next"' not in page.text
    assert steward.post("/tasks/next").headers["location"] == "/queue"


def test_the_next_task_is_within_what_was_chosen(registry: Registry, steward: Visitor) -> None:
    first, second, third = asked(registry)
    assert steward.post("/tasks/next").headers["location"] == f"/tasks/{third}"
    chosen = steward.post("/tasks/next", {"kind": "possible_match"}).headers["location"]
    assert chosen == f"/tasks/{second}?kind=possible_match"
    assert 'name="kind" value="possible_match"' in steward.get(chosen).text
    assert steward.post("/tasks/next", {"after": second}).headers["location"] == f"/tasks/{first}"
    assert {stored_task(registry, each).claimed_by for each in (first, second, third)} == {"steward"}


def test_only_who_reviews_sees_the_queue(registry: Registry, visitor: Visitor) -> None:
    visitor.sign_in("auditor")
    for answer in (visitor.get("/queue"), visitor.post("/tasks/next")):
        assert answer.status_code == 403
    assert visitor.get("/queue?kind=nonsense").status_code == 400
