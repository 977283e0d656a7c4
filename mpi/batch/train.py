"""Training: m, u, the prior and frozen term frequencies of a rule file, from a table of standard records.

Splink starts (u from random pairs, m by EM on selective blocks or from labels), the mixture over all pairs finishes.
The same table, seed and versions give the same numbers, to the six digits that are kept.
"""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mpi.batch.mixture import Fit, Levels, Mixture, PairSample, sample_pairs
from mpi.batch.pairs import threads_available
from mpi.batch.splink_training import PERSON, Estimates, estimate_m, estimate_m_from_labels, estimate_u, workspace
from mpi.batch.tables import columns_of_table, without_values
from mpi.domain.errors import InvalidInputError, UntrainedLevelError
from mpi.domain.model import LevelParameters, LinkageModel, Parameters, TermFrequencies
from mpi.domain.records import ColumnKind
from mpi.matching.features import (
    IntegerColumn,
    TextColumn,
    TextsColumn,
    frequency_table,
    hash_column,
    layout_of,
    pack_rows,
)
from mpi.matching.sharing import shared_too_widely
from mpi.matching.siphash import PUBLIC_KEY
from mpi.matching.weights import column_kinds

FREQUENT = 3
"""A value is frequent, and named in the term frequencies, from this many records on."""

SPLINK_PAIRS = 1_000_000
"""Pairs that Splink sees in each of its steps; it gives the start that the mixture sets out from."""

