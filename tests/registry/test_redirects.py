"""Where an enterprise ID leads, today and at any moment before, through merges that were taken back."""

from collections.abc import Mapping

import numpy as np
import pytest

from mpi.domain.errors import PersonNotYetCreatedError, RegistryError
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry import persons
from mpi.registry.provenance import links_of_person_as_of, merged_into
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from tests.registry.rows import KEY, store_persons, store_records
from tests.registry.test_decisions import move, people


def supersede(uow: UnitOfWork, dead: int, survivor: int, *, revision: int) -> None:
    persons.supersede_persons(uow, people(dead), survivors=people(survivor), revisions=people(revision))


@pytest.fixture
def storied(registry: Registry) -> Registry:
    """Persons 1 to 4 since revisions 1 to 4, of a record each. 3 goes into 2 at 10, 2 into 1 at 20; 2 comes back at 30
    (and 3 with it), 3 comes back at 40, and goes into 4 at 50."""
    with registry.begin() as uow:
        store_persons(uow, [[record] for record in store_records(uow, ["a", "b", "c", "d"]).tolist()])
        move(uow, [3], 2, revision=10)
        supersede(uow, 3, 2, revision=10)
        move(uow, [2, 3], 1, revision=20)
        supersede(uow, 2, 1, revision=20)
        move(uow, [2, 3], 2, revision=30)
        persons.restore_persons(uow, people(2), revisions=people(30))
        move(uow, [3], 3, revision=40)
        persons.restore_persons(uow, people(3), revisions=people(40))
        move(uow, [3], 4, revision=50)
        supersede(uow, 3, 4, revision=50)
    return registry


@pytest.mark.parametrize(
    ("revision", "leads"),
    [
        (4, {1: 1, 2: 2, 3: 3, 4: 4}),
        (9, {1: 1, 2: 2, 3: 3, 4: 4}),
        (10, {1: 1, 2: 2, 3: 2, 4: 4}),
        (19, {1: 1, 2: 2, 3: 2, 4: 4}),
        (20, {1: 1, 2: 1, 3: 1, 4: 4}),
        (29, {1: 1, 2: 1, 3: 1, 4: 4}),
        (30, {1: 1, 2: 2, 3: 2, 4: 4}),
        (40, {1: 1, 2: 2, 3: 3, 4: 4}),
        (50, {1: 1, 2: 2, 3: 4, 4: 4}),
        (None, {1: 1, 2: 2, 3: 4, 4: 4}),
    ],
)
def test_where_every_id_led_at_any_moment(storied: Registry, revision: int | None, leads: Mapping[int, int]) -> None:
    with storied.snapshot() as uow:
        found = {each: persons.person_as_of(uow, enterprise_id(each, KEY), revision).person_id for each in range(1, 5)}
        into = {each: [one.person_id for one in merged_into(uow, each, revision)] for each in range(1, 5)}
        at = revision or 99
        owners = {record: who for who in range(1, 5) for record in links_of_person_as_of(uow, who, at)}
    assert found == leads
    # the other way round it is the same: whoever leads to a person was merged into it
    for survivor in range(1, 5):
        if leads[survivor] == survivor:
            assert into[survivor] == [dead for dead, whom in leads.items() if whom == survivor and dead != survivor]
    # record n is person n's own, wherever that leads
    assert owners == leads


def test_before_it_was_created_an_id_led_nowhere(storied: Registry) -> None:
    with storied.snapshot() as uow, pytest.raises(PersonNotYetCreatedError) as refused:
        persons.person_as_of(uow, enterprise_id(3, KEY), 2)
    assert refused.value.metadata == {"create_revision": "3"}


def test_who_is_restored_is_active_again(storied: Registry) -> None:
    with storied.snapshot() as uow:
        assert persons.find_person(uow, 2).superseded_by is None
        assert persons.find_person(uow, 2).changed_revision == 30
        assert persons.find_person(uow, 3).superseded_by == 4
        assert persons.named(uow, enterprise_id(3, KEY)).person_id == 3
        assert persons.count_active(uow) == 3


def test_nobody_is_restored_who_is_not_merged(storied: Registry) -> None:
    for numbers in ((1,), (3, 1), (77,)):
        with pytest.raises(RegistryError, match="not superseded"), storied.begin() as uow:
            persons.restore_persons(uow, people(*numbers), revisions=np.full(len(numbers), 60))
    with storied.snapshot() as uow:
        assert persons.find_person(uow, 3).superseded_by == 4


def test_what_is_where_since_when(storied: Registry) -> None:
    with storied.begin() as uow:
        assert persons.links_closed_at(uow, 2, 20) == {2: 2, 3: 5}
        assert persons.links_closed_at(uow, 2, 40) == {3: 9}
        assert persons.links_closed_at(uow, 2, 41) == {}
        # record 3 came to person 4 with a merge at 50, and was another's before
        assert persons.linked_since(uow, 4, 49) == {3}
        assert persons.linked_since(uow, 4, 50) == set()
        # a record that began with the revision was nobody's: it came with what happened then
        assert persons.linked_since(uow, 4, 4) == {3, 4}
        assert persons.linked_since(uow, 2, 29) == {2}
        assert persons.linked_since(uow, 2, 99) == set()


def test_links_come_back_with_their_evidence(registry: Registry) -> None:
    with registry.begin() as uow:
        records = store_records(uow, ["a", "b", "c"]).tolist()
        store_persons(uow, [records[:2], records[2:]])
        old = {link.record_id: link for link in links_of_person_as_of(uow, 1, 1).values()}
        move(uow, [2], 2, revision=10)
        links = persons.links_of_records(uow, people(2))
        persons.close_links(uow, links.link_ids, revisions=people(20))
        persons.reopen_links(uow, people(2), link_ids=people(9), revisions=people(20))
        now = links_of_person_as_of(uow, 1, 20)[2]
        assert persons.links_of_records(uow, people(2)).link_ids.tolist() == [9]
    assert (now.via_record_id, now.match_weight, now.made_by) == (old[2].via_record_id, 12.5, "rules")
    assert now.level_codes is not None
    assert now.level_codes.tolist() == [2, -1, 0]
    assert now.since_revision == 20
