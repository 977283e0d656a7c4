"""Results as tables for people: one list of sections a scenario, rendered for the terminal and as Markdown alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.baseline import Move
from benchmarks.metrics import Metric
from benchmarks.scenario import Result


@dataclass(frozen=True, slots=True)
class Section:
    """One table: title, column names, rows of texts, and a line on how to read it."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


def _share(value: float) -> str:
    return f"{value:.5f}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 100 else f"{value:.0f} s"


def _scoring(result: Result) -> list[Section]:
    rows: list[tuple[str, ...]] = []
    rates: list[tuple[str, ...]] = []
    for size in result["sizes"]:
        of, ratio, ours = f"{size['records']:,}", size["ratio"], size["ours"]
        shipped = ours["as shipped"]
        sides = (
            ("Splink 5", size["splink"], size["splink"]["peak_memory_mb"], 1.0),
            ("ours", ours, ours["peak_memory_mb"], ratio["total"]),
            ("ours, blocks refined", shipped, None, ratio["as shipped"]),
        )
        for name, side, memory, times in sides:
            seconds = side["seconds"]
            before = _seconds(seconds["total"] - seconds["scoring"])
            clock = (before, _seconds(seconds["scoring"]), _seconds(seconds["total"]))
            peak = "" if memory is None else f"{memory:,} MB"
            rows.append((of, name, f"{side['pairs']:,}", *clock, peak, f"{times:.1f}x"))
        for way, rate in sorted(ours["alone"].items()):
            clocks = ("pairs_per_second", "pairs_per_core_second")
            rates.append((of, way, *(f"{rate[clock] / 1e6:.2f}" for clock in clocks)))
    columns = ("records", "side", "pairs", "load, block", "score", "total", "peak memory", "speed")
    note = "One rule file, the same pairs, weights equal to 1e-9 bits; the last line refines large blocks only."
    return [
        Section("From standard records to scored pairs", columns, rows, note),
        Section("Scoring alone", ("records", "how", "million pairs/s", "a core second"), rates),
    ]


def _link(result: Result) -> list[Section]:
    rows, steps = [], []
    for size in result["sizes"]:
        of = (f"{size['records']:,}", size["database"])
        people = size["quality"]["people"]["pairwise"]
        rows.append(
            (
                *of,
                _seconds(size["seconds"]),
                f"{size['records_per_second']:,.0f}",
                f"{size['microseconds_a_record']:.0f} us",
                f"{size['peak_memory_mb']:,} MB",
                _share(people["precision"]),
                _share(people["recall"]),
            )
        )
        steps += [(*of, step, _seconds(seconds)) for step, seconds in size["steps"].items() if seconds >= 0.05]
    growth = result["time_a_record_growth"]
    note = f"Time a record from {growth['from_records']:,} to {growth['to_records']:,} records: {growth['ratio']:.2f}x."
    columns = ("records", "registry", "seconds", "records/s", "a record", "peak memory", "precision", "recall")
    return [
        Section("The whole of mpi link, files to people", columns, rows, note),
        Section("Seconds a step", ("records", "registry", "step", "seconds"), steps),
    ]


def _blocking(result: Result) -> list[Section]:
    rows, limits = [], []
    for size in result["sizes"]:
        cells = (f"{size['pairs_a_record']:.2f}", _share(size["recall"]), _seconds(size["seconds"]))
        cut = f"{size['pairs_cut']:,}"
        rows.append(
            (f"{size['city']['persons']:,}", f"{size['records']:,}", *cells, cut, f"{size['peak_memory_mb']:,} MB")
        )
        for other in size["other_limits"]:
            pairs = f"{other['pairs_a_record']:.2f}"
            limits.append((f"{size['city']['persons']:,}", f"{other['factor']:g}x", pairs, _share(other["recall"])))
    last = result["sizes"][-1]
    rules = [
        (
            rule["rule"],
            f"{rule['pairs'] / last['records']:.3f}",
            _share(rule["true_pairs"] / max(last["true_pairs"], 1)),
            f"{rule['largest_block']:,}",
            f"{rule['refined_blocks']:,}",
            f"{rule['cut_blocks']:,}",
        )
        for rule in last["rules"]
    ]
    columns = ("people", "records", "pairs a record", "recall", "seconds", "comparisons cut", "peak memory")
    heads = ("rule", "pairs a record", "share of true pairs", "largest block", "blocks refined", "blocks cut")
    note = "Each pair counts under the first rule that gives it."
    return [
        Section("Blocking", columns, rows),
        Section("With other block limits", ("people", "limits", "pairs a record", "recall"), limits),
        Section(f"Rule by rule, {last['city']['persons']:,} people", heads, rules, note),
    ]


