"""Conditions of comparison levels: from what stands in the file to predicates of the closed table of level kinds.

Everything that is wrong with a condition is found here, so that compiling a program never fails on one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpi.domain.model import AllOf, AnyOf, Condition, Predicate
from mpi.domain.records import ColumnKind
from mpi.matching.levels import LEVEL_KINDS, LevelKind, ParameterSpec, Representation
from mpi.rules.documents import Location, Problems, unknown

_BODY_KEYS = ("column", "columns", "parameter")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


@dataclass(frozen=True, slots=True)
class ConditionReader:
    """Reads conditions against the standard columns and the widths that the file declares."""

    columns: Mapping[str, ColumnKind]
    widths: Mapping[str, int]
    problems: Problems

    def read(self, raw: Any, where: Location) -> Condition | None:
        """The condition at `where`, or None after its problems were noted."""
        if not isinstance(raw, dict) or len(raw) != 1:
            self.problems.add(where, "should be one condition, such as {exact: column} or {any: [...]}")
            return None
        ((name, body),) = raw.items()
        here = (*where, name)
        if name in ("all", "any"):
            return self._several(name, body, here)
        if name not in LEVEL_KINDS:
            self.problems.add(here, unknown_kind(name), shown=where)
            return None
        return self._predicate(LEVEL_KINDS[name], body, here)

    def _several(self, name: str, body: Any, where: Location) -> Condition | None:
        if not isinstance(body, tuple) or not body:
            self.problems.add(where, "should be a list of conditions")
            return None
        found = [self.read(each, (*where, index)) for index, each in enumerate(body)]
        conditions = tuple(each for each in found if each is not None)
        return AnyOf(conditions) if name == "any" else AllOf(conditions)

    def _predicate(self, kind: LevelKind, body: Any, where: Location) -> Predicate | None:
        raw_columns, place = body, where
        given: Any = None
        if isinstance(body, dict):
            for key in body:
                if key not in _BODY_KEYS:
                    self.problems.add((*where, key), unknown("key", key, _BODY_KEYS), shown=where)
                    return None
            if ("column" in body) == ("columns" in body):
                self.problems.add(where, "should have either column or columns")
                return None
            name = "column" if "column" in body else "columns"
            raw_columns, place, given = body[name], (*where, name), body.get("parameter")
            if "parameter" in body and given is None:
                self.problems.add((*where, "parameter"), "should be a number")
                return None
        columns = self._columns(kind, raw_columns, place)
        parameter = self._parameter(kind, given, (*where, "parameter") if given is not None else where)
        if columns is None:
            return None
        if kind.name == "prefix" and parameter is not None and parameter > self.widths.get(columns[0], 64):
            self.problems.add(where, f"is longer than the width of {columns[0]}, {self.widths[columns[0]]}")
        return Predicate(kind.name, columns, parameter)

    def _columns(self, kind: LevelKind, raw: Any, where: Location) -> tuple[str, ...] | None:
        names = (raw,) if isinstance(raw, str) else raw
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            self.problems.add(where, "should be a standard column or a list of them")
            return None
        if len(names) != len(kind.columns):
            self.problems.add(where, f"{kind.name} reads {_counted(len(kind.columns), 'column')}, not {len(names)}")
            return None
        if len(set(names)) < len(names):
            self.problems.add(where, f"{kind.name} should read different columns")
            return None
        sound = [
            self._column(kind, position, name, where if isinstance(raw, str) else (*where, position))
            for position, name in enumerate(names)
        ]
        return names if all(sound) else None

    def _column(self, kind: LevelKind, position: int, name: str, where: Location) -> bool:
        if name not in self.columns:
            self.problems.add_unknown(where, "column", name, self.columns)
            return False
        column_kind = self.columns[name]
        accepted = kind.columns[position]
        if column_kind not in accepted:
            wanted = " or ".join(sorted(accepted))
            self.problems.add(where, f"{kind.name} reads a column of kind {wanted}; {name} is {column_kind.value}")
            return False
        _, representation = kind.opcodes[column_kind]
        if (representation is Representation.BYTES or kind.name == "syllable_edit") and name not in self.widths:
            self.problems.add(where, f"{kind.name} compares characters: the field of {name} should declare its width")
            return False
        return True

    def _parameter(self, kind: LevelKind, given: Any, where: Location) -> float | None:
        spec = kind.parameter
        if spec is None:
            if given is not None:
                self.problems.add(where, f"{kind.name} takes no parameter")
            return None
        if given is None:
            if spec.default is None:
                self.problems.add(where, f"{kind.name} needs a parameter: {_described(spec)}")
            return spec.default
        if isinstance(given, bool) or not isinstance(given, int | float):
            self.problems.add(where, f"should be a number: {_described(spec)}")
        elif not spec.minimum <= given <= spec.maximum or (spec.whole and given != int(given)):
            self.problems.add(where, f"{given} is out of bounds: {_described(spec)}")
        else:
            return float(given)
        return None


def unknown_kind(name: str) -> str:
    """Words for a level kind that does not exist."""
    return unknown("level kind", name, [*LEVEL_KINDS, "all", "any"])


def _described(spec: ParameterSpec) -> str:
    number = "a whole number" if spec.whole else "a number"
    return f"{spec.meaning}, {number} from {spec.minimum:,.10g} to {spec.maximum:,.10g}"
