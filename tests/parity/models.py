"""Small linkage models and rows to compare engines on: seeded, Vietnamese and Australian, full of near misses."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mpi.domain.model import (
    BlockingRule,
    Comparison,
    FieldRule,
    Level,
    LevelParameters,
    LinkageModel,
    Parameters,
    TermFrequencies,
    Thresholds,
    Veto,
)
from mpi.domain.records import ColumnKind

KEY = b"a registry's key"
"""A secret of 16 bytes."""

COLUMNS: Mapping[str, ColumnKind] = {
    "text": ColumnKind.TEXT,
    "other": ColumnKind.TEXT,
    "year": ColumnKind.INTEGER,
    "month": ColumnKind.INTEGER,
    "day": ColumnKind.INTEGER,
    "members": ColumnKind.TEXTS,
}

WIDTH = 64

_SYLLABLES = (
    "nguyen tran le pham thi van ngoc minh anh an bao chau duc gia huy khanh linh ngan nhi phuc quyen thao".split()
)
_MARKED = (
    "nguyễn trần lê phạm thị văn ngọc minh ảnh ân bảo châu đức gia huy khánh linh ngân nhi phúc quyên thảo".split()
)
_FEBRL = (
    "michaela isabella noah clarke white mitchell o'brien van der berg stanley street wattle 2602 4122 19470813".split()
)


def model_of(
    comparisons: Sequence[Comparison],
    *,
    parameters: Parameters | None = None,
    term_frequencies: Mapping[str, TermFrequencies] | None = None,
    blocking: Sequence[BlockingRule] = (),
    vetoes: Sequence[Veto] = (),
) -> LinkageModel:
    """A model over COLUMNS. Without parameters every level is given some of its own."""
    return LinkageModel(
        family="parity",
        version="1.0.0",
        digest="0" * 64,
        columns=COLUMNS,
        fields=(FieldRule("text", "text", {}, {"text": WIDTH}), FieldRule("other", "text", {}, {"other": WIDTH})),
        blocking=tuple(blocking),
        comparisons=tuple(comparisons),
        vetoes=tuple(vetoes),
        frequency_caps=(),
        thresholds=Thresholds(8.0, 2.0, 3.0),
        survivorship=(),
        trust={},
        parameters=parameters or parameters_of(comparisons, seed=0),
        term_frequencies=term_frequencies or {},
    )


def parameters_of(comparisons: Sequence[Comparison], *, seed: int) -> Parameters:
    """Drawn m and u for every level."""
    random = np.random.default_rng(seed)
    levels: dict[tuple[str, str], LevelParameters] = {}
    for comparison in comparisons:
        labels = [level.label for level in comparison.levels if not level.is_null]
        shares = zip(random.dirichlet(np.ones(len(labels))), random.dirichlet(np.ones(len(labels)) / 4), strict=True)
        for label, (m, u) in zip(labels, shares, strict=True):
            levels[comparison.name, label] = LevelParameters(float(max(m, 1e-6)), float(max(u, 1e-9)))
    return Parameters(1.8, levels, {})


def comparison_of(name: str, *levels: Level) -> Comparison:
    """A comparison of the given levels and an else level."""
    return Comparison(name, (*levels, Level("otherwise", None)))


def _mutated(text: str, random: np.random.Generator) -> str:
    """One small slip: an edit, a swap, a syllable lost, repeated or moved."""
    syllables = text.split(" ")
    place = int(random.integers(0, len(text)))
    letter = "abn01"[int(random.integers(0, 5))]
    match int(random.integers(0, 7)):
        case 0:
            changed = text[:place] + letter + text[place + 1 :]
        case 1:
            changed = text[:place] + letter + text[place:]
        case 2:
            changed = text[:place] + text[place + 1 :]
        case 3:
            changed = text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]
        case 4:
            changed = " ".join(syllables[1:] + syllables[:1])
        case 5:
            changed = " ".join(syllables + syllables[:1])
        case _:
            changed = " ".join(syllables[:-1] or syllables)
    return " ".join(changed.split())[:WIDTH] or "an"


def _texts(count: int, words: Sequence[str], random: np.random.Generator) -> list[str | None]:
    texts: list[str | None] = []
    while len(texts) < count:
        size = int(random.choice([1, 2, 3, 4, 6, 8, 9], p=[0.2, 0.2, 0.3, 0.15, 0.05, 0.05, 0.05]))
        text = " ".join(words[int(place)] for place in random.integers(0, len(words), size))[:WIDTH].strip()
        for _ in range(int(random.integers(1, 5))):
            texts.append(text)
            text = _mutated(text, random)
        texts.append(None)
        texts.append(f"{int(random.integers(0, 10**12)):012d}")
    return texts[:count]


def _numbers(count: int, low: int, high: int, random: np.random.Generator) -> pa.Array:
    return pa.array(random.integers(low, high, count).astype(np.int32), mask=random.random(count) < 0.1)


def table_of(count: int, *, seed: int, marked: bool = False) -> pa.Table:
    """`count` rows of COLUMNS, many near misses among neighbours, some fields exchanged; `marked` texts bear marks."""
    random = np.random.default_rng(seed)
    words = _MARKED if marked else _SYLLABLES + _FEBRL
    members = [
        None if random.random() < 0.15 else [f"{m:02d}" for m in random.permutation(8)[: int(random.integers(1, 5))]]
        for _ in range(count)
    ]
    texts, others = _texts(count, words, random), _texts(count, words, random)
    for row in range(0, count - 1, 7):
        texts[row + 1], others[row + 1] = others[row], texts[row]
    return pa.table(
        {
            "text": pa.array(texts, type=pa.string()),
            "other": pa.array(others, type=pa.string()),
            "year": _numbers(count, 1998, 2002, random),
            "month": _numbers(count, 1, 13, random),
            "day": _numbers(count, 1, 13, random),
            "members": pa.array(members, type=pa.list_(pa.string())),
        }
    )


def pairs_of(count: int, rows: int, *, seed: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`count` pairs of different rows, half of them neighbours (which `table_of` makes alike)."""
    random = np.random.default_rng(seed)
    left = random.integers(0, rows, count)
    near = (left + random.integers(1, 5, count)) % rows
    far = (left + random.integers(1, rows, count)) % rows
    right = np.where(random.random(count) < 0.5, near, far)
    return left.astype(np.int32), right.astype(np.int32)
