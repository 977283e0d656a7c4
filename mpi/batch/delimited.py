"""Delimited text (CSV and kin, RFC 4180) as rows: clean blocks go to Arrow's parser, doubtful ones row by row.

Both paths give the same rows: a block is clean only if every quote opens or closes a cell and all that the careful
path checks holds. Blank lines are not rows. An unclosed quote costs its own line, not the lines after it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from mpi.batch.rejects import RawRows, Reject, excerpt_of
from mpi.batch.text_blocks import CELL_CHARACTERS, LINE_BYTES, TextBlocks
from mpi.domain.errors import SourceUnreadableError

DELIMITERS = (",", ";", "\t", "|")
"""Delimiters looked for in a header, in this order of preference."""

_CELL_BYTES = 4 * CELL_CHARACTERS + 2
_HOPELESS_ROWS = 10
_CAREFUL_BYTES = 1 << 14
_QUOTE, _NEWLINE, _RETURN = b'"\n\r'
_QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')


@dataclass(slots=True)
class _Careful:
    """What the careful path makes of one block."""

    cells: list[list[str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    undecodable: int = 0


class DelimitedFile:
    """One delimited file, read once. `columns` are the header's names, stripped of spaces."""

    rows: int | None = None

    def __init__(self, path: Path, name: str, *, encoding: str, delimiter: str | None, hints: Sequence[str]) -> None:
        """Open the file and read its header; without a declared delimiter the one that finds most of `hints` is taken.

        Raises SourceUnreadableError.
        """
        self.name = name
        self._blocks = TextBlocks(path, name, encoding=encoding)
        try:
            block = self._blocks.first_block()
            self.columns, end, self._delimiter = self._header(block, (delimiter,) if delimiter else DELIMITERS, hints)
        except BaseException:
            self._blocks.close()
            raise
        self._plain = _plain_cell(self._delimiter)
        self._blocks.keep(block[end:])
        self._row = 0

    @property
    def bytes_read(self) -> int:
        """Bytes consumed of the file as stored."""
        return self._blocks.bytes_read

    def close(self) -> None:
        """Close the file."""
        self._blocks.close()

    def read(self, wanted: Sequence[str]) -> Iterator[RawRows]:
        """Rows of the `wanted` columns, each of which is in `columns`; empty cells are null.

        Raises SourceUnreadableError when most of the first rows cannot be decoded.
        """
        positions = [self.columns.index(column) for column in wanted]
        while True:
            block = self._blocks.next_block()
            while self._long_line(block):
                self._row += 1
                reason = f"the line is longer than {LINE_BYTES:,} bytes"
                yield self._raw_rows(wanted, [], [], [Reject(self.name, self._row, reason, excerpt_of(block[:1000]))])
                end = block.find(b"\n")
                if end < 0:
                    self._blocks.skip_line()
                    block = self._blocks.next_block()
                else:
                    block = block[end + 1 :]
            end, clean = self._last_boundary(block)
            if clean:
                yield from self._clean_rows(block[:end], wanted, positions)
            else:
                careful, end = self._careful(block, positions, self._blocks.final)
                yield self._raw_rows(wanted, careful.cells, careful.rows, careful.rejects)
            if self._blocks.final:
                return
            self._blocks.keep(block[end:])

    def _header(self, block: bytes, delimiters: Sequence[str], hints: Sequence[str]) -> tuple[list[str], int, bytes]:
        """Names, the offset behind the header, and the delimiter that finds most of the hints."""
        start = len(block) - len(block.lstrip(b"\r\n"))
        if b"\n" not in block[start:] and len(block) > LINE_BYTES:
            raise SourceUnreadableError(f"{self.name}: its first line exceeds {LINE_BYTES:,} bytes; a header is wanted")
        best: tuple[list[bytes], int, bytes] | None = None
        best_score = (-1, -1)
        problem: str | None = "every line is blank"
        wanted = {hint.encode() for hint in hints}
        for mark in (delimiter.encode() for delimiter in delimiters):
            cells, end, trouble = _split_record(block, start, mark, _plain_cell(mark))
            score = (len({cell.strip() for cell in cells} & wanted), len(cells))
            if trouble is None and cells and score > best_score:
                best, best_score = (cells, end, mark), score
            problem = trouble or problem
        if best is None:
            raise SourceUnreadableError(f"{self.name}: the header cannot be read: {problem}")
        return self._names(best[0]), best[1], best[2]

    def _names(self, cells: Sequence[bytes]) -> list[str]:
        """The header's cells as column names. Raises SourceUnreadableError for what no header can be."""
        try:
            names = [cell.decode("utf-8").strip() for cell in cells]
        except UnicodeDecodeError:
            raise SourceUnreadableError(
                f"{self.name}: the header is not {self._blocks.encoding} text; declare the encoding in the mapping"
                " file, for example `encoding: cp1258`"
            ) from None
        if any("\r" in name for name in names):
            raise SourceUnreadableError(f"{self.name}: lines end in a bare carriage return; line feeds are wanted")
        if any("\0" in name for name in names):
            raise SourceUnreadableError(
                f"{self.name}: the header holds NUL bytes; if it is UTF-16, declare `encoding: utf-16`"
            )
        return names

    def _long_line(self, block: bytes) -> bool:
        # What was kept starts a record and new bytes are at most a line's worth: only the first line can be too long.
        end = block.find(b"\n")
        return (len(block) if end < 0 else end) > LINE_BYTES

    def _last_boundary(self, block: bytes) -> tuple[int, bool]:
        """Where the last whole record of the block ends, and whether quotes and returns up to there are clean."""
        whole = len(block)
        if b'"' not in block:
            end = whole if self._blocks.final else block.rfind(b"\n") + 1
            return end, block.count(b"\r") == block.count(b"\r\n") + (block.endswith(b"\r") and end < whole)
        data = np.frombuffer(block, dtype=np.uint8)
        quotes = np.flatnonzero(data == _QUOTE)
        newlines = np.flatnonzero(data == _NEWLINE)
        outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        end = whole if self._blocks.final else (int(outside[-1]) + 1 if len(outside) else 0)
        if end == 0:
            return 0, len(block) <= LINE_BYTES
        quotes = quotes[quotes < end]
        if len(quotes) % 2:
            return end, False
        opening, closing = quotes[0::2], quotes[1::2]
        separators = (self._delimiter[0], _NEWLINE)
        before = np.where(opening > 0, data[opening - 1], _NEWLINE)
        after = np.where(closing + 1 < end, data[np.minimum(closing + 1, whole - 1)], _NEWLINE)
        doubled = opening[1:] == closing[:-1] + 1
        clean = np.isin(before, separators)
        clean[1:] |= doubled
        closes = np.isin(after, (*separators, _RETURN))
        closes[:-1] |= doubled
        returns = np.flatnonzero(data[:end] == _RETURN)
        lone = returns[data[np.minimum(returns + 1, whole - 1)] != _NEWLINE]
        return end, bool(clean.all() and closes.all() and not len(lone))

    def _clean_rows(self, block: bytes, wanted: Sequence[str], positions: Sequence[int]) -> Iterator[RawRows]:
        """Rows of a block with clean quotes. Where Arrow refuses, halves are tried, so that a bad row costs little."""
        if not block:
            return
        arrays = self._arrow(block, positions)
        middle = _boundary_near_middle(block) if arrays is None and len(block) > _CAREFUL_BYTES else 0
        if arrays is not None:
            count = len(arrays[0])
            numbers = pa.array(np.arange(self._row + 1, self._row + count + 1, dtype=np.int64))
            self._row += count
            yield RawRows(dict(zip(wanted, arrays, strict=True)), numbers, ())
        elif middle:
            yield from self._clean_rows(block[:middle], wanted, positions)
            yield from self._clean_rows(block[middle:], wanted, positions)
        else:
            careful, _ = self._careful(block, positions, True)
            yield self._raw_rows(wanted, careful.cells, careful.rows, careful.rejects)

    def _arrow(self, block: bytes, positions: Sequence[int]) -> list[pa.Array] | None:
        """Wanted columns of a clean block, or None when any row of it needs a careful look."""
        if b"\0" in block or not positions:
            return None
        try:
            block.decode("utf-8")
            names = [str(index) for index in range(len(self.columns))]
            wanted = [str(index) for index in positions]
            table = pyarrow.csv.read_csv(
                pa.BufferReader(block),
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
                parse_options=pyarrow.csv.ParseOptions(delimiter=self._delimiter.decode(), newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=list(dict.fromkeys(wanted)),
                    null_values=[""],
                    strings_can_be_null=True,
                    check_utf8=False,
                ),
            )
        except (UnicodeDecodeError, pa.ArrowInvalid):
            return None
        arrays = [table.column(name).combine_chunks() for name in wanted]
        # A quote left open may have eaten many rows: the careful path gives those back.
        if b'"' in block and any((pc.max(pc.binary_length(array)).as_py() or 0) > CELL_CHARACTERS for array in arrays):
            return None
        return arrays

    def _careful(self, block: bytes, positions: Sequence[int], final: bool) -> tuple[_Careful, int]:
        """Rows and rejects of a block, and where the first record begins that the block does not hold whole."""
        out = _Careful()
        at = 0
        while at < len(block):
            cells, end, problem = _split_record(block, at, self._delimiter, self._plain)
            if end == len(block) and not final and (problem is not None or not block.endswith(b"\n")):
                if len(block) - at <= LINE_BYTES:
                    break
                problem = problem or f"the row is longer than {LINE_BYTES:,} bytes"
            if problem is not None:
                newline = block.find(b"\n", at)
                if newline < 0 and not final:
                    break
                end = len(block) if newline < 0 else newline + 1
            if problem is None and not cells:
                at = end
                continue
            self._row += 1
            self._judge(block[at:end], cells, problem, (out, positions))
            at = end
        if out.undecodable >= _HOPELESS_ROWS and out.undecodable * 2 > self._row:
            raise SourceUnreadableError(
                f"{self.name}: {out.undecodable} of the first {self._row} rows are not {self._blocks.encoding} text;"
                " declare the encoding in the mapping file, for example `encoding: cp1258`"
            )
        return out, at

    def _judge(
        self, record: bytes, cells: list[bytes], problem: str | None, into: tuple[_Careful, Sequence[int]]
    ) -> None:
        """Put one record among the rows or the rejects."""
        out, positions = into
        if problem is None:
            try:
                text = [cell.decode("utf-8") for cell in cells]
            except UnicodeDecodeError:
                out.undecodable += 1
                problem = f"the row is not valid {self._blocks.encoding}"
        if problem is None and b"\0" in record:
            problem = "the row holds NUL bytes"
        if problem is None and len(cells) != len(self.columns):
            problem = f"the row has {len(cells)} cells where the header has {len(self.columns)}"
        if problem is None:
            out.cells.append([text[position] for position in positions])
            out.rows.append(self._row)
        else:
            out.rejects.append(Reject(self.name, self._row, problem, excerpt_of(record)))

    def _raw_rows(
        self, wanted: Sequence[str], cells: list[list[str]], rows: list[int], rejects: list[Reject]
    ) -> RawRows:
        columns = {
            column: pa.array([row[index] or None for row in cells], pa.string()) for index, column in enumerate(wanted)
        }
        return RawRows(columns, pa.array(rows, pa.int64()), rejects)


