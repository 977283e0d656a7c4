"""Any sound model, written as a rule file in any of the forms that a condition has, is read as that model."""

import json
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mpi.domain.model import (
    AllOf,
    AnyOf,
    BlockingRule,
    Comparison,
    Condition,
    FieldRule,
    FrequencyCap,
    Level,
    LinkageModel,
    Predicate,
    SurvivorshipRule,
    Thresholds,
    Veto,
    VetoEffect,
)
from mpi.domain.records import ColumnKind
from mpi.matching.features import layout_of
from mpi.matching.levels import LEVEL_KINDS, LevelKind, Representation
from mpi.rules.load import digest_of, load_model

COLUMNS = {
    "name": ColumnKind.TEXT,
    "town": ColumnKind.TEXT,
    "birth": ColumnKind.TEXT,
    "birth_year": ColumnKind.INTEGER,
    "birth_month": ColumnKind.INTEGER,
    "birth_day": ColumnKind.INTEGER,
    "birth_swapped": ColumnKind.TEXT,
    "phone": ColumnKind.TEXTS,
}
names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
some_columns = st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=3, unique=True).map(tuple)
thresholds = st.floats(-50, 50)


def reads_characters(kind: LevelKind) -> bool:
    return kind.name == "syllable_edit" or any(each is Representation.BYTES for _, each in kind.opcodes.values())


@st.composite
def predicates(draw: st.DrawFn, width: int) -> tuple[Condition, Any]:
    """A predicate, and one of the ways to write it."""
    kind = LEVEL_KINDS[draw(st.sampled_from(sorted(LEVEL_KINDS)))]
    columns: list[str] = []
    for accepted in kind.columns:
        fitting = [name for name, each in COLUMNS.items() if each in accepted and name not in columns]
        columns.append(draw(st.sampled_from(["name", "town"] if reads_characters(kind) else fitting)))
    parameter, spec = None, kind.parameter
    if spec is not None:
        most = min(spec.maximum, width) if kind.name == "prefix" else spec.maximum
        parameter = float(
            draw(st.integers(int(spec.minimum), int(most)) if spec.whole else st.floats(spec.minimum, most))
        )
    predicate = Predicate(kind.name, tuple(columns), parameter)
    forms: list[Any] = []
    if spec is None or parameter == spec.default:
        forms = [columns, *columns] if len(columns) == 1 else [columns]
    body = {} if parameter is None else {"parameter": int(parameter) if parameter.is_integer() else parameter}
    forms.append({"columns": columns, **body})
    if len(columns) == 1:
        forms.append({"column": columns[0], **body})
    return predicate, {kind.name: draw(st.sampled_from(forms))}


def conditions(width: int) -> st.SearchStrategy[tuple[Condition, Any]]:
    """A condition and how it is written."""

    def several(inner: st.SearchStrategy[tuple[Condition, Any]]) -> st.SearchStrategy[tuple[Condition, Any]]:
        lists = st.lists(inner, min_size=1, max_size=3)
        either = lists.map(lambda found: (AnyOf(tuple(a for a, _ in found)), {"any": [b for _, b in found]}))
        both = lists.map(lambda found: (AllOf(tuple(a for a, _ in found)), {"all": [b for _, b in found]}))
        return either | both

    return st.recursive(predicates(width), several, max_leaves=4)


@st.composite
def comparisons(draw: st.DrawFn, name: str, width: int) -> tuple[Comparison, Any]:
    """A comparison and how it is written."""
    labels = draw(st.lists(names, min_size=3, max_size=6, unique=True))
    found = draw(
        st.lists(conditions(width), min_size=len(labels) - 1, max_size=len(labels) - 1, unique_by=lambda each: each[0])
    )
    levels: list[Level] = []
    written: list[dict[str, Any]] = []
    has_null = draw(st.booleans())
    for place, (label, (condition, when)) in enumerate(zip(labels, found, strict=False)):
        is_null = has_null and place == 0
        column = None if is_null else draw(st.none() | st.sampled_from(["name", "birth", "birth_swapped"]))
        weight, minimum = draw(st.floats(0, 10, exclude_min=True)), draw(st.floats(0, 1, exclude_max=True))
        row: dict[str, Any] = {"label": label, "when": when, **({"is_null": True} if is_null else {})}
        if column is None:
            levels.append(Level(label, condition, is_null))
        else:
            levels.append(Level(label, condition, False, tf_column=column, tf_weight=weight, tf_minimum=minimum))
            row["term_frequency"] = {"column": column, "weight": weight, "minimum": minimum}
        written.append(row)
    adjusted = [level.label for level in levels if level.tf_column]
    reference = draw(st.none() | st.sampled_from(adjusted)) if adjusted else None
    whole = {"name": name, "levels": [*written, {"label": labels[-1], "else": True}]}
    if reference is not None:
        whole["tf_reference"] = reference
    return Comparison(name, (*levels, Level(labels[-1], None)), reference), whole


