"""How a training is shown: the weight of every level in bits, and where the numbers came from."""

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from mpi.cli.output import bare_table, facts, number, titled
from mpi.services.train_rules import Training

BITS_A_CHARACTER = 2.0
"""Bits that one character of a bar stands for."""


def training_values(done: Training) -> dict[str, Any]:
    """The training as plain values, for JSON."""
    return {
        "rules": done.rules,
        "folder": str(done.folder),
        "records": done.records,
        "read": done.read,
        "rejected": done.rejected,
        "records_per_person": done.parameters.records_per_person,
        "weights": [
            {"comparison": each.comparison, "level": each.level, "m": each.m, "u": each.u, "bits": each.bits}
            for each in done.weights
        ],
        "provenance": dict(done.parameters.provenance),
    }


def training_parts(done: Training) -> list[RenderableType]:
    """What a person reads."""
    table = bare_table()
    for name, side in (
        ("comparison", "left"),
        ("level", "left"),
        ("m", "right"),
        ("u", "right"),
        ("bits", "right"),
        ("", "left"),
    ):
        table.add_column(name, justify="right" if side == "right" else "left", header_style="dim")
    last = ""
    for each in done.weights:
        style = "green" if each.bits > 0 else "red"
        bar = Text("█" * max(round(abs(each.bits) / BITS_A_CHARACTER), 1), style=style)
        name = each.comparison if each.comparison != last else ""
        table.add_row(name, each.level, f"{each.m:.3g}", f"{each.u:.3g}", Text(f"{each.bits:+.1f}", style=style), bar)
        last = each.comparison
    rejected = f"{number(done.rejected)} rows could not be read and were left out; " if done.rejected else ""
    drawn = f"{number(done.records)} of {number(done.read)} records were drawn; " if done.records < done.read else ""
    written = Text(f"{drawn}{rejected}parameters.json and term_frequencies.parquet are in {done.folder}")
    values = {"records per person": f"{done.parameters.records_per_person:.3f}", **done.parameters.provenance}
    return [titled(f"Weights of {done.rules}", table), facts("Where they came from", values), written]
