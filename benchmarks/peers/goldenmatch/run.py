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
    """`table`: the peers' table; `way`: "zero config" or "probabilistic"; `labels_out`: an .npz for the clusters, its
    own and, for the second way, those at each threshold of a sweep."""
    os.environ["GOLDENMATCH_AUTOCONFIG_MEMORY"] = "0"
    goldenmatch = importlib.import_module("goldenmatch")
    table = pq.read_table(given["table"]).drop_columns(["record"])
    start = time.perf_counter()
    options: dict[str, Any] = {"confidence_required": False, "allow_red_config": True}
    if given["way"] == "probabilistic":
        options["config"] = goldenmatch.auto_configure_probabilistic_df(table)
    result = goldenmatch.dedupe_df(table, **options)
    seconds = time.perf_counter() - start
    labels = {"own": _own_labels(table.num_rows, (each["members"] for each in result.clusters.values()))}
    if given["way"] == "probabilistic":
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
