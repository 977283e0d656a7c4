"""Text damaged by legacy encodings and keyboard residue, repaired only where the result reads better.

A repair is kept when it lowers the number of impossible syllables: some legacy letters are valid Unicode letters too.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from mpi.data.vn import rows
from mpi.standardise.syllables import ACUTE, DOT, GRAVE, HOOK, TILDE, compose, impossible_count, syllable

_MAXIMUM_ROUNDS = 2
_TELEX_TONES = {"s": ACUTE, "f": GRAVE, "r": HOOK, "x": TILDE, "j": DOT}
_TELEX_SHAPES = (
    ("dd", "đ"),
    ("aa", "â"),
    ("ee", "ê"),
    ("oo", "ô"),
    ("uow", "ươ"),
    ("uwow", "ươ"),
    ("aw", "ă"),
    ("ow", "ơ"),
    ("uw", "ư"),
)
_VNI_TONES = {"1": ACUTE, "2": GRAVE, "3": HOOK, "4": TILDE, "5": DOT}
_VNI_SHAPES = {"6": {"a": "â", "e": "ê", "o": "ô"}, "7": {"u": "ư", "o": "ơ"}, "8": {"a": "ă"}, "9": {"d": "đ"}}
_VOWEL = re.compile(r"[aeiouy]")


@lru_cache(maxsize=2)
def _decoder(column: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """Pattern and table that turn the letters of one legacy encoding, read as cp1252, into Unicode."""
    # The table gives VNI ỹ the code of ì; the encoding itself writes it as two letters, like every other y.
    table: dict[str, str] = {"yõ": "ỹ", "YÕ": "Ỹ"} if column == "vni" else {}
    for row in rows("legacy_encoding_map"):
        table.setdefault(row[column], row["unicode"])
    longest_first = sorted(table, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))), table


def _decode(text: str, column: str) -> str:
    pattern, table = _decoder(column)
    return pattern.sub(lambda match: table[match.group()], text)


def from_tcvn3(text: str) -> str:
    """TCVN3 (ABC fonts) read as cp1252, in Unicode. Its ư is U+00AD: call this before invisible characters are
    stripped."""
    return _decode(text, "tcvn3_as_cp1252")


def from_vni(text: str) -> str:
    """VNI for Windows read as cp1252, in Unicode."""
    return _decode(text, "vni")


_MISREAD = ("á»", "áº", "Æ°", "Æ¡")
"""Letters beside one another that only misread UTF-8 has."""


_LOST = re.compile("\ufffd+")


def _octet(letter: str) -> bytes:
    """The octet that was read as a letter; one that was lost on the way becomes an octet that no UTF-8 has."""
    if letter == "\ufffd":
        return b"\xff"
    return bytes((ord(letter),)) if "\x80" <= letter <= "\x9f" else letter.encode("cp1252")


def from_mojibake(text: str) -> str:
    """UTF-8 that was read as cp1252, in Unicode; the text itself when it is no such thing.

    cp1252 lacks five octets: where one was dropped or replaced, U+FFFD stands for the letter it was part of.
    """
    for _ in range(_MAXIMUM_ROUNDS):
        try:
            octets = b"".join(map(_octet, text))
            lossy = any(mark in text for mark in _MISREAD)
            decoded = octets.decode("utf-8", errors="replace" if lossy else "strict")
        except UnicodeError:
            return text
        if lossy:
            decoded = _LOST.sub("\ufffd", decoded)
        if decoded == text:
            return text
        text = decoded
    return text


def is_legacy_candidate(text: str) -> bool:
    """Whether every letter exists in cp1252 and one is not ASCII: only such text can be TCVN3, VNI or misread UTF-8."""
    if text.isascii():
        return False
    text = text.replace("\ufffd", "")
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return all(letter <= "\xff" or letter in "ŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™" for letter in text)
    return True


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Syllables of the name tables, with their marks."""
    tables = (("surname_freq", "surname"), ("middle_name_freq", "middle"), ("given_name_freq", "given"))
    return frozenset(word.lower() for table, column in tables for row in rows(table) for word in row[column].split())


