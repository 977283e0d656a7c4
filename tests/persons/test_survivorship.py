"""Survivorship: what wins, what the reason says, and that nothing depends on the order of the records."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.domain.model import SurvivorshipRule
from mpi.domain.records import RecordKey
from mpi.persons.survivorship import UNTRUSTED, Candidate, Candidates, Survivor, choose, golden_record, survive

CRITERIA = ("trusted", "recent", "frequent", "longest")

candidates = st.lists(
    st.builds(
        Candidate,
        key=st.builds(RecordKey, st.sampled_from(("insurance", "hospital", "station")), st.sampled_from("12345")),
        value=st.sampled_from(("Lan", "LAN", "Lan Anh", "Hoa", "Hòa")),
        recorded_at=st.none() | st.sampled_from(("2024-05-01", "2025-01-31", "2025-11-02")),
        tier=st.sampled_from((1, 2, UNTRUSTED)),
        form=st.none(),
    ).map(lambda each: replace(each, form=each.value.lower())),
    min_size=1,
    max_size=7,
    unique_by=lambda each: each.key,
)
preferences = st.lists(st.sampled_from(CRITERIA), min_size=1, max_size=4, unique=True).map(tuple)


def one(value: str, source: str, *, at: str | None = None, tier: int = 2, form: str | None = None) -> Candidate:
    return Candidate(RecordKey(source, value), value, at, tier, form)


def winner_of(prefer: tuple[str, ...], *found: Candidate) -> Survivor:
    survivor = survive(SurvivorshipRule("full_name", prefer), found)
    assert survivor is not None
    return survivor


@pytest.mark.parametrize(
    ("prefer", "found", "value", "why"),
    [
        (CRITERIA, [one("Lan", "a")], "Lan", "the only value known"),
        (
            CRITERIA,
            [one("Lan", "a", tier=1, form="lan"), one("LAN", "b", form="lan")],
            "Lan",
            "all 2 records that have a value agree",
        ),
        (("trusted",), [one("Lan", "a", tier=2), one("Hoa", "b", tier=1)], "Hoa", "from b, trust tier 1"),
        (
            ("recent",),
            [one("Lan", "a", at="2025-02-01"), one("Hoa", "b", at="2024-12-31"), one("Mai", "c")],
            "Lan",
            "recorded last, on 2025-02-01",
        ),
        (
            ("frequent", "trusted"),
            [one("Lan", "a", form="lan"), one("Hoa", "b", tier=1), one("LAN", "c", form="lan"), one("Mai", "d")],
            "LAN",
            "held by 2 of 4 records",
        ),
        (("longest",), [one("Lan", "a"), one("Lan Anh", "b")], "Lan Anh", "the longest, 7 characters"),
        (
            ("frequent", "trusted", "recent"),
            [one("Lan", "a", at="2025-02-01"), one("Hoa", "b", at="2025-03-01")],
            "Hoa",
            "recorded last, on 2025-03-01, after a tie in frequency and trust",
        ),
        (("trusted",), [one("Lan", "a"), one("Hoa", "b")], "Hoa", "first in the alphabet, after a tie in trust"),
    ],
)
def test_the_winner_and_the_reason(prefer: tuple[str, ...], found: list[Candidate], value: str, why: str) -> None:
    survivor = winner_of(prefer, *found)
    assert (survivor.value, survivor.reason) == (value, why)
    assert survivor.key == next(each.key for each in found if each.value == value)


def test_runners_up_are_the_other_meanings_best_first() -> None:
    lan, hoa, mai = one("Lan", "a", tier=1, form="lan"), one("Hoa", "b", tier=3), one("Mai", "c", tier=2)
    survivor = winner_of(("trusted",), hoa, one("LAN", "d", tier=4, form="lan"), mai, lan)
    assert survivor.value == "Lan"
    assert survivor.runners_up == (("Mai", mai.key), ("Hoa", hoa.key))


def test_a_value_without_a_form_is_not_one_with_the_same_form() -> None:
    survivor = winner_of(("trusted",), one("lan", "a", tier=1), one("Lan", "b", form="lan"))
    assert survivor.reason == "from a, trust tier 1"


def test_a_golden_record_leaves_out_what_nobody_knows() -> None:
    rules = [SurvivorshipRule("full_name", ("recent",)), SurvivorshipRule("phone", ("recent",))]
    keys = [RecordKey("b", "1"), RecordKey("a", "2")]
    golden = golden_record("ID", rules, {"full_name": [one("Lan", "a")], "phone": []}, record_keys=keys)
    assert [each.field for each in golden.survivors] == ["full_name"]
    assert golden.record_keys == (RecordKey("a", "2"), RecordKey("b", "1"))


@given(candidates, preferences, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(found: list[Candidate], prefer: tuple[str, ...], random: object) -> None:
    shuffled = found.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert winner_of(prefer, *found) == winner_of(prefer, *shuffled)


@given(candidates, preferences)
def test_the_value_is_a_candidate_s_and_every_meaning_is_named_once(
    found: list[Candidate], prefer: tuple[str, ...]
) -> None:
    survivor = winner_of(prefer, *found)
    held = {(each.value, each.key): each.form for each in found}
    meanings = [held[pair] for pair in ((survivor.value, survivor.key), *survivor.runners_up)]
    assert len(meanings) == len(set(meanings)) == len(set(held.values()))


@given(candidates, preferences)
def test_choosing_again_from_the_best_changes_nothing(found: list[Candidate], prefer: tuple[str, ...]) -> None:
    survivor = winner_of(prefer, *found)
    best = next(each for each in found if each.key == survivor.key)
    assert winner_of(prefer, best).value == survivor.value
    same = [each for each in found if each.form == best.form]
    assert winner_of(prefer, *same).value == survivor.value


@given(candidates, preferences)
def test_trust_first_means_that_no_lower_tier_wins(found: list[Candidate], prefer: tuple[str, ...]) -> None:
    survivor = winner_of(("trusted", *(name for name in prefer if name != "trusted")), *found)
    tier = {each.key: each.tier for each in found}
    assert tier[survivor.key] == min(tier.values())


@given(st.lists(candidates, min_size=1, max_size=4), preferences)
def test_many_people_at_once_are_as_each_alone(groups: list[list[Candidate]], prefer: tuple[str, ...]) -> None:
    rows = [(person, each) for person, group in enumerate(groups) for each in group]
    rows.sort(key=lambda row: row[1].key.source_record_id)
    together = choose(_columns(rows), prefer)
    assert together.people.tolist() == list(range(len(groups)))
    for person, group in enumerate(groups):
        alone = [row for row in rows if row[0] == person]
        choices = choose(_columns(alone), prefer)
        assert rows[together.winners[person]] == alone[choices.winners[0]]
        assert rows[together.winners[person]][1].value == winner_of(prefer, *group).value
        for column in ("deciders", "held", "known"):
            assert getattr(together, column)[person] == getattr(choices, column)[0]


def _columns(rows: list[tuple[int, Candidate]]) -> Candidates:
    order = sorted(range(len(rows)), key=lambda at: (rows[at][1].value, str(rows[at][1].key), rows[at][0]))
    times = ["2024-05-01", "2025-01-31", "2025-11-02"]
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows))
    return Candidates(
        people=np.array([person for person, _ in rows]),
        forms=np.array([hash(each.form) for _, each in rows]),
        tiers=np.array([each.tier for _, each in rows]),
        moments=np.array([-1 if each.recorded_at is None else times.index(each.recorded_at) for _, each in rows]),
        lengths=np.array([len(each.value) for _, each in rows]),
        order=place,
    )
