"""Cases say what the rules must make of pairs; every family's own cases hold."""

from dataclasses import replace
from pathlib import Path

import pytest

from mpi.domain.errors import NotFoundError, RuleFileError, UntrainedLevelError
from mpi.domain.model import LevelParameters, LinkageModel, Parameters, TermFrequencies
from mpi.rules.cases import CASES, Expectation, PairCase, RankCase, load_cases, run_cases
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import PARAMETERS, default_root
from mpi.rules.load import load_model

CATALOGUE = Catalogue(default_root())
SHIPPED = [CATALOGUE.find(f"{family}@{each}") for family, found in CATALOGUE.versions().items() for each in found]
TRIED = [folder for folder in SHIPPED if (folder / CASES).is_file() or (folder / PARAMETERS).is_file()]
SOUND = (Path(__file__).parent / "sound_rules.yaml").read_text(encoding="utf-8")

BITS = {
    ("name", "equal"): 14.0,
    ("name", "close"): 6.0,
    ("name", "different"): -4.0,
    ("birth", "same year"): 6.0,
    ("birth", "swapped"): 5.0,
    ("birth", "different"): -2.0,
    ("phone", "shared"): 12.0,
    ("phone", "different"): -1.0,
}
"""Match weights of the sound rules' levels; with 101 records the prior is log2(0.01 / 0.99), about -6.6 bits."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "people" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "rules.yaml").write_text(SOUND, encoding="utf-8")
    return folder


def with_bits(model: LinkageModel) -> LinkageModel:
    u = 2.0**-14
    levels = {level: LevelParameters(u * 2.0**bits, u) for level, bits in BITS.items()}
    return replace(
        model, parameters=Parameters(2.0, levels, {}), term_frequencies={"name": TermFrequencies("name", {}, u)}
    )


@pytest.fixture
def model(folder: Path) -> LinkageModel:
    return with_bits(load_model(folder, trained=False))


def pair(left: dict[str, str], right: dict[str, str], expect: str, population: int = 101) -> PairCase:
    return PairCase("a pair", left, right, Expectation(expect), population)


ANN = {"full_name": "ann lee", "born": "1980-05-17", "phone": "0913272845"}


@pytest.mark.parametrize(
    ("other", "expect"),
    [
        (ANN, "match"),
        ({**ANN, "full_name": "anne lee"}, "match"),
        ({"full_name": "ann lee", "born": "1980-05-17"}, "match"),
        ({"full_name": "ann lee"}, "review"),
        ({"full_name": "bob"}, "no_match"),
        ({**ANN, "born": "1950-01-01"}, "match"),
        ({**ANN, "born": "1950-01-01", "phone": "0986402175"}, "no_match"),
    ],
)
def test_a_pair_is_what_its_weight_and_vetoes_make_it(model: LinkageModel, other: dict[str, str], expect: str) -> None:
    left = {key: value for key, value in ANN.items() if key != "phone" or "phone" in other}
    (result,) = run_cases(model, [pair(left, other, expect)])
    assert result.passed, result.found
    for wrong in set(Expectation) - {expect}:
        (result,) = run_cases(model, [pair(left, other, wrong)])
        assert not result.passed
        assert result.found.startswith(f"expected {wrong}, found {expect}: ")


def test_the_population_moves_the_prior(model: LinkageModel) -> None:
    alone = {"full_name": "ann lee", "born": "1980"}
    (few, many) = run_cases(model, [pair(alone, alone, "match", 101), pair(alone, alone, "no_match", 1_000_000)])
    assert few.passed, few.found
    assert many.passed, many.found


@pytest.mark.parametrize(("effect", "expect"), [("forbid", "no_match"), ("apart", "no_match"), ("hold", "review")])
def test_what_a_veto_does(folder: Path, effect: str, expect: str) -> None:
    text = SOUND.replace(
        "effect: forbid, when: {birth: [different], phone: [different]}",
        f"effect: {effect}, when: {{birth: [different]}}",
    )
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    model = with_bits(load_model(folder, trained=False))
    (result,) = run_cases(model, [pair(ANN, {**ANN, "born": "1950-01-01"}, expect)])
    assert result.passed, result.found
    assert "vetoes: other year" in result.found


def test_ranks_compare_weights_and_a_veto_ranks_last(model: LinkageModel) -> None:
    near, far = {**ANN, "full_name": "anne lee"}, {**ANN, "full_name": "bob"}
    vetoed = {**ANN, "born": "1950-01-01", "phone": "0986402175"}
    cases = [
        RankCase("a", ANN, near, far),
        RankCase("b", ANN, far, near),
        RankCase("c", ANN, near, near),
        RankCase("d", ANN, {"full_name": "bob"}, vetoed),
    ]
    assert [result.passed for result in run_cases(model, cases)] == [True, False, False, True]


def test_cases_without_training_are_refused(folder: Path) -> None:
    with pytest.raises(UntrainedLevelError, match="name / equal"):
        run_cases(load_model(folder, trained=False), [])


def test_values_are_read_as_they_are_written(folder: Path, model: LinkageModel) -> None:
    zeros = "{name: zeros, left: {phone: 0912, born: 1980-05-17}, right: {full_name: yes, phone: }, expect: review}"
    rank = "{name: rank, base: {town: 1e3}, better: {town: 1}, worse: {town: x}}"
    (folder / CASES).write_text(f"cases: [{zeros}, {rank}]\n", encoding="utf-8")
    first, second = load_cases(folder, model)
    assert first == PairCase(
        "zeros", {"phone": "0912", "born": "1980-05-17"}, {"full_name": "yes"}, Expectation.REVIEW, 1_000_000
    )
    assert second == RankCase("rank", {"town": "1e3"}, {"town": "1"}, {"town": "x"})


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            "{name: a, left: {fone: 1}, right: {town: x}, expect: match}",
            "left.fone: unknown raw column 'fone'; did you",
        ),
        ("{name: a, left: {town: x}, right: {town: x}, expect: same}", "expect: should be 'match', 'review' or"),
        ("{name: a, left: {town: x}, expect: match}", "cases[0].right: is required"),
        ("{name: a, base: {town: x}, better: {town: x}}", "cases[0].worse: is required"),
        ("{name: a, left: {town: x}, right: {}, expect: match}", "cases[0].right: dictionary should have at"),
        ("{name: a, left: {town: x}, right: {town: x}, expect: match, population: 1}", "population: should be"),
        ("{name: a, left: {town: x}, right: {town: x}, expekt: match}", "unknown key 'expekt'; did you mean 'expect'?"),
    ],
)
def test_a_broken_case_is_refused_by_line(folder: Path, model: LinkageModel, case: str, message: str) -> None:
    (folder / CASES).write_text(f"# first line\ncases:\n  - {case}\n", encoding="utf-8")
    with pytest.raises(RuleFileError) as caught:
        load_cases(folder, model)
    assert str(caught.value).startswith(f"{folder / CASES}:3: ")
    assert message in str(caught.value)


def test_a_case_twice_and_no_cases_are_refused(folder: Path, model: LinkageModel) -> None:
    case = "  - {name: a, left: {town: x}, right: {town: x}, expect: match}\n"
    (folder / CASES).write_text("cases:\n" + case + case, encoding="utf-8")
    with pytest.raises(RuleFileError, match=r":3: cases\[1\]\.name: a case of this name"):
        load_cases(folder, model)
    (folder / CASES).write_text("cases: []\n", encoding="utf-8")
    with pytest.raises(RuleFileError, match="at least 1 item"):
        load_cases(folder, model)
    (folder / CASES).unlink()
    with pytest.raises(NotFoundError):
        load_cases(folder, model)


@pytest.mark.parametrize("folder", TRIED, ids=lambda folder: f"{folder.parent.name}@{folder.name}")
def test_the_cases_of_every_trained_family_hold(folder: Path) -> None:
    cases = load_cases(folder, load_model(folder, trained=False))
    assert cases
    if (folder / PARAMETERS).is_file():
        failed = [each for each in run_cases(load_model(folder), cases) if not each.passed]
        assert not failed, "\n".join(f"{each.name}: {each.found}" for each in failed)
