"""Delimited text: the fast and the careful path agree, bad rows are rejected alone, blocks leave no trace."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpi.batch.delimited import DelimitedFile
from mpi.batch.sources import SourceReader, SourceSpec
from mpi.domain.errors import SourceUnreadableError

REQUIRED = ("source_record_id", "full_name")


def read(path: Path) -> tuple[list[dict], list[dict]]:
    batches = list(SourceReader(SourceSpec("student", str(path)), REQUIRED, required=REQUIRED).batches())
    rows = [row for batch in batches for row in batch.table.to_pylist()]
    return rows, [row for batch in batches for row in batch.rejects.to_pylist()]


BAD_CSV = [
    (b"2,An,extra\n", "the row has 3 cells where the header has 2"),
    (b"2\n", "the row has 1 cells where the header has 2"),
    (b"2,A\0n\n", "the row holds NUL bytes"),
    (b"2,A\xffn\n", "the row is not valid utf-8"),
    (b",An\n", "source_record_id is missing"),
    (b"  ,An\n", "source_record_id is missing"),
    (b"2,%s\n" % ("đ" * 10_001).encode(), "full_name is longer than 10,000 characters"),
    (b'2,"An\n', "a quote is opened and never closed"),
    (b'2,"An" x\n', "text follows a closing quote"),
    (b"2,%s\n" % (b"x" * 3_000_000), "the line is longer than 1,048,576 bytes"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_CSV, ids=[str(index) for index in range(len(BAD_CSV))])
def test_a_bad_csv_row_is_rejected_alone(tmp_path: Path, bad: bytes, reason: str) -> None:
    (tmp_path / "a.csv").write_bytes(b"source_record_id,full_name\n1,An\n" + bad + b"\n3,Chi\r\n4,D\n")
    rows, rejects = read(tmp_path / "a.csv")
    assert [(row["source_record_id"], row["row"], row["full_name"]) for row in rows] == [
        ("1", 1, "An"),
        ("3", 3, "Chi"),
        ("4", 4, "D"),
    ]
    assert [(r["file"], r["row"], r["reason"]) for r in rejects] == [("a.csv", 2, reason)]
    assert len(rejects[0]["excerpt"]) <= 200
    assert rejects[0]["excerpt"].isprintable()


def test_an_unclosed_quote_does_not_eat_the_rows_after_it(tmp_path: Path) -> None:
    lines = [f"{index},An" for index in range(1, 60_001)]
    lines[99] = '100,"An'
    (tmp_path / "a.csv").write_text("source_record_id,full_name\n" + "\n".join(lines))
    rows, rejects = read(tmp_path / "a.csv")
    assert len(rows) == 59_999
    assert [r["row"] for r in rejects] == [100]


def test_a_legacy_file_read_as_utf8_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"source_record_id,full_name\n" + b"1,Nguy\xean\n" * 30)
    with pytest.raises(
        SourceUnreadableError, match=r"a\.csv: 30 of the first 30 rows are not utf-8 text; declare the encoding"
    ):
        read(tmp_path / "a.csv")


_cell = st.text(alphabet="aĐ\",;\n\r\\ \0'", max_size=6)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_cell, _cell), max_size=5), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_fast_and_careful_paths_agree(tmp_path: Path, rows: list[tuple[str, str]], end: str, poison: bool) -> None:
    """A row with an undecodable byte sends its whole block down the careful path; the other rows stay the same."""
    out = io.StringIO(newline="")
    # Python's writer leaves a bare carriage return unquoted, which no reader could tell from the line's end.
    bare = any("\r" in cell for row in rows for cell in row)
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL if bare else csv.QUOTE_MINIMAL)
    writer.writerow(["source_record_id", "full_name"])
    writer.writerows((f"x{first}", second) for first, second in rows)
    data = out.getvalue().encode() + (b"x\xff,y\n" if poison else b"")
    (tmp_path / "a.csv").write_bytes(data)
    got, rejects = read(tmp_path / "a.csv")
    wanted = [
        (f"x{first}", second or None, index)
        for index, (first, second) in enumerate(rows, start=1)
        if "\0" not in first + second
    ]
    assert [(row["source_record_id"], row["full_name"], row["row"]) for row in got] == wanted
    assert len(got) + len(rejects) == len(rows) + poison


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\r", b"a", b"\xff", b"\0", b"1,b\n", b'"x","y"\n']), max_size=30
    )
)
def test_no_garbage_breaks_the_counts(tmp_path: Path, parts: list[bytes]) -> None:
    (tmp_path / "a.csv").write_bytes(b"source_record_id,full_name\n" + b"".join(parts))
    try:
        rows, rejects = read(tmp_path / "a.csv")
    except SourceUnreadableError:
        return
    numbers = sorted([row["row"] for row in rows] + [reject["row"] for reject in rejects])
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("quoted", [False, True])
def test_rows_do_not_depend_on_where_blocks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quoted: bool) -> None:
    lines = [
        f'{index},"Văn ""B""\nAn {index}"' if quoted and index % 3 else f"{index},Văn An {index}"
        for index in range(400)
    ]
    lines[200] = '200,"open'
    (tmp_path / "a.csv").write_text("source_record_id,full_name\n" + "\n".join(lines), encoding="utf-8")
    whole = read(tmp_path / "a.csv")
    for size in (7, 64, 301):
        monkeypatch.setattr("mpi.batch.text_blocks.BLOCK_BYTES", size)
        file = DelimitedFile(tmp_path / "a.csv", "a.csv", encoding="utf-8", delimiter=None, hints=REQUIRED)
        pieces = list(file.read(["source_record_id", "full_name"]))
        file.close()
        assert [n for p in pieces for n in p.rows.to_pylist()] == [row["row"] for row in whole[0]]
        assert [v for p in pieces for v in p.columns["full_name"].to_pylist()] == [row["full_name"] for row in whole[0]]
        assert [r.row for p in pieces for r in p.rejects] == [201]
