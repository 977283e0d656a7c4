"""Enterprise IDs are one-to-one, spelled the same by both paths, and no slip of the pen goes unseen."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.domain.errors import InvalidInputError
from mpi.persons.enterprise_id import ALPHABET, CAPACITY, enterprise_id, enterprise_ids, parse, person_id_of

KEY = bytes(range(16))
person_ids = st.integers(min_value=0, max_value=CAPACITY - 1)


@given(person_ids)
def test_scalar_and_table_paths_agree(person_id: int) -> None:
    assert enterprise_ids(np.array([person_id], dtype=np.int64), KEY) == [enterprise_id(person_id, KEY)]


@given(person_ids)
def test_an_id_leads_back_to_its_person(person_id: int) -> None:
    assert person_id_of(enterprise_id(person_id, KEY), KEY) == person_id


def test_ids_are_unique_unordered_and_keyed() -> None:
    numbers = np.arange(200_000, dtype=np.int64)
    ids = enterprise_ids(numbers, KEY)
    assert len(set(ids)) == len(ids)
    rising = sum(first < second for first, second in pairwise(ids)) / len(ids)
    assert 0.49 < rising < 0.51
    assert not set(ids[:1000]) & set(enterprise_ids(numbers[:1000], bytes(16)))


def test_every_symbol_is_used_evenly_at_every_place() -> None:
    ids = enterprise_ids(np.arange(32_000, dtype=np.int64), KEY)
    for place in (0, 1, 2, 4, 5, 6, 8, 9, 10):
        counts = [sum(text[place] == symbol for text in ids) for symbol in ALPHABET]
        assert 800 < min(counts) <= max(counts) < 1200


@pytest.mark.parametrize("person_id", [0, 1, 77, 123_456_789, CAPACITY - 1])
def test_every_substitution_is_caught(person_id: int) -> None:
    symbols = enterprise_id(person_id, KEY).replace("-", "")
    for place, right in enumerate(symbols):
        for wrong in set(ALPHABET) - {right}:
            with pytest.raises(InvalidInputError, match="check character"):
                parse(symbols[:place] + wrong + symbols[place + 1 :])


def test_every_swap_of_two_places_is_caught() -> None:
    for person_id in range(300):
        symbols = list(enterprise_id(person_id, KEY).replace("-", ""))
        for first in range(len(symbols)):
            for second in range(first + 1, len(symbols)):
                swapped = symbols.copy()
                swapped[first], swapped[second] = swapped[second], swapped[first]
                if swapped != symbols:
                    with pytest.raises(InvalidInputError, match="check character"):
                        parse("".join(swapped))


@given(person_ids)
def test_parse_reads_what_people_write(person_id: int) -> None:
    written = enterprise_id(person_id, KEY)
    assert parse(written) == written
    assert parse(written.lower().replace("-", "")) == written
    assert parse(f" {written.replace('-', ' ')} ") == written
    for slip in (written.replace("0", "O"), written.replace("1", "I"), written.replace("1", "l").replace("0", "o")):
        assert parse(slip) == written


@pytest.mark.parametrize(
    "text", ["", "K7Q", "K7Q-2MD-9XAA", "UUU-UUU-UUU", "K7Q-2MD-9X*", "K7Q-2MD-9Xé", "①②③-④⑤⑥-⑦⑧⑨", "ß" * 5]
)
def test_parse_refuses_what_is_no_id(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse(text)


def test_numbers_out_of_range_and_wrong_keys_are_refused() -> None:
    for person_id in (-1, CAPACITY):
        with pytest.raises(InvalidInputError, match="person ids"):
            enterprise_id(person_id, KEY)
        with pytest.raises(InvalidInputError, match="person ids"):
            enterprise_ids(np.array([person_id], dtype=np.int64), KEY)
    with pytest.raises(InvalidInputError, match="16 bytes"):
        enterprise_id(1, b"short")
    assert enterprise_ids(np.array([], dtype=np.int64), KEY) == []
