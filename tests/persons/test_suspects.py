"""Suspects: what rules would not join is found, what a steward holds together is not, and knowing less is no crime."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpi.matching.kernel import FORBID, HOLD
from mpi.persons import suspects as module
from mpi.persons.cuts import MAXIMUM_RECORDS
from mpi.persons.suspects import Suspects, find_suspects
from tests.factories import PRIOR, all_pairs, rows_of, small_scorer

LAN = {"name": "lan", "birth": "1984-03-19"}
HOA = {"name": "hoa", "birth": "1999-09-09"}
Pairs = list[tuple[int, int]]


def look(
    *records: dict[str, Any],
    persons: list[int] | None = None,
    wanted: list[int] | None = None,
    must: Pairs | None = None,
) -> Suspects:
    """Look at the people of records, all one person if nothing is said; `wanted` are places, all if nothing is said."""
    count = len(records)
    return find_suspects(
        small_scorer(),
        rows_of(*records),
        np.array(persons or [7] * count, dtype=np.int64),
        np.isin(np.arange(count), range(count) if wanted is None else wanted),
        must_link=np.array(must or [], dtype=np.int32).reshape(-1, 2),
        prior=PRIOR,
    )


def pairs(found: Suspects) -> Pairs:
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


def test_who_holds_together_is_no_suspect() -> None:
    found = look(LAN, LAN, {**LAN, "number": "1"}, HOA, persons=[4, 4, 4, 9])
    assert pairs(found) == []
    assert found.looked_at.tolist() == [0, 3]
    assert found.codes.shape == (0, 4)


def test_nobody_at_all() -> None:
    found = find_suspects(
        small_scorer(),
        rows_of(LAN)[:0],
        np.empty(0, dtype=np.int64),
        np.empty(0, dtype=np.bool_),
        must_link=np.empty((0, 2), dtype=np.int32),
        prior=PRIOR,
    )
    assert pairs(found) == found.looked_at.tolist() == found.forbidden.tolist() == []


def test_two_strangers_under_one_number_of_a_person() -> None:
    found = look(LAN, HOA, LAN, persons=[3, 3, 5])
    assert pairs(found) == [(0, 1)]
    assert found.weights == pytest.approx([PRIOR - 6.6], abs=0.1)
    assert found.vetoes.tolist() == [0]
    scores = small_scorer().score(rows_of(LAN, HOA), *all_pairs(2), prior=PRIOR)
    assert found.codes.tolist() == scores.codes.tolist()


def test_a_record_that_only_knows_less_is_no_stranger() -> None:
    assert pairs(look({**LAN, "number": "1"}, {"number": "1"}, {"phones": ("p",)})) == []
    assert pairs(look({**LAN, "phones": ("q",)}, {"phones": ("p",)})) == [(0, 1)]


def test_different_numbers_are_found_and_named() -> None:
    found = look({**LAN, "number": "1"}, LAN, {**LAN, "number": "2"})
    assert pairs(found) == [(0, 2)]
    assert found.vetoes.tolist() == [FORBID]
    assert found.forbidden.tolist() == [[0, 2]]


def test_what_a_steward_holds_together_is_never_asked_about() -> None:
    records = {**LAN, "number": "1"}, LAN, {**LAN, "number": "2"}
    judged = look(*records, must=[(0, 2)])
    assert pairs(judged) == judged.forbidden.tolist() == []
    # by way of a third record, in whatever order the pairs are given
    tied = look(*records, must=[(1, 0), (2, 1)])
    assert pairs(tied) == tied.forbidden.tolist() == []
    # a judgement on this side of the gap says nothing of the other
    assert pairs(look(*records, HOA, must=[(0, 2)])) == [(0, 3)]


def test_a_weak_bridge_between_several_records_on_either_side() -> None:
    """One pair shares a name and another a phone: 8.6 bits with the birth dates, neither enough by itself."""
    one: list[dict[str, Any]] = [
        {"name": "lan", "birth": "a", "number": "1"},
        {"birth": "a", "number": "1", "phones": ("p",)},
    ]
    other: list[dict[str, Any]] = [
        {"name": "lan", "birth": "b", "phones": ("q",)},
        {"birth": "b", "phones": ("p", "q")},
    ]
    found = look(*one, *other)
    assert pairs(found) == [(0, 2)]
    assert found.weights == pytest.approx([8.6], abs=0.1)
    assert found.vetoes.tolist() == [0]
    # one record that brings both is what rules go by
    assert pairs(look(*one, {"name": "lan", "birth": "b", "phones": ("p",)})) == []


def test_twins_in_one_person() -> None:
    """The same birth date and phone, another name: a veto holds every pair across, though rules would link two."""
    lan, linh = {"name": "lan", "birth": "b"}, {"name": "linh", "birth": "b"}
    phone = {"phones": ("p",)}
    found = look({**lan, **phone}, lan, {**linh, **phone}, linh)
    assert len(found.left) == 1
    assert {bool(end < 2) for end in (found.left[0], found.right[0])} == {True, False}
    assert found.vetoes.tolist() == [HOLD]
    assert found.weights == pytest.approx([9.6], abs=0.1)


def test_a_held_pair_that_others_outvote_is_no_conflict() -> None:
    birth = {"birth": "1984-03-19"}
    assert pairs(look({"name": "lan", **birth}, {"name": "linh", **birth, "number": "7"}, {**LAN, "number": "7"})) == []


def test_a_veto_is_asked_about_before_a_weak_bridge_and_a_person_once() -> None:
    found = look({**LAN, "number": "1"}, LAN, {**LAN, "number": "2"}, HOA)
    assert pairs(found) == [(0, 2)]
    assert found.vetoes.tolist() == [FORBID]


def test_only_the_people_of_wanted_records_are_looked_at() -> None:
    records, persons = (LAN, HOA, LAN, HOA, LAN), [5, 6, 6, 5, 1]
    assert pairs(look(*records, persons=persons, wanted=[1])) == [(1, 2)]
    assert look(*records, persons=persons, wanted=[1]).looked_at.tolist() == [1]
    assert sorted(pairs(look(*records, persons=persons))) == [(0, 3), (1, 2)]


def test_of_very_many_records_the_first_are_looked_at() -> None:
    alike = [LAN] * (MAXIMUM_RECORDS + 8)
    assert pairs(look(*alike)) == []
    assert pairs(look(HOA, *alike)) == [(0, 1)]
    assert pairs(look(*alike, HOA)) == []


_RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["lan", "hoa"]),
        "birth": st.sampled_from(["1984-03-19", "1999-09-09"]),
        "number": st.sampled_from(["1", "2"]),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(_RECORDS, st.integers(0, 3)), min_size=1, max_size=14), st.data())
def test_on_any_people(drawn: list[tuple[dict[str, str], int]], data: st.DataObject) -> None:
    records, persons = [each for each, _ in drawn], [person for _, person in drawn]
    found = look(*records, persons=persons)
    asked = [persons[left] for left, _ in pairs(found)]
    assert len(set(asked)) == len(asked)
    assert [persons[right] for _, right in pairs(found)] == asked
    scorer, (left, right) = small_scorer(), all_pairs(len(records))
    scores = scorer.score(rows_of(*records), left, right, prior=PRIOR)
    inside = np.array(persons)[left] == np.array(persons)[right]
    against = {persons[place] for place in left[inside & (scores.vetoes & FORBID != 0)].tolist()}
    fine = (scores.vetoes == 0) & (scores.weights >= 8.0)
    # every number that is forbidden is asked about, and nobody whose every pair rules would link
    assert against <= set(asked)
    assert not set(asked) - {persons[place] for place in left[inside & ~fine].tolist()}
    assert sorted(map(tuple, found.forbidden.tolist())) == [
        (a, b)
        for a, b, veto in zip(left.tolist(), right.tolist(), scores.vetoes.tolist(), strict=True)
        if veto & FORBID and persons[a] == persons[b]
    ]
    # whoever is asked about and then judged over that gap is asked about it no more
    judged = look(*records, persons=persons, must=pairs(found))
    assert not set(pairs(judged)) & set(pairs(found))
    # in blocks, however small, the same is found
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAIRS_AT_ONCE", data.draw(st.integers(1, 5)))
        again = look(*records, persons=persons)
    assert pairs(again) == pairs(found)
    assert np.array_equal(again.weights, found.weights)
    assert again.forbidden.tolist() == found.forbidden.tolist()
