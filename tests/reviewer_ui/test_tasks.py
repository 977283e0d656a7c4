"""A task at the desk: looked at, revealed, answered, skipped, escalated, undone; and two who are at it at once."""

import re
from html import unescape

import pytest
import sqlalchemy as sa

from mpi.domain.review import TaskKind
from mpi.registry import events, judgements
from mpi.registry.registry import Registry
from mpi.registry.tables import reading, review_task
from mpi.services.desk.reveal import EVENT
from tests.reviewer_ui.asked import ask, readings, stored_task
from tests.reviewer_ui.running_desk import Visitor
from tests.services.stored import HUNG, LAN, MAI, index, record, store, update

HOSTILE = "<script>alert(1)</script>"
ANH = (record("hospital", "A1", full_name="Lê Thị Anh", birth_date="1970-04-05", sex="Nữ", phone="0903718265"),)
ANH_AGAIN = (record("station", "A2", full_name="Lê Thị Ánh", birth_date="1970-04-05", sex="Nữ"),)


@pytest.fixture
def colleague(desk: str, steward: Visitor) -> Visitor:
    """A second steward who is signed in."""
    signed_in = Visitor(desk)
    assert signed_in.sign_in("steward2").status_code == 303
    return signed_in


@pytest.fixture
def lead(desk: str, steward: Visitor) -> Visitor:
    signed_in = Visitor(desk)
    assert signed_in.sign_in("lead").status_code == 303
    return signed_in


@pytest.fixture
def doubtful(registry: Registry, steward: Visitor) -> tuple[int, list[str]]:
    """A question about two people of one record each, and their IDs."""
    people = store(registry, [ANH, ANH_AGAIN, HUNG])
    index(registry)
    return ask(registry, ANH[0].key, ANH_AGAIN[0].key), people


def form_of(page: str, **more: object) -> dict[str, object]:
    """The hidden fields of a pair's form, as a browser would send them, with more."""
    form = re.search(r'<form[^>]*class="pair".*?</form>', page, re.DOTALL)
    assert form is not None
    found: dict[str, object] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]):
        found[name] = unescape(value)
    return {**found, **more}


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def answer(visitor: Visitor, task_id: int, verdict: str, **more: object) -> str:
    """Looks at a task and answers it; where the desk goes then."""
    page = visitor.get(f"/tasks/{task_id}")
    assert page.status_code == 200, text_of(page.text)
    sent = visitor.post(f"/tasks/{task_id}/decide", form_of(page.text, verdict=verdict, **more))
    assert sent.status_code == 303, text_of(sent.text)
    return sent.headers["location"]


def test_a_pair_is_masked_and_says_what_an_answer_does(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor
) -> None:
    task_id, (older, newer, _) = doubtful
    page = steward.get(f"/tasks/{task_id}")
    assert page.status_code == 200
    said = text_of(page.text)
    assert f"{older} giữ mã, {newer} dẫn về mã đó." in said
    assert "L•• T•• A••" in said
    for secret in ("Anh<", "Ánh", "1970-04-05", "0903718265"):
        assert secret not in page.text
    assert stored_task(registry, task_id).claimed_by == "steward"
    assert " style=" not in page.text


def test_a_pair_speaks_english_too(doubtful: tuple[int, list[str]], steward: Visitor) -> None:
    task_id, (older, newer, _) = doubtful
    back = f"/tasks/{task_id}"
    assert steward.post("/language", {"language": "en", "back": back}).headers["location"] == back
    page = steward.get(back).text
    assert '<html lang="en">' in page
    assert f"{older} keeps its ID, {newer} leads to it." in text_of(page)
    assert re.search(r"Full name.*?Near", text_of(page)) is not None


def test_rows_are_opened_one_by_one_and_a_reload_masks_them(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor
) -> None:
    task_id, _ = doubtful
    fields = form_of(steward.get(f"/tasks/{task_id}").text, comment="asks the <station>", reveal_reason="contact")
    page = steward.post(f"/tasks/{task_id}/reveal", {**fields, "column": "full_name"})
    assert page.status_code == 200
    assert '<mark class="diff diff-tone">Á<span class="visually-hidden"> (dấu thanh) </span></mark>nh' in page.text
    assert "asks the &lt;station&gt;</textarea>" in page.text
    assert '<option value="contact" selected>' in page.text
    again = steward.post(f"/tasks/{task_id}/reveal", {**form_of(page.text), "column": "phone"})
    assert "0903718265" in again.text
    assert "diff-tone" in again.text
    with registry.snapshot() as uow:
        shown = [event.payload for event in events.read_after(uow, 0, limit=99) if event.kind == EVENT]
    assert [(each["fields"], each["reason"], each["task"]) for each in shown] == [
        (["full_name"], "contact", task_id),
        (["full_name", "phone"], "compare", task_id),
    ]
    masked = steward.get(f"/tasks/{task_id}").text
    assert "diff-tone" not in masked
    every = steward.post(f"/tasks/{task_id}/reveal", {**form_of(masked), "column": "*"}).text
    assert all(value in every for value in ("diff-tone", "0903718265", "1970-04-05"))
    assert 'data-action="reveal"' not in every


