"""Compiles the kernels once, in one process, before tests in several processes would each compile them for themselves.

What is compiled stays on disk: where it is all there this takes some seconds.
"""

import typer

from mpi.matching.scorer import Scorer
from mpi.rpc.warm_up import warm_up
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from mpi.rules.load import load_model
from mpi.services.compile_kernels import compile_kernels


def main() -> None:
    """Compile what is not on disk yet."""
    folder = Catalogue(default_root()).find("vn_person")
    model = load_model(folder)
    compile_kernels(model, lambda: typer.echo("compiling the kernels: a minute or so, once"))
    warm_up(Scorer(model), folder)


if __name__ == "__main__":
    main()
