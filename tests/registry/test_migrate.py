"""The migrations make exactly the tables that tables.py describes, from nothing, once."""

import re

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from mpi.domain.errors import RegistryError
from mpi.domain.review import Stage, Verdict
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry import decisions, judgements, persons, review_tasks
from mpi.registry.dialect import Purpose
from mpi.registry.dialects import dialect_for
from mpi.registry.migrate import SCHEMA_VERSION, SCRIPTS, migrate, stored_version, upgrade
from mpi.registry.provenance import merged_into
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import Wanted
from mpi.registry.secret import RegistrySecret
from mpi.registry.tables import METADATA, recent_blocking_keys
from tests.registry.rows import KEY


def test_from_empty_to_the_newest_and_again(empty_url: str) -> None:
    for _ in range(2):
        migrate(empty_url)
        engine = dialect_for(empty_url).engine(Purpose.WRITING, few_rows=False)
        with engine.connect() as connection:
            assert stored_version(connection) == SCHEMA_VERSION
            assert connection.scalar(sa.text("SELECT count(*) FROM registry_counter")) == 1
        engine.dispose()


def test_the_code_works_with_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == SCHEMA_VERSION
    # Versions are compared as text to tell older from newer.
    assert [script.revision for script in scripts.walk_revisions()] == sorted(
        (script.revision for script in scripts.walk_revisions()), reverse=True
    )
    assert all(len(script.revision) == 4 for script in scripts.walk_revisions())


def test_migrated_tables_are_those_of_the_metadata(registry_url: str) -> None:
    engine = dialect_for(registry_url).engine(Purpose.WRITING, few_rows=False)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        inspector = sa.inspect(connection)
        for table in METADATA.tables.values():
            names = {constraint["name"] for constraint in inspector.get_check_constraints(table.name)}
            assert names == {c.name for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            primary = inspector.get_pk_constraint(table.name)
            assert primary["name"] == table.primary_key.name
            assert primary["constrained_columns"] == [column.name for column in table.primary_key]
    engine.dispose()


def test_every_constraint_and_index_has_a_name_of_its_own() -> None:
    tables = METADATA.tables.values()
    names = [str(constraint.name) for table in tables for constraint in table.constraints]
    names += [str(index.name) for table in tables for index in table.indexes]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"(pk|uq|ck|fk|ux|ix)_\w+", name)] == []


def test_a_migration_that_fails_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_dialect: str, _table: str) -> list[str]:
        return ["CREATE NONSENSE"]

    monkeypatch.setattr("mpi.registry.dialects.append_only_ddl", broken)
    with pytest.raises(RegistryError, match="refused"):
        migrate(empty_url)
    monkeypatch.undo()
    engine = dialect_for(empty_url).engine(Purpose.WRITING, few_rows=False)
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    engine.dispose()
    migrate(empty_url)


def test_versions_of_an_older_registry_learn_when_they_ceased_to_be_current(empty_url: str) -> None:
    """Record 1: two versions by runs 1 and 2; 2: a late version by run 2; 3: changed by run 3, which wrote no event;
    4: never changed; 5: changed outside of any run."""
    engine = dialect_for(empty_url).engine(Purpose.WRITING, few_rows=False)
    with engine.begin() as connection:
        upgrade(connection, "0001")
        for run, revision in ((1, 1), (1, 2), (2, 3), (2, 4)):
            values = f"({revision}, 'person.created', NULL, '{{}}', 'rules', {run}, '2026')"
            connection.execute(sa.text(f"INSERT INTO event VALUES {values}"))
        connection.execute(sa.text("INSERT INTO source_system VALUES (1, 'a')"))
        current = ((1, 2, 2), (2, 2, 1), (3, 3, 3), (4, 1, 1), (5, 2, None))
        for record, version, came in current:
            values = f"({record}, 1, 'r{record}', {record}, {version}, '', NULL, {came or 'NULL'})"
            connection.execute(sa.text(f"INSERT INTO source_record VALUES {values}"))
        for record, version, came in ((1, 1, 1), (2, 1, 2), (3, 1, 1), (3, 2, 2), (5, 1, None)):
            values = f"({record}, {version}, '', NULL, '{{}}', {came or 'NULL'})"
            connection.execute(sa.text(f"INSERT INTO source_record_version VALUES {values}"))
    engine.dispose()
    migrate(empty_url)
    engine = dialect_for(empty_url).engine(Purpose.WRITING, few_rows=False)
    with engine.connect() as connection:
        told = "SELECT record_id, version, superseded_revision FROM source_record_version ORDER BY 1, 2"
        rows = [tuple(row) for row in connection.execute(sa.text(told))]
    engine.dispose()
    assert rows == [(1, 1, 3), (2, 1, None), (3, 1, 3), (3, 2, 4), (5, 1, 4)]


