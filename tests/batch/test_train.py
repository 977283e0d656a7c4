"""Training on a small made-up city and on rows with known counts. A trained model is shared: training takes seconds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from mpi.batch.splink_training import training_sessions
from mpi.batch.train import TrainingOptions, data_digest, summary, term_frequencies, train
from mpi.domain.errors import InvalidInputError, UntrainedLevelError
from mpi.domain.model import BlockingRule, FrequencyCap, Level, LinkageModel, Parameters, Predicate, TermFrequencies
from mpi.matching.siphash import PUBLIC_KEY, hash_text
from mpi.matching.weights import prior_bits, untrained_levels
from mpi.rules.load import load_model
from mpi.rules.write import parameters_bytes, term_frequencies_bytes
from mpi.standardise.record import standardise_table
from mpi.synthetic.city import generate_city
from tests.parity.models import comparison_of, model_of, table_of

RULES = Path(__file__).parents[2] / "linkage_rules"
PAIRS = 300_000

Trained = tuple[Parameters, dict[str, TermFrequencies]]


@pytest.fixture(scope="module")
def model() -> LinkageModel:
    return load_model(RULES / "vn_person" / "1.0.0", trained=False)


@pytest.fixture(scope="module")
def city(model: LinkageModel, tmp_path_factory: pytest.TempPathFactory) -> tuple[pa.Table, pa.Table]:
    """Standard records of 2,500 people and their labels."""
    made = generate_city(tmp_path_factory.mktemp("city"), persons=2500, seed=11)
    truth = pq.read_table(made.files["truth"]).to_pylist()
    person = {(row["source"], row["source_record_id"]): row["person_id"] for row in truth}
    tables, people = [], []
    for source, path in sorted(made.files.items()):
        if source != "truth":
            table = pq.read_table(path)
            tables.append(standardise_table(table, model.fields))
            people += [person[source, record] for record in table["source_record_id"].to_pylist()]
    return pa.concat_tables(tables), pa.table({"record": np.arange(len(people)), "person": people})


@pytest.fixture(scope="module")
def trained(model: LinkageModel, city: tuple[pa.Table, pa.Table]) -> Trained:
    return train(model, city[0], seed=3, max_pairs=PAIRS)


@pytest.fixture(scope="module")
def labelled(model: LinkageModel, city: tuple[pa.Table, pa.Table]) -> Trained:
    return train(model, city[0], seed=3, max_pairs=PAIRS, options=TrainingOptions(labels=city[1], data="a small city"))


def test_every_level_is_trained(model: LinkageModel, trained: Trained) -> None:
    parameters, _ = trained
    names = {(c.name, level.label) for c in model.comparisons for level in c.levels if not level.is_null}
    assert set(parameters.levels) == names
    assert all(0 < each.m <= 1 and 0 < each.u <= 1 for each in parameters.levels.values())
    for comparison in model.comparisons:
        levels = [each for (name, _), each in parameters.levels.items() if name == comparison.name]
        assert sum(each.m for each in levels) == pytest.approx(1, abs=0.02)
        assert sum(each.u for each in levels) == pytest.approx(1, abs=0.001)


def test_weights_point_the_right_way(model: LinkageModel, trained: Trained) -> None:
    bits = summary(trained[0])
    # of a newborn twin's digit there are a handful in so small a city
    told = [each for each in model.comparisons if each.name != "newborn_order"]
    assert all(bits[each.name, each.levels[-1].label] < 0 for each in told)
    assert bits["citizen_number", "equal and name or date agrees"] > 15
    assert bits["name", "equal with marks"] > 10
    assert bits["birth_date", "equal"] > 10
    assert bits["sex", "equal"] == pytest.approx(1, abs=0.1)
    assert bits["sex", "different"] < -3


def test_unlabelled_training_comes_near_the_truth(trained: Trained, labelled: Trained) -> None:
    found, truth = trained[0], labelled[0]
    assert found.records_per_person == pytest.approx(truth.records_per_person, rel=0.03)
    for name, each in truth.levels.items():
        if each.m > 0.05:
            assert found.levels[name].m == pytest.approx(each.m, rel=0.15), name


def test_labels_give_the_counts_of_labelled_pairs(labelled: Trained, city: tuple[pa.Table, pa.Table]) -> None:
    table, labels = city
    sexes, people = table["sex"].to_pylist(), labels["person"].to_pylist()
    records: dict[str, list[int]] = {}
    for row, person in enumerate(people):
        records.setdefault(person, []).append(row)
    pairs = [(a, b) for rows in records.values() for a in rows for b in rows if a < b and sexes[a] and sexes[b]]
    equal = sum(sexes[a] == sexes[b] for a, b in pairs) / len(pairs)
    assert labelled[0].levels["sex", "equal"].m == pytest.approx(equal, rel=1e-5)
    mates = sum(len(rows) * (len(rows) - 1) for rows in records.values()) / len(people)
    assert labelled[0].records_per_person - 1 == pytest.approx(mates, rel=0.03)


def test_provenance_says_where_the_numbers_come_from(
    trained: Trained, labelled: Trained, city: tuple[pa.Table, pa.Table], model: LinkageModel
) -> None:
    said = trained[0].provenance
    assert said["seed"] == "3"
    assert said["records"] == str(city[0].num_rows)
    assert said["method_m"].startswith("expectation maximisation")
    assert {"splink", "duckdb", "numpy", "numba", "python", "data_sha256"} <= set(said)
    assert labelled[0].provenance["method_m"] == "labels"
    assert labelled[0].provenance["data"] == "a small city"


def test_training_twice_gives_the_same_bytes(
    trained: Trained, city: tuple[pa.Table, pa.Table], model: LinkageModel
) -> None:
    chunked = pa.concat_tables([city[0].slice(0, 1000), city[0].slice(1000)])
    again = train(model, chunked, seed=3, max_pairs=PAIRS)
    assert parameters_bytes(again[0]) == parameters_bytes(trained[0])
    assert term_frequencies_bytes(again[1]) == term_frequencies_bytes(trained[1])


def _small() -> LinkageModel:
    text = comparison_of(
        "text",
        Level("missing", Predicate("null", ("text",)), is_null=True),
        Level("equal", Predicate("exact", ("text",)), tf_column="text"),
    )
    year = comparison_of(
        "year",
        Level("missing", Predicate("null", ("year",)), is_null=True),
        Level("equal", Predicate("exact", ("year",))),
    )
    return model_of(
        [text, year], blocking=[BlockingRule("text", ("text",)), BlockingRule("year", ("year",), ("month",))]
    )


def test_a_level_without_a_pair_is_refused_by_name() -> None:
    table = table_of(300, seed=1).set_column(2, "year", pa.array([2000] * 300, type=pa.int32()))
    with pytest.raises(UntrainedLevelError, match=r"year / otherwise \(mu\)"):
        train(_small(), table, seed=1, max_pairs=PAIRS, options=TrainingOptions(smooth=False))
    parameters, _ = train(_small(), table, seed=1, max_pairs=PAIRS)
    assert "year / otherwise (mu)" in parameters.provenance["smoothed_levels"]
    assert 0 < parameters.levels["year", "otherwise"].u < 1e-4


def test_records_per_person_may_be_given() -> None:
    options = TrainingOptions(records_per_person=1.25)
    parameters, _ = train(_small(), table_of(300, seed=1), seed=1, max_pairs=PAIRS, options=options)
    assert parameters.records_per_person == 1.25
    assert parameters.provenance["records_per_person"] == "given"
    assert prior_bits(parameters.records_per_person, 300) == pytest.approx(np.log2(0.25 / 299 / (1 - 0.25 / 299)))


def test_frequent_values_are_named_and_rare_ones_share_a_frequency() -> None:
    values = ["an"] * 5 + ["binh"] * 3 + ["chi"] * 2 + ["dung", "em", None, ""]
    table = table_of(len(values), seed=1).set_column(0, "text", pa.array(values))
    found = term_frequencies(_small(), table)["text"]
    assert found.frequencies == pytest.approx(
        {hash_text("an", PUBLIC_KEY): 5 / 12, hash_text("binh", PUBLIC_KEY): 3 / 12}, rel=1e-5
    )
    assert found.unseen == pytest.approx((2 + 1 + 1) / 3 / 12, rel=1e-5)


@pytest.mark.parametrize("family", ["vn_person", "febrl"])
def test_every_comparison_has_a_training_session(family: str) -> None:
    model = load_model(RULES / family / "1.0.0", trained=False)
    sessions = training_sessions(model)
    assert {name for each in sessions for name in each.comparisons} == {each.name for each in model.comparisons}
    for each in sessions:
        assert "name" not in each.comparisons or not any(column.startswith("name") for column in each.rule.columns)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (pa.table({"record": [0]}), "labels need a column person"),
        (pa.table({"record": [0, 300], "person": ["a", "a"]}), "not among the 300"),
        (pa.table({"record": [0, 1], "person": ["a", "b"]}), "no two labelled records"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: pa.Table, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        train(_small(), table_of(300, seed=1), seed=1, max_pairs=PAIRS, options=TrainingOptions(labels=labels))


def test_capped_values_are_missing_in_training() -> None:
    table = table_of(600, seed=1)
    shared = pa.array([row % 3 == 0 for row in range(600)])
    table = table.set_column(0, "text", pc.if_else(shared, "on call", table["text"]))
    without = table.set_column(0, "text", pc.if_else(shared, None, table["text"]))
    capped = replace(_small(), frequency_caps=(FrequencyCap("text", ("year", "month"), 20),))
    found = train(capped, table, seed=1, max_pairs=PAIRS)[0]
    plain = train(_small(), without, seed=1, max_pairs=PAIRS)[0]
    assert found.provenance["capped"] == "text: 1 values in 200 records"
    assert plain.provenance["capped"] == "none"
    assert found.provenance["data_sha256"] == data_digest(table.select(["month", "text", "year"]))
    assert found.levels["year", "equal"] == plain.levels["year", "equal"]
    assert (
        found.levels["text", "equal"].u
        < 0.02
        < train(_small(), table, seed=1, max_pairs=PAIRS)[0].levels["text", "equal"].u
    )


def test_one_record_cannot_train() -> None:
    with pytest.raises(InvalidInputError, match="two records or more"):
        train(_small(), table_of(1, seed=1), seed=1)


def test_the_digest_knows_values_and_not_chunks() -> None:
    table = table_of(40, seed=1)
    digest = data_digest(table)
    assert data_digest(pa.concat_tables([table.slice(0, 7), table.slice(7)])) == digest
    assert data_digest(table.select(list(reversed(table.column_names)))) == digest
    assert data_digest(table.slice(1)) != digest
    assert data_digest(table.set_column(0, "text", table["other"])) != digest


@pytest.mark.parametrize("family", ["vn_person", "febrl"])
def test_released_parameters_are_whole(family: str) -> None:
    model = load_model(RULES / family / "1.0.0")
    assert untrained_levels(model) == []
    assert model.parameters is not None
    assert {"data", "data_sha256", "seed", "splink", "duckdb"} <= set(model.parameters.provenance)
