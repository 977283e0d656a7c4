"""Blocks that Arrow's reader may have give what line by line gives, and what it must not have never reaches it."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mpi.batch import ndjson
from mpi.batch.ndjson import JsonFile
from mpi.batch.rejects import Reject

WANTED = ["source_record_id", "full_name", "phone"]
Read = tuple[list[tuple[int, dict[str, str | None]]], list[Reject]]

FIRST = '{"source_record_id": "0"}'
LINES = (
    '{"source_record_id": "1", "full_name": "Lê An", "phone": "09"}',
    '{"source_record_id":"2","full_name":"","phone":null}',
    '{"full_name": "\\u004c\\u00ea \\ud83d\\ude00 \\" {[ \\n", "other": {"a": [1, {"b": null}]}}',
    "{}",
    '{"phone": 84}',
    '{"phone": 8.0, "full_name": true}',
    '{"phone": ["09"]}',
    '{"phone": {"a": null}}',
    '{"phone": "1", "phone": "2"}',
    '{"other": NaN}',
    '{"other": Infinity, "phone": "1"}',
    '{"other": 1e999, "phone": "1"}',
    '{"phone": "\\udc00"}',
    '{"phone": "\\u0000"}',
    '{"phone": "a\0b"}',
    '{"phone": "a\tb"}',
    '{"phone": "1"} null',
    '{"phone": "1"}null{"phone": "2"}',
    '{"phone": "1"} {"phone": "2"}',
    '{"phone": "1"}}',
    '{"phone": ',
    '{"other": {},',
    '{"other": ' + "[" * 300 + "]" * 300 + "}",
    ' {"phone": "1"} ',
    '{"phone": "1"}\r',
    "null",
    "5",
    "",
    "  ",
    "[]",
    '"phone"',
)


def _read(path: Path) -> Read:
    file = JsonFile(path, "a.ndjson", encoding="utf-8")
    rows: list[tuple[int, dict[str, str | None]]] = []
    rejects: list[Reject] = []
    for raw in file.read(WANTED):
        columns = {name: array.to_pylist() for name, array in raw.columns.items()}
        cells = zip(*columns.values(), strict=True)
        rows += [
            (row, dict(zip(columns, values, strict=True)))
            for row, values in zip(raw.rows.to_pylist(), cells, strict=True)
        ]
        rejects += raw.rejects
    file.close()
    return rows, rejects


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.ndjson"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.sampled_from(LINES), max_size=4), end=st.sampled_from(["", "\n", "\r\n", "\n\n"]))
@example(lines=list(LINES[:4]), end="\n")
def test_a_block_at_once_is_as_line_by_line(lines: list[str], end: str, path: Path) -> None:
    path.write_bytes(("\n".join([FIRST, *lines]) + end).encode())
    at_once = _read(path)
    tries, ndjson._MISSES = ndjson._MISSES, 0
    try:
        assert at_once == _read(path)
    finally:
        ndjson._MISSES = tries


@pytest.mark.parametrize("line", LINES[:4])
def test_lines_of_text_go_through_at_once(line: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JsonFile, "_rows", None)  # line by line would fail
    path.write_text(f"{FIRST}\n{line}\n" * 3, encoding="utf-8")
    rows, rejects = _read(path)
    assert ([row for row, _ in rows], rejects) == ([1, 2, 3, 4, 5, 6], [])
    expected = {name: json.loads(line).get(name) or None for name in WANTED}
    assert rows[5] == (6, expected)


def test_a_file_of_numbers_is_not_tried_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mpi.batch.text_blocks.BLOCK_BYTES", 4_000)
    lines = [json.dumps({"source_record_id": n, "full_name": "x" * 80}) for n in range(2_000)]
    path.write_text("\n".join(lines), encoding="utf-8")
    file = JsonFile(path, "a.ndjson", encoding="utf-8")
    rows = [row for raw in file.read(WANTED) for row in raw.columns["source_record_id"].to_pylist()]
    assert rows == [str(n) for n in range(2_000)]
    assert file._misses == ndjson._MISSES
    file.close()