def test_what_sources_wrote_stays_text(registry: Registry, steward: Visitor) -> None:
    people = [
        [record("hospital", f'"><b>{HOSTILE}', full_name=f"Lê {HOSTILE} An", birth_date="1970-04-05", address=HOSTILE)],
        [record("station", "S", full_name="Lê Văn An", birth_date="1970-04-05", address="{{ 7 * 7 }}, x")],
    ]
    store(registry, people)
    index(registry)
    task_id = ask(registry, people[0][0].key, people[1][0].key)
    for page in (steward.get("/queue"), steward.get(f"/tasks/{task_id}")):
        assert page.status_code == 200
        assert HOSTILE not in page.text
        assert "<b>" not in page.text
    form = form_of(steward.get(f"/tasks/{task_id}").text, comment=HOSTILE)
    opened = steward.post(f"/tasks/{task_id}/reveal", {**form, "column": ["full_name", "address"]})
    assert HOSTILE not in opened.text
    assert "&lt;script&gt;" in opened.text


def test_different_keeps_both_apart_and_the_next_task_follows(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor
) -> None:
    task_id, _ = doubtful
    other = ask(registry, ANH[0].key, HUNG[0].key, priority=0.5)
    location = answer(steward, task_id, "different", comment="two sisters", seconds="7.5")
    assert location.startswith(f"/tasks/{other}?done={task_id}&said=different&now=")
    page = text_of(steward.get(location).text)
    assert f"Việc {task_id}: hai người khác nhau." in page
    assert f"Hoàn tác việc {task_id}" in page
    (said,) = readings(registry, task_id)
    assert (said.verdict, said.comment, said.seconds) == ("different", "two sisters", 7.5)
    with registry.snapshot() as uow:
        assert [each.verdict.value for each in judgements.standing(uow)] == ["different"]


def test_same_merges_and_the_undo_asks_again(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor, colleague: Visitor
) -> None:
    task_id, _ = doubtful
    location = answer(steward, task_id, "same")
    if "second_reading" in location:
        answer(colleague, task_id, "same")
    assert stored_task(registry, task_id).closed_reason == "judged same"
    doer = steward if "second_reading" not in location else colleague
    page = doer.get("/queue").text
    undo = re.search(r'<form method="post" action="/undo">.*?</form>', page, re.DOTALL)
    assert undo is not None
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', undo[0]))
    back = doer.post("/undo", fields).headers["location"]
    assert "said=undone" in back
    again = doer.get(back)
    assert again.status_code == 200
    assert "được hỏi lại" in text_of(again.text)
    assert doer.post("/undo", fields).headers["location"] == back


def test_the_same_form_sent_twice_decides_once_and_another_under_its_id_nothing(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor
) -> None:
    task_id, _ = doubtful
    form = form_of(steward.get(f"/tasks/{task_id}").text, verdict="different")
    first = steward.post(f"/tasks/{task_id}/decide", form)
    again = steward.post(f"/tasks/{task_id}/decide", form)
    assert (first.status_code, again.status_code) == (303, 303)
    other = steward.post(f"/tasks/{task_id}/decide", {**form, "verdict": "same"})
    assert other.status_code == 409
    assert len(readings(registry, task_id)) == 1


def test_the_second_of_two_gets_what_happened_and_keeps_the_note(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor, colleague: Visitor
) -> None:
    task_id, _ = doubtful
    form = form_of(steward.get(f"/tasks/{task_id}").text, verdict="same", comment="seen <her> papers")
    held = colleague.get(f"/tasks/{task_id}")
    assert held.status_code == 409
    assert "steward đang giữ việc này đến" in text_of(held.text)
    with registry.begin() as uow:
        uow.connection.execute(sa.update(review_task).values(claimed_until="2026-01-01T00:00:00.000000Z"))
    answer(colleague, task_id, "different")
    late = steward.post(f"/tasks/{task_id}/decide", form)
    assert late.status_code == 409
    assert "seen &lt;her&gt; papers</textarea>" in late.text
    assert "đã xác định là khác người" in text_of(late.text)
    assert [each.reader for each in readings(registry, task_id)] == ["steward2"]


