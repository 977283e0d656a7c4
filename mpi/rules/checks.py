"""From the shape of a rule file to the parts of a LinkageModel; every name that stands for nothing is noted on the way.

The parts of a file with problems are never used: `load.py` refuses it first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mpi.domain.model import (
    BlockingRule,
    Comparison,
    Condition,
    FieldRule,
    FrequencyCap,
    Level,
    SurvivorshipRule,
    Thresholds,
    Veto,
    VetoEffect,
)
from mpi.domain.records import RECORD_COLUMNS, ColumnKind
from mpi.rules.conditions import ConditionReader
from mpi.rules.documents import Location, Problems
from mpi.rules.schema import ComparisonShape, LevelShape, RuleFile


def raw_columns(fields: Iterable[FieldRule]) -> set[str]:
    """The raw columns that fields read."""
    return {column for rule in fields for column in rule.inputs.values()}


def _no_repeats(problems: Problems, what: str, places: Iterable[tuple[Location, object]]) -> None:
    first: dict[object, Location] = {}
    for where, value in places:
        if value in first:
            problems.add(where, f"{what} stands here twice")
        first.setdefault(value, where)


def check_folder(file: RuleFile, family: str, version: str, problems: Problems) -> None:
    """The folder `<family>/<version>` names what the file holds."""
    if file.family != family:
        problems.add(("family",), f"is '{file.family}' but the folder is named '{family}'")
    if file.version != version:
        problems.add(("version",), f"is '{file.version}' but the folder is named '{version}'")


def check_required_columns(file: RuleFile, fields: tuple[FieldRule, ...], problems: Problems) -> None:
    """Required columns are read by a field; source_record_id is required of every family and not named."""
    known = (raw_columns(fields) | set(RECORD_COLUMNS)) - {"source_record_id"}
    problems.add_duplicates(("required_columns",), "column", file.required_columns)
    for index, column in enumerate(file.required_columns):
        where = ("required_columns", index)
        if column == "source_record_id":
            problems.add(where, "source_record_id is always required and is not named here")
        elif column not in known:
            problems.add_unknown(where, "raw column", column, known)


@dataclass(frozen=True, slots=True)
class Checker:
    """Reads the parts of a file that speak of standard columns."""

    columns: Mapping[str, ColumnKind]
    widths: Mapping[str, int]
    problems: Problems

    def comparisons(self, file: RuleFile) -> tuple[Comparison, ...]:
        """Comparisons with their conditions read."""
        names = [(("comparisons", index, "name"), each.name) for index, each in enumerate(file.comparisons)]
        _no_repeats(self.problems, "a comparison of this name", names)
        return tuple(self._comparison(each, ("comparisons", index)) for index, each in enumerate(file.comparisons))

    def _comparison(self, shape: ComparisonShape, where: Location) -> Comparison:
        labels = [((*where, "levels", index, "label"), level.label) for index, level in enumerate(shape.levels)]
        _no_repeats(self.problems, "a level of this label", labels)
        levels = tuple(
            self._level(level, (*where, "levels", index), last=index == len(shape.levels) - 1, first=index == 0)
            for index, level in enumerate(shape.levels)
        )
        if all(level.is_null for level in shape.levels[:-1]):
            self.problems.add((*where, "levels"), "should have a level between the null level and the else level")
        conditions = [((*where, "levels", index, "when"), level.condition) for index, level in enumerate(levels)]
        _no_repeats(self.problems, "the condition of an earlier level", [each for each in conditions if each[1]])
        self._reference(shape, where)
        return Comparison(shape.name, levels, shape.tf_reference)

    def _reference(self, shape: ComparisonShape, where: Location) -> None:
        if shape.tf_reference is None:
            return
        here = (*where, "tf_reference")
        labels = [level.label for level in shape.levels if level.when is not None and not level.is_null]
        if shape.tf_reference not in labels:
            self.problems.add_unknown(here, "level", shape.tf_reference, labels)
        elif all(level.term_frequency is None for level in shape.levels):
            self.problems.add(here, "no level of this comparison has term_frequency")

    def _level(self, shape: LevelShape, where: Location, *, first: bool, last: bool) -> Level:
        condition = self._condition(shape, where, last=last)
        if shape.is_null and not first:
            self.problems.add((*where, "is_null"), "the null level should be one and stand first")
        if shape.term_frequency is None:
            return Level(shape.label, condition, shape.is_null)
        here = (*where, "term_frequency")
        if shape.is_null or shape.when is None:
            self.problems.add(here, "only a level with a condition that is not null is adjusted")
        column = shape.term_frequency.column
        if column not in self.columns:
            self.problems.add_unknown((*here, "column"), "column", column, self.columns)
        elif self.columns[column] is not ColumnKind.TEXT:
            kind = self.columns[column].value
            self.problems.add((*here, "column"), f"frequencies are those of a text column; {column} is {kind}")
        return Level(
            shape.label,
            condition,
            shape.is_null,
            tf_column=column,
            tf_weight=shape.term_frequency.weight,
            tf_minimum=shape.term_frequency.minimum,
        )

    def _condition(self, shape: LevelShape, where: Location, *, last: bool) -> Condition | None:
        if shape.otherwise:
            if shape.when is not None or shape.is_null:
                self.problems.add((*where, "else"), "the else level has no condition and is not null")
            elif not last:
                self.problems.add((*where, "else"), "the else level should stand last")
            return None
        if last:
            self.problems.add(where, "the last level should be the else level: {label: ..., else: true}")
        if shape.when is None:
            self.problems.add(where, "should have a condition: when, or else: true for the last level")
            return None
        reader = ConditionReader(self.columns, self.widths, self.problems)
        return reader.read(shape.when, (*where, "when"))

    def blocking(self, file: RuleFile) -> tuple[BlockingRule, ...]:
        """Blocking rules."""
        where: Location = ("blocking",)
        _no_repeats(
            self.problems,
            "a blocking rule of this name",
            [((*where, index, "name"), each.name) for index, each in enumerate(file.blocking)],
        )
        _no_repeats(
            self.problems,
            "a blocking rule of these columns",
            [((*where, index, "columns"), frozenset(each.columns)) for index, each in enumerate(file.blocking)],
        )
        for index, each in enumerate(file.blocking):
            self._known((*where, index, "columns"), each.columns)
            self._known((*where, index, "refine"), each.refine)
            for position, column in enumerate(each.refine):
                if column in each.columns:
                    self.problems.add((*where, index, "refine", position), f"{column} is one of the columns already")
        return tuple(BlockingRule(each.name, each.columns, each.refine, each.limit) for each in file.blocking)

    def frequency_caps(self, file: RuleFile) -> tuple[FrequencyCap, ...]:
        """Frequency caps, at most one of a column."""
        where: Location = ("frequency_caps",)
        places: list[tuple[Location, object]] = [
            ((*where, index, "column"), each.column) for index, each in enumerate(file.frequency_caps)
        ]
        _no_repeats(self.problems, "a cap of this column", places)
        for index, each in enumerate(file.frequency_caps):
            self._known((*where, index, "column"), (each.column,), listed=False)
            self._known((*where, index, "per"), each.per)
            if each.column in each.per:
                self.problems.add((*where, index, "per"), f"{each.column} is the capped column itself")
        return tuple(FrequencyCap(each.column, each.per, each.limit) for each in file.frequency_caps)

    def _known(self, where: Location, names: tuple[str, ...], *, listed: bool = True) -> None:
        self.problems.add_duplicates(where, "column", names)
        for index, name in enumerate(names):
            if name not in self.columns:
                self.problems.add_unknown((*where, index) if listed else where, "column", name, self.columns)


def read_vetoes(file: RuleFile, problems: Problems) -> tuple[Veto, ...]:
    """Vetoes; their comparisons and labels exist."""
    labels = {each.name: [level.label for level in each.levels] for each in file.comparisons}
    names: list[tuple[Location, object]] = [(("vetoes", i, "name"), each.name) for i, each in enumerate(file.vetoes)]
    _no_repeats(problems, "a veto of this name", names)
    for index, veto in enumerate(file.vetoes):
        for comparison, wanted in veto.when.items():
            where: Location = ("vetoes", index, "when", comparison)
            if comparison not in labels:
                problems.add_unknown(where, "comparison", comparison, labels)
                continue
            problems.add_duplicates(where, "level", wanted)
            for position, label in enumerate(wanted):
                if label not in labels[comparison]:
                    problems.add_unknown((*where, position), f"level of {comparison}", label, labels[comparison])
            if set(wanted) >= set(labels[comparison]):
                problems.add(where, "names every level, so it asks for nothing; leave the comparison out")
    return tuple(
        Veto(each.name, VetoEffect(each.effect), tuple((name, frozenset(wanted)) for name, wanted in each.when.items()))
        for each in file.vetoes
    )


def read_thresholds(file: RuleFile, problems: Problems) -> Thresholds:
    """Thresholds, review not above link."""
    shape = file.thresholds
    if shape.review > shape.link:
        problems.add(("thresholds", "review"), f"{shape.review:g} is above link, {shape.link:g}")
    return Thresholds(shape.link, shape.review, shape.margin)


def read_survivorship(
    file: RuleFile, fields: tuple[FieldRule, ...], problems: Problems
) -> tuple[SurvivorshipRule, ...]:
    """Survivorship rules, at most one of a raw column."""
    known = raw_columns(fields) | set(file.required_columns)
    places: list[tuple[Location, object]] = [
        (("survivorship", index, "field"), each.field) for index, each in enumerate(file.survivorship)
    ]
    _no_repeats(problems, "a rule of this column", places)
    for index, each in enumerate(file.survivorship):
        problems.add_duplicates(("survivorship", index, "prefer"), "preference", each.prefer)
        if each.field not in known:
            problems.add_unknown(("survivorship", index, "field"), "raw column", each.field, known)
    return tuple(SurvivorshipRule(each.field, tuple(each.prefer)) for each in file.survivorship)
