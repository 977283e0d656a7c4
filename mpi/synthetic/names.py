"""The name book: every syllable group as a number, how often it is drawn, and how it is written rightly and wrongly.

People carry numbers into one vocabulary (0 is "no part"); strings appear only when a column is rendered.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from mpi.data import vn
from mpi.synthetic import text
from mpi.synthetic.text import FloatArray, IntArray, Strings

COHORT_YEARS = (1962, 1978, 1992, 2004)
"""Birth years at which naming fashion turns: five cohorts."""

TRADITIONAL_MIDDLE = {"F": ("Thị", (0.86, 0.74, 0.60, 0.36, 0.12)), "M": ("Văn", (0.34, 0.24, 0.15, 0.07, 0.025))}
"""Share of each cohort with Thị (women) or Văn (men) in the middle name: estimates around the shares of all ages."""

PAIR_SHARE = 0.30
"""Share of names drawn as a meaningful pair of middle and given name (Bảo Ngọc, Minh Khôi)."""

OLD_FASHION = frozenset(
    "Hai Ba Tư Năm Sáu Bảy Tám Chín Mười Út Bé Lan Hoa Liên Xuân Thu Đông Hồng Cúc Mai Lài Huệ Sen Loan Nga "
    "Lý Hùng Dũng Sơn Thành Minh Hải Phước Lộc Thọ Tâm Đức Bình Sáng Chiến Thắng Hòa Dân "
    "Quang Vinh Sang Giàu Hiền Thủy Sương".split()
)
NEW_FASHION = frozenset(
    "An Khang Khôi Bảo Nhi Vy Vi Thư Trâm Châu Ngân My Như Quỳnh Anh Khánh Minh Phúc Thiên Gia Đăng Khoa Nguyên "
    "Phát Huy Kiệt Ngọc Hân Linh Trân Tiên Thy Uyên Nghi Lâm Hưng Duy Long Nam Quân".split()
)
FASHIONS: tuple[tuple[frozenset[str], float], ...] = (
    (OLD_FASHION, 4.0),
    (OLD_FASHION, 2.0),
    (frozenset(), 1.0),
    (NEW_FASHION, 1.5),
    (NEW_FASHION, 3.0),
)
"""Names that each cohort likes, and how much more often it gives them than the national table says."""
EXTRA_OLD_GIVEN = (
    "Hai",
    "Ba",
    "Tư",
    "Năm",
    "Sáu",
    "Bảy",
    "Tám",
    "Chín",
    "Mười",
    "Út",
    "Bé",
    "Lài",
    "Cúc",
    "Sen",
    "Sang",
)
WORDS = (
    "Con Bà", "Con Của", "CB", "Bé Gái", "Bé Trai", "BG", "BT", "Vô Danh", "Không Rõ", "Chưa Rõ",
    "Bệnh Nhân Nam", "Bệnh Nhân Nữ",
)  # fmt: skip
SUFFIXES = ("", " (A)", " (B)", " - HS", ".", " 1", " 2", "  ")

DIALECT_RULES = (
    ("s", "x", "start"), ("x", "s", "start"), ("ch", "tr", "start"), ("tr", "ch", "start"), ("d", "gi", "start"),
    ("v", "d", "start"), ("l", "n", "start"), ("n", "l", "start"),
    ("ng", "n", "end"), ("n", "ng", "end"), ("t", "c", "end"), ("c", "t", "end"),
)  # fmt: skip
"""How a syllable's first or last letters are heard, and therefore written, in one region or another."""

_HOOK_TILDE = {0x0309: "\u0303", 0x0303: "\u0309"}

STYLES: Mapping[str, Callable[[str], str]] = {
    "title": str,
    "upper": str.upper,
    "lower": str.lower,
    "bare": text.bare,
    "bare_upper": lambda t: text.bare(t).upper(),
    "telex": text.telex_keys,
    "vni_keys": text.vni_keys,
    "nfd": lambda t: unicodedata.normalize("NFD", t),
    "nfd_upper": lambda t: unicodedata.normalize("NFD", t.upper()),
    "tone": text.other_tone_place,
    "tone_upper": lambda t: text.other_tone_place(t).upper(),
    "mojibake": text.utf8_as_cp1252,
    "lost": text.lost_letters,
    "lost_upper": lambda t: text.lost_letters(t.upper()),
    "tcvn3": lambda t: t,
    "vni_font": lambda t: t,
}
"""Ways of writing a name; the two legacy fonts are filled from their table when the book is made."""
STYLE_CODES = {name: code for code, name in enumerate(STYLES)}


