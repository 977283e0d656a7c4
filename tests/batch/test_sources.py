"""Sources: each format comes back as it went in, each bad row is named, each bad file refused, memory stays flat."""

import csv
import datetime
import decimal
import gzip
import io
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mpi.batch.mapping import SourceMapping
from mpi.batch.sources import SourceReader, SourceSpec, parse_source
from mpi.domain.errors import InvalidInputError, SourceUnreadableError
from mpi.domain.records import CANONICAL_COLUMNS

COLUMNS = CANONICAL_COLUMNS
REQUIRED = ("source_record_id", "full_name")
ROWS = [
    {"source_record_id": "1", "full_name": "Nguyễn Văn An", "birth_date": "1990-05-01", "address": "12, Lê Lợi"},
    {"source_record_id": "2", "full_name": 'Trần "Tí" Bé', "phone": "0901234567"},
    {"source_record_id": "3", "full_name": "Đặng Thị\nHoa", "citizen_id": "079090001234"},
]


def reader(path: object, mapping: SourceMapping | None = None, *, batch_rows: int = 65_536) -> SourceReader:
    return SourceReader(SourceSpec("student", str(path), mapping), COLUMNS, required=REQUIRED, batch_rows=batch_rows)


def read(
    path: object, mapping: SourceMapping | None = None, *, batch_rows: int = 65_536
) -> tuple[list[dict], list[dict]]:
    batches = list(reader(path, mapping, batch_rows=batch_rows).batches())
    assert all(batch.rows_read <= batch_rows for batch in batches)
    rows = [row for batch in batches for row in batch.table.to_pylist()]
    return rows, [row for batch in batches for row in batch.rejects.to_pylist()]


def values(rows: Sequence[dict]) -> list[dict]:
    return [{key: cell for key, cell in row.items() if cell is not None and key in COLUMNS} for row in rows]


