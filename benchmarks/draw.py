"""Drawings of results, as SVG and PNG; the same results give the same bytes (fixed hash salt, no dates)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.metrics import phase_of
from benchmarks.scenario import Result

OURS, OTHER, THIRD, GREY = "#00629b", "#d1495b", "#edae49", "#8d99a6"
_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_STYLE = {
    "svg.hashsalt": "mpi",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e6e9",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
}


@contextmanager
def _sheet(result: Result, *, width: float = 8.0, height: float = 4.8, panels: int = 1) -> Iterator[tuple[Figure, Any]]:
    """A figure with its axes and a line that says what it was drawn from."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), dpi=144, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, panels)
        yield figure, axes
        on = result["environment"]
        said = (
            f"Source: benchmarks, scenario {result['scenario']}, {result['tier']} tier; "
            f"{on['cpu']}, {on['cores']} cores; "
            f"rules {result['rules']['name']} {result['rules']['digest'][:8]}"
        )
        figure.supxlabel(said, fontsize=7, color=GREY, x=0.01, ha="left")


def _scaling(results: Mapping[str, Result]) -> Figure:
    result = results["link"]
    with _sheet(result) as (figure, axes):
        for database, colour, mark, above in (("sqlite", OURS, "o", 9), ("postgresql", THIRD, "s", -18)):
            sizes = [size for size in result["sizes"] if size["database"] == database]
            across = [size["records"] for size in sizes]
            up = [size["microseconds_a_record"] for size in sizes]
            name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database]
            axes.plot(across, up, marker=mark, color=colour, label=name, linewidth=2, markersize=7)
            for size, x, y in zip(sizes, across, up, strict=True):
                label = f"{size['seconds']:.0f} s, {size['peak_memory_mb'] / 1000:.1f} GB"
                axes.annotate(label, (x, y), xytext=(0, above), textcoords="offset points", ha="center", fontsize=9)
        first = next(size for size in result["sizes"] if size["database"] == "sqlite")
        least = first["microseconds_a_record"]
        axes.axhline(1.3 * least, color=OTHER, linestyle="--", linewidth=1)
        axes.text(
            first["records"], 1.3 * least, "goal: at most 1.3 times the smallest", color=OTHER, va="bottom", fontsize=9
        )
        axes.set_xscale("log")
        axes.margins(x=0.15)
        axes.set_ylim(0, 1.3 * max(1.3 * least, *(size["microseconds_a_record"] for size in result["sizes"])))
        marks = sorted({size["records"] for size in result["sizes"]})
        axes.set_xticks(marks, [f"{mark:,}" for mark in marks])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("records linked (log scale)")
        axes.set_ylabel("microseconds a record")
        axes.set_title("Time a record, files to people, by how many records are linked")
        axes.legend(loc="lower right")
    return figure


def _precision_recall(results: Mapping[str, Result]) -> Figure:
    result = results["accuracy"]
    with _sheet(result, width=11.5, height=5.8, panels=2) as (figure, (left, right)):
        for each, colour in zip(result["cities"], (OURS, OTHER, THIRD), strict=False):
            habits = each["city"]["habits"]
            if colour == OURS:
                curve = each["pairs_by_threshold"]
                line = {"color": colour, "alpha": 0.45, "linewidth": 1.5, "label": f"{habits}, pairs by weight alone"}
                left.plot([p[2] for p in curve], [p[1] for p in curve], **line)
            people = each["people_by_threshold"]
            line = {"color": colour, "marker": ".", "linewidth": 1.5}
            left.plot([p[2] for p in people], [p[1] for p in people], label=f"{habits}, people by threshold", **line)
            for name, mark, said in (("people", "o", "as shipped"), ("review_answered", "*", "review answered")):
                at = each[name]["pairwise"]
                of = {"color": colour, "marker": mark, "s": 130 if mark == "*" else 60, "zorder": 3}
                left.scatter([at["recall"]], [at["precision"]], label=f"{habits}, {said}", **of)
        left.axhline(0.9995, color=GREY, linestyle=":", linewidth=1)
        left.axvline(0.98, color=GREY, linestyle=":", linewidth=1)
        left.set_xlim(0.90, 1.001)
        left.set_ylim(0.985, 1.0005)
        left.set_title(f"Ours, cities of {result['cities'][0]['city']['persons']:,} people (goals dotted)")
        left.legend(fontsize=8, loc="lower left")
        _tools(result, right)
        left.set_xlabel("recall of pairs")
        left.set_ylabel("precision of pairs")
    return figure