@dataclass(frozen=True, slots=True)
class Options:
    """For each vocabulary number a run of other numbers: `start[v]` .. `start[v] + count[v]` in `members`."""

    start: IntArray
    count: IntArray
    members: IntArray

    def draw(self, rng: np.random.Generator, parts: IntArray) -> IntArray:
        """One member of each part's run; the part itself where the run is empty."""
        count = self.count[parts]
        index = self.start[parts] + (rng.random(len(parts)) * count).astype(np.int64)
        return np.where(count > 0, self.members[np.minimum(index, len(self.members) - 1)], parts)


@dataclass(frozen=True, slots=True)
class Drawer:
    """A weighted choice of numbers: `values` and their cumulative weights."""

    values: IntArray
    cumulative: FloatArray

    @staticmethod
    def of(weights: Mapping[int, float]) -> "Drawer":
        """A drawer over the keys of `weights`."""
        total = np.cumsum(np.array(list(weights.values()), dtype=np.float64))
        return Drawer(np.array(list(weights), dtype=np.int64), total / total[-1])

    def index(self, u: FloatArray) -> IntArray:
        """Positions in `values` for uniform numbers `u`."""
        return np.minimum(np.searchsorted(self.cumulative, u, side="right"), len(self.values) - 1)

    def draw(self, rng: np.random.Generator, count: int) -> IntArray:
        """`count` values by weight."""
        return self.values[self.index(rng.random(count))]


@dataclass(frozen=True, slots=True)
class NameBook:
    """All tables of names. Drawers are indexed [sex - 1][cohort] or [sex - 1][traditional]."""

    words: tuple[str, ...]
    number: Mapping[str, int]
    surnames: Drawer
    givens: tuple[tuple[Drawer, ...], ...]
    middles: tuple[tuple[Drawer, Drawer], ...]
    pairs: tuple[tuple[tuple[Drawer, IntArray, IntArray], ...], ...]
    alike: tuple[Options, Options]
    neutral: Options
    dialect: Options
    typo: Options
    shorter: Options
    written: Strings
    suffixes: Strings

    def draw_given_names(self, rng: np.random.Generator, sex: IntArray, year: IntArray) -> tuple[IntArray, IntArray]:
        """Middle and given names for people of `sex` born in `year`."""
        middle, given = np.zeros(len(sex), dtype=np.int64), np.zeros(len(sex), dtype=np.int64)
        cohort = np.searchsorted(np.array(COHORT_YEARS), year, side="right")
        traditional_u, pair_u, u, v = rng.random((4, len(sex)))
        for code, letter in ((1, "M"), (2, "F")):
            shares = np.array(TRADITIONAL_MIDDLE[letter][1])
            for traditional in (0, 1):
                rows = np.flatnonzero((sex == code) & ((traditional_u < shares[cohort]) == bool(traditional)))
                drawer = self.middles[code - 1][traditional]
                middle[rows] = drawer.values[drawer.index(u[rows])]
                for era, drawer in enumerate(self.givens[code - 1]):
                    some = rows[cohort[rows] == era]
                    given[some] = drawer.values[drawer.index(v[some])]
                paired = rows[pair_u[rows] < PAIR_SHARE]
                drawer, pair_middle, pair_given = self.pairs[code - 1][traditional]
                picked = drawer.index(u[paired])
                middle[paired], given[paired] = pair_middle[picked], pair_given[picked]
        return middle, given

    def render(self, parts: Sequence[IntArray], style: IntArray, suffix: IntArray) -> Strings:
        """Name strings from part numbers, left to right; the last part is never empty (0)."""
        size, styles = len(self.words), len(STYLES)
        spaced = [text.take(self.written, (styles + style) * size + part) for part in parts[:-1]]
        return text.join([*spaced, text.take(self.written, style * size + parts[-1]), text.take(self.suffixes, suffix)])


class _Vocabulary:
    """Numbers for strings, in order of first sight; 0 is the empty string."""

    def __init__(self) -> None:
        self.words: list[str] = [""]
        self.number: dict[str, int] = {"": 0}

    def __call__(self, word: str) -> int:
        if word not in self.number:
            self.number[word] = len(self.words)
            self.words.append(word)
        return self.number[word]

    def options(self, make: Callable[[str], Sequence[str]], base: int) -> Options:
        """The run of `make(word)` for the first `base` words; every later word has an empty run."""
        runs = [[self(other) for other in make(self.words[v]) if other != self.words[v]] for v in range(base)]
        return _options(runs)


