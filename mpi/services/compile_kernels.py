"""Compiling the matching core before a job starts: once a machine, since what is compiled stays on disk.

Done in one process, workers find everything made; and whoever waits is told why.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from numba.core import event

from mpi.batch.link import Table, link_table
from mpi.batch.tables import columns_of_table
from mpi.domain.model import LinkageModel
from mpi.domain.records import ColumnKind
from mpi.matching.scorer import Scorer
from mpi.persons.clusters import Constraints

_events: Any = event  # numba says nothing of its types

_TWINS: dict[ColumnKind, pa.Array] = {
    ColumnKind.TEXT: pa.array(["a", "a", "b"], pa.string()),
    ColumnKind.INTEGER: pa.array([1, 1, 2], pa.int32()),
    ColumnKind.TEXTS: pa.array([["a"], ["a"], ["b"]], pa.list_(pa.string())),
}
"""Three records, the first two alike in everything: every blocking rule makes a pair, and the pair becomes a person."""


class _Notice(event.Listener):
    """Calls back the first time that something is compiled; loading from disk is not compiling."""

    def __init__(self, compiling: Callable[[], None]) -> None:
        self._compiling = compiling
        self._told = False

    def on_start(self, event: Any) -> None:
        if not self._told:
            self._told = True
            self._compiling()

    def on_end(self, event: Any) -> None:
        """Nothing is said of the end."""


@contextmanager
def noticing(compiling: Callable[[], None]) -> Iterator[None]:
    """While the block lasts, `compiling` is called the first time that anything is compiled."""
    notice = _Notice(compiling)
    _events.register("numba:compile", notice)
    try:
        yield
    finally:
        _events.unregister("numba:compile", notice)


def compile_kernels(model: LinkageModel, compiling: Callable[[], None]) -> None:
    """Run every kernel that linking needs on three made-up records; `compiling` is called if one must be compiled.

    Takes a second where all is on disk, a minute or more where nothing is.
    """
    with noticing(compiling):
        scorer = Scorer(model)
        table = pa.table({name: _TWINS[kind] for name, kind in scorer.columns.items()})
        key = bytes(16)
        rows = scorer.pack(columns_of_table(table, scorer.columns), key)
        nothing = np.empty((0, 2), dtype=np.int32)
        records = Table(
            rows, np.full(3, -1, dtype=np.int64), np.ones(3, dtype=np.bool_), Constraints(nothing, nothing.copy())
        )
        link_table(scorer, records, key=key, records=3, next_person=1)
