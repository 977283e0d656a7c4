"""What commands print: JSON or tables on standard output, progress and notes on standard error."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 140
"""Columns of a table that goes to a file or a pipe."""


def console() -> Console:
    """Standard output; wide enough not to cut when it is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def print_json(value: Any) -> None:
    """One JSON value and nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    """What JSON has no word for: data classes, numpy numbers, enumerations, paths and keys."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "item"):
        return value.item()
    return str(value)


def show(*parts: RenderableType) -> None:
    """Print parts with an empty line between them."""
    out = console()
    for place, part in enumerate(parts):
        if place:
            out.print()
        out.print(part)


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A table: the first column and texts left, numbers right with thousands apart."""
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 3, 0, 0)
    )
    for place, name in enumerate(columns):
        numeric = (
            bool(rows) and place > 0 and all(isinstance(row[place], int | float) or row[place] == "" for row in rows)
        )
        table.add_column(name, justify="right" if numeric else "left", header_style="dim", overflow="fold")
    for row in rows:
        table.add_row(*(Text(number(cell)) for cell in row))
    return table


def facts(title: str, values: Mapping[str, object]) -> Table:
    """Names and values, one a line."""
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False
    )
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in values.items():
        table.add_row(name, Text(number(value)))
    return table


def number(value: object) -> str:
    """Whole numbers with their thousands apart, others as they are; empty for None."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
