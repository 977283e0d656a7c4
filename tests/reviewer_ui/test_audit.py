"""The audit trail's page and file: events in words, filters, pages, and who may see them."""

import csv
import io
from typing import Any

import numpy as np
import pytest

from mpi.domain.review import RevealReason
from mpi.registry import persons
from mpi.registry.events import EventRows, append, payload_text
from mpi.registry.registry import Registry
from mpi.services.desk.reveal import reveal
from tests.reviewer_ui.reading import HOSTILE, hidden_fields, indexed, main_of, said_by, signed_in
from tests.reviewer_ui.running_desk import Visitor
from tests.services.stewardship.stewards import LAN as AN
from tests.services.stored import HUNG, LAN, record, store

ELDERS = (
    (record("hospital", "H9", full_name="Lý Thu Hà", birth_date="1951-06-07", sex="Nữ"),),
    (record("station", "S9", full_name="Lý Thu Hà", birth_date="1951-06-07", sex="Nữ"),),
)


@pytest.fixture
def lead(desk: str) -> Visitor:
    return signed_in(desk, "lead")


def merged(registry: Registry, lead: Visitor, reason: str) -> tuple[str, str]:
    """Two people whom the lead has merged through the desk."""
    one, other = store(registry, ELDERS)
    indexed(registry)
    form = hidden_fields(lead.get(f"/merge?a={one}&b={other}").text, "/merge")
    assert "done=merged" in lead.post("/merge", {**form, "reason": reason}).headers["location"]
    return one, other


def happen(registry: Registry, kind: str, **payload: Any) -> None:
    nobody = np.array([-1], dtype=np.int64)
    with registry.begin() as uow:
        append(uow, EventRows(kind, nobody, [payload_text(payload)], "steward"))


def rows(page: str) -> int:
    return main_of(page).count('<th scope="row" class="number">')


def test_a_merge_is_told_with_who_which_decision_and_why(registry: Registry, lead: Visitor) -> None:
    one, other = merged(registry, lead, "the same hands")
    page = lead.get("/audit")
    assert page.status_code == 200
    said = said_by(page.text)
    assert f"lead {other} was merged into {one}. Records that came along: station:S9." in said
    assert "(merging of people) the same hands" in said
    assert f"lead {other} leads to {one} from now on." in said
    assert f'href="/people/{one}"' in page.text


def test_reveals_tell_fields_and_reason_and_can_be_shown_alone(registry: Registry, lead: Visitor) -> None:
    store(registry, [LAN])
    reveal(registry, AN, [LAN[0].key], ["full_name", "phone"], reason=RevealReason.COMPLAINT)
    page = lead.get("/audit?kind=review.revealed")
    assert rows(page.text) == 1
    assert "lan hospital:H1: Full name, Phone seen in clear, reason: a complaint." in said_by(page.text)
    assert "TRẦN" not in page.text


def test_filters_are_kept_and_a_record_is_never_in_an_address(registry: Registry, lead: Visitor) -> None:
    store(registry, [LAN, HUNG])
    reveal(registry, AN, [LAN[0].key], ["phone"], reason=RevealReason.COMPARE)
    lead.get("/audit")
    page = lead.post("/audit", {"record": "hospital:H1", "steward": "lan"})
    assert page.status_code == 200
    assert rows(page.text) == 1
    assert 'value="hospital:H1"' in page.text
    assert "H1" not in str(page.url)
    assert "record=" not in page.text
    everything = lead.post("/audit", {"record": "hospital:H1"})
    assert rows(everything.text) == 2
    assert rows(lead.get("/audit?record=hospital:H1").text) == 3


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"record": "H1"}, 400, "A record is written as its source"),
        ({"record": "hospital:H99"}, 404, "There is no such person or record"),
        ({"record": "nowhere:H1"}, 404, "There is no such person or record"),
        ({"person": "K7Q"}, 400, "the ID may be mistyped"),
        ({"first": "x"}, 400, "A revision is a whole number"),
        ({"last": "0"}, 400, "A revision is a whole number"),
        ({"kind": "person.eaten"}, 400, "There are no events of this kind."),
    ],
)
def test_filters_that_cannot_be_used_say_why(
    registry: Registry, lead: Visitor, form: dict[str, str], status: int, said: str
) -> None:
    store(registry, [LAN])
    lead.get("/audit")
    page = lead.post("/audit", form)
    assert page.status_code == status
    assert said in said_by(page.text)
    assert "Save as a file" not in said_by(page.text)


