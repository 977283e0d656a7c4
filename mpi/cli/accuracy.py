"""`mpi evaluate`: how right the registry's people are."""

from pathlib import Path
from typing import Annotated

import typer

from mpi.cli.options import AsJson, Db, example


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog=example("mpi evaluate --db sqlite:///registry.db --truth city/truth.parquet --review-answered"))(
        evaluate
    )


def evaluate(
    truth: Annotated[
        Path,
        typer.Option("--truth", metavar="FILE", help="Parquet or CSV: source, source_record_id, person_id."),
    ],
    db: Db = None,
    review_answered: Annotated[
        bool, typer.Option("--review-answered", help="Also: as if every open review task were answered rightly.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the registry's people against the truth: pairs of records, B-cubed, and whole people."""
    from mpi.app import App
    from mpi.cli.output import print_json, show
    from mpi.cli.summaries import evaluation_summary
    from mpi.services.evaluate import evaluate_registry

    with App.start().open_registry(db, create=False) as registry:
        found = {"evaluation": evaluate_registry(registry, truth, review_answered=False).to_dict()}
        if review_answered:
            answered = evaluate_registry(registry, truth, review_answered=True)
            found["evaluation_review_answered"] = answered.to_dict()
    if as_json:
        print_json(found)
    else:
        show(*evaluation_summary(found))