def _tools(result: Result, axes: Any) -> None:
    """Every tool on one city, a point each: what it misses against what it joins wrongly."""
    colours = {"this project": OURS, "Splink 5": OTHER}
    for row in sorted(result["beside"]["rows"], key=lambda row: row["recall"]):
        colour = colours.get(row["tool"], THIRD)
        best, zero, few = (word in row["settings"] for word in ("best by the truth", "zero", "identity columns"))
        wrong = 1 - row["precision"]
        point = (max(1 - row["recall"], 3e-3), max(wrong, 1e-5))
        said = row["tool"] + (", zero config" if zero else ", identity columns" if few else "")
        said += (", best threshold" if best else "") + f": {row['seconds']:.1f} s" + ("" if wrong else ", none wrong")
        mark = ("v" if few else "D") if best else "s" if zero else "^" if few else "o"
        axes.scatter(*point, color=colour, marker=mark, s=70, zorder=3, label=said, edgecolors="white", linewidths=0.7)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(3e-3, 1.0)
    axes.set_ylim(5e-6, 3.0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    axes.set_xlabel("true pairs missed (1 - recall), log scale; less is better")
    axes.set_ylabel("joined pairs that are wrong (1 - precision), log scale")
    made = result["beside"]["city"]
    axes.set_title(f"All tools on the same {made['records']:,} standard records")
    axes.legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)


def _weights(results: Mapping[str, Result]) -> Figure:
    result = results["accuracy"]
    with _sheet(result, width=5.75 * len(result["cities"]), panels=len(result["cities"])) as (figure, panels):
        for each, axes in zip(result["cities"], panels, strict=True):
            edges = each["histogram"]["edges"]
            for name, colour, said in (("false_pairs", OTHER, "different persons"), ("true_pairs", OURS, "one person")):
                axes.stairs(each["histogram"][name], edges, fill=True, alpha=0.55, color=colour, label=said)
            axes.axvline(each["link_threshold"], color="black", linestyle="--", linewidth=1)
            axes.text(
                each["link_threshold"] + 1, 0.98, "link", transform=axes.get_xaxis_transform(), va="top", fontsize=9
            )
            axes.set_yscale("log")
            axes.set_ylim(0.8, 12 * max(map(max, (each["histogram"]["true_pairs"], each["histogram"]["false_pairs"]))))
            axes.set_xlabel("match weight, bits (log2 odds, prior included)")
            axes.set_ylabel("candidate pairs (log scale)")
            axes.set_title(f"{each['city']['habits'].capitalize()} habits, {each['city']['persons']:,} people")
            axes.legend(loc="upper left", fontsize=9)
    return figure


def _recall(results: Mapping[str, Result]) -> Figure:
    result = results["blocking"]
    with _sheet(result) as (figure, axes):
        for size, colour in zip(result["sizes"], (OURS, OTHER), strict=False):
            across, up = [0.0], [0.0]
            for rule in size["rules"]:
                across.append(across[-1] + rule["pairs"] / size["records"])
                up.append(up[-1] + rule["true_pairs"] / size["true_pairs"])
            said = f"{size['city']['persons']:,} people, rule by rule"
            axes.plot(across, [1 - each for each in up], marker=".", color=colour, label=said, linewidth=1.8)
            label = f"{size['recall']:.5f} at {size['pairs_a_record']:.1f}"
            place = {"xytext": (6, -12), "textcoords": "offset points", "fontsize": 9, "color": colour}
            axes.annotate(label, (across[-1], 1 - up[-1]), **place)
            if size["other_limits"]:
                points = [(other["pairs_a_record"], 1 - other["recall"]) for other in size["other_limits"]]
                of = f"{size['city']['persons']:,} people, other block limits"
                axes.scatter(*zip(*points, strict=True), color=colour, marker="x", s=36, label=of)
                for other, point in zip(size["other_limits"], points, strict=True):
                    place = {"xytext": (0, 7), "textcoords": "offset points", "fontsize": 8, "ha": "center"}
                    axes.annotate(f"{other['factor']:g}x", point, **place)
        axes.axhline(0.002, color=GREY, linestyle="--", linewidth=1)
        axes.axvline(15, color=GREY, linestyle="--", linewidth=1)
        axes.text(
            14.8, 0.9, "goal: 15 pairs a record at most", rotation=90, ha="right", va="top", color=GREY, fontsize=9
        )
        axes.text(0.1, 0.002, "goal: 0.2% missed at most", va="top", color=GREY, fontsize=9)
        axes.set_yscale("log")
        axes.set_xlim(0, 16)
        axes.set_ylim(3e-4, 1.2)
        axes.set_yticks([1, 0.1, 0.01, 0.001], ["0", "0.9", "0.99", "0.999"])
        axes.set_xlabel("candidate pairs a record, rules taken in the order of the file")
        axes.set_ylabel("blocking recall: true pairs found (log of the rest)")
        axes.set_title("What blocking finds, and what it costs")
        axes.legend(loc="upper center")
    return figure


