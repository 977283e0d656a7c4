"""Pointers to health record entries over a socket: registered once, listed from every source in order of time."""

from datetime import date
from typing import Any

import grpc
import pytest

from mpi.client import IdentityError
from mpi.identity.v1 import health_record_pb2 as health
from mpi.identity.v1.record_pb2 import RecordKey
from tests.rpc.serving import Running, lan, refused, stranger, told_in


def entry(system: str, local_id: str, entry_id: str, day: date, **values: Any) -> health.HealthRecordEntry:
    made = health.HealthRecordEntry(
        record=RecordKey(source_system=system, source_record_id=local_id),
        entry_id=entry_id,
        kind=health.ENTRY_KIND_ENCOUNTER,
        facility="Station 7",
        locator=f"urn:{system}:{entry_id}",
    )
    made.date.year, made.date.month, made.date.day = day.year, day.month, day.day
    made.MergeFrom(health.HealthRecordEntry(**values))
    return made


@pytest.fixture
def person(served: Running) -> str:
    """Two records of one woman, with five entries between them."""
    made = served.client.resolve(lan())
    served.client.resolve(lan("S1", "station"))
    served.client.register_entries(
        [
            entry("hospital", "H1", "e3", date(2024, 5, 6)),
            entry("station", "S1", "e1", date(2023, 1, 2), kind=health.ENTRY_KIND_VACCINATION),
            entry("hospital", "H1", "e1", date(2023, 1, 2)),
            entry("station", "S1", "e2", date(2025, 1, 2)),
            entry("hospital", "H1", "e2", date(1999, 12, 31)),
        ]
    )
    return made.enterprise_id


def names(listed: "list[health.HealthRecordEntry]") -> list[str]:
    return [f"{each.record.source_system}/{each.entry_id}" for each in listed]


def test_entries_of_every_source_come_in_the_order_of_time(served: Running, person: str) -> None:
    listed = list(served.client.list_entries(person))
    assert names(listed) == ["hospital/e2", "hospital/e1", "station/e1", "hospital/e3", "station/e2"]
    assert listed[2] == entry("station", "S1", "e1", date(2023, 1, 2), kind=health.ENTRY_KIND_VACCINATION)


def test_entries_are_chosen_by_kind_and_day(served: Running, person: str) -> None:
    kinds = served.client.list_entries(person, kinds=[health.ENTRY_KIND_VACCINATION])
    assert names(list(kinds)) == ["station/e1"]
    days = served.client.list_entries(person, start_date=date(2023, 1, 2), end_date=date(2025, 1, 2))
    assert names(list(days)) == ["hospital/e1", "station/e1", "hospital/e3"]


def test_pages_join_without_a_seam_and_belong_to_their_request(served: Running, person: str) -> None:
    request = health.ListHealthRecordEntriesRequest(parent=f"persons/{person}", page_size=2)
    pages = []
    while True:
        page = served.stub.ListHealthRecordEntries(request)
        pages.append(names(list(page.entries)))
        assert page.enterprise_id == person
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert pages == [["hospital/e2", "hospital/e1"], ["station/e1", "hospital/e3"], ["station/e2"]]
    request.kinds.append(health.ENTRY_KIND_CLAIM)
    told = refused(lambda: served.stub.ListHealthRecordEntries(request))
    assert (told.code, told.reason, told.fields) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_PAGE_TOKEN",
        ["page_token"],
    )


def test_each_entry_stands_for_itself(served: Running, person: str) -> None:
    done = served.client.register_entries(
        [
            entry("hospital", "H1", "e3", date(2024, 5, 6)),
            entry("hospital", "H1", "e1", date(2023, 1, 3)),
            entry("hospital", "H9", "e9", date(2023, 1, 3)),
            entry("nowhere", "H1", "e9", date(2023, 1, 3)),
            entry("station", "S1", "e9", date(2023, 1, 3)),
        ]
    )
    changes = [each.change for each in done.results]
    assert changes == [health.ENTRY_CHANGE_UNCHANGED, health.ENTRY_CHANGE_REPLACED, 0, 0, health.ENTRY_CHANGE_NEW]
    told = [told_in(each.error) for each in done.results[2:4]]
    assert [(each.reason, each.metadata["field"]) for each in told] == [
        ("UNKNOWN_RECORD", "entries[2].record"),
        ("UNKNOWN_SOURCE_SYSTEM", "entries[3].record"),
    ]


def test_a_repeated_registration_gets_the_same_answer(served: Running, person: str) -> None:
    entries = [entry("hospital", "H1", "e7", date(2024, 5, 6))]
    first = served.client.register_entries(entries, request_id="again")
    assert served.client.register_entries(entries, request_id="again") == first
    assert first.results[0].change == health.ENTRY_CHANGE_NEW
    with pytest.raises(IdentityError) as reused:
        served.client.register_entries([entry("hospital", "H1", "e8", date(2024, 5, 6))], request_id="again")
    assert reused.value.reason == "REQUEST_ID_REUSED"


def test_nobodys_entries_are_nobodys(served: Running) -> None:
    other = served.client.resolve(stranger(1))
    assert list(served.client.list_entries(other.enterprise_id)) == []
    request = health.ListHealthRecordEntriesRequest(parent="persons/K7Q2MD9XZ")
    assert refused(lambda: served.stub.ListHealthRecordEntries(request)).fields == ["parent"]
