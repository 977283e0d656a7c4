"""Frozen baselines: the watched figures of an earlier run, committed, and what has moved since."""

from dataclasses import dataclass

from benchmarks.metrics import Metric, metrics_of
from benchmarks.scenario import BASELINE, Result, Tier, read_json, write_json


@dataclass(frozen=True, slots=True)
class Move:
    """A watched figure that moved by more than it may, or that the baseline does not hold (`before` is None)."""

    metric: Metric
    before: float | None
    verdict: str


def freeze(result: Result) -> None:
    """Make a result's watched figures the baseline of its scenario and tier."""
    path = Tier(result["tier"]).folder(BASELINE) / f"{result['scenario']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {name: result[name] for name in ("scenario", "tier", "environment")}
    kept["rules"] = {name: result["rules"][name] for name in ("name", "digest")}
    write_json(
        path,
        kept | {"figures": {metric.name: metric.value for metric in metrics_of(result) if metric.kind != "absolute"}},
    )


def moved(result: Result) -> list[Move] | None:
    """What moved against the frozen baseline; None when there is none for this scenario and tier."""
    frozen = read_json(Tier(result["tier"]).folder(BASELINE) / f"{result['scenario']}.json")
    if frozen is None:
        return None
    moves = []
    for metric in metrics_of(result):
        if metric.kind == "absolute":
            continue
        before = frozen["figures"].get(metric.name)
        verdict = "new" if before is None else metric.moved(before)
        if verdict is not None:
            moves.append(Move(metric, before, verdict))
    return moves
