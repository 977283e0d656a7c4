"""How right a set of people is, against the truth: pairs, B-cubed and whole clusters; and what blocking can still find.

Pure functions over Arrow and numpy, exact at any size: all is counted in integers from one sorted contingency table.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mpi.domain.errors import InvalidInputError

PREDICTED_COLUMNS = ("source_system", "source_record_id", "enterprise_id")
TRUTH_COLUMNS = ("source", "source_record_id", "person_id")
TASK_COLUMNS = ("source_system_a", "source_record_id_a", "source_system_b", "source_record_id_b")

_Integers = npt.NDArray[np.int64]
_SEPARATOR = "\x1f"  # ASCII's unit separator: no source system's name holds it, so joined keys stay apart


@dataclass(frozen=True, slots=True)
class Measure:
    """Precision and recall, both 0 to 1. Where nothing was claimed (or nothing was there to find) the share is 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 when both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def to_dict(self) -> dict[str, float]:
        """Plain numbers for JSON."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures over the records that both sides know, with the counts they come from.

    `tasks` are the review tasks taken as answered; `tasks_joined` those that were the same person.
    `tasks_outside` have a record that one of the sides lacks and change nothing.
    """

    pairwise: Measure
    b_cubed: Measure
    exact_cluster: Measure
    records: int
    records_predicted_only: int
    records_truth_only: int
    predicted_pairs: int
    true_pairs: int
    right_pairs: int
    predicted_clusters: int
    true_clusters: int
    right_clusters: int
    tasks: int = 0
    tasks_joined: int = 0
    tasks_outside: int = 0

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON: a dict for each measure, integers for the counts."""
        measures = ("pairwise", "b_cubed", "exact_cluster")
        counts = {name: value for name, value in asdict(self).items() if name not in measures}
        return {**{name: getattr(self, name).to_dict() for name in measures}, **counts}


@dataclass(frozen=True, slots=True)
class CandidateRecall:
    """What blocking found: distinct true pairs among the candidates, of all true pairs."""

    candidates: int
    true_pairs: int
    found_pairs: int

    @property
    def recall(self) -> float:
        """Share of the true pairs that are candidates; 1 when there are none to find."""
        return _share(self.found_pairs, self.true_pairs)

    def to_dict(self) -> dict[str, float]:
        """Plain numbers for JSON."""
        return {**asdict(self), "recall": self.recall}


def evaluate(predicted: pa.Table, truth: pa.Table, *, answered: pa.Table | None = None) -> Evaluation:
    """Compare people with the truth.

    `predicted` has PREDICTED_COLUMNS, `truth` TRUTH_COLUMNS; ids may be strings or integers, one row a record. With
    `answered` (TASK_COLUMNS, the open review tasks) the figures are as if every task had been answered rightly: a task
    whose two records are one person joins their two clusters, any other changes nothing.

    Pairwise counts pairs of records; B-cubed (Bagga & Baldwin 1998) averages over records; exact cluster counts the
    predicted people who are a true person's records, all and only. Raises InvalidInputError.
    """
    keys = _record_codes(predicted, truth, answered)
    size = max(int(codes.max(initial=-1)) for codes in keys) + 1
    places = _positions(keys[0], size, "predicted"), _positions(keys[1], size, "truth")
    both = np.flatnonzero((places[0] >= 0) & (places[1] >= 0))
    clusters = _label_codes(predicted.column(PREDICTED_COLUMNS[2]))[places[0][both]]
    persons = _label_codes(truth.column(TRUTH_COLUMNS[2]))[places[1][both]]
    tasks: dict[str, int] = {}
    if answered is not None:
        place = np.full(size, -1, dtype=np.int64)
        place[both] = np.arange(len(both))
        lefts, rights = place[keys[2]], place[keys[3]]
        inside = (lefts >= 0) & (rights >= 0)
        lefts, rights = lefts[inside], rights[inside]
        same = persons[lefts] == persons[rights]
        clusters = _joined(clusters, clusters[lefts[same]], clusters[rights[same]])
        tasks = {"tasks": len(inside), "tasks_joined": int(same.sum()), "tasks_outside": int((~inside).sum())}
    outside = (predicted.num_rows - len(both), truth.num_rows - len(both))
    return _measured(clusters, persons, outside=outside, tasks=tasks)


def evaluate_labels(clusters: npt.ArrayLike, persons: npt.ArrayLike) -> Evaluation:
    """The figures of two labellings of the same records: integers of shape (n,), predicted cluster and true person."""
    return _measured(_codes(clusters), _codes(persons), outside=(0, 0), tasks={})


def candidate_recall(left: npt.ArrayLike, right: npt.ArrayLike, persons: npt.ArrayLike) -> CandidateRecall:
    """How many true pairs the candidate pairs cover.

    `left` and `right` are record positions, shape (pairs,); `persons` the true person of each record, shape (n,).
    A pair may stand in either order or more than once; it is found once. `candidates` counts distinct pairs.
    """
    labels = _codes(persons)
    one, other = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    if one.shape != other.shape:
        raise InvalidInputError("left and right of the candidate pairs differ in length")
    if len(one) and (min(one.min(), other.min()) < 0 or max(one.max(), other.max()) >= len(labels)):
        raise InvalidInputError("a candidate pair names a record that has no truth")
    keys = np.minimum(one, other) * len(labels) + np.maximum(one, other)
    same = labels[one] == labels[other]
    distinct = [len(_counted(keys[kept])[0]) for kept in (one != other, same & (one != other))]
    return CandidateRecall(distinct[0], _pairs(np.bincount(labels)), distinct[1])


def _measured(
    clusters: _Integers, persons: _Integers, *, outside: tuple[int, int], tasks: dict[str, int]
) -> Evaluation:
    """All figures from the cells of the contingency table: records of one cluster and one person, and how many."""
    count = len(clusters)
    width = int(persons.max(initial=0)) + 1
    cells, shared = _counted(clusters * width + persons)
    cell_clusters, cell_persons = cells // width, cells % width
    cluster_sizes, person_sizes = np.bincount(clusters), np.bincount(persons)
    in_cluster, in_person = cluster_sizes[cell_clusters], person_sizes[cell_persons]
    predicted_pairs, true_pairs, right_pairs = _pairs(cluster_sizes), _pairs(person_sizes), _pairs(shared)
    right = int(((shared == in_cluster) & (shared == in_person)).sum())
    predicted_clusters, true_clusters = int((cluster_sizes > 0).sum()), int((person_sizes > 0).sum())
    return Evaluation(
        pairwise=Measure(_share(right_pairs, predicted_pairs), _share(right_pairs, true_pairs)),
        b_cubed=Measure(_b_cubed(shared, in_cluster, count), _b_cubed(shared, in_person, count)),
        exact_cluster=Measure(_share(right, predicted_clusters), _share(right, true_clusters)),
        records=count,
        records_predicted_only=outside[0],
        records_truth_only=outside[1],
        predicted_pairs=predicted_pairs,
        true_pairs=true_pairs,
        right_pairs=right_pairs,
        predicted_clusters=predicted_clusters,
        true_clusters=true_clusters,
        right_clusters=right,
        **tasks,
    )


def _counted(values: _Integers) -> tuple[_Integers, _Integers]:
    """Distinct values, sorted, and how often each stands. numpy's `unique` was many times slower at this size."""
    ordered = np.sort(values)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


