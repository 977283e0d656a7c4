import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from mpi.domain.errors import InvalidInputError
from mpi.domain.records import CANONICAL_COLUMNS
from mpi.synthetic import city as city_module
from mpi.synthetic.city import CitySummary, generate_city
from mpi.synthetic.habits import HABITS, SOURCES
from mpi.synthetic.people import World


def digests(summary: CitySummary) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in summary.files.items()}


def positions(summary: CitySummary, source: str) -> pa.Table:
    """Row number in the source's file and the person of each record, ordered by person; one record a person."""
    records = pq.read_table(summary.files[source], columns=["source_record_id"])
    records = records.append_column("row", pa.array(np.arange(records.num_rows)))
    truth = pq.read_table(summary.files["truth"])
    truth = truth.filter(pc.equal(truth["source"], source))
    return records.join(truth, "source_record_id").group_by("person_id").aggregate([("row", "min")])


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    first = digests(generate_city(tmp_path / "a", persons=700, seed=9))
    assert digests(generate_city(tmp_path / "b", persons=700, seed=9)) == first
    other = digests(generate_city(tmp_path / "c", persons=700, seed=10))
    assert not set(other.values()) & set(first.values())


def test_the_rough_city_is_another_city(tmp_path: Path) -> None:
    default = digests(generate_city(tmp_path / "a", persons=300, seed=1))
    rough = digests(generate_city(tmp_path / "b", persons=300, seed=1, habits=HABITS["rough"]))
    assert all(default[source] != rough[source] for source in SOURCES)


def test_files_hold_the_canonical_columns_as_strings_without_empty_ones(city: CitySummary) -> None:
    assert set(city.files) == {*SOURCES, "truth"}
    for source in SOURCES:
        table = pq.read_table(city.files[source])
        assert tuple(table.schema.names) == CANONICAL_COLUMNS
        assert set(table.schema.types) == {pa.string()}
        assert table.num_rows == city.records[source]
        assert table["source_record_id"].null_count == 0
        assert pc.count_distinct(table["source_record_id"]).as_py() == table.num_rows
        for column in table.columns:
            column.validate(full=True)
            assert not pc.any(pc.equal(column, "")).as_py()


def test_truth_covers_every_record_once_and_every_person(city: CitySummary) -> None:
    truth = pq.read_table(city.files["truth"])
    told = list(zip(truth["source"].to_pylist(), truth["source_record_id"].to_pylist(), strict=True))
    written = [
        (source, record)
        for source in SOURCES
        for record in pq.read_table(city.files[source])["source_record_id"].to_pylist()
    ]
    assert sorted(told) == sorted(written)
    assert len(set(told)) == len(told)
    assert pc.count_distinct(truth["person_id"]).as_py() == city.persons
    assert 1.75 < len(told) / city.persons < 1.95


def test_some_people_have_one_record_and_some_hospital_patients_several(city: CitySummary) -> None:
    truth = pq.read_table(city.files["truth"])
    counts = truth.group_by("person_id").aggregate([("source", "count")])["source_count"]
    assert 0.4 < pc.mean(pc.equal(counts, 1)).as_py() < 0.65
    hospital = truth.filter(pc.equal(truth["source"], "hospital"))
    several = hospital.group_by("person_id").aggregate([("source", "count")])["source_count"]
    assert pc.max(several).as_py() >= 4


@pytest.mark.parametrize("pile", [2_000, 400_000])
def test_row_order_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pile: int) -> None:
    monkeypatch.setattr(city_module, "PERSONS_A_PILE", pile)
    monkeypatch.setattr(city_module, "HOUSEHOLDS_A_CHUNK", 1_000)
    summary = generate_city(tmp_path, persons=12_000, seed=2)
    both = positions(summary, "station").join(
        positions(summary, "insurance"), "person_id", join_type="inner", right_suffix="_other"
    )
    assert both.num_rows > 1_500
    assert abs(np.corrcoef(both["row_min"].to_numpy(), both["row_min_other"].to_numpy())[0, 1]) < 0.1
    number = np.array([int(person[1:]) for person in both["person_id"].to_pylist()])
    assert abs(np.corrcoef(both["row_min"].to_numpy(), number)[0, 1]) < 0.1


def test_neighbouring_rows_are_no_more_a_family_than_others(city: CitySummary) -> None:
    address = pq.read_table(city.files["student"])["address"].to_pylist()
    neighbours = sum(a is not None and a == b for a, b in pairwise(address))
    assert neighbours <= 3


def test_local_ids_follow_neither_rows_nor_persons(city: CitySummary) -> None:
    ids = pq.read_table(city.files["insurance"])["source_record_id"].to_pylist()
    numbers = np.array([int(record[2:]) for record in ids])
    assert abs(np.corrcoef(numbers, np.arange(len(numbers)))[0, 1]) < 0.05
    assert len(np.unique(np.diff(numbers))) > 0.9 * len(numbers)


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    summary = generate_city(tmp_path, persons=500, seed=3, progress=lambda *step: told.append(step))
    assert ("people and records", 500, 500) in told
    total = sum(summary.records.values())
    assert told[-1] == ("files", total, total)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("persons", [1, 2, 3])
def test_a_hamlet_is_a_city_too(tmp_path: Path, persons: int) -> None:
    summary = generate_city(tmp_path, persons=persons, seed=4)
    truth = pq.read_table(summary.files["truth"])
    assert pc.count_distinct(truth["person_id"]).as_py() == persons


@pytest.mark.parametrize(("persons", "seed"), [(0, 1), (-5, 1), (10**9, 1), (10, -1), (10, 2**31)])
def test_impossible_cities_are_refused(tmp_path: Path, persons: int, seed: int) -> None:
    with pytest.raises(InvalidInputError):
        generate_city(tmp_path, persons=persons, seed=seed)


def test_ward_codes_are_of_their_time(city: CitySummary, world: World) -> None:
    """Codes that only the map of before July 2025 knows come before it, and later only by habit."""
    city_rows = np.arange(world.places.city)
    old_only = set(world.places.old_code[city_rows].tolist()) - set(world.places.new_code[city_rows].tolist())
    rows = pq.read_table(city.files["insurance"], columns=["ward_code", "recorded_at"]).to_pylist()
    early = [int(row["ward_code"]) in old_only for row in rows if row["ward_code"] and row["recorded_at"] < "2025-07"]
    late = [int(row["ward_code"]) in old_only for row in rows if row["ward_code"] and row["recorded_at"] >= "2025-07"]
    assert np.mean(early) > 0.4
    assert 0.02 < np.mean(late) < 0.2
