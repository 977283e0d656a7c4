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
from mpi.matching.stored_keys import SIGN, KeyPages, key_pages, spread_keys, stored_keys
from mpi.registry import blocking_keys, source_records
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork

RECORDS_A_PART = 500_000
"""Records whose number of keys is sorted and written at once, which bounds memory."""

FEW = 0.02
"""Share of new records up to which keys are added one by one."""

_CHUNK = 20_000

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
    blocking_keys.add(uow, keys, record_ids[new], batch=allocate(uow, Counters(key_batch=1)).key_batch)
    return int(np.count_nonzero(keys))


def _pages(plan: BlockingPlan, rows: Rows, record_ids: Integers, key: bytes) -> Iterator[KeyPages]:
    """Pages of all keys in the order of the keys, a part of them at a time."""
    bits = max((len(rows) // RECORDS_A_PART).bit_length(), 1)
    by_id = np.argsort(record_ids, kind="stable")

    def spread(start: int) -> list[tuple[NDArray[np.uint64], Integers]]:
        chosen = by_id[start : start + _CHUNK]
        return spread_keys(stored_keys(plan, rows[chosen], key), record_ids[chosen], bits)

    with ThreadPoolExecutor(threads_available()) as executor:
        chunks = list(executor.map(spread, range(0, len(rows), _CHUNK)))
    for part in range(1 << bits):
        codes = np.concatenate([chunk[part][0] for chunk in chunks]) if chunks else np.empty(0, dtype=np.uint64)
        entries = np.concatenate([chunk[part][1] for chunk in chunks]) if chunks else np.empty(0, dtype=np.int64)
        sort_by_code(codes, entries.view(np.uint64))
        codes ^= SIGN
        yield key_pages(codes.view(np.int64), entries)
