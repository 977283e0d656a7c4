"""Splink 5 with its stock comparisons on the peers' table of a city, trained and clustered as its documents say.

Comparisons and training follow Splink's person examples: ForenameSurname, Name, DateOfBirth, Damerau-Levenshtein on
numbers, exact with term frequencies elsewhere; prior from deterministic rules, u by sampling, m by EM.
"""

import tempfile
import time
from typing import Any

import duckdb
import numpy as np
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.places import WORK
from benchmarks.processes import worker

PROBABILITIES = (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999)
"""Match probabilities at which pairs are clustered; 0.99 is that of Splink's febrl4 example."""

BLOCKING = (
    ("citizen_id",),
    ("insurance_number",),
    ("phone", "given_name"),
    ("full_name", "birth_date"),
    ("given_name", "birth_date"),
    ("surname", "birth_date", "sex"),
    ("full_name", "ward"),
    ("full_name", "street"),
    ("full_name", "mother_name"),
)
"""Selective pairs of columns, each true pair under some rule, as Splink's advice on blocking goes."""


def settings() -> SettingsCreator:
    """Stock comparisons only."""
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in BLOCKING],
        comparisons=[
            cl.ForenameSurnameComparison("given_name", "surname"),
            cl.NameComparison("middle_name"),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.ExactMatch("sex"),
            cl.DamerauLevenshteinAtThresholds("citizen_id", [1, 2]),
            cl.DamerauLevenshteinAtThresholds("insurance_number", [1, 2]),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
            cl.ExactMatch("ward").configure(term_frequency_adjustments=True),
            cl.NameComparison("mother_name"),
        ],
    )


def _trained(linker: Linker, seed: int) -> None:
    deterministic: list[Any] = [block_on("citizen_id", "given_name"), block_on("full_name", "birth_date", "sex")]
    linker.training.estimate_probability_two_random_records_match(deterministic, recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=seed)
    for columns in (("given_name", "birth_date"), ("citizen_id",), ("full_name", "ward")):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*columns), estimate_without_term_frequencies=True
        )


def main(given: dict[str, Any]) -> dict[str, Any]:
    """`table`: the peers' table; `threads`; `seed`; `labels_out`: an .npz for the clusters at each probability."""
    with tempfile.TemporaryDirectory(dir=WORK, prefix="duckdb-") as folder:
        connection = duckdb.connect(config={"threads": given["threads"], "temp_directory": folder})
        db_api = DuckDBAPI(connection=connection)
        connection.execute("CREATE TABLE persons AS SELECT * FROM read_parquet(?)", [given["table"]])
        marks = [time.perf_counter()]
        linker = Linker(db_api.register("persons"), settings(), log_level=None)
        _trained(linker, given["seed"])
        marks.append(time.perf_counter())
        predictions = linker.inference.predict(threshold_match_probability=PROBABILITIES[0], warning_mode="never")
        marks.append(time.perf_counter())
        labels, took = {}, 0.0
        for probability in PROBABILITIES:
            start = time.perf_counter()
            clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, probability)
            took = time.perf_counter() - start
            query = f'SELECT CAST(record AS INT) AS r, CAST(cluster_id AS INT) AS c FROM "{clusters.physical_name}"'
            found = connection.sql(query).fetchnumpy()
            of = np.empty(len(found["r"]), dtype=np.int64)
            of[np.asarray(found["r"])] = np.asarray(found["c"])
            labels[f"{probability}"] = of
        pairs = connection.sql(f'SELECT count(*) FROM "{predictions.physical_name}"').fetchall()[0][0]
        connection.close()
    np.savez(given["labels_out"], allow_pickle=False, **labels)
    steps = dict(zip(("training", "blocking and scoring"), np.diff(marks).tolist(), strict=True))
    steps["clustering once"] = took
    return {"seconds": sum(steps.values()), "steps": steps, "pairs_kept": pairs}


if __name__ == "__main__":
    worker(main)
