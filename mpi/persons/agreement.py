"""How far two readings of the same tasks agree, and how much of that is more than chance (Cohen's kappa).

Pure: the readings come in as pairs of words, one pair a task that both read.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement over `pairs` tasks. `agreed` counts equal words; `kappa` is -1 to 1.

    `kappa` is None where there is nothing to measure: no pair at all, or both sides only ever said one and the same
    word, so that chance alone would agree just as often.
    """

    pairs: int
    agreed: int
    kappa: float | None

    @property
    def share(self) -> float | None:
        """The share of equal words, 0 to 1; None without a pair."""
        return self.agreed / self.pairs if self.pairs else None


def agreement(readings: Iterable[tuple[str, str]] | Mapping[tuple[str, str], int]) -> Agreement:
    """The agreement of (first word, second word) pairs, given one by one or counted.

    Kappa is (observed - expected) / (1 - expected) by Cohen (1960); expected agreement is that of two readers who keep
    their own habits (how often each says each word) but answer at random.
    """
    table = Counter(readings)
    pairs = table.total()
    agreed = sum(count for (first, second), count in table.items() if first == second)
    firsts: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for (first, second), count in table.items():
        firsts[first] += count
        seconds[second] += count
    # in whole numbers, so that "no better than chance could be" is told exactly
    by_chance = sum(count * seconds[word] for word, count in firsts.items())
    beyond_chance = pairs * pairs - by_chance
    if not beyond_chance:
        return Agreement(pairs, agreed, None)
    return Agreement(pairs, agreed, (pairs * agreed - by_chance) / beyond_chance)