@st.composite
def rule_files(draw: st.DrawFn) -> tuple[LinkageModel, dict[str, Any]]:
    """A model without its digest, and the values of its rule file."""
    width = draw(st.integers(1, 64))
    pairs = [draw(comparisons(name, width)) for name in draw(st.lists(names, min_size=1, max_size=3, unique=True))]
    blocking = [
        BlockingRule(f"rule {place}", columns, (), draw(st.integers(2, 1000)))
        for place, columns in enumerate(draw(st.lists(some_columns, min_size=1, max_size=3, unique_by=frozenset)))
    ]
    first = pairs[0][0]
    veto = Veto(draw(names), draw(st.sampled_from(VetoEffect)), ((first.name, frozenset({first.levels[0].label})),))
    cap = FrequencyCap("phone", ("name", "birth_year"), draw(st.integers(1, 50)))
    review, link = sorted((draw(thresholds), draw(thresholds)))
    survivorship = SurvivorshipRule("born", ("frequent", "recent"))
    trust = draw(st.dictionaries(names, st.integers(1, 9), max_size=3))
    fields = (
        FieldRule("name", "text", {"value": "full_name"}, {"name": width}),
        FieldRule("town", "token", {"value": "town"}, {"town": width}),
        FieldRule("birth", "date", {"value": "born"}),
        FieldRule("phone", "vn_phone", {"phone": "phone"}),
    )
    model = LinkageModel(
        family="people",
        version="1.0.0",
        digest="",
        columns=COLUMNS,
        fields=fields,
        blocking=tuple(blocking),
        comparisons=tuple(comparison for comparison, _ in pairs),
        vetoes=(veto,),
        frequency_caps=(cap,),
        thresholds=Thresholds(link, review, 0.0),
        survivorship=(survivorship,),
        trust=trust,
        parameters=None,
        term_frequencies={},
    )
    values = {
        "family": "people",
        "version": "1.0.0",
        "status": "experimental",
        "description": draw(names),
        "fields": [
            {"prefix": each.prefix, "standardiser": each.standardiser, "inputs": dict(each.inputs)}
            | ({"widths": {"self": width}} if each.widths else {})
            for each in fields
        ],
        "comparisons": [whole for _, whole in pairs],
        "blocking": [{"name": each.name, "columns": list(each.columns), "limit": each.limit} for each in blocking],
        "vetoes": [{"name": veto.name, "effect": str(veto.effect), "when": {first.name: [first.levels[0].label]}}],
        "frequency_caps": [{"column": cap.column, "per": list(cap.per), "limit": cap.limit}],
        "thresholds": {"link": link, "review": review, "margin": 0},
        "trust": trust,
        "survivorship": [{"field": "born", "prefer": ["frequent", "recent"]}],
    }
    return model, values


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule_files(), st.booleans())
def test_a_written_model_is_read_as_it_was(drawn: tuple[LinkageModel, dict[str, Any]], as_json: bool) -> None:
    model, values = drawn
    if as_json:
        text = json.dumps(values, ensure_ascii=False)
    else:
        stream = StringIO()
        yaml = YAML(typ="safe")
        yaml.allow_unicode = True
        yaml.dump(values, stream)
        text = stream.getvalue()
    with TemporaryDirectory() as place:
        folder = Path(place) / "people" / "1.0.0"
        folder.mkdir(parents=True)
        (folder / "rules.yaml").write_text(text, encoding="utf-8")
        loaded = load_model(folder, trained=False)
    assert loaded.digest == digest_of({"rules.yaml": text.encode()})
    for part in LinkageModel.__slots__:
        if part != "digest":
            assert getattr(loaded, part) == getattr(model, part), part
    assert layout_of(loaded).width % 8 == 0