def csv_text(rows: Sequence[dict], *, delimiter: str = ",", columns: Sequence[str] = COLUMNS) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write(path: Path, rows: Sequence[dict]) -> Path:
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema([(c, pa.string()) for c in COLUMNS])), path)
        return path
    text = (
        csv_text(rows) if name.endswith(".csv") else "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    )
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.ndjson", "a.jsonl", "a.csv.gz", "a.ndjson.gz"])
def test_a_format_comes_back_as_it_went_in(tmp_path: Path, name: str) -> None:
    rows, rejects = read(write(tmp_path / name, ROWS))
    assert values(rows) == ROWS
    assert [row["row"] for row in rows] == [1, 2, 3]
    assert {row["file"] for row in rows} == {name}
    assert rejects == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(csv_text(ROWS, delimiter=delimiter), encoding="utf-8", newline="")
    assert values(read(path)[0]) == ROWS


def test_a_quoted_header_does_not_mislead_the_detection(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"source_record_id";"full_name";"x, y, z"\n"1";"An";"q"\n')
    assert values(read(tmp_path / "a.csv")[0]) == [{"source_record_id": "1", "full_name": "An"}]


@pytest.mark.parametrize(
    ("encoding", "declared"), [("utf-8-sig", None), ("utf-16", None), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le")]
)
def test_byte_order_marks_and_utf16(tmp_path: Path, encoding: str, declared: str | None) -> None:
    (tmp_path / "a.csv").write_bytes(csv_text(ROWS).encode(encoding))
    rows, rejects = read(tmp_path / "a.csv", SourceMapping(encoding=declared) if declared else None)
    assert (values(rows), rejects) == (ROWS, [])


@pytest.mark.parametrize(("encoding", "name"), [("cp1258", "Nguyê\u0303n Văn Đo\u0323"), ("cp1252", "José Müller")])
def test_a_declared_legacy_encoding(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / "a.csv").write_bytes(f"source_record_id,full_name\n1,{name}\n".encode(encoding))
    assert read(tmp_path / "a.csv", SourceMapping(encoding=encoding))[0][0]["full_name"] == name


def test_a_byte_the_legacy_encoding_lacks_costs_its_row_only(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"source_record_id,full_name\n1,An\n2,B\x81nh\n3,Chi\n")
    rows, rejects = read(tmp_path / "a.csv", SourceMapping(encoding="cp1252"))
    assert [row["row"] for row in rows] == [1, 3]
    assert [(r["row"], r["reason"]) for r in rejects] == [(2, "the row is not valid cp1252")]


BAD_JSON = [
    (b'{"source_record_id": "2", "full_name": ', "the line is not JSON"),
    (b"null", "the line is not a JSON object"),
    (b"[1, 2]", "the line is not a JSON object"),
    (b'{"source_record_id": "2", "full_name": {"first": "An"}}', "full_name holds an object where text is wanted"),
    (b'{"source_record_id": "2", "full_name": ["An"]}', "full_name holds a list where text is wanted"),
    (b'{"source_record_id": "2", "full_name": "A\\u0000n"}', "full_name holds NUL bytes"),
    (b'{"source_record_id": "2", "full_name": "A\0n"}', "the row holds NUL bytes"),
    (b'{"source_record_id": "2", "full_name": "A\xff"}', "the row is not valid utf-8"),
    (b'{"source_record_id": "2", "full_name": "\\ud800"}', "the line is not JSON"),
    (b'{"source_record_id": 1e999, "full_name": "An"}', "source_record_id holds a number out of range"),
    (b'{"full_name": "An"}', "source_record_id is missing"),
    (b'{"source_record_id": "2", "full_name": "%s"}' % (b"x" * 3_000_000), "the line is longer than 1,048,576 bytes"),
    (b"[" * 100_000, "the line is not JSON"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_JSON, ids=[str(index) for index in range(len(BAD_JSON))])
def test_a_bad_json_line_is_rejected_alone(tmp_path: Path, bad: bytes, reason: str) -> None:
    good = b'{"source_record_id": "%d", "full_name": "An", "extra": {"nested": [1]}}\n'
    (tmp_path / "a.ndjson").write_bytes(good % 1 + bad + b"\n\n" + good % 3)
    rows, rejects = read(tmp_path / "a.ndjson")
    assert [(row["source_record_id"], row["row"]) for row in rows] == [("1", 1), ("3", 3)]
    assert [r["row"] for r in rejects] == [2]
    assert rejects[0]["reason"].startswith(reason)


def test_typed_json_becomes_canonical_text(tmp_path: Path) -> None:
    line = '{"source_record_id": 79099000123456789012, "full_name": "An", "phone": 901234567.0, "ward_code": 2.5'
    (tmp_path / "a.ndjson").write_text(line + ', "sex": true, "address": ""}')
    assert values(read(tmp_path / "a.ndjson")[0]) == [
        {
            "source_record_id": "79099000123456789012",
            "full_name": "An",
            "phone": "901234567",
            "ward_code": "2.5",
            "sex": "true",
        }
    ]


def _times(unit: str, *texts: str | None) -> pa.Array:
    return pa.array(texts, pa.string()).cast(pa.timestamp(unit))


TYPED = [
    (pa.array([79099000001, None], pa.int64()), ["79099000001", None]),
    (pa.array([7.9e10, float("nan")], pa.float64()), ["79000000000", None]),
    (pa.array([0.1, 1e300], pa.float64()), ["0.1", "1e+300"]),
    (pa.array([decimal.Decimal("79099.00"), decimal.Decimal("100.50")], pa.decimal128(38, 2)), ["79099", "100.5"]),
    (pa.array([decimal.Decimal("100"), None], pa.decimal128(38, 0)), ["100", None]),
    (pa.array([datetime.date(1990, 5, 1), None], pa.date32()), ["1990-05-01", None]),
    (pa.array([datetime.date(1990, 5, 1), None], pa.date64()), ["1990-05-01", None]),
    (_times("us", "1990-05-01", "1990-05-01 07:08:09"), ["1990-05-01", "1990-05-01T07:08:09"]),
    (_times("ns", "1990-05-01 00:00:00.25", None), ["1990-05-01T00:00:00.250000000", None]),
    (_times("ms", "1990-05-01", None).cast(pa.timestamp("ms", "UTC")), ["1990-05-01T00:00:00+00:00", None]),
    (pa.array(["An", ""]).dictionary_encode(), ["An", None]),
    (pa.array(["An", "Bình"], pa.large_string()), ["An", "Bình"]),
    (pa.array(["Bình".encode(), None], pa.binary()), ["Bình", None]),
    (pa.array([None, None], pa.null()), [None, None]),
    (pa.array([True, False]), ["true", "false"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("array", "wanted"), TYPED, ids=[f"{index}-{array.type}" for index, (array, _) in enumerate(TYPED)]
)
def test_typed_parquet_becomes_canonical_text(tmp_path: Path, array: pa.Array, wanted: list[str | None]) -> None:
    pq.write_table(
        pa.table({"source_record_id": [1, 2], "full_name": ["A", "B"], "phone": array}), tmp_path / "a.parquet"
    )
    rows, rejects = read(tmp_path / "a.parquet")
    assert [row["phone"] for row in rows] == wanted
    assert rejects == []


def test_undecodable_and_blank_parquet_rows_are_rejected_alone(tmp_path: Path) -> None:
    names = pa.array([b"An", b"\xff", b"C", b"D"], pa.binary())
    pq.write_table(pa.table({"source_record_id": ["1", "2", None, "4"], "full_name": names}), tmp_path / "a.parquet")
    rows, rejects = read(tmp_path / "a.parquet")
    assert [row["row"] for row in rows] == [1, 4]
    assert [(r["row"], r["reason"]) for r in rejects] == [
        (2, "full_name is not valid utf-8"),
        (3, "source_record_id is missing"),
    ]


def _truncated_parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"source_record_id": ["1"] * 1000, "full_name": ["An"] * 1000}), sink)
    return sink.getvalue()[:-200]


WHOLE = [
    ("a.csv", b"", "is empty"),
    ("a.parquet", b"", "is empty"),
    ("a.ndjson", b"", "is empty"),
    ("a.csv", os.urandom(5000).replace(b"\n", b"\0"), "a.csv"),
    ("a.csv", b"PK\x03\x04" + bytes(100), "Excel workbook"),
    ("a.csv", b"\x1f\x8b" + bytes(100), "name it with .gz"),
    ("a.csv", b"\n\n\n", "every line is blank"),
    (
        "a.csv",
        b"source_record_id,fullname,dob\n1,An,x\n",
        "has no column full_name; found: source_record_id, fullname, dob; did you mean fullname?",
    ),
    ("a.csv", b"source_record_id,full_name,full_name\n1,An,x\n", "more than one column full_name"),
    ("a.csv", b"source_record_id,full_name\r1,An\r", "bare carriage return"),
    ("a.csv", b"source_record_id,full_name,h\xea\n1,An,x\n", "the header is not utf-8 text"),
    ("a.csv", "source_record_id,full_name\n".encode("utf-16-le"), "utf-16"),
    ("a.parquet", _truncated_parquet(), "is not a whole Parquet file"),
    ("a.parquet", b"source_record_id,full_name\n", "is not a whole Parquet file"),
    ("a.ndjson", b'[{"source_record_id": 1}]', "is a JSON array"),
    ("a.ndjson", b"source_record_id,full_name\n1,2\n", "is not NDJSON"),
    ("a.ndjson", b'{"source_record_id": "1", "name": "An"}\n', "has no column full_name"),
    ("a.csv.gz", gzip.compress(b"source_record_id,full_name\n1,An\n")[:-9], "damaged or cut short"),
    ("a.xlsx", b"x", "unknown extension"),
    ("a.parquet.gz", b"x", "unknown extension"),
]


@pytest.mark.parametrize(
    ("name", "content", "message"), WHOLE, ids=[f"{index}-{name}" for index, (name, _, _) in enumerate(WHOLE)]
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceUnreadableError) as caught:
        read(tmp_path / name)
    assert message in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_nested_parquet_column_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"source_record_id": ["1"], "full_name": [["An"]]}), tmp_path / "a.parquet")
    with pytest.raises(SourceUnreadableError, match="column full_name holds list"):
        read(tmp_path / "a.parquet")


