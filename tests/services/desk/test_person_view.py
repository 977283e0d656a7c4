from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.errors import (
    InvalidInputError,
    MissingRightError,
    PersonNotYetCreatedError,
    RevisionNotReachedError,
)
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Role, Stage, TaskKind
from mpi.registry import review_tasks
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import StoredReading
from mpi.services import entries
from mpi.services.desk import person_view
from mpi.services.desk.person_view import PersonAsked, PersonPage, person_page
from mpi.services.neighbourhood import OnlineRules
from tests.reviewer_ui.asked import ask
from tests.services.stored import HUNG, LAN, MAI, SCORER, merge, record, store, update

STEWARD = Actor("an", Role.STEWARD)
H1, I1, S1 = (each.key for each in LAN)


def page(registry: Registry, enterprise_id: str, actor: Actor = STEWARD, **asked: Any) -> PersonPage:
    return person_page(registry, OnlineRules(SCORER, registry.secret), actor, PersonAsked(enterprise_id, **asked))


def register(registry: Registry, *given: tuple[RecordKey, str, EntryKind, date]) -> None:
    rows = [HealthRecordEntry(key, entry_id, kind, day, "", "x") for key, entry_id, kind, day in given]
    entries.register(registry, "r", b"x", rows, lambda _: b"done")


def test_values_are_masked_and_say_where_they_come_from_and_what_they_beat(registry: Registry) -> None:
    (lan,) = store(registry, [(*LAN, record("student", "T5", at="2025-09-01", full_name="Trần Thị Lân"))])
    found = page(registry, lan)
    golden = {each.field: each for each in found.golden}
    assert (golden["full_name"].value, golden["full_name"].key) == ("T•• T•• L••", I1)
    assert golden["full_name"].others == (("T•• T•• L••", RecordKey("student", "T5")),)
    assert golden["birth_date"].value.endswith("1984")
    assert golden["citizen_id"].hides
    assert "079184000123" not in repr(found)
    assert "Lan" not in repr(found)


def test_records_say_why_and_since_when_they_are_here(registry: Registry) -> None:
    (lan,) = store(registry, [LAN])
    first, second, third = page(registry, lan).records
    assert [each.key for each in (first, second, third)] == [H1, I1, S1]
    assert first.link is not None
    assert (first.link.via, first.link.match_weight) == (None, None)
    assert second.link is not None
    assert (second.link.via, second.link.match_weight) == (H1, 12.5)
    assert third.placed is not None
    assert (third.placed.revision, third.placed.made_by) == (1, "rules")


def test_ids_that_lead_here_say_through_whom(registry: Registry) -> None:
    lan, hung, mai = store(registry, [LAN, HUNG, MAI])
    merge(registry, mai, hung)
    merge(registry, hung, lan)
    found = page(registry, mai)
    assert (found.enterprise_id, found.asked_for) == (lan, mai)
    assert [(each.enterprise_id, each.through) for each in found.leading] == [(hung, lan), (mai, hung)]
    assert {event.enterprise_id for event in found.history} == {lan, hung, mai}
    assert [event.revision for event in found.history] == [7, 6, 5, 4, 3, 2, 1]


