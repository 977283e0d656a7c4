"""Source files as a stream of Arrow batches under canonical column names, with the rows that could not be read.

Every data row of every file comes out exactly once, as a row or as a reject; memory does not grow with the files.
"""

import glob
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from mpi.batch.delimited import DelimitedFile
from mpi.batch.mapping import SYSTEM_NAME, SourceMapping, suggest
from mpi.batch.ndjson import JsonFile
from mpi.batch.parquet_rows import ParquetRows
from mpi.batch.rejects import RawRows, Reject, excerpt_of, rejects_table
from mpi.batch.text_blocks import CELL_CHARACTERS
from mpi.domain.errors import InvalidInputError, SourceUnreadableError

_FORMATS = {
    ".parquet": "parquet",
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".ndjson": "json",
    ".jsonl": "json",
}
_ID = "source_record_id"
_HASH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source system and where its files are: a file, a folder or a glob."""

    system: str
    path: str
    mapping: SourceMapping | None = None


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """Some rows: `table` has the canonical columns (string), `row` (int64, 1-based in its file) and `file` (string).

    `rejects` is a table of rejects.REJECT_SCHEMA.
    """

    table: pa.Table
    rejects: pa.Table

    @property
    def rows_read(self) -> int:
        """Data rows that this batch accounts for."""
        return int(self.table.num_rows + self.rejects.num_rows)


class _RowFile(Protocol):
    columns: list[str]
    rows: int | None

    @property
    def bytes_read(self) -> int: ...

    def read(self, wanted: Sequence[str]) -> Iterator[RawRows]: ...

    def close(self) -> None: ...


def parse_source(text: str, mappings: dict[str, SourceMapping] | None = None) -> SourceSpec:
    """`student=FILE` as a SourceSpec, with the system's mapping if there is one. Raises InvalidInputError."""
    system, equals, path = text.partition("=")
    if not equals or not path.strip():
        raise InvalidInputError(f"--source {text}: SYSTEM=FILE is wanted, for example student=students.csv")
    if not re.fullmatch(SYSTEM_NAME, system):
        raise InvalidInputError(
            f"--source {text}: a source system's name is a-z, 0-9 and _, starts with a letter, 32 characters at most"
        )
    return SourceSpec(system, path, (mappings or {}).get(system))


