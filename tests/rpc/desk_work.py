"""A program: warms up as a server does, then works as stewards do, and prints as JSON what had to be compiled for that.

A kernel that is loaded from disk counts like one that is compiled: on a new machine it would have been.
"""

import json
import sys
import tempfile

from numba.core.registry import CPUDispatcher

from mpi.domain.review import TaskKind, Verdict
from mpi.registry.registry import Registry
from mpi.rpc.warm_up import warm_up
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from mpi.services.desk.cluster_view import cluster_view
from mpi.services.desk.pair_view import PairQuestion, pair_view
from mpi.services.desk.search import Question, search
from mpi.services.stewardship.rearrange import preview_merge
from mpi.services.stewardship.unmerge_preview import preview_unmerge
from tests.browser.city import particular_people
from tests.online.desk import Desk
from tests.registries import SECRET
from tests.services.stewardship.stewards import HOA, LAN, Stewards
from tests.services.stored import SCORER


def compiled() -> dict[str, int]:
    """How many kinds of arguments every kernel is compiled for, by its name."""
    found = (value for module in list(sys.modules.values()) for value in vars(module).values())
    kernels = {each for each in found if isinstance(each, CPUDispatcher)}
    return {f"{each.py_func.__module__}.{each.py_func.__name__}": len(each.signatures) for each in kernels}


def work(registry: Registry) -> None:
    """Look at tasks and people, decide, take back."""
    particular_people(Desk(registry, SCORER))
    stewards = Stewards(Desk(registry, SCORER))
    rules = stewards.desk.rules
    for task in stewards.tasks():
        if task.record_b is not None:
            pair_view(registry, rules, LAN, PairQuestion(task.record_a, task.record_b, task.task_id))
    older, younger = (stewards.id_of(key) or "" for key in ("hospital:BN6", "station:TYT7"))
    search(registry, rules, LAN, Question("Huỳnh Tấn Tú", birth="1988"))
    cluster_view(registry, rules, LAN, older)
    preview_merge(registry, rules, LAN, (older, younger))
    stewards.merge(older, younger, then=HOA)
    preview_unmerge(registry, rules, LAN, younger)
    stewards.unmerge(younger)
    overlay = next(task for task in stewards.tasks() if task.kind is TaskKind.OVERLAY)
    stewards.undo(stewards.settle(overlay, Verdict.DIFFERENT, then=HOA), by=HOA)


def main() -> None:
    """Print the kernels that were not ready."""
    warm_up(SCORER, Catalogue(default_root()).find("vn_person"))
    before = compiled()
    with (
        tempfile.TemporaryDirectory() as folder,
        Registry.open(f"sqlite:///{folder}/registry.db", secret=SECRET, create=True) as registry,
    ):
        work(registry)
    sys.stdout.write(json.dumps(sorted(name for name, kinds in compiled().items() if kinds > before.get(name, 0))))


if __name__ == "__main__":
    main()
