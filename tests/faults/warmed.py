"""Imported by the fork server alone: links, resolves and decides a little; its children find every kernel loaded."""

import tempfile
from pathlib import Path

from mpi.registry.registry import Registry
from tests.faults import deciding
from tests.faults.resolving import arrivals, make_known
from tests.online.desk import Desk
from tests.registries import SECRET
from tests.services.linking import link_rows, row

with (
    tempfile.TemporaryDirectory() as _folder,
    Registry.open(f"sqlite:///{_folder}/registry.db", secret=SECRET, create=True) as _registry,
):
    link_rows(_registry, Path(_folder) / "sources", a=[row("1", name="an", phone="0903718264"), row("2", name="an")])
    make_known(_registry, Path(_folder) / "known")
    Desk(_registry).resolver.resolve(arrivals())

deciding.warm()
