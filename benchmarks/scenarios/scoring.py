"""Scenario `scoring`: the same rule file, the same pairs, the same weights; ours beside Splink 5 on DuckDB."""

from pathlib import Path

import numpy as np

from benchmarks.cities import city, standard_records
from benchmarks.places import WORK
from benchmarks.plain_rules import choose_columns
from benchmarks.processes import Worked, run_worker
from benchmarks.scenario import Context, Result, log, rules_entry, trained_model

SEED = 7001
RECORDS_A_PERSON = 1.84
THREADS = 2


def _compare(ours: Path, theirs: Path) -> dict[str, float | int]:
    """Pairs that only one side has, and the largest difference of two weights of one pair in bits."""
    keys, weights = (np.load(f"{ours}.{name}.npy", mmap_mode="r") for name in ("keys", "weights"))
    other_keys, other_weights = (np.load(f"{theirs}.{name}.npy", mmap_mode="r") for name in ("keys", "weights"))
    if len(keys) == len(other_keys) and np.array_equal(keys, other_keys):
        differing = float(np.max(np.abs(weights - other_weights), initial=0.0))
        return {"pairs_only_ours": 0, "pairs_only_splink": 0, "largest_weight_difference_bits": differing}
    common, here, there = np.intersect1d(keys, other_keys, assume_unique=True, return_indices=True)
    return {
        "pairs_only_ours": len(keys) - len(common),
        "pairs_only_splink": len(other_keys) - len(common),
        "largest_weight_difference_bits": float(np.max(np.abs(weights[here] - other_weights[there]), initial=0.0)),
    }


def _side(worked: Worked) -> Result:
    return {**worked.figures, "peak_memory_mb": worked.peak_mb}


def _size(records: int) -> Result:
    model = trained_model()
    made = city(int(records / RECORDS_A_PERSON), seed=SEED)
    table = standard_records(made, model, limit=records)
    columns = choose_columns(model, table)
    out = {name: WORK / f"scoring-{name}" for name in ("ours", "splink")}
    sides = {}
    for name in out:
        log.info("scoring %s records: %s", f"{records:,}", name)
        given = {"table": str(table), "columns": columns, "threads": THREADS, "pairs_out": str(out[name])}
        sides[name] = run_worker(f"benchmarks.workers.score_{name}", given)
    parity = _compare(out["ours"], out["splink"])
    for path in WORK.glob("scoring-*.npy"):
        path.unlink()
    ours, splink = _side(sides["ours"]), _side(sides["splink"])
    both = (("ours", ours), ("splink", splink))
    before = {side: figures["seconds"]["total"] - figures["seconds"]["scoring"] for side, figures in both}
    return {
        "records": records,
        "city": made.entry,
        "rules_narrowed": {
            rule.name: columns[rule.name] for rule in model.blocking if len(columns[rule.name]) > len(rule.columns)
        },
        "ours": ours,
        "splink": splink,
        "parity": parity,
        "ratio": {
            "total": splink["seconds"]["total"] / ours["seconds"]["total"],
            "before scoring": before["splink"] / before["ours"],
            "scoring": splink["seconds"]["scoring"] / ours["seconds"]["scoring"],
            "as shipped": splink["seconds"]["total"] / ours["as shipped"]["seconds"]["total"],
        },
    }


def run(context: Context) -> Result:
    """From standard records to scored pairs: ours against Splink 5's blocking and predict on DuckDB.

    One rule file, plain blocking rules on both sides (one that makes more than 5 pairs a record is narrowed by its
    refining columns), so the pairs are the same and every weight is compared (1e-9 bits wanted). Two threads each,
    memory of each in a process of its own. `as shipped` is ours with only large blocks refined, which Splink cannot do.
    Goals: total ratio at least 5 at 2 million records, 5 million pairs a second on two cores.
    """
    sizes = (200_000,) if context.quick else (200_000, 2_000_000)
    return {"rules": rules_entry(trained_model()), "seed": SEED, "threads": THREADS, "sizes": [*map(_size, sizes)]}
