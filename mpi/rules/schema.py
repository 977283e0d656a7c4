"""The shape of rule files as pydantic models, and the JSON Schema made from them.

Shapes know types and bounds only: names are checked in `checks.py`, conditions in `conditions.py`.
The schema is kept by `python -m mpi.rules.schema --check|--write`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from mpi.domain.model import VetoEffect
from mpi.matching.features import MAXIMUM_WIDTH
from mpi.matching.levels import LEVEL_KINDS, LevelKind
from mpi.rules.documents import Location, Problems, unknown

MAXIMUM_LEVELS = 31
"""Levels of one comparison: the kernel's veto masks hold 32 level codes."""

SELF = "self"
"""How `widths` writes the output that has no name of its own."""

_NAME = r"^\S([^\t\n\r\x85\u2028\u2029\ufeff]*\S)?$"  # YAML and JSON disagree about what some of these are
_IDENTIFIER = r"^[a-z][a-z0-9_]*$"
_VERSION = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$"
_PATTERNS = {
    _NAME: "should be one line without spaces at its ends",
    _IDENTIFIER: "should be a lower-case word such as birth_year",
    _VERSION: "should be three numbers such as 1.0.0",
}

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NAME)]
Identifier = Annotated[str, StringConstraints(max_length=60, pattern=_IDENTIFIER)]
Version = Annotated[str, StringConstraints(max_length=30, pattern=_VERSION)]
Names = Annotated[tuple[Identifier, ...], Field(min_length=1)]
Preference = Literal["trusted", "recent", "frequent", "longest"]
Effect = Literal["forbid", "hold", "apart"]
assert set(VetoEffect) == {"forbid", "hold", "apart"}


def _bounds(kind: LevelKind) -> dict[str, Any]:
    spec = kind.parameter
    if spec is None:
        return {}
    number = {
        "type": "integer" if spec.whole else "number",
        "minimum": spec.minimum,
        "maximum": spec.maximum,
        "description": spec.meaning,
    }
    return {"parameter": number | ({} if spec.default is None else {"default": spec.default})}


def _kind_schema(kind: LevelKind) -> dict[str, Any]:
    count = len(kind.columns)
    several = {"type": "array", "items": {"type": "string"}, "minItems": count, "maxItems": count}
    whole: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"columns": several, **({"column": {"type": "string"}} if count == 1 else {}), **_bounds(kind)},
        "maxProperties": 1 if kind.parameter is None else 2,
    }
    if kind.parameter is not None and kind.parameter.default is None:
        return {"description": kind.words, **whole, "required": ["parameter"]}
    return {"description": kind.words, "anyOf": [*([{"type": "string"}] if count == 1 else []), several, whole]}


def condition_schema() -> dict[str, Any]:
    """JSON Schema of a condition: one level kind of the closed table, or `all`/`any` of conditions."""
    nested = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Condition"}}
    return {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            "all": {"description": "every condition holds", **nested},
            "any": {"description": "one condition holds", **nested},
            **{name: _kind_schema(kind) for name, kind in LEVEL_KINDS.items()},
        },
    }


