"""Compiling a linkage model into the kernel's program: match weights in bits, level programs, veto masks.

The arithmetic is Fellegi and Sunter's (1969) as Splink writes it, so that both give the same weights to 1e-9.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import RuleFileError, UntrainedLevelError
from mpi.domain.model import AllOf, AnyOf, Comparison, Condition, Level, LinkageModel, Predicate, VetoEffect
from mpi.domain.records import ColumnKind
from mpi.matching.features import FrequencyTable, Layout
from mpi.matching.kernel import APART, FORBID, HOLD, MAXIMUM_VETOES, OUTCOMES, Program
from mpi.matching.levels import EDIT_OPCODES, LEVEL_KINDS, Opcode, Representation

SMALLEST_PROBABILITY = 1e-12
"""m and u are held above this, so that no level weighs infinitely."""

_EFFECTS = {VetoEffect.HOLD: HOLD, VetoEffect.FORBID: FORBID, VetoEffect.APART: APART}
_UNITS = {
    Representation.CODE: 8,
    Representation.SIGNATURE: 8,
    Representation.MEMBERS: 8,
    Representation.INTEGER: 4,
    Representation.SYLLABLES: 4,
    Representation.BYTES: 1,
    Representation.FREQUENCY: 4,
}


def prior_bits(records_per_person: float, records: int) -> float:
    """Match weight of the prior: log2 odds that two random records of `records` are one person.

    One record has on average `records_per_person - 1` true partners among the other `records - 1`.
    """
    probability = (records_per_person - 1.0) / max(records - 1, 1)
    probability = min(max(probability, SMALLEST_PROBABILITY), 0.5)
    return math.log2(probability / (1.0 - probability))


def probability_of(weight: float) -> float:
    """Match probability of a match weight in bits, prior included; safe for any finite or infinite weight."""
    if weight >= 0:
        return 1.0 / (1.0 + 2.0 ** -min(weight, 1000.0))
    odds = 2.0 ** max(weight, -1000.0)
    return odds / (1.0 + odds)


@dataclass(frozen=True, slots=True)
class _Test:
    """What one predicate asks of a pair, and the bound that rules most pairs out."""

    opcode: Opcode
    slots: tuple[int, int, int]
    parameter: float
    screen: tuple[int, int]


class _Assembler:
    """Builds tests and instructions of all comparisons; jump targets are positions, or -(code + 2) for the level
    reached."""

    def __init__(self, model: LinkageModel, layout: Layout) -> None:
        self._model = model
        self._layout = layout
        self.tests: list[_Test] = []
        self.first_test: list[int] = [0]
        self.instructions: list[tuple[int, int, int]] = []
        self.starts: list[int] = []
        self.stops: list[int] = []

    def add(self, comparison: Comparison) -> None:
        """Assemble one comparison. Levels are laid last to first: jumps go to known places."""
        self.stops.append(len(self.instructions))
        target = -(0 + 2)
        for index in range(len(comparison.levels) - 1, -1, -1):
            level = comparison.levels[index]
            if level.condition is not None:
                reached = -(comparison.code_of(level.label) + 2)
                target = self._condition(level.condition, on_true=reached, on_false=target)
        self.starts.append(target)
        self.first_test.append(len(self.tests))

    def _condition(self, condition: Condition, *, on_true: int, on_false: int) -> int:
        match condition:
            case Predicate():
                self.instructions.append((self._test(condition), on_true, on_false))
                return len(self.instructions) - 1
            case AnyOf(conditions):
                for inner in reversed(conditions):
                    on_false = self._condition(inner, on_true=on_true, on_false=on_false)
                return on_false
            case AllOf(conditions):
                for inner in reversed(conditions):
                    on_true = self._condition(inner, on_true=on_true, on_false=on_false)
                return on_true

    def _test(self, predicate: Predicate) -> int:
        """Number of a predicate's test; a predicate that several levels of a comparison ask is one test."""
        kind = LEVEL_KINDS[predicate.kind]
        column = predicate.columns[0]
        opcode, representation = kind.opcodes[self._model.columns[column]]
        slots = [self._slot(each, representation) for each in predicate.columns]
        if opcode is Opcode.SYLLABLE_EDIT:
            slots.append(self._slot(column, Representation.BYTES))
        parameter = predicate.parameter
        if parameter is None:
            parameter = kind.parameter.default if kind.parameter and kind.parameter.default is not None else 0.0
        screen = 0, 0
        if opcode in EDIT_OPCODES:
            edits = {Opcode.ONE_SUBSTITUTION: 1, Opcode.ONE_TRANSPOSITION: 0}.get(opcode, int(parameter))
            screen = self._slot(column, Representation.SIGNATURE), 2 * edits
        elif opcode is Opcode.DAYS_APART:
            screen = 0, int(parameter) // 28 + 1
        first, second, third = [*slots, 0, 0][:3]
        test = _Test(opcode, (first, second, third), parameter, screen)
        if test not in self.tests[self.first_test[-1] :]:
            self.tests.append(test)
        return self.tests.index(test, self.first_test[-1])

    def _slot(self, column: str, representation: Representation) -> int:
        return self._layout.offset(column, representation) // _UNITS[representation]


def untrained_levels(model: LinkageModel) -> list[str]:
    """Names `comparison / level` of every level that has no trained m and u; null levels need none."""
    known = model.parameters.levels if model.parameters else {}
    return [
        f"{comparison.name} / {level.label}"
        for comparison in model.comparisons
        for level in comparison.levels
        if not level.is_null and (comparison.name, level.label) not in known
    ]


