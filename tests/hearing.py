"""Hearing every statement of a registry before it is sent, whichever way it goes to the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import psycopg
import pytest
import sqlalchemy as sa

from mpi.registry import dialect_postgresql
from mpi.registry.registry import Registry


@contextmanager
def hearing(registry: Registry, hear: Callable[[str, Any], object]) -> Iterator[None]:
    """Within the block `hear` is told of every statement and its values; on SQLite these are written in its text."""
    drivers: WeakSet[Any] = WeakSet()
    run = dialect_postgresql._run

    class Heard(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> "Heard":
            hear(str(query), params)
            return super().execute(query, params, **options)

    def heard(driver: Any, query: str, values: Any) -> Any:
        if driver in drivers:
            hear(query, values)
        return run(driver, query, values)

    def connected(driver: Any, _record: Any) -> None:
        if isinstance(driver, psycopg.Connection):
            driver.cursor_factory = Heard
            drivers.add(driver)
        else:
            driver.set_trace_callback(lambda statement: hear(statement, ()))

    engines = [registry._engines.writing, registry._engines.snapshot, registry._engines.looking]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect_postgresql, "_run", heard)
        for engine in engines:
            engine.dispose()
            sa.event.listen(engine, "connect", connected)
        yield
        for engine in engines:
            sa.event.remove(engine, "connect", connected)
            engine.dispose()