def _accuracy(result: Result) -> list[Section]:
    rows = []
    for each in result["cities"]:
        people, answered = each["people"], each["review_answered"]
        rows.append(
            (
                f"{each['city']['habits']}, {each['city']['persons']:,} people",
                *(_share(people["pairwise"][name]) for name in ("precision", "recall", "f1")),
                _share(people["b_cubed"]["f1"]),
                _share(people["exact_cluster"]["f1"]),
                _share(answered["pairwise"]["recall"]),
                f"{100 * each['tasks_share']:.2f}%",
                _share(each["blocking"]["recall"]),
            )
        )
    columns = ("city", "precision", "recall", "F1", "B-cubed F1", "exact F1", "recall, answered", "tasks", "blocking")
    made = result["beside"]["city"]
    beside = [
        (
            row["tool"],
            row["settings"],
            *(_share(row[name]) for name in ("precision", "recall", "f1", "b_cubed_f1")),
            _seconds(row["seconds"]),
            f"{row['peak_memory_mb']:,} MB",
        )
        for row in result["beside"]["rows"]
    ]
    heads = ("tool", "settings", "precision", "recall", "F1", "B-cubed F1", "seconds", "peak memory")
    missing = " ".join(f"{tool} could not be run: {why}" for tool, why in result["beside"]["missing"].items())
    note = (
        f"All on the same standard records. Ours is trained beforehand; Splink's seconds hold its training. {missing}"
    )
    return [
        Section("People found in cities that no training has seen", columns, rows),
        Section(f"Side by side, {made['records']:,} records", heads, beside, note.strip()),
    ]


def _febrl(result: Result) -> list[Section]:
    rows = [
        (data["name"], row["tool"], row["settings"], *(_share(row[name]) for name in ("precision", "recall", "f1")))
        for data in result["data_sets"]
        for row in data["rows"]
    ]
    columns = ("data", "tool", "settings", "precision", "recall", "F1")
    return [Section("FEBRL, pairwise", columns, rows)]


def _online(result: Result) -> list[Section]:
    calls: list[tuple[str, ...]] = []
    writing: list[tuple[str, ...]] = []
    processes: list[tuple[str, ...]] = []
    for course in result["courses"]:
        of = (course["database"], str(course["workers"]))
        for phase in course["phases"]:
            how = (*of, phase["verb"], _way(phase))
            server = [_ms(phase["server_ms"].get(each)) for each in ("p50", "p99")]
            latencies = [_ms(phase["ms"].get(each)) for each in ("p50", "p95", "p99", "p99.9")]
            processor = [f"{phase['processor_ms_a_call'][side]:.2f}" for side in ("server", "database", "generator")]
            if phase["way"] == "stream":
                server, latencies = ["", ""], ["", "", "", ""]
            failed = str(phase["refused"] + sum(phase["errors"].values()))
            calls.append((*how, f"{phase['per_second']:,.0f}", *latencies, *server, " + ".join(processor), failed))
            if "bare" in phase:
                bare = phase["bare"]
                share = f"{phase['per_second'] / bare['per_second']:.0%}"
                rates = (f"{phase['per_second']:,.0f}", f"{bare['per_second']:,.0f}", share)
                together = f"{bare['records'] / bare['transactions']:.1f}"
                writing.append((*how, *rates, f"{bare['rows_a_record']:.1f}", together))
        memory = [
            " ".join(f"{each['resident']:.0f} ({each['proportional']:.0f})" for each in course["memory_mb"][when])
            for when in ("before", "after")
        ]
        processes.append((*of, _seconds(course["seconds_to_ready"]), *memory))
    held = "; ".join(
        f"{database} {each['people']:,} people, {each['records']:,} records, {each['bytes'] / 1e9:.2f} GB"
        for database, each in result["registries"].items()
    )
    note = f"Registries: {held}. Latency in ms from the intended moment of a call to its reply; server: in the method."
    if "settings" in result:
        buffers = result["settings"]["postgresql"]["shared_buffers"]
        note += f" Warm: SQLite's file in the system's memory, PostgreSQL's tables in its own ({buffers})."
    heads = ("registry", "workers", "method", "how")
    columns = (*heads, "a second", "p50", "p95", "p99", "p99.9", "server p50", "p99", "processor ms", "failed")
    beside = (*heads, "records/s", "bare database", "share", "rows a record", "records a commit")
    return [
        Section("Calls", columns, calls, f"{note} Processor: server + database + generator, a call."),
        Section(
            "Writing, beside the bare database", beside, writing, "Bare: the same rows and commits, the driver alone."
        ),
        Section(
            "Server processes",
            ("registry", "workers", "ready", "MB at the start", "MB at the end"),
            processes,
            "Resident memory of each worker (its proportional part in brackets).",
        ),
    ]