class SourceReader:
    """Reads all files of one source system, in the order of their relative names.

    `columns` are the canonical columns wanted, `required` those that a file must have as columns (a row may still
    leave them empty, all but `source_record_id`).
    """

    def __init__(
        self, spec: SourceSpec, columns: Sequence[str], *, required: Sequence[str], batch_rows: int = 65_536
    ) -> None:
        """Find the files. Raises SourceUnreadableError when there are none or one has an unknown extension."""
        self.spec = spec
        self.columns = tuple(dict.fromkeys((_ID, *columns)))
        self.required = tuple(dict.fromkeys((_ID, *required)))
        self.batch_rows = batch_rows
        self.files = _find_files(spec.path)
        self.bytes_total = sum(_size(path) for path in self.files.values())
        self._mapping = spec.mapping or SourceMapping()
        self._finished_bytes = 0
        self._current: _RowFile | None = None
        self._schema = pa.schema(
            [*((name, pa.string()) for name in self.columns), ("row", pa.int64()), ("file", pa.string())]
        )

    @property
    def bytes_read(self) -> int:
        """Bytes of the files consumed so far, for progress against `bytes_total`."""
        return self._finished_bytes + (self._current.bytes_read if self._current is not None else 0)

    def digest(self) -> str:
        """SHA-256 (hex) of what would be read: relative names, sizes and contents of the files, and the mapping."""
        whole = hashlib.sha256()
        for name, path in self.files.items():
            content = hashlib.sha256()
            try:
                with path.open("rb") as file:
                    while data := file.read(_HASH_BYTES):
                        content.update(data)
            except OSError as error:
                raise SourceUnreadableError(f"{name}: cannot be read: {error.strerror}") from error
            whole.update(json.dumps([name, _size(path), content.hexdigest()]).encode())
        whole.update(self._mapping.model_dump_json().encode())
        return whole.hexdigest()

    def rows_expected(self) -> int | None:
        """The exact number of data rows where every file tells it (Parquet), else None: use the bytes then."""
        total = 0
        for name in self.files:
            file = self._open(name)
            file.close()
            if file.rows is None:
                return None
            total += file.rows
        return total

    def check(self) -> None:
        """Look at the beginning of every file, so that a wrong one is refused before any row of another is delivered.

        Raises SourceUnreadableError naming the file and what would be right.
        """
        for name in self.files:
            file = self._open(name)
            try:
                self._wanted(name, file)
            finally:
                file.close()

    def batches(self) -> Iterator[SourceBatch]:
        """All rows of all files, at most `batch_rows` rows and rejects at a time. Raises SourceUnreadableError."""
        self.check()
        self._finished_bytes = 0
        tables: list[pa.Table] = []
        rejects: list[pa.Table] = []
        waiting = 0
        for raw, name in self._raw():
            table, refused = self._canonical(raw, name)
            tables.append(table)
            rejects.append(refused)
            waiting += table.num_rows + refused.num_rows
            if waiting >= self.batch_rows:
                whole, all_refused = pa.concat_tables(tables), pa.concat_tables(rejects)
                while whole.num_rows + all_refused.num_rows >= self.batch_rows:
                    count = min(whole.num_rows, self.batch_rows)
                    room = self.batch_rows - count
                    yield SourceBatch(whole.slice(0, count).combine_chunks(), all_refused.slice(0, room))
                    whole, all_refused = whole.slice(count), all_refused.slice(room)
                tables, rejects = [whole], [all_refused]
                waiting = whole.num_rows + all_refused.num_rows
        if waiting:
            yield SourceBatch(pa.concat_tables(tables).combine_chunks(), pa.concat_tables(rejects))

    def _raw(self) -> Iterator[tuple[RawRows, str]]:
        for name, path in self.files.items():
            file = self._current = self._open(name)
            try:
                wanted = self._wanted(name, file)
                for raw in file.read(wanted):
                    yield raw, name
            finally:
                file.close()
                self._current = None
            self._finished_bytes += _size(path)

    def _open(self, name: str) -> _RowFile:
        path = self.files[name]
        kind = _FORMATS[_extension(path)]
        mapping = self._mapping
        if kind == "parquet":
            return ParquetRows(path, name)
        if kind == "json":
            return JsonFile(path, name, encoding=mapping.encoding)
        hints = [part for column in self.columns for part in mapping.parts_of(column)]
        delimiter = mapping.delimiter or ("\t" if _extension(path) == ".tsv" else None)
        return DelimitedFile(path, name, encoding=mapping.encoding, delimiter=delimiter, hints=hints)

    def _wanted(self, name: str, file: _RowFile) -> list[str]:
        """The file's columns to read. Raises SourceUnreadableError for missing and doubled ones."""
        must = list(self.required)
        if not isinstance(file, JsonFile):
            must += [column for column in self.columns if column in self._mapping.columns]
        wanted = list(dict.fromkeys(part for column in self.columns for part in self._mapping.parts_of(column)))
        missing = [part for column in must for part in self._mapping.parts_of(column) if part not in file.columns]
        if missing:
            shown = ", ".join(file.columns[:40])
            hint = "".join(suggest(part, file.columns) for part in missing[:1])
            names = ", ".join(dict.fromkeys(missing))
            raise SourceUnreadableError(
                f"{name}: has no column {names}; found: {shown}; {hint}rename columns with a mapping file (--map)"
            )
        doubled = [part for part in wanted if file.columns.count(part) > 1]
        if doubled:
            raise SourceUnreadableError(
                f"{name}: has more than one column {', '.join(doubled)}; each name may stand once"
            )
        return wanted if isinstance(file, JsonFile) else [part for part in wanted if part in file.columns]

    def _canonical(self, raw: RawRows, name: str) -> tuple[pa.Table, pa.Table]:
        """Rows under canonical names, and the rejects: those of the format and those whose content no row may have."""
        count = len(raw.rows)
        arrays: list[pa.Array] = []
        for column in self.columns:
            found = [raw.columns[part] for part in self._mapping.parts_of(column) if part in raw.columns]
            constant = self._mapping.constants.get(column)
            if len(found) > 1:
                separator = self._mapping.separator_of(column)
                joined = pc.binary_join_element_wise(*found, separator, null_handling="skip")
                arrays.append(pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined))
            elif found:
                arrays.append(found[0])
            else:
                arrays.append(
                    pa.repeat(pa.scalar(constant, pa.string()), count) if constant else pa.nulls(count, pa.string())
                )
        table = pa.table([*arrays, raw.rows, pa.repeat(pa.scalar(name, pa.string()), count)], schema=self._schema)
        reasons = self._content_problems(table)
        rejects = list(raw.rejects)
        if reasons:
            positions = pa.array(sorted(reasons), pa.int64())
            for position, row in zip(positions.to_pylist(), table.take(positions).to_pylist(), strict=True):
                cells = {key: value[:100] for key, value in row.items() if key in self.columns and value is not None}
                excerpt = excerpt_of(json.dumps(cells, ensure_ascii=False))
                rejects.append(Reject(name, row["row"], reasons[position], excerpt))
            keep = [True] * count
            for position in reasons:
                keep[position] = False
            table = table.filter(pa.array(keep))
            rejects.sort(key=lambda reject: reject.row)
        return table, rejects_table(rejects)

    def _content_problems(self, table: pa.Table) -> dict[int, str]:
        """What is wrong with rows, by position: no id, NUL bytes, a cell too long. The first of these is told."""
        reasons: dict[int, str] = {}
        for column in self.columns:
            array = table.column(column)
            for position in _where(pc.match_substring(array, "\0")):
                reasons.setdefault(position, f"{column} holds NUL bytes")
            # Bytes are never fewer than characters, and their number is at hand.
            if (pc.max(pc.binary_length(array)).as_py() or 0) > CELL_CHARACTERS:
                for position in _where(pc.greater(pc.utf8_length(array), CELL_CHARACTERS)):
                    reasons.setdefault(position, f"{column} is longer than {CELL_CHARACTERS:,} characters")
        blank = pc.equal(pc.utf8_trim_whitespace(pc.fill_null(table.column(_ID), "")), "")
        for position in _where(blank):
            reasons.setdefault(position, f"{_ID} is missing")
        return reasons