DIGITS = 6
"""Significant digits kept of what was trained: less than what the order of a sum can change."""


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How to train.

    `labels` has columns `record` (row of the table, from 0) and `person`; m then comes from labelled pairs. With
    `smooth` a level that no pair was seen at is given half a pair's worth instead of being refused.
    `records_per_person` is estimated where it is None, for `drawn_from` records: as many as the table is a random
    sample of (the table's own number when None). `memory` bounds DuckDB. `data` says in words what the records are,
    for the provenance.
    """

    smooth: bool = True
    records_per_person: float | None = None
    drawn_from: int | None = None
    labels: pa.Table | None = None
    memory: str = "2GB"
    data: str = "not said"


def term_frequencies(model: LinkageModel, table: pa.Table) -> dict[str, TermFrequencies]:
    """Relative frequencies of the values of every column that a level is adjusted by.

    A value of FREQUENT records or more goes by its public hash; all others share the mean frequency of the rarer ones.
    """
    columns = {level.tf_column for each in model.comparisons for level in each.levels if level.tf_column is not None}
    found: dict[str, TermFrequencies] = {}
    for column in sorted(columns):
        texts = columns_of_table(table, {column: ColumnKind.TEXT})[column]
        assert isinstance(texts, TextColumn)
        codes = hash_column(texts, PUBLIC_KEY)
        values, counts = np.unique(codes[codes != 0], return_counts=True)
        total = max(int(counts.sum()), 1)
        frequent = counts >= FREQUENT
        rare = counts[~frequent]
        unseen = _rounded(float(rare.mean()) / total if len(rare) else 0.5 / total)
        shares = np.array([_rounded(share) for share in counts[frequent] / total])
        found[column] = TermFrequencies(
            column, dict(zip(values[frequent].tolist(), shares.tolist(), strict=True)), unseen
        )
    return found


def train(
    model: LinkageModel,
    table: pa.Table,
    *,
    seed: int,
    max_pairs: int = 20_000_000,
    options: TrainingOptions | None = None,
) -> tuple[Parameters, dict[str, TermFrequencies]]:
    """Train a model on a standard table; what it was trained on before is not used.

    Values that the model's frequency caps void are missing here as they are when records are linked.
    `max_pairs` is the number of random pairs that u is taken from, and the most candidate pairs that m is taken from.
    Raises UntrainedLevelError naming every level at which no pair was seen (unless smoothed), InvalidInputError for a
    table too small or labels that do not fit it.
    """
    options = options or TrainingOptions()
    if table.num_rows < 2:
        raise InvalidInputError("training needs a table of two records or more")
    frequencies = term_frequencies(model, table)
    model = replace(model, parameters=None, term_frequencies=frequencies)
    kinds = column_kinds(model, layout_of(model))
    table = table.select(sorted(kinds))
    digest = data_digest(table)
    table, capped = _capped(model, table)
    persons = _persons(options.labels, table.num_rows)
    m_start, u_start = _splink_start(model, table, persons, memory=options.memory, seed=seed, max_pairs=max_pairs)
    known = _labelled_pairs(persons) if persons is not None else None
    columns = columns_of_table(table, kinds)
    sample = sample_pairs(model, columns, max_pairs=max_pairs, seed=seed, known=known)
    fit = Mixture(model, sample).fit(
        _started(model, m_start, 1e-4),
        _started(model, u_start, 1.0 / SPLINK_PAIRS),
        match_share=min(1.0 / table.num_rows, 0.5),
        fix_m=persons is not None,
    )
    if persons is not None:
        fit = replace(fit, m=dict(m_start))
    levels, smoothed = _levels(model, fit, sample, smooth=options.smooth)
    drawn_from = options.drawn_from or table.num_rows
    people = options.records_per_person or 1.0 + fit.match_share * (drawn_from - 1)
    provenance = {
        "data": options.data,
        "data_sha256": digest,
        "records": str(table.num_rows),
        "drawn_from": str(drawn_from),
        "capped": "; ".join(capped) or "none",
        "seed": str(seed),
        "pairs": f"{sample.candidates} candidate pairs and {max_pairs} random pairs asked for",
        "method_m": "labels" if persons is not None else f"expectation maximisation, {fit.rounds} rounds",
        "method_u": "candidate pairs counted, all others by random pairs",
        "records_per_person": "given" if options.records_per_person else "estimated",
        "smoothed_levels": "; ".join(smoothed) or "none",
        "python": platform.python_version(),
        **{name: version(name) for name in ("splink", "duckdb", "numpy", "numba")},
    }
    return Parameters(_rounded(people), levels, provenance), frequencies


def _capped(model: LinkageModel, table: pa.Table) -> tuple[pa.Table, list[str]]:
    """The table without the values that the frequency caps catch in it, and in words what they caught.

    All caps are judged before any value is voided, as in `sharing.apply_caps`.
    """
    bare = replace(model, comparisons=(), blocking=())
    layout = layout_of(bare)
    rows = pack_rows(columns_of_table(table, column_kinds(bare, layout)), layout, frequency_table(bare), PUBLIC_KEY)
    found = [(cap.column, shared_too_widely(rows, bare, layout, cap)) for cap in model.frequency_caps]
    del rows
    told = []
    for column, codes in found:
        if len(codes):
            place = table.column_names.index(column)
            values, records = without_values(table[column], model.columns[column], codes, key=PUBLIC_KEY)
            table = table.set_column(place, column, values)
            told.append(f"{column}: {len(codes)} values in {records} records")
    return table, told


def _splink_start(
    model: LinkageModel,
    table: pa.Table,
    persons: NDArray[np.int64] | None,
    *,
    memory: str,
    seed: int,
    max_pairs: int,
) -> tuple[Estimates, Estimates]:
    pairs = min(SPLINK_PAIRS, max_pairs)
    with workspace(threads_available(), memory) as connection:
        u = estimate_u(connection, model, table, max_pairs=pairs, seed=seed)
        if persons is None:
            return estimate_m(connection, model, table, u, max_pairs=pairs, seed=seed), u
        labelled = table.append_column(PERSON, pa.array(persons, mask=persons < 0))
        return estimate_m_from_labels(connection, model, labelled), u


def _persons(labels: pa.Table | None, records: int) -> NDArray[np.int64] | None:
    """The label of every record as a number, -1 where there is none. Raises InvalidInputError for labels of no use."""
    if labels is None:
        return None
    if missing := {"record", "person"} - set(labels.column_names):
        raise InvalidInputError(f"labels need a column {sorted(missing)[0]}; should be record, person")
    labels = labels.filter(labels["person"].is_valid())
    rows = labels["record"].combine_chunks().cast(pa.int64()).to_numpy(zero_copy_only=False)
    if len(rows) and (rows.min() < 0 or rows.max() >= records):
        raise InvalidInputError(f"labels name a record that is not among the {records} of the table")
    persons = np.full(records, -1, dtype=np.int64)
    encoded = pc.dictionary_encode(labels["person"].combine_chunks())
    persons[rows] = encoded.indices.to_numpy(zero_copy_only=False)
    if not len(_labelled_pairs(persons)):
        raise InvalidInputError("no two labelled records are one person: there is nothing to estimate m from")
    return persons


def _labelled_pairs(persons: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of rows with the same label, int64 (k, 2)."""
    order = np.argsort(persons, kind="stable")
    order = order[persons[order] >= 0]
    pairs = []
    for distance in range(1, len(order)):
        same = persons[order[distance:]] == persons[order[:-distance]]
        if not same.any():
            break
        pairs.append(np.stack([order[:-distance][same], order[distance:][same]], axis=1))
    return np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64)


