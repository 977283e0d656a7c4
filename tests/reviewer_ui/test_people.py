"""Search and person: what the pages show, hide, refuse and do."""

import logging
import re
from datetime import date, timedelta

import numpy as np
import pytest

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.review import RevealReason
from mpi.persons.enterprise_id import enterprise_ids
from mpi.registry import events
from mpi.registry.registry import Registry
from mpi.services import entries
from mpi.services.desk.event_notes import REVEALED
from tests.reviewer_ui.asked import ask
from tests.reviewer_ui.reading import HOSTILE, history, indexed, main_of, said_by, signed_in
from tests.reviewer_ui.running_desk import Visitor
from tests.services.stored import HUNG, LAN, MAI, merge, record, store


@pytest.fixture
def english(desk: str) -> Visitor:
    return signed_in(desk, "steward")


def test_the_form_is_empty_and_asks_by_post(english: Visitor) -> None:
    page = english.get("/people")
    assert page.status_code == 200
    assert '<form method="post" action="/search"' in page.text
    assert "Find people" in said_by(page.text)


def test_people_are_found_masked_and_nothing_asked_is_in_an_address_or_a_log(
    registry: Registry, english: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    indexed(registry)
    with caplog.at_level(logging.DEBUG):
        page = english.post("/search", {"text": "Trần Thị Lan", "birth": "1984", "ward": ""})
    assert page.status_code == 200
    said = said_by(page.text)
    assert "One person found" in said
    assert "Searched as a name." in said
    assert f'href="/people/{lan}"' in page.text
    assert hung not in page.text
    results = main_of(page.text).split("</form>")[1]
    for hidden in ("Trần", "Lan", "LAN", "079184000123", "0903718264", "19/03"):
        assert hidden not in results
    assert "Trần Thị Lan" not in str(page.url)
    assert "Trần" not in caplog.text
    assert 'value="Trần Thị Lan"' in page.text


def test_an_enterprise_id_leads_straight_to_its_person(registry: Registry, english: Visitor) -> None:
    (lan,) = store(registry, [LAN])
    answer = english.post("/search", {"text": lan.lower()})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/people/{lan}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Lan", "A given name alone leads nowhere"),
        ("Võ Văn Kiệt", "Nobody found"),
        ("12345678", "This is no citizen number"),
        ("", "Type what you are looking for."),
    ],
)
def test_what_leads_nowhere_says_why(registry: Registry, english: Visitor, text: str, said: str) -> None:
    store(registry, [LAN])
    indexed(registry)
    assert said in said_by(english.post("/search", {"text": text}).text)


def test_the_address_of_an_answer_leads_back_to_the_form(english: Visitor) -> None:
    answer = english.get("/search")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")


def test_a_person_shows_each_value_with_its_reason_and_hides_it(registry: Registry, english: Visitor) -> None:
    (lan,) = store(registry, [LAN])
    page = english.get(f"/people/{lan}")
    assert page.status_code == 200
    said = said_by(page.text)
    assert "Full name T•• T•• L•• reveal Full name all 2 records that have a value agree insurance:I1" in said
    assert "••/1984" in said
    assert "very strong evidence" not in said
    assert "through hospital:H1" in said
    for hidden in ("Trần", "TRẦN", "LAN", "079184000123", "0903718264", "1984-03-19", "19/03/1984"):
        assert hidden not in page.text
    assert " style=" not in page.text


def test_in_vietnamese_everything_is_in_vietnamese_but_what_sources_wrote(registry: Registry, steward: Visitor) -> None:
    (mai,) = store(registry, [MAI])
    said = said_by(steward.get(f"/people/{mai}").text)
    assert "Thông tin được công nhận" in said
    assert "cả 2 hồ sơ có giá trị đều giống nhau" in said
    assert "Nữ" in said
    for english in ("records", "Field", "Why", "the only value", "held"):
        assert english not in said


