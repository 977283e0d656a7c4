"""Training from sources: an even sample of too many records, labels at the right rows, numbers of the whole."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mpi.batch.sources import SourceSpec
from mpi.domain.errors import InvalidInputError, SourceUnreadableError
from mpi.matching.siphash import PUBLIC_KEY, hash_text
from mpi.rules.folders import PARAMETERS, TERM_FREQUENCIES
from mpi.services.train_rules import Training, TrainingRequest, train_rules
from tests.factories import small_model
from tests.services.linking import row, write_source

PEOPLE = 1_000
SYSTEMS = ("clinic", "school", "ward")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[SourceSpec]:
    """Every person once in each source, with one number and birth date; each source writes a name of its own."""
    folder = tmp_path_factory.mktemp("sources")
    specs = []
    for system in SYSTEMS:
        rows = [
            row(f"{n}", number=f"7{n:05}", name=system, birth=f"19{n % 90 + 10}-{1 + n % 12:02}-{1 + n % 28:02}")
            for n in range(PEOPLE)
        ]
        specs.append(SourceSpec(system, str(write_source(folder / f"{system}.parquet", rows))))
    return specs


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "truth.parquet"
    keys = [(system, n) for system in reversed(SYSTEMS) for n in range(PEOPLE)]
    pq.write_table(
        pa.table(
            {
                "source": [system for system, _ in keys],
                "source_record_id": [n for _, n in keys],  # whole numbers where the sources have texts
                "person_id": [f"P{n}" for _, n in keys],
            }
        ),
        path,
    )
    return path


def _train(sources: list[SourceSpec], out: Path, labels: Path | None, *, seed: int = 1, records: int = 600) -> Training:
    request = TrainingRequest(sources, (), out, seed, labels, max_pairs=200_000, max_records=records)
    return train_rules(small_model(), request)


@pytest.fixture(scope="module")
def done(sources: list[SourceSpec], labels: Path, tmp_path_factory: pytest.TempPathFactory) -> Training:
    return _train(sources, tmp_path_factory.mktemp("trained"), labels)


def test_of_too_many_records_an_even_sample_is_trained_on(done: Training) -> None:
    assert (done.records, done.read, done.rejected) == (600, 3 * PEOPLE, 0)
    said = done.parameters.provenance
    assert (said["records"], said["drawn_from"]) == ("600", str(3 * PEOPLE))
    # three records a person among all, though of most of them one or none was drawn
    assert done.parameters.records_per_person == pytest.approx(3, rel=0.15)
    shares = {
        each["value_hash"]: each["frequency"] for each in pq.read_table(done.folder / TERM_FREQUENCIES).to_pylist()
    }
    for system in SYSTEMS:
        assert shares[hash_text(system, PUBLIC_KEY)] == pytest.approx(1 / 3, abs=0.07), system


def test_labels_go_to_the_records_that_they_name(done: Training) -> None:
    assert done.parameters.levels["number", "equal"].m == 1
    assert done.parameters.levels["name", "different"].m > 0.99


def test_the_same_seed_draws_the_same_records(
    done: Training, sources: list[SourceSpec], labels: Path, tmp_path: Path
) -> None:
    again, other = (_train(sources, tmp_path / str(seed), labels, seed=seed) for seed in (1, 2))
    digests = [each.parameters.provenance["data_sha256"] for each in (done, again, other)]
    assert digests[0] == digests[1] != digests[2]
    assert (done.folder / PARAMETERS).read_bytes() == (again.folder / PARAMETERS).read_bytes()


def test_few_enough_records_are_all_kept(sources: list[SourceSpec], labels: Path, tmp_path: Path) -> None:
    exact, more = (_train(sources, tmp_path, labels, records=records) for records in (3 * PEOPLE, 10**9))
    assert exact.records == exact.read == 3 * PEOPLE
    assert exact.parameters == more.parameters


@pytest.mark.parametrize(
    ("columns", "error"),
    [({"source": ["a"]}, "has no column source_record_id"), ({}, "no column source;")],
)
def test_labels_without_their_columns_are_refused(
    columns: dict[str, list[str]], error: str, sources: list[SourceSpec], tmp_path: Path
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "labels.parquet")
    with pytest.raises(InvalidInputError, match=error):
        _train(sources, tmp_path, tmp_path / "labels.parquet")
    with pytest.raises(SourceUnreadableError, match="no such file"):
        _train(sources, tmp_path, tmp_path / "nothing.parquet")


def test_labels_of_another_kind_are_refused(sources: list[SourceSpec], tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"source": ["a"], "source_record_id": [["1"]], "person_id": ["p"]}), path)
    with pytest.raises(InvalidInputError, match="must be texts or whole numbers"):
        _train(sources, tmp_path, path)
