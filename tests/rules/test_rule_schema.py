"""The JSON Schema is that of the shapes, and covers every level kind."""

import json
from pathlib import Path

import pytest

from mpi.matching.levels import LEVEL_KINDS
from mpi.rules.folders import default_root
from mpi.rules.schema import condition_schema, main, schema_text


def test_the_schema_in_the_repository_is_current() -> None:
    assert (default_root() / "rules.schema.json").read_text(encoding="utf-8") == schema_text()


def test_check_and_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rules.schema.json"
    assert main(["--check"], path) == 1
    assert "run: python -m mpi.rules.schema --write" in capsys.readouterr().err
    assert main(["--write"], path) == 0
    assert main(["--check"], path) == 0
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert main(["--check"], path) == 1
    assert main([], path) == 2


def test_the_schema_knows_every_key_and_refuses_others() -> None:
    schema = json.loads(schema_text())
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {
        "family",
        "version",
        "status",
        "description",
        "fields",
        "comparisons",
        "blocking",
        "thresholds",
    }
    level = schema["$defs"]["LevelShape"]["properties"]
    assert set(level) == {"label", "is_null", "when", "else", "term_frequency"}
    assert level["when"] == {"$ref": "#/$defs/Condition"}
    assert all(each.get("additionalProperties") is False for name, each in schema["$defs"].items())


def test_the_schema_of_a_condition_follows_the_table_of_level_kinds() -> None:
    kinds = condition_schema()["properties"]
    assert set(kinds) == {*LEVEL_KINDS, "all", "any"}
    assert kinds["levenshtein"]["required"] == ["parameter"]
    assert kinds["levenshtein"]["properties"]["parameter"]["maximum"] == 10
    assert kinds["exact"]["anyOf"][0] == {"type": "string"}
    columns = kinds["date_swapped"]["anyOf"][0]
    assert (columns["minItems"], columns["maxItems"]) == (3, 3)