@pytest.mark.parametrize("stored", [[], [(5, 1), (-(1 << 63), 1), ((1 << 63) - 1, 2), (5, 3), (0, 3)]])
def test_keys_of_an_older_registry_are_one_batch(stored: list[tuple[int, int]], empty_url: str) -> None:
    """A row a key becomes a row a record; the next batch has a number of its own."""
    engine = dialect_for(empty_url).engine(Purpose.WRITING, few_rows=False)
    with engine.begin() as connection:
        upgrade(connection, "0002")
        for key, record in stored:
            connection.execute(sa.text(f"INSERT INTO blocking_key (key, record_id) VALUES ({key}, {record})"))
        connection.execute(
            sa.text("INSERT INTO blocking_key_page (first_key, entries) VALUES (7, :page)"), {"page": b"p"}
        )
    engine.dispose()
    migrate(empty_url)
    engine = dialect_for(empty_url).engine(Purpose.WRITING, few_rows=False)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(recent_blocking_keys).order_by(recent_blocking_keys.c.record_id)).all()
        counters = connection.execute(sa.text("SELECT key_batch, paged_key_batch FROM registry_counter")).one()
        pages = connection.execute(sa.text("SELECT first_key FROM blocking_key_page")).all()
        tables = sa.inspect(connection).get_table_names()
    engine.dispose()
    found = {row.record_id: sorted(np.frombuffer(row.keys, dtype="<i8").tolist()) for row in rows}
    assert found == {record: sorted(key for key, each in stored if each == record) for _, record in stored}
    assert {row.key_batch for row in rows} == ({1} if stored else set())
    assert tuple(counters) == (bool(stored), 0)
    assert [tuple(page) for page in pages] == [(7,)]
    assert "blocking_key" not in tables


def _as_before_the_desk(connection: sa.Connection) -> None:
    """A registry of version 3: three people in a chain of merges by run 1 and another one; four tasks; a judgement."""
    run, late = "2026-01-01T00:00:00.000000+00:00", "2026-02-01T00:00:00.000000+00:00"
    said = sa.text
    for number, finished in ((1, f"'{run}'"), (2, "NULL")):
        values = f"({number}, 'link', 'done', '', NULL, 0, '{{}}', '2025-12-31', {finished}, NULL)"
        connection.execute(said(f"INSERT INTO run VALUES {values}"))
    for revision, kind, person in ((1, "created", 1), (2, "created", 2), (3, "created", 3), (4, "created", 4)):
        at = late if revision == 4 else run
        values = f"({revision}, 'person.{kind}', {person}, '{{\"records\":[{revision}]}}', 'rules', 1, '{at}')"
        connection.execute(said(f"INSERT INTO event VALUES {values}"))
    connection.execute(said("INSERT INTO source_system VALUES (1, 'a')"))
    for number, status, survivor, changed in (
        (1, "active", None, 6),
        (2, "superseded", 1, 6),
        (3, "superseded", 2, 5),
        (4, "active", None, 4),
    ):
        values = f"({number}, 1, 'r{number}', {number}, 1, '', NULL, 1)"
        connection.execute(said(f"INSERT INTO source_record VALUES {values}"))
        values = f"({number}, '{enterprise_id(number, KEY)}', {number}, '{status}', {survivor or 'NULL'}, {changed})"
        connection.execute(said(f"INSERT INTO person VALUES {values}"))
    columns = "task_id, kind, question, record_a, record_b, person_a, person_b, match_weight, level_codes, reason"
    columns += ", status, created_run, closed_run, closed_reason"
    for number, status, created, closed in ((1, "open", 1, None), (2, "closed", 1, 2), (3, "closed", None, None)):
        values = f"({number}, 'possible_match', 'people:1-{number}', 1, 4, 1, 4, 3.5, NULL, 'doubt', '{status}',"
        values += f" {created or 'NULL'}, {closed or 'NULL'}, {'NULL' if status == 'open' else repr('gone')})"
        connection.execute(said(f"INSERT INTO review_task ({columns}) VALUES {values}"))
    values = f"(1, 1, 4, 'different', 'steward:mai', '{run}', 'knows them', NULL)"
    connection.execute(said(f"INSERT INTO judgement VALUES {values}"))


