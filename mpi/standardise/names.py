"""Vietnamese personal names: repaired, split by syllable, and folded in five degrees.

The order of repairs matters: legacy encodings first (their ư is an invisible character), then Unicode, then typing.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from mpi.data.vn import rows
from mpi.standardise.encodings import from_mojibake, repair_encoding, repair_typing
from mpi.standardise.placeholders import NEWBORN_PREFIX, NEWBORN_SUFFIX, is_placeholder_name
from mpi.standardise.syllables import Syllable, syllable
from mpi.standardise.text import capped, folded, without_invisibles

MAXIMUM_SYLLABLES = 12
"""Foreign names have many parts; what lies beyond is dropped."""

_LABEL = re.compile(
    r"^(?:(?:họ và tên|họ tên|ho va ten|ho ten|tên|ten|ông|bà|anh|chị|em|cháu|mr|mrs|ms)\s*[:.]"
    r"|(?:bn|hs|sv|gv|nb)\s*[:.]?\s)\s*"
)
_BRACKETS = re.compile(r"\([^)]*\)?|\[[^\]]*\]?")
_NEWBORN_MARK = re.compile(r"[(\[]\s*(?:con|cb|c/b)\b[^)\]]*[)\]]?|\s[-–]\s*con\b.*$")
_BIRTH_SUFFIX = re.compile(r"\s(?:sn|sinh|ns|năm sinh|nam sinh)(?:\s(?:năm|nam|ngày|ngay))?\s*:?\s*\d.*$")
_LIST_SUFFIX = re.compile(r"\s[-–—_/]\s*(?:\w{1,3}|[^\W\d]*\s*\d\S*|l[oớ]p\s.*|hs\s.*)$")
_SEPARATORS = re.compile(r"[^\w?\ufffd\u0300-\u036f]+|_")
_DIGITS = re.compile(r"\d+")
_NEWBORN_WORDS = re.compile(r"\b(?:c/?b|con|b[egté]|tss|ss|tr[eẻ]|s[oơ])\b", re.IGNORECASE)
_TRIGGERS = frozenset(
    "con cb bg bt tss ss tre so be vo khong chua nguoi benh test nguyen tran ng abc ho hs bn sv gv nb".split()
)
# Most common of all first syllables, so kept out of the slow path unless the name is as short as a placeholder.
_SHORT_TRIGGERS = frozenset(("nguyen", "tran", "vo", "ho"))
_CONSONANTS = frozenset("bcdđghklmnpqrstvx")
_ORDER_AHEAD = re.compile(r"\b(?:con th[uứ]|trai|g[aá]i)\s+([1-9])\b")
_ORDER_BEHIND = re.compile(r"\D([1-9])(?:\s*/\s*[1-9])?[\s)\].]*$")
_NOTHING = (None,) * 13


class StandardName(NamedTuple):
    """All standard forms of one name; None where nothing is known. Only `accented`, `neutral` and `given_known` may be
    other than ASCII.

    `given_known` is the given name with its marks where the tables have it as it is written: a slip of the pen seldom
    makes another name, while a twin always bears one.
    """

    accented: str | None
    neutral: str | None
    folded: str | None
    dialect: str | None
    surname: str | None
    middle: str | None
    given: str | None
    given_dialect: str | None
    surname_dialect: str | None
    initials: str | None
    sorted: str | None
    given_known: str | None
    mother: str | None


@lru_cache(maxsize=1)
def _known_syllables() -> tuple[str, ...]:
    """ASCII syllables of the name tables, to fill lost letters with."""
    known: set[str] = set()
    for table in ("surname_freq", "given_name_freq", "middle_name_freq"):
        for row in rows(table):
            known.update(row["folded"].split())
    return tuple(sorted(known))


@lru_cache(maxsize=1)
def _given_names() -> tuple[frozenset[str], frozenset[str]]:
    """Last syllables of the given names on record: with marks (neutral to tone placement and i/y), and without."""
    written = [row["given"] for row in rows("given_name_freq")]
    written += [row["middle_and_given"] for row in rows("middle_given_pair_freq")]
    known = [syllable(name.split()[-1]) for name in written]
    return frozenset(one.neutral for one in known), frozenset(one.folded for one in known)


def _fill_lost_letters(word: str) -> str:
    """A word whose letters became "?" or U+FFFD, filled when one known syllable alone fits; "?" stays otherwise."""
    word = folded(word.replace("\ufffd", "?"))
    if not word.strip("?"):
        return ""
    pattern = re.compile(re.escape(word).replace(r"\?", "[a-z]"))
    fitting = [known for known in _known_syllables() if len(known) == len(word) and pattern.fullmatch(known)]
    return fitting[0] if len(fitting) == 1 else word


def _split(text: str) -> list[str]:
    """The words of a cleaned lower-case name: no digits, no lone punctuation, lost letters filled where that is
    sure."""
    words: list[str] = []
    for word in _SEPARATORS.sub(" ", text).split():
        if word[0].isdigit():
            continue
        word = _DIGITS.sub("", word)
        if "?" in word or "\ufffd" in word:
            word = _fill_lost_letters(word)
        if word:
            words.append(word)
    return words[:MAXIMUM_SYLLABLES]


def _without_initials(words: list[str]) -> list[str]:
    """A middle name of one consonant (`Nguyễn T. Kim`) is an abbreviation: it says no more than none."""
    inner = [word for word in words[1:-1] if len(word) > 1 or word not in _CONSONANTS]
    return [*words[:1], *inner, *words[-1:]] if len(words) > 2 else words


def _expand_surname(words: list[str]) -> list[str]:
    """`Ng.` in front of other words is how Nguyễn is abbreviated."""
    if len(words) > 1 and words[0] == "ng":
        marked = any(not word.isascii() for word in words)
        return ["nguyễn" if marked else "nguyen", *words[1:]]
    return words


def repaired(value: str | None) -> str:
    """A raw name in lower-case NFC with encoding, labels and class-list suffixes put right; "" for nothing."""
    # Misread UTF-8 holds control characters, which must not become spaces before it is read again.
    text = repair_encoding(capped(from_mojibake(value) if value and not value.isprintable() else value))
    text = without_invisibles(unicodedata.normalize("NFKC", text)).lower()
    text = unicodedata.normalize("NFC", text)
    text = _LABEL.sub("", " ".join(text.split()))
    text = _NEWBORN_MARK.sub(" con 1", _BIRTH_SUFFIX.sub("", text))
    text = _BRACKETS.sub(" ", text)
    return _LIST_SUFFIX.sub("", text.strip()).strip(" .,;:-")


def _forms(read: list[Syllable]) -> StandardName:
    """All forms of the syllables of one name."""
    plain = [one.folded for one in read]
    whole = " ".join(plain)
    accented: str | None = " ".join([one.accented for one in read])
    neutral: str | None = None
    if accented == whole:
        accented = None
    else:
        neutral = " ".join([one.neutral for one in read])
    marked, bare = _given_names()
    given, known = (plain[-1], bare) if accented is None else (read[-1].neutral, marked)
    sounds = [one.as_given for one in read]
    surname_dialect = None
    if len(read) > 1:
        sounds[0] = surname_dialect = read[0].as_surname
    return StandardName(
        accented,
        neutral,
        whole,
        " ".join(sounds),
        plain[0] if len(read) > 1 else None,
        " ".join(plain[1:-1]) or None,
        plain[-1],
        sounds[-1],
        surname_dialect,
        "".join([word[0] for word in plain]),
        " ".join(sorted(plain)),
        given if given in known else None,
        None,
    )


def _slow(value: str | None) -> StandardName:
    """The way of names that need a repair or may be no name at all."""
    text = repaired(value)
    flat = folded(_SEPARATORS.sub(" ", text)).strip()
    flat = " ".join(flat.split())
    if is_placeholder_name(flat, text):
        return StandardName(*_NOTHING)
    newborn = NEWBORN_PREFIX.match(flat + " ")
    if newborn is None and text.startswith("bé ") and flat.count(" ") >= 2:
        newborn = re.match("be ", flat)
    if (newborn and not text.startswith("côn ")) or NEWBORN_SUFFIX.search(flat):
        rest = NEWBORN_SUFFIX.sub("", flat[newborn.end() :] if newborn else flat)
        mother = folded(repair_typing(" ".join(_expand_surname(_split(rest)))))
        known = " " in mother and not is_placeholder_name(mother, mother)
        return StandardName(*_NOTHING[:-1], mother if known else None)
    words = _without_initials(_expand_surname(_split(repair_typing(text))))
    if "?" in text or "\ufffd" in text:
        # Where letters were lost so were marks: those that are left say nothing sure.
        words = [folded(word) for word in words]
    read = [one for one in map(syllable, words) if one.folded.strip()]
    read = [one if " " not in one.folded else syllable(one.folded.replace(" ", "")) for one in read]
    return _forms(read) if read else StandardName(*_NOTHING)


@lru_cache(maxsize=1 << 16)
def _plain_syllable(word: str) -> Syllable | None:
    """A word that needs no repair, read; None for every other."""
    if not word.isalpha() and not unicodedata.normalize("NFC", word).isalpha():
        return None
    read = syllable(word)
    return read if read.possible else None


def standard_name(value: str | None) -> StandardName:
    """All standard forms of a raw name. Newborns under the mother's name and placeholders have no form but `mother`.

    The first syllable is the surname and the last the given name, as every official form has it (no splitting of
    compound surnames); one syllable alone is a given name.
    """
    if value is None:
        return StandardName(*_NOTHING)
    words = value.split(None, MAXIMUM_SYLLABLES)
    if 2 <= len(words) < MAXIMUM_SYLLABLES:
        read = []
        for word in words:
            one = _plain_syllable(word)
            if one is None:
                return _slow(value)
            read.append(one)
        first = read[0].folded
        if first not in _TRIGGERS or (
            first in _SHORT_TRIGGERS and len(read[-1].folded) > 1 and read[1].folded != "danh"
        ):
            return _forms(read)
    return _slow(value)


def mother_of_newborn(value: str | None) -> str | None:
    """The mother's name, in ASCII, where a raw name is that of a newborn entered under it."""
    # one search spares the whole reading of nearly every name
    return standard_name(value).mother if value and _NEWBORN_WORDS.search(value) else None


def numbered_name(value: str | None) -> tuple[StandardName, str | None]:
    """The forms of a raw name, and the digit in it that says which of newborn twins it is ("... 1/2", "con thứ 2 ...").

    The digit of a name without one is "0": beside a digit it is news of a twin. What is no name has none.
    """
    name = standard_name(value)
    if value is None or (name.folded is None and name.mother is None):
        return name, None
    text = capped(value).lower() if _DIGITS.search(value) else ""
    found = _ORDER_AHEAD.search(text) or _ORDER_BEHIND.search(text)
    return name, found[1] if found else "0"


def name_beside_mother(numbered: tuple[StandardName, str | None], mother: StandardName) -> tuple[str | None, ...]:
    """The forms of a name as it stands beside the mother's, and its digit.

    The mother's own name in the place of the child's is no name, with a digit behind it or without.
    """
    name, order = numbered
    if name.folded is not None and name.folded == mother.folded:
        name = StandardName(*_NOTHING[:-1], name.folded)
    return (*name, order)