def _ratio(results: Mapping[str, Result]) -> Figure:
    result = results["scoring"]
    sizes = result["sizes"]
    with _sheet(result, width=5.5 * max(len(sizes), 1) + 0.5, panels=len(sizes)) as (figure, panels):
        for size, axes in zip(sizes, panels if len(sizes) > 1 else [panels], strict=True):
            bars = [
                ("Splink 5 on DuckDB", size["splink"]["seconds"], OTHER),
                ("ours, the same pairs", size["ours"]["seconds"], OURS),
                ("ours, blocks refined", size["ours"]["as shipped"]["seconds"], OURS),
            ]
            for place, (_, seconds, colour) in enumerate(bars):
                before = seconds["total"] - seconds["scoring"]
                first, second = ("load and block", "score") if place == 0 else (None, None)
                axes.barh(place, before, color=colour, alpha=0.5, label=first)
                axes.barh(place, seconds["scoring"], left=before, color=colour, label=second)
                ratio = size["splink"]["seconds"]["total"] / seconds["total"]
                said = f" {seconds['total']:.1f} s" + (f", {ratio:.1f} times as fast" if place else "")
                axes.text(seconds["total"], place, said, va="center", fontsize=9.5)
            axes.set_yticks(range(len(bars)), [name for name, *_ in bars])
            axes.invert_yaxis()
            axes.grid(axis="y", visible=False)
            axes.set_xlim(0, 1.18 * size["splink"]["seconds"]["total"])
            axes.set_xlabel("seconds, two threads (pale: load and block; full: score)")
            axes.set_title(f"{size['records']:,} records, {size['ours']['pairs']:,} pairs")
    return figure


def _latency(results: Mapping[str, Result]) -> Figure:
    result = results["online"]
    with _sheet(result, width=12.5, height=5.4, panels=2) as (figure, (left, right)):
        drawn = (("Echo", 1, None, GREY, ":"), ("Match", 1, None, OURS, "-"), ("Match", 16, 200, OURS, "--"))
        for course in result["courses"]:
            if course["workers"] > 1:
                continue
            for verb, clients, rate, colour, line in (*drawn, ("Resolve", 16, None, OTHER, "-")):
                phase = phase_of(course, verb, clients=clients, **({"rate": rate} if rate else {}))
                curve = sorted((float(name[1:]), value) for name, value in phase["curve_ms"].items())
                points = [point for point in curve if point[0] < 100]
                across = [1 / (1 - share / 100) for share, _ in points]
                postgresql = course["database"] == "postgresql"
                if verb == "Echo" and postgresql:
                    continue
                how = f"{rate} a second" if rate else f"{clients} client{'s' if clients > 1 else ''}"
                said = "echo, 1 client" if verb == "Echo" else f"{verb}, {how}, {_DATABASES[course['database']]}"
                shade = {OURS: "#5aa9d6", OTHER: "#eda1aa"}.get(colour, colour) if postgresql else colour
                left.plot(across, [value for _, value in points], color=shade, linestyle=line, label=said)
        left.set_xscale("log")
        left.set_yscale("log")
        left.set_xticks([1, 2, 10, 100, 1000], ["0", "50", "90", "99", "99.9"])
        left.set_xticks([], minor=True)
        left.set_xlabel("percentile of calls")
        left.set_ylabel("milliseconds, intended call to reply (log scale)")
        left.set_title(f"Latency, one worker, {result['registries']['sqlite']['people']:,} people")
        left.legend(fontsize=8)
        _throughput(result, right)
    return figure


def _throughput(result: Result, axes: Any) -> None:
    """Records a second of both writing methods beside what the bare database takes."""
    bars = []
    for course in result["courses"]:
        name = f"{_DATABASES[course['database']]}, {course['workers']} worker{'s' if course['workers'] > 1 else ''}"
        for verb, said in (("Resolve", "Resolve, 16 clients"), ("BatchResolve", "BatchResolve, one stream")):
            phase = phase_of(course, verb, **({"clients": 16} if verb == "Resolve" else {}))
            bars.append((f"{name}\n{said}", phase["per_second"], phase["bare"]["per_second"]))
    for place, (_, ours, bare) in enumerate(bars):
        axes.barh(
            place, bare, height=0.75, color=GREY, alpha=0.35, label=None if place else "the bare database, same rows"
        )
        axes.barh(place, ours, height=0.45, color=OURS, label=None if place else "over gRPC")
        axes.text(ours, place, f" {ours:,.0f}", va="center", fontsize=9)
    axes.set_yticks(range(len(bars)), [name for name, *_ in bars], fontsize=8)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("records a second")
    axes.set_title("Writing, beside the bare database")
    axes.legend(fontsize=8, loc="lower right")


_DRAWINGS: Mapping[str, tuple[str, Callable[[Mapping[str, Result]], Figure]]] = {
    "scaling": ("link", _scaling),
    "precision-recall": ("accuracy", _precision_recall),
    "weights": ("accuracy", _weights),
    "blocking-recall": ("blocking", _recall),
    "scoring-ratio": ("scoring", _ratio),
    "online-latency": ("online", _latency),
}


def draw_all(results: Mapping[str, Result], folder: Path) -> list[Path]:
    """Draw what the results hold; gives the files written, <name>.svg and <name>.png in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (scenario, draw) in _DRAWINGS.items():
        if scenario not in results:
            continue
        figure = draw(results)
        with mpl.rc_context(_STYLE):
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})
        written += [folder / f"{name}.svg", folder / f"{name}.png"]
    return written