def _started(model: LinkageModel, estimates: Estimates, otherwise: float) -> Levels:
    return {
        (each.name, level.label): estimates.get((each.name, level.label)) or otherwise
        for each in model.comparisons
        for level in each.levels
        if not level.is_null
    }


def _levels(
    model: LinkageModel, fit: Fit, sample: PairSample, *, smooth: bool
) -> tuple[dict[tuple[str, str], LevelParameters], list[str]]:
    """Parameters of every level, and the names of those at which no pair of a class was seen.

    Half a pair is the least that is believed to lie at a level: no u is below 1 / (2 pairs that could be compared).
    """
    levels: dict[tuple[str, str], LevelParameters] = {}
    unseen: list[str] = []
    for place, comparison in enumerate(model.comparisons):
        compared = float(sample.counts[sample.codes[:, place] >= 0].sum())
        matches = max(fit.matches[comparison.name], 1.0)
        for level in comparison.levels:
            if level.is_null:
                continue
            name = (comparison.name, level.label)
            m, u = fit.m.get(name), fit.u.get(name)
            least_m, least_u = 0.5 / matches, 0.5 / max(compared, 1.0)
            seen_m, seen_u = m is not None and m >= least_m, u is not None and u > 0
            if not (seen_m and seen_u):
                unseen.append(
                    f"{comparison.name} / {level.label} ({'m' if not seen_m else ''}{'u' if not seen_u else ''})"
                )
            levels[name] = LevelParameters(
                _rounded(min(max(m or 0.0, least_m), 1.0)), _rounded(min(max(u or 0.0, least_u), 1.0))
            )
    if unseen and not smooth:
        raise UntrainedLevelError(f"{model.name} has levels at which no pair was seen: {', '.join(unseen)}")
    return levels, unseen


def data_digest(table: pa.Table) -> str:
    """SHA-256 of a standard table's values, column by column in the order of their names; chunks do not matter."""
    digest = hashlib.sha256()
    for name in sorted(table.column_names):
        kind = _kind(table.schema.field(name).type)
        column = columns_of_table(table, {name: kind})[name]
        digest.update(f"{name}:{kind}:{table.num_rows};".encode())
        match column:
            case IntegerColumn(values):
                arrays: tuple[NDArray[np.generic], ...] = (values,)
            case TextColumn(data, offsets):
                arrays = (offsets, data)
            case TextsColumn(members, offsets):
                arrays = (offsets, members.offsets, members.data)
        for array in arrays:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _kind(arrow: pa.DataType) -> ColumnKind:
    if pa.types.is_integer(arrow):
        return ColumnKind.INTEGER
    return ColumnKind.TEXTS if pa.types.is_list(arrow) or pa.types.is_large_list(arrow) else ColumnKind.TEXT


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS - 1}e}")


def summary(parameters: Parameters) -> Mapping[tuple[str, str], float]:
    """Match weight in bits of every level, for people to read."""
    return {name: float(np.log2(each.m) - np.log2(each.u)) for name, each in parameters.levels.items()}
