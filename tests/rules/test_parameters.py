"""Parameters and term frequencies: read back as they were written, and refused when they do not fit the rules."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mpi.domain.errors import MpiError, RuleFileError, UntrainedLevelError
from mpi.domain.model import LevelParameters, LinkageModel, Parameters, TermFrequencies
from mpi.matching.scorer import Scorer
from mpi.rules.load import load_model
from mpi.rules.parameters import FREQUENCY_SCHEMA
from mpi.rules.write import write_parameters

SOUND = (Path(__file__).parent / "sound_rules.yaml").read_text(encoding="utf-8")
FREQUENCIES = {"name": TermFrequencies("name", {7: 0.25, 2**64 - 1: 0.125}, 0.001)}


def trained(model: LinkageModel) -> Parameters:
    labels = [(each.name, level.label) for each in model.comparisons for level in each.levels if not level.is_null]
    levels = {label: LevelParameters(1 / (place + 2), 1 / 3 ** (place + 1)) for place, label in enumerate(labels)}
    return Parameters(1.85, levels, {"seed": "7", "data_digest": "ab12"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """people@1.0.0, trained."""
    folder = tmp_path / "people" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "rules.yaml").write_text(SOUND, encoding="utf-8")
    write_parameters(folder, trained(load_model(folder, trained=False)), FREQUENCIES)
    return folder


def refusal(folder: Path, error: type[MpiError] = RuleFileError) -> str:
    with pytest.raises(error) as caught:
        load_model(folder)
    assert type(caught.value) is error
    return str(caught.value)


def test_what_was_written_is_read(folder: Path) -> None:
    untrained = load_model(folder, trained=False)
    model = load_model(folder)
    assert model.parameters == trained(untrained)
    assert model.term_frequencies == FREQUENCIES
    assert replace(model, parameters=None, term_frequencies={}, digest=untrained.digest) == untrained
    assert Scorer(model).prior(1_000_000) < 0


def test_writing_again_gives_the_same_bytes(folder: Path) -> None:
    names = ("parameters.json", "term_frequencies.parquet")
    first = [(folder / name).read_bytes() for name in names]
    backwards = {"name": TermFrequencies("name", dict(reversed(list(FREQUENCIES["name"].frequencies.items()))), 0.001)}
    parameters = load_model(folder).parameters
    assert parameters is not None
    write_parameters(folder, parameters, backwards)
    assert [(folder / name).read_bytes() for name in names] == first
    assert sorted(path.name for path in folder.iterdir()) == sorted(["rules.yaml", *names])


def test_the_digest_is_that_of_all_three_files(folder: Path) -> None:
    digests = {load_model(folder).digest}
    model = load_model(folder)
    assert model.parameters is not None
    write_parameters(folder, replace(model.parameters, records_per_person=1.86), FREQUENCIES)
    digests.add(load_model(folder).digest)
    write_parameters(folder, model.parameters, {"name": replace(FREQUENCIES["name"], unseen=0.002)})
    digests.add(load_model(folder).digest)
    (folder / "rules.yaml").write_text(SOUND + "\n", encoding="utf-8")
    digests.add(load_model(folder).digest)
    (folder / "cases.yaml").write_text("cases: []\n", encoding="utf-8")
    digests.add(load_model(folder).digest)
    assert len(digests) == 4


Change = Callable[[dict[str, Any]], object]

BROKEN: list[tuple[str, Change, str, str]] = [
    ("m of zero", lambda p: p["levels"]["name"]["equal"].update(m=0), '"m": 0,', "equal.m: should be greater than 0"),
    (
        "u above one",
        lambda p: p["levels"]["name"]["equal"].update(u=1.5),
        '"u": 1.5',
        "should be less than or equal to 1",
    ),
    ("u missing", lambda p: p["levels"]["name"]["equal"].pop("u"), '"equal"', "levels.name.equal.u: is required"),
    (
        "m in words",
        lambda p: p["levels"]["name"]["equal"].update(m="1"),
        '"m": "1"',
        "should be a valid number, not '1'",
    ),
    ("stale comparison", lambda p: p["levels"].update(sex={}), '"sex"', "levels.sex: is stale: rules.yaml has no such"),
    ("stale level", lambda p: p["levels"]["name"].update(old={"m": 1, "u": 1}), '"old"', "levels.name.old: is stale"),
    ("null level", lambda p: p["levels"]["name"].update(missing={"m": 1, "u": 1}), '"missing"', "missing: is stale"),
    (
        "half a record",
        lambda p: p.update(records_per_person=0.5),
        ": 0.5",
        "should be greater than or equal to 1, not 0.5",
    ),
    ("unknown key", lambda p: p.update(sede=1), '"sede"', "unknown key 'sede'"),
]


@pytest.mark.parametrize(("change", "line", "message"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_parameters_that_do_not_fit_are_refused(folder: Path, change: Change, line: str, message: str) -> None:
    path = folder / "parameters.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    change(whole)
    path.write_text(json.dumps(whole, indent=2), encoding="utf-8")
    words = refusal(folder)
    assert message in words
    number = int(words.removeprefix(f"{path}:").split(":")[0])
    assert line in path.read_text(encoding="utf-8").splitlines()[number - 1]


def test_a_probability_of_one_is_a_probability(folder: Path) -> None:
    path = folder / "parameters.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    whole["levels"]["name"]["equal"]["m"] = 1
    path.write_text(json.dumps(whole), encoding="utf-8")
    parameters = load_model(folder).parameters
    assert parameters is not None
    assert parameters.levels["name", "equal"].m == 1.0


def test_untrained_levels_are_named(folder: Path) -> None:
    path = folder / "parameters.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    del whole["levels"]["name"]["close"], whole["levels"]["phone"]
    path.write_text(json.dumps(whole), encoding="utf-8")
    words = refusal(folder, UntrainedLevelError)
    assert "people@1.0.0 has untrained levels: name / close, phone / shared, phone / different; run: mpi rules" in words


def test_a_repeated_key_in_parameters_is_refused(folder: Path) -> None:
    path = folder / "parameters.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"levels"', '"records_per_person": 2.0,\n"levels"'), encoding="utf-8")
    assert "parameters.json:3: records_per_person: stands here twice; first in line 2" in refusal(folder)


Row = tuple[str | None, int | None, float | None]

TABLES: list[tuple[str, list[Row], str]] = [
    ("no unseen row", [("name", 1, 0.5)], "name: has no row for unseen values"),
    ("no rows", [], "name: has no row for unseen values"),
    ("stale column", [("name", None, 0.5), ("town", None, 0.5)], "town: is stale"),
    ("frequency of zero", [("name", None, 0.0)], "a frequency is above 0 and at most 1, not 0.0"),
    ("frequency above one", [("name", None, 1.5)], "a frequency is above 0 and at most 1"),
    ("frequency that is none", [("name", None, None)], "a frequency is above 0 and at most 1, not None"),
    ("frequency not finite", [("name", None, float("nan"))], "a frequency is above 0 and at most 1, not nan"),
    ("hash of missing", [("name", None, 0.5), ("name", 0, 0.5)], "value_hash 0 stands for missing values"),
    ("hash twice", [("name", 9, 0.5), ("name", 9, 0.5)], "value_hash 9 stands here twice"),
    ("unseen twice", [("name", None, 0.5), ("name", None, 0.5)], "value_hash None stands here twice"),
]


@pytest.mark.parametrize(("rows", "message"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_frequencies_that_do_not_fit_are_refused(folder: Path, rows: list[Row], message: str) -> None:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    table = pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, FREQUENCY_SCHEMA, strict=True)],
        FREQUENCY_SCHEMA,
    )
    pq.write_table(table, folder / "term_frequencies.parquet")
    assert message in refusal(folder)


def test_a_file_that_is_no_frequency_table_is_refused(folder: Path) -> None:
    path = folder / "term_frequencies.parquet"
    pq.write_table(pa.table({"column": ["name"], "value_hash": pa.array([1], pa.int64()), "frequency": [0.5]}), path)
    assert "has columns column string, value_hash int64, frequency double; should be" in refusal(folder)
    path.write_bytes(b"PAR1 and nothing else")
    assert "is not Parquet" in refusal(folder)
    path.unlink()
    assert "term_frequencies.parquet: is missing" in refusal(folder, UntrainedLevelError)
