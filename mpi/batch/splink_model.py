"""A linkage model in Splink 5's words: settings, input table, frozen term frequencies; for training and comparison.

The same levels, m, u and frequencies give the same gammas and match weights as the kernel (to 1e-9).
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from splink import DuckDBAPI, Linker

from mpi.batch.tables import columns_of_table
from mpi.domain.model import AllOf, AnyOf, BlockingRule, Comparison, Condition, Level, LinkageModel, Predicate
from mpi.domain.records import ColumnKind
from mpi.matching.features import TextColumn, frequency_table, layout_of
from mpi.matching.levels import LEVEL_KINDS, MAXIMUM_MEMBERS
from mpi.matching.weights import SMALLEST_PROBABILITY, column_kinds

ROW = "unique_id"
"""The column that numbers the rows of a table given to Splink, from 0."""


def condition_sql(condition: Condition) -> str:
    """DuckDB text of a level's condition over `column_l` and `column_r`; CASE WHEN reads NULL as false."""
    match condition:
        case Predicate():
            kind = LEVEL_KINDS[condition.kind]
            parameter = condition.parameter
            if parameter is None:
                parameter = kind.parameter.default if kind.parameter and kind.parameter.default is not None else 0.0
            return kind.sql(condition.columns, parameter)
        case AnyOf(conditions):
            return "(" + " OR ".join(map(condition_sql, conditions)) + ")"
        case AllOf(conditions):
            return "(" + " AND ".join(map(condition_sql, conditions)) + ")"


def splink_settings(
    model: LinkageModel, *, link_type: str = "dedupe_only", records: int = 2, comparisons: Collection[str] | None = None
) -> dict[str, Any]:
    """Splink settings of a model: its comparisons (or those named), blocking rules and, once trained, m, u and prior.

    `records` is the number of records in play, for the prior. Blocking rules are plain: Splink cannot refine blocks.
    """
    chosen = [each for each in model.comparisons if comparisons is None or each.name in comparisons]
    prior = 1e-4
    if model.parameters is not None:
        prior = min(max((model.parameters.records_per_person - 1) / max(records - 1, 1), SMALLEST_PROBABILITY), 0.5)
    return {
        "link_type": link_type,
        "unique_id_column_name": ROW,
        "probability_two_random_records_match": prior,
        "comparisons": [_comparison(model, each) for each in chosen],
        "blocking_rules_to_generate_predictions": [_blocking_rule(model, rule) for rule in model.blocking],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }


def _comparison(model: LinkageModel, comparison: Comparison) -> dict[str, Any]:
    return {
        "output_column_name": comparison.name,
        "comparison_levels": [_level(model, comparison, level) for level in comparison.levels],
    }


def _level(model: LinkageModel, comparison: Comparison, level: Level) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "sql_condition": "ELSE" if level.condition is None else condition_sql(level.condition),
        "label_for_charts": level.label,
        "is_null_level": level.is_null,
    }
    if model.parameters is None or level.is_null:
        return settings
    parameters = model.parameters.levels[comparison.name, level.label]
    m, u = max(parameters.m, SMALLEST_PROBABILITY), max(parameters.u, SMALLEST_PROBABILITY)
    # Splink reads a weight of 0 as 1, so such a level is given no adjustment at all.
    if level.tf_column is not None and level.tf_weight != 0:
        # Splink measures frequencies against the level's own u; where the rule names another, m takes the difference.
        reference = model.parameters.levels[comparison.name, comparison.tf_reference or level.label]
        m *= (max(reference.u, SMALLEST_PROBABILITY) / u) ** level.tf_weight
        settings |= {
            "tf_adjustment_column": level.tf_column,
            "tf_adjustment_weight": level.tf_weight,
            "tf_minimum_u_value": level.tf_minimum,
            "disable_tf_exact_match_detection": True,
        }
    return settings | {"m_probability": m, "u_probability": u}


def _blocking_rule(model: LinkageModel, rule: BlockingRule) -> dict[str, Any]:
    sets = [column for column in rule.columns if model.columns[column] is ColumnKind.TEXTS]
    settings: dict[str, Any] = {
        "blocking_rule": " AND ".join(f'l."{column}" = r."{column}"' for column in rule.columns),
        "sql_dialect": "duckdb",
    }
    return settings | {"arrays_to_explode": sets} if sets else settings


def splink_table(table: pa.Table, model: LinkageModel) -> pa.Table:
    """The standard columns that a model reads, as the kernel sees them, with their row numbers.

    An empty text and an empty set are missing; of a set the members that feature rows hold are kept.
    """
    columns: dict[str, Any] = {ROW: pa.array(np.arange(table.num_rows, dtype=np.int64))}
    for name, kind in sorted(column_kinds(model, layout_of(model)).items()):
        values = table[name]
        if kind is ColumnKind.TEXTS:
            values = pc.list_slice(values, 0, MAXIMUM_MEMBERS)
            values = pc.if_else(pc.greater(pc.list_value_length(values), 0), values, None)
        elif kind is ColumnKind.TEXT:
            values = pc.if_else(pc.equal(values, ""), None, values)
        else:
            values = values.cast(pa.int32())
        columns[name] = values
    return pa.table(columns)


def register_inputs(db_api: DuckDBAPI, table: pa.Table, model: LinkageModel) -> Any:
    """Register a standard table with Splink; gives the Splink data frame to build a Linker on."""
    return db_api.register(splink_table(table, model))


def register_term_frequencies(linker: Linker, db_api: DuckDBAPI, table: pa.Table, model: LinkageModel) -> None:
    """Register the frozen term frequencies of every value in `table`: an unseen value has the unseen frequency.

    Without this Splink would count the table's own frequencies.
    """
    frequencies = frequency_table(model)
    used = {level.tf_column for each in model.comparisons for level in each.levels if level.tf_column is not None}
    for column in sorted(used):
        values = pc.unique(table[column].combine_chunks()).drop_null()
        values = values.filter(pc.not_equal(values, ""))
        texts = columns_of_table(pa.table({column: values}), {column: ColumnKind.TEXT})[column]
        assert isinstance(texts, TextColumn)
        log2 = frequencies.log2[frequencies.indices(column, texts)]
        lookup = pa.table({column: values, f"tf_{column}": np.exp2(log2)})
        linker.table_management.register_term_frequency_lookup(db_api.register(lookup), column)


def linker_of(model: LinkageModel, table: pa.Table, *, db_api: DuckDBAPI, gammas: bool = False) -> Linker:
    """A Splink linker for a trained model on a standard table; its predictions are the kernel's weights.

    With `gammas` they also hold the level codes, and the values compared, which Splink does not give apart.
    """
    settings = splink_settings(model, records=table.num_rows) | {"retain_matching_columns": gammas}
    linker = Linker(register_inputs(db_api, table, model), settings, log_level=None)
    register_term_frequencies(linker, db_api, table, model)
    return linker
