"""Training a rule family from sources: read, standardise, train, write the parameters beside the rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mpi.batch.evaluate import TRUTH_COLUMNS
from mpi.batch.sources import SourceReader, SourceSpec
from mpi.batch.train import TrainingOptions, summary, train
from mpi.domain.errors import InvalidInputError, SourceUnreadableError
from mpi.domain.model import LinkageModel, Parameters
from mpi.rules.write import write_parameters
from mpi.standardise.record import standardise_table

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total); total is 0 where it is not known."""

MAX_PAIRS = 20_000_000
"""Pairs that training looks at unless asked otherwise."""


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What is asked: sources and the raw columns that they must have, the folder to write to, labels if there are any.

    `labels` is Parquet with the columns source, source_record_id, person_id.
    """

    sources: Sequence[SourceSpec]
    required: Sequence[str]
    out: Path
    seed: int
    labels: Path | None = None
    max_pairs: int = MAX_PAIRS


@dataclass(frozen=True, slots=True)
class LevelWeight:
    """One level after training: m, u and its match weight in bits, without frequencies."""

    comparison: str
    level: str
    m: float
    u: float
    bits: float


@dataclass(frozen=True, slots=True)
class Training:
    """What came of a training: where it was written, on how many records, and the weights in the rules' order."""

    rules: str
    folder: Path
    records: int
    rejected: int
    parameters: Parameters
    weights: tuple[LevelWeight, ...]


def train_rules(model: LinkageModel, request: TrainingRequest, *, progress: Progress | None = None) -> Training:
    """Train a model and write parameters.json and term_frequencies.parquet into `request.out`.

    Raises SourceUnreadableError for sources or labels that cannot be read, InvalidInputError for labels that do not
    fit, UntrainedLevelError naming levels that no pair was seen at.
    """
    tell = progress or (lambda step, done, total: None)
    readers = [_reader(model, spec, request.required) for spec in request.sources]
    for reader in readers:
        reader.check()
    persons = _labels(request.labels) if request.labels is not None else None
    request.out.mkdir(parents=True, exist_ok=True)
    table, keys, rejected = _standard(model, readers, tell)
    labels = _labelled(keys, persons) if persons is not None else None
    names = ", ".join(f"{spec.system}={Path(spec.path).name}" for spec in request.sources)
    tell("training", 0, 0)
    parameters, frequencies = train(
        model,
        table,
        seed=request.seed,
        max_pairs=request.max_pairs,
        options=TrainingOptions(labels=labels, data=names),
    )
    write_parameters(request.out, parameters, frequencies)
    bits = summary(parameters)
    weights = tuple(
        LevelWeight(comparison, level, each.m, each.u, bits[comparison, level])
        for (comparison, level), each in parameters.levels.items()
    )
    return Training(model.name, request.out, table.num_rows, rejected, parameters, weights)


def _reader(model: LinkageModel, spec: SourceSpec, required: Sequence[str]) -> SourceReader:
    columns = sorted({column for rule in model.fields for column in rule.inputs.values()})
    return SourceReader(spec, columns, required=required)


def _standard(
    model: LinkageModel, readers: Sequence[SourceReader], tell: Progress
) -> tuple[pa.Table, list[tuple[str, str]], int]:
    """Standard records of all sources, the keys of their rows, and how many rows were rejected."""
    total = sum(reader.bytes_total for reader in readers)
    tables: list[pa.Table] = []
    keys: list[tuple[str, str]] = []
    rejected = 0
    for reader in readers:
        for batch in reader.batches():
            tables.append(standardise_table(batch.table, model.fields))
            local_ids = batch.table["source_record_id"].to_pylist()
            keys += [(reader.spec.system, local_id) for local_id in local_ids]
            rejected += batch.rejects.num_rows
            tell("reading sources", sum(each.bytes_read for each in readers), total)
    if not tables:
        raise InvalidInputError("the sources hold no records to train on")
    return pa.concat_tables(tables), keys, rejected


def _labels(path: Path) -> dict[tuple[str, str], str]:
    """The person of each record. Raises SourceUnreadableError, InvalidInputError."""
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise SourceUnreadableError(f"{path}: there is no such file") from None
    except (pa.ArrowException, OSError) as error:
        raise SourceUnreadableError(f"{path}: is no readable Parquet file: {str(error).splitlines()[0]}") from error
    missing = [column for column in TRUTH_COLUMNS if column not in table.column_names]
    if missing:
        raise InvalidInputError(
            f"{path}: has no column {missing[0]}; wanted: {', '.join(TRUTH_COLUMNS)}; "
            f"found: {', '.join(table.column_names)}"
        )
    systems, local_ids, persons = (table[column].to_pylist() for column in TRUTH_COLUMNS)
    return dict(zip(zip(systems, local_ids, strict=True), persons, strict=True))


def _labelled(keys: Sequence[tuple[str, str]], persons: dict[tuple[str, str], str]) -> pa.Table:
    """Labels as training wants them: the row of each labelled record and its person."""
    rows = [(row, persons[key]) for row, key in enumerate(keys) if key in persons]
    return pa.table(
        {
            "record": pa.array([row for row, _ in rows], pa.int64()),
            "person": pa.array([person for _, person in rows], pa.string()),
        }
    )