def _way(phase: Mapping[str, Any]) -> str:
    if phase["way"] == "stream":
        return "one stream"
    return f"open, {phase['rate']}/s" if phase["way"] == "open" else f"closed, {phase['clients']}"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


_SECTIONS: Mapping[str, Callable[[Result], list[Section]]] = {
    "scoring": _scoring,
    "link": _link,
    "blocking": _blocking,
    "accuracy": _accuracy,
    "febrl": _febrl,
    "online": _online,
}


def sections_of(result: Result) -> list[Section]:
    """The tables of a scenario's result."""
    return [section for section in _SECTIONS[result["scenario"]](result) if section.rows]


def goals_section(metrics: list[Metric]) -> Section:
    """Figures that have a goal."""
    rows = []
    for metric in metrics:
        if metric.goal is not None:
            sign = "at least" if metric.better == "higher" else "at most"
            verdict = "met" if metric.met else "NOT MET"
            rows.append((metric.name, f"{metric.value:.6g}", f"{sign} {metric.goal:g}", verdict))
    return Section("Goals", ("figure", "measured", "goal", ""), rows)


def moves_section(moves: list[Move]) -> Section:
    """What moved against the frozen baseline."""
    rows = [
        (
            move.metric.name,
            "" if move.before is None else f"{move.before:.6g}",
            f"{move.metric.value:.6g}",
            move.verdict,
        )
        for move in moves
    ]
    return Section("Moved against the frozen baseline", ("figure", "baseline", "now", ""), rows)


def show(section: Section, console: Console) -> None:
    """A section in the terminal."""
    table = Table(title=section.title, title_justify="left", caption=section.note or None, caption_justify="left")
    for place, column in enumerate(section.columns):
        table.add_column(column, justify="left" if place == 0 else "right", overflow="fold")
    for row in section.rows:
        table.add_row(*row)
    console.print(table)


def markdown(section: Section) -> str:
    """A section as Markdown."""
    lines = [f"### {section.title}", "", "| " + " | ".join(section.columns) + " |"]
    lines.append("|" + "|".join(["---"] + ["--:"] * (len(section.columns) - 1)) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in section.rows]
    return "\n".join([*lines, "", section.note, ""] if section.note else [*lines, ""])


def environment_line(result: Mapping[str, Any]) -> str:
    """On what a result was measured, in one line."""
    on = result["environment"]
    load = f"load {on['load'][0]:g} before, {on['load_after'][0]:g} after"
    versions = ", ".join(f"{name} {on['versions'][name]}" for name in ("splink", "duckdb") if name in on["versions"])
    rules = f"{result['rules']['name']} {result['rules']['digest'][:12]}"
    return f"{on['cpu']}, {on['cores']} cores, {load}; Python {on['python']}, {versions}; rules {rules}; {on['commit']}"
