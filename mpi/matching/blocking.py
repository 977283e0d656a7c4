"""Blocking keys and candidate pairs: a pair is a candidate when its records share a key of some rule.

A key is a SipHash chain of the rule's place and its columns' codes under the registry's secret, 0 where a column is
missing.
Blocks are a partition of a rule's records at every stage, so "does an earlier rule give this pair?" is one
comparison of keys.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import BlockingRule, LinkageModel
from mpi.domain.records import ColumnKind
from mpi.matching.features import MISSING_INTEGER, Layout, representation_of
from mpi.matching.jit import leaf
from mpi.matching.kernel import Rows
from mpi.matching.levels import MAXIMUM_MEMBERS
from mpi.matching.siphash import hash_pair

STORED_REFINEMENTS = 3
"""Refining columns that a stored key knows of."""

_REFINED_BITS = 8
_BLOCK_BITS = np.uint64(STORED_REFINEMENTS * _REFINED_BITS)
_MISSING = int(MISSING_INTEGER)
_CODE, _NUMBER, _MEMBERS = 0, 1, 2


class KeyProgram(NamedTuple):
    """How keys are made from rows: for each rule its columns as (kind, slot, step), and the span of its key slots.

    `columns` int32 (rules, most columns, 3), kind -1 where there is none; `first_slot` int32 (rules + 1,): rule r
    fills key slots first_slot[r]:first_slot[r + 1], one for every combination of set members. Combination c takes
    member c // step % MAXIMUM_MEMBERS of a set column.
    """

    columns: NDArray[np.int32]
    first_slot: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class BlockingPlan:
    """The compiled blocking rules of a model, with the refining columns of each rule as (kind, slot) pairs.

    `refining` int32 (rules, STORED_REFINEMENTS, 2) holds the first of them, -1 where there is none.
    """

    rules: tuple[BlockingRule, ...]
    keys: KeyProgram
    refine: tuple[tuple[tuple[int, int], ...], ...]
    refining: NDArray[np.int32]

    @property
    def slots(self) -> int:
        """Key slots of a record."""
        return int(self.keys.first_slot[-1])

    def rule_of_slot(self) -> NDArray[np.int64]:
        """The place of the rule that fills each key slot, int64 (slots,)."""
        return np.repeat(np.arange(len(self.rules)), np.diff(self.keys.first_slot))


def blocking_plan(model: LinkageModel, layout: Layout) -> BlockingPlan:
    """Compile a model's blocking rules for rows of `layout`."""
    most = max((len(rule.columns) for rule in model.blocking), default=0)
    columns = np.full((len(model.blocking), most, 3), -1, dtype=np.int32)
    spans = [0]
    for place, rule in enumerate(model.blocking):
        sets = 0
        for index, column in enumerate(rule.columns):
            columns[place, index] = (*_operand(model, layout, column), MAXIMUM_MEMBERS**sets)
            sets += model.columns[column] is ColumnKind.TEXTS
        spans.append(spans[-1] + MAXIMUM_MEMBERS**sets)
    refine = tuple(tuple(_operand(model, layout, column) for column in rule.refine) for rule in model.blocking)
    refining = np.full((len(refine), STORED_REFINEMENTS, 2), -1, dtype=np.int32)
    for place, operands in enumerate(refine):
        for index, operand in enumerate(operands[:STORED_REFINEMENTS]):
            refining[place, index] = operand
    return BlockingPlan(model.blocking, KeyProgram(columns, np.array(spans, dtype=np.int32)), refine, refining)


def _operand(model: LinkageModel, layout: Layout, column: str) -> tuple[int, int]:
    kind = model.columns[column]
    offset = layout.offset(column, representation_of(kind))
    if kind is ColumnKind.INTEGER:
        return _NUMBER, offset // 4
    return (_MEMBERS if kind is ColumnKind.TEXTS else _CODE), offset // 8


