"""Blocking keys: what shares one, what has none, and that they say nothing without the secret."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import BlockingRule
from mpi.matching.blocking import blocking_plan, fill_keys, take_repeated, tally_keys
from mpi.matching.kernel import as_rows
from mpi.matching.levels import MAXIMUM_MEMBERS
from mpi.matching.siphash import key_words
from tests.factories import KEY, rows_of, with_blocking


def _keys(rules: Sequence[BlockingRule], *records: dict[str, Any], key: bytes = KEY) -> NDArray[np.uint64]:
    scorer = with_blocking(*rules)
    plan = blocking_plan(scorer.model, scorer.layout)
    rows = rows_of(*records, scorer=scorer)
    keys = np.zeros((len(rows), plan.slots), dtype=np.uint64)
    fill_keys(plan.keys, as_rows(rows), key_words(key), keys)
    return keys


NAME_AND_YEAR = BlockingRule("name and year", ("name", "year"))
PHONE = BlockingRule("phone", ("phones",))


def test_equal_values_share_a_key_and_other_values_do_not() -> None:
    keys = _keys([NAME_AND_YEAR], *({"name": n, "year": y} for n, y in [("an", 1), ("an", 1), ("an", 2), ("ba", 1)]))
    assert keys[0, 0] == keys[1, 0]
    assert len({int(key) for key in keys[:, 0]}) == 3


def test_a_missing_column_gives_no_key() -> None:
    assert not _keys([NAME_AND_YEAR], {"name": "an"}, {"year": 1}, {}).any()


def test_a_year_of_nought_or_below_is_a_value() -> None:
    keys = _keys([NAME_AND_YEAR], {"name": "an", "year": 0}, {"name": "an", "year": -1})
    assert keys.all()
    assert keys[0, 0] != keys[1, 0]


def test_two_rules_of_the_same_columns_have_keys_of_their_own() -> None:
    keys = _keys([NAME_AND_YEAR, BlockingRule("again", ("name", "year"))], {"name": "an", "year": 1})
    assert keys[0, 0] != keys[0, 1]


def test_values_do_not_run_into_one_another() -> None:
    rule = BlockingRule("name and birth", ("name", "birth"))
    keys = _keys([rule], {"name": "an", "birth": "ba"}, {"name": "ba", "birth": "an"}, {"name": "anb", "birth": "a"})
    assert len({int(key) for key in keys[:, 0]}) == 3


def test_a_set_has_a_key_a_member_and_a_repeated_member_has_one() -> None:
    keys = _keys([PHONE], {"phones": ("1", "2", "1")}, {"phones": ("2",)}, {"phones": tuple("345678")})
    assert keys.shape == (3, MAXIMUM_MEMBERS)
    assert np.count_nonzero(keys, axis=1).tolist() == [2, 1, MAXIMUM_MEMBERS]
    assert keys[1, 0] in keys[0]


def test_two_set_columns_meet_in_every_combination() -> None:
    rule = BlockingRule("phone twice", ("phones", "phones"))
    keys = _keys([rule], {"phones": ("1", "2", "3")})
    assert keys.shape == (1, MAXIMUM_MEMBERS**2)
    assert np.count_nonzero(keys) == 9


def test_another_secret_gives_other_keys() -> None:
    record = {"name": "an", "year": 1}
    assert _keys([NAME_AND_YEAR], record)[0, 0] != _keys([NAME_AND_YEAR], record, key=b"another sixteen.")[0, 0]


def test_only_keys_that_may_make_a_pair_are_taken() -> None:
    keys = np.random.default_rng(3).integers(0, 60, (50, 3)).astype(np.uint64)
    tally = np.zeros(64, dtype=np.uint8)
    total, repeats = tally_keys(keys, 1, 3, tally)
    records, slots = np.empty(repeats, dtype=np.int32), np.empty(repeats, dtype=np.int32)
    codes = np.empty(repeats, dtype=np.uint64)
    take_repeated(keys, 1, 3, tally, (records, slots, codes))
    part = keys[:, 1:]
    values, counts = np.unique(part[part != 0], return_counts=True)
    wanted = [(i, j + 1) for i, j in np.argwhere(np.isin(part, values[counts > 1]))]
    assert total == (part != 0).sum()
    assert list(zip(records.tolist(), slots.tolist(), strict=True)) == wanted
    assert (codes == keys[records, slots]).all()


def test_keys_that_share_a_bucket_only_are_taken_too() -> None:
    keys = np.array([[5], [5 + 8], [6], [0]], dtype=np.uint64)
    tally = np.zeros(8, dtype=np.uint8)
    assert tally_keys(keys, 0, 1, tally) == (3, 2)
