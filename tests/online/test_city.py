"""A city's records one by one, in random order: the people of one batch run, and what a match foretold."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mpi.domain.model import LinkageModel
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.scorer import Scorer
from mpi.registry.registry import Registry
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from mpi.rules.load import load_model
from mpi.services.resolution import Grade, MatchOutcome, ResolveOutcome
from mpi.synthetic.city import generate_city
from tests.online.desk import Desk, resolve_all
from tests.registries import SECRET
from tests.services.linking import assert_sound, link_files, partition, people
from tests.services.test_link_city import pair_agreement

PERSONS = 2_000
AS_GOOD = 0.999
"""Adjusted Rand index to the batch's people."""

Files = dict[str, Path]
Partition = set[frozenset[str]]


@pytest.fixture(scope="module")
def model() -> LinkageModel:
    return load_model(Catalogue(default_root()).find("vn_person"))


@pytest.fixture(scope="module")
def scorer(model: LinkageModel) -> Scorer:
    return Scorer(model)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Files:
    made = generate_city(tmp_path_factory.mktemp("city"), persons=PERSONS, seed=1)
    return {system: path for system, path in made.files.items() if system != "truth"}


@pytest.fixture(scope="module")
def records(city: Files) -> list[SourceRecord]:
    """Every record, in random order."""
    found = []
    for system, path in city.items():
        for row in pq.read_table(path).to_pylist():
            local_id, at = row.pop("source_record_id"), row.pop("recorded_at")
            values = {name: value for name, value in row.items() if value is not None}
            found.append(SourceRecord(RecordKey(system, local_id), values, at))
    return [found[place] for place in np.random.default_rng(5).permutation(len(found))]


@pytest.fixture(scope="module")
def batch(city: Files, model: LinkageModel, tmp_path_factory: pytest.TempPathFactory) -> Partition:
    folder = tmp_path_factory.mktemp("batch")
    with Registry.open(f"sqlite:///{folder}/registry.db", secret=SECRET, create=True) as registry:
        link_files(registry, city, model=model, rejects=folder / "rejects.parquet")
        return partition(registry)


def _as_good(registry: Registry, batch: Partition) -> bool:
    assert_sound(registry)
    return pair_agreement(batch, partition(registry)) >= AS_GOOD


@pytest.fixture(scope="module")
def singly(
    records: Sequence[SourceRecord], scorer: Scorer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[tuple[bool, bool]]]:
    """A registry that took every record by itself; and of those of the last 500 that a match was sure of, whether they
    were linked, and to that person."""
    path = tmp_path_factory.mktemp("singly") / "registry.db"
    foretold: list[tuple[bool, bool]] = []
    with Registry.open(f"sqlite:///{path}", secret=SECRET, create=True) as registry:
        desk = Desk(registry, scorer)
        resolve_all(desk, records[:-500])
        for record in records[-500:]:
            match = desk.match(record)
            outcome = desk.resolve(record)
            if match.outcome is MatchOutcome.MATCH:
                best = match.candidates[0]
                assert best.grade is Grade.CERTAIN
                survivors = {each.enterprise_id for each in outcome.affected}
                foretold.append((outcome.outcome is ResolveOutcome.LINKED, best.enterprise_id in survivors))
            elif match.outcome is MatchOutcome.NO_MATCH:
                assert outcome.outcome is ResolveOutcome.NEW_PERSON
            assert outcome.blocking == match.blocking
    return path, foretold


def test_one_by_one_gives_the_people_of_the_batch(singly: tuple[Path, object], batch: Partition) -> None:
    with Registry.open(f"sqlite:///{singly[0]}", secret=SECRET, create=False) as registry:
        assert _as_good(registry, batch)


def test_a_sure_match_is_where_the_record_goes(singly: tuple[object, list[tuple[bool, bool]]]) -> None:
    assert len(singly[1]) > 200
    assert set(singly[1]) == {(True, True)}


def test_a_batch_run_afterwards_changes_next_to_nothing(
    singly: tuple[Path, object], city: Files, model: LinkageModel, tmp_path: Path
) -> None:
    with Registry.open(f"sqlite:///{singly[0]}", secret=SECRET, create=False) as registry:
        before = people(registry)
        summary = link_files(registry, city, model=model, rejects=tmp_path / "rejects.parquet")
        assert all(each.unchanged == each.read for each in summary.sources.values())
        assert summary.people_created == 0
        assert summary.records_linked < len(before) / 1_000
        after = people(registry)
        assert sum(after[key] != person for key, person in before.items()) == summary.records_linked


def test_sixteen_at_a_time(records: Sequence[SourceRecord], scorer: Scorer, batch: Partition, tmp_path: Path) -> None:
    with Registry.open(f"sqlite:///{tmp_path}/registry.db", secret=SECRET, create=True) as registry:
        resolve_all(Desk(registry, scorer), records, at_once=16)
        assert _as_good(registry, batch)


def test_half_by_a_batch_run_and_half_singly(
    city: Files,
    records: Sequence[SourceRecord],
    model: LinkageModel,
    scorer: Scorer,
    batch: Partition,
    tmp_path: Path,
) -> None:
    """The first half comes as files: its keys lie in pages, those of the second half in rows."""
    halves: Files = {}
    known = set()
    for system, path in city.items():
        rows = pq.read_table(path)
        halves[system] = tmp_path / f"{system}.parquet"
        part = rows.slice(0, rows.num_rows // 2)
        pq.write_table(part, halves[system])
        known |= {RecordKey(system, local_id) for local_id in part["source_record_id"].to_pylist()}
    with Registry.open(f"sqlite:///{tmp_path}/registry.db", secret=SECRET, create=True) as registry:
        link_files(registry, halves, model=model, rejects=tmp_path / "rejects.parquet")
        resolve_all(Desk(registry, scorer), [each for each in records if each.key not in known], at_once=4)
        assert _as_good(registry, batch)
