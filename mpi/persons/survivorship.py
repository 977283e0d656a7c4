"""The golden record: which source's value stands for each field of a person, and why that one.

Values are ranked one by one, by the rule's criteria in its order, then by value and key; so nothing hangs on the order
of the input. One function ranks the fields of one person or of a million.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi.domain.model import SurvivorshipRule
from mpi.domain.records import RecordKey

Integers = NDArray[np.int64]

UNTRUSTED = 1_000
"""The tier of a source system that a rule file gives none: below every tier."""

SOLE, AGREED = -2, -1
"""Deciders other than a criterion: there is one value only; all values are the same. See `Choices`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that one record holds for a field; a missing value is no candidate.

    `recorded_at` must sort by time as text (ISO 8601). `form` is what the value means: candidates with equal forms hold
    the same value, however it is written. Without a form the value as written is its own.
    """

    key: RecordKey
    value: str
    recorded_at: str | None
    tier: int = UNTRUSTED
    form: Hashable | None = None


@dataclass(frozen=True, slots=True)
class Survivor:
    """The value of one field, the record it comes from, and why it won; then the other values, best first."""

    field: str
    value: str
    key: RecordKey
    reason: str
    runners_up: tuple[tuple[str, RecordKey], ...]


@dataclass(frozen=True, slots=True)
class GoldenRecord:
    """What is held to be true of a person: one survivor a field that any record knows, and the records behind them."""

    enterprise_id: str
    survivors: tuple[Survivor, ...]
    record_keys: tuple[RecordKey, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """n values of one field, of any number of people; int64 (n,) each.

    `people` and `forms` are numbers, equal for the same person and the same meaning. Of `tiers` the smallest is best;
    `moments` grow with time and are below 0 where it is not known; `lengths` are in characters. `order` ranks by value
    and then key, no two alike within a person.
    """

    people: Integers
    forms: Integers
    tiers: Integers
    moments: Integers
    lengths: Integers
    order: Integers


@dataclass(frozen=True, slots=True)
class Choices:
    """The outcome for the p people, in ascending order, that any candidate belongs to; int64 (p,) but for `ranking`.

    `winners` are places among the candidates. `deciders` are places in the rule's criteria: the first in which the
    winner is ahead of the best candidate that means something else; their number where only the alphabet decided; SOLE;
    AGREED. `held` of `known` candidates mean what the winner does. `ranking` int64 (n,) are all places, person by
    person, best first.
    """

    people: Integers
    winners: Integers
    deciders: Integers
    held: Integers
    known: Integers
    ranking: Integers


def _scores(candidates: Candidates, held: Integers) -> Mapping[str, Integers]:
    """What each criterion of a rule goes by: the smallest is best."""
    return {
        "trusted": candidates.tiers,
        "recent": -candidates.moments,
        "frequent": -held,
        "longest": -candidates.lengths,
    }


def choose(candidates: Candidates, prefer: Sequence[str]) -> Choices:
    """The best value of every person by the criteria `prefer` (trusted, recent, frequent, longest), the first first."""
    people, forms = candidates.people, candidates.forms
    held = _counts(people, forms)
    scores = _scores(candidates, held)
    criteria = [scores[name] for name in prefer]
    ranking = np.lexsort([candidates.order, *reversed(criteria), people])
    begins = _begins(people[ranking])
    starts = np.flatnonzero(begins)
    winners = ranking[starts]
    known = np.diff(np.append(starts, len(ranking)))
    # the best candidate that means something else than its person's winner
    other = np.flatnonzero(forms[ranking] != forms[np.repeat(winners, known)])
    other = other[_begins(people[ranking[other]])]
    contested = np.searchsorted(people[winners], people[ranking[other]])
    deciders = np.where(known == 1, SOLE, AGREED)
    deciders[contested] = len(criteria)
    first, second = winners[contested], ranking[other]
    for place in range(len(criteria) - 1, -1, -1):
        ahead = criteria[place][first] != criteria[place][second]
        deciders[contested[ahead]] = place
    return Choices(people[winners], winners, deciders, held[winners], known, ranking)


def _begins(values: Integers) -> NDArray[np.bool_]:
    """Where a run of equal values begins."""
    begins = np.ones(len(values), dtype=np.bool_)
    begins[1:] = values[1:] != values[:-1]
    return begins


def _counts(people: Integers, forms: Integers) -> Integers:
    """For each candidate, how many of its person's candidates have its form."""
    order = np.lexsort([forms, people])
    begins = _begins(people[order]) | _begins(forms[order])
    starts = np.flatnonzero(begins)
    sizes = np.diff(np.append(starts, len(order)))
    counts = np.empty(len(order), dtype=np.int64)
    counts[order] = np.repeat(sizes, sizes)
    return counts


