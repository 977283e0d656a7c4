"""Writing what training found beside a rule file; the same values give the same bytes."""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mpi.domain.model import Parameters, TermFrequencies
from mpi.rules.folders import PARAMETERS, TERM_FREQUENCIES
from mpi.rules.parameters import FREQUENCY_SCHEMA


def parameters_bytes(parameters: Parameters) -> bytes:
    """parameters.json: comparisons and levels in the order given, provenance by key."""
    levels: dict[str, dict[str, dict[str, float]]] = {}
    for (comparison, label), probabilities in parameters.levels.items():
        levels.setdefault(comparison, {})[label] = {"m": probabilities.m, "u": probabilities.u}
    whole = {
        "records_per_person": parameters.records_per_person,
        "levels": levels,
        "provenance": dict(sorted(parameters.provenance.items())),
    }
    return (json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def term_frequencies_bytes(term_frequencies: Mapping[str, TermFrequencies]) -> bytes:
    """term_frequencies.parquet: by column, the row of unseen values first, then by hash."""
    rows: list[tuple[str, int | None, float]] = []
    for column, terms in sorted(term_frequencies.items()):
        rows.append((column, None, terms.unseen))
        rows.extend((column, value_hash, frequency) for value_hash, frequency in sorted(terms.frequencies.items()))
    columns = [pa.array([row[index] for row in rows], type=field.type) for index, field in enumerate(FREQUENCY_SCHEMA)]
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns, schema=FREQUENCY_SCHEMA), buffer, compression="zstd", store_schema=False)
    return buffer.getvalue()


def write_parameters(folder: Path, parameters: Parameters, term_frequencies: Mapping[str, TermFrequencies]) -> None:
    """Write parameters.json and term_frequencies.parquet, each whole or not at all."""
    contents = {
        TERM_FREQUENCIES: term_frequencies_bytes(term_frequencies),
        PARAMETERS: parameters_bytes(parameters),
    }
    for name, data in contents.items():
        unfinished = folder / f".{name}.new"
        unfinished.write_bytes(data)
        os.replace(unfinished, folder / name)
