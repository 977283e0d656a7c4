"""Newline-delimited JSON as rows: one object a line, numbers and booleans as canonical text.

A block of lines that hold nothing but text goes through Arrow's JSON reader; any other block line by line, which is
slower by a third to two thirds, says what is wrong with a line, and decides where the two would differ.
"""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
from pydantic_core import from_json

from mpi.batch.rejects import RawRows, Reject, excerpt_of
from mpi.batch.text_blocks import LINE_BYTES, TextBlocks
from mpi.domain.errors import SourceUnreadableError

_LOOKED_AT_LINES = 1000
_EXACT_FLOAT = 2.0**53
_NESTED = 100
_BARE_NULL = re.compile(rb"\}\s*null")
_MISSES = 8


def float_text(number: float) -> str | None:
    """A float as a spreadsheet would export it: whole numbers as digits alone, others in their shortest exact form.

    79099000001.0 gives "79099000001": tables with missing values carry integers as floats. From 2**53 on digits would
    claim an exactness that is not there, so the exponent form stays. NaN is missing.
    """
    if math.isnan(number):
        return None
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT_FLOAT else repr(number)


class JsonFile:
    """One NDJSON file, read once. `columns` are the names seen in the first lines; later lines may bring others."""

    rows: int | None = None

    def __init__(self, path: Path, name: str, *, encoding: str) -> None:
        """Open the file, look at its first lines. Raises SourceUnreadableError when none of them is a JSON object."""
        self.name = name
        self._blocks = TextBlocks(path, name, encoding=encoding)
        self._row = 0
        self._misses = 0
        try:
            block = self._blocks.first_block()
            self.columns = self._names(block)
        except BaseException:
            self._blocks.close()
            raise
        self._blocks.keep(block)

    @property
    def bytes_read(self) -> int:
        """Bytes consumed of the file as stored."""
        return self._blocks.bytes_read

    def close(self) -> None:
        """Close the file."""
        self._blocks.close()

    def read(self, wanted: Sequence[str]) -> Iterator[RawRows]:
        """Rows of the `wanted` columns; names that a line lacks, null and empty text are null."""
        while True:
            block = self._blocks.next_block()
            end = len(block) if self._blocks.final else block.rfind(b"\n") + 1
            if end:
                yield self._plain_rows(block[:end], wanted) or self._rows(block[:end], wanted)
            if self._blocks.final:
                return
            if len(block) - end > LINE_BYTES:
                self._row += 1
                yield self._table(wanted, [], [], [self._too_long(block[end : end + 1000])])
                self._blocks.skip_line()
            else:
                self._blocks.keep(block[end:])

    def _names(self, block: bytes) -> list[str]:
        lines = block.split(b"\n", _LOOKED_AT_LINES)
        if len(lines) == 1 and len(block) > LINE_BYTES:
            raise SourceUnreadableError(
                f"{self.name}: its first line is longer than {LINE_BYTES:,} bytes; one JSON object a line is wanted"
            )
        names: dict[str, None] = {}
        objects = 0
        for line in lines[:_LOOKED_AT_LINES]:
            value, problem = self._object(line)
            if problem is None and value is not None:
                objects += 1
                names.update(dict.fromkeys(value))
        if not objects:
            what = (
                "a JSON array"
                if block.lstrip().startswith(b"[")
                else "not NDJSON: none of its first lines is a JSON object"
            )
            raise SourceUnreadableError(f"{self.name}: is {what}; one JSON object a line is wanted")
        return list(names)

    def _plain_rows(self, block: bytes, wanted: Sequence[str]) -> RawRows | None:
        """Rows of a block in which every line is an object and every wanted value a text or null; else None.

        Files that never are so are not tried for ever.
        """
        lines = _plain_lines(block) if self._misses < _MISSES else 0
        if not lines:
            return None
        try:
            table = pj.read_json(
                pa.BufferReader(block),
                read_options=pj.ReadOptions(use_threads=False, block_size=len(block) + 1),
                parse_options=pj.ParseOptions(
                    explicit_schema=pa.schema([(column, pa.string()) for column in wanted]),
                    unexpected_field_behavior="ignore",
                ),
            )
            table.validate(full=True)
        except pa.ArrowInvalid:
            table = None
        if table is None or table.num_rows != lines:
            self._misses += 1
            return None
        columns = {column: table[column].combine_chunks() for column in wanted}
        rows = pa.array(np.arange(self._row + 1, self._row + lines + 1))
        self._row += lines
        return RawRows({name: pc.if_else(pc.equal(text, ""), None, text) for name, text in columns.items()}, rows, [])

    def _rows(self, block: bytes, wanted: Sequence[str]) -> RawRows:
        cells: list[list[str | None]] = []
        rows: list[int] = []
        rejects: list[Reject] = []
        for line in block.split(b"\n"):
            if not line or line.isspace():
                continue
            self._row += 1
            if len(line) > LINE_BYTES:
                rejects.append(self._too_long(line))
                continue
            value, problem = self._object(line)
            texts: list[str | None] = []
            if value is not None:
                texts, problem = _texts(value, wanted)
            if problem is None:
                cells.append(texts)
                rows.append(self._row)
            else:
                rejects.append(Reject(self.name, self._row, problem, excerpt_of(line)))
        return self._table(wanted, cells, rows, rejects)

    def _object(self, line: bytes) -> tuple[dict[str, object] | None, str | None]:
        """The object of a line, or what is wrong with it."""
        try:
            value = from_json(line, allow_inf_nan=False)
        except ValueError as error:
            return None, self._why(line, error)
        if not isinstance(value, dict):
            return None, "the line is not a JSON object"
        return value, None

    def _why(self, line: bytes, error: ValueError) -> str:
        if b"\0" in line:
            return "the row holds NUL bytes"
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return f"the row is not valid {self._blocks.encoding}"
        return f"the line is not JSON: {error}"

    def _too_long(self, line: bytes) -> Reject:
        return Reject(self.name, self._row, f"the line is longer than {LINE_BYTES:,} bytes", excerpt_of(line))

    def _table(
        self, wanted: Sequence[str], cells: list[list[str | None]], rows: list[int], rejects: list[Reject]
    ) -> RawRows:
        columns = {column: pa.array([row[index] for row in cells], pa.string()) for index, column in enumerate(wanted)}
        return RawRows(columns, pa.array(rows, pa.int64()), rejects)


