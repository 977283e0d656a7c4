"""Scenario `accuracy`: how right people are on cities that no training has seen, and what peers make of such a city."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cities import City, city, person_labels, standard_records
from benchmarks.peers.city_table import write_city_table
from benchmarks.peers.environment import PeerUnavailableError, peer_python
from benchmarks.places import HERE, WORK
from benchmarks.processes import Worked, WorkerError, run_worker
from benchmarks.scenario import Context, Result, log, rules_entry, trained_model
from mpi.batch.evaluate import evaluate_labels

SEEDS = {"default": 9101, "rough": 9102, "harsh": 9101}
"""Seeds of the cities that are judged, used by no training. The harsh city is that of every figure before ADR 8."""

PEER_SEED = 9103
PEER_PERSONS = {True: 10_000, False: 20_000}
"""People in the city that all tools are given, by whether the tier is quick: a size that every tool finishes."""

GOLDENMATCH_WAYS = ("zero config", "probabilistic", "probabilistic, identity columns")
THREADS = 2
_LABELS = WORK / "labels.npz"


def _ours(made: City, *, deeper: bool) -> Worked:
    given = {"table": str(standard_records(made, trained_model())), "labels_out": str(_LABELS), "deeper": deeper}
    return run_worker("benchmarks.workers.link_people", given)


def _row(tool: str, settings: str, worked: Worked, labels: Any, persons: Any) -> dict[str, Any]:
    found = evaluate_labels(labels, persons)
    return {
        "tool": tool,
        "settings": settings,
        **found.pairwise.to_dict(),
        "b_cubed_f1": found.b_cubed.f1,
        "exact_cluster_f1": found.exact_cluster.f1,
        "seconds": worked.figures["seconds"],
        "peak_memory_mb": worked.peak_mb,
    }


def _labels() -> dict[str, Any]:
    with np.load(_LABELS) as kept:
        return {name: kept[name] for name in kept.files}


def _best(labels: dict[str, Any], persons: Any) -> tuple[str, Any]:
    return max(labels.items(), key=lambda item: evaluate_labels(item[1], persons).pairwise.f1)


def _splink_rows(table: Path, persons: Any) -> list[dict[str, Any]]:
    given = {"table": str(table), "threads": THREADS, "seed": 1, "labels_out": str(_LABELS)}
    worked = run_worker("benchmarks.peers.splink_city", given)
    labels = _labels()
    threshold, best = _best(labels, persons)
    return [
        _row("Splink 5", "stock comparisons, probability 0.99", worked, labels["0.99"], persons),
        _row("Splink 5", f"the same, best by the truth ({threshold})", worked, best, persons),
    ]


def _goldenmatch_rows(table: Path, persons: Any) -> list[dict[str, Any]]:
    python = peer_python("goldenmatch")
    rows = []
    for way in GOLDENMATCH_WAYS:
        log.info("GoldenMatch, %s", way)
        given = {"table": str(table), "way": way, "labels_out": str(_LABELS)}
        run = str(HERE / "peers" / "goldenmatch" / "run.py")
        worked = run_worker(run, given, python=python, timeout=1200)
        tool = f"GoldenMatch {worked.figures['version']}"
        labels = _labels()
        rows.append(_row(tool, f"{way}, as it configures itself", worked, labels.pop("own"), persons))
        if labels:
            threshold, best = _best(labels, persons)
            rows.append(_row(tool, f"{way}, best by the truth ({threshold})", worked, best, persons))
    return rows


def _beside(context: Context) -> Result:
    """Every tool on one city; one that cannot be run is named with the reason and does not end the scenario."""
    made = city(PEER_PERSONS[context.quick], seed=PEER_SEED)
    standard = standard_records(made, trained_model())
    persons = person_labels(standard)
    table = write_city_table(standard, made.folder / "peers.parquet")
    log.info("side by side on %s records", f"{len(persons):,}")
    ours = _ours(made, deeper=False)
    rows = [_row("this project", "shipped rules and thresholds", ours, _labels()["people"], persons)]
    missing: dict[str, str] = {}
    peers: tuple[tuple[str, Callable[[Path, Any], list[dict[str, Any]]]], ...] = (
        ("Splink 5", _splink_rows),
        ("GoldenMatch", _goldenmatch_rows),
    )
    for tool, run_peer in peers:
        try:
            rows += run_peer(table, persons)
        except (PeerUnavailableError, WorkerError) as error:
            missing[tool] = str(error)[-500:]
            log.warning("%s: %s", tool, missing[tool])
    answered = ours.figures["review_answered"]["pairwise"]
    return {"city": made.entry, "rows": rows, "missing": missing, "ours_review_answered": answered}


def run(context: Context) -> Result:
    """People found in cities with seeds that no training has seen: default, rough and harsh habits of error.

    Pairwise, B-cubed and exact-cluster figures, with review answered, tasks a record, blocking recall, precision and
    recall by threshold, weights of true and false pairs. Then one city through Splink 5 with stock comparisons and
    through GoldenMatch in its own environment, all on the same standard records. Goals: precision 0.9995 and recall
    0.98 of automatic links, recall 0.995 with review answered, tasks at most 1% of records; the harsh city, in which
    nobody could reach them (ADR 8), has none.
    """
    persons = 20_000 if context.quick else 100_000
    cities = []
    for habits, seed in SEEDS.items():
        made = city(persons, seed=seed, habits=habits)
        log.info("linking %s records (%s habits)", f"{made.records:,}", habits)
        worked = _ours(made, deeper=True)
        cities.append({"city": made.entry, "peak_memory_mb": worked.peak_mb, **worked.figures})
    return {"rules": rules_entry(trained_model()), "cities": cities, "beside": _beside(context)}
