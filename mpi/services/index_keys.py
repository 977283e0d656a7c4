"""The stored blocking keys of a registry, by which single records find their candidates: made anew or added to.

A bulk run has all rows in memory anyway: it writes all keys anew in sorted pages, unless only few records are new.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from mpi.batch.pairs import threads_available
from mpi.domain.errors import RulesNotReadyError
from mpi.matching.blocking import BlockingPlan, blocking_plan
from mpi.matching.scorer import Scorer
from mpi.matching.sharing import CappedValues
from mpi.matching.sorting import sort_by_code
from mpi.matching.stored_keys import KeyPages, key_pages, stored_keys
from mpi.registry import blocking_keys, source_records
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork

RECORDS_A_PASS = 2_000_000
"""Records whose keys are sorted at once; of more, every pass takes a part of the keys, which bounds memory."""

FEW = 0.02
"""Share of new records up to which keys are added one by one."""

_CHUNK = 100_000
_SIGN = np.uint64(1 << 63)

Integers = NDArray[np.int64]
Rows = NDArray[np.uint8]


def keys_name(scorer: Scorer) -> str:
    """What stored keys depend on, as one word: the layout of rows, and the columns of every blocking rule."""
    rules = [(rule.columns, rule.refine) for rule in scorer.model.blocking]
    return hashlib.sha256(repr((scorer.layout.digest, rules)).encode()).hexdigest()


def check_keys(registry: Registry, scorer: Scorer) -> None:
    """A registry's keys must be those of the rules that single records come by; an empty registry takes them as its
    own. Raises RulesNotReadyError."""
    name = keys_name(scorer)
    with registry.snapshot() as uow:
        made_by, empty = blocking_keys.made_by(uow), not source_records.any_stored(uow)
    if made_by is None and empty:
        with registry.begin() as uow:
            blocking_keys.note_made_by(uow, name)
    elif made_by != name:
        raise RulesNotReadyError(
            f"the registry's blocking keys are not those of {scorer.model.name}: run mpi db index --rules"
            f" {scorer.model.name}, or link with these rules, first"
        )


def write_keys(
    uow: UnitOfWork,
    scorer: Scorer,
    key: bytes,
    *,
    rows: Rows,
    record_ids: Integers,
    fresh: NDArray[np.bool_],
    capped: list[CappedValues],
) -> int:
    """Store the keys of a whole registry: rows uint8 (n, width) with capped values void, their ids int64 (n,), and
    which are new or changed. Gives how many entries were written."""
    name = keys_name(scorer)
    blocking_keys.replace_capped(uow, [(each.column, each.codes) for each in capped])
    plan = blocking_plan(scorer.model, scorer.layout)
    new = np.flatnonzero(fresh)
    if blocking_keys.made_by(uow) != name or len(new) > FEW * len(rows):
        return blocking_keys.replace_all(uow, _pages(plan, rows, record_ids, key), made_by=name)
    if not len(new):
        return 0
    keys = stored_keys(plan, rows[new], key)
    records, slots = np.nonzero(keys)
    blocking_keys.add(uow, keys[records, slots].view(np.int64).tolist(), record_ids[new][records].tolist())
    return len(records)


def _pages(plan: BlockingPlan, rows: Rows, record_ids: Integers, key: bytes) -> Iterator[KeyPages]:
    """Pages of all keys in the order of the keys, a pass of them at a time."""
    passes = 1 << max(len(rows) // RECORDS_A_PASS, 0).bit_length()
    width = (1 << 64) // passes
    by_id = np.argsort(record_ids, kind="stable")
    with ThreadPoolExecutor(threads_available()) as executor:
        for number in range(passes):
            low = np.uint64(number * width)
            span = np.uint64(width - 1)

            def part(start: int, low: np.uint64 = low, span: np.uint64 = span) -> tuple[NDArray[np.uint64], Integers]:
                chosen = by_id[start : start + _CHUNK]
                keys = stored_keys(plan, rows[chosen], key)
                # as signed numbers, which databases sort by, the upper half of the keys comes first
                keys_sorted_as = keys ^ _SIGN
                records, slots = np.nonzero((keys != 0) & (keys_sorted_as - low <= span))
                return keys_sorted_as[records, slots], record_ids[chosen[records]]

            parts = list(executor.map(part, range(0, len(rows), _CHUNK)))
            codes = np.concatenate([each[0] for each in parts]) if parts else np.empty(0, dtype=np.uint64)
            entries = np.concatenate([each[1] for each in parts]) if parts else np.empty(0, dtype=np.int64)
            del parts
            words = entries.view(np.uint64)
            sort_by_code(codes, words)
            yield key_pages((codes ^ _SIGN).view(np.int64), words.view(np.int64))
