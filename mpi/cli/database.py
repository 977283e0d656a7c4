"""`mpi db` and `mpi runs`: the state of a registry."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from mpi.cli.options import DEFAULT_RULES, AsJson, Db, RulesName, example


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog=example("mpi runs --db sqlite:///registry.db"))(runs)
    group = typer.Typer(help="Make, migrate and check a registry.", no_args_is_help=True)
    group.command(epilog=example("mpi db migrate --db postgresql://mpi@localhost/registry"))(migrate)
    group.command(epilog=example("mpi db check --db sqlite:///registry.db"))(check)
    group.command(epilog=example("mpi db index --db sqlite:///registry.db --rules vn_person"))(index)
    app.add_typer(group, name="db")


def migrate(db: Db = None, as_json: AsJson = False) -> None:
    """Make the tables in an empty database, or bring an older registry up to date; else change nothing."""
    from mpi.app import App
    from mpi.cli.output import print_json
    from mpi.registry.migrate import SCHEMA_VERSION

    with App.start().open_registry(db, create=True) as registry:
        name = registry.name
    if as_json:
        print_json({"registry": name, "schema_version": SCHEMA_VERSION})
    else:
        typer.echo(f"{name} has schema {SCHEMA_VERSION}")


def index(db: Db = None, rules: RulesName = DEFAULT_RULES, as_json: AsJson = False) -> None:
    """Make the registry ready for `mpi serve` with these rules: their feature rows and blocking keys for every record.

    `mpi link` leaves a registry ready for the rules that it linked with. This is for a registry that comes from an
    older version, or that is to be served with other rules; it is a bulk run without any source.
    """
    from mpi.app import App
    from mpi.cli.output import print_json
    from mpi.cli.progress import COMPILING, Reporter
    from mpi.services.compile_kernels import compile_kernels
    from mpi.services.link import LinkRequest, link_sources

    app = App.start()
    chosen = app.rules(rules)
    with (
        app.open_registry(db, create=False) as registry,
        TemporaryDirectory() as nothing,
        Reporter("indexing") as progress,
    ):
        request = LinkRequest((), chosen.required_columns, Path(nothing, "rejects.parquet"))
        compile_kernels(chosen.model, lambda: progress(COMPILING, 0, 0))
        summary = link_sources(registry, chosen.model, request, progress=progress)
        name = registry.name
    if as_json:
        print_json({"registry": name, "rules": summary.rules, "records": summary.records, "run_id": summary.run_id})
    else:
        typer.echo(f"{name} is ready to serve {summary.rules}: {summary.records:,} records")


def check(db: Db = None, as_json: AsJson = False) -> None:
    """Read every row and count those that break a rule between tables; exit code 3 if there are any."""
    from mpi.app import App
    from mpi.cli.errors import REGISTRY
    from mpi.cli.output import facts, print_json, show
    from mpi.services.registry_state import check_registry

    with App.start().open_registry(db, create=False) as registry:
        broken = check_registry(registry)
    if as_json:
        print_json({"sound": not broken, "broken_rules": broken})
    elif broken:
        show(facts("Rules that do not hold, and for how many rows", broken))
    else:
        typer.echo("sound: every rule between the tables holds")
    if broken:
        raise typer.Exit(REGISTRY)


def runs(
    db: Db = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List a registry's runs, the newest first."""
    from mpi.app import App
    from mpi.cli.output import moment, plain_table, print_json, show
    from mpi.services.registry_state import list_runs

    with App.start().open_registry(db, create=False) as registry:
        found = list_runs(registry, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            run.run_id,
            run.kind,
            run.status.value,
            moment(run.started_at),
            moment(run.finished_at),
            (run.summary or {}).get("rules", ""),
            *((run.summary or {}).get(name, "") for name in ("records_linked", "people_created", "people")),
            (run.summary or {}).get("given_up", {}).get("message", ""),
        )
        for run in found
    ]
    columns = ["run", "kind", "status", "started", "finished", "rules", "records linked", "people created", "people"]
    if any(row[-1] for row in rows):
        columns.append("given up because")
    show(plain_table("" if rows else "no runs yet", columns, [row[: len(columns)] for row in rows]))
