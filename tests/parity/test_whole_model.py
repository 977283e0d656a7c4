"""Whole rule families: Splink and the kernel give one code and one weight for one pair, frequencies included."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from splink import DuckDBAPI

from mpi.batch.pairs import PairFinder
from mpi.batch.splink_model import ROW, linker_of
from mpi.batch.tables import columns_of_table
from mpi.batch.train import term_frequencies
from mpi.domain.model import LinkageModel
from mpi.matching.scorer import Scorer
from mpi.rules.load import load_model
from mpi.standardise.record import standardise_table
from mpi.synthetic.city import generate_city
from tests.parity.models import KEY, parameters_of

RULES = Path(__file__).parents[2] / "linkage_rules"

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def _vietnamese(folder: Path) -> tuple[LinkageModel, pa.Table]:
    model = load_model(RULES / "vn_person" / "1.0.0", trained=False)
    city = generate_city(folder, persons=900, seed=7)
    tables = [pq.read_table(path) for source, path in sorted(city.files.items()) if source != "truth"]
    return model, pa.concat_tables([standardise_table(table, model.fields) for table in tables])


_FEBRL_COLUMNS = (
    "given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id".split()
)


def _slip(text: str, random: np.random.Generator) -> str:
    place = int(random.integers(0, max(len(text), 1)))
    head, tail = text[:place], text[place:]
    return [head + "x" + tail, head + tail[1:], head + tail[1:2] + tail[:1] + tail[2:]][int(random.integers(0, 3))]


def _febrl(_: Path) -> tuple[LinkageModel, pa.Table]:
    """Records as FEBRL makes them: an original and up to three copies with slips, exchanges and losses."""
    model = load_model(RULES / "febrl" / "1.0.0", trained=False)
    random = np.random.default_rng(8)
    names = "michaela courtney isabella blake joshua tayla sienna ethan caitlin o'brien".split()
    surnames = "clarke white neumann mitchell webb nguyen campbell ryan van-dyk green".split()
    roads = ["stanley street", "wattle crescent", "mc cawley place", "pinkerton circuit", "knoke avenue"]
    rows: list[dict[str, str | None]] = []
    for _person in range(700):
        born = f"{random.integers(1900, 2000)}{random.integers(1, 13):02d}{random.integers(1, 29):02d}"
        original = dict(
            zip(
                _FEBRL_COLUMNS,
                (
                    *(str(random.choice(values)) for values in (names, surnames)),
                    str(random.integers(1, 90)),
                    *(str(random.choice(values)) for values in (roads, ["rosetta village", "dovecote", "kalinda"])),
                    str(random.choice(["kadina", "bondi junction", "st ives"])),
                    str(random.integers(2000, 2030)),
                    str(random.choice(["nsw", "vic", "qld"])),
                    born,
                    str(random.integers(10**6, 10**7)),
                ),
                strict=True,
            )
        )
        rows.append(dict(original))
        for _copy in range(int(random.integers(0, 4))):
            copy: dict[str, str | None] = dict(original)
            for column in random.choice(_FEBRL_COLUMNS, 3, replace=False):
                value = original[str(column)]
                copy[str(column)] = None if random.random() < 0.25 else _slip(value, random)
            if random.random() < 0.1:
                copy["given_name"], copy["surname"] = copy["surname"], copy["given_name"]
            rows.append(copy)
    raw = pa.table({column: pa.array([row[column] for row in rows], type=pa.string()) for column in _FEBRL_COLUMNS})
    return model, standardise_table(raw, model.fields)


@pytest.fixture(scope="module", params=[_vietnamese, _febrl], ids=["vn_person", "febrl"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[LinkageModel, pa.Table]:
    """A rule family with drawn m and u and the table's own frequencies, and a standard table of its kind."""
    model, table = request.param(tmp_path_factory.mktemp("rows"))
    return (
        replace(
            model,
            parameters=parameters_of(model.comparisons, seed=9),
            term_frequencies=term_frequencies(model, table.slice(0, table.num_rows // 2)),
            blocking=tuple(replace(rule, limit=1_000_000) for rule in model.blocking),
        ),
        table,
    )


def _candidates(scorer: Scorer, rows: NDArray[np.uint8]) -> set[tuple[int, int]]:
    finder = PairFinder(scorer, rows, KEY, np.ones(len(rows), dtype=np.bool_))
    with ThreadPoolExecutor(1) as executor:
        finder.prepare(executor)
        return {
            pair
            for part in finder.pairs(executor)
            for pair in zip(part.left.tolist(), part.right.tolist(), strict=True)
        }


def test_same_pairs_codes_and_weights(family: tuple[LinkageModel, pa.Table]) -> None:
    model, table = family
    scorer = Scorer(model)
    rows = scorer.pack(columns_of_table(table, scorer.columns), KEY)
    with duckdb.connect() as connection:
        linker = linker_of(model, table, db_api=DuckDBAPI(connection=connection), gammas=True)
        found = linker.inference.predict().as_pyarrow_table()
    left, right = found[f"{ROW}_l"].to_numpy(), found[f"{ROW}_r"].to_numpy()
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == _candidates(scorer, rows)
    assert len(left) > 1000
    _check(scorer, rows, found)


def test_same_codes_and_weights_of_any_pairs(family: tuple[LinkageModel, pa.Table]) -> None:
    model, table = family
    scorer = Scorer(model)
    rows = scorer.pack(columns_of_table(table, scorer.columns), KEY)
    random = np.random.default_rng(10)
    left = random.integers(0, len(rows) - 1, 8000)
    right = random.integers(left + 1, len(rows))
    with duckdb.connect() as connection:
        db_api = DuckDBAPI(connection=connection)
        linker = linker_of(model, table, db_api=db_api, gammas=True)
        blocked = pa.table({"match_key": ["0"] * len(left), "join_key_l": left, "join_key_r": right})
        linker.table_management.register_blocked_pairs_for_predict(db_api.register(blocked))
        found = linker.inference.predict().as_pyarrow_table()
    assert found.num_rows == len(left)
    _check(scorer, rows, found)


def _check(scorer: Scorer, rows: NDArray[np.uint8], found: pa.Table) -> None:
    left, right = (found[f"{ROW}_{side}"].to_numpy().astype(np.int32) for side in "lr")
    scores = scorer.score(rows, left, right, prior=scorer.prior(len(rows)))
    for place, comparison in enumerate(scorer.model.comparisons):
        gammas = found[f"gamma_{comparison.name}"].to_numpy()
        assert np.array_equal(scores.codes[:, place], gammas), comparison.name
    assert np.max(np.abs(scores.weights - found["match_weight"].to_numpy())) < 1e-9
    adjusted = [name for name in found.column_names if name.startswith("mw_tf_adj_")]
    assert adjusted
    assert any(np.any(found[name].to_numpy() != 0) for name in adjusted), "no pair shows a frequency"
