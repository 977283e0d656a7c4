"""What reads, watchers, entries and withdrawals make of records that came one by one."""

import itertools
import threading
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.errors import RecordWithdrawnError, UnknownIdentifierError
from mpi.domain.records import RecordKey, SourceRecord
from mpi.registry.registry import Registry
from mpi.services.enquire import person_as_of
from mpi.services.entries import of_person, register
from mpi.services.index_keys import check_keys
from mpi.services.lookup import look_up
from mpi.services.neighbourhood import OnlineRules
from mpi.services.resolution import PersonChange, RecordChange, Resolution, ResolveRequest
from mpi.services.resolve import Resolver
from mpi.services.watch import Watch
from mpi.services.withdraw import withdraw
from tests.services.linking import assert_sound
from tests.services.stored import LAN, MODEL, SCORER

NUMBER = "079184000123"


class _Desk:
    """Resolves records one by one."""

    def __init__(self, registry: Registry) -> None:
        self.rules = OnlineRules(SCORER, registry.secret)
        check_keys(registry, SCORER)
        self._resolver = Resolver(registry, self.rules)
        self._asked = itertools.count()

    def __call__(self, record: SourceRecord) -> Resolution:
        found: list[Resolution] = []

        def encode(resolution: Resolution) -> bytes:
            found.append(resolution)
            return b"answer"

        (answer,) = self._resolver.resolve([ResolveRequest(f"r{next(self._asked)}", b"", record, encode)])
        if isinstance(answer, Exception):
            raise answer
        return found[0]


def _phones(registry: Registry, enterprise_id: str, revision: int | None) -> list[str | None]:
    view = person_as_of(registry, MODEL, enterprise_id, revision=revision)
    return [record.values.get("phone") for record in view.records]


def test_a_record_s_way_through_the_registry(registry: Registry) -> None:
    desk = _Desk(registry)
    first = desk(LAN[1])
    lan = first.enterprise_id
    changed = replace(LAN[1], values={**LAN[1].values, "phone": "0903718264"}, recorded_at="2025-05-01")
    second = desk(changed)
    assert (second.change, second.enterprise_id) == (RecordChange.NEW_VERSION, lan)
    late = replace(LAN[1], values={**LAN[1].values, "phone": "0911111111"}, recorded_at="2023-05-01")
    assert desk(late).change is RecordChange.LATE_VERSION

    # each revision has the version of its time, and the late one never was current
    assert [_phones(registry, lan, each.revision) for each in (first, second)] == [[None], ["0903718264"]]
    now = person_as_of(registry, MODEL, lan, at_least=second.revision)
    assert (_phones(registry, lan, None), now.revision) == (["0903718264"], second.revision)

    (found,) = look_up(registry, desk.rules, citizen_id=NUMBER).people
    assert (found.enterprise_id, found.bearing) == (lan, (LAN[1].key,))
    entry = HealthRecordEntry(LAN[1].key, "e1", EntryKind.CLAIM, date(2025, 5, 2), "", "urn:x")
    register(registry, "entries", b"", [entry], lambda _: b"")
    assert of_person(registry, lan, page_size=5).entries == (entry,)

    withdraw(registry, request_id="w", payload_digest=b"", key=LAN[1].key, reason="x", encode=lambda _: b"")
    with pytest.raises(RecordWithdrawnError):
        desk(replace(changed, recorded_at="2026-01-01"))
    with pytest.raises(UnknownIdentifierError):
        look_up(registry, desk.rules, citizen_id=NUMBER)
    assert of_person(registry, lan, page_size=5).entries == ()
    # another record of hers finds nobody there, although the withdrawn one would have matched
    other = desk(replace(LAN[1], key=LAN[0].key))
    assert other.enterprise_id != lan
    assert_sound(registry)

    with closing(Watch(registry)) as watch:
        told = [(each.kind, each.enterprise_id) for each in watch.subscribe(0).take(5)]
    assert told == [
        (PersonChange.CREATED, lan),
        (PersonChange.UPDATED, lan),
        (PersonChange.WITHDRAWN, lan),
        (PersonChange.CREATED, other.enterprise_id),
    ]


def test_withdrawals_amid_resolves_leave_the_registry_sound(registry: Registry) -> None:
    """Six writers send versions of one woman's records while a seventh takes them back, one after the other."""
    desk = _Desk(registry)
    keys = [RecordKey(f"source{number}", "1") for number in range(6)]
    for key in keys:
        desk(replace(LAN[1], key=key))
    failures: list[BaseException] = []
    refused: list[RecordWithdrawnError] = []

    def send(key: RecordKey) -> None:
        try:
            for turn in range(8):
                desk(replace(LAN[1], key=key, recorded_at=f"2025-01-{turn + 1:02}"))
        except RecordWithdrawnError as error:
            refused.append(error)
        except BaseException as error:
            failures.append(error)

    def take_back() -> None:
        try:
            for number, key in enumerate(keys[:4]):
                name = f"w{number}"
                withdraw(registry, request_id=name, payload_digest=b"", key=key, reason="x", encode=lambda _: b"")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=send, args=(key,)) for key in keys] + [threading.Thread(target=take_back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert_sound(registry)
    for key in keys[:4]:
        with pytest.raises(RecordWithdrawnError):
            look_up(registry, desk.rules, key=key)
    (left,) = look_up(registry, desk.rules, key=keys[4]).people
    assert left.cross_references == (keys[4], keys[5])
    with closing(Watch(registry)) as watch:
        kinds = Counter(each.kind for each in watch.subscribe(0).take(5))
    assert kinds[PersonChange.WITHDRAWN] == 4
