"""Evaluating a registry against a truth file."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from mpi.domain.errors import InvalidInputError, SourceUnreadableError
from mpi.registry.registry import Registry
from mpi.services.evaluate import evaluate_registry
from tests.services.stored import HUNG, LAN, MAI, store
from tests.services.test_export import ask

TRUTH = pa.table(
    {
        "source": ["hospital", "insurance", "station", "student", "student", "hospital", "elsewhere"],
        "source_record_id": ["H1", "I1", "S1", "T1", "T2", "H2", "E1"],
        "person_id": ["lan", "lan", "lan", "hung", "mai", "mai", "mai"],
    }
)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_figures_with_and_without_the_review_tasks_answered(registry: Registry, tmp_path: Path, ending: str) -> None:
    store(registry, [LAN, HUNG, MAI[:1], MAI[1:]])
    ask(registry, 5, 6, weight=4.0)
    truth = tmp_path / f"truth.{ending}"
    csv.write_csv(TRUTH, truth) if ending == "csv" else pq.write_table(TRUTH, truth)
    plain = evaluate_registry(registry, truth, review_answered=False)
    assert (plain.right_pairs, plain.predicted_pairs, plain.true_pairs, plain.tasks) == (3, 3, 4, 0)
    assert (plain.records, plain.records_truth_only) == (6, 1)
    answered = evaluate_registry(registry, truth, review_answered=True)
    assert (answered.right_pairs, answered.true_pairs, answered.tasks, answered.tasks_joined) == (4, 4, 1, 1)
    assert answered.pairwise.f1 == 1.0


def test_ids_of_digits_keep_their_zeros_in_a_csv_truth(registry: Registry, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("source,source_record_id,person_id\nhospital,01,1\nhospital,1,2\n")
    assert evaluate_registry(registry, truth, review_answered=False).records_truth_only == 2


def test_a_truth_file_that_does_not_serve_is_refused_in_one_line(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadableError, match="there is no such file"):
        evaluate_registry(registry, tmp_path / "none.parquet", review_answered=False)
    garbage = tmp_path / "garbage.parquet"
    garbage.write_bytes(b"\x00\x01 no parquet\n" * 9)
    with pytest.raises(SourceUnreadableError, match="no readable Parquet or CSV") as raised:
        evaluate_registry(registry, garbage, review_answered=False)
    assert "\n" not in str(raised.value)
    pq.write_table(TRUTH.rename_columns(["source_system", "source_record_id", "person_id"]), garbage)
    with pytest.raises(InvalidInputError, match="has no column source; wanted: source, source_record_id, person_id"):
        evaluate_registry(registry, garbage, review_answered=False)