class Shape(BaseModel):
    """Base of every shape: frozen, strict, and an unknown key is told with the keys there are."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            keys = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in keys:
                    raise PydanticCustomError(
                        "unknown_key", "{words}", {"key": key, "words": unknown("key", key, keys)}
                    )
        return data


class FieldShape(Shape):
    """One standardiser over raw columns; its outputs become the standard columns `prefix_output`."""

    prefix: Identifier
    standardiser: Name
    inputs: Annotated[Mapping[str, Name], Field(min_length=1)]
    widths: Mapping[str, Annotated[int, Field(ge=1, le=MAXIMUM_WIDTH)]] = {}


class TermFrequencyShape(Shape):
    """Term frequency adjustment of one level."""

    column: Identifier
    weight: Annotated[float, Field(gt=0, le=10)] = 1.0
    minimum: Annotated[float, Field(ge=0, lt=1)] = 0.0


class LevelShape(Shape):
    """One comparison level: `when` a condition holds (read in `conditions.py`), or `else`."""

    label: Name
    is_null: bool = False
    when: Any = None
    otherwise: Literal[True] | None = Field(default=None, alias="else")
    term_frequency: TermFrequencyShape | None = None


class ComparisonShape(Shape):
    """An ordered choice of levels: the first that holds counts."""

    name: Name
    tf_reference: Name | None = None
    levels: Annotated[tuple[LevelShape, ...], Field(min_length=2, max_length=MAXIMUM_LEVELS)]


class BlockingShape(Shape):
    """Records equal on every column become candidate pairs."""

    name: Name
    columns: Names
    refine: tuple[Identifier, ...] = ()
    limit: Annotated[int, Field(ge=2, le=1_000_000)] = 200


class VetoShape(Shape):
    """Evidence that outweighs any match weight: level labels by comparison."""

    name: Name
    effect: Effect
    when: Annotated[Mapping[str, Annotated[tuple[Name, ...], Field(min_length=1)]], Field(min_length=1)]


class FrequencyCapShape(Shape):
    """A value shared by more than `limit` different `per` combinations is evidence of nothing."""

    column: Identifier
    per: Names
    limit: Annotated[int, Field(ge=1, le=1_000_000)]


class ThresholdsShape(Shape):
    """Match weights in bits."""

    link: float
    review: float
    margin: Annotated[float, Field(ge=0)]


class SurvivorshipShape(Shape):
    """Which value of one raw column a golden record shows."""

    field: Name
    prefer: Annotated[tuple[Preference, ...], Field(min_length=1)]


class RuleFile(Shape):
    """rules.yaml: one version of one rule family."""

    family: Identifier
    version: Version
    status: Literal["experimental", "released"]
    description: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    required_columns: tuple[Name, ...] = ()
    fields: Annotated[tuple[FieldShape, ...], Field(min_length=1)]
    comparisons: Annotated[tuple[ComparisonShape, ...], Field(min_length=1, max_length=64)]
    blocking: Annotated[tuple[BlockingShape, ...], Field(min_length=1, max_length=64)]
    vetoes: tuple[VetoShape, ...] = ()
    frequency_caps: tuple[FrequencyCapShape, ...] = ()
    thresholds: ThresholdsShape
    trust: Mapping[Name, Annotated[int, Field(ge=1, le=100)]] = {}
    survivorship: tuple[SurvivorshipShape, ...] = ()


def add_shape_problems(error: ValidationError, problems: Problems, base: Location = ()) -> None:
    """Note what pydantic found in the value at `base`, in the words of the other messages."""
    details = error.errors(include_url=False)
    for detail in details:
        where: Location = (*base, *detail["loc"])
        if detail["type"] == "unknown_key":
            problems.add((*where, detail["ctx"]["key"]), detail["msg"], shown=where)
        elif detail["type"] == "missing":
            problems.add(where, "is required")
        elif detail["type"] != "too_short" or len(detail["input"]) < detail["ctx"]["min_length"]:
            # a list is also called too short when one of its items is wrong, and that one is told
            problems.add(where, _words(detail["type"], detail["msg"], detail["input"], detail.get("ctx", {})))


def _words(kind: str, message: str, given: Any, context: Mapping[str, Any]) -> str:
    if kind == "string_pattern_mismatch":
        message = _PATTERNS[context["pattern"]]
    message = message.removeprefix("Input ").replace(" after validation", "")
    message = message[:1].lower() + message[1:]
    if isinstance(given, dict | tuple):
        return message
    value = repr(given)
    return f"{message}, not {value if len(value) <= 60 else value[:57] + '...'}"


def schema_text() -> str:
    """The JSON Schema of rules.yaml as it is kept in linkage_rules/rules.schema.json."""
    schema = RuleFile.model_json_schema(by_alias=True)
    schema["$defs"]["Condition"] = condition_schema()
    schema["$defs"]["LevelShape"]["properties"]["when"] = {"$ref": "#/$defs/Condition"}
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(whole, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: list[str], path: Path) -> int:
    """`--check` says whether the schema file is current, `--write` makes it so. Gives the exit code."""
    text = schema_text()
    if arguments == ["--write"]:
        path.write_text(text, encoding="utf-8")
        return 0
    if arguments != ["--check"]:
        sys.stderr.write("usage: python -m mpi.rules.schema --check|--write\n")
        return 2
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{path} is out of date; run: python -m mpi.rules.schema --write\n")
    return 1


if __name__ == "__main__":
    from mpi.rules.folders import default_root

    sys.exit(main(sys.argv[1:], default_root() / "rules.schema.json"))
