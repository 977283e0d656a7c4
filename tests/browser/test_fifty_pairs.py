"""A steward's morning: fifty pairs by keyboard alone, in either language."""

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from mpi.registry import tables
from tests.browser.deciding import SAID, begin, press_on
from tests.browser.desk import Desk
from tests.browser.visits import Visits
from tests.services.linking import assert_sound, query

PAIRS = 50


@pytest.mark.parametrize("language", ["vi", "en"])
def test_fifty_pairs_are_decided_by_keyboard_alone(
    language: str, desk: Desk, visits: Visits, record_property: Callable[[str, object], None]
) -> None:
    page = visits.of("steward", language=language, path="/queue")
    began, said = time.perf_counter(), {}
    task = begin(page)
    for number in range(PAIRS):
        verdict = ("same", "different", "same", "different", "unsure")[number % 5]
        said[task] = verdict
        task = press_on(page, SAID[verdict])
    seconds = time.perf_counter() - began
    assert page.locator("html").get_attribute("lang") == language
    read = sa.select(tables.reading.c.task_id, tables.reading.c.verdict, tables.reading.c.reader)
    assert {(task_id, verdict, "steward") for task_id, verdict in said.items()} == set(query(desk.registry, read))
    assert len(said) == PAIRS
    assert_sound(desk.registry)
    record_property("measured", f"{seconds / PAIRS:.2f} s a pair by keyboard alone, {PAIRS} pairs ({language})")
