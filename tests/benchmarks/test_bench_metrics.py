"""What counts as a goal met and as a figure moved."""

import json
from pathlib import Path
from typing import Literal

import pytest

from benchmarks import baseline
from benchmarks.metrics import Metric, metrics_of
from benchmarks.scenario import Tier

Better = Literal["higher", "lower"]
Kind = Literal["quality", "ratio", "absolute"]
RESULTS = Path(__file__).parent / "results"
NAMES = sorted(path.stem for path in RESULTS.glob("*.json"))


@pytest.mark.parametrize(
    ("better", "value", "goal", "met"),
    [
        ("higher", 0.98, 0.98, True),
        ("higher", 0.9799, 0.98, False),
        ("lower", 0.011, 0.01, False),
        ("lower", 0.01, 0.01, True),
        ("lower", 5.0, None, None),
    ],
)
def test_goal(better: Better, value: float, goal: float | None, met: bool | None) -> None:
    assert Metric("figure", value, "quality", better, goal).met is met


@pytest.mark.parametrize(
    ("kind", "better", "before", "now", "verdict"),
    [
        ("quality", "higher", 0.98, 0.98, None),
        ("quality", "higher", 0.98, 0.97999, "worse"),
        ("quality", "higher", 0.98, 0.98001, "better"),
        ("quality", "lower", 0.01, 0.02, "worse"),
        ("ratio", "higher", 6.0, 5.2, None),
        ("ratio", "higher", 6.0, 5.0, "worse"),
        ("ratio", "lower", 1.0, 1.2, "worse"),
        ("ratio", "lower", 100.0, 80.0, "better"),
        ("absolute", "lower", 100.0, 500.0, None),
    ],
)
def test_moved(kind: Kind, better: Better, before: float, now: float, verdict: str | None) -> None:
    assert Metric("figure", now, kind, better).moved(before) == verdict


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_is_watched(name: str) -> None:
    metrics = metrics_of(json.loads((RESULTS / f"{name}.json").read_text()))
    assert len({metric.name for metric in metrics}) == len(metrics) > 0


def test_what_is_frozen_does_not_move_and_a_drop_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "BASELINE", tmp_path)
    result = json.loads((RESULTS / "febrl.json").read_text())
    assert baseline.moved(result) is None
    baseline.freeze(result)
    assert baseline.moved(result) == []
    ours = next(row for row in result["data_sets"][3]["rows"] if row["tool"] == "this project")
    ours["f1"] -= 0.001
    (move,) = baseline.moved(result) or []
    assert (move.metric.name, move.verdict) == ("febrl4, shipped parameters: pairwise F1", "worse")


def test_tiers_have_baselines_of_their_own() -> None:
    base = Path("baseline")
    assert Tier.QUICK.folder(base) != Tier.FULL.folder(base) == Tier.LARGEST.folder(base)
