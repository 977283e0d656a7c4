"""What is in memory before anything is counted: a copied registry, as a server of its own would have it after a while.

Without this the first phases would measure how fast this machine reads files that were copied a moment ago.
"""

from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import sqlalchemy as sa

from mpi.registry.tables import METADATA

_CHUNK = 1 << 23
_MOST_BUFFERS = 4 << 30

_BY_INDEX = (
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET enable_sort = off",
    "SET max_parallel_workers_per_gather = 0",
)
"""A scan of a whole large table keeps nothing of it in PostgreSQL's own memory; a scan by an index keeps all."""

_READ = ("blocking_key_page", "record_feature", "source_record", "link", "person", "review_task")
_WRITTEN = ("event",)


def postgres_settings() -> dict[str, str]:
    """Settings of a PostgreSQL whose registry stays in memory: a quarter of the machine's, as its documentation advises
    for a server of its own, but at most 4 GB."""
    buffers = min(psutil.virtual_memory().total // 4, _MOST_BUFFERS)
    return {"shared_buffers": f"{buffers >> 20}MB"}


def queries() -> dict[str, str]:
    """By index, the primary keys first, a query that goes through all of it: with its table where the hot path reads
    that, alone where it only writes."""
    found = {}
    for tables, wanted in ((_READ, "max(place)"), (_WRITTEN, "count(*)")):
        for name in tables:
            for index, columns, where in _indexes(METADATA.tables[name]):
                every = f"SELECT ctid AS place FROM {name}{where} ORDER BY {', '.join(columns)}"
                found[index] = f"SELECT {wanted} FROM ({every}) AS every"
    return found


def _indexes(table: sa.Table) -> Iterator[tuple[str, list[str], str]]:
    """Each index of a table: its name, its columns, and the condition of a partial one."""
    keys = [table.primary_key, *(each for each in table.constraints if isinstance(each, sa.UniqueConstraint))]
    for key in keys:
        yield str(key.name), key.columns.keys(), ""
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        where = index.dialect_options["postgresql"]["where"]
        yield str(index.name), index.columns.keys(), "" if where is None else f" WHERE {where}"


def load_postgres(url: str) -> None:
    """Read what the hot path needs into PostgreSQL's own memory."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (*_BY_INDEX, *queries().values()):
            connection.execute(statement.encode())


def read_files(folder: Path, pattern: str) -> int:
    """Read a database's files from end to end, so that the system has them in memory; gives the bytes read."""
    total = 0
    for path in sorted(folder.glob(pattern)):
        with path.open("rb", buffering=0) as file:
            while part := file.read(_CHUNK):
                total += len(part)
    return total
