"""What commands print: JSON or tables on standard output, progress and notes on standard error."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 200
"""Columns of a table that goes to a file or a pipe."""


class _Output(Console):
    """rich would end the process by itself when the reader of a pipe goes away; `main` decides that here."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Standard output; wide enough not to cut when it is no terminal."""
    return _Output(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


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


def titled(title: str, table: Table) -> RenderableType:
    """A table under its title; rich would fold a title that is wider than its table."""
    return Group(Text(title, style="bold"), table) if title else table


def bare_table() -> Table:
    """A table without lines: it can be read, piped and cut."""
    return Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> RenderableType:
    """A table: the first column and texts left, numbers right with thousands apart."""
    table = bare_table()
    for place, name in enumerate(columns):
        cells = [row[place] for row in rows]
        numeric = bool(rows) and place > 0 and all(isinstance(cell, int | float) or cell == "" for cell in cells)
        table.add_column(cell_text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell_text(cell) for cell in row))
    return titled(title, table)


def facts(title: str, values: Mapping[str, object]) -> RenderableType:
    """Names and values, one a line."""
    table = bare_table()
    table.show_header = False
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in values.items():
        table.add_row(cell_text(name), cell_text(value))
    return titled(title, table)


def number(value: object) -> str:
    """Whole numbers with their thousands apart, others as they are; empty for None."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def cell_text(value: object) -> Text:
    """A value as text that a terminal may be given: no markup, and no control characters that came with the data."""
    return Text("".join(c if c.isprintable() else "\ufffd" for c in number(value)))


def moment(text: str | None) -> str:
    """A time of the registry to the second."""
    return (text or "")[:19].replace("T", " ")