def _known_count(text: str) -> int:
    return sum(word in _known() for word in text.lower().split())


def _repair_word(word: str) -> str:
    """One word of a text that is Unicode elsewhere: decoded only where an impossible word becomes that of a known
    name."""
    if word.isascii() or syllable(word).possible or not is_legacy_candidate(word):
        return word
    return next((decoded for decoded in (from_vni(word), from_tcvn3(word)) if decoded.lower() in _known()), word)


def repair_encoding(text: str) -> str:
    """The text in Unicode when it reads as misdecoded UTF-8, TCVN3 or VNI with fewer impossible syllables; else the
    text, in NFC."""
    if text.isascii():
        return text
    # Legacy letters are composed ones: taken apart, as some programs store all text, they would not be known again.
    text = unicodedata.normalize("NFC", text)
    if is_legacy_candidate(text):
        text = from_mojibake(text)
    before = impossible_count(unicodedata.normalize("NFC", text))
    if not before:
        return text
    if not is_legacy_candidate(text):
        return " ".join(map(_repair_word, text.split()))
    # A VNI name can read as possible TCVN3 syllables, and the other way round: known names tell the two apart.
    readings = [
        (impossible_count(decoded), -_known_count(decoded), decoded) for decoded in (from_tcvn3(text), from_vni(text))
    ]
    count, _, decoded = min(readings)
    return decoded if count < before else text


def _telex_syllable(word: str) -> str | None:
    """The syllable that the Telex keys of `word` spell, or None when they spell none."""
    first_vowel = _VOWEL.search(word)
    if first_vowel is None:
        return None
    head, tail = word[: first_vowel.end()], word[first_vowel.end() :]
    tone = ""
    for place in range(len(tail) - 1, -1, -1):
        if tail[place] in _TELEX_TONES:
            tone, tail = _TELEX_TONES[tail[place]], tail[:place] + tail[place + 1 :]
            break
    plain = head + tail
    if plain.startswith("d") and not plain.startswith("dd") and plain.endswith("d"):
        plain = "d" + plain[:-1]
    if "uo" in plain and plain.endswith("w"):
        plain = plain[:-1].replace("uo", "uow")
    elif plain.endswith("w") and len(plain) > 1 and plain[-2] not in "auo":
        last = max(plain.rfind(vowel) for vowel in "auo")
        plain = plain[: last + 1] + "w" + plain[last + 1 : -1] if last >= 0 else plain
    for keys, letter in _TELEX_SHAPES:
        plain = plain.replace(keys, letter)
    return compose(plain, tone)


def _vni_syllable(word: str) -> str | None:
    """The syllable that VNI typing spells with digits in `word`, or None when it spells none."""
    letters: list[str] = []
    tone = ""
    for letter in word:
        if letter in _VNI_TONES:
            if tone:
                return None
            tone = _VNI_TONES[letter]
        elif letter in _VNI_SHAPES:
            shapes = _VNI_SHAPES[letter]
            places = [index for index, known in enumerate(letters) if known in shapes]
            if not places:
                return None
            pair = letter == "7" and len(places) == 2
            for place in places if pair else places[-1:]:
                letters[place] = shapes[letters[place]]
        else:
            letters.append(letter)
    return compose("".join(letters), tone)


def _typed(text: str, spell: Callable[[str], str | None]) -> str | None:
    """All words respelled where they are impossible as they stand; None unless every word then is a possible
    syllable."""
    respelled: list[str] = []
    for word in text.split():
        spelled = word if syllable(word).possible else spell(word)
        if spelled is None:
            return None
        respelled.append(spelled)
    return " ".join(respelled)


def repair_typing(text: str) -> str:
    """Lower-case ASCII text with the marks that Telex keys or VNI digits in it stand for; the text when they stand
    for none.

    One digit alone is taken for a number behind the name, not for VNI typing.
    """
    if not text.isascii() or not impossible_count(text):
        return text
    if sum(letter.isdigit() for letter in text) >= 2:
        return _typed(text, _vni_syllable) or text
    return _typed(text, _telex_syllable) or text
