"""`link` on a small made-up city under the shipped rules: one answer, whatever the database, order and halves."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mpi.domain.model import LinkageModel
from mpi.registry.registry import Registry
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from mpi.rules.load import load_model
from mpi.synthetic.city import generate_city
from tests.registries import SECRET
from tests.services.linking import contents, link_files, partition, people, questions

PERSONS = 400
Files = dict[str, Path]


@pytest.fixture(scope="module")
def model() -> LinkageModel:
    return load_model(Catalogue(default_root()).find("vn_person"))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Files:
    made = generate_city(tmp_path_factory.mktemp("city"), persons=PERSONS, seed=11)
    return {system: path for system, path in made.files.items() if system != "truth"}


def _new_registry(folder: Path, name: str) -> Registry:
    return Registry.open(f"sqlite:///{folder}/{name}.db", secret=SECRET, create=True)


Outcome = tuple[set[frozenset[str]], set[frozenset[str]]]


@pytest.fixture(scope="module")
def at_once(city: Files, model: LinkageModel, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """People and questions when the whole city is linked in one run on SQLite."""
    folder = tmp_path_factory.mktemp("at_once")
    with _new_registry(folder, "registry") as registry:
        summary = link_files(registry, city, model=model, rejects=folder / "rejects.parquet")
        assert summary.records == sum(pq.read_metadata(path).num_rows for path in city.values())
        assert summary.people == len(partition(registry))
        return partition(registry), questions(registry)


def test_people_are_about_as_many_as_there_are(at_once: Outcome) -> None:
    assert PERSONS * 0.97 < len(at_once[0]) < PERSONS * 1.06


def test_both_databases_give_the_same_people(
    registry: Registry, city: Files, model: LinkageModel, at_once: Outcome, tmp_path: Path
) -> None:
    summary = link_files(registry, city, model=model, rejects=tmp_path / "rejects.parquet")
    assert (partition(registry), questions(registry)) == at_once
    assert all(each.read == each.new and each.read > 0 for each in summary.sources.values())
    before = contents(registry)
    again = link_files(registry, city, model=model, rejects=tmp_path / "rejects.parquet")
    assert contents(registry) == before
    assert again.candidate_pairs == 0
    assert all(each.read == each.unchanged for each in again.sources.values())


def test_the_order_of_files_and_rows_does_not_matter(
    city: Files, model: LinkageModel, at_once: Outcome, tmp_path: Path
) -> None:
    random = np.random.default_rng(3)
    shuffled: Files = {}
    for system in reversed(city):
        rows = pq.read_table(city[system])
        order = random.permutation(rows.num_rows)
        folder = tmp_path / system
        folder.mkdir()
        for number, part in enumerate(np.array_split(order, 3)):
            pq.write_table(rows.take(pa.array(part)), folder / f"{number}.parquet")
        shuffled[system] = folder
    with _new_registry(tmp_path, "shuffled") as registry:
        link_files(registry, shuffled, model=model)
        assert (partition(registry), questions(registry)) == at_once


def pair_agreement(one: set[frozenset[str]], other: set[frozenset[str]]) -> float:
    """The adjusted Rand index of two partitions of the same records (Hubert and Arabie, 1985)."""
    place = {key: number for number, group in enumerate(other) for key in group}
    cells: dict[tuple[int, int], int] = {}
    for number, group in enumerate(one):
        for key in group:
            cells[number, place[key]] = cells.get((number, place[key]), 0) + 1

    def pairs(sizes: list[int]) -> float:
        return float(sum(size * (size - 1) // 2 for size in sizes))

    both, left, right = pairs(list(cells.values())), pairs([len(g) for g in one]), pairs([len(g) for g in other])
    expected = left * right / pairs([len(place)])
    return (both - expected) / ((left + right) / 2 - expected)


@pytest.mark.parametrize("split", ["by rows", "by sources"])
def test_two_halves_give_the_people_of_one_run(
    split: str, city: Files, model: LinkageModel, at_once: Outcome, tmp_path: Path
) -> None:
    halves: tuple[Files, Files] = ({}, {})
    for number, (system, path) in enumerate(city.items()):
        rows = pq.read_table(path)
        cut = rows.num_rows // 2 if split == "by rows" else rows.num_rows * (number % 2)
        for name, half, part in zip(("first", "second"), halves, (rows.slice(0, cut), rows.slice(cut)), strict=True):
            half[system] = tmp_path / name / f"{system}.parquet"
            half[system].parent.mkdir(exist_ok=True)
            pq.write_table(part, half[system])
    with _new_registry(tmp_path, "halves") as registry:
        link_files(registry, halves[0], model=model)
        before = people(registry)
        summary = link_files(registry, halves[1], model=model)
        after, groups = people(registry), partition(registry)
        moved = {key for key, person in before.items() if after[key] != person}
        # only records of people that turned out to be one have moved, and to an older person
        assert all(after[key] < before[key] for key in moved)
        assert len({before[key] for key in moved}) == summary.people_merged
    assert pair_agreement(at_once[0], groups) >= 0.999


def test_worker_processes_give_the_same(city: Files, model: LinkageModel, at_once: Outcome, tmp_path: Path) -> None:
    with _new_registry(tmp_path, "workers") as registry:
        link_files(registry, city, model=model, workers=2, rejects=tmp_path / "rejects.parquet")
        assert (partition(registry), questions(registry)) == at_once