@leaf
def _word(rows: Any, record: int, kind: int, slot: int, member: int) -> Any:
    """The word that a column contributes, 0 when missing."""
    if kind == _NUMBER:
        number = rows.i32[record, slot]
        return np.uint64(0) if number == _MISSING else np.uint64(np.uint32(number)) + np.uint64(1)
    return rows.u64[record, slot + member]


@leaf
def _key_word(rows: Any, record: int, column: Any, combination: int) -> Any:
    """The word of one of a rule's columns (kind, slot, step) at one combination of set members, 0 when missing."""
    member = combination // column[2] % MAXIMUM_MEMBERS if column[0] == _MEMBERS else 0
    return _word(rows, record, column[0], column[1], member)


@leaf
def _complete(columns: Any, rows: Rows, record: int, combination: int) -> bool:
    """Whether a record has every column of a rule at one combination of set members: known before anything is
    hashed."""
    for place in range(columns.shape[0]):
        if columns[place, 0] < 0:
            break
        if _key_word(rows, record, columns[place], combination) == 0:
            return False
    return True


@leaf
def _chain(columns: Any, rows: Rows, record: int, rule: int, combination: int, key: Any) -> Any:
    """The key of a record under one rule and one combination of set members, all of them there."""
    code = np.uint64(rule + 1)
    for place in range(columns.shape[0]):
        if columns[place, 0] < 0:
            break
        code = hash_pair(code, _key_word(rows, record, columns[place], combination), key)
    return code


@leaf
def fill_keys(program: KeyProgram, rows: Rows, key: Any, out: Any) -> None:
    """Blocking keys of every row, uint64 (n, slots); 0 where a rule gives no key. `key` is uint64 (2,)."""
    rules = program.columns.shape[0]
    for record in range(out.shape[0]):
        for rule in range(rules):
            columns = program.columns[rule]
            first, stop = program.first_slot[rule], program.first_slot[rule + 1]
            for slot in range(first, stop):
                code = np.uint64(0)
                if _complete(columns, rows, record, slot - first):
                    code = _chain(columns, rows, record, rule, slot - first, key)
                for earlier in range(first, slot):
                    if out[record, earlier] == code:
                        code = np.uint64(0)
                        break
                out[record, slot] = code


@leaf
def _byte_of(word: Any, seed: Any) -> Any:
    """Eight bits of a word mixed with a seed (the splitmix64 finaliser of Steele, Lea and Flood 2014): a twentieth of
    the cost of a keyed hash, for bits too few to tell a value by."""
    mixed = word ^ seed
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed >> np.uint64(56)


@leaf
def fill_stored_keys(program: KeyProgram, refining: Any, rows: Rows, key: Any, out: Any) -> None:
    """Keys as a registry stores them, uint64 (n, slots); 0 where a rule gives no key.

    The upper 40 bits name the block; each of the lower three bytes refines it by one column, coarsest first. So a
    block, and every part of it that agrees on the first refining columns, is one range of keys.
    """
    for record in range(out.shape[0]):
        for rule in range(program.columns.shape[0]):
            columns = program.columns[rule]
            first, stop = program.first_slot[rule], program.first_slot[rule + 1]
            for slot in range(first, stop):
                code = np.uint64(0)
                if _complete(columns, rows, record, slot - first):
                    block = _chain(columns, rows, record, rule, slot - first, key) >> _BLOCK_BITS
                    code = block
                    for place in range(refining.shape[1]):
                        code <<= np.uint64(_REFINED_BITS)
                        if refining[rule, place, 0] >= 0:
                            word = _word(rows, record, refining[rule, place, 0], refining[rule, place, 1], 0)
                            code |= _byte_of(word, block ^ key[0])
                out[record, slot] = code


@leaf
def tally_keys(keys: Any, first: int, stop: int, tally: Any) -> Any:
    """Count the keys of one rule (slots first:stop) in buckets, up to two; gives (keys, keys in a bucket of several).

    `tally` is uint8, zeroed, as long as a power of two.
    """
    mask = np.uint64(tally.shape[0] - 1)
    total = 0
    repeats = 0
    for record in range(keys.shape[0]):
        for slot in range(first, stop):
            code = keys[record, slot]
            if code == 0:
                continue
            total += 1
            bucket = code & mask
            if tally[bucket] == 0:
                tally[bucket] = 1
            else:
                repeats += 1 + (tally[bucket] == 1)
                tally[bucket] = 2
    return total, repeats


