"""Text files as bounded blocks of UTF-8 bytes, whatever encoding or compression they come in.

Nothing here holds more than a few blocks. Bytes that the declared encoding does not know come out as invalid UTF-8,
so that the row they stand in can be rejected alone.
"""

import codecs
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from mpi.domain.errors import SourceUnreadableError

BLOCK_BYTES = 1 << 20
"""Bytes read at a time."""

LINE_BYTES = 1 << 20
"""Longest line, and longest record, that is looked at; a longer one is rejected unread."""

CELL_CHARACTERS = 10_000
"""Longest cell that is accepted, in characters."""

BOMB_BYTES = 1 << 30
BOMB_RATIO = 200
"""A compressed file may not unpack to more than BOMB_BYTES and BOMB_RATIO times its own size."""

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_KNOWN_BINARY = (
    (b"PK\x03\x04", "is a ZIP archive or an Excel workbook; save it as CSV (UTF-8)"),
    (b"PAR1", "is a Parquet file; name it .parquet"),
    (b"\x1f\x8b", "is compressed by gzip; name it with .gz at the end"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook; save it as CSV (UTF-8)"),
    (b"SQLite format 3\0", "is an SQLite database; export its table as CSV or Parquet"),
    (b"%PDF", "is a PDF document; the data are wanted as CSV, NDJSON or Parquet"),
)


class TextBlocks:
    """One text file, read once from its beginning: `next_block`, then `keep` what is not a whole record yet."""

    def __init__(self, path: Path, name: str, *, encoding: str) -> None:
        """Open the file. Raises SourceUnreadableError for a file that is empty, known binary or cannot be opened."""
        self.name = name
        self.encoding = encoding
        self.final = False
        self._carry = b""
        self._unpacked = 0
        try:
            self._size = path.stat().st_size
            self._raw = path.open("rb")
        except OSError as error:
            raise SourceUnreadableError(f"{name}: cannot be opened: {error.strerror}") from error
        gzipped = path.suffix.lower() == ".gz"
        self._stream = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if gzipped else self._raw
        try:
            first = self._read()
            self._refuse_binary(first)
            mark = next(((mark, known) for mark, known in _BYTE_ORDER_MARKS if first.startswith(mark)), None)
            if mark is not None:
                self.encoding = mark[1]
                first = first[len(mark[0]) :] if mark[1] == "utf-8" else first
            plain = codecs.lookup(self.encoding).name in ("utf-8", "ascii", "utf-8-sig")
            # UTF-16 is wrong only by a lone surrogate or a cut end, an 8-bit encoding by a byte it does not define.
            self._errors = "surrogatepass" if "utf-16" in self.encoding.lower() else "surrogateescape"
            self._decoder = None if plain else codecs.getincrementaldecoder(self.encoding)(self._errors)
            self._carry = self._decode(first)
        except BaseException:
            self.close()
            raise

    @property
    def bytes_read(self) -> int:
        """Bytes of the file (as stored, compressed or not) that have been consumed."""
        return self._size if self._raw.closed else self._raw.tell()

    def next_block(self) -> bytes:
        """What was kept and about BLOCK_BYTES more; `final` tells that nothing follows."""
        more = self._read()
        self.final = not more
        block = self._carry + self._decode(more)
        self._carry = b""
        return block

    def first_block(self) -> bytes:
        """At least one line from the beginning, or LINE_BYTES when no line ends before that. To be kept afterwards."""
        block = self._carry
        while b"\n" not in block and len(block) <= LINE_BYTES and not self.final:
            self._carry = block
            block = self.next_block()
        self._carry = b""
        return block

    def keep(self, rest: bytes) -> None:
        """Put the beginning of an unfinished record back, in front of the next block."""
        self._carry = rest

    def skip_line(self) -> None:
        """Throw away everything up to and with the next newline."""
        while not self.final:
            block = self.next_block()
            end = block.find(b"\n")
            if end >= 0:
                self._carry = block[end + 1 :]
                return

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._raw.close()

    def _read(self) -> bytes:
        try:
            data = self._stream.read(BLOCK_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise SourceUnreadableError(
                f"{self.name}: the gzip data are damaged or cut short; copy the file again"
            ) from error
        except OSError as error:
            raise SourceUnreadableError(f"{self.name}: cannot be read: {error.strerror or error}") from error
        self._unpacked += len(data)
        if self._unpacked > max(BOMB_BYTES, BOMB_RATIO * self._size):
            raise SourceUnreadableError(
                f"{self.name}: unpacks to more than {BOMB_RATIO} times its size; send it uncompressed if that is meant"
            )
        return data

    def _decode(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        try:
            return self._decoder.decode(data, final=not data).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise SourceUnreadableError(
                f"{self.name}: cannot be decoded as {self.encoding} ({error.reason});"
                " declare its encoding in the mapping file"
            ) from error

    def _refuse_binary(self, first: bytes) -> None:
        if not first:
            raise SourceUnreadableError(f"{self.name}: is empty; a header line or at least one record is wanted")
        for magic, what in _KNOWN_BINARY:
            if first.startswith(magic):
                raise SourceUnreadableError(f"{self.name}: {what}")
        if "utf-16" in self.encoding.lower() or "utf-32" in self.encoding.lower() or first.startswith(b"\xff\xfe"):
            return
        head = first[:4096]
        odd = sum(head.count(byte) for byte in range(32) if byte not in b"\t\n\r\x0c\x1b\x1a")
        if odd > max(64, len(head) // 20):
            raise SourceUnreadableError(
                f"{self.name}: is binary, not {self.encoding} text; if it is UTF-16, declare `encoding: utf-16`"
            )
