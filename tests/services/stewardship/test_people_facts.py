"""What is known of people when a decision is made: nobody counts as grown up who may still be a minor."""

from datetime import UTC, date, datetime

import pytest

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.persons.adjudication import PersonFacts
from mpi.registry import persons
from mpi.registry.registry import Registry
from mpi.services.entries import register
from mpi.services.stewardship.people_facts import people_facts
from tests.services.stored import MODEL, record, store

TODAY = datetime.now(UTC).date()
NOW = TODAY.month, TODAY.day


def facts_of(registry: Registry, enterprise_id: str) -> PersonFacts:
    with registry.snapshot() as uow:
        number = persons.resolve_enterprise_id(uow, enterprise_id).person_id
        return people_facts(uow, MODEL, [number])[number]


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        ("1990-05-20", TODAY.year - 1990 - (NOW < (5, 20))),
        (f"{TODAY.year - 18}", 18 - (NOW < (12, 31))),
        (f"12/{TODAY.year - 18}", 18 - (NOW < (12, 31))),
        # how sources write that they do not know the day
        (f"{TODAY.year - 18}-01-01", 18 - (NOW < (12, 31))),
        (f"{TODAY.year - 18}-{TODAY.month:02}-{TODAY.day:02}", 18),
        ("", None),
    ],
)
def test_the_age_is_the_least_that_it_may_be(registry: Registry, birth: str, age: int | None) -> None:
    (who,) = store(registry, [[record("a", "1", full_name="Trần Thị Lan", birth_date=birth)]])
    assert facts_of(registry, who).age == age


def test_on_the_eve_of_a_birthday_the_year_is_not_full(registry: Registry) -> None:
    eve = date.fromordinal(TODAY.toordinal() + 1)
    (who,) = store(registry, [[record("a", "1", birth_date=f"{eve.year - 18}-{eve.month:02}-{eve.day:02}")]])
    assert facts_of(registry, who).age == 17


def test_of_several_records_the_youngest_counts(registry: Registry) -> None:
    who, other = store(
        registry,
        [
            [record("a", "1", birth_date="1990-05-20"), record("a", "2", birth_date="2020-05-20"), record("a", "3")],
            [record("b", "1", birth_date="1980-05-20")],
        ],
    )
    assert facts_of(registry, who) == PersonFacts(3, False, TODAY.year - 2020 - (NOW < (5, 20)))
    assert facts_of(registry, other) == PersonFacts(1, False, TODAY.year - 1980 - (NOW < (5, 20)))


def test_a_death_hangs_on_any_record(registry: Registry) -> None:
    lan, hung = store(registry, [[record("a", "1"), record("a", "2")], [record("b", "1")]])
    for kind, key in ((EntryKind.DEATH, "2"), (EntryKind.ENCOUNTER, "1")):
        of = record("a" if kind is EntryKind.DEATH else "b", key).key
        entry = HealthRecordEntry(of, f"E{key}", kind, date(2026, 1, 2), "", "x")
        register(registry, f"r{key}", b"", [entry], lambda _: b"")
    assert facts_of(registry, lan).deceased
    assert not facts_of(registry, hung).deceased
