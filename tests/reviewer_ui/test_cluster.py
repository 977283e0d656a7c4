"""One person's records on a screen: looked at, chosen from, and taken apart after a preview."""

import re
from html import unescape

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.records import RecordKey
from mpi.domain.review import Stage, TaskKind, Verdict
from mpi.registry import judgements, persons, tables
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.reviews import TaskRows, open_tasks
from mpi.registry.source_records import find
from mpi.services.desk import cluster_view
from tests.reviewer_ui.running_desk import Visitor
from tests.services.desk.test_cluster_view import TWO_WOMEN
from tests.services.linking import people, query
from tests.services.stored import HUNG, LAN, MAI, MODEL, merge, record, store, update

FIRST, SECOND = [str(each.key) for each in TWO_WOMEN[:3]], [str(each.key) for each in TWO_WOMEN[3:]]
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


@pytest.fixture
def english(steward: Visitor) -> Visitor:
    steward.post("/language", {"language": "en", "back": "/"})
    return steward


def text_of(page: str) -> str:
    """What a reader reads: no tags, single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def hidden_fields(page: str, action: str) -> dict[str, list[str]]:
    """The hidden fields of the form with an action, and its text areas."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert form is not None, action
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]):
        found.setdefault(name, []).append(unescape(value))
    for name, value in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form[0], re.DOTALL):
        found[name] = [unescape(value)]
    return found


def chosen(page: str) -> list[str]:
    return re.findall(r'<input type="checkbox" name="record" value="([^"]+)"[^>]* checked>', page)


def judge(registry: Registry, one: str, other: str, verdict: Verdict) -> None:
    with registry.begin() as uow:
        pair = find(uow, _key(one)), find(uow, _key(other))
        first = allocate(uow, Counters(judgement=1)).judgement
        judgements.add(uow, [pair], [verdict], first_judgement=first, decision_id=1, made_by="binh", reason="")


def _key(text: str) -> RecordKey:
    source, _, local_id = text.partition(":")
    return RecordKey(source, local_id)