def test_a_record_that_changed_is_shown_and_the_note_stays(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor
) -> None:
    task_id, (older, _, _) = doubtful
    form = form_of(steward.get(f"/tasks/{task_id}").text, verdict="same", comment="one and the same")
    update(registry, record("hospital", "A1", full_name="Phạm Thị Bình", birth_date="1970-04-05", sex="Nữ"))
    late = steward.post(f"/tasks/{task_id}/decide", form)
    assert late.status_code == 409
    said = text_of(late.text)
    assert f"{older} : một hồ sơ có giá trị mới" in said
    assert "P•• T•• B••" in said
    assert "one and the same</textarea>" in late.text
    assert readings(registry, task_id) == []
    sent = steward.post(f"/tasks/{task_id}/decide", form_of(late.text, verdict="different", comment="looked again"))
    assert sent.status_code == 303


def test_an_answer_against_earlier_judgements_is_refused_with_their_path(registry: Registry, steward: Visitor) -> None:
    store(registry, [ANH, ANH_AGAIN])
    index(registry)
    answer(steward, ask(registry, ANH[0].key, ANH_AGAIN[0].key), "different")
    with registry.begin() as uow:
        uow.connection.execute(sa.update(review_task).values(decision_id=None, status="closed", stage="first"))
    task_id = ask(registry, ANH[0].key, ANH_AGAIN[0].key)
    refused = steward.post(
        f"/tasks/{task_id}/decide", form_of(steward.get(f"/tasks/{task_id}").text, verdict="same", comment="hm")
    )
    assert refused.status_code == 409
    assert "hospital:A1" in text_of(refused.text)
    assert "steward" in text_of(refused.text)
    assert "hm</textarea>" in refused.text


def test_a_second_reader_is_somebody_else_and_sees_neither_weight_nor_ids(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor, colleague: Visitor
) -> None:
    task_id, (older, newer, _) = doubtful
    location = answer(steward, task_id, "unsure", comment="first answer, a secret")
    assert "now=second_reading" in location
    assert "người đọc đầu chưa chắc chắn" in text_of(steward.get(location).text)
    own = steward.get(f"/tasks/{task_id}")
    assert own.status_code == 403
    page = colleague.get(f"/tasks/{task_id}")
    said = text_of(page.text)
    assert "Đọc lần hai" in said
    assert "first answer, a secret" not in said
    assert older not in said
    assert newer not in said
    assert 'class="evidence"' not in page.text
    assert "Được ẩn cho đến khi bạn quyết định." in said
    told = answer(colleague, task_id, "same")
    assert "now=" not in told
    assert "Đã ghi nhận ý kiến của bạn." in text_of(colleague.get(told).text)


def test_what_two_cannot_agree_on_goes_to_a_lead(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor, lead: Visitor
) -> None:
    task_id, _ = doubtful
    assert "now=adjudication" in answer(steward, task_id, "escalate", comment="please <b>look</b>")
    assert stored_task(registry, task_id).stage.value == "adjudication"
    page = lead.get(f"/tasks/{task_id}").text
    assert "chuyển trưởng nhóm: please <b>look</b>" in text_of(page).replace(" : ", ": ")
    assert "<b>look" not in page
    assert 'value="escalate"' not in page
    assert answer(lead, task_id, "different").startswith("/queue")
    assert stored_task(registry, task_id).closed_reason == "judged different"


def test_a_closed_task_says_how_it_ended_and_a_lead_may_let_it_test_readers(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor, colleague: Visitor, lead: Visitor
) -> None:
    task_id, _ = doubtful
    answer(steward, task_id, "unsure")
    with registry.begin() as uow:
        uow.connection.execute(sa.update(reading).values(verdict="same"))
    answer(colleague, task_id, "same")
    closed = steward.get(f"/tasks/{task_id}")
    assert closed.status_code == 409
    decision_id = stored_task(registry, task_id).decision_id
    assert f"Quyết định {decision_id}, của steward2" in text_of(closed.text)
    assert "/gold" not in closed.text
    assert "/audit?" not in closed.text
    page = lead.get(f"/tasks/{task_id}").text
    assert f'action="/tasks/{task_id}/gold"' in page
    assert f'href="/audit?first={decision_id}&amp;last=' in page
    assert steward.post(f"/tasks/{task_id}/gold").status_code == 403
    assert lead.post(f"/tasks/{task_id}/gold").headers["location"] == f"/queue?done={task_id}&said=gold"
    assert lead.post(f"/tasks/{task_id}/gold").status_code == 400
    assert "kiểm tra người đọc" in text_of(lead.get(f"/queue?done={task_id}&said=gold").text)


