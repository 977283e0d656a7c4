"""How a pair's explanation is shown: both records side by side, then a waterfall of bits."""

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from mpi.cli.masking import Mask
from mpi.cli.output import bare_table, number, plain_table, titled
from mpi.domain.model import LinkageModel
from mpi.domain.records import in_reading_order
from mpi.services.explain import PairExplanation, SideView

WIDTH = 44
"""Characters of the waterfall's scale."""

_WORDS = {
    "link": "enough to link by itself",
    "review": "a question for a steward",
    "apart": "no link by itself",
}


def pair_values(found: PairExplanation, model: LinkageModel, *, reveal: bool) -> dict[str, Any]:
    """The explanation as plain values, for JSON and for `pair_parts`."""
    mask = Mask(model, reveal=reveal)
    waterfall = found.waterfall
    return {
        "rules": found.rule_version,
        "records": found.records,
        "left": _side(found.left, mask),
        "right": _side(found.right, mask),
        "same_person": found.same_person,
        "verdict": found.verdict,
        "match_weight": waterfall.weight,
        "probability": waterfall.probability,
        "thresholds": {"link": model.thresholds.link, "review": model.thresholds.review},
        "prior": waterfall.prior,
        "contributions": [
            {
                "comparison": step.comparison,
                "level": step.level,
                "bits": step.bits,
                "of_which_frequency": step.of_which_frequency,
                "running_total": step.running_total,
            }
            for step in waterfall.contributions
        ],
        "vetoes": list(waterfall.vetoes),
        "capped": None if found.capped is None else list(found.capped),
    }


def _side(side: SideView, mask: Mask) -> dict[str, Any]:
    recorded = {"recorded_at": side.recorded_at} if side.recorded_at else {}
    return {
        "record": str(side.key),
        "enterprise_id": side.enterprise_id,
        "values": mask.values({**side.values, **recorded}),
    }


def pair_parts(values: dict[str, Any]) -> list[RenderableType]:
    """What a person reads."""
    return [_sides(values), _waterfall(values), _outcome(values)]


def _sides(values: dict[str, Any]) -> RenderableType:
    left, right = values["left"], values["right"]
    held = {*left["values"], *right["values"]}
    columns = in_reading_order(held)
    rows: list[list[object]] = [[name, left["values"].get(name, ""), right["values"].get(name, "")] for name in columns]
    rows.append(["person", left["enterprise_id"] or "not placed yet", right["enterprise_id"] or "not placed yet"])
    return plain_table("", ["", left["record"], right["record"]], rows)


def _waterfall(values: dict[str, Any]) -> RenderableType:
    """One bar a comparison, from the total before it to the total after it."""
    steps = values["contributions"]
    totals = [values["prior"], *(step["running_total"] for step in steps)]
    low, high = min(0.0, *totals), max(0.0, *totals)
    table = bare_table()
    table.padding = (0, 2, 0, 0)
    for name in ("", "level", "bits", "total", ""):
        table.add_column(name, justify="right" if name in ("bits", "total") else "left")
    prior = values["prior"]
    words = f"before anything is compared, of {number(values['records'])} records"
    table.add_row("prior", Text(words, style="dim"), _bits(prior), f"{prior:.1f}", _bar(0.0, prior, low, high))
    before = prior
    for step in steps:
        level = Text(step["level"])
        if abs(step["of_which_frequency"]) >= 0.05:
            level.append(f" ({step['of_which_frequency']:+.1f} for how common it is)", style="dim")
        after = step["running_total"]
        table.add_row(step["comparison"], level, _bits(step["bits"]), f"{after:.1f}", _bar(before, after, low, high))
        before = after
    return titled(f"Evidence in bits, {values['rules']}", table)


def _bits(bits: float) -> Text:
    return Text(f"{bits:+.1f}", style="green" if bits > 0 else "red" if bits < 0 else "dim")


def _bar(start: float, end: float, low: float, high: float) -> Text:
    """A bar between two totals on the common scale; a thin mark where nothing is added."""
    scale = (WIDTH - 1) / ((high - low) or 1.0)
    first, last = sorted((round((start - low) * scale), round((end - low) * scale)))
    if start == end:
        return Text(" " * first + "│", style="dim")
    return Text(" " * first + "█" * max(last - first, 1), style="green" if end > start else "red")


def _probability(probability: float) -> str:
    """No more digits than mean something: never a plain 0 or 1."""
    if probability > 1 - 1e-6:
        return "probability above 0.999999"
    return "probability below 0.000001" if probability < 1e-6 else f"probability {probability:.6f}"


def _outcome(values: dict[str, Any]) -> Text:
    thresholds = values["thresholds"]
    text = Text.assemble(
        (f"{values['match_weight']:.1f} bits", "bold"),
        f" ({_probability(values['probability'])}; "
        f"link from {thresholds['link']:g}, review from {thresholds['review']:g}): "
        f"{_WORDS[values['verdict']]}",
    )
    for veto in values["vetoes"]:
        text.append(f"\nveto: {veto}", style="yellow")
    for column in values["capped"] or ():
        text.append(f"\n{column}: the value is shared by too many people and counts as missing", style="yellow")
    if values["capped"] is None:
        text.append(
            "\nvalues shared by too many people were not looked for: the registry was linked by other rules",
            style="dim",
        )
    text.append(f"\nToday the two records are {'one person' if values['same_person'] else 'not one person'}")
    if values["same_person"] != (values["verdict"] == "link"):
        text.append(", for what other records of theirs, or a steward, say", style="dim")
    return text