@dataclass(slots=True)
class _LevelTable:
    """Columns of the level entries while they are being filled."""

    weights: list[float]
    tf_slot: list[int]
    tf_scale: list[float]
    tf_log2u: list[float]
    tf_floor: list[float]
    most: list[float]

    def add(self, weight: float, adjustment: tuple[int, float, float, float, float] | None) -> None:
        slot, scale, log2u, floor, rarest = adjustment or (-1, 0.0, 0.0, 0.0, 0.0)
        self.weights.append(weight)
        self.tf_slot.append(slot)
        self.tf_scale.append(scale)
        self.tf_log2u.append(log2u)
        self.tf_floor.append(floor)
        self.most.append(weight + max(0.0, scale * (log2u - max(rarest, floor))))


def _log2(probability: float) -> float:
    return math.log2(max(probability, SMALLEST_PROBABILITY))


def _check_sizes(model: LinkageModel) -> None:
    if len(model.vetoes) > MAXIMUM_VETOES:
        raise RuleFileError(f"{model.name}: {len(model.vetoes)} vetoes, at most {MAXIMUM_VETOES} can be weighed")
    for comparison in model.comparisons:
        if len(comparison.levels) >= OUTCOMES:
            raise RuleFileError(f"{model.name}: {comparison.name} has {len(comparison.levels)} levels, at most 33")


def compile_program(model: LinkageModel, layout: Layout, frequencies: FrequencyTable) -> Program:
    """Compile a trained model for rows of `layout`. Raises UntrainedLevelError naming every level without
    m and u, RuleFileError where the model is too large."""
    missing = untrained_levels(model)
    if missing or model.parameters is None:
        raise UntrainedLevelError(f"{model.name} has untrained levels: {', '.join(missing)}; run: mpi rules train")
    _check_sizes(model)
    assembler = _Assembler(model, layout)
    for comparison in model.comparisons:
        assembler.add(comparison)
    table = _LevelTable([], [], [], [], [], [])
    base: list[int] = []
    best: list[float] = []
    for comparison in model.comparisons:
        base.append(len(table.weights))
        table.add(0.0, None)
        for level in sorted(comparison.levels, key=lambda each: comparison.code_of(each.label)):
            if not level.is_null:
                probabilities = model.parameters.levels[comparison.name, level.label]
                weight = _log2(probabilities.m) - _log2(probabilities.u)
                table.add(weight, _adjustment(model, comparison, level, layout, frequencies))
        best.append(max(table.most[base[-1] :]))
    base.append(len(table.weights))
    ceiling = np.concatenate([np.cumsum(best[::-1])[::-1], [0.0]])
    return Program(
        tests=np.array(
            [(each.opcode, *each.slots, int(each.parameter), *each.screen) for each in assembler.tests], dtype=np.int32
        ),
        first_test=np.array(assembler.first_test, dtype=np.int32),
        thresholds=np.array([each.parameter for each in assembler.tests], dtype=np.float64),
        instructions=np.array(assembler.instructions, dtype=np.int32),
        starts=np.array(assembler.starts, dtype=np.int32),
        stops=np.array(assembler.stops, dtype=np.int32),
        base=np.array(base, dtype=np.int32),
        weights=np.array(table.weights),
        tf_slot=np.array(table.tf_slot, dtype=np.int32),
        tf_scale=np.array(table.tf_scale),
        tf_log2u=np.array(table.tf_log2u),
        tf_floor=np.array(table.tf_floor),
        tf_log2=frequencies.log2,
        vetoes=_vetoes_left(model),
        effects=np.array([_EFFECTS[veto.effect] for veto in model.vetoes], dtype=np.uint8),
        ceiling=ceiling,
    )


def _adjustment(
    model: LinkageModel, comparison: Comparison, level: Level, layout: Layout, frequencies: FrequencyTable
) -> tuple[int, float, float, float, float] | None:
    """Slot, scale, log2 of the reference u, log2 floor and log2 of the rarest frequency of a level's adjustment."""
    if level.tf_column is None or model.parameters is None:
        return None
    reference = model.parameters.levels[comparison.name, comparison.tf_reference or level.label]
    slot = layout.offset(level.tf_column, Representation.FREQUENCY) // _UNITS[Representation.FREQUENCY]
    floor = math.log2(level.tf_minimum) if level.tf_minimum > 0 else -math.inf
    first = frequencies.first[level.tf_column]
    rarest = float(np.min(frequencies.log2[first : first + 1 + len(frequencies.hashes[level.tf_column])]))
    return slot, level.tf_weight, _log2(reference.u), floor, rarest


def _vetoes_left(model: LinkageModel) -> NDArray[np.uint64]:
    """The vetoes that each level entry leaves standing, as bits: those that name its label or not its comparison."""
    entries: list[int] = []
    for comparison in model.comparisons:
        by_code = sorted((comparison.code_of(level.label), level.label) for level in comparison.levels)
        labels = [label for code, label in by_code if code >= 0]
        nothing = [label for code, label in by_code if code < 0]
        for possible in (nothing, *([label] for label in labels)):
            left = 0
            for bit, veto in enumerate(model.vetoes):
                allowed = dict(veto.when).get(comparison.name)
                if allowed is None or any(label in allowed for label in possible):
                    left |= 1 << bit
            entries.append(left)
    return np.array(entries, dtype=np.uint64)


def column_kinds(model: LinkageModel, layout: Layout) -> dict[str, ColumnKind]:
    """The standard columns that a layout reads, with their kinds."""
    return {column: model.columns[column] for column, _ in layout.offsets}
