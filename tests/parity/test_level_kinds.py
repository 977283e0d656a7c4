"""Every row of the table of level kinds says the same in the kernel and in DuckDB, on the same pairs."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from mpi.batch.splink_model import ROW, condition_sql, splink_table
from mpi.batch.tables import columns_of_table
from mpi.domain.model import AllOf, AnyOf, Condition, Level, LinkageModel, Predicate
from mpi.domain.records import ColumnKind
from mpi.matching.levels import LEVEL_KINDS
from mpi.matching.scorer import Scorer
from tests.parity.models import COLUMNS, KEY, comparison_of, model_of, pairs_of, table_of

ROWS, PAIRS = 900, 12_000

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]

_PARAMETERS: dict[str, tuple[float | None, ...]] = {
    "shared": (None, 2.0, 4.0),
    "levenshtein": (1.0, 2.0, 5.0, 10.0),
    "damerau_levenshtein": (1.0, 2.0, 3.0, 10.0),
    "jaro": (0.7, 0.88, 0.95),
    "jaro_winkler": (0.75, 0.9, 0.97),
    "prefix": (1.0, 4.0, 20.0),
    "syllable_edit": (1.0, 2.0),
    "syllables_shared": (1.0, 2.0, 3.0),
    "difference": (0.0, 1.0, 2.0),
    "date_parts": (1.0, 2.0, 3.0),
    "days_apart": (0.0, 30.0, 400.0),
}

_OF_KIND = {
    ColumnKind.TEXT: ("text", "other"),
    ColumnKind.INTEGER: ("year", "month", "day"),
    ColumnKind.TEXTS: ("members",),
}


def _predicates() -> list[Predicate]:
    found: list[Predicate] = []
    for name, kind in LEVEL_KINDS.items():
        for column_kind in kind.opcodes:
            columns = _OF_KIND[column_kind][: len(kind.columns)]
            found.extend(Predicate(name, columns, parameter) for parameter in _PARAMETERS.get(name, (None,)))
    return found


def _kernel(model: LinkageModel, table: pa.Table, pairs: Pairs) -> NDArray[np.int8]:
    scorer = Scorer(model)
    rows = scorer.pack(columns_of_table(table, COLUMNS), KEY)
    return scorer.score(rows, *pairs, prior=0.0).codes


def _duckdb(conditions: list[Condition], model: LinkageModel, table: pa.Table, pairs: Pairs) -> NDArray[np.int8]:
    standard = splink_table(table, model)
    columns = [name for name in standard.column_names if name != ROW]
    named = ", ".join(f'l."{name}" AS "{name}_l", r."{name}" AS "{name}_r"' for name in columns)
    cases = ", ".join(f"CASE WHEN {condition_sql(each)} THEN 1 ELSE 0 END AS c{k}" for k, each in enumerate(conditions))
    with duckdb.connect() as connection:
        connection.register("standard", standard)
        connection.register("pairs", pa.table({"n": np.arange(len(pairs[0])), "i": pairs[0], "j": pairs[1]}))
        joined = f"SELECT n, {named} FROM pairs JOIN standard l ON l.{ROW} = i JOIN standard r ON r.{ROW} = j"
        found = connection.sql(f"SELECT {cases} FROM ({joined}) ORDER BY n").to_arrow_table()
    return np.stack([found[f"c{k}"].to_numpy() for k in range(len(conditions))], axis=1).astype(np.int8)


def _row(table: pa.Table, row: np.int32) -> dict[str, object]:
    values: dict[str, object] = table.slice(int(row), 1).to_pylist()[0]
    return values


def _check(conditions: list[Condition], *, seed: int, marked: bool = False) -> NDArray[np.int8]:
    """Codes of one comparison a condition, equal on both engines."""
    model = model_of([comparison_of(f"c{k}", Level("holds", each)) for k, each in enumerate(conditions)])
    table = table_of(ROWS, seed=seed, marked=marked)
    pairs = pairs_of(PAIRS, ROWS, seed=seed)
    codes, expected = _kernel(model, table, pairs), _duckdb(conditions, model, table, pairs)
    for place, condition in enumerate(conditions):
        differ = np.flatnonzero(codes[:, place] != expected[:, place])
        shown = [(_row(table, pairs[0][k]), _row(table, pairs[1][k])) for k in differ[:3]]
        assert not len(differ), f"{condition} differs on {len(differ)} pairs, such as {shown}"
    return codes


def test_every_kind_is_covered() -> None:
    assert {each.kind for each in _predicates()} == set(LEVEL_KINDS)
    takes_one = {name for name, kind in LEVEL_KINDS.items() if kind.parameter is not None}
    assert takes_one == set(_PARAMETERS)


@pytest.mark.parametrize("kind", LEVEL_KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_kernel_and_duckdb_agree(kind: str, seed: int) -> None:
    conditions: list[Condition] = [each for each in _predicates() if each.kind == kind]
    codes = _check(conditions, seed=seed)
    assert (codes.min(axis=0) == 0).all(), "a condition that always holds shows nothing"
    assert codes.max(axis=0).any(), "a condition that never holds shows nothing"


@pytest.mark.parametrize(
    "kind",
    ["null", "exact", "crossed", "crossed_both", "syllables_reordered", "syllables_contained", "syllables_shared"],
)
def test_equality_of_marked_letters_agrees(kind: str) -> None:
    conditions: list[Condition] = [each for each in _predicates() if each.kind == kind]
    _check(conditions, seed=3, marked=True)


def test_conditions_nest() -> None:
    random = np.random.default_rng(4)
    predicates = _predicates()

    def drawn(depth: int) -> Condition:
        if depth == 0 or random.random() < 0.3:
            return predicates[int(random.integers(0, len(predicates)))]
        inner = tuple(drawn(depth - 1) for _ in range(int(random.integers(1, 4))))
        return AnyOf(inner) if random.random() < 0.5 else AllOf(inner)

    _check([drawn(3) for _ in range(40)], seed=5)
