"""A database that is used again is like a new one, and one that a test has changed is not used again."""

import psycopg
import pytest

from tests.postgres import PostgresServer
from tests.registries import migrated


@pytest.mark.postgresql
def test_the_next_one_finds_what_a_new_registry_holds(postgres: PostgresServer) -> None:
    with migrated(postgres) as url, psycopg.connect(url) as connection:
        before = connection.execute("SELECT * FROM registry_counter").fetchall()
        connection.execute("UPDATE registry_counter SET revision = 7")
        connection.execute(
            "INSERT INTO event (revision, kind, payload, made_by, recorded_at) VALUES (7, 'a', '{}', 'b', 'c')"
        )
    with migrated(postgres) as again, psycopg.connect(again) as connection:
        assert again == url
        assert connection.execute("SELECT * FROM registry_counter").fetchall() == before
        assert connection.execute("SELECT * FROM event").fetchall() == []


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER tr_event_append_only ON event",
        "ALTER TABLE event DISABLE TRIGGER USER",
        "CREATE INDEX mine ON event (kind)",
        "CREATE TABLE mine (number integer)",
        "ALTER TABLE event ADD COLUMN mine text",
        "ANALYZE registry_counter",
    ],
)
def test_one_of_another_shape_is_not_used_again(change: str, postgres: PostgresServer) -> None:
    with migrated(postgres) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(change.encode())
    with migrated(postgres) as other:
        assert other != url
