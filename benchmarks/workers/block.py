"""Blocking alone, on any number of records: candidate pairs and true pairs found, rule by rule.

Feature rows are packed a batch at a time into a file that is mapped, so memory holds rows and keys but no texts.
"""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.cities import person_labels, standard_batches
from benchmarks.places import WORK
from benchmarks.processes import worker
from benchmarks.scenario import KEY, trained_model
from mpi.batch.pairs import PairFinder, threads_available
from mpi.batch.tables import columns_of_table
from mpi.domain.model import LinkageModel
from mpi.matching.scorer import Scorer
from mpi.matching.sharing import apply_caps


def _packed(scorer: Scorer, path: Path, folder: Path) -> NDArray[np.uint8]:
    """Feature rows of all records, uint8 (n, width), frequency caps applied."""
    count = pq.read_metadata(path).num_rows
    rows = np.lib.format.open_memmap(folder / "rows.npy", "w+", np.uint8, (count, scorer.layout.width))
    at = 0
    for batch in standard_batches(path, list(scorer.columns)):
        rows[at : at + batch.num_rows] = scorer.pack(columns_of_table(batch, scorer.columns), KEY)
        at += batch.num_rows
    apply_caps(rows, scorer.model, scorer.layout)
    return rows


def blocked(model: LinkageModel, rows: NDArray[np.uint8], persons: NDArray[np.int64]) -> dict[str, Any]:
    """What blocking finds: pairs a record, recall of true pairs, and both rule by rule, each pair under its first."""
    start = time.perf_counter()
    sizes = np.bincount(persons)
    true_pairs = int((sizes * (sizes - 1) // 2).sum())
    right = np.zeros(len(model.blocking), dtype=np.int64)
    with ThreadPoolExecutor(threads_available()) as executor:
        finder = PairFinder(Scorer(model), rows, KEY, np.ones(len(rows), dtype=np.bool_))
        finder.prepare(executor)
        for found in finder.pairs(executor):
            right[found.rule] += int((persons[found.left] == persons[found.right]).sum())
    seconds = time.perf_counter() - start
    rules = [asdict(report) | {"true_pairs": int(right[place])} for place, report in enumerate(finder.report.rules)]
    return {
        "pairs": finder.report.pairs,
        "pairs_a_record": finder.report.pairs / len(rows),
        "true_pairs": true_pairs,
        "found_pairs": int(right.sum()),
        "recall": int(right.sum()) / max(true_pairs, 1),
        "pairs_cut": sum(report.pairs_cut for report in finder.report.rules),
        "seconds": seconds,
        "rules": rules,
    }


def scaled(model: LinkageModel, factor: float) -> LinkageModel:
    """The model with every block limit multiplied."""
    rules = (replace(rule, limit=max(2, round(rule.limit * factor))) for rule in model.blocking)
    return replace(model, blocking=tuple(rules))


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`table`: standard records; `factors`: what to multiply every block limit by (1 is the rule file as it is)."""
    model = trained_model()
    path = Path(given["table"])
    persons = person_labels(path)
    with tempfile.TemporaryDirectory(dir=WORK, prefix="rows-") as folder:
        rows = _packed(Scorer(model), path, Path(folder))
        shipped = blocked(model, rows, persons)
        others = []
        for factor in given["factors"]:
            found = blocked(scaled(model, factor), rows, persons)
            others.append({name: found[name] for name in ("pairs_a_record", "recall", "seconds")} | {"factor": factor})
    return {"records": len(persons), **shipped, "other_limits": others}


if __name__ == "__main__":
    worker(main)
