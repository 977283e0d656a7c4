"""`mpi rules`: rule families, their checks, cases and training."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mpi.cli.options import DEFAULT_RULES, AsJson, Mapping, RulesName, Seed, Sources, example

if TYPE_CHECKING:
    from mpi.app import App

NamedRules = Annotated[str, typer.Argument(metavar="RULES", help="A folder of rules, a family, or FAMILY@VERSION.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="List, check, try and train rule families.", no_args_is_help=True)
    group.command("list", epilog=example("mpi rules list"))(list_rules)
    group.command(epilog=example("mpi rules check linkage_rules/vn_person/1.0.0"))(check)
    group.command(epilog=example("mpi rules cases vn_person"))(cases)
    group.command(
        epilog=example("mpi rules train --rules vn_person --source student=city/student.parquet --seed 1 --out trained")
    )(train)
    app.add_typer(group, name="rules")


def list_rules(as_json: AsJson = False) -> None:
    """List rule families and versions, the newest first."""
    from mpi.app import App
    from mpi.cli.output import plain_table, print_json, show

    app = App.start()
    found = [
        _listed(app, f"{family}@{each}") for family, versions in app.catalogue().versions().items() for each in versions
    ]
    if as_json:
        print_json(found)
        return
    rows = [[each["rules"], each["status"], "yes" if each["trained"] else "no", each["folder"]] for each in found]
    title = "" if rows else f"no rule families in {app.catalogue().root}"
    show(plain_table(title, ["rules", "status", "trained", "folder"], rows))


def _listed(app: "App", name: str) -> dict[str, Any]:
    """One version; a file with a mistake does not keep the others from being listed."""
    from mpi.domain.errors import MpiError
    from mpi.rules.folders import PARAMETERS
    from mpi.rules.load import load_rule_file

    folder = app.catalogue().find(name)
    try:
        status: str = load_rule_file(folder).status
    except MpiError:
        status = "has mistakes (mpi rules check)"
    return {"rules": name, "status": status, "trained": (folder / PARAMETERS).is_file(), "folder": str(folder)}


def check(rules: NamedRules, as_json: AsJson = False) -> None:
    """Check a rule folder: the file, its parameters and its cases. A mistake is one line, with exit code 2."""
    from mpi.cli.output import print_json

    found = _run_cases(rules)
    if as_json:
        print_json(found)
    else:
        failed = found["failed"]
        told = "no cases" if not found["cases"] else f"{len(found['cases'])} cases, {failed or 'none'} failed"
        typer.echo(f"{found['rules']}: rules and parameters are sound; {told}")
        for case in found["cases"]:
            if not case["passed"]:
                typer.echo(f"  failed: {case['name']}: {case['found']}")
    _exit_if_failed(found)


def cases(rules: NamedRules, as_json: AsJson = False) -> None:
    """Run a rule family's cases and show what was found for each; exit code 2 if one fails."""
    from mpi.cli.output import plain_table, print_json, show

    found = _run_cases(rules)
    if as_json:
        print_json(found)
    else:
        rows = [["passed" if each["passed"] else "FAILED", each["name"], each["found"]] for each in found["cases"]]
        title = f"{found['rules']}: {len(rows)} cases, {found['failed'] or 'none'} failed"
        show(plain_table(title, ["", "case", "found"], rows))
    _exit_if_failed(found)


def _run_cases(rules: str) -> dict[str, Any]:
    from mpi.app import App
    from mpi.rules.cases import CASES, load_cases, run_cases

    chosen = App.start().rules(rules)
    there = (chosen.folder / CASES).is_file()
    results = run_cases(chosen.model, load_cases(chosen.folder, chosen.model)) if there else []
    return {
        "rules": chosen.model.name,
        "digest": chosen.model.digest,
        "failed": sum(not each.passed for each in results),
        "cases": [{"name": each.name, "passed": each.passed, "found": each.found} for each in results],
    }


def _exit_if_failed(found: dict[str, Any]) -> None:
    from mpi.cli.errors import BAD_INPUT

    if found["failed"]:
        raise typer.Exit(BAD_INPUT)


def train(
    source: Sources,
    rules: RulesName = DEFAULT_RULES,
    mapping: Mapping = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE.parquet",
            help="Truth, to take m from: source, source_record_id, person_id.",
            show_default=False,
        ),
    ] = None,
    seed: Seed = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Where to write. Default: the rules' own folder.", show_default=False
        ),
    ] = None,
    pairs: Annotated[int, typer.Option("--pairs", min=1000, metavar="N", help="Pairs to look at.")] = 20_000_000,
    as_json: AsJson = False,
) -> None:
    """Train rules on sources: writes parameters.json and term_frequencies.parquet, and shows the weights.

    Needs no labels. Of more than a million records as many are drawn, by the seed. A released version is not trained
    again in its own folder: copy it to the next version first.
    """
    from mpi.app import App
    from mpi.cli.linking import read_sources
    from mpi.cli.output import print_json, show
    from mpi.cli.progress import Reporter
    from mpi.cli.weights_shown import training_parts, training_values
    from mpi.domain.errors import InvalidInputError
    from mpi.rules.load import load_rule_file
    from mpi.services.train_rules import TrainingRequest, train_rules

    chosen = App.start().rules(rules, trained=False)
    if out is None and load_rule_file(chosen.folder).status == "released":
        raise InvalidInputError(
            f"{chosen.model.name} is released and never changes: give --out, or train its next version"
        )
    specs = read_sources(source, mapping, chosen.model)
    request = TrainingRequest(specs, chosen.required_columns, out or chosen.folder, seed, labels, pairs)
    with Reporter("training") as progress:
        done = train_rules(chosen.model, request, progress=progress)
    if as_json:
        print_json(training_values(done))
    else:
        show(*training_parts(done))
