"""Standard records to scored pairs by this project: pack feature rows, make keys, emit pairs, score every one.

Compiled code is loaded from its cache on a small table first; no time below holds compilation.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.processes import worker
from benchmarks.scenario import KEY, trained_model
from mpi.batch.link import DOUBT
from mpi.batch.pairs import PairFinder
from mpi.batch.tables import columns_of_table
from mpi.domain.model import LinkageModel
from mpi.matching.scorer import Scorer

NO_LIMIT = 1 << 60
"""A block limit that no block reaches: blocking rules are then plain, as Splink's are."""

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]


def unrefined(model: LinkageModel) -> LinkageModel:
    """The model with plain blocking rules: no block is split or cut."""
    return replace(model, blocking=tuple(replace(rule, refine=(), limit=NO_LIMIT) for rule in model.blocking))


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


def _rates(scorer: Scorer, rows: NDArray[np.uint8], pairs: Pairs, floor: float) -> dict[str, float]:
    """Pairs a second of scoring alone at one thread and at two, every weight wanted and only those above `floor`."""
    left, right = (ends[:20_000_000] for ends in pairs)
    prior = scorer.prior(len(rows))
    rates = {}
    for threads in (1, 2):
        for name, least in (("every weight", -np.inf), ("above the floor", floor)):
            with ThreadPoolExecutor(threads) as executor:
                start = time.perf_counter()
                scorer.score(rows, left, right, prior=prior, floor=least, executor=executor)
                rates[f"{threads} threads, {name}"] = len(left) / (time.perf_counter() - start)
    return rates


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`table`: standard records; `threads`; `pairs_out`: where pairs and weights go (.npy)."""
    model = trained_model()
    table = pq.read_table(given["table"])
    columns = list(Scorer(model).columns)
    table = table.select(columns).combine_chunks()
    plain, shipped = Scorer(unrefined(model)), Scorer(model)
    floor = model.thresholds.review - DOUBT
    for scorer in (plain, shipped):
        scored_pairs(scorer, table.slice(0, 2000), given["threads"], floor)
    seconds, rows, pairs, weights = scored_pairs(plain, table, given["threads"], -np.inf)
    order = np.argsort(pairs[0].astype(np.int64) << 32 | pairs[1])
    np.save(given["pairs_out"] + ".keys.npy", (pairs[0].astype(np.int64) << 32 | pairs[1])[order])
    np.save(given["pairs_out"] + ".weights.npy", weights[order])
    del weights, order
    rates = _rates(plain, rows, pairs, floor)
    count = len(pairs[0])
    del rows, pairs
    refined_seconds, _, refined_pairs, _ = scored_pairs(shipped, table, given["threads"], floor)
    return {
        "pairs": count,
        "seconds": seconds,
        "pairs_per_second": rates,
        "row_bytes": plain.layout.width,
        "as shipped": {"pairs": len(refined_pairs[0]), "seconds": refined_seconds},
    }


if __name__ == "__main__":
    worker(main)
