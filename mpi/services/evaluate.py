"""How right the registry's people are, against a file that tells the truth. Read only."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from mpi.batch.evaluate import TASK_COLUMNS, TRUTH_COLUMNS, Evaluation, evaluate
from mpi.domain.errors import InvalidInputError, SourceUnreadableError
from mpi.registry import persons, reviews
from mpi.registry.registry import Registry


def evaluate_registry(registry: Registry, truth_path: str | Path, *, review_answered: bool) -> Evaluation:
    """Pairwise, B-cubed and exact-cluster figures of the registry's people.

    The truth is Parquet or CSV with the columns source, source_record_id, person_id. With `review_answered` the figures
    are as if every open review task between two records had been answered rightly.
    Raises SourceUnreadableError for a truth file that cannot be read, InvalidInputError for one that does not fit.
    """
    truth = _read_truth(Path(truth_path))
    with registry.snapshot() as uow:
        predicted = pa.Table.from_batches(persons.cross_references(uow), persons.CROSS_REFERENCE_SCHEMA)
        if not review_answered:
            return evaluate(predicted, truth)
        tasks = pa.Table.from_batches(reviews.export_open(uow), reviews.REVIEW_TASK_SCHEMA)
    return evaluate(predicted, truth, answered=tasks.select(list(TASK_COLUMNS)).drop_null())


def _read_truth(path: Path) -> pa.Table:
    """The three columns of a truth file. Raises SourceUnreadableError, InvalidInputError."""
    if not path.is_file():
        raise SourceUnreadableError(f"{path}: there is no such file")
    try:
        table = _read_csv(path) if path.suffix.lower() == ".csv" else pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceUnreadableError(f"{path}: is no readable Parquet or CSV file: {_line(error)}") from error
    missing = [column for column in TRUTH_COLUMNS if column not in table.column_names]
    if missing:
        raise InvalidInputError(
            f"{path}: has no column {missing[0]}; wanted: {', '.join(TRUTH_COLUMNS)}; "
            f"found: {', '.join(table.column_names)}"
        )
    return table.select(list(TRUTH_COLUMNS))


def _read_csv(path: Path) -> pa.Table:
    # ids keep their leading zeros
    texts = csv.ConvertOptions(column_types={column: pa.string() for column in TRUTH_COLUMNS})
    return csv.read_csv(path, convert_options=texts)


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
