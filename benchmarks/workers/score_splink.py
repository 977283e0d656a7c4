"""Standard records to scored pairs by Splink 5 on DuckDB: its own blocking and predict, with our levels, m and u.

In Splink's favour: frozen term frequencies are registered before the clock starts, and no column but ids and weights
is kept.
"""

import tempfile
import time
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
from splink import DuckDBAPI, Linker

from benchmarks.places import WORK
from benchmarks.plain_rules import plain
from benchmarks.processes import worker
from benchmarks.scenario import trained_model
from mpi.batch.splink_model import ROW, register_term_frequencies, splink_settings, splink_table


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`table`: standard records; `columns` of plain rules; `threads`; `pairs_out`: for pairs and weights (.npy)."""
    model = plain(trained_model(), given["columns"])
    table = pq.read_table(given["table"]).combine_chunks()
    with tempfile.TemporaryDirectory(dir=WORK, prefix="duckdb-") as folder:
        connection = duckdb.connect(config={"threads": given["threads"], "temp_directory": folder})
        db_api = DuckDBAPI(connection=connection)
        settings = splink_settings(model, records=table.num_rows)
        settings |= {"retain_matching_columns": False, "retain_intermediate_calculation_columns": False}
        inputs = splink_table(table, model)
        marks = [time.perf_counter()]
        connection.register("inputs_arrow", inputs)
        connection.execute("CREATE TABLE inputs AS SELECT * FROM inputs_arrow")
        linker = Linker(db_api.register("inputs"), settings, log_level=None)
        marks.append(time.perf_counter())
        register_term_frequencies(linker, db_api, table, model)
        untimed = time.perf_counter() - marks[-1]
        linker.inference.compute_blocked_pairs_for_predict()
        marks.append(time.perf_counter() - untimed)
        predictions = linker.inference.predict(warning_mode="never")
        marks.append(time.perf_counter() - untimed)
        name = predictions.physical_name
        query = f'SELECT {ROW}_l AS l, {ROW}_r AS r, match_weight AS w FROM "{name}"'
        found = connection.sql(query).fetchnumpy()
        connection.close()
    left, right = np.asarray(found["l"]).astype(np.int64), np.asarray(found["r"]).astype(np.int64)
    keys = np.minimum(left, right) << 32 | np.maximum(left, right)
    order = np.argsort(keys)
    np.save(given["pairs_out"] + ".keys.npy", keys[order])
    np.save(given["pairs_out"] + ".weights.npy", np.asarray(found["w"])[order])
    steps = dict(zip(("loading", "blocking", "scoring"), np.diff(marks).tolist(), strict=True))
    return {"pairs": len(keys), "seconds": steps | {"total": marks[-1] - marks[0]}}


if __name__ == "__main__":
    worker(main)
