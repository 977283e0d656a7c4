"""`mpi serve`: the identity service over gRPC, in as many processes as wanted, and the stewards' desk over HTTP."""

import gc
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mpi.cli.desk import NAME as DESK
from mpi.cli.desk import Wanted, desk_port, desk_role
from mpi.cli.options import DEFAULT_RULES, AsJson, Db, RulesName, example
from mpi.cli.ports import parts, port_held

if TYPE_CHECKING:
    from mpi.rpc.worker import Serving
    from mpi.rpc.workers import Role

_COMPILING = "compiling the kernels: a minute or so, once"
_METRICS = "metrics"
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def add_to(app: typer.Typer) -> None:
    """Add the command of this file."""
    examples = (
        "mpi serve --db sqlite:///registry.db --rpc 127.0.0.1:50051 --workers 2",
        "mpi serve --db sqlite:///registry.db --http 127.0.0.1:8080",
    )
    app.command(epilog=example(*examples))(serve)


def serve(  # noqa: PLR0913 (options of a command)
    db: Db = None,
    rules: RulesName = DEFAULT_RULES,
    rpc: Annotated[
        str, typer.Option("--rpc", metavar="HOST:PORT", help="Where to answer gRPC; port 0 takes a free one.")
    ] = "127.0.0.1:50051",
    workers: Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes, all on that port.")] = 1,
    threads: Annotated[
        int, typer.Option("--threads", min=1, max=256, metavar="N", help="Single calls at once, each process.")
    ] = 16,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="HOST:PORT", help="Where Prometheus may ask.", show_default=False),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option("--http", metavar="HOST:PORT", help="Where the stewards' desk answers.", show_default=False),
    ] = None,
    http_tls_cert: Annotated[
        Path | None,
        typer.Option("--http-tls-cert", metavar="FILE.pem", help="The desk's certificate.", show_default=False),
    ] = None,
    http_tls_key: Annotated[
        Path | None, typer.Option("--http-tls-key", metavar="FILE.pem", help="Its key.", show_default=False)
    ] = None,
    reflection: Annotated[
        bool, typer.Option("--reflection/--no-reflection", help="Tell callers what the service looks like.")
    ] = False,
    grace: Annotated[
        float, typer.Option("--grace", min=0.0, metavar="SECONDS", help="How long open calls may go on at the end.")
    ] = 30.0,
    create: Annotated[bool, typer.Option("--create", help="Make the registry if there is none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer "who is this?" over gRPC, and serve the desk, until SIGTERM or Ctrl-C comes; open calls are then finished.

    Prints one line once it is ready. A second signal ends it at once: what was acknowledged is written.
    """
    from mpi.app import App
    from mpi.matching.scorer import Scorer

    gc.disable()  # Looking through what is being loaded, which all stays, costs a quarter of the start.
    app = App.start()
    answered_at = parts(rpc, "--rpc")
    counted_at = None if metrics is None else parts(metrics, "--metrics")
    wanted_desk = Wanted(http, http_tls_cert, http_tls_key)
    chosen = app.rules(rules)
    with port_held(*answered_at) as address, desk_port(wanted_desk) as browsed_at, _metrics_folder():
        # Only from here on may mpi.rpc be imported: metrics find their folder then.
        from mpi.rpc.server import Limits
        from mpi.rpc.warm_up import warm_up
        from mpi.rpc.worker import Serving
        from mpi.services.index_keys import check_keys
        from mpi.services.notice_compiling import noticing

        scorer = Scorer(chosen.model)
        with app.open_registry(db, create=create) as registry:
            check_keys(registry, scorer)
        with noticing(lambda: typer.echo(_COMPILING, err=True)):
            warm_up(scorer, chosen.folder)
        gc.enable()
        serving = Serving(
            scorer=scorer,
            open_registry=partial(app.open_registry, db, create=False, single_records=True),
            address=address,
            limits=Limits(threads=threads),
            reflected=reflection,
            grace=grace,
        )
        roles = _roles(serving, workers, counted_at)
        if browsed_at is not None:
            roles.append(desk_role(wanted_desk, browsed_at, scorer, serving.open_registry, grace=grace))
        code = _run(roles, serving, as_json=as_json)
    if code:
        raise typer.Exit(code)


def _roles(serving: "Serving", workers: int, counted_at: tuple[str, int] | None) -> "list[Role]":
    """What each process does: workers first, then who tells the metrics."""
    from mpi.rpc.exporter import export
    from mpi.rpc.worker import serve as serve_in_worker
    from mpi.rpc.workers import Role

    roles = [Role(f"worker {number}", partial(serve_in_worker, serving)) for number in range(1, workers + 1)]
    if counted_at is not None:
        roles.append(Role(_METRICS, partial(export, *counted_at, os.environ[_METRICS_FOLDER])))
    return roles


def _run(roles: "Sequence[Role]", serving: "Serving", *, as_json: bool) -> int:
    """Keep the processes running until a signal comes; the exit code."""
    from mpi.rpc.exporter import forget
    from mpi.rpc.workers import Workers

    def tell(lines: Sequence[str]) -> None:
        from mpi.cli.output import print_json

        said = dict(zip((role.name for role in roles), lines, strict=True))
        metrics, desk = said.pop(_METRICS, None), said.pop(DESK, None)
        told = {"rpc": serving.address, "workers": len(said), "rules": serving.scorer.model.name}
        if as_json:
            print_json({**told, "metrics": metrics, "http": desk})
        else:
            where = "".join(f", {word} at {at}" for word, at in (("metrics", metrics), ("desk", desk)) if at)
            typer.echo(f"serving {told['rules']} on {serving.address} with {len(said)} workers{where}")

    return Workers(roles, tell, forget, serving.grace).run()


@contextmanager
def _metrics_folder() -> Iterator[None]:
    """A folder in which all processes count, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="mpi-metrics-") as folder:
        os.environ[_METRICS_FOLDER] = folder
        yield