def _where(mask: pa.ChunkedArray) -> list[int]:
    if not pc.any(mask).as_py():
        return []
    return [int(position) for position in pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist()]


def _find_files(text: str) -> dict[str, Path]:
    """Files of a path, folder or glob by their name relative to it, sorted. Raises SourceUnreadableError."""
    path = Path(text)
    if path.is_dir():
        found = [one for one in path.rglob("*") if one.is_file() and not _hidden(one.relative_to(path))]
        base = path
    elif path.exists():
        found, base = [path], path.parent
    elif glob.has_magic(text):
        found = [Path(one) for one in glob.glob(text, recursive=True) if Path(one).is_file()]
        parts = Path(text).parts
        magic = next(index for index, part in enumerate(parts) if glob.has_magic(part))
        base = Path(*parts[:magic])
    else:
        raise SourceUnreadableError(f"{text}: there is no such file or folder")
    if not found:
        raise SourceUnreadableError(f"{text}: holds no files; Parquet, CSV or NDJSON is wanted")
    for one in found:
        if _extension(one) not in _FORMATS:
            endings = ", ".join(_FORMATS)
            raise SourceUnreadableError(
                f"{one}: unknown extension; {endings} are known, the text formats also with .gz"
            )
    return dict(sorted((one.relative_to(base).as_posix(), one) for one in found))


def _hidden(path: Path) -> bool:
    # Spark and others leave `_SUCCESS` and `.crc` files beside the data.
    return any(part.startswith((".", "_")) for part in path.parts)


def _extension(path: Path) -> str:
    inner = Path(path.stem) if path.suffix.lower() == ".gz" else path
    extension = inner.suffix.lower()
    return f"{extension}.gz" if inner is not path and _FORMATS.get(extension) == "parquet" else extension


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise SourceUnreadableError(f"{path}: cannot be read: {error.strerror}") from error