def test_a_merged_id_says_where_it_leads_and_that_it_can_be_given_back(registry: Registry, english: Visitor) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    merge(registry, hung, lan)
    page = english.get(f"/people/{hung}")
    assert f"{hung} was merged into {lan}" in said_by(page.text)
    assert page.text.count(f'href="/people/{hung}/unmerge"') == 2
    survivor = english.get(f"/people/{lan}").text
    assert f'href="/people/{hung}/unmerge"' in survivor
    assert "was merged into" in said_by(survivor)


def test_the_past_is_shown_as_it_was_and_cannot_be_changed(registry: Registry, english: Visitor) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    merge(registry, hung, lan)
    past = english.get(f"/people/{hung}?revision=2")
    said = said_by(past.text)
    assert "This is how the person was right after revision 2." in said
    assert "student T1" in said
    assert "hospital" not in said
    assert 'data-action="reveal"' not in past.text
    assert "unmerge" not in past.text
    assert english.get(f"/people/{hung}?revision=99").status_code == 400
    assert english.get(f"/people/{hung}?revision=x").status_code == 400
    assert english.get(f"/people/{hung}?revision=1").status_code == 400


def test_a_day_is_asked_for_as_its_end_and_today_is_now(registry: Registry, english: Visitor) -> None:
    (lan,) = store(registry, [LAN])
    assert "right after revision" not in said_by(english.get(f"/people/{lan}?date=2999-12-31").text)
    before = english.get(f"/people/{lan}?date=2020-01-01")
    assert before.status_code == 400
    assert english.get(f"/people/{lan}?date=yesterday").status_code == 400
    assert english.get(f"/people/{lan}?date=9999-12-31").status_code == 400


def test_entries_are_shown_by_year_a_page_at_a_time_and_by_kind(registry: Registry, english: Visitor) -> None:
    (lan,) = store(registry, [LAN])
    key = LAN[0].key
    given = [
        HealthRecordEntry(key, f"E{at}", EntryKind.CLAIM, date(2020, 1, 1) + timedelta(days=40 * at), HOSTILE, "x")
        for at in range(30)
    ]
    given.append(HealthRecordEntry(key, "V", EntryKind.VACCINATION, date(2019, 5, 6), "Trạm Y tế", "x"))
    entries.register(registry, "r", b"x", given, lambda _: b"done")
    first = english.get(f"/people/{lan}").text
    assert re.findall(r"<h3>(\d{4})</h3>", first) == ["2019", "2020", "2021", "2022"]
    assert said_by(first).count("Insurance claim,") == 24
    assert "<script>alert" not in first
    assert f"/people/{lan}?page=2#lifelong" in first
    second = english.get(f"/people/{lan}?page=2").text
    assert said_by(second).count("Insurance claim,") == 6
    one = said_by(english.get(f"/people/{lan}?kind=vaccination").text)
    assert "6 May 2019 Vaccination, Trạm Y tế" in one
    assert "Insurance claim," not in one
    assert "No entry of this kind." in said_by(english.get(f"/people/{lan}?kind=birth").text)
    assert english.get(f"/people/{lan}?kind=nonsense").status_code == 400
    assert english.get(f"/people/{lan}?page=0").status_code == 400


def test_open_tasks_about_a_person_are_named(registry: Registry, english: Visitor) -> None:
    lan, mai = store(registry, [LAN, MAI])
    number = ask(registry, LAN[0].key, MAI[0].key)
    for person in (lan, mai):
        assert (
            f'<a href="/tasks/{number}">Task {number}</a>: Possible duplicate' in english.get(f"/people/{person}").text
        )


