"""Fellegi and Sunter's two-class mixture fitted to all pairs of a table, from a stratified sample of them.

Candidate pairs (those of the blocking rules, where matches and rare agreement live) are counted one by one. All others
are non-matches, represented by random ones that each stand for many, drawn apart among pairs equal in a column with
term frequencies and among the rest. So a u of 1e-8 is a count, not a guess.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mpi.batch.pairs import PairFinder, threads_available
from mpi.domain.model import LevelParameters, LinkageModel, Parameters
from mpi.matching.features import Column, IntegerColumn, TextColumn, hash_column
from mpi.matching.kernel import APART, FORBID
from mpi.matching.scorer import Scorer
from mpi.matching.siphash import PUBLIC_KEY

CHUNK = 1_000_000
"""Pairs whose level codes are held at a time."""

FREQUENCY_STEP = 0.25
"""Bits to which term frequencies are rounded while pairs are counted by pattern."""

EQUAL_SHARE = 10
"""Pairs drawn among those equal in a column with term frequencies: one for so many of all random pairs."""

Levels = dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class PairSample:
    """Pairs counted by pattern: level codes int8 (k, c), how many pairs each pattern stands for, float64 (k,).

    `frequency_bits` float64 (k,) is what term frequencies add to the weight before the reference u is taken off;
    `never` bool (k,) marks what cannot be a match: random pairs, and pairs that a veto forbids or calls no evidence.
    `candidates` is the number of candidate pairs.
    """

    codes: NDArray[np.int8]
    counts: NDArray[np.float64]
    frequency_bits: NDArray[np.float64]
    never: NDArray[np.bool_]
    candidates: int


@dataclass(frozen=True, slots=True)
class Fit:
    """m and u by (comparison, label), None where no pair of the class was seen at the level; and the share of matches.

    `matches` is the expected number of matches that each comparison could compare.
    """

    m: dict[tuple[str, str], float | None]
    u: dict[tuple[str, str], float | None]
    match_share: float
    matches: dict[str, float]
    rounds: int


def flat_scorer(model: LinkageModel) -> Scorer:
    """A scorer whose weights are term frequencies alone: every m and u is 1, so that levels weigh 0 bits."""
    levels = {
        (comparison.name, level.label): LevelParameters(1.0, 1.0)
        for comparison in model.comparisons
        for level in comparison.levels
        if not level.is_null
    }
    return Scorer(replace(model, parameters=Parameters(1.0, levels, {})))


class _Patterns:
    """Counts pairs by (level codes, rounded frequency bits, vetoed)."""

    def __init__(self, comparisons: int) -> None:
        random = np.random.default_rng(0)
        self._multipliers = random.integers(1, 2**63, comparisons + 2, dtype=np.uint64) | np.uint64(1)
        self._parts: list[tuple[NDArray[np.int16], NDArray[np.float64]]] = []

    def add(self, fields: NDArray[np.int16], counts: NDArray[np.float64]) -> None:
        """Count rows of `fields`, int16 (n, comparisons + 2)."""
        with np.errstate(over="ignore"):
            keys = (fields.astype(np.int64).astype(np.uint64) * self._multipliers).sum(axis=1, dtype=np.uint64)
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        sums = np.bincount(inverse, weights=counts, minlength=len(first)).astype(np.float64)
        self._parts.append((fields[first], sums))

    def joined(self) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
        """Distinct rows in a fixed order, and their counts."""
        parts, self._parts = self._parts, []
        self.add(np.concatenate([fields for fields, _ in parts]), np.concatenate([counts for _, counts in parts]))
        return self._parts[0]


def sample_pairs(
    model: LinkageModel,
    columns: Mapping[str, Column],
    *,
    max_pairs: int,
    seed: int,
    known: NDArray[np.int64] | None = None,
) -> PairSample:
    """Count candidate pairs (at most `max_pairs` of them) and `max_pairs` random others by pattern.

    `model` needs term frequencies but no m and u. `known` int64 (k, 2) adds pairs to the candidates: labelled matches.
    """
    scorer = flat_scorer(model)
    rows = scorer.pack(columns, PUBLIC_KEY)
    records = len(rows)
    random = np.random.default_rng(seed)
    patterns = _Patterns(len(model.comparisons))
    with ThreadPoolExecutor(threads_available()) as executor:
        finder = PairFinder(scorer, rows, PUBLIC_KEY, np.ones(records, dtype=np.bool_))
        finder.prepare(executor)
        keys = [each.left.astype(np.int64) * records + each.right for each in finder.pairs(executor)]
        if known is not None and len(known):
            keys.append(np.min(known, axis=1) * records + np.max(known, axis=1))
        candidates = np.unique(np.concatenate(keys)) if keys else np.empty(0, dtype=np.int64)
        chosen = candidates
        if len(candidates) > max_pairs:
            chosen = np.sort(random.choice(candidates, max_pairs, replace=False))
        strata = [_Stratum(chosen, len(candidates) / max(len(chosen), 1), candidates=True)]
        strata += _other_pairs(model, columns, candidates, max_pairs=max_pairs, random=random)
        for stratum in strata:
            for start in range(0, len(stratum.pairs), CHUNK):
                part = stratum.pairs[start : start + CHUNK]
                fields = _fields(scorer, rows, part, executor)
                fields[:, -1] |= not stratum.candidates
                patterns.add(fields, np.full(len(part), stratum.weight))
    fields, counts = patterns.joined()
    return PairSample(
        codes=fields[:, :-2].astype(np.int8),
        counts=counts,
        frequency_bits=fields[:, -2].astype(np.float64) * FREQUENCY_STEP,
        never=fields[:, -1] != 0,
        candidates=len(candidates),
    )


@dataclass(frozen=True, slots=True)
class _Stratum:
    """Pairs as keys left * records + right with left < right, each of which stands for `weight` pairs."""

    pairs: NDArray[np.int64]
    weight: float
    candidates: bool = False


def _other_pairs(
    model: LinkageModel,
    columns: Mapping[str, Column],
    candidates: NDArray[np.int64],
    *,
    max_pairs: int,
    random: np.random.Generator,
) -> list[_Stratum]:
    """What is not a candidate: pairs equal in a column with term frequencies, column by column, and all others."""
    codes = [hash_column(_text(columns[name]), PUBLIC_KEY) for name in sorted(model.term_frequencies)]
    records = _records(columns)
    if records * (records - 1) // 2 <= max_pairs:
        left, right = np.triu_indices(records, 1)
        every = left.astype(np.int64) * records + right
        return [_Stratum(every[~_contained(every, candidates)], 1.0)]
    strata = []
    for place, values in enumerate(codes):
        pairs, weight = _equal_pairs(values, max_pairs // EQUAL_SHARE, random)
        strata.append(_Stratum(_without(pairs, candidates, codes[:place]), weight))
    left = random.integers(0, records, max_pairs)
    right = random.integers(0, records - 1, max_pairs)
    right += right >= left
    pairs = np.sort(np.minimum(left, right) * records + np.maximum(left, right))
    strata.append(_Stratum(_without(pairs, candidates, codes), records * (records - 1) / 2 / max_pairs))
    return strata


def _equal_pairs(
    values: NDArray[np.uint64], count: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], float]:
    """`count` random pairs of rows with equal values (0 is missing), and how many such pairs each stands for."""
    order = np.argsort(values, kind="stable")
    order = order[values[order] != 0]
    _, starts, sizes = np.unique(values[order], return_index=True, return_counts=True)
    ends = np.cumsum(sizes * (sizes - 1) // 2)
    total = int(ends[-1]) if len(ends) else 0
    if total == 0:
        return np.empty(0, dtype=np.int64), 0.0
    block = np.searchsorted(ends, random.integers(0, total, count), side="right")
    left = random.integers(0, sizes[block])
    right = random.integers(0, sizes[block] - 1)
    right += right >= left
    left, right = order[starts[block] + left], order[starts[block] + right]
    return np.sort(np.minimum(left, right) * len(values) + np.maximum(left, right)), total / count


def _without(
    pairs: NDArray[np.int64], candidates: NDArray[np.int64], codes: Sequence[NDArray[np.uint64]]
) -> NDArray[np.int64]:
    """Pairs that are no candidates and differ in every one of `codes`."""
    kept = ~_contained(pairs, candidates)
    for values in codes:
        left, right = np.divmod(pairs, len(values))
        kept &= (values[left] != values[right]) | (values[left] == 0)
    return pairs[kept]


def _text(column: Column) -> TextColumn:
    assert isinstance(column, TextColumn)
    return column


def _records(columns: Mapping[str, Column]) -> int:
    column = next(iter(columns.values()))
    return len(column.values) if isinstance(column, IntegerColumn) else len(column.offsets) - 1


def _contained(values: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(among):
        return np.zeros(len(values), dtype=np.bool_)
    place = np.minimum(np.searchsorted(among, values), len(among) - 1)
    found: NDArray[np.bool_] = among[place] == values
    return found


def _fields(
    scorer: Scorer, rows: NDArray[np.uint8], pairs: NDArray[np.int64], executor: ThreadPoolExecutor
) -> NDArray[np.int16]:
    left, right = np.divmod(pairs, len(rows))
    scores = scorer.score(rows, left.astype(np.int32), right.astype(np.int32), prior=0.0, executor=executor)
    fields = np.empty((len(pairs), scores.codes.shape[1] + 2), dtype=np.int16)
    fields[:, :-2] = scores.codes
    fields[:, -2] = np.round(scores.weights / FREQUENCY_STEP)
    fields[:, -1] = (scores.vetoes & (FORBID | APART)) != 0
    return fields


class Mixture:
    """Expectation maximisation (Dempster, Laird and Rubin 1977) over the patterns of a pair sample."""

    def __init__(self, model: LinkageModel, sample: PairSample) -> None:
        self._model = model
        self._sample = sample
        self._names = [
            [
                (each.name, label)
                for label in sorted((level.label for level in each.levels if not level.is_null), key=each.code_of)
            ]
            for each in model.comparisons
        ]

    def fit(
        self,
        m: Levels,
        u: Levels,
        *,
        match_share: float,
        fix_m: bool = False,
        rounds: int = 200,
        tolerance: float = 1e-9,
    ) -> Fit:
        """Fit from the given start. With `fix_m` only u and the share of matches move.

        Vetoed patterns are held to be non-matches. Stops when no probability moves by more than `tolerance`.
        """
        sample = self._sample
        m_now, u_now = self._arrays(m), self._arrays(u)
        share = match_share
        done, posterior = 0, np.zeros(len(sample.counts))
        for done in range(1, rounds + 1):  # noqa: B007 the count of rounds is reported
            posterior = self._posterior(m_now, u_now, share)
            matches = sample.counts * posterior
            others = sample.counts - matches
            m_next = m_now if fix_m else self._shares(matches)
            u_next = self._shares(others)
            share = float(matches.sum() / sample.counts.sum())
            moved = max(
                float(np.max(np.abs(after - before), initial=0.0))
                for after, before in (*zip(m_next, m_now, strict=True), *zip(u_next, u_now, strict=True))
            )
            m_now, u_now = m_next, u_next
            if moved < tolerance:
                break
        matched = {
            each.name: float((sample.counts * posterior)[sample.codes[:, place] >= 0].sum())
            for place, each in enumerate(self._model.comparisons)
        }
        return Fit(self._named(m_now), self._named(u_now), share, matched, done)

    def _posterior(
        self, m: list[NDArray[np.float64]], u: list[NDArray[np.float64]], share: float
    ) -> NDArray[np.float64]:
        sample = self._sample
        weight = np.log2(share / (1 - share)) + sample.frequency_bits
        for place, comparison in enumerate(self._model.comparisons):
            codes = sample.codes[:, place]
            # an unseen level keeps a small probability, so that it can be seen in the next round
            bits = np.log2(np.maximum(m[place], 1e-9)) - np.log2(np.maximum(u[place], 1e-12))
            for code, (_, label) in enumerate(self._names[place]):
                level = next(each for each in comparison.levels if each.label == label)
                if level.tf_column is not None:
                    reference = comparison.code_of(comparison.tf_reference or label)
                    bits[code] += level.tf_weight * np.log2(max(u[place][reference], 1e-12))
            weight += np.append(bits, 0.0)[codes]
        posterior: NDArray[np.float64] = 1.0 / (1.0 + np.exp2(-np.clip(weight, -1000.0, 1000.0)))
        posterior[sample.never] = 0.0
        return posterior

    def _shares(self, counts: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        shares = []
        for place, names in enumerate(self._names):
            codes = self._sample.codes[:, place]
            sums = np.bincount(codes + 1, weights=counts, minlength=len(names) + 1)[1:]
            shares.append(sums / max(sums.sum(), 1e-300))
        return shares

    def _arrays(self, levels: Levels) -> list[NDArray[np.float64]]:
        return [np.array([levels[name] for name in names]) for names in self._names]

    def _named(self, arrays: list[NDArray[np.float64]]) -> dict[tuple[str, str], float | None]:
        return {
            name: float(value) if value > 0 else None
            for names, array in zip(self._names, arrays, strict=True)
            for name, value in zip(names, array, strict=True)
        }
