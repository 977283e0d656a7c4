"""Exports: what is in the files, that they appear whole or not at all, and that batches do not show."""

import resource
import stat
from pathlib import Path

import numpy as np
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from mpi.domain.errors import InvalidInputError
from mpi.registry import reviews
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.reviews import REVIEW_TASK_SCHEMA, TaskRows
from mpi.services import export, golden_records
from mpi.services.enquire import person
from mpi.services.export import export_cross_references, export_golden_records, export_review_tasks
from tests.services.stored import HUNG, LAN, MAI, MODEL, merge, store, store_unplaced

ENDINGS = ("parquet", "csv")


def read(path: Path) -> list[dict[str, object]]:
    table = csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)
    return list(table.to_pylist())


def ask(registry: Registry, record_a: int, record_b: int, *, weight: float) -> None:
    with registry.begin() as uow:
        rows = TaskRows(
            task_ids=np.array([allocate(uow, Counters(task=1)).task]),
            kinds=["possible_match"],
            questions=[f"records:{record_a}-{record_b}"],
            record_a=np.array([record_a]),
            record_b=np.array([record_b]),
            person_a=np.array([1]),
            person_b=np.array([2]),
            match_weights=np.array([weight]),
            level_codes=np.zeros((1, 3), dtype=np.int8),
            reasons=["the evidence lies between the review and the link threshold"],
            priorities=np.ones(1),
        )
        reviews.open_tasks(uow, rows, run_id=None)


@pytest.mark.parametrize("ending", ENDINGS)
def test_cross_references(registry: Registry, tmp_path: Path, ending: str) -> None:
    lan, hung = store(registry, [LAN, HUNG])
    store_unplaced(registry, MAI)
    out = tmp_path / f"references.{ending}"
    assert export_cross_references(registry, out) == 4
    assert [tuple(row.values()) for row in read(out)] == [
        ("hospital", "H1", lan),
        ("insurance", "I1", lan),
        ("station", "S1", lan),
        ("student", "T1", hung),
    ]
    assert list(read(out)[0]) == ["source_system", "source_record_id", "enterprise_id"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.parametrize("ending", ENDINGS)
def test_review_tasks(registry: Registry, tmp_path: Path, ending: str) -> None:
    lan, hung = store(registry, [LAN[:1], HUNG])
    ask(registry, 1, 2, weight=5.25)
    out = tmp_path / f"tasks.{ending}"
    assert export_review_tasks(registry, out) == 1
    (row,) = read(out)
    assert list(row) == REVIEW_TASK_SCHEMA.names
    assert [row[f"{name}_{side}"] for side in "ab" for name in ("source_system", "source_record_id")] == [
        "hospital",
        "H1",
        "student",
        "T1",
    ]
    assert (row["enterprise_id_a"], row["enterprise_id_b"], row["match_weight"]) == (lan, hung, 5.25)
    assert row["reason"] == "the evidence lies between the review and the link threshold"


@pytest.mark.parametrize("ending", ENDINGS)
def test_golden_records_are_those_that_an_enquiry_shows(registry: Registry, tmp_path: Path, ending: str) -> None:
    names = store(registry, [LAN, HUNG, MAI])
    out = tmp_path / f"golden.{ending}"
    assert export_golden_records(registry, MODEL, out) == 3
    for name, row in zip(names, read(out), strict=True):
        golden = person(registry, MODEL, name).golden
        assert (row["enterprise_id"], row["records"]) == (name, len(golden.record_keys))
        by_field = {survivor.field: survivor for survivor in golden.survivors}
        for field in ("full_name", "phone", "sex"):
            survivor = by_field.get(field)
            assert (row[f"{field}_reason"] or None) == (survivor.reason if survivor else None)
            assert (row[f"{field}_from"] or None) == (str(survivor.key) if survivor else None)
        assert row["full_name"] == by_field["full_name"].value


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_workers_make_the_same_golden_records(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(registry, [LAN, HUNG, MAI[:1], MAI[1:]])
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    export_golden_records(registry, MODEL, here)
    monkeypatch.setattr(export, "PEOPLE_A_BATCH", 1)
    monkeypatch.setattr(export, "SMALL_REGISTRY", 1)
    monkeypatch.setattr(export, "threads_available", lambda: 2)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert export_golden_records(registry, MODEL, there) == 4
    assert pq.read_table(there).equals(pq.read_table(here))
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > before


def test_golden_records_in_small_batches_are_the_same(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, hung, mai, copy = store(registry, [LAN, HUNG, MAI[:1], MAI[1:]])
    merge(registry, copy, mai)
    whole, parts = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    steps: list[tuple[str, int, int]] = []
    export_golden_records(registry, MODEL, whole)
    monkeypatch.setattr(export, "PEOPLE_A_BATCH", 1)
    assert export_golden_records(registry, MODEL, parts, progress=lambda *step: steps.append(step)) == 3
    assert pq.read_table(parts).equals(pq.read_table(whole))
    assert steps == [("golden records", done, 4) for done in (1, 2, 3, 4)]
    rows = read(parts)
    assert [row["enterprise_id"] for row in rows][1:] == [hung, mai]
    # of two records that differ in the birth date the one of 2025-09-05 is the later
    assert (rows[2]["records"], rows[2]["birth_date"], rows[2]["birth_date_reason"]) == (
        2,
        "2012-01-20",
        "recorded last, on 2025-09-05, after a tie in frequency and trust",
    )


def test_an_empty_registry_gives_empty_tables(registry: Registry, tmp_path: Path) -> None:
    assert export_cross_references(registry, tmp_path / "a.parquet") == 0
    assert export_review_tasks(registry, tmp_path / "b.csv") == 0
    assert export_golden_records(registry, MODEL, tmp_path / "c.parquet") == 0
    assert pq.read_table(tmp_path / "c.parquet").schema == golden_records.golden_schema(MODEL)
    assert (tmp_path / "b.csv").read_text().startswith('"task_id","kind"')


def test_a_failure_leaves_the_old_file_and_nothing_else(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(registry, [LAN, HUNG])
    out = tmp_path / "golden.parquet"
    export_golden_records(registry, MODEL, out)
    before = out.read_bytes(), sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.setattr(export, "PEOPLE_A_BATCH", 1)

    def stop(_step: str, done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_golden_records(registry, MODEL, out, progress=stop)
    assert (out.read_bytes(), sorted(path.name for path in tmp_path.iterdir())) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [("out.xlsx", "written as .parquet or .csv"), ("no/such/out.csv", "cannot be written here"), ("", "name the file")],
)
def test_a_file_that_cannot_be_written_is_refused(registry: Registry, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        export_cross_references(registry, tmp_path / name)


def test_a_folder_is_no_file(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(InvalidInputError, match="is a folder"):
        export_cross_references(registry, tmp_path / "out.csv")
