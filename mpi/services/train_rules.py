"""Training a rule family from sources: read, draw a sample, standardise, train, write the parameters beside the rules.

Memory does not grow with the sources: at most `max_records` records, drawn evenly from all, are standardised and kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

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

MAX_RECORDS = 1_000_000
"""Records that training keeps unless asked otherwise. A drawn pair is kept with the square of a record's chance: of 14
million records a million leave one true pair in 200, still tens of thousands."""


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What is asked: sources and the raw columns that they must have, the folder to write to, labels if there are any.

    `labels` is Parquet with the columns source, source_record_id, person_id. Of more than `max_records` records as many
    are drawn, by `seed`.
    """

    sources: Sequence[SourceSpec]
    required: Sequence[str]
    out: Path
    seed: int
    labels: Path | None = None
    max_pairs: int = MAX_PAIRS
    max_records: int = MAX_RECORDS


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
    """What came of a training: where it was written, on how many of the records read, and the weights in the rules'
    order."""

    rules: str
    folder: Path
    records: int
    read: int
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
    drawn = _draw(model, readers, request, tell)
    labels = _labelled(drawn.keys, persons) if persons is not None else None
    names = ", ".join(f"{spec.system}={Path(spec.path).name}" for spec in request.sources)
    tell("training", 0, 0)
    parameters, frequencies = train(
        model,
        drawn.table,
        seed=request.seed,
        max_pairs=request.max_pairs,
        options=TrainingOptions(labels=labels, data=names, drawn_from=drawn.read),
    )
    write_parameters(request.out, parameters, frequencies)
    bits = summary(parameters)
    weights = tuple(
        LevelWeight(comparison, level, each.m, each.u, bits[comparison, level])
        for (comparison, level), each in parameters.levels.items()
    )
    return Training(model.name, request.out, drawn.table.num_rows, drawn.read, drawn.rejected, parameters, weights)


def _reader(model: LinkageModel, spec: SourceSpec, required: Sequence[str]) -> SourceReader:
    columns = sorted({column for rule in model.fields for column in rule.inputs.values()})
    return SourceReader(spec, columns, required=required)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Standard records, the (source, source_record_id) of each as a table, and how many rows were read and rejected."""

    table: pa.Table
    keys: pa.Table
    read: int
    rejected: int


def _draw(model: LinkageModel, readers: Sequence[SourceReader], request: TrainingRequest, tell: Progress) -> _Drawn:
    """Records of all sources in the order read; of too many an even sample, the same for the same files and seed.

    Every record draws a random number, and those with the smallest are kept. Raises InvalidInputError for no records.
    """
    total = sum(reader.bytes_total for reader in readers)
    random = np.random.default_rng(request.seed)
    kept: list[pa.Table] = []
    waiting = read = rejected = 0
    bar = 1.0
    for reader in readers:
        for batch in reader.batches():
            lots = random.random(batch.table.num_rows)
            chosen = np.flatnonzero(lots < bar)
            kept.append(_standard(model, reader.spec.system, batch.table.take(pa.array(chosen)), lots[chosen]))
            waiting += len(chosen)
            read += batch.table.num_rows
            rejected += batch.rejects.num_rows
            if waiting > 2 * request.max_records:
                kept, bar = _smallest(kept, request.max_records)
                waiting = kept[0].num_rows
            tell("reading sources", sum(each.bytes_read for each in readers), total)
    if not read:
        raise InvalidInputError("the sources hold no records to train on")
    table = _smallest(kept, request.max_records)[0][0]
    keys = table.select([_SYSTEM, _LOCAL_ID])
    return _Drawn(table.drop_columns([_SYSTEM, _LOCAL_ID, _LOT]), keys, read, rejected)


_SYSTEM, _LOCAL_ID, _LOT = "training source", "training source_record_id", "training lot"
"""Columns beside the standard ones; no rule can name columns with a blank."""


def _standard(model: LinkageModel, system: str, raw: pa.Table, lots: NDArray[np.float64]) -> pa.Table:
    table = standardise_table(raw, model.fields)
    table = table.append_column(_SYSTEM, pa.repeat(pa.scalar(system), raw.num_rows))
    table = table.append_column(_LOCAL_ID, raw["source_record_id"])
    return table.append_column(_LOT, pa.array(lots))


def _smallest(tables: list[pa.Table], count: int) -> tuple[list[pa.Table], float]:
    """One table of the `count` rows with the smallest lots, in their order, and the lot that a further row must be
    below."""
    table = pa.concat_tables(tables)
    if table.num_rows <= count:
        return [table], 1.0
    lots = table[_LOT].to_numpy()
    bar = float(np.partition(lots, count)[count])
    return [table.filter(pa.array(lots < bar)).combine_chunks()], bar


def _labels(path: Path) -> pa.Table:
    """The person of each record, with TRUTH_COLUMNS. Raises SourceUnreadableError, InvalidInputError."""
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
    try:
        return pa.table({column: table[column].cast(pa.string()) for column in TRUTH_COLUMNS})
    except pa.ArrowException:
        raise InvalidInputError(f"{path}: {', '.join(TRUTH_COLUMNS)} must be texts or whole numbers") from None


def _labelled(keys: pa.Table, persons: pa.Table) -> pa.Table:
    """Labels as training wants them: the row of each labelled record and its person, in the order of the rows."""
    rows = pa.table([*(column.cast(pa.string()) for column in keys.columns)], names=list(TRUTH_COLUMNS[:2]))
    rows = rows.append_column("record", pa.array(np.arange(keys.num_rows)))
    found = rows.join(persons, keys=list(TRUTH_COLUMNS[:2]), join_type="inner").sort_by("record")
    return found.select(["record", TRUTH_COLUMNS[2]]).rename_columns(["record", "person"])
