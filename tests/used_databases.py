"""PostgreSQL databases that are used by one test after another, since making one takes a quarter of a second.

A test gets a database that cannot be told from a new one: its tables hold what the template's do, and its shape is the
template's. One whose shape a test has changed is dropped.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests.postgres import PostgresServer

# What of a schema a test might change, statistics included: queries are planned by them.
_SHAPE = """
SELECT md5(string_agg(part, ';' ORDER BY part)) FROM (
    SELECT format('%s.%s %s %s', attrelid::regclass, attname, atttypid::regtype, attnotnull) AS part
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT attisdropped
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT tgenabled::text || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT setconfig::text FROM pg_db_role_setting
    UNION ALL SELECT DISTINCT 'analysed ' || starelid::regclass FROM pg_statistic WHERE starelid >= 16384
) AS parts
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_END_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_LARGEST = 32 << 20
"""Bytes of a database that is worth emptying: dead rows make those after it slow."""


class UsedDatabases:
    """Copies of a template on one server, made when none is free."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[str] = []
        self._numbers = itertools.count()
        with psycopg.connect(server.url(template)) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()
            self._tables = [sql.Identifier(row[0]) for row in connection.execute(_TABLES)]
            self._rows = [(table, rows) for table in self._tables if (rows := _copied(connection, table))]

    @contextmanager
    def one(self) -> Iterator[str]:
        """The URL of a database like the template, for the block alone."""
        name = self._free.pop() if self._free else None
        if name is None:
            name = f"test_{next(self._numbers)}"
            self._server.create_database(name, template=self._template)
        yield self._server.url(name)
        if self._emptied(name):
            self._free.append(name)
        else:
            self._server.drop_database(name)

    def _emptied(self, name: str) -> bool:
        """Give every table the template's rows; False where the database had better be dropped."""
        with psycopg.connect(self._server.url(name)) as connection:
            connection.execute(_END_OTHERS)
            size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            if connection.execute(_SHAPE).fetchone() != self._shape or size is None or size[0] > _LARGEST:
                return False
            # no trigger fires: events may be removed
            connection.execute("SET session_replication_role = replica")
            connection.execute(sql.SQL(";").join(sql.SQL("DELETE FROM {}").format(table) for table in self._tables))
            for table, rows in self._rows:
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
                    copy.write(rows)
        return True


def _copied(connection: psycopg.Connection[tuple[object, ...]], table: sql.Identifier) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(table)) as copy:
        return b"".join(bytes(each) for each in copy)
