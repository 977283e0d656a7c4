"""Splink 5 estimates m and u on DuckDB: u from random pairs, m by expectation maximisation on selective blocks.

What Splink did not observe is given as missing; its silent defaults are never read.
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker
from splink.internals.exceptions import EMTrainingException

from mpi.batch.splink_model import ROW, register_inputs, splink_settings, splink_table
from mpi.domain.model import BlockingRule, Comparison, LinkageModel
from mpi.domain.records import ColumnKind
from mpi.matching.features import predicates

PERSON = "mpi_person"
"""The column of truth labels in a table given to Splink."""

Estimates = dict[tuple[str, str], float | None]


@dataclass(frozen=True, slots=True)
class Session:
    """One EM session: the blocking rule whose pairs it sees, and the comparisons that the rule leaves free."""

    rule: BlockingRule
    comparisons: tuple[str, ...]


def _prefix(model: LinkageModel, column: str) -> str:
    """The field that a standard column comes from: columns of one field agree together."""
    owners = [rule.prefix for rule in model.fields if column == rule.prefix or column.startswith(f"{rule.prefix}_")]
    return max(owners, key=len, default=column)


def _about(model: LinkageModel, comparison: Comparison) -> set[str]:
    """The fields a comparison is about: those of its null levels, else of all its levels."""
    null = [each for level in comparison.levels if level.is_null for each in predicates(level.condition)]
    every = [each for level in comparison.levels for each in predicates(level.condition)]
    return {_prefix(model, column) for predicate in null or every for column in predicate.columns}


def training_sessions(model: LinkageModel) -> tuple[Session, ...]:
    """Blocking rules, in the order of the file, that leave some comparison free which no earlier one did."""
    trained: set[str] = set()
    sessions = []
    for rule in model.blocking:
        used = {_prefix(model, column) for column in rule.columns}
        free = tuple(each.name for each in model.comparisons if not _about(model, each) & used)
        if not trained.issuperset(free):
            trained.update(free)
            sessions.append(Session(rule, free))
    return tuple(sessions)


@contextmanager
def workspace(threads: int, memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own with bounded memory. Splink's warnings are kept quiet: untrained levels are named later."""
    logger = logging.getLogger("splink")
    level = logger.level
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(config={"threads": threads, "memory_limit": memory, "temp_directory": folder})
        logger.setLevel(logging.CRITICAL)
        try:
            yield connection
        finally:
            logger.setLevel(level)
            connection.close()


def _key_sql(model: LinkageModel, rule: BlockingRule) -> str:
    parts = [
        f'"{column}"[1]' if model.columns[column] is ColumnKind.TEXTS else f'"{column}"' for column in rule.columns
    ]
    missing = " OR ".join(f"{part} IS NULL" for part in parts)
    return f"CASE WHEN {missing} THEN NULL ELSE hash({', '.join(parts)}) END"


def _block_table(
    connection: duckdb.DuckDBPyConnection, model: LinkageModel, rule: BlockingRule, *, max_pairs: int, seed: int
) -> None:
    """Make table `blocks`: the records of whole blocks of a rule, drawn until they hold about `max_pairs` pairs.

    Blocks above the rule's limit say little for their cost and are left out.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE keyed AS
        SELECT *, count(*) OVER (PARTITION BY block_key) AS block_size
        FROM (SELECT *, {_key_sql(model, rule)} AS block_key FROM standard)
        WHERE block_key IS NOT NULL
        """
    )
    connection.execute(f"DELETE FROM keyed WHERE block_size < 2 OR block_size > {rule.limit}")
    (pairs,) = connection.execute("SELECT coalesce(sum((block_size - 1) / 2.0), 0) FROM keyed").fetchall()[0]
    kept = min(1.0, max_pairs / max(float(pairs), 1.0))
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE blocks AS SELECT * EXCLUDE (block_size) FROM keyed
        WHERE (hash(block_key, {seed}) % 1000000) < {round(kept * 1_000_000)} ORDER BY "{ROW}"
        """
    )


def _estimates(linker: Linker, probability: str) -> Estimates:
    """What Splink observed, by comparison and label; levels without an entry were never seen."""
    found: Estimates = {}
    for comparison in linker.misc.save_model_to_json()["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                found[comparison["output_column_name"], level["label_for_charts"]] = level.get(probability)
    return found


def _with_u(settings: dict[str, Any], u: Estimates, fallback: float) -> dict[str, Any]:
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level["is_null_level"]:
                value = u[comparison["output_column_name"], level["label_for_charts"]]
                level["u_probability"] = fallback if value is None else value
    return settings


def estimate_u(
    connection: duckdb.DuckDBPyConnection, model: LinkageModel, table: pa.Table, *, max_pairs: int, seed: int
) -> Estimates:
    """u of every level from about `max_pairs` random pairs; None where none of them was at the level."""
    db_api = DuckDBAPI(connection=connection)
    linker = Linker(register_inputs(db_api, table, model), splink_settings(model), log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=max_pairs, seed=seed, min_count_per_level=None)
    return _estimates(linker, "u_probability")


def estimate_m(
    connection: duckdb.DuckDBPyConnection,
    model: LinkageModel,
    table: pa.Table,
    u: Estimates,
    *,
    max_pairs: int,
    seed: int,
) -> Estimates:
    """m by expectation maximisation, one session a training rule; a level's estimates are averaged over its sessions.

    u is held. A rule that gives no pairs is passed over.
    """
    connection.register("standard", splink_table(table, model))
    found: dict[tuple[str, str], list[float]] = {}
    for session in training_sessions(model):
        _block_table(connection, model, session.rule, max_pairs=max_pairs, seed=seed)
        settings = _with_u(splink_settings(model, comparisons=session.comparisons), u, 1.0 / max_pairs)
        # blocks this selective are about half matches, and EM goes on from there
        settings["probability_two_random_records_match"] = 0.5
        db_api = DuckDBAPI(connection=connection)
        linker = Linker(db_api.register("blocks"), settings, log_level=None)
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                "l.block_key = r.block_key", estimate_without_term_frequencies=True
            )
        except EMTrainingException:
            continue
        for name, value in _estimates(linker, "m_probability").items():
            if value is not None:
                found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in found.items()}


def estimate_m_from_labels(connection: duckdb.DuckDBPyConnection, model: LinkageModel, table: pa.Table) -> Estimates:
    """m from pairs of records that bear one label: `table` has a column PERSON, null where there is none."""
    labelled = table.filter(table[PERSON].is_valid())
    columns = splink_table(labelled, model).append_column(PERSON, labelled[PERSON])
    db_api = DuckDBAPI(connection=connection)
    linker = Linker(db_api.register(columns), splink_settings(model), log_level=None)
    linker.training.estimate_m_from_label_column(PERSON)
    return _estimates(linker, "m_probability")
