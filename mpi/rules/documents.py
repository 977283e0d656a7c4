"""YAML (and JSON, which is YAML) read as plain values with the line of every key, and the problems found in it.

Mappings are dicts with string keys, sequences are tuples. Anchors, aliases, tags and repeated keys are refused.
"""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from mpi.domain.errors import NotFoundError, RuleFileError

MAXIMUM_BYTES = 1_000_000
"""The largest rule file read."""

MAXIMUM_DEPTH = 40
"""The deepest nesting read."""

Location = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""

_TAG = "tag:yaml.org,2002:"
_NUMBERS = frozenset({f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}null"})
_TEXTS = frozenset({f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}merge"})


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values and the line (from 1) of every key and list item."""

    path: Path
    data: Any
    lines: Mapping[Location, int]

    def line(self, where: Location) -> int:
        """Line of a value, or of the nearest that holds it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)


def field_name(where: Location) -> str:
    """A location as people write it: `comparisons[2].levels[1].when`."""
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def unknown(what: str, given: str, known: Collection[str]) -> str:
    """Words for a name that does not exist, with the nearest one that does. `what` is the singular of what it names."""
    near = difflib.get_close_matches(given, sorted(known), n=1)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    kind = what.split()[-1]
    plural = kind[:-1] + "ies" if kind.endswith("y") and kind != "key" else kind + "s"
    return f"unknown {what} '{given}'{hint} {plural.capitalize()}: {', '.join(sorted(known)) or 'none'}"


class Problems:
    """What is wrong with one document. Checks add to it and go on; `refuse` ends them."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: list[tuple[int, Location, str]] = []

    def add(self, where: Location, message: str, *, shown: Location | None = None) -> None:
        """Note a problem at a location; `shown` names another one to print (the line stays that of `where`)."""
        self._found.append((self._document.line(where), where if shown is None else shown, message))

    def add_unknown(self, where: Location, what: str, given: str, known: Collection[str]) -> None:
        """Note a name that does not exist."""
        self.add(where, unknown(what, given, known))

    def add_duplicates(self, where: Location, what: str, values: Collection[str]) -> None:
        """Note the values of a list that stand in it twice."""
        seen: set[str] = set()
        for index, value in enumerate(values):
            if value in seen:
                self.add((*where, index), f"{what} '{value}' stands here twice")
            seen.add(value)

    def refuse(self) -> None:
        """Raises RuleFileError with the first problem, when there is one."""
        if not self._found:
            return
        line, where, message = min(self._found, key=lambda problem: problem[0])
        more = f" (and {len(self._found) - 1} more)" if len(self._found) > 1 else ""
        name = f" {field_name(where)}:" if where else ""
        raise RuleFileError(f"{self._document.path}:{line}:{name} {message}{more}")


def _refuse(path: Path, line: int, message: str) -> RuleFileError:
    return RuleFileError(f"{path}:{line}: {message}")


def read_bytes(path: Path) -> bytes:
    """Bytes of a rule file. Raises NotFoundError when it is not there and RuleFileError when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} does not exist") from error
    except OSError as error:
        raise RuleFileError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAXIMUM_BYTES:
        raise RuleFileError(f"{path}: is larger than {MAXIMUM_BYTES} bytes")
    return data


def read_document(path: Path, data: bytes, *, as_text: bool = False) -> Document:
    """Read a YAML or JSON file. With `as_text` a value stays as it is written (`0123` keeps its zero) and null is None.

    A document is read once for the same bytes: a model and its required columns stand in one file.
    Raises RuleFileError with file and line.
    """
    return _read(path, data, as_text)


@lru_cache(maxsize=4)
def _read(path: Path, data: bytes, as_text: bool) -> Document:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refuse(path, line, f"is not UTF-8 at byte {error.start}") from error
    try:
        _check_events(path, text)
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise _refuse(path, mark.line + 1 if mark else 1, f"is not YAML: {problem}") from error
    except (YAMLError, ValueError) as error:
        raise _refuse(path, 1, f"is not YAML: {error}") from error
    if not isinstance(node, MappingNode):
        raise _refuse(path, 1, "is not a mapping of keys to values")
    lines: dict[Location, int] = {}
    return Document(path, _Converter(path, lines, as_text).value(node, ()), lines)


def _check_events(path: Path, text: str) -> None:
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise _refuse(path, line, "anchors and aliases are not used in rule files; write the value out")
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > MAXIMUM_DEPTH:
                raise _refuse(path, line, f"is nested deeper than {MAXIMUM_DEPTH}")
        elif isinstance(event, CollectionEndEvent):
            depth -= 1


class _Converter:
    """Nodes to plain values; keys are always their text, so that `null:` is the key "null"."""

    def __init__(self, path: Path, lines: dict[Location, int], as_text: bool) -> None:
        self._path = path
        self._lines = lines
        self._as_text = as_text
        self._scalars = YAML(typ="safe", pure=True).constructor

    def value(self, node: Any, where: Location) -> Any:
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self._lines[*where, index] = item.start_mark.line + 1
            return tuple(self.value(item, (*where, index)) for index, item in enumerate(node.value))
        values: dict[str, Any] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise _refuse(self._path, line, "a key is a plain word")
            name = str(key.value)
            here = (*where, name)
            if name in values:
                raise _refuse(
                    self._path, line, f"{field_name(here)}: stands here twice; first in line {self._lines[here]}"
                )
            self._lines[here] = line
            values[name] = self.value(item, here)
        return values

    def _scalar(self, node: ScalarNode) -> Any:
        line = node.start_mark.line + 1
        if node.tag in _TEXTS or (self._as_text and node.tag in _NUMBERS and not node.tag.endswith("null")):
            return str(node.value)
        if node.tag not in _NUMBERS:
            raise _refuse(self._path, line, f"tag {node.tag} is not used in rule files")
        try:
            return self._scalars.construct_object(node)
        except (YAMLError, ValueError, KeyError) as error:
            kind = node.tag.removeprefix(_TAG)
            raise _refuse(self._path, line, f"'{str(node.value)[:40]}' is not a value of type {kind}") from error
