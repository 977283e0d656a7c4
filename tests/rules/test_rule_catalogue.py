"""Which folder a name of a rule family stands for."""

from pathlib import Path

import pytest

from mpi.domain.errors import NotFoundError, RuleFileError
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    statuses = {"1.2.0": "released", "1.9.0": "released", "1.10.0": "experimental", "2.0.0": "[", "draft": "released"}
    for version, status in statuses.items():
        _write(tmp_path / "people" / version, status)
    _write(tmp_path / "births" / "0.9.0", "experimental")
    _write(tmp_path / "births" / "0.10.0", "experimental")
    (tmp_path / "empty" / "1.0.0").mkdir(parents=True)
    (tmp_path / "rules.schema.json").write_text("{}", encoding="utf-8")
    return Catalogue(tmp_path)


def _write(folder: Path, status: str) -> None:
    folder.mkdir(parents=True)
    (folder / "rules.yaml").write_text(f"status: {status}\n", encoding="utf-8")


def test_families_and_versions_newest_first(catalogue: Catalogue) -> None:
    assert catalogue.versions() == {"births": ("0.10.0", "0.9.0"), "people": ("2.0.0", "1.10.0", "1.9.0", "1.2.0")}
    assert Catalogue(catalogue.root / "nowhere").versions() == {}


def test_a_family_is_its_newest_released_version_or_else_its_newest(catalogue: Catalogue) -> None:
    assert catalogue.find("people") == catalogue.root / "people" / "1.9.0"
    assert catalogue.find("births") == catalogue.root / "births" / "0.10.0"
    assert catalogue.find("people@1.10.0") == catalogue.root / "people" / "1.10.0"


def test_a_path_stands_for_itself(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = catalogue.root / "people" / "1.2.0"
    elsewhere = Catalogue(catalogue.root / "nowhere")
    assert elsewhere.find(str(folder)) == folder
    assert elsewhere.find(str(catalogue.root / "people")) == catalogue.root / "people" / "1.9.0"
    assert elsewhere.find(f"{catalogue.root}/people@1.2.0") == folder
    monkeypatch.chdir(catalogue.root)
    assert elsewhere.find("./people").resolve() == catalogue.root / "people" / "1.9.0"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("persons", "unknown rule family 'persons'; there are: births, people"),
        ("empty", "unknown rule family 'empty'"),
        ("", "unknown rule family ''"),
        ("..", "unknown rule family '..'"),
        ("people@3.0.0", "people has no version '3.0.0'; it has: 2.0.0, 1.10.0, 1.9.0, 1.2.0"),
        ("people@1.9", "people has no version '1.9'"),
        ("people@draft", "people has no version 'draft'"),
        ("people@../births/0.9.0", "people has no version '../births/0.9.0'"),
        ("/nowhere/people", "/nowhere/people is no folder of rules: rules.yaml is not in it"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(catalogue: Catalogue, name: str, message: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        catalogue.find(name)
    assert message in str(caught.value)


def test_an_empty_version_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(RuleFileError, match="'people@' names no version"):
        catalogue.find("people@")


def test_the_shipped_families_are_found() -> None:
    assert {"febrl", "vn_person"} <= set(Catalogue(default_root()).versions())
