import re

import numpy as np
import pyarrow as pa

from mpi.synthetic.people import World
from mpi.synthetic.places import house_grid
from mpi.synthetic.text import grid_strings


def test_the_city_has_its_old_and_new_wards(world: World) -> None:
    """441 old wards went into 168 units, of which Côn Đảo had no ward before; the city's rows stand first."""
    places = world.places
    assert len(np.unique(places.old_code[: places.city])) == 441
    assert len(np.unique(places.new_code[: places.city])) == 167
    assert set(places.old_province[: places.city]) == {74, 77, 79}
    assert not {74, 77, 79} & set(places.old_province[places.city :].tolist())


def test_homes_are_drawn_in_the_city_and_big_wards_more_often(world: World) -> None:
    drawn = world.places.draw(np.random.default_rng(1), 50_000)
    assert drawn.max() < world.places.city
    counts = np.bincount(drawn, minlength=world.places.city)
    assert counts.min() > 0
    assert counts.max() > 4 * np.median(counts)


def test_a_home_province_is_that_province(world: World) -> None:
    province = np.array([1, 38, 96, 1, 99])
    place = world.places.draw_in_province(np.random.default_rng(2), province)
    assert place[-1] == -1
    assert world.places.old_province[place[:-1]].tolist() == [1, 38, 96, 1]


def test_house_numbers_have_alleys() -> None:
    house = np.random.default_rng(3).integers(0, 1 << 40, 2_000)
    written = grid_strings(house_grid(house), np.zeros(2_000, dtype=bool)).to_pylist()
    assert all(re.fullmatch(r"\d{1,3}(/\d{1,3}){0,2}[A-D]?", number) for number in written)
    assert 0.5 < np.mean(["/" in number for number in written]) < 0.75


def test_addresses_follow_the_reform_and_the_style(world: World) -> None:
    house, place = np.full(5, 123_456_789), np.zeros(5, dtype=np.int64)
    style = np.array([0, 0, 1, 2, 3])
    addresses = world.places.address(
        house, place, style=style, reformed=np.array([False, True, False, False, False]), short=np.zeros(5, dtype=bool)
    )
    old, new, upper, bare, brief = addresses.to_pylist()
    assert old.count(",") == 3
    assert new.count(",") == 2
    assert new.endswith("Thành phố Hồ Chí Minh")
    assert upper == old.upper()
    assert bare.isascii()
    assert "P." in brief
    assert isinstance(addresses, pa.StringArray)
    short = world.places.address(
        house[:1], place[:1], style=style[:1], reformed=np.array([True]), short=np.array([True])
    ).to_pylist()
    assert "," not in short[0]
    assert old.startswith(short[0])
