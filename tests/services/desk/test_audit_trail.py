from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import (
    InvalidInputError,
    MissingRightError,
    UnknownPersonError,
    UnknownRecordError,
    UnknownSourceSystemError,
)
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Role
from mpi.registry import persons
from mpi.registry.events import EventRows, append, payload_text
from mpi.registry.registry import Registry
from mpi.registry.source_records import find
from mpi.registry.tables import decision, decision_person
from mpi.services.desk import audit_trail
from mpi.services.desk.audit_trail import TrailFilter, trail, whole_trail
from mpi.services.desk.event_notes import REVEALED, NotedEvent
from tests.services.stored import HUNG, LAN, MAI, merge, store

AUDITOR = Actor("giang", Role.AUDITOR)
H1, I1, T1 = RecordKey("hospital", "H1"), RecordKey("insurance", "I1"), RecordKey("student", "T1")


def number_of(registry: Registry, enterprise_id: str) -> int:
    with registry.snapshot() as uow:
        return persons.resolve_enterprise_id(uow, enterprise_id).person_id


def record_of(registry: Registry, key: RecordKey) -> int:
    with registry.snapshot() as uow:
        return find(uow, key)


def happen(registry: Registry, kind: str, person_id: int | None, *, by: str = "steward", **payload: Any) -> int:
    """One event; the payload is stored as the desk's services write it."""
    about = np.array([-1 if person_id is None else person_id], dtype=np.int64)
    with registry.begin() as uow:
        return append(uow, EventRows(kind, about, [payload_text(payload)], by))


def reveal(registry: Registry, steward: str, *keys: RecordKey, reason: str = "compare") -> int:
    records = [record_of(registry, key) for key in keys]
    about: dict[str, Any] = {"task": 7, "fields": ["citizen_id"], "reason": reason}
    return happen(registry, "review.revealed", None, steward=steward, records=records, **about)


def decided(registry: Registry, decision_id: int, *people: int, **values: Any) -> None:
    row = {"decision_id": decision_id, "kind": "split", "last_revision": decision_id, "made_by": "an", "made_at": "x"}
    with registry.begin() as uow:
        uow.connection.execute(sa.insert(decision).values({**row, "reason": "another woman", **values}))
        for person in people:
            uow.connection.execute(sa.insert(decision_person).values(person_id=person, decision_id=decision_id))


def seen(registry: Registry, **wanted: Any) -> list[NotedEvent]:
    return list(trail(registry, AUDITOR, TrailFilter(**wanted)).entries)


def revisions(registry: Registry, **wanted: Any) -> list[int]:
    return [entry.revision for entry in seen(registry, **wanted)]


