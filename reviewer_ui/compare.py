"""Two values letter by letter: a changed tone, a changed vowel mark, đ for d and another letter are told apart.

Letters are aligned without their marks, so that a lost tone never shifts what follows. Nothing is changed: the pieces
of a side put together are its value, in Unicode's composed form.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from mpi.standardise.text import MAXIMUM_CHARACTERS, folded
from reviewer_ui.languages import message


class Difference(StrEnum):
    """How a letter differs from the one opposite; ONLY_HERE has none opposite."""

    NONE = "none"
    TONE = "tone"
    VOWEL = "vowel"
    TONE_AND_VOWEL = "both"
    STROKE = "stroke"
    LETTER = "letter"
    ONLY_HERE = "only"


DIFFERENCE_WORDS: Mapping[Difference, str] = {
    Difference.TONE: message("tone mark"),
    Difference.VOWEL: message("vowel mark"),
    Difference.TONE_AND_VOWEL: message("tone and vowel mark"),
    Difference.STROKE: message("d or đ"),
    Difference.LETTER: message("another letter"),
    Difference.ONLY_HERE: message("only on this side"),
}

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_VOWEL_MARKS = frozenset("\u0302\u0306\u031b")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some letters of a value that differ from the other side in one way."""

    text: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Compared:
    """Two values in pieces, and the ways in which they differ, each once, in the order of `Difference`."""

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    differences: tuple[Difference, ...]


def compare(left: str, right: str) -> Compared:
    """Two values in pieces; capitals and spaces at the ends make no difference. Long values are cut."""
    ours, theirs = _letters(left), _letters(right)
    matcher = SequenceMatcher(None, [_base(each) for each in ours], [_base(each) for each in theirs], autojunk=False)
    one: list[Piece] = []
    other: list[Piece] = []
    for kind, start, stop, first, last in matcher.get_opcodes():
        if kind == "equal":
            for a, b in zip(ours[start:stop], theirs[first:last], strict=True):
                difference = _of_marks(a, b)
                one.append(Piece(a, difference))
                other.append(Piece(b, difference))
            continue
        opposite = Difference.LETTER if kind == "replace" else Difference.ONLY_HERE
        one.append(Piece("".join(ours[start:stop]), opposite))
        other.append(Piece("".join(theirs[first:last]), opposite))
    found = {piece.difference for piece in (*one, *other) if piece.text} - {Difference.NONE}
    return Compared(_joined(one), _joined(other), tuple(each for each in Difference if each in found))


def _letters(value: str) -> list[str]:
    """The letters as they are written, each with the marks that follow it."""
    letters: list[str] = []
    for character in unicodedata.normalize("NFC", value.strip()[:MAXIMUM_CHARACTERS]):
        if letters and unicodedata.combining(character):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _base(letter: str) -> str:
    """A letter without marks and capitals; what has no such form stays."""
    return folded(letter) or letter.casefold()


def _of_marks(left: str, right: str) -> Difference:
    """How two letters differ that are the same without their marks."""
    ours, theirs = (set(unicodedata.normalize("NFD", letter.casefold())) for letter in (left, right))
    changed = ours ^ theirs
    if not changed:
        return Difference.NONE
    if "đ" in changed:
        return Difference.STROKE
    tone, vowel = bool(changed & _TONES), bool(changed & _VOWEL_MARKS)
    if tone and vowel:
        return Difference.TONE_AND_VOWEL
    if tone or vowel:
        return Difference.TONE if tone else Difference.VOWEL
    return Difference.LETTER


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Neighbours that differ alike as one piece; empty ones dropped."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].difference is piece.difference:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.difference)
        elif piece.text:
            joined.append(piece)
    return tuple(joined)
