import numpy as np
import pytest

from mpi.synthetic.numbers import NumberOffice, draw_mobiles, mobile_prefixes, old_mobile_prefixes, scramble


@pytest.mark.parametrize(("low", "high"), [(10, 10), (7, 31), (100, 20)])
@pytest.mark.parametrize("key", [0, 1, 987654321])
def test_scramble_is_a_permutation(low: int, high: int, key: int) -> None:
    counts = np.arange(low * high)
    scrambled = scramble(counts, low, high, np.full(low * high, key))
    assert sorted(scrambled.tolist()) == counts.tolist()
    assert scrambled.tolist() != counts.tolist()


def test_scrambled_serials_look_random() -> None:
    serial = scramble(np.arange(5_000), 1_000, 1_000, np.zeros(5_000, dtype=np.int64))
    assert abs(np.corrcoef(serial, np.arange(5_000))[0, 1]) < 0.05
    assert len(np.unique(np.diff(serial))) > 4_900
    assert np.bincount(serial // 100_000, minlength=10).min() > 400


def test_numbers_never_repeat_from_one_chunk_to_the_next() -> None:
    office = NumberOffice(1)
    ones = np.ones(3_000, dtype=np.int64)
    citizen = np.concatenate([office.citizen_numbers(ones * 79, ones, ones * 1990) for _ in range(3)])
    assert len(np.unique(citizen)) == 9_000
    assert {str(number)[:5] for number in citizen} == {"79090"}
    cards = np.concatenate([office.card_numbers(ones * 79) for _ in range(3)])
    assert len(np.unique(cards)) == 9_000
    assert set(cards // 10_000_000) == {2}
    insurance = np.concatenate([office.insurance_numbers(ones * 79) for _ in range(3)])
    assert len(np.unique(insurance)) == 9_000


def test_offices_of_other_seeds_give_other_numbers() -> None:
    ones = np.ones(500, dtype=np.int64)
    first, second = (set(NumberOffice(seed).citizen_numbers(ones * 79, ones, ones * 1990)) for seed in (1, 2))
    assert len(first & second) < 20


@pytest.mark.parametrize(
    ("sex", "year", "start"), [(1, 1999, "079099"), (2, 1999, "079199"), (1, 2000, "079200"), (2, 2024, "079324")]
)
def test_citizen_numbers_by_decree_137(sex: int, year: int, start: str) -> None:
    number = NumberOffice(3).citizen_numbers(np.array([79]), np.array([sex]), np.array([year]))[0]
    assert f"{number:012}"[:6] == start


def test_card_prefix_of_a_province() -> None:
    prefix = NumberOffice(0).card_prefix
    assert [int(prefix[code]) for code in (1, 79, 77, 92)] == [1, 2, 27, 36]


def test_mobiles_use_todays_prefixes_and_know_their_old_form() -> None:
    mobiles = draw_mobiles(np.random.default_rng(1), 5_000)
    assert set(mobiles // 10_000_000) <= set(mobile_prefixes())
    assert (mobiles >= 100_000_000).all()
    old = old_mobile_prefixes()
    assert (old[32], old[70], old[90]) == (162, 120, 0)
