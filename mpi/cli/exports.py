"""`mpi export`: the registry's tables as files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mpi.cli.options import DEFAULT_RULES, AsJson, Db, RulesName, example


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(
        epilog=example(
            "mpi export cross-references --db sqlite:///registry.db --out people.parquet",
            "mpi export review-tasks --db sqlite:///registry.db --out tasks.csv",
        )
    )(export)


def export(
    what: Annotated[
        Literal["cross-references", "review-tasks", "golden-records"],
        typer.Argument(help="Which records are whose; open questions; or what is held to be true of each person."),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="A .parquet or .csv file; only its owner can read it.")
    ],
    db: Db = None,
    rules: RulesName = DEFAULT_RULES,
    as_json: AsJson = False,
) -> None:
    """Write cross-references, open review tasks or golden records to a file, as of one moment.

    Rules matter to golden records only: they say which source's value wins.
    """
    from mpi.app import App
    from mpi.cli.output import number, print_json
    from mpi.cli.progress import Reporter
    from mpi.services import export as service

    app = App.start()
    with app.open_registry(db, create=False) as registry:
        if what == "cross-references":
            rows = service.export_cross_references(registry, out)
        elif what == "review-tasks":
            rows = service.export_review_tasks(registry, out)
        else:
            model = app.rules(rules).model
            with Reporter("exporting") as progress:
                rows = service.export_golden_records(registry, model, out, progress=progress)
    if as_json:
        print_json({"what": what, "rows": rows, "file": str(out)})
    else:
        typer.echo(f"{number(rows)} {what} in {out}")
