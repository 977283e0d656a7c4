"""Scenario `link`: the whole of `mpi link`, Parquet files to people in a registry, at sizes far apart."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.cities import City, city
from benchmarks.places import WORK
from benchmarks.processes import run_worker
from benchmarks.scenario import Context, Result, Tier, log, rules_entry, trained_model
from tests.postgres import PostgresUnavailableError, postgres_server

SEED = 6001
PERSONS = {
    Tier.QUICK: (27_000, 108_000),
    Tier.FULL: (108_000, 1_000_000),
    Tier.LARGEST: (108_000, 1_000_000, 5_000_000),
}
"""People in the cities linked: about 200 thousand, 1.85 million and 9.2 million records."""

POSTGRESQL_PERSONS = {Tier.QUICK: 27_000, Tier.FULL: 108_000, Tier.LARGEST: 1_000_000}


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/registry.db"


@contextmanager
def _postgresql(_: Path) -> Iterator[str]:
    with postgres_server() as server:
        yield server.create_database("bench")


REGISTRIES = {"sqlite": _sqlite, "postgresql": _postgresql}


def _linked(made: City, database: str) -> dict[str, Any]:
    folder = WORK / "registries" / f"{database}-{made.persons}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = {system: str(path) for system, path in made.sources.items()}
    log.info("linking %s records into %s", f"{made.records:,}", database)
    try:
        with REGISTRIES[database](folder) as url:
            given = {"url": url, "folder": str(folder)}
            worked = run_worker("benchmarks.run_link", {**given, "work": "link", "sources": sources})
            truth = str(made.folder / "truth.parquet")
            judged = run_worker("benchmarks.run_link", {**given, "work": "judge", "truth": truth})
        size = sum(path.stat().st_size for path in folder.glob("registry.db*"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = worked.figures["seconds"]
    return {
        "database": database,
        "city": made.entry,
        "records": made.records,
        "seconds": seconds,
        "seconds_of_process": worked.seconds,
        "steps": worked.figures["steps"],
        "records_per_second": made.records / seconds,
        "microseconds_a_record": 1e6 * seconds / made.records,
        "peak_memory_mb": worked.peak_mb,
        "registry_bytes_a_record": size / made.records if size else None,
        "candidate_pairs": worked.figures["summary"]["candidate_pairs"],
        "summary": {name: worked.figures["summary"][name] for name in ("people", "review_tasks_open", "capped")},
        "quality": judged.figures,
    }


def run(context: Context) -> Result:
    """The whole of `mpi link` into an empty registry: seconds a step, records a second, peak memory of all processes.

    SQLite at every size of the tier, PostgreSQL (a throw-away server on this machine, durable; its own memory is not
    counted) at one. Seconds are the service's, from opening the registry to the last commit, compiled code in its
    cache. Goals: 1.85 million records under 180 s and 4 GB on two cores; time a record grows by at most 1.3 times from
    200 thousand to 9 million records.
    """
    _linked(city(1_000, seed=SEED), "sqlite")
    sizes = [_linked(city(persons, seed=SEED), "sqlite") for persons in PERSONS[context.tier]]
    growth = {
        "from_records": sizes[0]["records"],
        "to_records": sizes[-1]["records"],
        "ratio": sizes[-1]["microseconds_a_record"] / sizes[0]["microseconds_a_record"],
    }
    missing: dict[str, str] = {}
    try:
        sizes.append(_linked(city(POSTGRESQL_PERSONS[context.tier], seed=SEED), "postgresql"))
    except PostgresUnavailableError as error:
        missing["postgresql"] = str(error)
        log.warning("%s", error)
    return {
        "rules": rules_entry(trained_model()),
        "seed": SEED,
        "sizes": sizes,
        "time_a_record_growth": growth,
        "missing": missing,
    }
