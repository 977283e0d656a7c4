"""A linkage model as plain values: what a rule file says, once it has been read and found sound.

Nothing here knows of YAML, numpy or SQL. Match weights are in bits (log2); m and u are probabilities.
Level codes are Splink's: -1 for the null level, 0 for the else level, rising to the most similar level.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mpi.domain.records import ColumnKind

NULL_CODE = -1
"""Level code of a comparison whose null level holds: no evidence either way, a weight of 0 bits."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How raw columns become standard columns: one standardiser, its inputs, and the prefix of what it yields.

    `inputs` maps the standardiser's input names to raw column names. Output `o` becomes the standard
    column `prefix_o`, or `prefix` alone where the standardiser's output is named "".
    `widths` gives the bytes kept of a text column (ASCII) for edit distances; longer values are cut at the door.
    """

    prefix: str
    standardiser: str
    inputs: Mapping[str, str]
    widths: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Predicate:
    """One test on a pair: a level kind (a row of `matching/levels.py`), the standard columns it reads, its
    parameter."""

    kind: str
    columns: tuple[str, ...]
    parameter: float | None = None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when one of its conditions holds."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when all of its conditions hold."""

    conditions: tuple["Condition", ...]


Condition = Predicate | AnyOf | AllOf


@dataclass(frozen=True, slots=True)
class Level:
    """One comparison level. `condition` is None for the else level; `is_null` marks the level of missing values.

    With `tf_column` the weight is adjusted by `tf_weight * (log2(u) - log2(max(tf_left, tf_right, tf_minimum)))`,
    where u
    is that of the comparison's exact level (Splink's formula).
    """

    label: str
    condition: Condition | None
    is_null: bool = False
    tf_column: str | None = None
    tf_weight: float = 1.0
    tf_minimum: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """An ordered choice of levels: the first that holds counts. Null levels first, the else level last.

    `tf_reference` labels the level whose u is the average that term frequencies are measured against.
    """

    name: str
    levels: tuple[Level, ...]
    tf_reference: str | None = None

    def code_of(self, label: str) -> int:
        """Level code of a label. Raises KeyError for a label that is not here."""
        for index, level in enumerate(self.levels):
            if level.label == label:
                return NULL_CODE if level.is_null else len(self.levels) - 1 - index
        raise KeyError(label)

    def label_of(self, code: int) -> str:
        """Label of a level code: the inverse of `code_of`. Raises KeyError for a code that no level has."""
        for level in self.levels:
            if self.code_of(level.label) == code:
                return level.label
        raise KeyError(code)


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Records that agree on every column of `columns` become candidate pairs; set columns agree on any member.

    A block of more than `limit` records is split by the `refine` columns, in turn, until it is small enough; what is
    still
    too large is capped and reported.
    """

    name: str
    columns: tuple[str, ...]
    refine: tuple[str, ...] = ()
    limit: int = 200


class VetoEffect(StrEnum):
    """What a veto does.

    `forbid`: the two records may never be one person by rules, whatever joins them. `hold`: the pair never links
    without a
    steward's eye. `apart`: the pair is no evidence of identity at all (relatives, namesakes): neither a link nor a
    question.
    """

    FORBID = "forbid"
    HOLD = "hold"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Veto:
    """Evidence that outweighs any match weight: holds when every named comparison has one of the named level labels.

    `when` gives (comparison name, labels) pairs.
    """

    name: str
    effect: VetoEffect
    when: tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """A value of `column` shared by more than `limit` different combinations of `per` columns is evidence of
    nothing."""

    column: str
    per: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Match weights in bits, prior included: link at or above `link`, ask at or above `review`.

    Two possible homes of one record that may not be joined and lie within `margin` bits of each other go to review.
    """

    link: float
    review: float
    margin: float


@dataclass(frozen=True, slots=True)
class SurvivorshipRule:
    """Which value of a golden record's field wins: the highest source tier first, then `prefer` (recent, frequent,
    longest)."""

    field: str
    prefer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelParameters:
    """Trained probabilities of one level: m among matches, u among non-matches."""

    m: float
    u: float


@dataclass(frozen=True, slots=True)
class TermFrequencies:
    """Frozen relative frequencies of one standard column: frequent values by public 64-bit hash, one value for all
    others."""

    column: str
    frequencies: Mapping[int, float]
    unseen: float


@dataclass(frozen=True, slots=True)
class Parameters:
    """What training found: the prior, m and u of every level by (comparison, level label), and where they came from.

    `records_per_person` is the expected number of records of one person: with N records in play the prior
    probability that
    two random records match is `(records_per_person - 1) / (N - 1)`.
    """

    records_per_person: float
    levels: Mapping[tuple[str, str], LevelParameters]
    provenance: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LinkageModel:
    """One released version of one rule family, ready to be compiled.

    `digest` is the SHA-256 of the rule files; `parameters` is None for a family that has not been trained.
    `trust` maps source systems to tiers (1 is the most trusted).
    """

    family: str
    version: str
    digest: str
    columns: Mapping[str, ColumnKind]
    fields: tuple[FieldRule, ...]
    blocking: tuple[BlockingRule, ...]
    comparisons: tuple[Comparison, ...]
    vetoes: tuple[Veto, ...]
    frequency_caps: tuple[FrequencyCap, ...]
    thresholds: Thresholds
    survivorship: tuple[SurvivorshipRule, ...]
    trust: Mapping[str, int]
    parameters: Parameters | None
    term_frequencies: Mapping[str, TermFrequencies]

    @property
    def name(self) -> str:
        """`family@version`, the form that commands and replies use."""
        return f"{self.family}@{self.version}"

    def vetoes_on(self, labels: Mapping[str, str]) -> tuple[Veto, ...]:
        """The vetoes that hold for a pair whose comparisons reached these level labels, by comparison name."""
        return tuple(veto for veto in self.vetoes if all(labels[name] in allowed for name, allowed in veto.when))

    def widths(self) -> dict[str, int]:
        """Declared byte widths by standard column."""
        return {column: width for rule in self.fields for column, width in rule.widths.items()}
