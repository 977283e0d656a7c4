"""The parts of scenario `online`: what is kept back, the load generator over a real socket, the bare database."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psycopg
import pyarrow.parquet as pq
import pytest

from benchmarks import cities
from benchmarks.cities import City, city
from benchmarks.online import bare, load, registries, warm
from benchmarks.online.messages import ECHO, messages_of
from benchmarks.online.server import echoing, histogram
from benchmarks.online.split import Split, split
from benchmarks.scenarios import online
from mpi.domain.records import RecordKey, SourceRecord
from mpi.registry.migrate import migrate
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret
from mpi.rpc.calls import Handler
from mpi.services.neighbourhood import OnlineRules
from mpi.services.resolution import ResolveRequest
from mpi.services.resolve import Resolver
from tests.postgres import PostgresServer, postgres_server
from tests.services.stored import SCORER


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, Split]]:
    """A small city with a quarter of its records kept back."""
    with pytest.MonkeyPatch.context() as patch:
        work = tmp_path_factory.mktemp("work")
        patch.setattr(cities, "WORK", work)
        patch.setattr(registries, "WORK", work)
        small = city(2_000, seed=5)
        yield small, split(small, 0.25)


@contextmanager
def _answering(answer: Callable[[bytes, grpc.ServicerContext], bytes], threads: int) -> Iterator[str]:
    """A server that answers `Echo` in a way of its own; gives its address."""
    server = grpc.server(ThreadPoolExecutor(threads))
    method: Handler = grpc.unary_unary_rpc_method_handler(answer)
    service, name = ECHO.strip("/").split("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


def _load(target: str, parts: Split, **given: Any) -> dict[str, Any]:
    usual = {"verb": "Echo", "way": "closed", "clients": 1, "warm_up": 0.0, "seconds": 0.6, "first": 0, "most": 50}
    return load.main(usual | {"target": target, "unseen": str(parts.unseen), "again": True} | given)


def test_a_split_loses_nothing_and_keeps_values(made: tuple[City, Split]) -> None:
    whole, parts = made
    unseen = messages_of(parts.unseen, 0, parts.unseen_records)
    back = {(each.key.source_system, each.key.source_record_id): each for each in unseen}
    assert 0.2 < len(back) / whole.records < 0.3
    for source, path in whole.sources.items():
        seen = {row["source_record_id"] for row in pq.read_table(parts.sources[source]).to_pylist()}
        for row in pq.read_table(path).to_pylist():
            message = back.get((source, row["source_record_id"]))
            assert (message is None) == (row["source_record_id"] in seen)
            if message is not None:
                assert message.full_name == (row["full_name"] or "")
                assert message.recorded_at == (row["recorded_at"] or "")


def test_unseen_records_of_all_sources_come_mixed(made: tuple[City, Split]) -> None:
    whole, parts = made
    first = {each.key.source_system for each in messages_of(parts.unseen, 0, 60)}
    assert first == set(whole.sources)


def test_arrivals_come_at_their_rate_by_chance() -> None:
    moments = np.array(load.arrivals(200.0, 60.0))
    assert len(moments) == pytest.approx(12_000, rel=0.05)
    gaps = np.diff(moments)
    assert (gaps > 0).all()
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert moments[-1] < 60.0


def test_closed_clients_wait_for_their_answers(made: tuple[City, Split]) -> None:
    def slowly(data: bytes, _context: grpc.ServicerContext) -> bytes:
        time.sleep(0.02)
        return data

    with _answering(slowly, threads=8) as target:
        found = _load(target, made[1], clients=4)
    assert found["calls"] <= 4 * 31
    assert found["calls"] > 20
    assert found["ms"]["p50"] >= 20
    assert found["per_second"] == pytest.approx(found["calls"] / 0.6, rel=0.2)
    assert found["errors"] == {}


def test_open_loop_counts_the_waiting_that_slowness_causes(made: tuple[City, Split]) -> None:
    def slowly(data: bytes, _context: grpc.ServicerContext) -> bytes:
        time.sleep(0.02)
        return data

    # One thread serves 50 calls a second; 150 come. A closed client would see 20 ms and nothing else.
    with _answering(slowly, threads=1) as target:
        found = _load(target, made[1], way="open", clients=2, rate=150)
    expected = len(load.arrivals(150, 0.6))
    assert found["calls"] == found["records_used"] == expected
    assert found["ms"]["p99"] > 0.5 * expected * 20 - 600
    assert found["ms"]["p99"] > 10 * 20


def test_warming_up_is_not_counted(made: tuple[City, Split]) -> None:
    with _answering(lambda data, _context: data, threads=2) as target:
        found = _load(target, made[1], way="open", rate=100, warm_up=0.5, seconds=0.5)
    moments = load.arrivals(100, 1.0)
    assert found["records_used"] == len(moments)
    assert found["calls"] == sum(moment >= 0.5 for moment in moments)


def test_refused_and_failed_calls_are_told_apart(made: tuple[City, Split]) -> None:
    turn = iter(range(10**9))
    lock = threading.Lock()

    def third(data: bytes, context: grpc.ServicerContext) -> bytes:
        with lock:
            at = next(turn) % 3
        if at == 1:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
        if at == 2:
            context.abort(grpc.StatusCode.INTERNAL, "broken")
        return data

    with _answering(third, threads=2) as target:
        found = _load(target, made[1], way="open", rate=100)
    total = found["records_used"]
    assert found["calls"] + found["refused"] + found["errors"]["INTERNAL"] == total
    assert abs(found["refused"] - total // 3) <= 1
    assert list(found["errors"]) == ["INTERNAL"]


def test_the_echo_answers_with_the_message(made: tuple[City, Split]) -> None:
    with echoing() as server:
        found = _load(server.target, made[1], clients=2, seconds=0.3)
        assert server.memory_mb()[0]["resident"] > 10
        assert server.processor_seconds() > 0
    assert found["calls"] > 20
    assert server.process.returncode == 0


def test_quantiles_of_a_histogram_lie_between_its_bounds() -> None:
    def samples(below: dict[str, int], total: float) -> dict[tuple[str, str, str], float]:
        found = {("s_bucket", "Match", bound): float(count) for bound, count in below.items()}
        return {**found, ("s_count", "Match", ""): float(below["+Inf"]), ("s_sum", "Match", ""): total}

    before = samples({"1": 10, "2": 10, "+Inf": 10}, 1.0)
    after = samples({"1": 50, "2": 108, "+Inf": 110}, 101.0)
    found = histogram(before, after, "s", "Match")
    assert found["count"] == 100
    assert found["mean"] == 1.0
    assert found["p50"] == pytest.approx(1 + 10 / 58)
    assert found["p99"] == 2.0
    assert histogram(after, after, "s", "Match") == {"count": 0}


_PEOPLE = [("Nguyễn Văn An", "01/02/1980", "001080000123"), ("Trần Thị Bích", "05/11/1991", "001191000456")]


def _resolve(url: str, first: int, count: int) -> None:
    """Register records of two people; the same source knows each of them many times."""
    with Registry.open(url, secret=RegistrySecret(bytes(range(16))), create=False) as registry:
        resolver = Resolver(registry, OnlineRules(SCORER, registry.secret))
        for at in range(first, first + count):
            name, born, number = _PEOPLE[at % 2]
            values = {"full_name": name, "birth_date": born, "citizen_id": number}
            asked = ResolveRequest(
                f"request-{at}", b"", SourceRecord(RecordKey("desk", str(at)), values), lambda _: b""
            )
            assert resolver.resolve([asked]) == [b""]


def test_the_bare_database_gets_the_rows_of_its_phase_alone(
    registry_url: str, database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    _resolve(registry_url, 0, 2)
    before = bare.moment(registry_url)
    _resolve(registry_url, 2, 6)
    after = bare.moment(registry_url)
    _resolve(registry_url, 8, 3)
    written = bare.written_between(registry_url, before, after)
    assert written.records == 6
    counts = {name: len(rows) for name, rows in written.rows.items()}
    once = ("link", "record_feature", "recent_blocking_keys", "answered_request")
    assert [counts[name] for name in once] == [6, 6, 6, 6]
    assert counts["person"] == 0
    with _empty_copy(database, request, tmp_path) as (url, count):
        assert bare.insert_again(url, written, 3) > 0
        assert {name: count(name) for name in counts} == counts


@contextmanager
def _empty_copy(
    database: str, request: pytest.FixtureRequest, folder: Path
) -> Iterator[tuple[str, Callable[[str], int]]]:
    """Another registry with nothing in it, and a way to count a table's rows."""
    if database == "sqlite":
        url = f"sqlite:///{folder}/again.db"
        migrate(url)
        with closing(sqlite3.connect(folder / "again.db")) as file:
            yield url, lambda table: _only(file.execute(f"SELECT count(*) FROM {table}"))
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database("again")
    migrate(url)
    with psycopg.connect(url) as connection:
        yield url, lambda table: _only(connection.execute(f"SELECT count(*) FROM {table}".encode()))
    server.drop_database("again")


