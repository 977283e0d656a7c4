"""The figures that are watched: what they are, whether more is better, the goal, and how much they may move.

Quality may not drop at all; speed is watched by ratios taken in one run, never by seconds; memory as it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.scenario import Result

RATIO_TOLERANCE = 0.15
"""How much a ratio of speeds or memories may move before the report calls it moved: what two runs differ by."""

QUALITY_TOLERANCE = 1e-9
"""Results are deterministic: any larger drop of quality is one."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One watched figure. `goal` is the least (or the most, where less is better) that is wanted of it.

    An `absolute` figure (seconds, pairs a second) has goals only: it says as much of the machine as of the code.
    """

    name: str
    value: float
    kind: Literal["quality", "ratio", "absolute"]
    better: Literal["higher", "lower"] = "higher"
    goal: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal

    def moved(self, before: float) -> Literal["better", "worse"] | None:
        """How the figure moved from an earlier one, if by more than it may."""
        if self.kind == "absolute":
            return None
        tolerance = QUALITY_TOLERANCE if self.kind == "quality" else RATIO_TOLERANCE * abs(before)
        change = (self.value - before) * (1 if self.better == "higher" else -1)
        if abs(change) <= tolerance:
            return None
        return "better" if change > 0 else "worse"


def _scoring(result: Result) -> Iterator[Metric]:
    for size in result["sizes"]:
        of = f"{size['records']:,} records"
        large = size["records"] >= 2_000_000
        yield Metric(f"{of}: speed against Splink", size["ratio"]["total"], "ratio", goal=5.0 if large else None)
        pairs = size["parity"]["pairs_only_ours"] + size["parity"]["pairs_only_splink"]
        yield Metric(f"{of}: pairs that one side lacks", pairs, "quality", "lower", 0)
        difference = size["parity"]["largest_weight_difference_bits"]
        yield Metric(f"{of}: largest difference of a weight, bits", difference, "quality", "lower", 1e-9)
        rate = size["ours"]["alone"]["2 threads, above the floor"]["pairs_per_second"]
        yield Metric(f"{of}: million pairs a second, 2 threads", rate / 1e6, "absolute", goal=5.0 if large else None)


def _link(result: Result) -> Iterator[Metric]:
    growth = result["time_a_record_growth"]
    wide = growth["to_records"] >= 40 * growth["from_records"]
    name = f"time a record, {growth['from_records']:,} to {growth['to_records']:,} records"
    yield Metric(name, growth["ratio"], "ratio", "lower", 1.3 if wide else None)
    for size in result["sizes"]:
        of = f"{size['records']:,} records, {size['database']}"
        million = size["city"]["persons"] == 1_000_000 and size["database"] == "sqlite"
        yield Metric(f"{of}: seconds", size["seconds"], "absolute", "lower", 180 if million else None)
        yield Metric(f"{of}: peak memory, MB", size["peak_memory_mb"], "ratio", "lower", 4096 if million else None)
        yield from _quality(of, size["quality"], goals=False)


def _quality(of: str, figures: Mapping[str, Any], *, goals: bool) -> Iterator[Metric]:
    people, answered = figures["people"]["pairwise"], figures["review_answered"]["pairwise"]
    yield Metric(f"{of}: precision of links", people["precision"], "quality", goal=0.9995 if goals else None)
    yield Metric(f"{of}: recall of links", people["recall"], "quality", goal=0.98 if goals else None)
    yield Metric(f"{of}: recall, review answered", answered["recall"], "quality", goal=0.995 if goals else None)
    share = figures["tasks_share"]
    yield Metric(f"{of}: review tasks a record", share, "quality", "lower", 0.01 if goals else None)


def _blocking(result: Result) -> Iterator[Metric]:
    for size in result["sizes"]:
        of = f"{size['city']['persons']:,} people"
        yield Metric(f"{of}: blocking recall", size["recall"], "quality", goal=0.998)
        yield Metric(f"{of}: candidate pairs a record", size["pairs_a_record"], "quality", "lower", 15.0)


def _accuracy(result: Result) -> Iterator[Metric]:
    for each in result["cities"]:
        of = f"{each['city']['habits']} city of {each['city']['persons']:,} people"
        goals = each["city"]["habits"] != "harsh"
        yield from _quality(of, each, goals=goals)
        yield Metric(f"{of}: blocking recall", each["blocking"]["recall"], "quality", goal=0.998 if goals else None)
    for row in result["beside"]["rows"]:
        if row["tool"] == "this project":
            yield Metric("side by side: our pairwise F1", row["f1"], "quality")


def _febrl(result: Result) -> Iterator[Metric]:
    for data in result["data_sets"]:
        for row in data["rows"]:
            if row["tool"] == "this project":
                goal = 0.99 if data["name"] == "febrl4" else None
                yield Metric(f"{data['name']}, {row['settings']}: pairwise F1", row["f1"], "quality", goal=goal)


def _online(result: Result) -> Iterator[Metric]:
    goals = result["registries"]["sqlite"]["people"] >= 1_000_000
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    for database in dict.fromkeys(course["database"] for course in result["courses"]):
        courses = [course for course in result["courses"] if course["database"] == database]
        postgresql = goals and database == "postgresql"
        of = f"{result['registries'][database]['people']:,} people, {names[database]}"
        echo, match = phase_of(courses[0], "Echo", clients=1), phase_of(courses[0], "Match", clients=1)
        least = 1.5 if database == "postgresql" else 1.0
        server = match["server_ms"]
        yield Metric(f"{of}: Match in the server, p50 ms", server["p50"], "absolute", "lower", least if goals else None)
        yield Metric(f"{of}: Match in the server, p99 ms", server["p99"], "absolute", "lower", 5.0 if goals else None)
        times = match["ms"]["p50"] / echo["ms"]["p50"]
        yield Metric(f"{of}: Match end to end against the echo", times, "ratio", "lower", 3.0 if goals else None)
        yield from _writing(of, courses, goals=postgresql)
        memory = max(each["resident"] for course in courses for each in course["memory_mb"]["after"])
        yield Metric(f"{of}: resident memory of a process, MB", memory, "ratio", "lower", 500.0 if goals else None)
        ready = max(course["seconds_to_ready"] for course in courses)
        yield Metric(f"{of}: seconds to ready", ready, "absolute", "lower", 3.0 if goals else None)
        unanswered = sum(
            phase["refused"] + sum(phase["errors"].values()) for each in courses for phase in each["phases"]
        )
        yield Metric(f"{of}: calls refused or failed", unanswered, "quality", "lower", 0)


def _writing(of: str, courses: list[dict[str, Any]], *, goals: bool) -> Iterator[Metric]:
    """Resolve and BatchResolve, with as many workers as serve best."""
    phases = [(course["workers"], phase_of(course, "Resolve", clients=16)) for course in courses]
    workers, best = max(phases, key=lambda each: each[1]["per_second"])
    said = f"{of}: Resolve, 16 clients, {workers} workers"
    yield Metric(f"{said}: a second", best["per_second"], "absolute", goal=1_000.0 if goals else None)
    yield Metric(f"{said}: p99 ms", best["ms"]["p99"], "absolute", "lower", 50.0 if goals else None)
    one = phases[0][1]
    yield Metric(
        f"{of}: Resolve, 16 clients, share of the bare database", one["per_second"] / one["bare"]["per_second"], "ratio"
    )
    streams = [phase_of(course, "BatchResolve") for course in courses]
    rate = max(stream["per_second"] for stream in streams)
    yield Metric(f"{of}: BatchResolve, records a second", rate, "absolute", goal=4_000.0 if goals else None)
    share = streams[0]["per_second"] / streams[0]["bare"]["per_second"]
    yield Metric(f"{of}: BatchResolve, share of the bare database", share, "ratio")


def phase_of(course: Mapping[str, Any], verb: str, **of: Any) -> dict[str, Any]:
    """The first phase of a course of `online` that called a method in a certain way."""
    phases: list[dict[str, Any]] = course["phases"]
    return next(each for each in phases if each["verb"] == verb and of.items() <= each.items())


_WATCHED: Mapping[str, Callable[[Result], Iterator[Metric]]] = {
    "scoring": _scoring,
    "link": _link,
    "blocking": _blocking,
    "accuracy": _accuracy,
    "febrl": _febrl,
    "online": _online,
}


def metrics_of(result: Result) -> list[Metric]:
    """The watched figures of a scenario's result."""
    return list(_WATCHED[result["scenario"]](result))