@leaf
def take_repeated(keys: Any, first: int, stop: int, tally: Any, out: Any) -> None:
    """Write the keys of one rule whose bucket holds more than one, in order of record and slot.

    `out` is (records int32, slots int32, codes uint64), as long as `tally_keys` says. Most keys occur once and make no
    pair: sorting them would be most of the work.
    """
    records, slots, codes = out
    mask = np.uint64(tally.shape[0] - 1)
    found = 0
    for record in range(keys.shape[0]):
        for slot in range(first, stop):
            code = keys[record, slot]
            if code != 0 and tally[code & mask] > 1:
                records[found] = record
                slots[found] = slot
                codes[found] = code
                found += 1


@leaf
def refine_keys(rows: Rows, records: Any, slots: Any, codes: Any, keys: Any, operand: Any, key: Any) -> int:
    """Split blocks by one more column: entry e = (records[e], slots[e]) gets its code chained with that column's word,
    in `codes` and in `keys`.

    A set column contributes its first member. Gives the number of entries that miss the column; they form a sub-block.
    """
    missing = 0
    for entry in range(records.shape[0]):
        record = records[entry]
        word = _word(rows, record, operand[0], operand[1], 0)
        missing += word == 0
        codes[entry] = hash_pair(codes[entry], word, key)
        keys[record, slots[entry]] = codes[entry]
    return missing


@leaf
def chunk_keys(records: Any, slots: Any, codes: Any, starts: Any, keys: Any, limit: int, key: Any) -> None:
    """Cut blocks that cannot be refined: of each block (entries starts[b]:starts[b + 1]) every `limit` records stay
    together; writes `codes` and `keys`."""
    for block in range(starts.shape[0] - 1):
        for entry in range(starts[block], starts[block + 1]):
            piece = np.uint64((entry - starts[block]) // limit + 1)
            codes[entry] = hash_pair(codes[entry], piece, key)
            keys[records[entry], slots[entry]] = codes[entry]


@leaf
def _earlier(keys: Any, i: int, j: int, first_slot: Any, rule: int, current: Any) -> bool:
    """Whether a rule before `rule` gives the pair, or `rule` itself by a smaller key than `current`."""
    for before in range(rule + 1):
        for left in range(first_slot[before], first_slot[before + 1]):
            code = keys[i, left]
            if code == 0 or (before == rule and code >= current):
                continue
            for right in range(first_slot[before], first_slot[before + 1]):
                if keys[j, right] == code:
                    return True
    return False


class Blocks(NamedTuple):
    """Some blocks of one rule: block b holds the entries starts[b]:starts[b + 1] of `records` (int32) under the key
    codes[b]."""

    records: NDArray[np.int32]
    codes: NDArray[np.uint64]
    starts: NDArray[np.int64]


@leaf
def emit_pairs(keys: Any, blocks: Blocks, first_slot: Any, rule: int, fresh: Any, out: Any) -> int:
    """Candidate pairs of some blocks of one rule, each pair once over all rules and slots.

    `keys` uint64 (n, slots) of all rules; a pair needs one record with `fresh` (bool (n,)) true. `out` is (left,
    right), int32,
    large enough; left < right. Gives how many pairs were written.
    """
    left_out, right_out = out
    records = blocks.records
    found = 0
    for block in range(blocks.codes.shape[0]):
        for a in range(blocks.starts[block], blocks.starts[block + 1]):
            for b in range(a + 1, blocks.starts[block + 1]):
                i, j = min(records[a], records[b]), max(records[a], records[b])
                if (fresh[i] or fresh[j]) and not _earlier(keys, i, j, first_slot, rule, blocks.codes[block]):
                    left_out[found] = i
                    right_out[found] = j
                    found += 1
    return found
