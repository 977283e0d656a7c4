"""Merge and unmerge: the previews, what is refused, and what is done."""

import re

import pytest

from mpi.registry import persons
from mpi.registry.registry import Registry
from mpi.services.desk.event_notes import REVEALED
from tests.reviewer_ui.reading import HOSTILE, hidden_fields, history, indexed, said_by, signed_in
from tests.reviewer_ui.running_desk import Visitor
from tests.services.stored import LAN, MAI, record, store, update

DAU = (
    record("hospital", "H8", full_name="Đậu Văn Bảy", birth_date="1960-02-03", phone="0903000111"),
    record("insurance", "I8", full_name="Đậu Văn Bảy", birth_date="1960-02-03"),
)
ELDER = (record("hospital", "H9", full_name="Lý Thu Hà", birth_date="1951-06-07", sex="Nữ"),)
ELDER_TOO = (record("station", "S9", full_name="Lý Thu Hà", birth_date="1951-06-07", sex="Nữ"),)


@pytest.fixture
def english(desk: str) -> Visitor:
    return signed_in(desk, "steward")


def test_a_preview_says_who_stays_what_changes_and_who_is_told(registry: Registry, english: Visitor) -> None:
    lan, mai = store(registry, [LAN, MAI])
    before = history(registry)
    page = english.get(f"/merge?a={mai.lower()}&b={lan}")
    assert page.status_code == 200
    said = said_by(page.text)
    assert f"{lan} stays, as the older of the two." in said
    assert f"{mai} leads to it from then on" in said
    assert "2 cross-references change their enterprise ID." in said
    assert "Source systems that are told of a new ID: hospital, student" in said
    assert "Another steward has to agree" in said
    assert "both people have several records" in said
    assert "Full name ≠" not in said
    assert re.search(r"Full name\s+Different", said)
    for hidden in ("Trần", "Phạm", "079184000123"):
        assert hidden not in page.text
    assert history(registry) == before


def test_a_field_can_be_seen_in_clear_on_the_preview(registry: Registry, english: Visitor) -> None:
    lan, mai = store(registry, [LAN, MAI])
    english.get("/help")
    page = english.post("/merge/reveal", {"a": lan, "b": mai, "show": "full_name"})
    assert page.status_code == 200
    assert "Trần Thị Lan" in page.text
    assert "Phạm Ngọc Mai" in page.text
    assert history(registry)[-1] == REVEALED


