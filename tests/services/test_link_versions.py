"""`link` tells of new versions: one event a person, and the version before stands until that event."""

from pathlib import Path

import sqlalchemy as sa

from mpi.registry import tables
from mpi.registry.registry import Registry
from tests.services.linking import link_rows, query, record_id, row, strangers

LAN = {"name": "lan", "birth": "1984-03-19"}
BA = {"name": "ba", "birth": "1990-01-01"}


def _events_after(registry: Registry, revision: int) -> dict[str, int]:
    event = tables.event.c
    return dict(query(registry, sa.select(event.kind, event.revision).where(event.revision > revision)))


def _superseded(registry: Registry, key: str) -> list[int | None]:
    version = tables.source_record_version.c
    wanted = version.record_id == record_id(registry, key)
    found = query(registry, sa.select(version.superseded_revision).where(wanted).order_by(version.version))
    return [revision for (revision,) in found]


def _last(registry: Registry) -> int:
    [(revision,)] = query(registry, sa.select(sa.func.max(tables.event.c.revision)))
    return int(revision)


def test_a_record_that_changes_and_stays_is_an_update_of_its_person(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN, recorded_at="2020")], x=strangers())
    before = _last(registry)
    late = row("1", name="lan cũ", recorded_at="2019")
    link_rows(registry, tmp_path, a=[row("1", **LAN, phone="0903718264", recorded_at="2021"), late])
    events = _events_after(registry, before)
    assert set(events) == {"person.updated"}
    assert _superseded(registry, "a:1") == [events["person.updated"], None]
    [(changed,)] = query(
        registry,
        sa.select(tables.person.c.changed_revision).where(tables.person.c.changed_revision > before),
    )
    assert changed == events["person.updated"]


def test_a_late_version_alone_is_no_news(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN, recorded_at="2020")], x=strangers())
    before = _last(registry)
    link_rows(registry, tmp_path, a=[row("1", name="lan cũ", recorded_at="2019")])
    assert _events_after(registry, before) == {}
    assert _superseded(registry, "a:1") == [None]


def test_versions_read_before_the_first_event_are_told_of_by_it(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, x=strangers())
    before = _last(registry)
    link_rows(registry, tmp_path, a=[row("1", **LAN), row("1", **LAN, phone="0903718264")])
    events = _events_after(registry, before)
    assert _superseded(registry, "a:1") == [events["person.created"]]


def test_a_record_that_moves_with_a_new_version_is_told_of_by_the_merge(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN, number="123456"), row("2", name="ba")], x=strangers())
    before = _last(registry)
    link_rows(registry, tmp_path, a=[row("2", **LAN, number="123456")])
    events = _events_after(registry, before)
    assert set(events) == {"person.merged", "person.superseded"}
    assert _superseded(registry, "a:2") == [events["person.merged"]]