def test_an_older_registry_gets_its_desk(empty_url: str) -> None:
    engine = dialect_for(empty_url).engine(Purpose.WRITING, few_rows=False)
    with engine.begin() as connection:
        upgrade(connection, "0003")
        _as_before_the_desk(connection)
    engine.dispose()
    migrate(empty_url)
    with Registry.open(empty_url, secret=RegistrySecret(KEY), create=False) as registry, registry.begin() as uow:
        # merges so far hold since they were made, and can be taken back
        assert [persons.resolve_enterprise_id(uow, enterprise_id(each, KEY)).person_id for each in (1, 2, 3, 4)] == [
            1,
            1,
            1,
            4,
        ]
        assert [decisions.redirected_since(uow, each) for each in (1, 2, 3, 4)] == [None, 6, 5, None]
        assert [each.person_id for each in merged_into(uow, 1)] == [2, 3]
        assert [each.person_id for each in merged_into(uow, 2, 5)] == [3]
        persons.restore_persons(uow, np.array([2]), revisions=np.array([7]))
        assert persons.resolve_enterprise_id(uow, enterprise_id(3, KEY)).person_id == 2
        # tasks wait for a first reader since their run ended, or since the newest event where no run tells
        tasks = [review_tasks.find(uow, number) for number in (1, 2, 3)]
        assert [(each.stage, each.version, each.priority, each.claimed_by) for each in tasks] == [
            (Stage.FIRST, 1, 1.0, None)
        ] * 3
        assert [each.opened_at[:10] for each in tasks] == ["2026-01-01", "2026-01-01", "2026-02-01"]
        closed = [
            row[0] for row in uow.connection.execute(sa.text("SELECT closed_at FROM review_task ORDER BY task_id"))
        ]
        assert [each and each[:10] for each in closed] == [None, "2025-12-31", "2026-02-01"]
        found = review_tasks.queue(uow, "lan", adjudicates=False, wanted=Wanted(), limit=9)
        assert [each.task_id for each in found] == [1]
        # what was judged binds as before; who decided it is not known
        (said,) = judgements.about(uow, [4])
        assert (said.verdict, said.record_a, said.record_b, said.decision_id) == (Verdict.DIFFERENT, 1, 4, None)
    # what was unique, checked and referred to still is, in the table that SQLite had to build anew
    for refused in (
        "INSERT INTO review_task SELECT 9, kind, question, record_a, record_b, person_a, person_b, match_weight,"
        " level_codes, reason, status, created_run, closed_run, closed_reason, version, stage, priority, opened_at,"
        " closed_at, claimed_by, claimed_until, gold_verdict, decision_id FROM review_task WHERE task_id = 1",
        "UPDATE review_task SET stage = 'third'",
        "UPDATE review_task SET kind = 'other'",
        "UPDATE review_task SET record_a = 99 WHERE task_id = 1",
    ):
        with (
            Registry.open(empty_url, secret=RegistrySecret(KEY), create=False) as registry,
            pytest.raises(RegistryError, match="refused"),
            registry.begin() as uow,
        ):
            uow.connection.execute(sa.text(refused))
