"""Mapping files: what is right is read, what is wrong is refused with its line, field and remedy."""

from pathlib import Path

import pytest

from mpi.batch.mapping import Concatenation, SourceMapping, load_mapping
from mpi.domain.errors import InvalidInputError
from mpi.domain.records import CANONICAL_COLUMNS

GOOD = """\
sources:
  hospital:
    encoding: CP1258
    delimiter: ";"
    columns:
      full_name: HO_TEN
      address: {concat: [SO_NHA, DUONG], separator: ", "}
    constants: {ward_code: "00123"}
  school: {}
"""


def load(tmp_path: Path, text: str) -> dict[str, SourceMapping]:
    (tmp_path / "map.yaml").write_text(text, encoding="utf-8")
    return load_mapping(tmp_path / "map.yaml", CANONICAL_COLUMNS)


def test_a_good_file(tmp_path: Path) -> None:
    mappings = load(tmp_path, GOOD)
    assert mappings["school"] == SourceMapping()
    hospital = mappings["hospital"]
    assert (hospital.encoding, hospital.delimiter) == ("cp1258", ";")
    assert hospital.columns["address"] == Concatenation(concat=("SO_NHA", "DUONG"), separator=", ")
    assert [hospital.parts_of(c) for c in ("full_name", "address", "ward_code", "phone")] == [
        ("HO_TEN",),
        ("SO_NHA", "DUONG"),
        (),
        ("phone",),
    ]
    assert hospital.separator_of("address") == ", "
    assert hospital.constants == {"ward_code": "00123"}


BAD = {
    "unknown column": (
        "sources:\n  a:\n    columns:\n      ful_name: X\n",
        4,
        "no such canonical column; did you mean full_name?",
    ),
    "unknown field": (
        "sources:\n  a:\n    encodin: utf-8\n",
        3,
        "sources.a.encodin: no such field; did you mean encoding?",
    ),
    "unknown top": (
        "sources: {}\nsauces: {}\n",
        2,
        "sauces: no such field; did you mean sources?",
    ),
    "unknown in concat": (
        "sources:\n  a:\n    columns:\n      address:\n        concat: [A, B]\n        seperator: x\n",
        6,
        "sources.a.columns.address.seperator: no such field; did you mean separator?",
    ),
    "encoding": (
        "sources:\n  a:\n    encoding: vietnamese\n",
        3,
        "sources.a.encoding: 'vietnamese' is not an encoding",
    ),
    "not a text encoding": (
        "sources:\n  a:\n    encoding: base64\n",
        3,
        "'base64' is not an encoding",
    ),
    "delimiter": (
        "sources:\n  a:\n    delimiter: '::'\n",
        3,
        "sources.a.delimiter: a delimiter is one ASCII character",
    ),
    "number": (
        "sources:\n  a:\n    constants:\n      ward_code: 00123\n",
        4,
        "sources.a.constants.ward_code: text is wanted; write numbers and dates in quotes",
    ),
    "one part": (
        "sources:\n  a:\n    columns:\n      address:\n        concat: [A]\n",
        5,
        "sources.a.columns.address.concat: Tuple should have at least 2",
    ),
    "empty part": (
        "sources:\n  a:\n    columns:\n      address:\n        concat:\n        - A\n        - ''\n",
        7,
        "sources.a.columns.address.concat.1",
    ),
    "system": (
        "sources:\n  Big Hospital: {}\n",
        2,
        "sources.Big Hospital: a source system's name is a-z",
    ),
    "both": (
        "sources:\n  a:\n    columns: {phone: X}\n    constants: {phone: y}\n",
        4,
        "sources.a.constants.phone: is under columns as well",
    ),
    "key like a shape": (
        "sources:\n  strict:\n    columns: {phone: 5}\n",
        3,
        "sources.strict.columns.phone: text is wanted",
    ),
    "no sources": (
        "{}\n",
        1,
        "sources: Field required",
    ),
    "list": (
        "- a\n- b\n",
        1,
        "begins with `sources:`",
    ),
    "empty": (
        "",
        1,
        "begins with `sources:`",
    ),
    "syntax": (
        "sources:\n  a: [1, 2\n  b: 3\n",
        3,
        "is not YAML",
    ),
    "doubled": (
        "sources:\n  a: {}\n  a: {}\n",
        3,
        "is not YAML: found duplicate key",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_line_and_remedy(tmp_path: Path, case: str) -> None:
    text, line, message = BAD[case]
    with pytest.raises(InvalidInputError) as caught:
        load(tmp_path, text)
    assert f"map.yaml, line {line}: " in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"none\.yaml: cannot be read"):
        load_mapping(tmp_path / "none.yaml", CANONICAL_COLUMNS)
    (tmp_path / "map.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match="is not UTF-8 text"):
        load_mapping(tmp_path / "map.yaml", CANONICAL_COLUMNS)
    (tmp_path / "map.yaml").write_bytes(b"a" * 2_000_000)
    with pytest.raises(InvalidInputError, match="is larger than"):
        load_mapping(tmp_path / "map.yaml", CANONICAL_COLUMNS)
    (tmp_path / "map.yaml").write_text("a: " + "[" * 1_000)
    with pytest.raises(InvalidInputError, match="is not YAML"):
        load_mapping(tmp_path / "map.yaml", CANONICAL_COLUMNS)