def _plain_lines(block: bytes) -> int:
    """The number of lines of a block that Arrow's reader may have; 0 where it could read more or less than there is.

    Version 26 crashes on a bare `null` between objects, takes NaN for a number, and nests as deep as it is told to.
    """
    octets = np.frombuffer(block.removesuffix(b"\n") + b"\n", dtype=np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    last = octets[ends - 1]
    last = np.where(last == ord("\r"), octets[ends - 2], last)
    if not ((octets[starts] == ord("{")) & (last == ord("}")) & (ends - starts <= LINE_BYTES)).all():
        return 0
    if block.count(b"{") + block.count(b"[") > len(ends) + _NESTED:
        return 0
    if b"\0" in block or b"NaN" in block or b"Inf" in block or _BARE_NULL.search(block):
        return 0
    return len(ends)


def _texts(value: dict[str, object], wanted: Sequence[str]) -> tuple[list[str | None], str | None]:
    """The wanted values as text, and what is wrong with the first that has none."""
    texts: list[str | None] = []
    for column in wanted:
        cell = value.get(column)
        if cell is None or isinstance(cell, str):
            texts.append(cell or None)
        elif isinstance(cell, bool):
            texts.append("true" if cell else "false")
        elif isinstance(cell, float) and math.isfinite(cell):
            texts.append(float_text(cell))
        elif isinstance(cell, int) and abs(cell) < 10**400:
            texts.append(str(cell))
        else:
            held = (
                "an object"
                if isinstance(cell, dict)
                else "a list"
                if isinstance(cell, list)
                else "a number out of range"
            )
            return texts, f"{column} holds {held} where text is wanted"
    return texts, None
