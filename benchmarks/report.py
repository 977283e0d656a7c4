"""`python -m benchmarks.report [--tier quick|full|largest] [SCENARIO...]`: run scenarios, keep, draw and report them.

The exit code says whether the scenarios could be run; figures never fail a run.
"""

import argparse
import importlib
import inspect
import logging
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.logging import RichHandler

from benchmarks import baseline, tables
from benchmarks.metrics import metrics_of
from benchmarks.scenario import FIGURES, RESULTS, Context, Result, Scenario, Tier, read_json, result_path, run_scenario

SCENARIOS = ("scoring", "link", "blocking", "accuracy", "febrl", "online")


def find_scenario(name: str) -> Scenario:
    """The scenario of a name; its module and the peers that it needs are imported only now."""
    return Scenario(name, importlib.import_module(f"benchmarks.scenarios.{name}").run)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description="Run benchmarks and report them.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; all by default")
    parser.add_argument("--tier", type=Tier, choices=list(Tier), default=Tier.QUICK, help="quick unless told")
    parser.add_argument("--freeze", action="store_true", help="make what is measured the baseline")
    parser.add_argument("--list", action="store_true", help="list the scenarios and what they measure")
    parser.add_argument("--no-run", action="store_true", help="draw and report the results kept by earlier runs")
    parser.add_argument("--no-figures", action="store_true", help="do not draw")
    given = parser.parse_args(argv)
    if unknown := sorted(set(given.scenarios) - set(SCENARIOS)):
        parser.error(f"no scenario {unknown[0]}; there are: {', '.join(SCENARIOS)}")
    return given


def _results(given: argparse.Namespace, console: Console) -> list[Result]:
    results = []
    for name in given.scenarios or SCENARIOS:
        if given.no_run:
            kept = read_json(result_path(name, given.tier))
            results += [kept] if kept else []
            continue
        console.rule(f"{name}, {given.tier} tier")
        start = time.perf_counter()
        results.append(run_scenario(find_scenario(name), Context(given.tier)))
        console.print(f"{name}: {time.perf_counter() - start:.0f} s")
    return results


def _sections(result: Result) -> list[tables.Section]:
    """A result's tables, with what moved against the baseline."""
    sections = tables.sections_of(result)
    moves = baseline.moved(result)
    return [*sections, tables.moves_section(moves)] if moves else sections


def _goals(results: list[Result]) -> tables.Section:
    return tables.goals_section([metric for result in results for metric in metrics_of(result)])


def _show(results: list[Result], console: Console) -> None:
    for result in results:
        console.rule(result["scenario"])
        console.print(f"measured on {tables.environment_line(result)}")
        for section in _sections(result):
            tables.show(section, console)
    tables.show(_goals(results), console)


def _markdown(results: list[Result], tier: Tier) -> str:
    """The report of every result kept, to read beside benchmarks/README.md."""
    parts = [
        f"# Benchmarks, {tier} tier",
        "",
        "Written by `python -m benchmarks.report`; see benchmarks/README.md.",
        "",
    ]
    parts.append(tables.markdown(_goals(results)))
    for result in results:
        parts += [f"## {result['scenario']}", "", inspect.cleandoc(result["about"]), ""]
        parts += [f"Measured on {tables.environment_line(result)}.", ""]
        parts += [tables.markdown(section) for section in _sections(result)]
        if baseline.moved(result) == []:
            parts += ["Nothing moved against the frozen baseline.", ""]
    return "\n".join(parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked and report it; the results kept by earlier runs of other scenarios are reported too."""
    given = _arguments(argv)
    console = Console() if sys.stdout.isatty() else Console(width=140)
    logging.basicConfig(level="WARNING", format="%(message)s", handlers=[RichHandler(console=console, show_path=False)])
    logging.getLogger("benchmarks").setLevel("INFO")
    for noisy in ("splink", "recordlinkage"):
        logging.getLogger(noisy).setLevel("ERROR")
    if given.list:
        for scenario in map(find_scenario, SCENARIOS):
            console.print(f"[bold]{scenario.name}[/bold]: {inspect.cleandoc(scenario.about)}\n")
        return 0
    results = _results(given, console)
    _show(results, console)
    if given.freeze:
        for result in results:
            baseline.freeze(result)
    kept = [each for name in SCENARIOS if (each := read_json(result_path(name, given.tier))) is not None]
    place = given.tier.folder(RESULTS)
    place.mkdir(parents=True, exist_ok=True)
    (place / "report.md").write_text(_markdown(kept, given.tier), encoding="utf-8")
    if not given.no_figures:
        figures = place / "figures" if given.tier is Tier.QUICK else FIGURES
        draw = importlib.import_module("benchmarks.draw")
        for path in draw.draw_all({each["scenario"]: each for each in kept}, figures):
            console.print(f"drawn: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