def test_two_people_are_merged_once_and_the_survivor_is_shown(registry: Registry, english: Visitor) -> None:
    one, other = store(registry, [ELDER, ELDER_TOO])
    indexed(registry)
    form = hidden_fields(english.get(f"/merge?a={one}&b={other}").text, "/merge")
    answers = [english.post("/merge", {**form, "reason": "the same hands"}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {303}
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert history(registry).count("person.merged") == 1
    shown = english.get(answers[0].headers["location"])
    said = said_by(shown.text)
    assert "The two people are one now." in said
    assert "the same hands" in said
    assert f"{other} was merged into {one}" in said
    undo = hidden_fields(shown.text, "/undo")
    back = english.post("/undo", undo)
    assert (back.status_code, back.headers["location"]) == (303, f"/people/{one}?done=undone")
    assert "It was undone." in said_by(english.get(back.headers["location"]).text)
    with registry.snapshot() as uow:
        assert persons.resolve_enterprise_id(uow, other).enterprise_id == other


def test_only_who_decided_is_offered_the_undo(registry: Registry, desk: str, english: Visitor) -> None:
    one, other = store(registry, [ELDER, ELDER_TOO])
    indexed(registry)
    form = hidden_fields(english.get(f"/merge?a={one}&b={other}").text, "/merge")
    address = english.post("/merge", form).headers["location"]
    assert 'action="/undo"' in english.get(address).text
    assert 'action="/undo"' not in signed_in(desk, "steward2").get(address).text


def test_a_merge_that_needs_a_second_reader_changes_nobody_yet(registry: Registry, english: Visitor) -> None:
    lan, dau = store(registry, [LAN, DAU])
    indexed(registry)
    form = hidden_fields(english.get(f"/merge?a={lan}&b={dau}").text, "/merge")
    answer = english.post("/merge", form)
    assert answer.status_code == 303
    said = said_by(english.get(answer.headers["location"]).text)
    assert "Nothing has changed yet: another steward has to read this first." in said
    assert "person.merged" not in history(registry)


def test_what_changed_meanwhile_is_told_and_the_note_is_kept(registry: Registry, english: Visitor) -> None:
    one, other = store(registry, [ELDER, ELDER_TOO])
    indexed(registry)
    form = hidden_fields(english.get(f"/merge?a={one}&b={other}").text, "/merge")
    update(registry, record("hospital", "H9", full_name="Lý Thu Hà", birth_date="1951-06-08", sex="Nữ"))
    answer = english.post("/merge", {**form, "reason": HOSTILE})
    assert answer.status_code == 409
    said = said_by(answer.text)
    assert "This has changed since you looked at it" in said
    assert "a record has new values" in said
    assert "&lt;script&gt;" in answer.text
    assert "<script>alert" not in answer.text
    fresh = hidden_fields(answer.text, "/merge")
    assert int(fresh["seen_revision"]) > int(form["seen_revision"])
    assert english.post("/merge", fresh).status_code == 303


@pytest.mark.parametrize("other", ["", "K7Q", "same", "K7Q-2MD-9XB"])
def test_ids_that_cannot_be_merged_give_the_form_back(registry: Registry, english: Visitor, other: str) -> None:
    (lan,) = store(registry, [LAN])
    page = english.get(f"/merge?a={lan}&b={lan if other == 'same' else other}")
    assert page.status_code == (200 if not other else 400)
    assert 'name="b"' in page.text
    assert ("These are not the IDs of two different people." in said_by(page.text)) == bool(other)


def merged_pair(registry: Registry, english: Visitor) -> tuple[str, str]:
    one, other = store(registry, [ELDER, ELDER_TOO])
    indexed(registry)
    form = hidden_fields(english.get(f"/merge?a={one}&b={other}").text, "/merge")
    assert english.post("/merge", form).status_code == 303
    return one, other


def test_an_unmerge_is_previewed_and_then_done(registry: Registry, english: Visitor) -> None:
    _, other = merged_pair(registry, english)
    before = history(registry)
    page = english.get(f"/people/{other}/unmerge")
    assert page.status_code == 200
    said = said_by(page.text)
    assert f"Before {other} gets its ID back" in said
    assert f"This person comes back {other}" in said
    assert "station S9 moves" in said
    assert "One cross-reference changes its enterprise ID." in said
    assert history(registry) == before
    answer = english.post(f"/people/{other}/unmerge", hidden_fields(page.text, f"/people/{other}/unmerge"))
    assert answer.status_code == 303
    shown = english.get(answer.headers["location"])
    assert "This person has its own ID and its records again." in said_by(shown.text)
    assert "station S9" in said_by(shown.text)
    assert "person.restored" in history(registry)
    assert english.get(f"/people/{other}/unmerge").status_code == 400


def test_an_unmerge_that_a_later_decision_blocks_names_it(registry: Registry, english: Visitor) -> None:
    one, other = merged_pair(registry, english)
    (third,) = store(registry, [(record("student", "T9", full_name="Võ Văn Kiệt", birth_date="1970-01-04"),)])
    indexed(registry)
    form = hidden_fields(english.get(f"/merge?a={one}&b={third}").text, "/merge")
    assert "done=merged" in english.post("/merge", form).headers["location"]
    page = english.get(f"/people/{other}/unmerge")
    assert page.status_code == 200
    assert "A later decision rests on this merge: decision" in said_by(page.text)
    assert "Give the ID back" not in said_by(page.text)
