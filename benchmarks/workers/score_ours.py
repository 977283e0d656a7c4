"""Standard records to scored pairs by this project: pack feature rows, make keys, emit pairs, score every one.

Compiled code is loaded from its cache on a small table first; no time below holds compilation.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.plain_rules import plain
from benchmarks.processes import worker
from benchmarks.scenario import KEY, trained_model
from mpi.batch.link import DOUBT
from mpi.batch.pairs import PairFinder
from mpi.batch.tables import columns_of_table
from mpi.matching.scorer import Scorer

RATED_PAIRS = 20_000_000
"""Pairs, of those found, that the rates are taken over."""

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]


def scored_pairs(
    scorer: Scorer, table: pa.Table, threads: int, floor: float
) -> tuple[dict[str, float], NDArray[np.uint8], Pairs, NDArray[np.float64]]:
    """Seconds a step, feature rows, the candidate pairs and their weights in bits."""
    prior = scorer.prior(table.num_rows)
    with ThreadPoolExecutor(threads) as executor:
        marks = [time.perf_counter()]
        rows = scorer.pack(columns_of_table(table, scorer.columns), KEY)
        marks.append(time.perf_counter())
        finder = PairFinder(scorer, rows, KEY, np.ones(len(rows), dtype=np.bool_))
        finder.prepare(executor)
        found = list(finder.pairs(executor))
        left = np.concatenate([each.left for each in found] or [np.empty(0, dtype=np.int32)])
        right = np.concatenate([each.right for each in found] or [np.empty(0, dtype=np.int32)])
        del found, finder
        marks.append(time.perf_counter())
        weights = scorer.score(rows, left, right, prior=prior, floor=floor, executor=executor).weights
        marks.append(time.perf_counter())
    steps = dict(zip(("packing", "blocking", "scoring"), np.diff(marks).tolist(), strict=True))
    return steps | {"total": marks[-1] - marks[0]}, rows, (left, right), weights


def _rates(scorer: Scorer, rows: NDArray[np.uint8], pairs: Pairs, floor: float) -> dict[str, dict[str, float]]:
    """Scoring alone at one thread and at two, every weight wanted and only those above `floor`: pairs a second, and
    pairs a second of processor time, which a busy machine disturbs less."""
    left, right = (ends[:RATED_PAIRS] for ends in pairs)
    prior = scorer.prior(len(rows))
    rates = {}
    for threads in (1, 2):
        for name, least in (("every weight", -np.inf), ("above the floor", floor)):
            with ThreadPoolExecutor(threads) as executor:
                start, busy = time.perf_counter(), time.process_time()
                scorer.score(rows, left, right, prior=prior, floor=least, executor=executor)
                seconds, used = time.perf_counter() - start, time.process_time() - busy
            rate = {"pairs_per_second": len(left) / seconds, "pairs_per_core_second": len(left) / used}
            rates[f"{threads} threads, {name}"] = rate
    return rates


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`table`: standard records; `columns` of plain rules; `threads`; `pairs_out`: for pairs and weights (.npy)."""
    model = trained_model()
    table = pq.read_table(given["table"])
    table = table.select([name for name in table.column_names if not name.startswith("truth_")]).combine_chunks()
    even, shipped = Scorer(plain(model, given["columns"])), Scorer(model)
    floor = model.thresholds.review - DOUBT
    for scorer in (even, shipped):
        scored_pairs(scorer, table.slice(0, 2000), given["threads"], floor)
    seconds, rows, pairs, weights = scored_pairs(even, table, given["threads"], -np.inf)
    keys = pairs[0].astype(np.int64) << 32 | pairs[1]
    order = np.argsort(keys)
    np.save(given["pairs_out"] + ".keys.npy", keys[order])
    np.save(given["pairs_out"] + ".weights.npy", weights[order])
    del weights, order, keys
    rates = _rates(even, rows, pairs, floor)
    count = len(pairs[0])
    del rows, pairs
    refined_seconds, _, refined_pairs, _ = scored_pairs(shipped, table, given["threads"], floor)
    return {
        "pairs": count,
        "seconds": seconds,
        "alone": rates,
        "row_bytes": even.layout.width,
        "as shipped": {"pairs": len(refined_pairs[0]), "seconds": refined_seconds},
    }


if __name__ == "__main__":
    worker(main)
