"""Splink 5 on FEBRL with the settings that its own documents publish for febrl3 and febrl4 (the detailed model).

febrl1 and febrl2 have no published settings; they get those of febrl3, which are for deduplication too.
"""

from typing import Any

import duckdb
import numpy as np
import splink.comparison_library as cl
from numpy.typing import NDArray
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.blocking_rule_library import CustomRule

from benchmarks.peers.febrl_data import Febrl
from mpi.batch.evaluate import evaluate_labels

LEAST = 0.01


def _deduplication() -> SettingsCreator:
    return SettingsCreator(
        unique_id_column_name="rec_id",
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on(column) for column in ("soc_sec_id", "given_name", "surname", "date_of_birth", "postcode")
        ],
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
    )


def _linking() -> SettingsCreator:
    return SettingsCreator(
        unique_id_column_name="rec_id",
        link_type="link_only",
        blocking_rules_to_generate_predictions=[
            block_on("given_name", "surname"),
            CustomRule("l.given_name = r.surname and l.surname = r.given_name"),
            block_on("date_of_birth"),
            block_on("soc_sec_id"),
            block_on("state", "address_1"),
            block_on("street_number", "address_1"),
            block_on("postcode"),
        ],
        comparisons=[
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison(
                "date_of_birth", input_is_string=True, datetime_format="%Y%m%d", invalid_dates_as_null=True
            ),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ],
    )


def _train(linker: Linker, *, linking: bool) -> None:
    swapped = "l.given_name = r.surname and l.surname = r.given_name and l.date_of_birth = r.date_of_birth"
    deterministic: list[Any] = [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")]
    training = linker.training
    if not linking:
        deterministic.append(swapped)
    training.estimate_probability_two_random_records_match(deterministic, recall=0.8 if linking else 0.9)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=2)
    for column in ("date_of_birth", "postcode"):
        training.estimate_parameters_using_expectation_maximisation(
            block_on(column), estimate_without_term_frequencies=linking
        )


def _components(count: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    labels = np.arange(count)
    while True:
        low = np.minimum(labels[left], labels[right])
        before = labels.copy()
        np.minimum.at(labels, left, low)
        np.minimum.at(labels, right, low)
        labels = labels[labels]
        if np.array_equal(before, labels):
            return labels


def rows(data: Febrl) -> list[dict[str, Any]]:
    """Pairs at even odds, then the people of connected pairs at the probability that the truth says is best."""
    linking = len(data.frames) == 2
    connection = duckdb.connect(config={"threads": 2})
    db_api = DuckDBAPI(connection=connection)
    parts = [data.records.slice(0, data.first), data.records.slice(data.first)] if linking else [data.records]
    inputs = [db_api.register(part) for part in parts]
    linker = Linker(inputs, _linking() if linking else _deduplication(), log_level=None)
    _train(linker, linking=linking)
    predictions = linker.inference.predict(threshold_match_probability=LEAST, warning_mode="never")
    query = f'SELECT rec_id_l AS l, rec_id_r AS r, match_probability AS p FROM "{predictions.physical_name}"'
    found = connection.sql(query).fetchall()
    connection.close()
    left, right = data.rows([each[0] for each in found]), data.rows([each[1] for each in found])
    probability = np.array([each[2] for each in found])
    even = probability >= 0.5
    best: dict[str, Any] = {"f1": -1.0}
    for least in (0.01, 0.1, 0.2, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999):
        kept = probability >= least
        people = evaluate_labels(_components(len(data.persons), left[kept], right[kept]), data.persons).pairwise
        if people.f1 > best["f1"]:
            best = {"settings": f"published example, people, best by the truth ({least})", **people.to_dict()}
    return [
        {"tool": "Splink 5", "settings": "published example, pairs at 0.5", **data.score(left[even], right[even])},
        {"tool": "Splink 5", **best},
    ]
