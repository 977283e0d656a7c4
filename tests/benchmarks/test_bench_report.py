"""The report over kept results: real ones of a quick run, in results/."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import report, scenario, tables

RESULTS = Path(__file__).parent / "results"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kept results in a place of their own."""
    for module in (scenario, report):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    shutil.copytree(RESULTS, tmp_path / "quick")
    return tmp_path / "quick"


@pytest.mark.parametrize("name", report.SCENARIOS)
def test_every_row_fills_its_columns(name: str) -> None:
    sections = tables.sections_of(json.loads((RESULTS / f"{name}.json").read_text()))
    assert sections
    for section in sections:
        assert {len(row) for row in section.rows} == {len(section.columns)}, section.title


def test_report_holds_every_scenario_and_its_goals(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["--no-run", "--no-figures"]) == 0
    text = (kept / "report.md").read_text()
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(report.SCENARIOS)
    assert "| febrl4, shipped parameters: pairwise F1 | 1 | at least 0.99 | met |" in text
    assert "GoldenMatch" in capsys.readouterr().out


def test_a_missed_goal_is_named(kept: Path) -> None:
    path = kept / "febrl.json"
    result = json.loads(path.read_text())
    for row in result["data_sets"][3]["rows"]:
        row["f1"] = 0.5
    path.write_text(json.dumps(result))
    report.main(["--no-run", "--no-figures"])
    assert (
        "| febrl4, shipped parameters: pairwise F1 | 0.5 | at least 0.99 | NOT MET |"
        in (kept / "report.md").read_text()
    )


def test_a_tool_that_could_not_run_is_named(kept: Path) -> None:
    path = kept / "accuracy.json"
    result = json.loads(path.read_text())
    result["beside"]["missing"] = {"GoldenMatch": "no network"}
    path.write_text(json.dumps(result))
    report.main(["--no-run", "--no-figures"])
    assert "GoldenMatch could not be run: no network" in (kept / "report.md").read_text()


def test_unknown_scenario_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        report.main(["scorings"])
    assert refused.value.code == 2
    assert "there are: scoring, link, blocking, accuracy, febrl" in capsys.readouterr().err
