"""What a scenario is, what it is given, and how its result is kept.

A result is plain JSON: environment, rules, seeds, sizes, figures. Nothing here asserts a time.
"""

import enum
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environment import describe_environment
from benchmarks.places import HERE
from mpi.domain.model import LinkageModel
from mpi.rules.catalogue import Catalogue
from mpi.rules.load import load_model

RESULTS = HERE / "results"
BASELINE = HERE / "baseline"
FIGURES = HERE.parent / "docs" / "figures"
KEY = bytes(range(16))
"""The secret that benchmarks hash with: results must not differ from run to run."""

log = logging.getLogger("benchmarks")
Result = dict[str, Any]


class Tier(enum.StrEnum):
    """How much is run: `quick` on small cities, `full` at the sizes that goals are set for, `largest` with 9.2 million
    records linked as well."""

    QUICK = "quick"
    FULL = "full"
    LARGEST = "largest"

    def folder(self, base: Path) -> Path:
        """Where figures of this tier are kept below `base`: quick ones stay apart from those that goals are set for."""
        return base / "quick" if self is Tier.QUICK else base


@dataclass(frozen=True, slots=True)
class Context:
    """What a scenario is run with."""

    tier: Tier

    @property
    def quick(self) -> bool:
        """Whether only small sizes are wanted."""
        return self.tier is Tier.QUICK


@dataclass(frozen=True, slots=True)
class Scenario:
    """One named benchmark. `about` is the docstring of its function."""

    name: str
    run: Callable[[Context], Result]

    @property
    def about(self) -> str:
        """What it measures and against whom."""
        return (self.run.__doc__ or "").strip()


def rules_folder(family: str) -> Path:
    """Folder of a family's newest version, below MPI_RULES_ROOT as for every command, else the checkout's."""
    return Catalogue(Path(os.environ.get("MPI_RULES_ROOT", HERE.parent / "linkage_rules"))).find(family)


def trained_model(family: str = "vn_person") -> LinkageModel:
    """The newest version of a family, with its parameters. Raises UntrainedLevelError."""
    return load_model(rules_folder(family))


def rules_entry(model: LinkageModel) -> dict[str, Any]:
    """How a result names its rules: name, digest, and what they were trained on."""
    provenance = dict(model.parameters.provenance) if model.parameters else {}
    return {"name": model.name, "digest": model.digest, "provenance": provenance}


def run_scenario(scenario: Scenario, context: Context) -> Result:
    """Run a scenario and keep its result as JSON; the load of the machine is taken before and after."""
    before = describe_environment()
    figures = scenario.run(context)
    after = describe_environment()
    result = {
        "scenario": scenario.name,
        "about": scenario.about,
        "tier": str(context.tier),
        "environment": before | {"load_after": after["load"]},
        **figures,
    }
    path = result_path(scenario.name, context.tier)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, result)
    return read_json(path) or result


def result_path(name: str, tier: Tier) -> Path:
    """Where the result of a scenario is kept."""
    return tier.folder(RESULTS) / f"{name}.json"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON that a diff can be read of: sorted keys, six digits of what is measured."""
    text = json.dumps(_rounded(value), ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Result | None:
    """A kept result, or None when there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {str(key): _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