def test_a_missing_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadableError, match="there is no such file or folder"):
        reader(tmp_path / "none.csv")
    with pytest.raises(SourceUnreadableError, match="holds no files"):
        reader(tmp_path)
    with pytest.raises(SourceUnreadableError, match="holds no files"):
        reader(tmp_path / "*.csv")


def test_a_bad_file_of_a_folder_is_found_before_any_row_is_delivered(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ROWS)
    (tmp_path / "z.csv").write_text("wrong,columns\n1,2\n")
    with pytest.raises(SourceUnreadableError, match=r"z\.csv"):
        next(reader(tmp_path).batches())


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_header_without_rows_gives_no_batch(tmp_path: Path, name: str) -> None:
    assert list(reader(write(tmp_path / name, [])).batches()) == []


def test_mixed_files_of_a_folder_and_a_glob(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.parquet", "a.csv", "sub/c.ndjson"):
        write(tmp_path / name, ROWS)
    (tmp_path / "_SUCCESS").touch()
    rows, _ = read(tmp_path)
    assert [(row["file"], row["row"]) for row in rows] == [
        (f, n) for f in ("a.csv", "b.parquet", "sub/c.ndjson") for n in (1, 2, 3)
    ]
    assert values(rows) == ROWS * 3
    assert {row["file"] for row in read(tmp_path / "*.csv")[0]} == {"a.csv"}
    assert len(read(tmp_path / "**" / "*.*")[0]) == 9


def test_batches_have_the_asked_size_and_counts_reconcile(tmp_path: Path) -> None:
    lines = [f"{index},An" if index % 7 else ",An" for index in range(1, 100_001)]
    (tmp_path / "a.csv").write_text("source_record_id,full_name\n" + "\n".join(lines))
    batches = list(reader(tmp_path / "a.csv", batch_rows=10_000).batches())
    assert [batch.rows_read for batch in batches] == [10_000] * 10
    assert sum(batch.rejects.num_rows for batch in batches) == 100_000 // 7
    seen = [n for batch in batches for table in (batch.table, batch.rejects) for n in table["row"].to_pylist()]
    assert sorted(seen) == list(range(1, 100_001))


def test_a_mapping_renames_concatenates_and_fills_in(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("MA;HO;TEN;SO\n1;Nguyễn;An;12\n2;;Bình;\n", encoding="utf-8")
    mapping = SourceMapping.model_validate(
        {
            "columns": {"source_record_id": "MA", "full_name": {"concat": ["HO", "TEN"]}, "address": "SO"},
            "constants": {"ward_code": "26740"},
        }
    )
    assert values(read(tmp_path / "a.csv", mapping)[0]) == [
        {"source_record_id": "1", "full_name": "Nguyễn An", "ward_code": "26740", "address": "12"},
        {"source_record_id": "2", "full_name": "Bình", "ward_code": "26740"},
    ]
    wrong = SourceMapping(columns={"source_record_id": "MA", "full_name": "TEN", "phone": "DIENTHOAI"})
    with pytest.raises(SourceUnreadableError, match="has no column DIENTHOAI"):
        read(tmp_path / "a.csv", wrong)


def test_the_digest_names_the_input(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ROWS)
    first = reader(tmp_path).digest()
    assert first == reader(tmp_path / "*.csv").digest()
    assert len(first) == 64
    assert first != reader(tmp_path, SourceMapping(delimiter=",")).digest()
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    renamed = reader(tmp_path).digest()
    write(tmp_path / "b.csv", ROWS[:2])
    assert len({first, renamed, reader(tmp_path).digest()}) == 3


def test_progress_reaches_its_total(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", ROWS)
    assert reader(tmp_path).rows_expected() == 3
    write(tmp_path / "b.csv.gz", ROWS)
    source = reader(tmp_path)
    assert source.rows_expected() is None
    list(source.batches())
    assert source.bytes_read == source.bytes_total > 0


def test_parse_source() -> None:
    mapping = SourceMapping(encoding="cp1258")
    assert parse_source("student=a=b.csv", {"student": mapping}) == SourceSpec("student", "a=b.csv", mapping)
    for text in ("student", "student=", "Student=a.csv", "1a=a.csv", f"{'a' * 33}=x.csv", "=x.csv"):
        with pytest.raises(InvalidInputError):
            parse_source(text)


def _peak_megabytes(path: Path) -> tuple[float, int, int]:
    """Growth of peak memory while a file is read, in a process of its own; rows and rejects."""
    program = textwrap.dedent("""
        import resource, sys
        from mpi.batch.sources import SourceReader, SourceSpec
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        reader = SourceReader(SourceSpec("s", sys.argv[1]), ["source_record_id", "full_name"],
                              required=["source_record_id", "full_name"], batch_rows=8192)
        before, rows, rejects = peak(), 0, 0
        for batch in reader.batches():
            rows, rejects = rows + batch.table.num_rows, rejects + batch.rejects.num_rows
        print(peak() - before, rows, rejects)
    """)
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    growth, rows, rejects = done.stdout.split()
    return float(growth), int(rows), int(rejects)


@pytest.mark.parametrize("name", ["long.csv", "long.ndjson", "quote.csv"])
def test_a_line_of_100_mb_is_rejected_in_bounded_memory(tmp_path: Path, name: str) -> None:
    is_json = name.endswith("json")
    good = b'{"source_record_id": "1", "full_name": "An"}\n' if is_json else b"1,An\n"
    with (tmp_path / name).open("wb") as file:
        file.write((b"" if is_json else b"source_record_id,full_name\n") + good)
        file.write(b'{"source_record_id": "' if is_json else b'2,"' if name == "quote.csv" else b"2,")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n" + good)
    growth, rows, rejects = _peak_megabytes(tmp_path / name)
    assert (rows, rejects) == (2, 1)
    assert growth < 60


@pytest.mark.parametrize("name", ["big.csv", "big.ndjson", "big.parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    growths = []
    for count in (40_000, 280_000):
        path = tmp_path / f"{count}{name}"
        ids = [str(index) for index in range(count)]
        if name.endswith("parquet"):
            table = pa.table(
                {"source_record_id": ids, "full_name": [f"Nguyễn Văn An {one} " + "x" * 60 for one in ids]}
            )
            pq.write_table(table, path, row_group_size=count)
        elif name.endswith("csv"):
            path.write_text("source_record_id,full_name\n" + "".join(f"{one},Nguyễn Văn {'x' * 60}\n" for one in ids))
        else:
            path.write_text("".join(f'{{"source_record_id":"{one}","full_name":"An {"x" * 60}"}}\n' for one in ids))
        growth, rows, rejects = _peak_megabytes(path)
        assert (rows, rejects) == (count, 0)
        growths.append(growth)
    assert growths[1] < growths[0] + 30
