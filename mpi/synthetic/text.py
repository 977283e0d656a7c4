"""Strings by the column: byte grids for numbers, lookup tables for words, and the ways a word gets written wrongly.

A byte grid is uint8 of shape (rows, width); zero bytes are left out, so a digit is dropped by writing a zero.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
ByteGrid = NDArray[np.uint8]
Strings = Any  # pyarrow ships no types: a pa.StringArray

TONE_LETTERS = {
    "\u0301": ("s", "1"),
    "\u0300": ("f", "2"),
    "\u0309": ("r", "3"),
    "\u0303": ("x", "4"),
    "\u0323": ("j", "5"),
}
SHAPE_LETTERS: dict[str, tuple[str | None, str]] = {"\u0302": (None, "6"), "\u031b": ("w", "7"), "\u0306": ("w", "8")}


def grid_strings(grid: ByteGrid, null: BoolArray) -> Strings:
    """Strings of a byte grid's non-zero bytes (UTF-8); rows flagged in `null` are missing."""
    kept = grid != 0
    kept[null] = False
    offsets = np.zeros(len(grid) + 1, dtype=np.int32)
    np.cumsum(kept.sum(axis=1), out=offsets[1:])
    validity = np.packbits(~null, bitorder="little")
    return pa.StringArray.from_buffers(
        len(grid), pa.py_buffer(offsets), pa.py_buffer(grid[kept]), pa.py_buffer(validity), int(null.sum())
    )


def digits(values: IntArray, width: int) -> ByteGrid:
    """Byte grid of zero-padded decimal numbers, shape (rows, width)."""
    grid = np.empty((len(values), width), dtype=np.uint8)
    rest = values.copy()
    for column in range(width - 1, -1, -1):
        rest, last = np.divmod(rest, 10)
        grid[:, column] = last + 48
    return grid


def plain_digits(values: IntArray, width: int) -> ByteGrid:
    """Like `digits` without leading zeros; the value 0 gives an empty row."""
    grid = digits(values, width)
    grid[np.cumsum(grid != 48, axis=1) == 0] = 0
    return grid


def literal_grid(texts: Sequence[str], width: int) -> ByteGrid:
    """Byte grid of a few fixed texts, padded with zeros to `width`."""
    grid = np.zeros((len(texts), width), dtype=np.uint8)
    for row, text in enumerate(texts):
        data = text.encode()
        grid[row, : len(data)] = np.frombuffer(data, dtype=np.uint8)
    return grid


def join(parts: Sequence[Strings], null: BoolArray | None = None) -> Strings:
    """Concatenation of string columns, with no separator; rows flagged in `null` are missing."""
    text = pc.binary_join_element_wise(*parts, "")
    return text if null is None else pc.if_else(pa.array(null), pa.scalar(None, pa.string()), text)


def take(table: Strings, index: NDArray[Any]) -> Strings:
    """Rows of a lookup table."""
    return table.take(pa.array(index))


def bare(text: str) -> str:
    """The text without Vietnamese marks; đ becomes d."""
    stripped = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return stripped.replace("đ", "d").replace("Đ", "D")


def _keys(text: str, method: int) -> str:
    """What stays on screen when the input method is off: Telex (0) or VNI (1) keys, tone key at the word's end."""
    words = []
    for word in text.split(" "):
        out, tone = "", ""
        for letter in unicodedata.normalize("NFD", word):
            if letter in TONE_LETTERS:
                tone = TONE_LETTERS[letter][method]
            elif letter in SHAPE_LETTERS:
                out += SHAPE_LETTERS[letter][method] or out[-1].lower()
            elif letter in "đĐ":
                base = "d" if letter == "đ" else "D"
                out += base + ("d" if method == 0 else "9")
            else:
                out += letter
        words.append(out + tone)
    return " ".join(words)


def telex_keys(text: str) -> str:
    """Telex residue: Nguyễn becomes Nguyeenx."""
    return _keys(text, 0)


def vni_keys(text: str) -> str:
    """VNI residue: Nguyễn becomes Nguye6n4."""
    return _keys(text, 1)


def utf8_as_cp1252(text: str) -> str:
    """UTF-8 bytes read as Windows-1252 (undefined bytes as Latin-1, as browsers do)."""
    return "".join(bytes([b]).decode("cp1252", errors="ignore") or chr(b) for b in text.encode())


def lost_letters(text: str) -> str:
    """Letters outside Latin-1 replaced by a question mark."""
    return text.encode("latin-1", errors="replace").decode("latin-1")


def other_tone_place(text: str) -> str:
    """The newer tone placement on open oa, oe, uy: hòa becomes hoà."""
    words = []
    for word in text.split(" "):
        letters = unicodedata.normalize("NFD", word)
        plain = bare(word).lower()
        if plain[-2:] in ("oa", "oe", "uy") and not plain.startswith("q"):
            tone = next((c for c in letters if c in TONE_LETTERS), "")
            letters = "".join(c for c in letters if c not in TONE_LETTERS) + tone
        words.append(unicodedata.normalize("NFC", letters))
    return " ".join(words)


def by_letter(table: Mapping[str, str]) -> Callable[[str], str]:
    """A writer that replaces letter by letter: legacy fonts."""
    codes = {ord(letter): written for letter, written in table.items()}
    return lambda text: text.translate(codes)
