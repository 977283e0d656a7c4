"""Which tables a piece of code reads through from end to end, as the database itself plans it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mpi.registry.registry import Registry
from tests.hearing import hearing

Said = list[tuple[str, Any]]

_SMALL = {"source_system", "registry_counter", "run", "registry_setting"}
_GIVEN = {"wanted", "own"}


@contextmanager
def statements(registry: Registry) -> Iterator[Said]:
    """The SELECT statements that are sent within the block, with their parameters."""
    said: Said = []

    def note(statement: str, parameters: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            said.append((statement, tuple(parameters) if isinstance(parameters, list) else parameters))

    with hearing(registry, note):
        yield said


def scans(registry: Registry, said: Said) -> set[str]:
    """The tables that any of the statements would read whole, even though reading by an index were free.

    Left out are lists that were given, and tables with a few rows whatever the registry's size.
    """
    found: set[str] = set()
    with registry.snapshot() as uow:
        connection = uow.connection
        if connection.dialect.name == "sqlite":
            for statement, _ in said:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
                steps = [re.match(r"SCAN (\w+)(.*)", row[3]) for row in plan]
                found |= {step[1] for step in steps if step and "USING" not in step[2]}
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            for statement, parameters in said:
                plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
                found |= {name for row in plan for name in re.findall(r"Seq Scan on (\w+)", row[0])}
    return {table for table in found if table not in _SMALL | _GIVEN and not table.startswith("anon_")}
