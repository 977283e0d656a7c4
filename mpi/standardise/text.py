"""Text that every field kind starts from: capped, without control characters, folded to ASCII.

Nothing here knows of Vietnamese syllables; no function raises, whatever the text.
"""

import re
import unicodedata

MAXIMUM_CHARACTERS = 500
"""What lies beyond is cut before any work: no field of a person is longer, and junk can be."""

# NFKD splits none of these letters. U+00D0 and U+0189 stand in for the Vietnamese letter in some fonts.
_LETTERS = str.maketrans(
    dict(zip("đĐðÐɖƉøØłŁıƀɃ", "dDdDdDoOlLibB", strict=True))
    | {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th"}
)
_RARE_LETTERS = re.compile("[ðÐɖƉøØłŁıƀɃßæÆœŒþÞ]")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_NOT_DIGIT = re.compile(r"[^0-9]+")


def capped(value: str | None) -> str:
    """At most `MAXIMUM_CHARACTERS` of a raw value, control characters as spaces, ends trimmed; "" for None."""
    if not value:
        return ""
    value = value[:MAXIMUM_CHARACTERS]
    if not value.isprintable():
        value = _CONTROL.sub(" ", value)
    return value.strip()


def without_invisibles(text: str) -> str:
    """The text without zero-width characters, direction marks, soft hyphens and byte-order marks."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def folded(text: str) -> str:
    """Lower-case ASCII form: marks dropped, full-width forms narrowed, letters that have no ASCII form left out."""
    if text.isascii():
        return text.lower()
    # Translating is slow, and đ is nearly always the only letter that asks for it.
    text = text.translate(_LETTERS) if _RARE_LETTERS.search(text) else text.replace("đ", "d").replace("Đ", "D")
    plain = unicodedata.normalize("NFKD", text)
    return plain.encode("ascii", "ignore").decode("ascii").lower()


def words(value: str | None) -> str | None:
    """Lower-case ASCII words with one space between them; punctuation counts as a space. None when nothing is left."""
    return _NOT_WORD.sub(" ", folded(without_invisibles(capped(value)))).strip() or None


def token(value: str | None) -> str | None:
    """Letters and digits only, lower-case ASCII. None when nothing is left."""
    return _NOT_WORD.sub("", folded(without_invisibles(capped(value)))) or None


def digits(value: str | None) -> str | None:
    """ASCII digits only, leading zeros kept. None when there is none."""
    return _NOT_DIGIT.sub("", folded(capped(value))) or None


def integer(value: str | None) -> int | None:
    """A whole number of 32 bits, also when a spreadsheet wrote it as `12.0`; None for anything else."""
    match = re.fullmatch(r"\s*([+-]?[0-9]{1,10})(?:\.0*)?\s*", folded(capped(value)))
    if match is None:
        return None
    number = int(match.group(1))
    return number if -(2**31) <= number < 2**31 else None