def _options(runs: Sequence[Sequence[int]]) -> Options:
    count = np.array([len(run) for run in runs], dtype=np.int64)
    members = np.array([v for run in runs for v in run] or [0], dtype=np.int64)
    return Options(np.cumsum(count) - count, count, members)


def _padded(options: Options, size: int) -> Options:
    """The same runs over a vocabulary that has grown to `size`."""
    extra = np.zeros(size - len(options.count), dtype=np.int64)
    return Options(np.r_[options.start, extra], np.r_[options.count, extra], options.members)


def _weight(row: Mapping[str, str], column: str) -> float:
    return float(row[column] or 0.0)


def _given_weights(number: _Vocabulary, letter: str, cohort: int) -> dict[int, float]:
    """Weights of given names for one sex and cohort: the national table bent by fashion."""
    weights: dict[int, float] = {}
    for row in vn.rows("given_name_freq"):
        weight = _weight(row, "pct_of_males" if letter == "M" else "pct_of_females")
        if weight <= 0 or " " in row["given"]:
            continue
        liked, factor = FASHIONS[cohort]
        weights[number(row["given"])] = weight * (factor if row["given"] in liked else 1.0)
    if cohort == 0:
        weights.update({number(given): 0.7 for given in EXTRA_OLD_GIVEN})
    return weights


def _middles(number: _Vocabulary, letter: str) -> tuple[Drawer, Drawer]:
    """Drawers of middle names without and with the traditional syllable."""
    syllable = TRADITIONAL_MIDDLE[letter][0]
    weights: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for row in vn.rows("middle_name_freq"):
        if row["gender"] == letter:
            weights[syllable in row["middle"].split()][number(row["middle"])] = _weight(row, "n_40k")
    weights[0][0] = 0.012 * sum(weights[0].values())
    return Drawer.of(weights[0]), Drawer.of(weights[1])


def _pairs(number: _Vocabulary, letter: str, traditional: bool) -> tuple[Drawer, IntArray, IntArray]:
    """Drawer of pairs of middle and given name, with the numbers of both."""
    rows = []
    for row in vn.rows("middle_given_pair_freq"):
        middle, _, given = row["middle_and_given"].rpartition(" ")
        if row["gender"] == letter and (TRADITIONAL_MIDDLE[letter][0] in middle.split()) == traditional:
            rows.append((number(middle), number(given), _weight(row, "n_40k")))
    drawer = Drawer.of({index: weight for index, (_, _, weight) in enumerate(rows)})
    return drawer, np.array([m for m, _, _ in rows], dtype=np.int64), np.array([g for _, g, _ in rows], dtype=np.int64)


def _alike(number: _Vocabulary, weights: Mapping[int, float], size: int) -> Options:
    """Given names that parents of twins pair: common ones with the same first letter, or any where there is none."""
    common = sorted(v for v, weight in weights.items() if weight >= 0.05)
    by_initial: dict[str, list[int]] = {}
    for v in common:
        by_initial.setdefault(text.bare(number.words[v])[:1], []).append(v)
    runs = [
        [w for w in by_initial.get(text.bare(word)[:1], []) if number.words[w] != word] for word in number.words[:size]
    ]
    return _options([run or common for run in runs])


def _surnames(number: _Vocabulary) -> Drawer:
    weights: dict[int, float] = {}
    for row in vn.rows("surname_freq"):
        weights[number(row["surname"])] = _weight(row, "pct_hcmc_university") + 0.05 * _weight(row, "pct_mixed_40k")
    for row in vn.rows("ethnic_surnames"):
        surname = number(row["surname"])
        weights[surname] = weights.get(surname, 0.0) + 0.01
    return Drawer.of(weights)


def _neutral_forms(word: str, pairs: Mapping[str, Sequence[str]]) -> list[str]:
    """I/y and regional forms of one syllable of the word."""
    syllables = word.split(" ")
    return [
        " ".join([*syllables[:i], other, *syllables[i + 1 :]])
        for i, s in enumerate(syllables)
        for other in pairs.get(s, ())
    ]


