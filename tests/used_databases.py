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
    UNION ALL SELECT format('%s %s', oid::regclass, reltuples) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    UNION ALL SELECT DISTINCT 'analysed ' || starelid::regclass FROM pg_statistic WHERE starelid >= 16384
) AS parts
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_USED = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
"""


class UsedDatabases:
    """Copies of a template on one server, made when none is free."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[str] = []
        self._numbers = itertools.count()
        with psycopg.connect(server.url(template)) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()
            tables = [sql.Identifier(row[0]) for row in connection.execute(_USED)]
            self._rows = [(table, _copied(connection, table)) for table in tables]

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
            # no trigger fires: events may be removed
            connection.execute("SET session_replication_role = replica")
            used = [sql.Identifier(row[0]) for row in connection.execute(_USED)]
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(used)))
            for table, rows in self._rows:
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
                    copy.write(rows)
            return connection.execute(_SHAPE).fetchone() == self._shape


def _copied(connection: psycopg.Connection[tuple[object, ...]], table: sql.Identifier) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(table)) as copy:
        return b"".join(bytes(each) for each in copy)
