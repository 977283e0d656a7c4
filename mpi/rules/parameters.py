"""What training left beside a rule file: parameters.json and term_frequencies.parquet, checked against the rules."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, ValidationError

from mpi.domain.errors import RuleFileError, UntrainedLevelError
from mpi.domain.model import Comparison, LevelParameters, Parameters, TermFrequencies
from mpi.rules.documents import Location, Problems, read_document
from mpi.rules.schema import Shape, add_shape_problems

FREQUENCY_SCHEMA = pa.schema(
    [pa.field("column", pa.string()), pa.field("value_hash", pa.uint64()), pa.field("frequency", pa.float64())]
)
"""`value_hash` is the public 64-bit hash of a standard value; null in a column's one row for all other values."""

Probability = Annotated[float, Field(gt=0, le=1)]


class LevelParametersShape(Shape):
    """m and u of one level."""

    m: Probability
    u: Probability


class ParametersShape(Shape):
    """parameters.json."""

    records_per_person: Annotated[float, Field(ge=1)]
    levels: Mapping[str, Mapping[str, LevelParametersShape]]
    provenance: Mapping[str, str | int | float] = {}


def read_parameters(path: Path, data: bytes, *, comparisons: tuple[Comparison, ...], model: str) -> Parameters:
    """Parameters of every level that is not null, and of no other.

    Raises RuleFileError for a malformed file or a level that the rules do not have, UntrainedLevelError naming what is
    missing.
    """
    document = read_document(path, data)
    problems = Problems(document)
    try:
        shape = ParametersShape.model_validate(document.data)
    except ValidationError as error:
        add_shape_problems(error, problems)
        problems.refuse()
        raise
    wanted = {each.name: [level.label for level in each.levels if not level.is_null] for each in comparisons}
    for comparison, levels in shape.levels.items():
        where: Location = ("levels", comparison)
        if comparison not in wanted:
            problems.add(where, "is stale: rules.yaml has no such comparison; run: mpi rules train")
            continue
        for label in levels:
            if label not in wanted[comparison]:
                problems.add((*where, label), "is stale: rules.yaml has no such level; run: mpi rules train")
    problems.refuse()
    missing = [
        f"{comparison} / {label}"
        for comparison, labels in wanted.items()
        for label in labels
        if label not in shape.levels.get(comparison, {})
    ]
    if missing:
        raise UntrainedLevelError(f"{path}: {model} has untrained levels: {', '.join(missing)}; run: mpi rules train")
    found = {
        (comparison, label): LevelParameters(probabilities.m, probabilities.u)
        for comparison, levels in shape.levels.items()
        for label, probabilities in levels.items()
    }
    return Parameters(shape.records_per_person, found, {key: str(value) for key, value in shape.provenance.items()})


def read_term_frequencies(path: Path, data: bytes, comparisons: tuple[Comparison, ...]) -> dict[str, TermFrequencies]:
    """Term frequencies of every column that a level is adjusted by, and of no other. Raises RuleFileError."""
    try:
        # The file itself: pq.read_table would load dataset and pandas first, most of a second.
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            table = file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise RuleFileError(f"{path}: is not Parquet: {error}") from error
    if not table.schema.equals(FREQUENCY_SCHEMA):
        given = ", ".join(f"{field.name} {field.type}" for field in table.schema)
        raise RuleFileError(
            f"{path}: has columns {given}; should be column string, value_hash uint64, frequency double"
        )
    frequencies: dict[str, dict[int, float]] = {}
    unseen: dict[str, float] = {}
    columns = (table.column(name).to_pylist() for name in FREQUENCY_SCHEMA.names)
    for column, value_hash, frequency in zip(*columns, strict=True):
        known = frequencies.setdefault(column, {})
        if column is None or frequency is None or not (math.isfinite(frequency) and 0 < frequency <= 1):
            raise RuleFileError(f"{path}: {column}: a frequency is above 0 and at most 1, not {frequency}")
        if value_hash == 0:
            raise RuleFileError(f"{path}: {column}: value_hash 0 stands for missing values and has no frequency")
        if value_hash in known or (value_hash is None and column in unseen):
            raise RuleFileError(f"{path}: {column}: value_hash {value_hash} stands here twice")
        if value_hash is None:
            unseen[column] = frequency
        else:
            known[value_hash] = frequency
    wanted = {level.tf_column for each in comparisons for level in each.levels if level.tf_column is not None}
    for column in sorted(wanted):
        if column not in unseen:
            raise RuleFileError(f"{path}: {column}: has no row for unseen values; run: mpi rules train")
    for column in sorted(set(frequencies) - wanted):
        raise RuleFileError(f"{path}: {column}: is stale: no level is adjusted by it; run: mpi rules train")
    return {column: TermFrequencies(column, frequencies[column], unseen[column]) for column in sorted(wanted)}