def _pairs(sizes: _Integers) -> int:
    return int((sizes.astype(np.int64) * (sizes.astype(np.int64) - 1) // 2).sum())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _b_cubed(shared: _Integers, sizes: _Integers, count: int) -> float:
    """Mean over records of the share of their cluster that is theirs: sum of shared squared / size, over records."""
    if not count:
        return 1.0
    # Cells of one size are summed as integers first: few divisions, no rounding that grows with the records.
    sums = np.zeros(int(sizes.max()) + 1, dtype=np.int64)
    np.add.at(sums, sizes, shared.astype(np.int64) ** 2)
    distinct = np.flatnonzero(sums)
    return math.fsum(int(total) / int(size) for total, size in zip(sums[distinct], distinct, strict=True)) / count


def _codes(labels: npt.ArrayLike) -> _Integers:
    return _label_codes(pa.chunked_array([pa.array(np.asarray(labels))]))


def _record_codes(predicted: pa.Table, truth: pa.Table, answered: pa.Table | None) -> list[_Integers]:
    """Record codes of predicted, truth and the tasks' two sides, by one hash table: hashing texts is the cost."""
    keys = [_keys("predicted", predicted, PREDICTED_COLUMNS), _keys("truth", truth, TRUTH_COLUMNS)]
    if answered is not None:
        keys += [_keys("answered", answered, TASK_COLUMNS[:2]), _keys("answered", answered, TASK_COLUMNS[2:])]
    codes = _label_codes(pa.chunked_array(keys))
    return np.split(codes, np.cumsum([len(key) for key in keys])[:-1])


def _positions(codes: _Integers, size: int, name: str) -> _Integers:
    """Row of each record code, -1 for none; shape (size,). Raises InvalidInputError when a record stands twice."""
    rows = np.full(size, -1, dtype=np.int64)
    rows[codes] = np.arange(len(codes))
    doubled = len(codes) - int((rows >= 0).sum())
    if doubled:
        raise InvalidInputError(f"{name}: {doubled} records stand more than once; one row a record is wanted")
    return rows


def _keys(name: str, table: pa.Table, columns: tuple[str, ...]) -> pa.Array:
    """One text a record: system and id (the first two of `columns`) joined. Raises InvalidInputError."""
    for column in columns:
        if column not in table.column_names:
            raise InvalidInputError(f"{name}: has no column {column}; found: {', '.join(table.column_names)}")
        if table.column(column).null_count:
            raise InvalidInputError(f"{name}: column {column} has empty cells; each record needs one")
    parts = [_flat(table.column(column)).cast(pa.large_string()) for column in columns[:2]]
    return pc.binary_join_element_wise(*parts, pa.scalar(_SEPARATOR, pa.large_string()))


def _flat(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_string(column.type):
        column = column.cast(pa.large_string())  # one array of plain strings ends at 2 GB
    array = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _label_codes(column: pa.ChunkedArray) -> _Integers:
    encoded = _flat(column).dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _joined(clusters: _Integers, lefts: _Integers, rights: _Integers) -> _Integers:
    """Cluster codes after joining clusters pairwise (union-find with path halving; tasks are few beside records)."""
    parent = np.arange(int(clusters.max(initial=-1)) + 1, dtype=np.int64)

    def root(code: int) -> int:
        while parent[code] != code:
            parent[code] = parent[parent[code]]
            code = int(parent[code])
        return code

    for left, right in _as_ints(lefts, rights):
        one, other = root(left), root(right)
        parent[max(one, other)] = min(one, other)
    # A parent is never larger than its child, so jumping until nothing moves ends at the roots.
    while not np.array_equal(parent, jumped := parent[parent]):
        parent = jumped
    return parent[clusters]


def _as_ints(lefts: _Integers, rights: _Integers) -> Iterator[tuple[int, int]]:
    return zip(lefts.tolist(), rights.tolist(), strict=True)