def _only(cursor: Any) -> int:
    return int(cursor.fetchone()[0])


def test_transactions_share_rows_out_and_tasks_come_after_their_records() -> None:
    task = dict.fromkeys(bare._TASKS.c.keys(), 0)
    rows: dict[str, list[tuple[Any, ...]]] = {
        "source_record": [(number,) for number in range(100, 110)],
        "review_task": [tuple((task | {"record_a": 109, "record_b": 3}).values())],
    }
    parts = bare.Written(rows).parts(5)
    assert [len(part["source_record"]) for part in parts] == [2] * 5
    assert [("review_task" in part) for part in parts] == [False, False, False, False, True]


def test_what_the_hot_path_reads_is_loaded_by_its_indexes(postgres: PostgresServer) -> None:
    url = postgres.create_database("warm")
    migrate(url)
    _resolve(url, 0, 4)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        for statement in warm._BY_INDEX:
            connection.execute(statement.encode())
        wanted = warm.queries()
        assert {"pk_blocking_key_page", "pk_record_feature", "uq_source_record_key", "ix_link_person"} < wanted.keys()
        for index, query in wanted.items():
            plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {query}".encode()))
            alone = "Only " if index.endswith("_event") or "_event_" in index else ""
            assert f"Index {alone}Scan using {index} on" in plan, plan
    before = _read_by_index(url)
    warm.load_postgres(url)
    assert all(after > count for after, count in zip(_read_by_index(url), before, strict=True))
    postgres.drop_database("warm")