def test_one_field_is_revealed_for_all_records_and_it_is_written_down(registry: Registry, english: Visitor) -> None:
    (lan,) = store(registry, [LAN])
    english.get(f"/people/{lan}")
    page = english.post(f"/people/{lan}/reveal", {"show": "full_name", "why": "contact"})
    assert page.status_code == 200
    for shown in ("TRẦN THỊ LAN", "Trần Thị Lan", "không rõ"):
        assert shown in page.text
    assert "079184000123" not in page.text
    with registry.snapshot() as uow:
        *_, event = events.read_after(uow, 0, limit=100)
    assert event.kind == REVEALED
    assert event.payload["steward"] == "steward"
    assert (event.payload["fields"], event.payload["reason"]) == (["full_name"], RevealReason.CONTACT.value)
    assert len(event.payload["records"]) == 3
    more = english.post(f"/people/{lan}/reveal", {"shown": "full_name", "show": "citizen_id", "why": "audit"})
    assert "079184000123" in more.text
    assert "Trần Thị Lan" in more.text
    assert "TRẦN" not in english.get(f"/people/{lan}").text


def test_a_field_that_there_is_not_reveals_nothing(registry: Registry, english: Visitor) -> None:
    (lan,) = store(registry, [LAN])
    before = history(registry)
    assert english.post(f"/people/{lan}/reveal", {"show": "password"}).status_code == 400
    assert english.post(f"/people/{lan}/reveal", {"show": "phone", "why": "curiosity"}).status_code == 400
    assert history(registry) == before


def test_a_hostile_record_stays_text_on_every_page(registry: Registry, english: Visitor) -> None:
    hostile = (
        record(f"hospital{HOSTILE}", HOSTILE, full_name=HOSTILE, address=f"1, {HOSTILE}, {HOSTILE}", sex=HOSTILE),
        record("station", "S3", full_name=HOSTILE, birth_date="1990-01-02"),
    )
    bad, lan = store(registry, [hostile, LAN])
    indexed(registry)
    english.get("/people")
    pages = [
        english.get(f"/people/{bad}"),
        english.post(f"/people/{bad}/reveal", {"show": "full_name"}),
        english.get(f"/merge?a={bad}&b={lan}"),
        english.post("/search", {"text": HOSTILE, "birth": HOSTILE, "ward": HOSTILE}),
        english.post("/search", {"text": "station:S3"}),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "&lt;script&gt;" in page.text or "station:S3" in page.text


@pytest.mark.parametrize(
    ("name", "path", "right"),
    [
        ("admin", "/people", "searching and seeing people"),
        ("admin", "/people/{person}", "searching and seeing people"),
        ("auditor", "/merge?a={person}&b={person}", "merging"),
        ("auditor", "/people/{person}/unmerge", "merging"),
    ],
)
def test_who_may_not_is_told_the_missing_right(registry: Registry, desk: str, name: str, path: str, right: str) -> None:
    (person,) = store(registry, [LAN])
    page = signed_in(desk, name).get(path.format(person=person))
    assert page.status_code == 403
    assert right in said_by(page.text)


def test_forms_of_who_may_not_are_refused_too(registry: Registry, desk: str) -> None:
    lan, mai = store(registry, [LAN, MAI])
    before = history(registry)
    admin, auditor = signed_in(desk, "admin"), signed_in(desk, "auditor")
    admin.get("/help")
    auditor.get("/help")
    change = {"a": lan, "b": mai, "seen_revision": "99"}
    assert admin.post("/search", {"text": "Lan"}).status_code == 403
    assert admin.post(f"/people/{lan}/reveal", {"show": "full_name"}).status_code == 403
    assert auditor.post("/merge", change).status_code == 403
    assert auditor.post("/merge/reveal", {**change, "show": "full_name"}).status_code == 403
    assert auditor.post(f"/people/{mai}/unmerge", change).status_code == 403
    assert history(registry) == before
    assert "Merge with" not in said_by(auditor.get(f"/people/{lan}").text)


def test_an_id_that_nobody_has_is_no_page(english: Visitor) -> None:
    (unknown,) = enterprise_ids(np.array([999_999], dtype=np.int64), bytes(range(16)))
    assert english.get(f"/people/{unknown}").status_code == 404
    assert english.get("/people/nonsense").status_code == 400
