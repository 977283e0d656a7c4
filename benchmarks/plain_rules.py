"""Blocking rules that Splink can follow too: plain ones, each narrowed by its refining columns for the whole table.

Our rules split only their large blocks; Splink has no such thing, and without it pairs grow with the square of a city.
"""

from dataclasses import replace
from pathlib import Path

import duckdb

from benchmarks.scenario import log
from mpi.domain.model import BlockingRule, LinkageModel
from mpi.domain.records import ColumnKind

PAIRS_A_RECORD = 5.0
"""A rule is narrowed until it makes at most so many pairs a record by itself: all rules together then make about as
many as the refined ones do."""

NO_LIMIT = 1 << 60
"""A block limit that no block reaches: the rule is then plain."""

Columns = dict[str, list[str]]
"""Columns of every rule, by the rule's name."""


def _pairs(connection: duckdb.DuckDBPyConnection, model: LinkageModel, columns: tuple[str, ...]) -> int:
    """Pairs of records that agree on columns, counted once for every key that they share."""
    inner = []
    for column in columns:
        quoted = f'"{column}"'
        if model.columns[column] is ColumnKind.TEXTS:
            inner.append(f"unnest({quoted}) AS {quoted}")
        elif model.columns[column] is ColumnKind.TEXT:
            inner.append(f"nullif({quoted}, '') AS {quoted}")
        else:
            inner.append(quoted)
    names = ", ".join(f'"{column}"' for column in columns)
    present = " AND ".join(f'"{column}" IS NOT NULL' for column in columns)
    blocks = f"SELECT count(*) AS n FROM (SELECT {', '.join(inner)} FROM records) WHERE {present} GROUP BY {names}"
    found = connection.execute(f"SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM ({blocks})").fetchone()
    return int(found[0]) if found else 0


def choose_columns(model: LinkageModel, table: Path) -> Columns:
    """How far each rule must be narrowed on a file of standard records; at most by all of its refining columns."""
    chosen: Columns = {}
    with duckdb.connect() as connection:
        connection.execute("CREATE VIEW records AS SELECT * FROM read_parquet($1)".replace("$1", f"'{table}'"))
        counted = connection.execute("SELECT count(*) FROM records").fetchone()
        most = PAIRS_A_RECORD * (counted[0] if counted else 0)
        for rule in model.blocking:
            extra = [column for column in rule.refine if column not in rule.columns]
            columns = rule.columns
            while _pairs(connection, model, columns) > most and extra:
                columns = (*columns, extra.pop(0))
            if columns != rule.columns:
                log.info("%s: narrowed to %s", rule.name, ", ".join(columns))
            chosen[rule.name] = list(columns)
    return chosen


def plain(model: LinkageModel, columns: Columns) -> LinkageModel:
    """The model with plain blocking rules over the columns chosen."""

    def rule_of(rule: BlockingRule) -> BlockingRule:
        return replace(rule, columns=tuple(columns[rule.name]), refine=(), limit=NO_LIMIT)

    return replace(model, blocking=tuple(map(rule_of, model.blocking)))
