"""The mapping file (`--map FILE.yaml`): how a source system's own columns become the canonical ones.

A bad file is refused with file, line, field and what would be right.
"""

import codecs
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mpi.domain.errors import InvalidInputError

SYSTEM_NAME = r"^[a-z][a-z0-9_]{0,31}$"
"""What the name of a source system looks like."""

_MOST_BYTES = 1 << 20
_ColumnName = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]
_Strict = ConfigDict(extra="forbid", frozen=True, strict=True)


class Concatenation(BaseModel):
    """Several columns as one text; missing parts are left out, and the separator with them."""

    model_config = _Strict

    concat: tuple[_ColumnName, ...] = Field(min_length=2, strict=False)
    separator: str = " "


class SourceMapping(BaseModel):
    """How the files of one source system are read. Canonical columns that are not named keep their own name.

    `constants` gives columns that the files lack one value for every row.
    """

    model_config = _Strict

    encoding: str = "utf-8"
    delimiter: str | None = None
    columns: dict[_ColumnName, _ColumnName | Concatenation] = Field(default_factory=dict)
    constants: dict[_ColumnName, str] = Field(default_factory=dict)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            if "a,b\n".encode(encoding).decode(encoding) == "a,b\n":
                return codecs.lookup(encoding).name
        except (LookupError, UnicodeError, ValueError):
            pass
        raise ValueError(f"{encoding!r} is not an encoding; utf-8, cp1252, cp1258 and utf-16 are usual")

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
            raise ValueError("a delimiter is one ASCII character, such as ',' ';' '|' or \"\\t\"")
        return delimiter

    def parts_of(self, column: str) -> tuple[str, ...]:
        """The file's columns that make a canonical column; none where a constant stands for it."""
        named = self.columns.get(column)
        if named is None:
            return () if column in self.constants else (column,)
        return named.concat if isinstance(named, Concatenation) else (named,)

    def separator_of(self, column: str) -> str:
        """What stands between the parts of a canonical column."""
        named = self.columns.get(column)
        return named.separator if isinstance(named, Concatenation) else ""


class MappingFile(BaseModel):
    """The whole file: one mapping a source system."""

    model_config = _Strict

    sources: dict[Annotated[str, StringConstraints(strict=True, pattern=SYSTEM_NAME)], SourceMapping]


def load_mapping(path: str | Path, columns: Sequence[str]) -> dict[str, SourceMapping]:
    """Read a mapping file; `columns` are the canonical columns that it may map to.

    Raises InvalidInputError, one line naming file, line, field and what would be right.
    """
    try:
        if Path(path).stat().st_size > _MOST_BYTES:
            raise InvalidInputError(f"{path}: is larger than {_MOST_BYTES:,} bytes; a mapping file is wanted")
        text = Path(path).read_bytes().decode("utf-8-sig")
        tree = YAML(typ="rt", pure=True).load(text)
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path}: is not UTF-8 text") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise InvalidInputError(
            f"{path}{line}: is not YAML: {(error.problem or str(error)).splitlines()[0]}"
        ) from error
    except (YAMLError, RecursionError) as error:
        raise InvalidInputError(
            f"{path}: is not YAML: {(str(error).splitlines() or ['nested too deep'])[0]}"
        ) from error
    if not isinstance(tree, CommentedMap):
        raise InvalidInputError(f"{path}, line 1: a mapping file begins with `sources:` and one entry a source system")
    try:
        mapping = MappingFile.model_validate(tree)
    except ValidationError as error:
        raise _refusal(path, tree, error) from error
    for system, source in mapping.sources.items():
        for part, names in (("columns", source.columns), ("constants", source.constants)):
            for name in names:
                where = ("sources", system, part, name)
                if name not in columns:
                    known = f"{suggest(name, columns)}known columns are {', '.join(columns)}"
                    raise _refuse(path, tree, where, f"no such canonical column; {known}")
                if part == "constants" and name in source.columns:
                    raise _refuse(path, tree, where, "is under columns as well; keep one of the two")
    return dict(mapping.sources)


def suggest(name: str, known: Sequence[str]) -> str:
    """ "did you mean X? " for the closest known name, or nothing when none is close."""
    folded = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return f"did you mean {folded[close[0]]}? " if close else ""


def _refusal(path: str | Path, tree: CommentedMap, error: ValidationError) -> InvalidInputError:
    # A field that may be one of two shapes reports both; the deepest report is the one nearest to what was meant.
    problem = max(error.errors(), key=lambda one: len(_inside(tree, one["loc"])))
    # What is left out of the location are the names of shapes, which the file does not have.
    where = [str(key) for key in _inside(tree, problem["loc"])]
    if problem["type"] == "missing":
        where.append(str(problem["loc"][-1]))
    if problem["type"] == "extra_forbidden":
        shape = SourceMapping if len(where) == 3 else Concatenation if len(where) > 3 else MappingFile
        fields = list(shape.model_fields)
        return _refuse(
            path, tree, where, f"no such field; {suggest(where[-1], fields)}known fields are {', '.join(fields)}"
        )
    if "pattern" in problem["type"]:
        return _refuse(
            path, tree, where, "a source system's name is a-z, 0-9 and _, starts with a letter, 32 characters at most"
        )
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "string_type":
        message = "text is wanted; write numbers and dates in quotes"
    return _refuse(path, tree, where, message)


def _refuse(path: str | Path, tree: CommentedMap, where: Sequence[str], message: str) -> InvalidInputError:
    line = _line_of(tree, where)
    return InvalidInputError(f"{path}, line {line}: {'.'.join(where)}: {message}", metadata={"line": str(line)})


def _inside(tree: Any, location: Sequence[int | str]) -> list[int | str]:
    """The part of a location that leads through the tree itself."""
    found: list[int | str] = []
    node = tree
    for key in location:
        if (isinstance(node, CommentedMap) and key in node) or (
            isinstance(node, CommentedSeq) and isinstance(key, int)
        ):
            node = node[key]
            found.append(key)
    return found


def _line_of(tree: CommentedMap, where: Sequence[str]) -> int:
    """The 1-based line of the deepest part of `where` that the file holds."""
    node: Any = tree
    line = 1
    for key in where:
        if isinstance(node, CommentedMap) and key in node:
            line = node.lc.key(key)[0] + 1
            node = node[key]
        elif isinstance(node, CommentedSeq) and key.isdigit() and int(key) < len(node):
            line = node.lc.item(int(key))[0] + 1
            node = node[int(key)]
    return int(line)
