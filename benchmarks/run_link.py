"""Worker of scenario `link`: `mpi link` as its command does it, on a city's files, into a registry by URL.

Run alone: `python -m benchmarks.run_link GIVEN.json GAVE.json`; it depends on the service, not on the command line.
"""

import logging
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.processes import worker
from benchmarks.scenario import KEY, rules_folder, trained_model
from mpi.batch.evaluate import evaluate
from mpi.batch.sources import parse_source
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret
from mpi.rules.load import load_rule_file
from mpi.services.export import export_cross_references, export_review_tasks
from mpi.services.link import LinkRequest, link_sources


def _link(given: dict[str, Any]) -> dict[str, Any]:
    model = trained_model()
    required = tuple(load_rule_file(rules_folder(model.family)).required_columns)
    sources = [parse_source(f"{system}={path}") for system, path in given["sources"].items()]
    request = LinkRequest(sources, required, Path(given["folder"]) / "rejects.parquet")
    start = time.perf_counter()
    with Registry.open(given["url"], secret=RegistrySecret(KEY), create=True) as registry:
        opened = time.perf_counter() - start
        summary = link_sources(registry, model, request).to_dict()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "steps": {"opening the registry": opened, **summary["seconds"]}, "summary": summary}


def _judge(given: dict[str, Any]) -> dict[str, Any]:
    """Figures of the people in a registry against the truth; not timed."""
    people, tasks = (str(Path(given["folder"]) / name) for name in ("people.parquet", "tasks.parquet"))
    with Registry.open(given["url"], secret=RegistrySecret(KEY), create=False) as registry:
        export_cross_references(registry, people)
        open_tasks = export_review_tasks(registry, tasks)
    truth = pq.read_table(given["truth"])
    found, questions = pq.read_table(people), pq.read_table(tasks)
    automatic, answered = evaluate(found, truth), evaluate(found, truth, answered=questions)
    return {
        "people": automatic.to_dict(),
        "review_answered": answered.to_dict(),
        "tasks_share": open_tasks / max(automatic.records, 1),
    }


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`work`: "link" or "judge"; `url`, `folder`; `sources` (files by system) or `truth`."""
    logging.disable(logging.INFO)
    return _link(given) if given["work"] == "link" else _judge(given)


if __name__ == "__main__":
    worker(main)