def test_the_records_of_a_person_side_by_side(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    page = english.get(f"/people/{person}/cluster")
    assert page.status_code == 200
    assert text_of(HEADING.findall(page.text)[0]) == f"Records of one person {person}"
    said = text_of(page.text)
    assert "Records 3 and 4 hold the least" in said
    assert "Birth date 2 values" in said
    for hidden in ("079184000123", "0903718264", "Trần", "1984-03-19"):
        assert hidden not in page.text
    assert page.text.count("<svg") == 1 + len({each.key.source_system for each in TWO_WOMEN})
    assert " style=" not in page.text
    assert "<style" not in page.text


def test_the_page_speaks_vietnamese(registry: Registry, steward: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    page = steward.get(f"/people/{person}/cluster").text
    assert 'lang="vi"' in page
    said = text_of(page)
    assert "Các hồ sơ của một người" in said
    assert "Hồ sơ 3 và 4 gắn với nhau yếu nhất" in said
    for english_word in ("Records", "weakest", "chosen", "Split", "Note"):
        assert english_word not in said


def test_a_veto_between_members_is_told(registry: Registry, english: Visitor) -> None:
    records = [
        record("a", "1", full_name="Trần Thị Lan", birth_date="1984-03-19", citizen_id="079184000123"),
        record("b", "2", full_name="Trần Thị Lan", birth_date="1984-03-19", citizen_id="079184000457"),
    ]
    (person,) = store(registry, [records])
    page = english.get(f"/people/{person}/cluster").text
    assert "two different valid citizen numbers" in text_of(page)
    assert 'class="graph-conflict"' in page


def test_names_of_sources_and_values_stay_text(registry: Registry, english: Visitor) -> None:
    hostile = '<script>alert("x")</script>'
    records = [record("<b>src", hostile, full_name=hostile, sex=hostile), record("b", "2", full_name="Lê Văn Hùng")]
    (person,) = store(registry, [records])
    page = english.get(f"/people/{person}/cluster").text
    assert hostile not in page
    assert "<b>src" not in page
    preview = english.post(f"/people/{person}/split/preview", {"record": f"<b>src:{hostile}", "reason": hostile})
    assert preview.status_code == 200
    assert hostile not in preview.text
    assert "&lt;script&gt;" in preview.text


def test_a_person_without_records_and_one_who_was_merged(registry: Registry, english: Visitor) -> None:
    lan, mai, empty = store(registry, [LAN, MAI, ()])
    assert "This person has no records" in text_of(english.get(f"/people/{empty}/cluster").text)
    merge(registry, mai, lan)
    assert f"{mai} was merged into {lan}" in text_of(english.get(f"/people/{mai}/cluster").text)


def test_records_that_the_rules_have_not_read_are_shown_without_weights(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    with registry.begin() as uow:
        uow.connection.execute(sa.update(tables.record_feature).values(feature_layout="of other rules"))
    page = english.get(f"/people/{person}/cluster")
    assert page.status_code == 200
    assert "These records cannot be weighed" in text_of(page.text)
    assert "Birth date 2 values" in text_of(page.text)


def test_one_record_alone_can_only_be_looked_at(registry: Registry, english: Visitor) -> None:
    (hung,) = store(registry, [HUNG])
    page = english.get(f"/people/{hung}/cluster")
    assert "Where they would come apart" not in text_of(page.text)
    refused = english.post(f"/people/{hung}/split/preview", {"record": str(HUNG[0].key), "reason": "why"})
    assert refused.status_code == 400
    assert "leave at least one that stays" in text_of(refused.text)


def test_choices_by_part_and_kept_over_pages(
    registry: Registry, english: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    path = f"/people/{person}/cluster"
    page = english.post(path, {"part": "4,5", "reason": "my note"}).text
    assert chosen(page) == SECOND
    assert ">my note</textarea>" in page
    assert chosen(english.post(path, {"part": "none", "record": SECOND}).text) == []
    monkeypatch.setattr(cluster_view, "MOST_WEIGHED", 2)
    page = english.post(path, {"page": "2", "record": [FIRST[0], FIRST[2]]}).text
    assert "Page 2 of 3" in text_of(page)
    assert "too many records" in text_of(page)
    assert chosen(page) == [FIRST[2]]
    assert hidden_fields(page, f"/people/{person}/split/preview")["record"] == [FIRST[0]]


def test_a_split_is_previewed_and_then_done_once(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    before = people(registry)
    preview = english.post(
        f"/people/{person}/split/preview", {"record": SECOND, "reason": "two women", "seen_revision": "1"}
    )
    said = text_of(preview.text)
    assert preview.status_code == 200
    assert f"They keep {person}." in said
    assert "A new enterprise ID is made for them." in said
    assert "told of a new ID: insurance , station ." in said
    assert people(registry) == before
    form = hidden_fields(preview.text, f"/people/{person}/split")
    assert (form["record"], form["reason"]) == (SECOND, ["two women"])
    done = english.post(f"/people/{person}/split", form)
    assert done.status_code == 303
    after = people(registry)
    assert {after[key] for key in FIRST} == {before[FIRST[0]]}
    assert len({after[key] for key in SECOND}) == 1
    assert after[SECOND[0]] != before[SECOND[0]]
    told = english.get(done.headers["location"])
    assert "Split. The other part is now this person:" in text_of(told.text)
    assert "4 records" not in text_of(told.text)
    # a second press of the same button changes nothing more
    again = english.post(f"/people/{person}/split", form)
    assert (again.status_code, again.headers["location"]) == (303, done.headers["location"])
    # and another choice under the same id is refused
    assert english.post(f"/people/{person}/split", {**form, "record": FIRST[:1]}).status_code == 409
    assert people(registry) == after


def test_the_larger_part_keeps_the_id_also_when_it_was_chosen(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    before = people(registry)
    preview = english.post(f"/people/{person}/split/preview", {"record": FIRST})
    assert "here it is the part that you chose" in text_of(preview.text)
    english.post(f"/people/{person}/split", hidden_fields(preview.text, f"/people/{person}/split"))
    after = people(registry)
    assert {after[key] for key in FIRST} == {before[FIRST[0]]}
    assert after[SECOND[0]] not in before.values()


def test_records_move_to_another_person(registry: Registry, english: Visitor) -> None:
    person, mai = store(registry, [TWO_WOMEN, MAI])
    without_id = english.post(f"/people/{person}/split/preview", {"record": SECOND, "how": "move"})
    assert without_id.status_code == 400
    assert "Give the enterprise ID" in text_of(without_id.text)
    assert chosen(without_id.text) == SECOND
    wrong = english.post(f"/people/{person}/split/preview", {"record": SECOND, "how": "move", "into": "not an ID"})
    assert wrong.status_code == 400
    assert 'value="not an ID"' in wrong.text
    preview = english.post(f"/people/{person}/split/preview", {"record": SECOND, "how": "move", "into": mai})
    assert f"They come to {mai}." in text_of(preview.text)
    done = english.post(f"/people/{person}/move", hidden_fields(preview.text, f"/people/{person}/move"))
    after = people(registry)
    assert {after[key] for key in SECOND} == {after[str(MAI[0].key)]}
    told = text_of(english.get(done.headers["location"]).text)
    assert f"Moved. The records are now with this person: {mai}" in told


def test_what_changed_meanwhile_is_told_and_choice_and_note_are_kept(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    preview = english.post(f"/people/{person}/split/preview", {"record": SECOND, "reason": "two women"})
    form = hidden_fields(preview.text, f"/people/{person}/split")
    update(registry, record("hospital", "A2", full_name="Trần Thị Lan Anh"))
    before = people(registry)
    refused = english.post(f"/people/{person}/split", form)
    assert refused.status_code == 409
    assert people(registry) == before
    said = text_of(refused.text)
    assert "This has changed since you looked at it" in said
    assert "What changed: a record has new values" in said
    again = hidden_fields(refused.text, f"/people/{person}/split")
    assert (again["record"], again["reason"]) == (SECOND, ["two women"])
    assert english.post(f"/people/{person}/split", again).status_code == 303


def test_a_choice_that_left_meanwhile_is_refused_with_the_note(registry: Registry, english: Visitor) -> None:
    person, mai = store(registry, [TWO_WOMEN, MAI])
    form = {"record": SECOND, "reason": "two women", "seen_revision": "1"}
    preview = english.post(f"/people/{person}/split/preview", form)
    fields = hidden_fields(preview.text, f"/people/{person}/split")
    moved = english.post(f"/people/{person}/split/preview", {"record": SECOND[0], "how": "move", "into": mai})
    english.post(f"/people/{person}/move", hidden_fields(moved.text, f"/people/{person}/move"))
    refused = english.post(f"/people/{person}/split", fields)
    assert refused.status_code == 409
    assert "What changed: the person was split" in text_of(refused.text)
    assert ">two women</textarea>" in refused.text
    assert chosen(refused.text) == SECOND[1:]


def test_earlier_judgements_in_the_way_are_named_step_by_step(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    judge(registry, FIRST[2], SECOND[0], Verdict.SAME)
    preview = english.post(f"/people/{person}/split/preview", {"record": SECOND})
    said = text_of(preview.text)
    assert "These earlier judgements stand in the way" in said
    assert re.search(r"insurance:B2 is the same person as insurance:B1 \(judgement \d+ by binh on ", said)
    # there is no button to do it, and whoever sends the form all the same is told the same
    assert "Split: these leave" not in said
    refused = english.post(f"/people/{person}/split", {"record": SECOND, "seen_revision": "99", "reason": "two women"})
    assert refused.status_code == 409
    assert "is the same person as insurance:B1" in text_of(refused.text)
    assert ">two women</textarea>" in refused.text


def test_rows_are_revealed_with_an_event(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    path = f"/people/{person}/cluster/reveal"
    page = english.post(path, {"show": "birth_date", "record": SECOND, "reason": "note", "why": "contact"}).text
    assert "19/03/1984" in page
    assert "0903718264" not in page
    assert chosen(page) == SECOND
    both = english.post(path, {"show": "phone", "shown": "birth_date"}).text
    assert "19/03/1984" in both
    assert "0903718264" in both
    events = query(registry, sa.select(tables.event.c.payload).where(tables.event.c.kind == "review.revealed"))
    assert [("contact" in payload, "phone" in payload) for (payload,) in events] == [(True, False), (False, True)]
    assert "19/03/1984" not in english.get(f"/people/{person}/cluster").text


def test_auditors_look_and_change_nothing(registry: Registry, desk: str) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    auditor = Visitor(desk)
    auditor.sign_in("auditor")
    page = auditor.get(f"/people/{person}/cluster")
    assert page.status_code == 200
    assert 'type="checkbox"' not in page.text
    assert auditor.post(f"/people/{person}/split/preview", {"record": SECOND}).status_code == 403
    assert auditor.post(f"/people/{person}/split", {"record": SECOND, "reason": ""}).status_code == 403
    admin = Visitor(desk)
    admin.sign_in("admin")
    refused = admin.get(f"/people/{person}/cluster")
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"record": "no colon"}, 400),
        ({"record": "hospital:nobody"}, 400),
        ({"record": SECOND, "task": "77"}, 404),
        ({"record": SECOND, "page": "x"}, 400),
    ],
)
def test_forms_that_nobody_was_given(registry: Registry, english: Visitor, form: dict[str, str], status: int) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    assert english.post(f"/people/{person}/split/preview", form).status_code == status


def test_unknown_and_mistyped_ids(english: Visitor) -> None:
    assert english.get("/people/nobody/cluster").status_code in (400, 404)
    assert english.post("/people/nobody/split/preview", {"record": "a:1"}).status_code in (400, 404)


def ask(registry: Registry, person: str, one: str, other: str, *, stage: Stage = Stage.FIRST) -> int:
    """Opens a task that asks whether a person is two; gives its number."""
    with registry.begin() as uow:
        number = allocate(uow, Counters(task=1)).task
        owner = persons.resolve_enterprise_id(uow, person).person_id
        ends = [np.array([each], dtype=np.int64) for each in (find(uow, _key(one)), find(uow, _key(other)), owner, -1)]
        rows = TaskRows(
            task_ids=np.array([number], dtype=np.int64),
            kinds=[TaskKind.SUSPECTED_WRONG_MERGE.value],
            questions=[f"suspect:{owner}"],
            record_a=ends[0],
            record_b=ends[1],
            person_a=ends[2],
            person_b=ends[3],
            match_weights=np.array([12.1]),
            level_codes=np.zeros((1, len(MODEL.comparisons)), dtype=np.int8),
            reasons=["a weak bridge"],
            priorities=np.array([5.0]),
        )
        open_tasks(uow, rows, run_id=None)
        uow.connection.execute(sa.update(tables.review_task).values(stage=stage.value))
        return int(number)


def test_a_task_opens_the_cluster_with_the_proposed_part_and_is_answered_from_it(
    registry: Registry, english: Visitor
) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    before = people(registry)
    task = ask(registry, person, FIRST[2], SECOND[0])
    page = english.get(f"/people/{person}/cluster?task={task}").text
    assert "Suspected wrong merge" in text_of(page)
    assert chosen(page) == SECOND
    assert page.count("asked about") == 2
    assert "Move to another person" not in text_of(page)
    preview = english.post(f"/people/{person}/split/preview", {"record": SECOND, "task": str(task), "reason": "two"})
    form = hidden_fields(preview.text, f"/tasks/{task}/decide")
    assert (form["record"], form["verdict"], form["comment"]) == (SECOND, ["different"], ["two"])
    assert english.post(f"/tasks/{task}/decide", form).status_code == 303
    after = people(registry)
    assert {after[key] for key in FIRST} == {before[FIRST[0]]}
    assert {after[key] for key in SECOND}.isdisjoint(before.values())


def test_a_second_reader_sees_no_weights_and_no_proposal(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    task = ask(registry, person, FIRST[2], SECOND[0], stage=Stage.SECOND)
    page = english.get(f"/people/{person}/cluster?task={task}").text
    said = text_of(page)
    assert "hidden until you have decided" in said
    assert chosen(page) == []
    for telling in ("bits", "weakest", "as good as certain", "Choose 4, 5"):
        assert telling not in said
    assert 'class="graph"' not in page


def test_a_refused_answer_to_a_task_keeps_the_choice_and_the_note(registry: Registry, english: Visitor) -> None:
    (person,) = store(registry, [TWO_WOMEN])
    task = ask(registry, person, FIRST[2], SECOND[0])
    preview = english.post(f"/people/{person}/split/preview", {"record": SECOND, "task": str(task), "reason": "two"})
    form = hidden_fields(preview.text, f"/tasks/{task}/decide")
    update(registry, record("hospital", "A2", full_name="Trần Thị Lan Anh"))
    refused = english.post(f"/tasks/{task}/decide", form)
    assert refused.status_code == 409
    assert "What changed: a record has new values" in text_of(refused.text)
    again = hidden_fields(refused.text, f"/tasks/{task}/decide")
    assert (again["record"], again["comment"]) == (SECOND, ["two"])
    assert english.post(f"/tasks/{task}/decide", again).status_code == 303
