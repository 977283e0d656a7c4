"""The rules that hold between tables are seen to be broken when they are; and both databases hold the same rows."""

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from mpi.domain.errors import RegistryError
from mpi.registry import persons, source_records
from mpi.registry.integrity import broken_rules
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret
from mpi.registry.tables import METADATA, person
from tests.postgres import PostgresServer
from tests.registry.rows import record_rows, store_persons, store_records

NAMES = ["một", "hai", "ba", "bốn"]


def _fill(registry: Registry) -> None:
    with registry.begin() as uow:
        records = store_records(uow, NAMES)
        store_persons(uow, [records[[3, 0]].tolist(), records[1:3].tolist()])
    with registry.begin() as uow:
        source_records.supersede_batch(
            uow, record_rows(uow, ["hai"], record_ids=records[1:2], city="Vinh"), run_id=None
        )


def test_a_sound_registry_breaks_no_rule(registry: Registry) -> None:
    with registry.snapshot() as uow:
        assert broken_rules(uow) == {}
    _fill(registry)
    with registry.snapshot() as uow:
        assert broken_rules(uow) == {}


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("DELETE FROM record_feature WHERE record_id = 1", "a record has a feature row, or was withdrawn"),
        ("DELETE FROM record_content WHERE record_id = 1", "a record has raw values"),
        ("DELETE FROM source_record WHERE record_id = 4", "a link has a record"),
        ("DELETE FROM source_system", "a record has a source system"),
        ("DELETE FROM person WHERE person_id = 1", "a link has a person"),
        ("DELETE FROM link WHERE person_id = 2", "an active person has a record, or had one that was withdrawn"),
        ("UPDATE registry_counter SET revision = 9", "the counter stands at the last event"),
        ("UPDATE registry_counter SET counter_id = 1", None),
    ],
)
def test_what_is_broken_is_named(registry: Registry, statement: str, rule: str | None) -> None:
    _fill(registry)
    with registry.begin() as uow:
        uow.connection.execute(sa.text(statement))
        broken = broken_rules(uow)
    assert (rule in broken) if rule else broken == {}


def test_an_open_link_to_a_superseded_person_is_seen(registry: Registry) -> None:
    _fill(registry)
    with registry.begin() as uow:
        persons.supersede_persons(uow, np.array([2]), survivors=np.array([1]), revisions=np.array([3]))
        assert broken_rules(uow) == {"an open link points at an active person": 2}


@pytest.mark.parametrize("table", ["judgement", "review_task", "source_record_version"])
def test_small_tables_refuse_records_that_are_not_there(registry: Registry, table: str) -> None:
    filled = {
        "judgement": "(1, 98, 99, 'same', 's', 't', '', NULL, NULL)",
        "review_task": "(1, 'overlay', 'q', 99, NULL, NULL, NULL, NULL, NULL, '', 'open', NULL, NULL, NULL,"
        " 1, 'first', 1, '', NULL, NULL, NULL, NULL, NULL)",
        "source_record_version": "(99, 1, '', NULL, '', NULL, 0)",
    }
    with pytest.raises(RegistryError, match=r"(?i)foreign key"), registry.begin() as uow:
        uow.connection.execute(sa.text(f"INSERT INTO {table} VALUES {filled[table]}"))


def test_both_databases_hold_the_same_rows(postgres: PostgresServer, tmp_path: Path) -> None:
    contents = []
    for url in (f"sqlite:///{tmp_path}/r.db", postgres.create_database("same_rows")):
        with Registry.open(url, secret=RegistrySecret(bytes(16)), create=True) as registry:
            _fill(registry)
            with registry.snapshot() as uow:
                contents.append(
                    {
                        table.name: uow.connection.execute(
                            sa.select(*(column for column in table.c if column.name != "recorded_at")).order_by(
                                *table.primary_key
                            )
                        ).all()
                        for table in METADATA.tables.values()
                    }
                )
    assert contents[0] == contents[1]
    assert len(contents[0][person.name]) == 2
    postgres.drop_database("same_rows")
