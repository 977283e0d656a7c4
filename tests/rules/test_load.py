"""Rule files that are sound become models; those that are not are refused with file, line and field."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mpi.domain.errors import NotFoundError, RuleFileError, UntrainedLevelError
from mpi.domain.model import AnyOf, FieldRule, FrequencyCap, Predicate, SurvivorshipRule, Thresholds, Veto, VetoEffect
from mpi.domain.records import ColumnKind
from mpi.matching.features import layout_of
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from mpi.rules.load import digest_of, load_model, load_rule_file

HERE = Path(__file__).parent
SOUND = (HERE / "sound_rules.yaml").read_text(encoding="utf-8")
BROKEN = YAML(typ="safe").load(HERE / "broken_rules.yaml")

SHIPPED = [f"{family}@{each}" for family, found in Catalogue(default_root()).versions().items() for each in found]

Family = Callable[[str], Path]


@pytest.fixture
def family(tmp_path: Path) -> Family:
    """Writes rules.yaml of people@1.0.0 and gives its folder."""

    def write(text: str) -> Path:
        folder = tmp_path / "people" / "1.0.0"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rules.yaml").write_text(text, encoding="utf-8")
        return folder

    return write


def refusal(folder: Path) -> str:
    with pytest.raises(RuleFileError) as caught:
        load_model(folder, trained=False)
    return str(caught.value)


def test_a_sound_file_becomes_the_model_that_it_says(family: Family) -> None:
    model = load_model(family(SOUND), trained=False)
    assert model.name == "people@1.0.0"
    assert model.fields[0] == FieldRule("name", "text", {"value": "full_name"}, {"name": 20})
    assert model.columns["phone"] is ColumnKind.TEXTS
    assert model.columns["birth_day"] is ColumnKind.INTEGER
    assert model.widths() == {"name": 20}
    name, birth, phone = model.comparisons
    assert name.tf_reference == "equal"
    assert [level.label for level in name.levels] == ["missing", "equal", "close", "different"]
    assert name.levels[0].is_null
    assert name.levels[0].condition == Predicate("null", ("name",))
    assert (name.levels[1].tf_column, name.levels[1].tf_weight, name.levels[1].tf_minimum) == ("name", 0.5, 0.001)
    assert name.levels[2].condition == AnyOf(
        (Predicate("levenshtein", ("name",), 1.0), Predicate("syllable_edit", ("name",), 2.0))
    )
    assert name.levels[3].condition is None
    assert birth.levels[2].condition == Predicate("date_swapped", ("birth_year", "birth_month", "birth_day"))
    assert phone.levels[0].condition == Predicate("shared", ("phone",), 1.0)
    assert [(rule.columns, rule.refine, rule.limit) for rule in model.blocking] == [
        (("name",), ("birth_year",), 40),
        (("phone",), (), 200),
    ]
    forbidden = (("birth", frozenset({"different"})), ("phone", frozenset({"different"})))
    assert model.vetoes == (Veto("other year", VetoEffect.FORBID, forbidden),)
    assert model.frequency_caps == (FrequencyCap("phone", ("name", "birth_year"), 3),)
    assert model.thresholds == Thresholds(link=9.0, review=2.0, margin=0.0)
    assert model.trust == {"insurance": 1, "hospital": 2}
    assert model.survivorship == (SurvivorshipRule("full_name", ("trusted", "recent")),)
    assert model.parameters is None
    assert layout_of(model).width > 0


def test_a_zero_is_a_value_and_not_an_absence(family: Family) -> None:
    text = SOUND.replace("{exact: name}", "{jaro: {column: name, parameter: 0}}").replace(
        "link: 9.0, review: 2", "link: 0, review: 0"
    )
    model = load_model(family(text), trained=False)
    assert model.comparisons[0].levels[1].condition == Predicate("jaro", ("name",), 0.0)
    assert model.comparisons[1].levels[1].condition == Predicate("difference", ("birth_year",), 0.0)
    assert model.thresholds == Thresholds(link=0.0, review=0.0, margin=0.0)


def test_what_may_be_left_out_may_be_left_out(family: Family) -> None:
    start, end = SOUND.index("vetoes:"), SOUND.index("thresholds:")
    text = SOUND[:start] + SOUND[end : SOUND.index("trust:")]
    model = load_model(family(text.replace("required_columns: [full_name]\n", "")), trained=False)
    assert (model.vetoes, model.frequency_caps, model.trust, model.survivorship) == ((), (), {}, ())


@pytest.mark.parametrize("row", BROKEN, ids=[row["breaks"] for row in BROKEN])
def test_a_broken_file_is_refused_by_line_and_field(family: Family, row: dict[str, str]) -> None:
    old, new = row["old"], row["new"]
    assert old in SOUND
    marked = SOUND.replace(old, new, 1)
    place = marked.index(">>>") if ">>>" in new else SOUND.index(old)
    folder = family(marked.replace(">>>", ""))
    words = refusal(folder)
    assert row["says"] in words
    assert "\n" not in words
    expected = 1 if new == "" else marked.count("\n", 0, place) + 1
    assert words.startswith(f"{folder}/rules.yaml:{expected}: ")


def test_the_first_problem_comes_first_and_the_others_are_counted(family: Family) -> None:
    text = (
        SOUND.replace("review: 2", "review: 20")
        .replace("{exact: name}", "{exakt: name}")
        .replace("[phone]}", "[fone]}")
    )
    words = refusal(family(text))
    assert words.split(":")[1] == "17"
    assert words.endswith(" (and 2 more)")


def test_a_file_that_is_no_text_is_refused(family: Family) -> None:
    folder = family(SOUND)
    (folder / "rules.yaml").write_bytes(SOUND.encode() + b"# \xff\n")
    assert f"{folder}/rules.yaml:{SOUND.count(chr(10)) + 1}: is not UTF-8" in refusal(folder)
    (folder / "rules.yaml").write_bytes(b"")
    assert "is not a mapping" in refusal(folder)
    (folder / "rules.yaml").write_bytes(b"a: \x00b\n")
    assert "is not YAML" in refusal(folder)
    (folder / "rules.yaml").write_bytes(SOUND.encode() + b"---\nfamily: other\n")
    assert "is not YAML" in refusal(folder)
    (folder / "rules.yaml").write_bytes(b"a: " + b"[" * 10_000)
    assert "is nested deeper than 40" in refusal(folder)
    (folder / "rules.yaml").write_bytes(b"#" * 1_000_001)
    assert "is larger than 1000000 bytes" in refusal(folder)
    (folder / "rules.yaml").write_bytes(b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    assert "anchors and aliases are not used" in refusal(folder)


def test_a_byte_order_mark_is_no_matter(family: Family) -> None:
    assert load_model(family("\ufeff" + SOUND), trained=False).name == "people@1.0.0"


def test_a_folder_without_rules_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"rules\.yaml does not exist"):
        load_model(tmp_path, trained=False)


def test_training_is_asked_for_where_it_is_missing(family: Family) -> None:
    with pytest.raises(UntrainedLevelError, match=r"parameters\.json: is missing; people@1\.0\.0 has no training"):
        load_model(family(SOUND))


def test_the_digest_changes_with_every_byte_and_every_name() -> None:
    contents = {"rules.yaml": b"ab", "parameters.json": b"c"}
    digest = digest_of(contents)
    assert digest == digest_of(dict(reversed(contents.items())))
    others = [
        {"rules.yaml": b"aB", "parameters.json": b"c"},
        {"rules.yaml": b"a", "parameters.json": b"bc"},
        {"rules.yaml": b"ab", "parameter.json": b"c"},
        {"rules.yaml": b"ab"},
    ]
    assert len({digest, *map(digest_of, others)}) == 5


def test_a_comment_changes_the_digest(family: Family) -> None:
    digest = load_model(family(SOUND), trained=False).digest
    assert load_model(family(SOUND), trained=False).digest == digest
    assert load_model(family(SOUND + "# a comment\n"), trained=False).digest != digest


@pytest.mark.parametrize(
    "name", [f"{f}@{v}" for f, versions in Catalogue(default_root()).versions().items() for v in versions]
)
def test_every_shipped_rule_file_is_sound(name: str) -> None:
    folder = Catalogue(default_root()).find(name)
    model = load_model(folder, trained=False)
    assert model.name == name
    assert layout_of(model).width > 0
    assert load_rule_file(folder).description


def test_every_level_of_a_released_version_is_trained_and_tried() -> None:
    for folder in map(Catalogue(default_root()).find, SHIPPED):
        if load_rule_file(folder).status == "released":
            assert load_model(folder).parameters is not None
            assert (folder / "cases.yaml").is_file()