_TIES = {"trusted": "trust", "recent": "date", "frequent": "frequency", "longest": "length"}


def reason(prefer: Sequence[str], decider: int, *, held: int, known: int, winner: Candidate) -> str:
    """One sentence on why a candidate won. `decider`, `held` and `known` are those of `Choices`."""
    if decider == SOLE:
        return "the only value known"
    if decider == AGREED:
        return f"all {known} records that have a value agree"
    tied = " and ".join(_TIES[name] for name in prefer[:decider])
    after = f", after a tie in {tied}" if tied else ""
    if decider == len(prefer):
        return f"first in the alphabet{after}"
    sentences = {
        "trusted": f"from {winner.key.source_system}, trust tier {winner.tier}",
        "recent": f"recorded last, on {winner.recorded_at}",
        "frequent": f"held by {held} of {known} records",
        "longest": f"the longest, {len(winner.value)} characters",
    }
    return sentences[prefer[decider]] + after


def survive(rule: SurvivorshipRule, candidates: Sequence[Candidate]) -> Survivor | None:
    """The survivor of one field of one person; None when no record knows a value."""
    if not candidates:
        return None
    choices = choose(_columns(candidates), rule.prefer)
    winner = candidates[int(choices.winners[0])]
    others: dict[Hashable, tuple[str, RecordKey]] = {}
    for place in choices.ranking.tolist():
        others.setdefault(_form(candidates[place]), (candidates[place].value, candidates[place].key))
    del others[_form(winner)]
    why = reason(
        rule.prefer,
        int(choices.deciders[0]),
        held=int(choices.held[0]),
        known=len(candidates),
        winner=winner,
    )
    return Survivor(rule.field, winner.value, winner.key, why, tuple(others.values()))


def golden_record(
    enterprise_id: str,
    rules: Iterable[SurvivorshipRule],
    candidates: Mapping[str, Sequence[Candidate]],
    *,
    record_keys: Iterable[RecordKey],
) -> GoldenRecord:
    """The golden record of one person from the candidates of each field; fields that nobody knows are left out."""
    survivors = (survive(rule, candidates.get(rule.field, ())) for rule in rules)
    return GoldenRecord(
        enterprise_id,
        tuple(survivor for survivor in survivors if survivor is not None),
        tuple(sorted(record_keys, key=key_order)),
    )


def key_order(key: RecordKey) -> tuple[str, str]:
    """How record keys are sorted wherever an order must not depend on the input's."""
    return key.source_system, key.source_record_id


def _form(candidate: Candidate) -> Hashable:
    return ("as written", candidate.value) if candidate.form is None else candidate.form


def _columns(candidates: Sequence[Candidate]) -> Candidates:
    """The candidates of one person as columns."""
    count = len(candidates)
    forms: dict[Hashable, int] = {}
    times = sorted({each.recorded_at for each in candidates if each.recorded_at is not None})
    moment = {text: place for place, text in enumerate(times)}
    order = np.empty(count, dtype=np.int64)
    by_value = sorted(range(count), key=lambda at: (candidates[at].value, *key_order(candidates[at].key)))
    order[by_value] = np.arange(count)
    return Candidates(
        people=np.zeros(count, dtype=np.int64),
        forms=np.array([forms.setdefault(_form(each), len(forms)) for each in candidates], dtype=np.int64),
        tiers=np.array([each.tier for each in candidates], dtype=np.int64),
        moments=np.array([moment.get(each.recorded_at or "", -1) for each in candidates], dtype=np.int64),
        lengths=np.array([len(each.value) for each in candidates], dtype=np.int64),
        order=order,
    )