def test_nothing_that_fits_says_so(registry: Registry, lead: Visitor) -> None:
    store(registry, [LAN])
    assert "Nothing happened that fits these filters." in said_by(lead.get("/audit?steward=nobody").text)


def test_pages_follow_one_another_by_forms_that_keep_the_filters(registry: Registry, lead: Visitor) -> None:
    for number in range(70):
        happen(registry, "review.read", steward="an" if number % 10 else "binh", task=number + 1, records=[])
    first = lead.get("/audit?steward=an")
    assert rows(first.text) == 50
    assert "Newest" not in said_by(first.text)
    older = [form for form in main_of(first.text).split("<form") if "Older" in form]
    form = hidden_fields("<form" + older[0], "/audit")
    assert (form["steward"], int(form["before"])) == ("an", 16)
    second = lead.post("/audit", form)
    assert rows(second.text) == 13
    assert "Older" not in said_by(second.text)
    assert "Newest" in said_by(second.text)


def test_the_file_has_every_event_and_no_formula(registry: Registry, lead: Visitor) -> None:
    one, other = merged(registry, lead, '=HYPERLINK("http://a.b","click"), "quoted"')
    lead.get("/audit")
    answer = lead.post("/audit.csv", {"steward": "lead"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert "no-store" in answer.headers["cache-control"]
    table = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["kind"] for row in table] == ["person.superseded", "person.merged", "review.judged"]
    assert (table[1]["enterprise_id"], table[1]["other_enterprise_ids"]) == (one, other)
    assert table[1]["records"] == "station:S9"
    assert {row["steward"] for row in table} == {"lead"}
    assert {row["note"] for row in table} == {'\'=HYPERLINK("http://a.b","click"), "quoted"'}
    everything = lead.post("/audit.csv", {}).text.splitlines()
    assert len(everything) == 1 + 5


def test_the_file_is_of_the_filters_too(registry: Registry, lead: Visitor) -> None:
    store(registry, [LAN, HUNG])
    lead.get("/audit")
    answer = lead.post("/audit.csv", {"record": "student:T1"})
    assert len(answer.text.splitlines()) == 2
    assert lead.post("/audit.csv", {"record": "student"}).status_code == 400


def test_a_note_of_a_steward_stays_text(registry: Registry, lead: Visitor) -> None:
    merged(registry, lead, HOSTILE)
    page = lead.get("/audit")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text
    happen(registry, HOSTILE, steward=HOSTILE, records=[], fields=[HOSTILE], verdicts=[HOSTILE])
    assert "<script>alert" not in lead.get("/audit").text


def test_in_vietnamese_events_are_told_in_vietnamese(registry: Registry, desk: str, lead: Visitor) -> None:
    one, other = merged(registry, lead, "")
    said = said_by(signed_in(desk, "auditor", "vi").get("/audit").text)
    assert f"{other} được hợp nhất vào {one}. Hồ sơ chuyển theo: station:S9." in said
    assert "merged" not in said


@pytest.mark.parametrize("name", ["steward", "admin"])
def test_who_may_not_see_it_is_told_the_missing_right(registry: Registry, desk: str, name: str) -> None:
    store(registry, [LAN])
    visitor = signed_in(desk, name)
    page = visitor.get("/audit")
    assert page.status_code == 403
    assert "seeing the audit trail" in said_by(page.text)
    visitor.get("/help")
    assert visitor.post("/audit", {}).status_code == 403
    assert visitor.post("/audit.csv", {}).status_code == 403


def test_the_trail_of_a_person_has_who_looked(registry: Registry, lead: Visitor) -> None:
    lan, _ = store(registry, [LAN, HUNG])
    reveal(registry, AN, [LAN[1].key], ["phone", "citizen_id"], reason=RevealReason.AUDIT)
    with registry.snapshot() as uow:
        assert persons.resolve_enterprise_id(uow, lan).enterprise_id == lan
    page = lead.get(f"/audit?person={lan}")
    assert rows(page.text) == 2
    assert "insurance:I1: Citizen number seen in clear, reason: an audit." in said_by(page.text)
