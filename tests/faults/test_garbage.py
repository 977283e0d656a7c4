"""Garbage among good files: rejects, or one clear error that leaves the registry as it was."""

from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mpi.domain.errors import InvalidInputError, SourceUnreadableError
from mpi.registry.registry import Registry
from mpi.registry.runs import RunStatus
from mpi.services.featurise import featurise
from mpi.services.registry_state import list_runs
from tests.faults.victim import link_on_a_full_disk, small_batches
from tests.registries import SECRET
from tests.services.linking import (
    COLUMNS,
    contents,
    link_files,
    link_rows,
    partition,
    row,
    strangers,
    write_source,
)

LAN = {"name": "lan", "birth": "1984-03-19"}
KNOWN = [row("1", **LAN, recorded_at="2020-01-01"), row("2", **LAN), row("3", name="ba")]
LATE = row("1", name="la", recorded_at="2019-01-01")
NEWS = [row("1", **LAN, recorded_at="2021-01-01"), LATE, row("4", **LAN), row("5", name="hoa")]

# A run that fails leaves itself with its reason, and numbers that nobody gets any more.
# Feature rows of versions that were taken back are made anew by the next run.
MAY_CHANGE = ("run", "registry_counter", "record_feature")


def _parquet_cut(path: Path) -> None:
    """A Parquet file whose end is whole and whose middle is not: it opens, and fails on the way."""
    good = path.with_name("good.parquet")
    rows = pa.table({name: pa.array([f"{name} {n}" for n in range(4_000)], pa.string()) for name in COLUMNS})
    pq.write_table(rows, good, row_group_size=400, compression="zstd")
    data = bytearray(good.read_bytes())
    good.unlink()
    middle = len(data) * 6 // 10
    data[middle : middle + 2_000] = b"\xff" * 2_000
    path.write_bytes(data)


