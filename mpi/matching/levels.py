"""The closed table of level kinds: opcode, feature representation, SQL text and words, side by side.

The numba test of each opcode is in `screens.py` or `predicates.py`; parity tests walk this table. A missing value
makes every kind but `null` false, on both engines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from mpi.domain.records import ColumnKind

MAXIMUM_SYLLABLES = 7
"""Syllables kept of a text: the first six and the last, where there are more."""

MAXIMUM_MEMBERS = 4
"""Members kept of a set column."""


class Representation(StrEnum):
    """How a feature row holds a standard column."""

    CODE = "code"  # uint64: keyed SipHash of a text, 0 when missing
    BYTES = "bytes"  # uint8 length, then that many ASCII bytes, zero padded
    SYLLABLES = "syllables"  # uint32 count, then a uint32 code a syllable
    INTEGER = "integer"  # int32, the smallest int32 when missing
    MEMBERS = "members"  # uint64 codes of a set's members, 0 where there is none
    SIGNATURE = "signature"  # uint64: which bytes a text holds, and which twice; 0 when missing
    FREQUENCY = "frequency"  # uint32 index into the frozen term frequencies, 0 when missing


class Opcode(IntEnum):
    """What the kernel does for one instruction. Values are part of compiled programs only, never stored."""

    NULL_CODE = 0
    NULL_INTEGER = 1
    NULL_MEMBERS = 2
    EXACT_CODE = 3
    EXACT_INTEGER = 4
    SHARED_MEMBERS = 5
    LEVENSHTEIN = 6
    DAMERAU_LEVENSHTEIN = 7
    JARO = 8
    JARO_WINKLER = 9
    ONE_SUBSTITUTION = 10
    ONE_TRANSPOSITION = 11
    PREFIX = 12
    CROSSED = 13
    CROSSED_BOTH = 14
    SYLLABLE_EDIT = 15
    SYLLABLES_REORDERED = 16
    SYLLABLES_CONTAINED = 17
    SYLLABLES_SHARED = 18
    DIFFERENCE = 19
    DATE_SWAPPED = 20
    DATE_PARTS = 21
    DAYS_APART = 22


EDIT_OPCODES = frozenset(
    {
        Opcode.LEVENSHTEIN,
        Opcode.DAMERAU_LEVENSHTEIN,
        Opcode.ONE_SUBSTITUTION,
        Opcode.ONE_TRANSPOSITION,
        Opcode.SYLLABLE_EDIT,
    }
)
"""Tests that count edits: the signatures of the two texts bound the count from below."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """The number that a level kind takes: its meaning, inclusive bounds, whether it is whole, and a default if it
    may be left out."""

    meaning: str
    minimum: float
    maximum: float
    whole: bool
    default: float | None = None


@dataclass(frozen=True, slots=True)
class LevelKind:
    """One row of the table.

    `columns` gives the column kinds accepted at each place; `opcodes` the instruction and the representation it
    reads, by the
    kind of the first column. `sql(columns, parameter)` is DuckDB text over `column_l` and `column_r`.
    """

    name: str
    columns: tuple[frozenset[ColumnKind], ...]
    opcodes: Mapping[ColumnKind, tuple[Opcode, Representation]]
    parameter: ParameterSpec | None
    sql: Callable[[tuple[str, ...], float], str]
    words: str


_TEXT = frozenset({ColumnKind.TEXT})
_INTEGER = frozenset({ColumnKind.INTEGER})
_TEXTS = frozenset({ColumnKind.TEXTS})
_DATE = (_INTEGER, _INTEGER, _INTEGER)


def _sides(column: str) -> tuple[str, str]:
    return f'"{column}_l"', f'"{column}_r"'


def _null_sql(columns: tuple[str, ...], _: float) -> str:
    left, right = _sides(columns[0])
    return f"({left} IS NULL OR {right} IS NULL)"


def _exact_sql(columns: tuple[str, ...], _: float) -> str:
    left, right = _sides(columns[0])
    return f"({left} = {right})"


def _shared_sql(columns: tuple[str, ...], parameter: float) -> str:
    left, right = _sides(columns[0])
    return f"(len(list_intersect({left}, {right})) >= {int(parameter)})"


def _distance_sql(function: str) -> Callable[[tuple[str, ...], float], str]:
    def text(columns: tuple[str, ...], parameter: float) -> str:
        left, right = _sides(columns[0])
        return f"({function}({left}, {right}) <= {int(parameter)})"

    return text


def _similarity_sql(function: str) -> Callable[[tuple[str, ...], float], str]:
    def text(columns: tuple[str, ...], parameter: float) -> str:
        left, right = _sides(columns[0])
        return f"({function}({left}, {right}) >= {parameter!r})"

    return text


def _substitution_sql(columns: tuple[str, ...], _: float) -> str:
    left, right = _sides(columns[0])
    # hamming() refuses strings of two lengths, and CASE keeps it from being asked
    return f"(CASE WHEN length({left}) = length({right}) THEN hamming({left}, {right}) = 1 ELSE false END)"


def _transposition_sql(columns: tuple[str, ...], _: float) -> str:
    left, right = _sides(columns[0])
    return (
        f"(length({left}) = length({right}) AND damerau_levenshtein({left}, {right}) = 1"
        f" AND levenshtein({left}, {right}) = 2)"
    )


def _prefix_sql(columns: tuple[str, ...], parameter: float) -> str:
    left, right = _sides(columns[0])
    size = int(parameter)
    return f"(length({left}) >= {size} AND length({right}) >= {size} AND left({left}, {size}) = left({right}, {size}))"


def _crossed_sql(columns: tuple[str, ...], _: float) -> str:
    (a_left, a_right), (b_left, b_right) = _sides(columns[0]), _sides(columns[1])
    return f"(coalesce({a_left} = {b_right}, false) OR coalesce({b_left} = {a_right}, false))"


def _crossed_both_sql(columns: tuple[str, ...], _: float) -> str:
    (a_left, a_right), (b_left, b_right) = _sides(columns[0]), _sides(columns[1])
    return f"({a_left} = {b_right} AND {b_left} = {a_right})"


def _syllables_sql(side: str) -> str:
    parts = f"string_split({side}, ' ')"
    kept = MAXIMUM_SYLLABLES - 1
    return (
        f"(CASE WHEN len({parts}) > {MAXIMUM_SYLLABLES}"
        f" THEN list_concat(list_slice({parts}, 1, {kept}), list_slice({parts}, -1, -1)) ELSE {parts} END)"
    )


def _syllable_edit_sql(columns: tuple[str, ...], parameter: float) -> str:
    left, right = (_syllables_sql(side) for side in _sides(columns[0]))
    differing = f"list_filter(list_zip({left}, {right}), lambda p: p[1] <> p[2])"
    return (
        f"(len({left}) = len({right}) AND len({differing}) = 1"
        f" AND levenshtein({differing}[1][1], {differing}[1][2]) <= {int(parameter)})"
    )


def _reordered_sql(columns: tuple[str, ...], _: float) -> str:
    left, right = (_syllables_sql(side) for side in _sides(columns[0]))
    return f"(list_sort({left}) = list_sort({right}))"


def _contained_sql(columns: tuple[str, ...], _: float) -> str:
    left, right = (_syllables_sql(side) for side in _sides(columns[0]))
    return f"(list_has_all({left}, {right}) OR list_has_all({right}, {left}))"


def _syllables_shared_sql(columns: tuple[str, ...], parameter: float) -> str:
    left, right = (_syllables_sql(side) for side in _sides(columns[0]))
    return f"(len(list_intersect({left}, {right})) >= {int(parameter)})"


def _difference_sql(columns: tuple[str, ...], parameter: float) -> str:
    left, right = _sides(columns[0])
    return f"(abs({left} - {right}) <= {int(parameter)})"


def _swapped_sql(columns: tuple[str, ...], _: float) -> str:
    (y_l, y_r), (m_l, m_r), (d_l, d_r) = (_sides(column) for column in columns)
    return f"({y_l} = {y_r} AND {m_l} = {d_r} AND {d_l} = {m_r})"


def _parts_sql(columns: tuple[str, ...], parameter: float) -> str:
    equal = (f"coalesce(({left} = {right})::INTEGER, 0)" for left, right in map(_sides, columns))
    return f"({' + '.join(equal)} >= {int(parameter)})"


def _days_sql(columns: tuple[str, ...], parameter: float) -> str:
    (y_l, y_r), (m_l, m_r), (d_l, d_r) = (_sides(column) for column in columns)
    left, right = f"make_date({y_l}, {m_l}, {d_l})", f"make_date({y_r}, {m_r}, {d_r})"
    return f"(abs(date_diff('day', {left}, {right})) <= {int(parameter)})"


def _one(
    name: str,
    opcode: Opcode,
    representation: Representation,
    *,
    columns: tuple[frozenset[ColumnKind], ...] = (_TEXT,),
    parameter: ParameterSpec | None = None,
    sql: Callable[[tuple[str, ...], float], str],
    words: str,
) -> LevelKind:
    (first,) = columns[0]
    return LevelKind(name, columns, {first: (opcode, representation)}, parameter, sql, words)


_EDITS = ParameterSpec("edits at most", 1, 10, whole=True)
_SIMILARITY = ParameterSpec("similarity at least", 0.0, 1.0, whole=False)

_ROWS = (
    LevelKind(
        "null",
        (frozenset(ColumnKind),),
        {
            ColumnKind.TEXT: (Opcode.NULL_CODE, Representation.CODE),
            ColumnKind.INTEGER: (Opcode.NULL_INTEGER, Representation.INTEGER),
            ColumnKind.TEXTS: (Opcode.NULL_MEMBERS, Representation.MEMBERS),
        },
        None,
        _null_sql,
        "missing on one side",
    ),
    LevelKind(
        "exact",
        (_TEXT | _INTEGER,),
        {
            ColumnKind.TEXT: (Opcode.EXACT_CODE, Representation.CODE),
            ColumnKind.INTEGER: (Opcode.EXACT_INTEGER, Representation.INTEGER),
        },
        None,
        _exact_sql,
        "equal",
    ),
    _one(
        "shared",
        Opcode.SHARED_MEMBERS,
        Representation.MEMBERS,
        columns=(_TEXTS,),
        parameter=ParameterSpec("members in common at least", 1, MAXIMUM_MEMBERS, whole=True, default=1),
        sql=_shared_sql,
        words="have members in common",
    ),
    _one(
        "levenshtein",
        Opcode.LEVENSHTEIN,
        Representation.BYTES,
        parameter=_EDITS,
        sql=_distance_sql("levenshtein"),
        words="a few edits apart",
    ),
    _one(
        "damerau_levenshtein",
        Opcode.DAMERAU_LEVENSHTEIN,
        Representation.BYTES,
        parameter=_EDITS,
        sql=_distance_sql("damerau_levenshtein"),
        words="a few edits or swaps apart",
    ),
    _one(
        "jaro",
        Opcode.JARO,
        Representation.BYTES,
        parameter=_SIMILARITY,
        sql=_similarity_sql("jaro_similarity"),
        words="similar (Jaro)",
    ),
    _one(
        "jaro_winkler",
        Opcode.JARO_WINKLER,
        Representation.BYTES,
        parameter=_SIMILARITY,
        sql=_similarity_sql("jaro_winkler_similarity"),
        words="similar (Jaro-Winkler)",
    ),
    _one(
        "one_substitution",
        Opcode.ONE_SUBSTITUTION,
        Representation.BYTES,
        sql=_substitution_sql,
        words="one character differs",
    ),
    _one(
        "one_transposition",
        Opcode.ONE_TRANSPOSITION,
        Representation.BYTES,
        sql=_transposition_sql,
        words="two neighbours swapped",
    ),
    _one(
        "prefix",
        Opcode.PREFIX,
        Representation.BYTES,
        parameter=ParameterSpec("leading characters equal", 1, 64, whole=True),
        sql=_prefix_sql,
        words="begin alike",
    ),
    _one(
        "crossed",
        Opcode.CROSSED,
        Representation.CODE,
        columns=(_TEXT, _TEXT),
        sql=_crossed_sql,
        words="one's value stands in the other's other field",
    ),
    _one(
        "crossed_both",
        Opcode.CROSSED_BOTH,
        Representation.CODE,
        columns=(_TEXT, _TEXT),
        sql=_crossed_both_sql,
        words="two fields exchanged",
    ),
    _one(
        "syllable_edit",
        Opcode.SYLLABLE_EDIT,
        Representation.SYLLABLES,
        parameter=_EDITS,
        sql=_syllable_edit_sql,
        words="one syllable a few edits apart, the others equal",
    ),
    _one(
        "syllables_reordered",
        Opcode.SYLLABLES_REORDERED,
        Representation.SYLLABLES,
        sql=_reordered_sql,
        words="same syllables in any order",
    ),
    _one(
        "syllables_contained",
        Opcode.SYLLABLES_CONTAINED,
        Representation.SYLLABLES,
        sql=_contained_sql,
        words="every syllable of one is in the other",
    ),
    _one(
        "syllables_shared",
        Opcode.SYLLABLES_SHARED,
        Representation.SYLLABLES,
        parameter=ParameterSpec("different syllables in common at least", 1, MAXIMUM_SYLLABLES, whole=True),
        sql=_syllables_shared_sql,
        words="have syllables in common",
    ),
    _one(
        "difference",
        Opcode.DIFFERENCE,
        Representation.INTEGER,
        columns=(_INTEGER,),
        parameter=ParameterSpec("absolute difference at most", 0, 1_000_000, whole=True),
        sql=_difference_sql,
        words="close numbers",
    ),
    _one(
        "date_swapped",
        Opcode.DATE_SWAPPED,
        Representation.INTEGER,
        columns=_DATE,
        sql=_swapped_sql,
        words="day and month swapped",
    ),
    _one(
        "date_parts",
        Opcode.DATE_PARTS,
        Representation.INTEGER,
        columns=_DATE,
        parameter=ParameterSpec("parts equal at least", 1, 3, whole=True),
        sql=_parts_sql,
        words="some of year, month and day equal",
    ),
    _one(
        "days_apart",
        Opcode.DAYS_APART,
        Representation.INTEGER,
        columns=_DATE,
        parameter=ParameterSpec("days apart at most", 0, 100_000, whole=True),
        sql=_days_sql,
        words="dates close together",
    ),
)

LEVEL_KINDS: Mapping[str, LevelKind] = {row.name: row for row in _ROWS}
"""Every level kind by the name that rule files use."""
