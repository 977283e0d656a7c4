"""Scenario `blocking`: what share of true pairs become candidates, and at how many candidate pairs a record."""

from typing import Any

from benchmarks.cities import city, standard_records
from benchmarks.processes import run_worker
from benchmarks.scenario import Context, Result, log, rules_entry, trained_model

SEED = 6001
"""That of scenario `link`: the city of 5 million people is made once for both."""
FACTORS = (0.1, 0.25, 0.5, 2.0, 4.0, 8.0)
"""Other block limits tried on the smaller city, as multiples of the rule file's."""


def _size(persons: int, factors: tuple[float, ...]) -> dict[str, Any]:
    made = city(persons, seed=SEED)
    table = standard_records(made, trained_model())
    log.info("blocking %s records", f"{made.records:,}")
    worked = run_worker("benchmarks.workers.block", {"table": str(table), "factors": factors})
    return {"city": made.entry, "peak_memory_mb": worked.peak_mb, **worked.figures}


def run(context: Context) -> Result:
    """Blocking recall against candidate pairs a record, rule by rule, on a small city and on a very large one.

    Alone, against the truth: no peer refines blocks. Goals: recall at least 0.998 at 15 candidate pairs a record or
    fewer, at 100 thousand and at 5 million people alike.
    """
    small = 100_000
    sizes = [_size(small, FACTORS)]
    if not context.quick:
        sizes.append(_size(5_000_000, ()))
    return {"rules": rules_entry(trained_model()), "seed": SEED, "sizes": sizes}
