"""`mpi synth` and `mpi demo`: a made-up city, and the whole walk through it."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mpi.cli.options import DEFAULT_RULES, AsJson, Persons, RulesName, Seed, example

if TYPE_CHECKING:
    from mpi.app import App
    from mpi.cli.progress import Reporter

_MARK = ".mpi-demo"
"""A file in a folder that a demo made and may empty again."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog=example("mpi synth city --persons 10000 --seed 1"))(synth)
    app.command(epilog=example("mpi demo --persons 50000 --out demo"))(demo)


def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the city's files; made if it is not there.")],
    persons: Persons = 10_000,
    seed: Seed = 1,
    habits: Annotated[
        Literal["default", "rough", "harsh"],
        typer.Option(
            "--habits", help="How the sources err; rough: other ways, and more; harsh: many slips on one record."
        ),
    ] = "default",
    as_json: AsJson = False,
) -> None:
    """Make up a city: people, households and four sources' records of them, with the truth."""
    from mpi.cli.output import plain_table, print_json, show
    from mpi.cli.progress import Reporter
    from mpi.synthetic.city import generate_city
    from mpi.synthetic.habits import HABITS

    with Reporter("making the city") as progress:
        city = generate_city(out, persons=persons, seed=seed, habits=HABITS[habits], progress=progress)
    if as_json:
        print_json(city)
        return
    rows = [(source, records, str(city.files[source])) for source, records in city.records.items()]
    rows.append(("truth", sum(city.records.values()), str(city.files["truth"])))
    title = f"A city of {city.persons:,} people in {city.households:,} households, seed {seed}"
    show(plain_table(title, ["file", "records", "path"], rows))


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for all that the demo makes.")] = Path(
        "demo"
    ),
    persons: Persons = 50_000,
    seed: Seed = 2026,
    rules: RulesName = DEFAULT_RULES,
    as_json: AsJson = False,
) -> None:
    """Make a city, link it into a new SQLite registry and measure the people against the truth.

    A folder of an earlier demo is begun anew; any other folder that holds something is refused.
    """
    from mpi.app import App
    from mpi.cli.output import print_json, show
    from mpi.cli.progress import Reporter
    from mpi.cli.summaries import demo_summary

    app = App.start()
    _prepare(out)
    with Reporter("demo") as progress:
        done = _walk(app, out, progress, persons=persons, seed=seed, rules=rules)
    if as_json:
        print_json(done)
    else:
        show(*demo_summary(done, out))


def _prepare(out: Path) -> None:
    """An empty folder with the demo's mark. Raises InvalidInputError for a folder that holds something else."""
    from mpi.domain.errors import InvalidInputError

    if out.is_dir() and any(out.iterdir()):
        if not (out / _MARK).is_file():
            raise InvalidInputError(f"{out}: is not empty and no demo made it; name another folder with --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).write_text("mpi demo made this folder and will empty it when it is run again.\n", encoding="utf-8")


def _walk(app: "App", out: Path, progress: "Reporter", *, persons: int, seed: int, rules: str) -> dict[str, Any]:
    """The demo itself: what each of its commands would give as JSON."""
    from mpi.batch.sources import SourceSpec
    from mpi.cli.linking import linked
    from mpi.cli.progress import COMPILING
    from mpi.services.compile_kernels import compile_kernels
    from mpi.services.evaluate import evaluate_registry
    from mpi.services.export import export_cross_references, export_review_tasks
    from mpi.services.link import LinkRequest, link_sources
    from mpi.synthetic.city import generate_city

    chosen = app.rules(rules)
    city = generate_city(out / "city", persons=persons, seed=seed, progress=progress)
    compile_kernels(chosen.model, lambda: progress(COMPILING, 0, 0))
    specs = [SourceSpec(source, str(city.files[source])) for source in city.records]
    rejects = out / "rejects.parquet"
    with app.open_registry(f"sqlite:///{out}/registry.db", create=True) as registry:
        request = LinkRequest(specs, chosen.required_columns, rejects)
        summary = link_sources(registry, chosen.model, request, progress=progress)
        progress("comparing with the truth", 0, 2)
        truth = city.files["truth"]
        evaluations = {
            "evaluation": evaluate_registry(registry, truth, review_answered=False).to_dict(),
            "evaluation_review_answered": evaluate_registry(registry, truth, review_answered=True).to_dict(),
        }
        progress("comparing with the truth", 2, 2)
        files = {"cross_references": out / "people.parquet", "review_tasks": out / "review-tasks.parquet"}
        export_cross_references(registry, files["cross_references"])
        export_review_tasks(registry, files["review_tasks"])
    made = {"persons": city.persons, "households": city.households, "records": dict(city.records), "seed": seed}
    exports = {name: str(path) for name, path in files.items()}
    return {"city": made, "link": linked(summary, rejects), **evaluations, "exports": exports}
