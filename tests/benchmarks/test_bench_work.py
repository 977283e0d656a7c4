"""The work that is measured, on a city small enough for a test."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks import cities, plain_rules
from benchmarks.cities import city, person_labels, standard_records
from benchmarks.peers.city_table import COLUMNS, write_city_table
from benchmarks.peers.goldenmatch.run import components
from benchmarks.plain_rules import choose_columns, plain
from benchmarks.scenario import trained_model
from benchmarks.scenarios.scoring import _compare
from benchmarks.workers import block, link_people, score_ours, score_splink


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Standard records of a small city."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cities, "WORK", tmp_path_factory.mktemp("work"))
        yield standard_records(city(700, seed=5), trained_model())


def test_standard_records_stand_beside_their_truth(small: Path) -> None:
    truth = pq.read_table(small.parent / "truth.parquet")
    table = pq.read_table(small)
    assert table["truth_source_record_id"].to_pylist() == truth["source_record_id"].to_pylist()
    labels = person_labels(small)
    assert len(np.unique(labels)) == len(set(truth["person_id"].to_pylist())) == 700


def test_both_sides_of_scoring_give_the_same_pairs_and_weights(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_splink, "WORK", tmp_path)
    columns = choose_columns(trained_model(), small)
    sides = {}
    for name, module in (("ours", score_ours), ("splink", score_splink)):
        given = {"table": str(small), "columns": columns, "threads": 1, "pairs_out": str(tmp_path / name)}
        sides[name] = module.main(given)
    parity = _compare(tmp_path / "ours", tmp_path / "splink")
    assert sides["ours"]["pairs"] == sides["splink"]["pairs"] > 500
    assert parity["pairs_only_ours"] == parity["pairs_only_splink"] == 0
    assert parity["largest_weight_difference_bits"] < 1e-9


def test_rules_are_narrowed_until_they_make_few_pairs(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained_model()
    wide = choose_columns(model, small)
    monkeypatch.setattr(plain_rules, "PAIRS_A_RECORD", 0.05)
    tight = choose_columns(model, small)
    assert all(set(tight[rule.name]) <= {*rule.columns, *rule.refine} for rule in model.blocking)
    assert sum(map(len, tight.values())) > sum(map(len, wide.values()))
    assert not any(rule.refine for rule in plain(model, tight).blocking)


def test_a_lost_pair_and_a_wrong_weight_are_seen(tmp_path: Path) -> None:
    for name, keys, weights in (("ours", [1, 2, 3], [0.5, 1.0, 2.0]), ("splink", [1, 3, 4], [0.5, 2.25, 9.0])):
        np.save(tmp_path / f"{name}.keys.npy", np.array(keys))
        np.save(tmp_path / f"{name}.weights.npy", np.array(weights))
    found = _compare(tmp_path / "ours", tmp_path / "splink")
    assert found == {"pairs_only_ours": 1, "pairs_only_splink": 1, "largest_weight_difference_bits": 0.25}


def test_people_are_found_and_judged(small: Path, tmp_path: Path) -> None:
    given = {"table": str(small), "labels_out": str(tmp_path / "labels.npz"), "deeper": True}
    figures = link_people.main(given)
    assert figures["people"]["pairwise"]["recall"] > 0.9
    assert figures["review_answered"]["pairwise"]["recall"] >= figures["people"]["pairwise"]["recall"]
    histogram = figures["histogram"]
    counted = sum(histogram["true_pairs"]) + sum(histogram["false_pairs"])
    assert counted == figures["blocking"]["candidate_pairs"]
    recalls = [recall for *_, recall in figures["pairs_by_threshold"]]
    assert recalls == sorted(recalls, reverse=True)
    assert recalls[0] <= figures["blocking"]["recall"]
    assert len(np.load(tmp_path / "labels.npz")["people"]) == figures["records"]


def test_blocking_counts_agree_with_the_scored_pairs(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block, "WORK", tmp_path)
    figures = block.main({"table": str(small), "factors": [0.1]})
    people = link_people.main({"table": str(small), "labels_out": str(tmp_path / "labels.npz"), "deeper": True})
    assert figures["pairs"] == people["blocking"]["candidate_pairs"] == sum(rule["pairs"] for rule in figures["rules"])
    assert figures["recall"] == pytest.approx(people["blocking"]["recall"])
    assert figures["other_limits"][0]["pairs_a_record"] <= figures["pairs_a_record"]


def test_peers_are_given_plain_texts(small: Path, tmp_path: Path) -> None:
    table = pq.read_table(write_city_table(small, tmp_path / "peers.parquet"))
    assert tuple(table.column_names) == COLUMNS
    assert table["record"].to_pylist()[:3] == ["0", "1", "2"]
    assert "" not in table["phone"].to_pylist()


def test_components_are_those_of_the_pairs() -> None:
    assert components(6, [(0, 1), (4, 5), (1, 4)]) == [0, 0, 2, 3, 0, 0]
