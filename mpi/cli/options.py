"""Options that several commands have, once: the same name means the same thing everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Db = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        help="The registry: sqlite:///path/registry.db or postgresql://user@host/name. Default: MPI_DB.",
        show_default=False,
    ),
]
RulesName = Annotated[
    str,
    typer.Option(
        "--rules",
        metavar="FAMILY[@VERSION]",
        help="Rule family, with its version or the newest released one; or a folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to standard output, and nothing else there.")]
Sources = Annotated[
    list[str],
    typer.Option(
        "--source",
        metavar="SYSTEM=PATH",
        help="A source system and its file, folder or glob (.parquet, .csv, .tsv, .txt, .ndjson, .jsonl; text "
        "also .gz). Once a system.",
    ),
]
Mapping = Annotated[
    Path | None,
    typer.Option(
        "--map", metavar="FILE.yaml", help="How the sources' own columns become the canonical ones.", show_default=False
    ),
]
Persons = Annotated[int, typer.Option("--persons", min=1, metavar="N", help="How many people the city has.")]
Seed = Annotated[int, typer.Option("--seed", min=0, metavar="S", help="The same seed gives the same result.")]

DEFAULT_RULES = "vn_person"


def example(*commands: str) -> str:
    """The end of a command's help: what may be typed, one command a line."""
    return "Example:\n\n" + "\n\n".join(command.replace("[", "\\[") for command in commands)