def _read_by_index(url: str) -> list[int]:
    """How many rows of some tables were fetched by indexes so far."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        fetched = "SELECT idx_tup_fetch FROM pg_stat_user_tables WHERE relname IN ('link', 'record_feature')"
        return [int(count) for (count,) in connection.execute(f"{fetched} ORDER BY relname".encode())]


def test_a_server_has_the_settings_that_it_is_given() -> None:
    with (
        postgres_server(durable=False, settings={"shared_buffers": "24MB", "cluster_name": "two words"}) as server,
        psycopg.connect(server.url()) as connection,
    ):
        assert _shown(connection, "shared_buffers") == "24MB"
        assert _shown(connection, "cluster_name") == "two words"


def _shown(connection: "psycopg.Connection[Any]", name: str) -> str:
    row = connection.execute(f"SHOW {name}".encode()).fetchone()
    return str(row[0]) if row else ""


def test_files_are_read_to_their_ends(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(bytes(9 << 20))
    (tmp_path / "registry.db-wal").write_bytes(bytes(100))
    (tmp_path / "other").write_bytes(bytes(5))
    assert warm.read_files(tmp_path, "registry.db*") == (9 << 20) + 100


def test_a_course_measures_every_phase(made: tuple[City, Split], monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = made
    monkeypatch.setattr(online, "RATES", (50,))
    registry = registries.kept(whole, parts, "sqlite")
    size = online.Size(whole.persons, 0.25, warm_up=0.1, seconds=0.4, for_matching=60, items=60)
    course = online._course(registry, parts, size, 1)
    verbs = [(phase["verb"], phase["way"]) for phase in course["phases"]]
    assert verbs == [
        ("Echo", "closed"),
        *(("Match", way) for way in ("closed", "open", "closed")),
        *(("Resolve", "closed") for _ in range(3)),
        ("BatchResolve", "stream"),
    ]
    for phase in course["phases"]:
        assert phase["calls"] > 0
        assert phase["errors"] == {}
        assert phase["refused"] == 0
        assert phase["processor_ms_a_call"]["server"] > 0
        if phase["verb"] == "Match":
            assert phase["calls"] / 4 < phase["server_ms"]["count"] <= phase["records_used"]
            assert phase["outcomes"]["match"] > phase["outcomes"].get("no_match", 0) > 0
    matches = [phase for phase in course["phases"] if phase["verb"] == "Match"]
    # Those that warmed up are not among them.
    assert sum(each["server_ms"]["count"] for each in matches) < sum(each["records_used"] for each in matches)
    for phase in course["phases"][-4:]:
        assert phase["bare"]["records"] == phase["records_used"]
        assert phase["bare"]["per_second"] > 0
    assert course["memory_mb"]["after"][0]["resident"] > course["memory_mb"]["after"][0]["proportional"] > 0
    assert registry.folder.joinpath("registry.db").exists()
    assert registries.kept(whole, parts, "sqlite") == registry
