"""Compiling the matching core before a job starts: once a machine, since what is compiled stays on disk.

Done in one process, workers find everything made; and whoever waits is told why.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from mpi.batch.link import Table, link_table
from mpi.batch.tables import columns_of_table
from mpi.domain.model import LinkageModel
from mpi.domain.records import ColumnKind
from mpi.matching.scorer import Scorer
from mpi.persons.clusters import Constraints
from mpi.services.notice_compiling import noticing

_TWINS: dict[ColumnKind, tuple[list[Any], pa.DataType]] = {
    ColumnKind.TEXT: (["a", "a", "b"], pa.string()),
    ColumnKind.INTEGER: ([1, 1, 2], pa.int32()),
    ColumnKind.TEXTS: ([["a"], ["a"], ["b"]], pa.list_(pa.string())),
}
"""Three records, the first two alike in everything: every blocking rule makes a pair, and the pair becomes a person."""


def compile_kernels(model: LinkageModel, compiling: Callable[[], None]) -> None:
    """Run every kernel that linking needs on three made-up records; `compiling` is called if one must be compiled.

    Takes a second where all is on disk, a minute or more where nothing is.
    """
    with noticing(compiling):
        scorer = Scorer(model)
        table = pa.table({name: pa.array(*_TWINS[kind]) for name, kind in scorer.columns.items()})
        key = bytes(16)
        rows = scorer.pack(columns_of_table(table, scorer.columns), key)
        nothing = np.empty((0, 2), dtype=np.int32)
        records = Table(
            rows, np.full(3, -1, dtype=np.int64), np.ones(3, dtype=np.bool_), Constraints(nothing, nothing.copy())
        )
        link_table(scorer, records, key=key, records=3, next_person=1)
