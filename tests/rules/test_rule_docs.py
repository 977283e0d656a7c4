"""docs/rule-files.md speaks of every key, level kind and standardiser, and its example loads."""

import json
import re
from pathlib import Path

from mpi.domain.model import VetoEffect
from mpi.matching.features import layout_of
from mpi.matching.levels import LEVEL_KINDS
from mpi.rules.cases import CASES, load_cases
from mpi.rules.load import load_model
from mpi.rules.schema import SELF, schema_text
from mpi.standardise.record import STANDARDISERS

TEXT = (Path(__file__).parents[2] / "docs" / "rule-files.md").read_text(encoding="utf-8")
ROWS = {
    row[0]: row
    for row in (
        [cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("| `")
    )
}


def words_of(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def test_every_key_is_documented() -> None:
    schema = json.loads(schema_text())
    shapes = [schema, *(each for name, each in schema["$defs"].items() if name != "Condition")]
    keys = {key for shape in shapes for key in shape["properties"]}
    assert len(keys) > 25
    assert {key for key in keys if not re.search(rf"`{key}\b", TEXT)} == set()
    assert {effect for effect in VetoEffect if f"`{effect}`" not in ROWS} == set()


def test_every_level_kind_has_a_row_with_its_columns_and_bounds() -> None:
    for name, kind in LEVEL_KINDS.items():
        _, columns, parameter, _ = ROWS[f"`{name}`"]
        if name != "null":
            assert all(each in columns for each in kind.columns[0]), name
        if kind.parameter is None:
            assert parameter == "", name
        else:
            assert f"{kind.parameter.minimum:,.10g} to {kind.parameter.maximum:,.10g}" in parameter, name
            assert ("default" in parameter) == (kind.parameter.default is not None), name


def test_every_standardiser_has_a_row_with_its_inputs_and_outputs() -> None:
    for name, standardiser in STANDARDISERS.items():
        _, inputs, outputs = ROWS[f"`{name}`"]
        assert words_of(inputs) == set(standardiser.inputs), name
        assert words_of(outputs) == {output.name or SELF for output in standardiser.outputs}, name


def test_the_example_and_its_cases_load(tmp_path: Path) -> None:
    rules, cases = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    folder = tmp_path / "people" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    (folder / CASES).write_text(cases, encoding="utf-8")
    model = load_model(folder, trained=False)
    assert layout_of(model).width > 0
    assert len(load_cases(folder, model)) == 2
