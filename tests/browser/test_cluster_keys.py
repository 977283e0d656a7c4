"""The cluster by keys alone: records chosen, a split previewed, done and undone; and keys that stay silent."""

import pytest
from playwright.sync_api import Page, expect

from mpi.services.accounts import choose_keys
from mpi.services.keyboard import DEFAULT_KEYS, OFF
from tests.browser.desk import Desk
from tests.browser.visits import Visits
from tests.services.linking import people

KEYS = ["clinic:C1", "clinic:C2", "hospital:H1", "insurance:I1", "school:S1"]
SHE = {"full_name": "Vũ Thị Bích Nga", "birth_date": "1971-10-29", "sex": "Nữ", "citizen_id": "079171004418"}


@pytest.fixture
def path(desk: Desk) -> str:
    """The cluster of a person of five records."""
    elsewhere = desk.elsewhere()
    (person,) = {elsewhere.desk.comes(key, **SHE).enterprise_id for key in KEYS}
    return f"/people/{person}/cluster"


def chosen(page: Page) -> list[str]:
    return [box.get_attribute("value") or "" for box in page.locator("[data-cluster-record]:checked").all()]


def test_two_records_leave_and_come_back_by_keys_alone(desk: Desk, visits: Visits, path: str) -> None:
    before = people(desk.registry)
    page = visits.of("steward", path=path)
    page.keyboard.press("4")
    expect(page.locator("[data-cluster-record='4']")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    assert chosen(page) == KEYS[3:]
    expect(page.locator("[data-cluster-count]")).to_have_text("2 đã chọn")
    expect(page.locator(".graph-chosen")).to_have_count(2)
    page.keyboard.press("c")
    page.keyboard.type("hai người 1x2")
    page.keyboard.press("Escape")
    assert chosen(page) == KEYS[3:]
    page.keyboard.press("Enter")
    expect(page.locator(".parts")).to_be_visible()
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("textarea")).to_have_value("hai người 1x2")
    assert people(desk.registry) == before
    page.keyboard.press("n")
    page.wait_for_url("**done=split**")
    after = people(desk.registry)
    assert {key for key in KEYS if after[key] != before[key]} == set(KEYS[3:])
    page.locator("main:not([aria-busy=true])").wait_for()
    page.keyboard.press("z")
    expect(page.locator("[data-cluster-record]")).to_have_count(5)
    expect(page.locator(".notice[role=status]")).to_contain_text("Đã hoàn tác")
    back = people(desk.registry)
    assert {key: back[key] for key in KEYS} == {key: before[key] for key in KEYS}


def test_a_record_is_chosen_by_its_place_in_the_drawing(visits: Visits, path: str) -> None:
    page = visits.of("steward", path=path)
    page.locator("[data-cluster-node='2']").click()
    assert chosen(page) == [KEYS[1]]
    page.keyboard.press("2")
    assert chosen(page) == []


def test_who_turned_every_key_off_has_none_here(desk: Desk, visits: Visits, path: str) -> None:
    choose_keys(desk.registry, desk.actor("steward"), dict.fromkeys(DEFAULT_KEYS, OFF))
    page = visits.of("steward", path=path)
    for key in ("1", "x", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert chosen(page) == []
    expect(page.locator("[data-cluster-record]")).to_have_count(5)
    # the boxes and the buttons are still there for who goes by Tab
    page.locator("[data-cluster-record='1']").focus()
    page.keyboard.press("Space")
    assert chosen(page) == [KEYS[0]]
    page.keyboard.press("Enter")
    expect(page.locator(".parts")).to_be_visible()


def test_everything_works_without_script(desk: Desk, visits: Visits, path: str) -> None:
    before = people(desk.registry)
    page = visits.of("steward", path=path, java_script_enabled=False)
    page.locator("[data-cluster-record='5']").check()
    page.locator("button[name=how][value=split]").click()
    expect(page.locator(".parts")).to_be_visible()
    page.locator("button.button-danger").click()
    page.wait_for_url("**done=split**")
    after = people(desk.registry)
    assert {key for key in KEYS if after[key] != before[key]} == {KEYS[4]}