def _boundary_near_middle(block: bytes) -> int:
    """Where a record begins near the middle of a block whose quotes are clean; 0 when none is found soon."""
    at = len(block) // 2
    odd = block.count(b'"', 0, at) % 2
    for _ in range(100):
        newline = block.find(b"\n", at)
        if newline < 0 or newline + 1 == len(block):
            return 0
        odd = (odd + block.count(b'"', at, newline)) % 2
        at = newline + 1
        if not odd:
            return at
    return 0


def _plain_cell(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(b"[^" + re.escape(delimiter) + b"\n]*+")


def _split_record(
    data: bytes, start: int, delimiter: bytes, plain: re.Pattern[bytes]
) -> tuple[list[bytes], int, str | None]:
    """Cells of the record at `start`, the offset behind it, and what is wrong with it.

    A blank line has no cells. A record that the data do not hold to its end reaches to the end of the data.
    """
    newline = data.find(b"\n", start)
    line = data[start : newline if newline >= 0 else len(data)]
    if b'"' not in line:
        end = start + len(line) + (newline >= 0)
        line = line.removesuffix(b"\r")
        return (line.split(delimiter) if line else []), end, None
    cells: list[bytes] = []
    at = start
    while True:
        if data[at : at + 1] == b'"':
            quoted = _QUOTED.match(data, at, at + _CELL_BYTES)
            if quoted is None:
                rest_is_short = len(data) - at < _CELL_BYTES
                return cells, len(data) if rest_is_short else at, "a quote is opened and never closed"
            cells.append(quoted.group(1).replace(b'""', b'"'))
            at = quoted.end()
            if data[at : at + 2] == b"\r\n" or (at == len(data) - 1 and data[at] == _RETURN):
                at += 1
        else:
            match = plain.match(data, at)
            assert match is not None, "the pattern matches the empty string"
            at = match.end()
            cells.append(match.group().removesuffix(b"\r") if data[at : at + 1] != delimiter else match.group())
        follows = data[at : at + 1]
        if follows == delimiter:
            at += 1
        elif follows in (b"\n", b""):
            return cells, at + len(follows), None
        else:
            return cells, at, "text follows a closing quote"