def _dialect_forms(word: str) -> list[str]:
    """The word's last syllable as a dialect speaker may spell it; also hỏi for ngã and back."""
    head, _, last = word.rpartition(" ")
    forms = []
    lowered = last.lower()
    for old, new, place in DIALECT_RULES:
        other_sound = lowered.startswith((old + "h", "ng", "nh", "qu", "gi", "dr"))
        if place == "start" and lowered.startswith(old) and not other_sound:
            forms.append(new + lowered[len(old) :])
        if place == "end" and len(lowered) > 2 and lowered.endswith(old):
            forms.append(lowered[: -len(old)] + new)
    letters = unicodedata.normalize("NFD", lowered)
    swapped = letters.translate(_HOOK_TILDE)
    if swapped != letters:
        forms.append(unicodedata.normalize("NFC", swapped))
    return [f"{head} {form.capitalize()}".strip() for form in forms]


def _typo_forms(word: str) -> list[str]:
    """Six accidents on the last syllable, chosen by the word itself: marks lost or changed, a letter wrong."""
    if not word:
        return []
    head, _, last = word.rpartition(" ")
    rng = np.random.default_rng(list(word.encode()))
    letters = unicodedata.normalize("NFD", last)
    toneless = "".join(c for c in letters if c not in text.TONE_LETTERS)
    tones = list(text.TONE_LETTERS)
    vowel = next((i for i, c in enumerate(toneless) if c.lower() in "aeiouy"), 0)
    forms = [toneless, toneless[: vowel + 1] + tones[int(rng.integers(5))] + toneless[vowel + 1 :], text.bare(last)]
    plain = list(unicodedata.normalize("NFC", last))
    where = int(rng.integers(0, len(plain)))
    forms.append("".join([*plain[:where], "bcdghklmnprstvx"[int(rng.integers(15))], *plain[where + 1 :]]))
    if len(plain) > 2:
        forms.append("".join(plain[:where] + plain[where + 1 :]))
        at = int(rng.integers(1, len(plain) - 1))
        forms.append("".join([*plain[:at], plain[at + 1], plain[at], *plain[at + 2 :]]))
    return [f"{head} {unicodedata.normalize('NFC', form).capitalize()}".strip() for form in forms if form]


def _legacy_fonts() -> tuple[Callable[[str], str], Callable[[str], str]]:
    """Writers of TCVN3 and VNI text as it looks when read as Windows-1252."""
    table = vn.rows("legacy_encoding_map")
    return (
        text.by_letter({row["unicode"]: row["tcvn3_as_cp1252"] for row in table}),
        text.by_letter({row["unicode"]: row["vni"] for row in table}),
    )


def _written(words: Sequence[str]) -> Strings:
    """All words in all styles, first without and then with a blank behind."""
    tcvn3, vni = _legacy_fonts()
    writers = dict(STYLES) | {"tcvn3": tcvn3, "vni_font": vni}
    plain = [write(word) for write in writers.values() for word in words]
    return pa.array([*plain, *(word + " " if word else "" for word in plain)], pa.string())


@lru_cache(maxsize=1)
def make_name_book() -> NameBook:
    """Build the book from the reference tables, in about a second; nothing in it depends on a seed."""
    number = _Vocabulary()
    surnames = _surnames(number)
    weights = {letter: [_given_weights(number, letter, cohort) for cohort in range(5)] for letter in "MF"}
    middles = (_middles(number, "M"), _middles(number, "F"))
    pairs = tuple(tuple(_pairs(number, letter, traditional) for traditional in (False, True)) for letter in "MF")
    for word in WORDS:
        number(word)
    base = len(number.words)
    pairs_of: dict[str, list[str]] = {}
    for row in vn.rows("name_variant_pairs"):
        if row["kind"].startswith(("regional", "i/y")):
            pairs_of.setdefault(row["a"], []).append(row["b"])
            pairs_of.setdefault(row["b"], []).append(row["a"])
    neutral = number.options(lambda word: _neutral_forms(word, pairs_of), base)
    dialect = number.options(_dialect_forms, base)
    typo = number.options(_typo_forms, base)
    shorter = number.options(lambda word: word.split(" ") if " " in word else [], base)
    alike = tuple(_alike(number, weights[letter][2], base) for letter in "MF")
    size = len(number.words)
    return NameBook(
        words=tuple(number.words), number=number.number, surnames=surnames,
        givens=tuple(tuple(Drawer.of(w) for w in weights[letter]) for letter in "MF"),
        middles=middles, pairs=pairs, alike=(_padded(alike[0], size), _padded(alike[1], size)),
        neutral=_padded(neutral, size), dialect=_padded(dialect, size), typo=_padded(typo, size),
        shorter=_padded(shorter, size), written=_written(number.words), suffixes=pa.array(SUFFIXES, pa.string()),
    )  # fmt: skip
