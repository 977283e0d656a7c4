"""Evaluation: figures equal a brute-force count over all pairs and records, and the published examples."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi.batch.evaluate import candidate_recall, evaluate, evaluate_labels
from mpi.domain.errors import InvalidInputError

labels = st.integers(0, 5)


def predicted_table(rows: dict[int, int]) -> pa.Table:
    return pa.table(
        {
            "source_system": [f"s{record % 2}" for record in rows],
            "source_record_id": [str(record // 2) for record in rows],
            "enterprise_id": pa.array([f"E{cluster}" for cluster in rows.values()], pa.string()),
        },
        schema=pa.schema([(name, pa.string()) for name in ("source_system", "source_record_id", "enterprise_id")]),
    )


def truth_table(rows: dict[int, int]) -> pa.Table:
    names = {"source_system": "source", "source_record_id": "source_record_id", "enterprise_id": "person_id"}
    return predicted_table(rows).rename_columns(names)


def task_table(pairs: list[tuple[int, int]]) -> pa.Table:
    columns = {
        "source_system_a": [f"s{a % 2}" for a, _ in pairs],
        "source_record_id_a": [str(a // 2) for a, _ in pairs],
        "source_system_b": [f"s{b % 2}" for _, b in pairs],
        "source_record_id_b": [str(b // 2) for _, b in pairs],
    }
    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns]))


def share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def oracle(clusters: dict[int, int], persons: dict[int, int]) -> dict[str, tuple[float, float]]:
    """Every pair and every record looked at one by one."""
    records = sorted(set(clusters) & set(persons))
    pairs = list(combinations(records, 2))
    together = {pair for pair in pairs if clusters[pair[0]] == clusters[pair[1]]}
    same = {pair for pair in pairs if persons[pair[0]] == persons[pair[1]]}

    def group(of: dict[int, int], record: int) -> frozenset[int]:
        return frozenset(one for one in records if of[one] == of[record])

    def b_cubed(of: dict[int, int]) -> float:
        shares = [len(group(clusters, r) & group(persons, r)) / len(group(of, r)) for r in records]
        return share(sum(shares), len(shares))

    found, real = {group(clusters, r) for r in records}, {group(persons, r) for r in records}
    return {
        "pairwise": (share(len(together & same), len(together)), share(len(together & same), len(same))),
        "b_cubed": (b_cubed(clusters), b_cubed(persons)),
        "exact_cluster": (share(len(found & real), len(found)), share(len(found & real), len(real))),
    }


def answered_clusters(
    clusters: dict[int, int], persons: dict[int, int], tasks: list[tuple[int, int]]
) -> dict[int, int]:
    joined = dict(clusters)
    for a, b in tasks:
        if a in joined and b in joined and a in persons and b in persons and persons[a] == persons[b]:
            old, new = joined[a], joined[b]
            joined = {record: new if cluster == old else cluster for record, cluster in joined.items()}
    return joined


side = st.dictionaries(st.integers(0, 11), labels, max_size=12)
pairs_of_records = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=8)


@settings(deadline=None)  # the first call loads Arrow's kernels
@given(side, side, st.none() | pairs_of_records)
def test_figures_equal_a_brute_force_count(
    clusters: dict[int, int], persons: dict[int, int], tasks: list[tuple[int, int]] | None
) -> None:
    got = evaluate(
        predicted_table(clusters), truth_table(persons), answered=None if tasks is None else task_table(tasks)
    )
    for name, (precision, recall) in oracle(answered_clusters(clusters, persons, tasks or []), persons).items():
        measure = getattr(got, name)
        assert (measure.precision, measure.recall) == (pytest.approx(precision), pytest.approx(recall)), name
    assert got.records == len(set(clusters) & set(persons))
    assert got.records_predicted_only == len(set(clusters) - set(persons))
    assert got.records_truth_only == len(set(persons) - set(clusters))
    shared = set(clusters) & set(persons)
    outside = sum(a not in shared or b not in shared for a, b in tasks or [])
    assert (got.tasks, got.tasks_outside) == (len(tasks or []), outside)


def test_the_example_of_bagga_and_baldwin() -> None:
    """Bagga & Baldwin (1998), entity-based cross-document coreferencing: truth {1-5} {6,7} {8-12}."""
    truth = [0] * 5 + [1] * 2 + [2] * 5
    first = evaluate_labels([0] * 5 + [1] * 7, truth).b_cubed
    second = evaluate_labels([0] * 5 + [1] * 2 + [0] * 5, truth).b_cubed
    assert (round(first.precision, 2), first.recall) == (0.76, 1.0)
    assert (round(second.precision, 2), second.recall) == (0.58, 1.0)


def test_the_counts_behind_the_figures() -> None:
    got = evaluate_labels([0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 2, 2])
    assert (got.predicted_pairs, got.true_pairs, got.right_pairs) == (4, 3, 2)
    assert (got.predicted_clusters, got.true_clusters, got.right_clusters) == (3, 3, 1)
    assert got.to_dict()["pairwise"] == {"precision": 0.5, "recall": 2 / 3, "f1": pytest.approx(4 / 7)}
    assert got.to_dict()["records"] == 6


def test_answers_join_whole_clusters_through_one_another() -> None:
    clusters = {0: 0, 1: 1, 2: 2, 3: 3, 4: 3}
    persons = {0: 0, 1: 0, 2: 0, 3: 1, 4: 0}
    got = evaluate(predicted_table(clusters), truth_table(persons), answered=task_table([(0, 1), (2, 1), (0, 3)]))
    assert (got.tasks, got.tasks_joined) == (3, 2)
    assert (got.predicted_pairs, got.right_pairs, got.true_pairs) == (4, 3, 6)


def test_nothing_at_all_claims_nothing_wrong() -> None:
    got = evaluate(predicted_table({}), truth_table({}), answered=task_table([]))
    assert (got.records, got.pairwise.precision, got.b_cubed.recall, got.exact_cluster.f1) == (0, 1.0, 1.0, 1.0)


def test_ids_may_be_integers_dictionaries_and_chunks() -> None:
    truth = truth_table({0: 0, 1: 0, 2: 1})
    predicted = pa.concat_tables([predicted_table({0: 4}), predicted_table({1: 4, 2: 5})])
    numbers = truth.set_column(2, "person_id", pa.array([7, 7, 9]))
    encoded = predicted.set_column(0, "source_system", predicted["source_system"].dictionary_encode())
    assert evaluate(encoded, numbers).to_dict() == evaluate(predicted, truth).to_dict()
    assert evaluate(encoded, numbers).exact_cluster.f1 == 1.0


def test_bad_tables_are_refused() -> None:
    good, truth = predicted_table({0: 0, 1: 0}), truth_table({0: 0, 1: 0})
    with pytest.raises(InvalidInputError, match="truth: has no column person_id; found: source, source_record_id"):
        evaluate(good, truth.drop_columns(["person_id"]))
    with pytest.raises(InvalidInputError, match="predicted: 2 records stand more than once"):
        evaluate(pa.concat_tables([good, good]), truth)
    with pytest.raises(InvalidInputError, match="column enterprise_id has empty cells"):
        evaluate(good.set_column(2, "enterprise_id", pa.array(["E1", None])), truth)


@given(st.lists(labels, min_size=1, max_size=10).flatmap(
    lambda persons: st.tuples(
        st.just(persons),
        st.lists(st.tuples(*[st.integers(0, len(persons) - 1)] * 2), max_size=30),
    )
))  # fmt: skip
def test_candidate_recall_equals_a_brute_force_count(case: tuple[list[int], list[tuple[int, int]]]) -> None:
    persons, pairs = case
    got = candidate_recall([a for a, _ in pairs], [b for _, b in pairs], persons)
    distinct = {frozenset(pair) for pair in pairs if pair[0] != pair[1]}
    true = {frozenset(pair) for pair in combinations(range(len(persons)), 2) if persons[pair[0]] == persons[pair[1]]}
    assert (got.candidates, got.true_pairs, got.found_pairs) == (len(distinct), len(true), len(distinct & true))
    assert got.recall == share(len(distinct & true), len(true))


@pytest.mark.parametrize(
    "call",
    [
        lambda: candidate_recall([0], [5], [0, 0]),
        lambda: candidate_recall([-1], [0], [0, 0]),
        lambda: candidate_recall([0, 1], [1], [0, 0]),
    ],
    ids=["beyond", "negative", "lengths"],
)
def test_bad_candidate_pairs_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(InvalidInputError):
        call()


def test_clusters_of_millions_do_not_overflow() -> None:
    count = 3_000_000
    got = evaluate_labels(np.zeros(count, dtype=np.int32), np.arange(count, dtype=np.int32) % 2)
    assert got.predicted_pairs == count * (count - 1) // 2
    assert got.b_cubed.precision == 0.5
    assert got.b_cubed.recall == 1.0
