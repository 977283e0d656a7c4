"""One Vietnamese syllable: its parts, where its tone sits, and whether it can exist at all.

Every Vietnamese orthographic word is one syllable: onset, rime and tone. A syllable is read once and kept.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from mpi.standardise import sounds
from mpi.standardise.text import folded

GRAVE, ACUTE, HOOK, TILDE, DOT = "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"
_TONES = frozenset((GRAVE, ACUTE, HOOK, TILDE, DOT))

ONSETS = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split()
RIMES = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu "
    "o oc oi om on ong op ot ooc oong oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt "
    "oe oen oeo oet "
    "ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uc ui um un ung up ut uân uâng uât uây uê uêch uên uênh "
    "uôc uôi uôm uôn uông uôt uơ uy uya uych uyên uyêt uyn uynh uyp uyt uyu "
    "ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu y yêm yên yêng yêt yêu ynh yt ych yn yp"
).split()
_VOWELS = frozenset("aăâeêioôơuưy")
_MARKED_VOWELS = frozenset("ăâêôơư")
_LOOK_ALIKES = str.maketrans({"Ð": "đ", "ð": "đ", "Ɖ": "đ", "ɖ": "đ"})


@dataclass(frozen=True, slots=True)
class Syllable:
    """One syllable read: with its marks, neutral to i/y and hỏi/ngã, in ASCII, and as two dialect representatives."""

    accented: str
    neutral: str
    folded: str
    as_surname: str
    as_given: str
    possible: bool


def _spellings() -> dict[str, tuple[str, str]]:
    """Onset and rime of each toneless syllable; the longest onset wins, so "gia" is gi+a and "gin" is g+in."""
    table: dict[str, tuple[str, str]] = {}
    for onset in sorted(("", *ONSETS), key=len):
        for rime in RIMES:
            if onset == "q" and not rime.startswith("u"):
                continue
            table[onset + rime] = (onset, rime)
    return table


_SPELLINGS = _spellings()
_ASCII_SPELLINGS = frozenset(folded(plain) for plain in _SPELLINGS)


def _with_tone(onset: str, rime: str, tone: str) -> str:
    """The syllable with its tone on the vowel where traditional spelling has it: hòa, thúy, khỏe, but hoàn, quý."""
    if not tone:
        return onset + rime
    vowels = [index for index, letter in enumerate(rime) if letter in _VOWELS]
    marked = [index for index in vowels if rime[index] in _MARKED_VOWELS]
    if marked:
        place = marked[-1]
    elif vowels[-1] < len(rime) - 1:
        place = vowels[-1]
    else:
        place = vowels[1] if len(vowels) == 3 else vowels[0]
    return unicodedata.normalize("NFC", f"{onset}{rime[: place + 1]}{tone}{rime[place + 1 :]}")


def compose(plain: str, tone: str) -> str | None:
    """The syllable of a toneless spelling and a combining tone mark ("" for level), or None when it cannot exist."""
    parts = _SPELLINGS.get(plain)
    if parts is None or (tone in (GRAVE, HOOK, TILDE) and parts[1].endswith(("c", "ch", "p", "t"))):
        return None
    return _with_tone(*parts, tone)


def _split_tone(word: str) -> tuple[str, str]:
    """A lower-case word without its tone marks, and those marks."""
    letters = unicodedata.normalize("NFD", word)
    tones = "".join(letter for letter in letters if letter in _TONES)
    return unicodedata.normalize("NFC", "".join(letter for letter in letters if letter not in _TONES)), tones


@lru_cache(maxsize=1 << 16)
def syllable(word: str) -> Syllable:
    """Read one word, in any case and any Unicode normal form. A word that is no possible syllable is only lowered and
    folded."""
    lowered = unicodedata.normalize("NFC", word.translate(_LOOK_ALIKES).lower())
    plain, tone = _split_tone(lowered)
    ascii_form = folded(lowered)
    accented = compose(plain, tone) if len(tone) < 2 else None
    if accented is None:
        possible = lowered == ascii_form.replace("d", "đ", 1) or lowered == ascii_form
        possible = possible and ascii_form in _ASCII_SPELLINGS
        accented = neutral = lowered
    else:
        possible = True
        onset, rime = _SPELLINGS[plain]
        rime = "i" + rime[1:] if rime.startswith("y") else rime
        neutral = _with_tone(onset, rime, HOOK if tone == TILDE else tone)
    return Syllable(
        accented=accented,
        neutral=neutral,
        folded=ascii_form,
        as_surname=sounds.dialect(ascii_form, surname=True),
        as_given=sounds.dialect(ascii_form, surname=False),
        possible=possible,
    )


def impossible_count(text: str) -> int:
    """How many words of the text cannot be Vietnamese syllables: what an encoding repair must lower."""
    return sum(not syllable(word).possible for word in text.split())
