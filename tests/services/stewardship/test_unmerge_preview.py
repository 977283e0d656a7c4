import pytest

from mpi.domain.errors import InvalidInputError, MissingRightError
from mpi.domain.records import RecordKey
from mpi.registry import events
from mpi.registry.registry import Registry
from mpi.services import enquire
from mpi.services.stewardship.unmerge_preview import UnmergePreview, preview_unmerge
from tests.online.desk import Desk
from tests.services.stewardship.stewards import AUDITOR, LAN, Stewards, key
from tests.services.stored import MODEL, SCORER

ONE = {"full_name": "Trần Bích Vân", "phone": "0903718264"}
OTHER = {"full_name": "Lý Thu Hà", "birth_date": "1951-06-07", "citizen_id": "079151000123", "sex": "Nữ"}


class City(Stewards):
    """Two people of two records each whom stewards have merged, though they have nothing in common."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(Desk(registry, SCORER))
        self.older = self.comes("hospital:H1", ONE)
        self.younger = self.comes("hospital:H2", OTHER)
        assert self.comes("insurance:I1", ONE) == self.older
        assert self.comes("insurance:I2", OTHER) == self.younger
        self.merged = self.merge(self.older, self.younger)

    def comes(self, name: str, values: dict[str, str]) -> str:
        return self.desk.comes(name, **values).enterprise_id

    def preview(self) -> UnmergePreview:
        return preview_unmerge(self.registry, self.desk.rules, LAN, self.younger)

    def records(self, enterprise_id: str) -> tuple[RecordKey, ...]:
        view = enquire.person(self.registry, MODEL, enterprise_id)
        return tuple(record.key for record in view.records)

    def newest(self) -> int:
        with self.registry.snapshot() as uow:
            return events.last_revision(uow)


@pytest.fixture
def city(registry: Registry) -> City:
    return City(registry)


def test_it_tells_who_gets_what_and_changes_nothing(city: City) -> None:
    before, records = city.newest(), city.records(city.older)
    found = city.preview()
    assert (found.enterprise_id, found.survivor) == (city.younger, city.older)
    stays, comes_back = found.sides
    assert (stays.enterprise_id, comes_back.enterprise_id) == (city.older, city.younger)
    assert comes_back.records == found.moved == (key("hospital:H2"), key("insurance:I2"))
    assert stays.records == (key("hospital:H1"), key("insurance:I1"))
    assert {each.field: each.value for each in comes_back.golden.survivors}["full_name"] == "Lý Thu Hà"
    assert (found.since, found.blocked_by, found.contradiction) == ((), None, None)
    assert (city.newest(), city.records(city.younger)) == (before, records)
    assert found.seen_revision == before


def test_what_is_done_is_what_was_previewed(city: City) -> None:
    found = city.preview()
    city.unmerge(city.younger)
    assert {side.enterprise_id: side.records for side in found.sides} == {
        person: city.records(person) for person in (city.older, city.younger)
    }


def test_records_that_came_since_are_placed_as_they_will_be(city: City) -> None:
    assert city.comes("station:S2", OTHER) == city.older
    found = city.preview()
    assert found.since == (key("station:S2"),)
    assert found.moved == (key("hospital:H2"), key("insurance:I2"), key("station:S2"))
    assert key("station:S2") in found.sides[1].records
    city.unmerge(city.younger)
    for side in found.sides:
        assert city.records(side.enterprise_id) == side.records


def test_a_later_decision_in_the_way_is_named(city: City) -> None:
    third = city.comes("student:T3", {"full_name": "Võ Văn Kiệt", "birth_date": "1950-05-05"})
    later = city.merge(city.older, third)
    found = city.preview()
    assert found.blocked_by == str(later.decision_id)
    assert (found.sides, found.moved) == ((), ())
    city.undo(later)
    assert city.preview().blocked_by is None


def test_who_is_not_merged_cannot_be_unmerged(city: City) -> None:
    with pytest.raises(InvalidInputError):
        preview_unmerge(city.registry, city.desk.rules, LAN, city.older)
    with pytest.raises(InvalidInputError):
        preview_unmerge(city.registry, city.desk.rules, LAN, "nonsense")


def test_who_may_not_change_people_is_told_the_right_that_is_missing(city: City) -> None:
    with pytest.raises(MissingRightError) as refused:
        preview_unmerge(city.registry, city.desk.rules, AUDITOR, city.younger)
    assert refused.value.metadata == {"right": "change_people"}