def _truncated(path: Path) -> None:
    _parquet_cut(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _written(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


HEADER = b"source_record_id,name,birth\n"

UNREADABLE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "binary": ("b.csv", _written(bytes(range(256)) * 400), "b.csv"),
    "no Parquet": ("b.parquet", _written(b"PAR1 but not really"), "b.parquet"),
    "truncated Parquet": ("b.parquet", _truncated, "b.parquet"),
    "Parquet broken inside": ("b.parquet", _parquet_cut, "b.parquet"),
    "wrong columns": ("b.csv", _written(b"colour,size\nred,1\n"), "has no column source_record_id"),
    "empty": ("b.csv", _written(b""), "b.csv"),
    "unknown extension": ("b.xls", _written(b"\xd0\xcf\x11\xe0"), "unknown extension"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_an_unreadable_file_is_one_error_and_leaves_the_registry_as_it_was(
    kind: str, registry: Registry, tmp_path: Path
) -> None:
    name, write, told = UNREADABLE[kind]
    link_rows(registry, tmp_path / "known", a=KNOWN, x=strangers())
    before = contents(registry, without=MAY_CHANGE)
    good = write_source(tmp_path / "a.parquet", NEWS)
    new = write_source(tmp_path / "n.parquet", NEWS)
    write(tmp_path / name)
    rejects = tmp_path / "refused.parquet"
    with small_batches(), pytest.raises(SourceUnreadableError) as error:
        link_files(registry, {"a": good, "n": new, "b": tmp_path / name}, rejects=rejects)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert contents(registry, without=MAY_CHANGE) == before
    assert list(tmp_path.glob("*refused*")) == []
    # either nothing was begun, or the run says why it came to nothing
    for run in list_runs(registry, limit=9)[:-1]:
        assert run.status is RunStatus.ABANDONED
        assert run.summary == {"given_up": {"reason": "SOURCE_UNREADABLE", "message": str(error.value)}}
    # and the good file alone does what it would have done
    link_files(registry, {"a": good}, rejects=rejects)
    with Registry.open(f"sqlite:///{tmp_path}/other.db", secret=SECRET, create=True) as other:
        link_rows(other, tmp_path / "known", a=KNOWN, x=strangers())
        link_files(other, {"a": good}, rejects=rejects)
        assert partition(registry) == partition(other)


REJECTED: dict[str, tuple[bytes, int | None]] = {
    "NUL bytes": (b"2,ho\x00a,\n", 1),
    "invalid dates": (b"2,hoa,31/02/1999\n3,mai,tomorrow\n", 0),
    "no id": (b",hoa,\n  ,hoa,\n", 2),
    "a line of 100 MB": (b"2," + b"x" * 100_000_000 + b",\n", 1),
    "too many cells": (b"2,hoa,1999-01-01,more,and,more\n", 1),
    "not UTF-8": (b"2,\xff\xfe\x81,\n", None),
}


@pytest.mark.parametrize("kind", REJECTED)
def test_bad_rows_are_rejected_or_taken_without_their_value_and_good_ones_stay(
    kind: str, registry: Registry, tmp_path: Path
) -> None:
    data, refused = REJECTED[kind]
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + b"1,lan,1984-03-19\n" + data + b"9,lan,1984-03-19\n")
    rejects = tmp_path / "rejects.parquet"
    counts = link_files(registry, {"a": path}, rejects=rejects).sources["a"]
    assert {"a:1", "a:9"} in [set(group) for group in partition(registry)]
    assert counts.read == counts.new + counts.rejected
    assert pq.read_metadata(rejects).num_rows == counts.rejected
    if refused is not None:
        assert counts.rejected == refused


def test_what_goes_wrong_on_the_way_is_taken_back(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only sources fail: a worker may, or a disk."""
    link_rows(registry, tmp_path / "known", a=KNOWN, x=strangers())
    before = contents(registry, without=MAY_CHANGE)
    done = []

    def failing(table: pa.Table) -> object:
        done.append(table)
        if len(done) > 8:
            raise MemoryError
        return featurise(table)

    monkeypatch.setattr("mpi.services.ingest.featurise", failing)
    more = {"a": write_source(tmp_path / "a.parquet", NEWS), "y": write_source(tmp_path / "y.parquet", strangers(90))}
    with small_batches(), pytest.raises(MemoryError):
        link_files(registry, more, rejects=tmp_path / "rejects.parquet")
    # some batches were in the registry by then
    run = list_runs(registry, limit=1)[0]
    assert run.cursor > 2
    assert run.summary == {"given_up": {"reason": "UNEXPECTED", "message": "unexpected MemoryError"}}
    assert contents(registry, without=MAY_CHANGE) == before
    monkeypatch.undo()
    assert link_files(registry, more, rejects=tmp_path / "rejects.parquet").sources["a"].stored == 4


def test_rejects_that_cannot_be_written_are_refused_at_once(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path / "known", a=KNOWN)
    before = contents(registry, without=MAY_CHANGE)
    good = write_source(tmp_path / "a.parquet", NEWS)
    for place in (tmp_path / "nowhere" / "rejects.parquet", good / "rejects.parquet"):
        with pytest.raises(InvalidInputError, match="cannot be written"):
            link_files(registry, {"a": good}, rejects=place)
    assert contents(registry, without=MAY_CHANGE) == before
    assert link_files(registry, {"a": good}).sources["a"].stored == 4


def _said_on_a_full_disk(
    forks: ForkServerContext, url: str, files: dict[str, Path], said: Path, most_bytes: int
) -> str:
    said.touch()
    process = forks.Process(target=link_on_a_full_disk, args=(url, files, said), kwargs={"most_bytes": most_bytes})
    process.start()
    process.join(60)
    assert process.exitcode == 0, said.read_text()
    return said.read_text()


def test_a_full_disk_under_the_registry_is_a_clean_error(tmp_path: Path, forks: ForkServerContext) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    with Registry.open(url, secret=SECRET, create=True) as registry:
        link_rows(registry, tmp_path / "known", a=KNOWN)
        before = partition(registry)
    many = {"y": write_source(tmp_path / "many.parquet", strangers(3_000))}
    assert _said_on_a_full_disk(forks, url, many, tmp_path / "said", 400_000).startswith("RegistryError: ")
    with Registry.open(url, secret=SECRET, create=False) as registry:
        assert partition(registry) == before
        link_files(registry, many)
        assert len(partition(registry)) == len(before) + 3_000


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_full_disk_under_the_rejects_is_a_clean_error(
    registry: Registry, registry_url: str, tmp_path: Path, forks: ForkServerContext
) -> None:
    link_rows(registry, tmp_path / "known", a=KNOWN)
    before = contents(registry, without=MAY_CHANGE)
    random = np.random.default_rng(1)
    bad = [row("", name=random.bytes(60).hex()) for _ in range(4_000)]
    many = {"y": write_source(tmp_path / "many.parquet", bad)}
    said = _said_on_a_full_disk(forks, registry_url, many, tmp_path / "said", 20_000)
    assert said.startswith("MpiError: "), said
    assert "rejects" in said
    assert contents(registry, without=MAY_CHANGE) == before
    assert list_runs(registry, limit=1)[0].summary == {"given_up": {"reason": "MPI_ERROR", "message": said[10:]}}
