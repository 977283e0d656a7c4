"""`mpi link`: a season of files becomes people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mpi.cli.options import DEFAULT_RULES, AsJson, Db, Mapping, RulesName, Sources, example

if TYPE_CHECKING:
    from mpi.batch.sources import SourceSpec
    from mpi.domain.model import LinkageModel
    from mpi.services.link import LinkSummary


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(
        epilog=example(
            "mpi link --source student=city/student.parquet --source hospital=city/hospital.parquet "
            "--db sqlite:///registry.db --rules vn_person"
        )
    )(link)


def link(
    source: Sources,
    db: Db = None,
    rules: RulesName = DEFAULT_RULES,
    mapping: Mapping = None,
    rejects: Annotated[
        Path,
        typer.Option("--rejects", metavar="FILE.parquet", help="Where rows go that cannot be read, with the reason."),
    ] = Path("rejects.parquet"),
    workers: Annotated[
        int, typer.Option("--workers", min=0, metavar="N", help="Processes that standardise; 0: as many as fit.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Link sources into a registry: every record gets a person, every doubt a review task.

    Makes the registry if there is none. On one with people only new and changed records are compared. Killed or
    interrupted, the same command finishes the work; run twice, it changes nothing.
    """
    from mpi.app import App
    from mpi.cli.output import print_json, show
    from mpi.cli.progress import COMPILING, Reporter
    from mpi.cli.summaries import link_summary
    from mpi.services.compile_kernels import compile_kernels
    from mpi.services.link import LinkRequest, link_sources

    app = App.start()
    chosen = app.rules(rules)
    specs = read_sources(source, mapping, chosen.model)
    request = LinkRequest(specs, chosen.required_columns, rejects, workers)
    with app.open_registry(db, create=True) as registry, Reporter("linking") as progress:
        compile_kernels(chosen.model, lambda: progress(COMPILING, 0, 0))
        progress("reading sources", 0, 0)  # its first batch takes a while
        summary = link_sources(registry, chosen.model, request, progress=progress)
    done = linked(summary, rejects)
    if as_json:
        print_json(done)
    else:
        show(*link_summary(done))


def read_sources(texts: list[str], mapping: Path | None, model: "LinkageModel") -> "list[SourceSpec]":
    """Sources as given, each with its mapping. Raises InvalidInputError for a system given twice or unmappable."""
    from mpi.batch.mapping import load_mapping
    from mpi.batch.sources import parse_source
    from mpi.domain.errors import InvalidInputError
    from mpi.domain.records import RECORD_COLUMNS

    inputs = (column for rule in model.fields for column in rule.inputs.values())
    known = list(dict.fromkeys([*RECORD_COLUMNS, *inputs, *(rule.field for rule in model.survivorship)]))
    mappings = load_mapping(mapping, known) if mapping is not None else {}
    specs = [parse_source(text, mappings) for text in texts]
    systems = [spec.system for spec in specs]
    for system in systems:
        if systems.count(system) > 1:
            raise InvalidInputError(f"--source {system}: is given twice; a folder or a glob takes several files")
    for system in mappings.keys() - set(systems):
        raise InvalidInputError(f"{mapping}: maps {system}, but there is no --source {system}=...")
    return specs


def linked(summary: "LinkSummary", rejects: Path) -> dict[str, Any]:
    """The summary as JSON has it: with what was stored by source, and where the rejects are."""
    done = summary.to_dict()
    for system, counts in summary.sources.items():
        done["sources"][system]["stored"] = counts.stored
    return {**done, "rejects_file": str(rejects)}
