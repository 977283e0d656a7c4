"""Scenario `online`: single records over gRPC against a registry of a whole city, on both databases."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from benchmarks.cities import city
from benchmarks.online import bare, warm
from benchmarks.online.registries import DATABASES, Copied, Kept, copied, kept
from benchmarks.online.server import (
    Running,
    database_seconds,
    echoing,
    histogram,
    samples_of,
    serving,
)
from benchmarks.online.split import Split, split
from benchmarks.processes import run_worker
from benchmarks.scenario import Context, Result, Tier, log, rules_entry, trained_model
from tests.postgres import PostgresUnavailableError

SEED = 6001
WORKERS = (1, 2)
RATES = (50, 100, 200)
CLIENTS = 16
MANY_CLIENTS = 64

WRITING: tuple[dict[str, Any], ...] = (
    {"way": "closed", "clients": 1},
    {"way": "closed", "clients": CLIENTS},
    {"way": "closed", "clients": MANY_CLIENTS},
    {"way": "stream", "verb": "BatchResolve"},
)
"""The phases that use unseen records up, in their order."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked: people of the city and the share of its records kept back; seconds of warming up and of
    counting; unseen records for `Match` (they are never registered), and items of one stream."""

    persons: int
    share: float
    warm_up: float
    seconds: float
    for_matching: int
    items: int


SIZES = {
    Tier.QUICK: Size(27_000, 0.25, 1.0, 3.0, 2_000, 2_500),
    Tier.FULL: Size(1_030_000, 0.05, 3.0, 12.0, 15_000, 20_000),
}
SIZES[Tier.LARGEST] = SIZES[Tier.FULL]


@dataclass(slots=True)
class _Course:
    """One course of phases against one server of a copied registry: who has been asked about so far, and what came of
    it."""

    size: Size
    parts: Split
    server: Running
    copy: Copied
    next_unseen: int
    phases: list[dict[str, Any]] = field(default_factory=list)

    def match(self, **given: Any) -> dict[str, Any]:
        """Calls that write nothing."""
        return self._phase(
            self.server, {"verb": "Match", "first": 0, "most": self.size.for_matching, "again": True} | given
        )

    def resolve(self, *, sharing: int, **given: Any) -> dict[str, Any]:
        """Calls that use unseen records up. What the stream needs is left for it; so many phases share the rest."""
        left = self.parts.unseen_records - self.next_unseen
        most = self.size.items if given["way"] == "stream" else (left - self.size.items) // sharing
        usual = {"verb": "Resolve", "first": self.next_unseen, "most": most, "again": False}
        phase = self._phase(self.server, usual | given)
        self.next_unseen += phase["records_used"]
        return phase

    def echo(self) -> dict[str, Any]:
        """The floor, of a server of its own."""
        with echoing() as server:
            given = {"verb": "Echo", "first": 0, "most": self.size.for_matching, "again": True, "way": "closed"}
            return self._phase(server, given | {"clients": 1})

    def _phase(self, server: Running, given: dict[str, Any]) -> dict[str, Any]:
        clock = {"warm_up": self.size.warm_up, "seconds": self.size.seconds}
        places = {"target": server.target, "metrics": server.metrics_url, "unseen": str(self.parts.unseen)}
        asked = clock | places | given
        self.copy.keep_warm()
        before = server.samples(), server.processor_seconds(), database_seconds(self.copy.server)
        found = run_worker("benchmarks.online.load", asked).figures
        after = server.samples(), server.processor_seconds(), database_seconds(self.copy.server)
        told = found.pop("metrics_when_warm")
        warmed = before[0] if told is None else samples_of(told)
        calls = max(found["records_used"], 1)
        phase = {
            **{name: asked[name] for name in ("verb", "way", "clients", "rate") if name in asked},
            **found,
            "processor_ms_a_call": {
                "server": 1e3 * (after[1] - before[1]) / calls,
                "database": 1e3 * (after[2] - before[2]) / calls,
                "generator": 1e3 * found["processor_seconds"] / calls,
            },
            "server_ms": _in_ms(histogram(warmed, after[0], "mpi_rpc_seconds", asked["verb"])),
            "gathered": histogram(before[0], after[0], "mpi_gathered_resolves"),
            "candidates": histogram(before[0], after[0], "mpi_candidate_records", asked["verb"].removeprefix("Batch")),
        }
        self.phases.append(phase)
        return phase


def _in_ms(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value if name == "count" else 1e3 * value for name, value in figures.items()}


def _course(registry: Kept, parts: Split, size: Size, workers: int) -> dict[str, Any]:
    """Every phase against one number of workers, on a copy of the registry, and then the bare database on another."""
    log.info("%s, %s workers", registry.database, workers)
    with copied(registry) as copy:
        with serving(copy, workers) as server:
            course = _Course(size, parts, server, copy, size.for_matching)
            before = server.memory_mb()
            course.echo()
            course.match(way="closed", clients=1)
            for rate in RATES:
                course.match(way="open", clients=CLIENTS, rate=rate)
            course.match(way="closed", clients=CLIENTS)
            moments = [bare.moment(copy.url)]
            writing = []
            for sharing, given in zip(range(len(WRITING) - 1, -1, -1), WRITING, strict=True):
                writing.append(course.resolve(sharing=sharing, **given))
                moments.append(bare.moment(copy.url))
            after = server.memory_mb()
        written = [bare.written_between(copy.url, *ends) for ends in pairwise(moments)]
    with copied(registry) as copy:
        for phase, rows in zip(writing, written, strict=True):
            phase["bare"] = _bare(copy, rows, phase["gathered"]["count"])
    return {
        "database": registry.database,
        "workers": workers,
        "seconds_to_ready": server.seconds_to_ready,
        "memory_mb": {"before": before, "after": after},
        "phases": course.phases,
    }


def _bare(copy: Copied, rows: bare.Written, transactions: int) -> dict[str, Any]:
    seconds = bare.insert_again(copy.url, rows, transactions)
    return {
        "records": rows.records,
        "transactions": transactions,
        "rows_a_record": sum(map(len, rows.rows.values())) / rows.records,
        "per_second": rows.records / seconds,
    }


def run(context: Context) -> Result:
    """Single records over gRPC against a registry of a whole city: Match, Resolve and BatchResolve on both databases.

    `mpi serve` as its command starts it, with one worker and with two, is called by a load generator in a process of
    its own (grpc.aio) with records that the registry has not seen. The echo is the floor: the same message, the same
    kind of server, nothing done; the bare database is the ceiling of writing: the same rows, as many commits, the
    driver alone. Everything shares this machine: generator, server, database. Goals, at 1 million people: Match within
    1 ms on SQLite and 1.5 ms on PostgreSQL in the server (p50; p99 within 5 ms) and within 3 times the echo end to end
    at one client; Resolve 1,000 a second on PostgreSQL with 16 clients, p99 within 50 ms; BatchResolve 4,000 records
    a second; 500 MB a server process; ready within 3 s.

    Databases are warm, as those of a server that has run for a while are, because files that were copied a moment ago
    would show how fast this machine reads files. What the hot path reads of PostgreSQL is loaded into its own memory
    before a course; that is a quarter of the machine's, at most 4 GB, as its documentation advises for a server of its
    own, and all its other settings are those that it comes with. SQLite's file is read from end to end before every
    phase, so that the system has it in memory; SQLite's own memory is as small as the service makes it. The service
    itself starts cold: its first calls in a phase (plans, connections, the keys of recent records) are not counted,
    neither by the generator nor in the server's time.
    """
    size = SIZES[context.tier]
    made = city(size.persons, seed=SEED)
    parts = split(made, size.share)
    courses: list[dict[str, Any]] = []
    registries: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for database in DATABASES:
        try:
            registry = kept(made, parts, database)
            registries[database] = registry.summary
            courses += [_course(registry, parts, size, workers) for workers in WORKERS]
        except PostgresUnavailableError as error:
            missing[database] = str(error)
            log.warning("%s", error)
    return {
        "rules": rules_entry(trained_model()),
        "seed": SEED,
        "city": made.entry | {"kept_back": parts.unseen_records},
        "registries": registries,
        "settings": {"postgresql": warm.postgres_settings()},
        "courses": courses,
        "missing": missing,
    }
