"""The rejects file: whole, private, and there only when its run finished."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mpi.batch.rejects import Reject, RejectsWriter, rejects_table
from mpi.domain.errors import InvalidInputError


def test_the_rejects_file_appears_whole_and_only_on_success(tmp_path: Path) -> None:
    path = tmp_path / "rejects.parquet"
    with pytest.raises(ValueError, match="names"), RejectsWriter(path) as writer:
        writer.write("student", pa.table({"file": ["a.csv"]}))
    assert list(tmp_path.iterdir()) == []
    with RejectsWriter(path) as writer:
        writer.write("student", rejects_table([Reject("a.csv", 1, "why", "x")]))
        writer.write("station", rejects_table([Reject("b.csv", 2, "why", None)]))
        assert not path.exists()
    assert writer.count == 2
    assert pq.read_table(path).to_pylist() == [
        {"source": "student", "file": "a.csv", "row": 1, "reason": "why", "excerpt": "x"},
        {"source": "station", "file": "b.csv", "row": 2, "reason": "why", "excerpt": None},
    ]
    assert path.stat().st_mode & 0o077 == 0
    with RejectsWriter(path):
        pass
    assert pq.read_table(path).num_rows == 0
    with pytest.raises(InvalidInputError, match="cannot be written"):
        RejectsWriter(tmp_path / "none" / "rejects.parquet")
