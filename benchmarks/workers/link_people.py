"""Standard records of a city to people, in memory, and how right they are: by pairs, by people, by threshold.

The clock runs over packing and linking alone. Truth is read from the file only to judge what came out.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.cities import person_labels
from benchmarks.processes import worker
from benchmarks.scenario import KEY, trained_model
from mpi.batch.evaluate import PREDICTED_COLUMNS, TASK_COLUMNS, TRUTH_COLUMNS, Evaluation, evaluate, evaluate_labels
from mpi.batch.link import Linkage, Table, link_table
from mpi.batch.pairs import PairFinder, threads_available
from mpi.batch.tables import columns_of_table
from mpi.domain.model import LinkageModel
from mpi.matching.kernel import APART
from mpi.matching.scorer import Scorer
from mpi.matching.sharing import apply_caps
from mpi.persons.clusters import no_constraints

Labels = NDArray[np.int64]
BINS = np.arange(-60.0, 81.0, 2.0)
"""Edges of the histogram of match weights, in bits; what lies outside counts in the outermost bin."""

THRESHOLDS = np.arange(-20.0, 41.0, 1.0)
"""Match weights in bits at which pairs are cut for the precision-recall curve."""


def link(scorer: Scorer, table: pa.Table) -> Linkage:
    """People of standard records, as the batch job finds them on an empty registry."""
    rows = scorer.pack(columns_of_table(table, scorer.columns), KEY)
    nobody = np.full(len(rows), -1, dtype=np.int64)
    records = Table(rows, nobody, np.ones(len(rows), dtype=np.bool_), no_constraints())
    return link_table(scorer, records, key=KEY, records=len(rows), next_person=1)


def answered(linkage: Linkage, persons: Labels) -> Evaluation:
    """The figures as if every review task had been answered rightly."""
    names = [str(row) for row in range(len(persons))]
    one = ["city"] * len(names)
    predicted = pa.table(dict(zip(PREDICTED_COLUMNS, (one, names, linkage.plan.person_of), strict=True)))
    truth = pa.table(dict(zip(TRUTH_COLUMNS, (one, names, persons), strict=True)))
    ends = [[names[row] for row in side.tolist()] for side in (linkage.plan.tasks.left, linkage.plan.tasks.right)]
    same = ["city"] * len(ends[0])
    columns = dict(zip(TASK_COLUMNS, (same, ends[0], same, ends[1]), strict=True))
    schema = pa.schema([(name, pa.string()) for name in TASK_COLUMNS])
    return evaluate(predicted, truth, answered=pa.table(columns, schema=schema))


def pair_figures(scorer: Scorer, table: pa.Table, persons: Labels) -> dict[str, Any]:
    """Blocking recall, the histogram of weights of true and false candidate pairs, precision and recall by weight."""
    rows = scorer.pack(columns_of_table(table, scorer.columns), KEY)
    apply_caps(rows, scorer.model, scorer.layout)
    with ThreadPoolExecutor(threads_available()) as executor:
        finder = PairFinder(scorer, rows, KEY, np.ones(len(rows), dtype=np.bool_))
        finder.prepare(executor)
        found = finder.scored(executor, prior=scorer.prior(len(rows)), floor=-np.inf)
    same = persons[found.left] == persons[found.right]
    sizes = np.bincount(persons)
    true_pairs = int((sizes * (sizes - 1) // 2).sum())
    weights = found.scores.weights
    clipped = np.clip(weights, BINS[0], BINS[-1] - 1e-6)
    counted = found.scores.vetoes & APART == 0
    curve = []
    for threshold in THRESHOLDS:
        above = counted & (weights >= threshold)
        right, taken = int((above & same).sum()), int(above.sum())
        curve.append([float(threshold), right / taken if taken else 1.0, right / max(true_pairs, 1)])
    return {
        "blocking": {
            "candidate_pairs": len(weights),
            "pairs_a_record": len(weights) / len(persons),
            "recall": int(same.sum()) / max(true_pairs, 1),
        },
        "histogram": {
            "edges": BINS.tolist(),
            "true_pairs": np.histogram(clipped[same], BINS)[0].tolist(),
            "false_pairs": np.histogram(clipped[~same], BINS)[0].tolist(),
        },
        "pairs_by_threshold": curve,
    }


def _people_by_threshold(model: LinkageModel, table: pa.Table, persons: Labels) -> list[list[float]]:
    """Precision and recall of the people themselves at other link thresholds."""
    points = []
    for least in (3.0, 5.0, 7.0, 8.0, 9.0, 11.0, 14.0, 18.0, 24.0):
        thresholds = replace(model.thresholds, link=max(least, model.thresholds.review))
        linkage = link(Scorer(replace(model, thresholds=thresholds)), table)
        found = evaluate_labels(linkage.plan.person_of, persons).pairwise
        points.append([thresholds.link, found.precision, found.recall])
    return points


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`table`: standard records; `labels_out`: an .npz for the people; `deeper`: also pairs and other thresholds."""
    model = trained_model()
    scorer = Scorer(model)
    path = Path(given["table"])
    table = pq.read_table(path, columns=list(scorer.columns)).combine_chunks()
    link(scorer, table.slice(0, 2000))
    start = time.perf_counter()
    linkage = link(scorer, table)
    seconds = time.perf_counter() - start
    np.savez(given["labels_out"], people=linkage.plan.person_of)
    persons = person_labels(path)
    tasks = len(linkage.plan.tasks.left)
    figures: dict[str, Any] = {
        "seconds": seconds,
        "steps": linkage.seconds,
        "records": len(persons),
        "people": evaluate_labels(linkage.plan.person_of, persons).to_dict(),
        "review_answered": answered(linkage, persons).to_dict(),
        "tasks": tasks,
        "tasks_share": tasks / len(persons),
        "link_threshold": model.thresholds.link,
    }
    if given["deeper"]:
        figures |= pair_figures(scorer, table, persons)
        figures["people_by_threshold"] = _people_by_threshold(model, table, persons)
    return figures


if __name__ == "__main__":
    worker(main)
