"""People, links, merges and cross-references, the same on both databases."""

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

from mpi.domain.errors import InvalidInputError, NotFoundError, RegistryError
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry import persons
from mpi.registry.counters import Counters, allocate
from mpi.registry.persons import LinkRows
from mpi.registry.registry import Registry
from mpi.registry.tables import link
from mpi.registry.unit_of_work import UnitOfWork
from tests.registry.rows import KEY, store_persons, store_records


def _merge(uow: UnitOfWork, loser: int, survivor: int, *, revision: int) -> None:
    moving = persons.members(uow, np.array([loser]))
    revisions = np.full(len(moving.link_ids), revision, dtype=np.int64)
    persons.close_links(uow, moving.link_ids, revisions=revisions)
    first = allocate(uow, Counters(link=len(moving.link_ids))).link
    persons.open_links(
        uow,
        LinkRows(
            link_ids=first + np.arange(len(moving.link_ids)),
            record_ids=moving.record_ids,
            person_ids=np.full(len(moving.link_ids), survivor, dtype=np.int64),
            revisions=revisions,
            made_by="steward",
            rule_version="vn_person@1.0.0",
        ),
    )
    persons.supersede_persons(
        uow, np.array([loser]), survivors=np.array([survivor]), revisions=np.array([revision], dtype=np.int64)
    )


def test_people_their_members_and_cross_references(registry: Registry) -> None:
    with registry.begin() as uow:
        records = store_records(uow, ["a", "b", "c", "d"])
        people = store_persons(uow, [records[[2, 0]].tolist(), [int(records[1])]])
    with registry.snapshot() as uow:
        links = persons.links_as_of(uow, 99)
        assert links.record_ids.tolist() == records[:3].tolist()
        assert links.person_ids.tolist() == people[[0, 1, 0]].tolist()
        one = persons.members(uow, people[:1])
        assert one.record_ids.tolist() == records[[0, 2]].tolist()
        assert persons.links_of_records(uow, records[1:]).person_ids.tolist() == people[[1, 0]].tolist()
        names = persons.enterprise_ids_of(uow, people)
        assert names == {int(person): enterprise_id(int(person), KEY) for person in people}
        table = pa.Table.from_batches(persons.cross_references(uow), persons.CROSS_REFERENCE_SCHEMA)
        assert table.to_pydict() == {
            "source_system": ["station"] * 3,
            "source_record_id": ["a", "b", "c"],
            "enterprise_id": [names[int(people[0])], names[int(people[1])], names[int(people[0])]],
        }
        assert persons.count_active(uow) == 2
        rows = uow.connection.execute(sa.select(link).order_by(link.c.link_id)).all()
    # The record that began a person has no pair behind it; the other keeps its evidence.
    assert [row.via_record_id for row in rows] == [None, int(records[2]), None]
    assert [row.match_weight for row in rows] == [None, 12.5, None]
    assert [row.level_codes for row in rows] == [None, b"\x02\xff\x00", None]


def test_a_merge_redirects_the_old_id_and_keeps_the_closed_links(registry: Registry) -> None:
    with registry.begin() as uow:
        records = store_records(uow, ["a", "b", "c"])
        first, second, third = store_persons(uow, [[int(record)] for record in records]).tolist()
    with registry.begin() as uow:
        _merge(uow, third, second, revision=4)
    with registry.begin() as uow:
        _merge(uow, second, first, revision=5)
    with registry.snapshot() as uow:
        survivor = persons.resolve_enterprise_id(uow, enterprise_id(third, KEY).lower())
        assert (survivor.person_id, survivor.superseded_by) == (first, None)
        assert persons.find_person(uow, second).superseded_by == first
        assert persons.find_person(uow, second).changed_revision == 5
        assert persons.members(uow, np.array([first])).record_ids.tolist() == records.tolist()
        assert persons.count_active(uow) == 1
        (batch,) = persons.cross_references(uow)
        assert set(batch.column("enterprise_id").to_pylist()) == {enterprise_id(first, KEY)}
        history = uow.connection.execute(
            sa.select(link.c.person_id, link.c.valid_from_revision, link.c.valid_to_revision)
            .where(link.c.record_id == int(records[2]))
            .order_by(link.c.link_id)
        ).all()
    assert [tuple(row) for row in history] == [(third, 3, 4), (second, 4, 5), (first, 5, None)]


def test_a_record_has_one_open_link(registry: Registry) -> None:
    with registry.begin() as uow:
        records = store_records(uow, ["a"])
        store_persons(uow, [records.tolist()])
    with pytest.raises(RegistryError, match="refused"), registry.begin() as uow:
        store_persons(uow, [records.tolist()])
    with registry.snapshot() as uow:
        assert persons.count_active(uow) == 1


def test_moves_that_do_not_fit_are_refused(registry: Registry) -> None:
    with registry.begin() as uow:
        records = store_records(uow, ["a", "b"])
        people = store_persons(uow, [[int(record)] for record in records])
        links = persons.links_as_of(uow, 99).link_ids
        persons.close_links(uow, links[:1], revisions=np.array([3]))
    with pytest.raises(RegistryError, match="not open"), registry.begin() as uow:
        persons.close_links(uow, links, revisions=np.array([4, 4]))
    with registry.begin() as uow:
        persons.supersede_persons(uow, people[1:], survivors=people[:1], revisions=np.array([4]))
    with pytest.raises(RegistryError, match="not active"), registry.begin() as uow:
        persons.supersede_persons(uow, people[1:], survivors=people[:1], revisions=np.array([5]))
    with pytest.raises(InvalidInputError, match="survives"), registry.begin() as uow:
        persons.supersede_persons(uow, people, survivors=people[::-1], revisions=np.array([5, 5]))


def test_unknown_and_mistyped_ids(registry: Registry) -> None:
    with registry.snapshot() as uow:
        with pytest.raises(NotFoundError, match="no person"):
            persons.resolve_enterprise_id(uow, enterprise_id(77, KEY))
        with pytest.raises(InvalidInputError, match="letters and digits"):
            persons.resolve_enterprise_id(uow, "K7Q")
        assert len(persons.links_as_of(uow, 99).link_ids) == 0
        assert list(persons.cross_references(uow)) == []


def test_long_reads_come_in_parts(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "_ROWS_A_READ", 3)
    with registry.begin() as uow:
        records = store_records(uow, [f"r{number}" for number in range(10)])
        people = store_persons(uow, [[int(record)] for record in records])
    with registry.snapshot() as uow:
        assert persons.links_as_of(uow, 99).person_ids.tolist() == people.tolist()
        assert [batch.num_rows for batch in persons.cross_references(uow)] == [3, 3, 3, 1]
        assert len(persons.enterprise_ids_of(uow, people)) == 10
