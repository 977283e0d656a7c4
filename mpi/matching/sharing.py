"""Frequency caps: a number or phone shared by too many different people is evidence of nothing, whatever it looks like.

The people behind a value are counted by the other columns that a rule names (a folded name and a birth year, say).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import FrequencyCap, LinkageModel
from mpi.domain.records import ColumnKind
from mpi.matching.features import MISSING_INTEGER, Layout, representation_of
from mpi.matching.jit import leaf
from mpi.matching.levels import MAXIMUM_MEMBERS, Representation


@dataclass(frozen=True, slots=True)
class CappedValues:
    """Values of one column that are void: sorted codes uint64 (k,), and how many records held one."""

    column: str
    codes: NDArray[np.uint64]
    records: int


def integer_codes(numbers: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Whole numbers int32 (n,) as codes, uint64 (n,): 0 where missing."""
    words = numbers.astype(np.int64).astype(np.uint32).astype(np.uint64) + np.uint64(1)
    return np.where(numbers == MISSING_INTEGER, np.uint64(0), words)


def _words(rows: NDArray[np.uint8], model: LinkageModel, layout: Layout, column: str) -> NDArray[np.uint64]:
    """The codes of a column, uint64 (n, k): k is 1, or the members of a set; 0 where missing."""
    kind = model.columns[column]
    offset = layout.offset(column, representation_of(kind))
    if kind is ColumnKind.INTEGER:
        return integer_codes(rows.view(np.int32)[:, offset // 4])[:, None]
    size = MAXIMUM_MEMBERS if kind is ColumnKind.TEXTS else 1
    return rows.view(np.uint64)[:, offset // 8 : offset // 8 + size]


def shared_too_widely(
    rows: NDArray[np.uint8], model: LinkageModel, layout: Layout, cap: FrequencyCap
) -> NDArray[np.uint64]:
    """Codes of `cap.column` that more than `cap.limit` different combinations of `cap.per` hold, sorted.

    A record that lacks one of `cap.per` is not counted: it cannot be told from another.
    """
    words = _words(rows, model, layout, cap.column)
    person = np.zeros(len(rows), dtype=np.uint64)
    complete = np.ones(len(rows), dtype=np.bool_)
    for column in cap.per:
        word = _words(rows, model, layout, column)[:, 0]
        complete &= word != 0
        person = person * np.uint64(0x9E3779B97F4A7C15) + word
    holders, members = np.nonzero((words != 0) & complete[:, None])
    codes = words[holders, members]
    order = np.lexsort((person[holders], codes))
    codes, people = codes[order], person[holders][order]
    new_code = np.concatenate([[True], codes[1:] != codes[:-1]]) if len(codes) else np.empty(0, dtype=np.bool_)
    new_person = new_code | np.concatenate([[True], people[1:] != people[:-1]]) if len(codes) else new_code
    starts = np.flatnonzero(new_code)
    counts = np.add.reduceat(new_person.astype(np.int64), starts) if len(starts) else np.empty(0, dtype=np.int64)
    return codes[starts][counts > cap.limit]


@leaf
def _void_members(rows64: Any, word: int, codes: Any) -> int:
    """Remove the given members (sorted codes) from a set slot; gives how many rows changed."""
    changed = 0
    for row in range(rows64.shape[0]):
        kept = 0
        for member in range(MAXIMUM_MEMBERS):
            code = rows64[row, word + member]
            if code == 0:
                break
            place = np.searchsorted(codes, code)
            if place < codes.shape[0] and codes[place] == code:
                continue
            rows64[row, word + kept] = code
            kept += 1
        for member in range(kept, MAXIMUM_MEMBERS):
            if rows64[row, word + member] != 0:
                rows64[row, word + member] = 0
                changed += member == kept
    return changed


def void_values(
    rows: NDArray[np.uint8], model: LinkageModel, layout: Layout, column: str, codes: NDArray[np.uint64]
) -> int:
    """Make the given values (sorted codes uint64 (k,)) of a column missing, in place, in every representation; gives
    how many rows changed."""
    if not len(codes):
        return 0
    if model.columns[column] is ColumnKind.TEXTS:
        return int(_void_members(rows.view(np.uint64), layout.offset(column, Representation.MEMBERS) // 8, codes))
    words = _words(rows, model, layout, column)[:, 0]
    chosen = np.flatnonzero(codes[np.minimum(np.searchsorted(codes, words), len(codes) - 1)] == words)
    if not len(chosen):
        return 0
    for (name, representation), offset in layout.offsets.items():
        if name != column:
            continue
        if representation is Representation.CODE:
            rows.view(np.uint64)[chosen, offset // 8] = 0
        elif representation is Representation.BYTES:
            rows[chosen, offset] = 0
        elif representation is Representation.INTEGER:
            rows.view(np.int32)[chosen, offset // 4] = MISSING_INTEGER
        else:
            rows.view(np.uint32)[chosen, offset // 4] = 0
    return len(chosen)


def apply_caps(rows: NDArray[np.uint8], model: LinkageModel, layout: Layout) -> list[CappedValues]:
    """Void every value that a cap of the model catches, in place. All caps are judged before any value is voided."""
    found = [(cap.column, shared_too_widely(rows, model, layout, cap)) for cap in model.frequency_caps]
    return [CappedValues(column, codes, void_values(rows, model, layout, column, codes)) for column, codes in found]
