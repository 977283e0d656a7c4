"""Candidate pairs against brute force: every pair that shares a key, once; what is split or cut is told exactly."""

from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mpi.batch import pairs
from mpi.batch.pairs import CUT, LIMITS_FOR, PairFinder, PairsReport, block_limit
from mpi.domain.model import BlockingRule
from mpi.matching.levels import MAXIMUM_MEMBERS
from tests.factories import KEY, PRIOR, all_pairs, rows_of, with_blocking

Records = list[dict[str, Any]]

PLAIN = (
    BlockingRule("number", ("number",), limit=10**6),
    BlockingRule("phone", ("phones",), limit=10**6),
    BlockingRule("phone and year", ("phones", "year"), limit=10**6),
    BlockingRule("name and birth", ("name", "birth"), limit=10**6),
)
CROWDED = (
    BlockingRule("phone", ("phones",), refine=("year", "name"), limit=3),
    BlockingRule("year", ("year",), refine=("phones",), limit=4),
    BlockingRule("name", ("name",), limit=2),
)


def _random_records(count: int, seed: int) -> Records:
    """Few values, so that blocks are large; missing ones, sets of up to six, repeated members."""
    random = np.random.default_rng(seed)
    records: Records = []
    for _ in range(count):
        phones = tuple(f"phone {n}" for n in random.integers(0, 12, int(random.integers(0, 7))))
        values: dict[str, Any] = {
            "number": f"{random.integers(0, 40)}",
            "name": f"name {random.integers(0, 9)}",
            "birth": f"2000-01-0{random.integers(1, 6)}",
            "year": int(random.integers(-1, 4)),
            "phones": phones or None,
        }
        records.append({name: value for name, value in values.items() if value is not None and random.random() > 0.15})
    return records


def _members(record: dict[str, Any], column: str) -> list[Any]:
    value = record.get(column)
    if value is None:
        return []
    return list(value[:MAXIMUM_MEMBERS]) if isinstance(value, tuple) else [value]


def _word(record: dict[str, Any], column: str) -> Any:
    return next(iter(_members(record, column)), None)


@dataclass
class _Expected:
    pairs: set[tuple[int, int]]
    cut: int = 0
    cut_blocks: int = 0
    refined: int = 0
    missing: int = 0
    largest: int = 0


def _expected(records: Records, rule: BlockingRule) -> _Expected:
    """What a rule gives by the words of its docstring, block by block in plain Python."""
    blocks: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        for key in set(product(*(_members(record, column) for column in rule.columns))):
            blocks[key].append(place)
    expected = _Expected(set())
    done: list[list[int]] = []
    large = list(blocks.values())
    limit = block_limit(rule.limit, len(records))
    for column in rule.refine:
        done += [block for block in large if len(block) <= limit]
        large = [block for block in large if len(block) > limit]
        expected.refined += len(large)
        parts: list[list[int]] = []
        for block in large:
            split: dict[Any, list[int]] = defaultdict(list)
            for place in block:
                split[_word(records[place], column)].append(place)
                expected.missing += _word(records[place], column) is None
            parts += split.values()
        large = parts
    most = CUT * limit
    for block in large:
        pieces = [block[start : start + most] for start in range(0, len(block), most)]
        if len(pieces) > 1:
            expected.cut_blocks += 1
            expected.cut += _pairs_in(block) - sum(map(_pairs_in, pieces))
        done += pieces
    expected.largest = max((len(block) for block in done if len(block) > 1), default=0)
    expected.pairs = {pair for block in done for pair in combinations(block, 2)}
    return expected


def _pairs_in(block: list[int]) -> int:
    return len(block) * (len(block) - 1) // 2


def _found(
    records: Records, rules: Iterable[BlockingRule], *, fresh: NDArray[np.bool_] | None = None, threads: int = 2
) -> tuple[list[tuple[int, int]], list[int], PairsReport]:
    scorer = with_blocking(*rules)
    rows = rows_of(*records, scorer=scorer)
    everything = np.ones(len(records), dtype=np.bool_)
    finder = PairFinder(scorer, rows, KEY, everything if fresh is None else fresh)
    with ThreadPoolExecutor(threads) as executor:
        finder.prepare(executor)
        found = list(finder.pairs(executor))
    listed = [pair for each in found for pair in zip(each.left.tolist(), each.right.tolist(), strict=True)]
    by_rule = [each.rule for each in found for _ in each.left]
    return listed, by_rule, finder.report


@pytest.fixture(params=[1, 2, 3])
def records(request: pytest.FixtureRequest) -> Records:
    return _random_records(220, request.param)


def test_every_pair_that_shares_a_key_comes_once(records: Records) -> None:
    found, by_rule, report = _found(records, PLAIN)
    shares = [_expected(records, rule).pairs for rule in PLAIN]
    assert set(found) == set().union(*shares)
    assert len(found) == len(set(found)) == report.pairs
    assert all(left < right for left, right in found)
    first = {pair: next(place for place, share in enumerate(shares) if pair in share) for pair in set(found)}
    assert dict(zip(found, by_rule, strict=True)) == first