def test_a_skipped_task_is_free_again(
    doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor, colleague: Visitor
) -> None:
    task_id, _ = doubtful
    form = form_of(steward.get(f"/tasks/{task_id}").text, comment="later")
    skipped = steward.post(f"/tasks/{task_id}/release", form)
    assert skipped.headers["location"] == f"/queue?done={task_id}&said=skipped"
    assert stored_task(registry, task_id).claimed_by is None
    assert colleague.get(f"/tasks/{task_id}").status_code == 200
    taken = steward.post(f"/tasks/{task_id}/claim", form)
    assert taken.status_code == 409
    assert "later</textarea>" in taken.text


def test_a_record_that_is_about_two_says_who_leaves(registry: Registry, steward: Visitor) -> None:
    (lan, _, _) = store(registry, [LAN, HUNG, MAI])
    index(registry)
    task_id = ask(registry, LAN[0].key, LAN[1].key, kind=TaskKind.OVERLAY)
    page = steward.get(f"/tasks/{task_id}")
    said = text_of(page.text)
    assert f"Vẫn là một người: {lan}" in said
    assert "hospital:H1" in said
    assert f'href="/people/{lan}/cluster?task={task_id}"' in page.text
    form = form_of(page.text, verdict="different", record=["hospital:H1"])
    assert steward.post(f"/tasks/{task_id}/decide", form).status_code == 303
    bad = steward.post(f"/tasks/{task_id}/decide", {**form, "record": ["nothing"]})
    assert bad.status_code == 400


def test_a_lead_sees_whom_a_reader_would_let_leave(registry: Registry, steward: Visitor, lead: Visitor) -> None:
    store(registry, [LAN, HUNG, MAI])
    index(registry)
    task_id = ask(registry, LAN[0].key, LAN[1].key, kind=TaskKind.OVERLAY)
    answer(steward, task_id, "escalate", record=["hospital:H1"])
    assert "chuyển trưởng nhóm 1 hồ sơ được tách ra: hospital:H1 ." in text_of(lead.get(f"/tasks/{task_id}").text)


def test_whoever_may_not_review_may_not_touch_a_task(
    doubtful: tuple[int, list[str]], registry: Registry, desk: str
) -> None:
    task_id, _ = doubtful
    auditor = Visitor(desk)
    auditor.sign_in("auditor")
    form = {"verdict": "same", "expected_version": 1, "seen_revision": 9, "column": "phone"}
    assert auditor.get(f"/tasks/{task_id}").status_code == 403
    for verb in ("decide", "release", "claim", "reveal"):
        assert auditor.post(f"/tasks/{task_id}/{verb}", form).status_code == 403, verb
    assert auditor.post("/undo", {"task_id": task_id}).status_code == 403
    assert readings(registry, task_id) == []


def test_what_is_no_answer_is_refused(doubtful: tuple[int, list[str]], registry: Registry, steward: Visitor) -> None:
    task_id, _ = doubtful
    form = form_of(steward.get(f"/tasks/{task_id}").text)
    for wrong in (
        {"verdict": "perhaps"},
        {"verdict": "same", "request_id": "1"},
        {"verdict": "same", "expected_version": ""},
        {"verdict": "same", "seconds": "-1"},
        {"verdict": "same", "comment": "x" * 2001},
    ):
        assert steward.post(f"/tasks/{task_id}/decide", {**form, **wrong}).status_code == 400, wrong
    assert steward.get("/tasks/99999").status_code == 404
    assert steward.get("/tasks/nonsense").status_code == 404
    assert steward.get(f"/tasks/{2**63}").status_code == 404
    assert (
        steward.post(f"/tasks/{task_id}/decide", {**form, "verdict": "same", "seen_revision": 2**63}).status_code == 400
    )
    assert readings(registry, task_id) == []


def test_a_language_is_chosen_before_signing_in_and_leads_nowhere_else(desk: str) -> None:
    visitor = Visitor(desk)
    assert visitor.get("/sign-in").headers["content-language"] == "vi"
    chosen = visitor.post("/language", {"language": "en", "back": "//elsewhere.example/"})
    assert chosen.headers["location"] == "/"
    assert visitor.get("/sign-in").headers["content-language"] == "en"
    assert visitor.post("/language", {"language": "xx"}).status_code == 400
    assert visitor.post("/language", {"language": "vi"}, **{"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_language_is_the_accounts_and_asks_for_the_sessions_token(steward: Visitor) -> None:
    assert steward.post("/language", {"language": "en", "csrf": "another"}).status_code == 403
    assert steward.get("/queue").headers["content-language"] == "vi"
    steward.post("/language", {"language": "en"})
    assert steward.get("/queue").headers["content-language"] == "en"