def test_the_past_is_whole_and_holds_nothing_of_today(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    ask(registry, LAN[0].key, HUNG[0].key)
    merge(registry, hung, lan)
    register(registry, (H1, "E1", EntryKind.CLAIM, date(2024, 1, 2)))
    then = page(registry, hung, revision=2)
    assert (then.enterprise_id, then.revision, then.is_past) == (hung, 2, True)
    assert [each.key for each in then.records] == [HUNG[0].key]
    assert (then.leading, then.tasks, then.entries.entries) == ((), (), ())
    assert [event.revision for event in then.history] == [2]
    assert [each.key for each in page(registry, lan, revision=2).records] == [H1, I1, S1]
    assert len(page(registry, lan).records) == 4


def test_a_value_of_the_past_is_that_of_its_version(registry: Registry) -> None:
    (lan,) = store(registry, [LAN])
    update(registry, replace(LAN[1], values={**LAN[1].values, "birth_date": "1985"}))
    assert [each.values["birth_date"] for each in page(registry, lan, revision=1).records][1].endswith("1984")
    assert [each.values["birth_date"] for each in page(registry, lan).records][1].endswith("1985")


def test_open_tasks_are_those_about_the_person(registry: Registry) -> None:
    lan, hung, mai = store(registry, [LAN, HUNG, MAI])
    number = ask(registry, H1, HUNG[0].key, kind=TaskKind.POSSIBLE_MATCH)
    for person in (lan, hung):
        (task,) = page(registry, person).tasks
        assert (task.task_id, task.kind) == (number, TaskKind.POSSIBLE_MATCH)
    assert page(registry, mai).tasks == ()


def test_weights_are_hidden_from_who_may_have_to_read_a_second_time(registry: Registry) -> None:
    lan, mai = store(registry, [LAN, MAI])
    number = ask(registry, LAN[0].key, MAI[0].key)

    def weights(name: str, role: Role = Role.STEWARD) -> list[float | None]:
        found = page(registry, lan, Actor(name, role))
        return [record.link.match_weight for record in found.records if record.link is not None]

    assert weights("an") == weights("binh") == [None, 12.5, 12.5]
    with registry.begin() as uow:
        said = StoredReading(number, 0, Stage.FIRST, "an", "same", "", None, "2026-01-02T03:04:05+00:00")
        review_tasks.add_reading(uow, said)
        review_tasks.move_on(uow, review_tasks.find(uow, number), Stage.SECOND)
    assert weights("an") == weights("giang", Role.AUDITOR) == [None, 12.5, 12.5]
    assert weights("binh") == [None, None, None]
    assert page(registry, mai, Actor("binh", Role.STEWARD)).weights_hidden


def test_entries_come_a_page_at_a_time(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_view, "ENTRIES_A_PAGE", 2)
    (lan,) = store(registry, [LAN])
    days = [(H1, f"E{at}", EntryKind.CLAIM, date(2024, 1, 1 + at)) for at in range(3)]
    register(
        registry,
        *days,
        (S1, "V", EntryKind.VACCINATION, date(2023, 5, 6)),
        (I1, "Z", EntryKind.OTHER, date(2025, 1, 1)),
    )
    pages = [page(registry, lan, page=number).entries for number in (1, 2, 3)]
    assert [[entry.entry_id for entry in each.entries] for each in pages] == [["V", "E0"], ["E1", "E2"], ["Z"]]
    assert [(each.page, each.more) for each in pages] == [(1, True), (2, True), (3, False)]
    beyond = page(registry, lan, page=9).entries
    assert (beyond.page, [entry.entry_id for entry in beyond.entries]) == (3, ["Z"])
    claims = page(registry, lan, kind=EntryKind.CLAIM, page=2).entries
    assert ([entry.entry_id for entry in claims.entries], claims.more) == (["E2"], False)


def test_a_registered_death_is_told(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    register(registry, (S1, "D", EntryKind.DEATH, date(2025, 2, 3)))
    assert page(registry, lan).deceased
    assert not page(registry, hung).deceased


def test_many_records_and_a_long_history_are_cut_and_it_is_said(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person_view, "MOST_RECORDS", 2)
    monkeypatch.setattr(person_view, "HISTORY_SHOWN", 1)
    lan, hung = store(registry, [LAN, HUNG])
    merge(registry, hung, lan)
    found = page(registry, lan)
    assert (len(found.records), found.total) == (2, 4)
    assert ([event.revision for event in found.history], found.older) == ([4], True)
    assert found.records[0].placed is not None


def test_what_cannot_be_asked_is_refused(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    refused: list[tuple[str, dict[str, Any], type[Exception]]] = [
        (lan, {"page": 0}, InvalidInputError),
        (lan, {"revision": 1, "time": datetime.now(UTC)}, InvalidInputError),
        (lan, {"revision": 3}, RevisionNotReachedError),
        (hung, {"revision": 1}, PersonNotYetCreatedError),
        (lan, {"time": datetime(2020, 1, 1, tzinfo=UTC)}, PersonNotYetCreatedError),
        ("K7Q", {}, InvalidInputError),
    ]
    for enterprise_id, asked, error in refused:
        with pytest.raises(error):
            page(registry, enterprise_id, **asked)
    with pytest.raises(MissingRightError) as missing:
        page(registry, lan, Actor("quan", Role.ADMIN))
    assert missing.value.metadata == {"right": "look_up"}