def test_large_blocks_are_split_and_cut_and_the_report_says_how(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    # limits hold as they are written, as in a table of millions
    monkeypatch.setattr(pairs, "LIMITS_FOR", len(records))
    found, _, report = _found(records, CROWDED)
    expected = [_expected(records, rule) for rule in CROWDED]
    assert set(found) == set().union(*(each.pairs for each in expected))
    assert len(found) == len(set(found))
    assert [rule.refined_blocks for rule in report.rules] == [each.refined for each in expected]
    assert [rule.missing_refinement for rule in report.rules] == [each.missing for each in expected]
    assert [rule.cut_blocks for rule in report.rules] == [each.cut_blocks for each in expected]
    assert [rule.pairs_cut for rule in report.rules] == [each.cut for each in expected]
    assert [rule.largest_block for rule in report.rules] == [each.largest for each in expected]
    assert expected[0].refined, "the records should make blocks that are split"
    assert expected[0].missing, "some of their records should lack what splits them"
    assert expected[2].cut, "and some blocks should be cut"
    assert sum(rule.pairs for rule in report.rules) == len(found)


@pytest.mark.parametrize("rules", [PLAIN, CROWDED], ids=["plain", "crowded"])
def test_only_pairs_with_a_fresh_record_come(records: Records, rules: tuple[BlockingRule, ...]) -> None:
    fresh = np.random.default_rng(7).random(len(records)) < 0.1
    whole, _, _ = _found(records, rules)
    some, _, _ = _found(records, rules, fresh=fresh)
    assert sorted(some) == sorted(pair for pair in whole if fresh[pair[0]] or fresh[pair[1]])
    assert len(some) < len(whole)


def test_the_number_of_threads_and_the_size_of_tasks_change_nothing(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, rules, _ = _found(records, CROWDED, threads=1)
    monkeypatch.setattr(pairs, "TASK_PAIRS", 25)
    monkeypatch.setattr(pairs, "KEY_CHUNK", 17)
    many, rules_of_many, _ = _found(records, CROWDED, threads=4)
    assert many == one
    assert rules_of_many == rules


def test_giving_up_early_loses_nothing_above_the_floor(records: Records) -> None:
    scorer = with_blocking(*PLAIN)
    rows = rows_of(*records, scorer=scorer)
    left, right = all_pairs(len(rows))
    whole = scorer.score(rows, left, right, prior=PRIOR)
    for floor in (-6.0, 2.0, float(np.median(whole.weights)), float(whole.weights.max())):
        some = scorer.score(rows, left, right, prior=PRIOR, floor=floor)
        kept = whole.weights >= floor
        assert kept.any()
        assert np.array_equal(some.weights[kept], whole.weights[kept])
        assert np.array_equal(some.codes[kept], whole.codes[kept])
        assert np.array_equal(some.vetoes[kept], whole.vetoes[kept])
        assert (some.weights[~kept] < floor).all()


def test_scored_pairs_are_the_candidates_of_the_floor(records: Records) -> None:
    scorer = with_blocking(*PLAIN)
    rows = rows_of(*records, scorer=scorer)
    told: list[tuple[int, int]] = []
    with ThreadPoolExecutor(2) as executor:
        finder = PairFinder(scorer, rows, KEY, np.ones(len(rows), dtype=np.bool_))
        finder.prepare(executor)
        scored = finder.scored(executor, prior=PRIOR, floor=2.0, progress=lambda *done: told.append(done))
    candidates, _, report = _found(records, PLAIN)
    left, right = np.array(candidates, dtype=np.int32).T
    whole = scorer.score(rows, np.ascontiguousarray(left), np.ascontiguousarray(right), prior=PRIOR)
    wanted = {pair for pair, weight in zip(candidates, whole.weights.tolist(), strict=True) if weight >= 2.0}
    assert set(zip(scored.left.tolist(), scored.right.tolist(), strict=True)) == wanted
    assert finder.report.pairs == report.pairs
    assert told[-1][0] == told[-1][1] == len(told)


@pytest.mark.parametrize("records", [[], [{"name": "alone"}], [{}, {}, {}]], ids=["none", "one", "empty"])
def test_tables_without_pairs(records: Records) -> None:
    found, _, report = _found(records, CROWDED)
    assert found == []
    assert report.pairs == 0
    assert report.records == len(records)


def test_limits_widen_in_small_tables_and_hold_in_large_ones() -> None:
    assert block_limit(12, LIMITS_FOR) == block_limit(12, 9 * LIMITS_FOR) == 12
    assert block_limit(12, LIMITS_FOR // 64) == 24
    assert block_limit(12, 0) > 12
