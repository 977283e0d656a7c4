"""GoldenMatch on a table of persons, in its own environment: its zero-config, or its Fellegi-Sunter configuration.

Run as a file with that environment's Python: it imports nothing of this project.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

HOUSEHOLD = ("full_name", "street", "mother_name", "phone")
"""Columns left out of the way "identity columns": what a household shares, and the name that its parts say already."""

QUANTILES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Where the scores of its pairs are cut for the sweep of thresholds."""


def components(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Connected components: the smallest row of each row's component."""
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for left, right in pairs:
        one, other = root(left), root(right)
        parent[max(one, other)] = min(one, other)
    return [root(row) for row in range(count)]


def _own_labels(count: int, clusters: Iterable[Sequence[int]]) -> list[int]:
    labels = list(range(count))
    for members in clusters:
        for member in members:
            labels[member] = min(members)
    return labels


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`table`: the peers' table; `way`: "zero config", "probabilistic" or "probabilistic, identity columns";
    `labels_out`: an .npz for the clusters, its own and, for the last way, those at each threshold of a sweep."""
    os.environ["GOLDENMATCH_AUTOCONFIG_MEMORY"] = "0"
    goldenmatch = importlib.import_module("goldenmatch")
    table = pq.read_table(given["table"]).drop_columns(["record"])
    way, sweep = given["way"], given["way"].endswith("identity columns")
    if sweep:
        table = table.drop_columns(list(HOUSEHOLD))
    start = time.perf_counter()
    options: dict[str, Any] = {"confidence_required": False, "allow_red_config": True}
    if way != "zero config":
        options["config"] = goldenmatch.auto_configure_probabilistic_df(table)
    result = goldenmatch.dedupe_df(table, **options)
    seconds = time.perf_counter() - start
    labels = {"own": _own_labels(table.num_rows, (each["members"] for each in result.clusters.values()))}
    if sweep:
        pairs = result.scored_pairs
        for cut in sorted(set(np.quantile([score for *_, score in pairs], QUANTILES).tolist())):
            kept = ((left, right) for left, right, score in pairs if score >= cut)
            labels[f"{cut:.4f}"] = components(table.num_rows, kept)
    arrays = {name: np.array(each) for name, each in labels.items()}
    np.savez(given["labels_out"], allow_pickle=False, **arrays)
    config = result.config.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {"seconds": seconds, "version": goldenmatch.__version__, "config": config}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