def test_the_newest_comes_first_and_says_whose_and_which_records(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    merge(registry, hung, lan)
    superseded, merged, *made = seen(registry)
    assert [entry.revision for entry in (superseded, merged, *made)] == [4, 3, 2, 1]
    assert (superseded.kind, superseded.enterprise_id, superseded.others) == ("person.superseded", hung, (lan,))
    assert (merged.enterprise_id, merged.others, merged.records) == (lan, (hung,), (T1,))
    assert {entry.made_by for entry in made} == {"rules"}
    assert merged.decision is None


def test_an_entry_tells_its_decision_its_task_and_the_reason_given(registry: Registry) -> None:
    (lan,) = store(registry, [LAN])
    person, record = number_of(registry, lan), record_of(registry, I1)
    happen(registry, "person.split", person, steward="an", decision=2, task=9, moved=[record])
    decided(registry, 2, person, task_id=9, undone_by=5)
    (entry,) = seen(registry, kinds=("person.split",))
    assert (entry.steward, entry.task_id, entry.records) == ("an", 9, (I1,))
    assert entry.decision is not None
    told = entry.decision
    assert (told.decision_id, told.reason, told.undone_by, told.made_by) == (2, "another woman", 5, "an")


def test_a_reveal_tells_who_saw_which_fields_of_which_records_and_why(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    reveal(registry, "an", H1, T1, reason="contact")
    (entry,) = seen(registry, kinds=(REVEALED,))
    assert (entry.steward, entry.fields, entry.reveal_reason) == ("an", ("citizen_id",), "contact")
    assert (entry.enterprise_id, entry.records, entry.task_id) == (None, (H1, T1), 7)


def test_a_steward_is_found_by_the_whole_name_only(registry: Registry) -> None:
    (lan,) = store(registry, [LAN])
    mine = reveal(registry, "an", H1)
    reveal(registry, "anh", H1)
    reveal(registry, "an_", H1)
    happen(registry, "person.updated", number_of(registry, lan), by="rules", records=[1], note='"steward":"an"')
    assert revisions(registry, steward="an") == [mine]
    assert revisions(registry, steward="%") == []
    assert revisions(registry, steward="AN") == []


def test_what_rules_and_sources_did_can_be_left_out(registry: Registry) -> None:
    store(registry, [LAN, HUNG])
    newest = reveal(registry, "an", H1)
    assert revisions(registry, by_people=True) == [newest]


def test_a_person_has_what_was_done_to_all_whose_ids_lead_there_and_who_looked(registry: Registry) -> None:
    lan, hung, mai = store(registry, [LAN, HUNG, MAI])
    merge(registry, hung, lan)
    looked = reveal(registry, "an", T1)
    reveal(registry, "an", RecordKey("student", "T2"))
    judged = happen(registry, "review.judged", None, steward="an", records=[record_of(registry, H1)], verdict="unsure")
    assert revisions(registry, enterprise_id=lan) == [judged, looked, 5, 4, 2, 1]
    assert revisions(registry, enterprise_id=hung) == [looked, 5, 2]
    assert revisions(registry, enterprise_id=mai.lower()) == [7, 3]


def test_a_record_has_its_past_in_other_people_too(registry: Registry) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    woman, boy, record = number_of(registry, lan), number_of(registry, hung), record_of(registry, I1)
    # what a steward's split leaves behind: the link closed here and opened there, and a decision about both
    with registry.begin() as uow:
        (link_id,) = persons.links_of_records(uow, np.array([record], dtype=np.int64)).link_ids.tolist()
        persons.close_links(uow, np.array([link_id]), revisions=np.array([3], dtype=np.int64))
        rows = persons.LinkRows(
            link_ids=np.array([90]),
            record_ids=np.array([record]),
            person_ids=np.array([boy]),
            revisions=np.array([3], dtype=np.int64),
            made_by="steward",
            rule_version="any",
        )
        persons.open_links(uow, rows)
    happen(registry, "person.split", woman, steward="an", decision=3, moved=[record], into=boy)
    happen(registry, "person.linked", boy, steward="an", decision=3, records=[record])
    decided(registry, 3, woman, boy)
    updated = happen(registry, "person.updated", boy, by="rules", records=[record_of(registry, T1)])
    looked = reveal(registry, "binh", I1)
    assert revisions(registry, record=I1) == [looked, 4, 3, 1]
    assert revisions(registry, record=T1) == [updated, 2]
    assert revisions(registry, record=I1, enterprise_id=lan) == [looked, 3, 1]
    assert revisions(registry, record=I1, steward="an") == [4, 3]


def test_revisions_and_kinds_bound_what_is_shown(registry: Registry) -> None:
    store(registry, [LAN, HUNG, MAI])
    assert revisions(registry, first=2) == [3, 2]
    assert revisions(registry, last=2) == [2, 1]
    assert revisions(registry, first=2, last=2) == [2]
    assert revisions(registry, first=4) == []
    assert revisions(registry, kinds=("person.merged",)) == []


@pytest.mark.parametrize("about_one", [True, False])
def test_pages_join_without_a_gap_or_a_repeat(
    registry: Registry, about_one: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "_A_READ", 3)
    monkeypatch.setattr(audit_trail, "MOST_A_PAGE", 4)
    (lan,) = store(registry, [LAN])
    for number in range(9):
        reveal(registry, "an" if number % 2 else "binh", H1)
    wanted = TrailFilter(enterprise_id=lan) if about_one else TrailFilter()
    pages, before = [], None
    while True:
        page = trail(registry, AUDITOR, wanted, page_size=4, before=before)
        pages.append([entry.revision for entry in page.entries])
        if page.next_before is None:
            break
        before = page.next_before
    assert pages == [[10, 9, 8, 7], [6, 5, 4, 3], [2, 1]]
    assert page.newest == 10
    assert [entry.revision for entry in whole_trail(registry, AUDITOR, wanted)] == list(range(10, 0, -1))
    late = trail(registry, AUDITOR, TrailFilter(last=5), page_size=4, before=9)
    assert [entry.revision for entry in late.entries] == [5, 4, 3, 2]


@pytest.mark.parametrize("role", [Role.STEWARD, Role.ADMIN])
def test_who_may_not_see_the_trail_is_told_the_right_that_is_missing(registry: Registry, role: Role) -> None:
    for call in (trail, whole_trail):
        with pytest.raises(MissingRightError) as refused:
            call(registry, Actor("an", role), TrailFilter())
        assert refused.value.metadata == {"right": "see_audit"}


def test_what_there_is_not_is_refused(registry: Registry) -> None:
    store(registry, [LAN])
    for wanted, error in (
        (TrailFilter(kinds=("person.eaten",)), InvalidInputError),
        (TrailFilter(enterprise_id="K7Q"), InvalidInputError),
        (TrailFilter(enterprise_id="K7Q-2MD-9XA"), (UnknownPersonError, InvalidInputError)),
        (TrailFilter(record=RecordKey("hospital", "H9")), UnknownRecordError),
        (TrailFilter(record=RecordKey("nowhere", "H1")), UnknownSourceSystemError),
    ):
        with pytest.raises(error):
            trail(registry, AUDITOR, wanted)
