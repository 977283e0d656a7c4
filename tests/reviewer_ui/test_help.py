"""Help: what it says, and the form that moves keys or turns them off."""

import re

import pytest

from mpi.domain.review import RIGHTS, Right, Role
from mpi.registry import accounts
from mpi.registry.registry import Registry
from mpi.services.keyboard import DEFAULT_KEYS
from tests.reviewer_ui.reading import HOSTILE, main_of, said_by, signed_in
from tests.reviewer_ui.running_desk import Visitor


@pytest.fixture
def english(desk: str) -> Visitor:
    visitor = signed_in(desk, "steward")
    visitor.get("/help")
    return visitor


def kept(registry: Registry, name: str = "steward") -> dict[str, str]:
    with registry.snapshot() as uow:
        found = accounts.find(uow, name)
    assert found is not None
    return dict(found.account.keyboard)


def chosen(page: str) -> dict[str, str]:
    """What each action's list stands at."""
    found = re.findall(r'<select id="key-(\w+)".*?</select>', page, re.DOTALL)
    lists = re.findall(r'<select id="key-\w+".*?</select>', page, re.DOTALL)
    return {
        action: next(iter(re.findall(r'<option value="(\w*)" selected', each)), "none")
        for action, each in zip(found, lists, strict=True)
    }


def form(**changed: str) -> dict[str, str]:
    return {f"key-{action}": code for action, code in {**DEFAULT_KEYS, **changed}.items()}


@pytest.mark.parametrize("name", [role.value for role in Role])
def test_everybody_may_read_it(desk: str, name: str) -> None:
    page = signed_in(desk, name).get("/help")
    assert page.status_code == 200
    said = said_by(page.text)
    for part in ("What the answers do", "Enterprise IDs", "Second readings", "Masked data", "Keys", "Who may do what"):
        assert part in said


def test_who_may_do_what_is_told_from_the_rights_themselves(english: Visitor) -> None:
    table = main_of(english.get("/help").text).split("Rights by role")[1].split("</thead>")[1]
    rows = re.findall(r"<tr><th.*?</tr>", table, re.DOTALL)
    assert len(rows) == len(Right)
    for right, row in zip(Right, rows, strict=True):
        cells = re.findall(r"<td.*?</td>", row, re.DOTALL)
        assert [("yes" in cell) for cell in cells] == [right in RIGHTS[role] for role in Role]


def test_keys_can_be_moved_and_turned_off(registry: Registry, english: Visitor) -> None:
    assert chosen(english.get("/help").text) == dict(DEFAULT_KEYS)
    answer = english.post("/keys", form(same="KeyX", unsure=""))
    assert (answer.status_code, answer.headers["location"]) == (303, "/help?saved=true#keys")
    assert kept(registry) == {"same": "KeyX", "unsure": ""}
    page = english.get("/help?saved=true")
    assert "Your keys are saved." in said_by(page.text)
    assert chosen(page.text) == {**DEFAULT_KEYS, "same": "KeyX", "unsure": ""}
    assert english.post("/keys", {**form(same="KeyQ"), "reset": "1"}).status_code == 303
    assert kept(registry) == {}


def test_a_key_outside_the_list_is_kept_as_it_is(registry: Registry, english: Visitor) -> None:
    assert english.post("/keys", form(next="Numpad5")).status_code == 303
    assert chosen(english.get("/help").text)["next"] == "Numpad5"
    assert english.post("/keys", form(next="Numpad5", same="KeyX")).status_code == 303
    assert kept(registry) == {"next": "Numpad5", "same": "KeyX"}


def test_two_actions_on_one_key_are_refused_and_the_choice_is_given_back(registry: Registry, english: Visitor) -> None:
    page = english.post("/keys", form(same="KeyN"))
    assert page.status_code == 400
    said = said_by(page.text)
    assert "Two actions are on one key: different people and same person. Nothing was saved." in said
    assert chosen(page.text)["same"] == "KeyN"
    assert page.text.count('aria-invalid="true"') == 2
    assert kept(registry) == {}


@pytest.mark.parametrize("code", ["Escape", "Enter", HOSTILE, "ShiftLeft"])
def test_what_is_no_key_to_choose_is_refused(registry: Registry, english: Visitor, code: str) -> None:
    page = english.post("/keys", form(same=code))
    assert page.status_code == 400
    assert "This is no key that can be chosen." in said_by(page.text)
    assert "<script>alert" not in page.text
    assert kept(registry) == {}


def test_an_action_that_there_is_not_is_refused(registry: Registry, english: Visitor) -> None:
    assert english.post("/keys", {"key-explode": "KeyX"}).status_code == 400
    assert kept(registry) == {}


def test_keys_are_somebody_s_own(registry: Registry, desk: str, english: Visitor) -> None:
    english.post("/keys", form(same="KeyX"))
    assert kept(registry, "steward2") == {}
    assert chosen(signed_in(desk, "steward2").get("/help").text) == dict(DEFAULT_KEYS)


def test_a_foreign_form_moves_nothing(registry: Registry, english: Visitor) -> None:
    english.csrf = "somebody else's"
    assert english.post("/keys", form(same="KeyX")).status_code == 403
    assert kept(registry) == {}


def test_in_vietnamese_it_is_all_in_vietnamese(steward: Visitor) -> None:
    said = said_by(steward.get("/help").text)
    assert "Mỗi câu trả lời có tác dụng gì" in said
    for english_word in ("What", "The", "person", "record", "yes"):
        assert english_word not in said.split()
