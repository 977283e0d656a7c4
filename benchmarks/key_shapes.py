"""`python -m benchmarks.key_shapes [--persons N]`: the same blocking keys in tables of several shapes, for ADR 13.

Seconds to load, bytes on disk, microseconds to look up the keys of a record that is not there and to add them, warm. A
look-up between two commits finds keys in the database that its process has not seen yet.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks import tables
from benchmarks.cities import city, standard_records
from benchmarks.environment import describe_environment
from benchmarks.key_tables import (
    Keys,
    PostgresGin,
    PostgresPages,
    PostgresRecent,
    PostgresRows,
    Shape,
    SqlitePages,
    SqliteRecent,
    SqliteRows,
)
from benchmarks.places import WORK
from benchmarks.scenario import KEY, RESULTS, log, rules_entry, trained_model, write_json
from mpi.batch.tables import columns_of_table
from mpi.matching.blocking import blocking_plan
from mpi.matching.scorer import Scorer
from mpi.matching.sorting import sort_by_code
from mpi.matching.stored_keys import stored_keys
from tests.postgres import postgres_server

SQLITE_SHAPES = (SqliteRows, SqlitePages, SqliteRecent)
POSTGRES_SHAPES = (PostgresRows, PostgresGin, PostgresPages, PostgresRecent)

SEED = 6001
UNSEEN = 3_000
"""Records that are kept back, to be looked up and then added."""

WARM_UP = 500
TOGETHER = 16
"""Records that are added in one transaction."""


def keys_of_city(persons: int) -> Keys:
    """The stored keys of a city's records."""
    model = trained_model()
    scorer = Scorer(model)
    path = standard_records(city(persons, seed=SEED), model)
    plan = blocking_plan(model, scorer.layout)
    parts = []
    for batch in pq.ParquetFile(path).iter_batches(100_000, columns=list(scorer.columns)):
        rows = scorer.pack(columns_of_table(pa.Table.from_batches([batch]), scorer.columns), KEY)
        parts.append(stored_keys(plan, rows, KEY))
    made = np.concatenate(parts)
    chosen = np.random.default_rng(SEED).permutation(len(made))[:UNSEEN]
    unseen = [made[row][made[row] != 0].view(np.int64).tolist() for row in chosen]
    made[chosen] = 0
    records, slots = np.nonzero(made)
    start = time.perf_counter()
    sign = np.uint64(1 << 63)
    codes, words = made[records, slots] ^ sign, records.astype(np.uint64)
    sort_by_code(codes, words)
    seconds = time.perf_counter() - start
    return Keys((codes ^ sign).view(np.int64), words.view(np.int64), len(made) - UNSEEN, unseen, seconds)


def measure(shape: Shape, keys: Keys) -> dict[str, Any]:
    """The figures of one shape."""
    log.info("%s", shape.name)
    start = time.perf_counter()
    shape.load(keys)
    loading = time.perf_counter() - start
    size = shape.stored_bytes()
    read = [shape.look_up(each) for each in keys.unseen[:WARM_UP]]
    before = _microseconds(shape.look_up, keys.unseen[WARM_UP:])
    numbered = list(enumerate(keys.unseen, start=keys.records + UNSEEN))
    groups = [numbered[at : at + TOGETHER] for at in range(0, len(numbered), TOGETHER)]
    adding, between = [], []
    # Those that are looked up first are added last.
    for group, wanted in zip(groups, reversed(keys.unseen), strict=False):
        adding.append(_microseconds(shape.add, [group]))
        between.append(_microseconds(shape.look_up, [wanted]))
    after = _microseconds(shape.look_up, keys.unseen[WARM_UP:])
    return {
        "name": shape.name,
        "seconds_to_load": loading,
        "bytes": size,
        "bytes_a_key": size / len(keys.keys),
        "entries_read": float(np.mean(read)),
        "look_up_us": _spread(before),
        "look_up_between_commits_us": _spread(np.concatenate(between)),
        "look_up_after_adding_us": _spread(after),
        "add_a_record_us": float(np.concatenate(adding).mean()) / TOGETHER,
    }


def _microseconds(call: Callable[[Any], object], arguments: Sequence[Any]) -> NDArray[np.float64]:
    taken = []
    for argument in arguments:
        start = time.perf_counter()
        call(argument)
        taken.append(time.perf_counter() - start)
    return np.array(taken) * 1e6


def _spread(microseconds: NDArray[np.float64]) -> dict[str, float]:
    return {f"p{share}": float(np.percentile(microseconds, share)) for share in (50, 99)}


def run(persons: int) -> dict[str, Any]:
    """Every shape for one city."""
    keys = keys_of_city(persons)
    environment = describe_environment()
    WORK.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK, prefix="keys-")))
        server = stack.enter_context(postgres_server())
        shapes = []
        for kind in SQLITE_SHAPES:
            with closing(kind(folder)) as shape:
                shapes.append(measure(shape, keys))
        for other in POSTGRES_SHAPES:
            with closing(other(server.create_database(other.__name__))) as shape:
                shapes.append(measure(shape, keys))
    return {
        "environment": environment | {"load_after": describe_environment()["load"]},
        "rules": rules_entry(trained_model()),
        "persons": persons,
        "records": keys.records,
        "keys": len(keys.keys),
        "seconds_to_sort": keys.seconds_to_sort,
        "shapes": shapes,
    }


def section(result: dict[str, Any]) -> tables.Section:
    """The figures as a table."""
    rows = [
        (
            shape["name"],
            f"{shape['seconds_to_load']:.1f} s",
            f"{shape['bytes_a_key']:.1f}",
            *(_ms(shape[f"look_up{when}_us"]) for when in ("", "_between_commits", "_after_adding")),
            f"{shape['add_a_record_us'] / 1e3:.2f} ms",
        )
        for shape in result["shapes"]
    ]
    keys, records = result["keys"], result["records"]
    note = f"{records:,} records, {keys:,} keys; sorted beforehand in {result['seconds_to_sort']:.1f} s."
    looked = ("look up a record, p50, p99", "between two commits", f"after {UNSEEN:,} records more")
    columns = ("shape", "load", "bytes a key", *looked, f"add a record, {TOGETHER} a commit")
    return tables.Section("The same keys in tables of other shapes", columns, rows, note)


def _ms(microseconds: dict[str, float]) -> str:
    return ", ".join(f"{microseconds[share] / 1e3:.2g} ms" for share in ("p50", "p99"))


def main() -> None:
    """Measure, keep, and show as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.key_shapes")
    parser.add_argument("--persons", type=int, default=200_000, help="people in the city; 200,000 unless told")
    result = run(parser.parse_args().persons)
    write_json(RESULTS / f"key_shapes_{result['persons']}.json", result)
    sys.stdout.write(f"Measured on {tables.environment_line(result)}.\n\n{tables.markdown(section(result))}")


if __name__ == "__main__":
    main()
