"""The state of a registry as its keepers ask for it: its runs, and whether its tables agree. Read only."""

from mpi.registry import runs
from mpi.registry.counters import last_numbers
from mpi.registry.integrity import broken_rules
from mpi.registry.registry import Registry
from mpi.registry.runs import Run


def list_runs(registry: Registry, *, limit: int) -> list[Run]:
    """The newest runs, the newest first."""
    with registry.snapshot() as uow:
        last = last_numbers(uow).run
        return [runs.find_run(uow, number) for number in range(last, max(last - limit, 0), -1)]


def check_registry(registry: Registry) -> dict[str, int]:
    """Rules between tables that do not hold, each with the number of rows that break it; empty when all hold."""
    with registry.snapshot() as uow:
        return broken_rules(uow)
