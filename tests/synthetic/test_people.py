from itertools import pairwise

import numpy as np
import pytest

from mpi.synthetic.people import FEMALE, TODAY, People, World


def ages(people: People) -> np.ndarray:
    return (TODAY - people.birth) / 365.25


@pytest.mark.parametrize(
    ("low", "high", "least", "most"),
    [(0, 6, 0.05, 0.11), (6, 18, 0.12, 0.20), (18, 35, 0.20, 0.34), (35, 60, 0.30, 0.45), (60, 120, 0.07, 0.15)],
)
def test_age_pyramid_is_roughly_the_citys(people: People, low: int, high: int, least: float, most: float) -> None:
    age = ages(people)
    assert least < np.mean((age >= low) & (age < high)) < most


def test_households_are_small_and_of_many_kinds(people: People) -> None:
    size = np.bincount(np.unique(people.household, return_inverse=True)[1])
    assert 2.4 < size.mean() < 3.4
    assert size.max() >= 6
    assert (size == 1).mean() > 0.1


def test_children_bear_the_fathers_name_and_know_their_mother(people: People) -> None:
    father = {h: s for h, seat, s in zip(people.household, people.seat, people.surname, strict=True) if seat == 0}
    mother = {
        h: (s, m, g)
        for h, seat, s, m, g in zip(
            people.household, people.seat, people.surname, people.middle, people.given, strict=True
        )
        if seat == 1
    }
    rows = [r for r in np.flatnonzero((people.seat >= 2) & (people.seat <= 5)) if people.household[r] in father]
    assert np.mean([people.surname[r] == father[people.household[r]] for r in rows]) > 0.95
    rows = [r for r in rows if people.household[r] in mother]
    assert all(tuple(people.mother_name[r]) == mother[people.household[r]] for r in rows)


def test_twins_are_two_percent_of_children_and_alike(people: People) -> None:
    child = ages(people) < 18
    assert 0.01 < people.twin[child].mean() < 0.035
    rows = np.flatnonzero(people.twin)
    pairs = [(a, b) for a, b in pairwise(rows) if people.household[a] == people.household[b]]
    assert len(pairs) > 20
    same_sex = [(a, b) for a, b in pairs if people.sex[a] == people.sex[b]]
    assert all(people.birth[a] == people.birth[b] and people.surname[a] == people.surname[b] for a, b in pairs)
    assert np.mean([people.middle[a] == people.middle[b] for a, b in same_sex]) > 0.7
    assert all((people.middle[a], people.given[a]) != (people.middle[b], people.given[b]) for a, b in pairs)
    assert all(people.citizen[a] != people.citizen[b] for a, b in pairs)


def test_numbers_are_ones_own_and_fit_sex_and_year(people: People) -> None:
    assert len(np.unique(people.citizen)) == len(people)
    assert len(np.unique(people.insurance)) == len(people)
    cards = people.card[people.card > 0]
    assert len(np.unique(cards)) == len(cards)
    assert (people.citizen // 100_000_000 % 10 == (people.year >= 2000) * 2 + (people.sex == FEMALE)).all()
    assert (people.citizen // 1_000_000 % 100 == people.year % 100).all()


def test_many_were_born_elsewhere_and_old_cards_belong_to_adults(people: People) -> None:
    home = np.isin(people.citizen // 1_000_000_000, (74, 77, 79))
    assert 0.5 < home.mean() < 0.75
    assert (ages(people)[people.card > 0] > 20).all()
    assert (people.home_place >= 0).sum() == pytest.approx((~home).sum(), rel=0.15)


def test_links_stay_in_the_household(people: People) -> None:
    for links in (people.contact, people.relative):
        rows = np.flatnonzero(links >= 0)
        assert (people.household[links[rows]] == people.household[rows]).all()
    minors = np.flatnonzero(ages(people) < 16)
    assert (people.contact[minors] >= 0).mean() > 0.95
    assert (people.contact[minors] != minors).mean() > 0.95


def test_head_cuts_links_to_those_cut_off(people: People) -> None:
    first = people.head(1_001)
    assert len(first) == 1_001
    assert max(first.contact.max(), first.relative.max()) < 1_001
    assert people.head(len(people) + 5) is people


def test_years_without_a_day_belong_to_the_old(people: People) -> None:
    age = ages(people)
    assert people.year_only[age > 80].mean() > 0.6
    assert not people.year_only[age < 30].any()


def test_older_women_are_thi_and_young_ones_are_not(people: People, world: World) -> None:
    thi = np.array(["Thị" in word.split() for word in world.names.words])[people.middle]
    women = people.sex == FEMALE
    assert thi[women & (people.year < 1962)].mean() > 0.75
    assert thi[women & (people.year > 2010)].mean() < 0.2
    assert thi[~women].mean() < 0.003
