"""One small city for reading, one world for making people; both made once a session, for making them takes a second."""

import numpy as np
import pytest

from mpi.synthetic.city import CitySummary, generate_city
from mpi.synthetic.names import make_name_book
from mpi.synthetic.numbers import NumberOffice
from mpi.synthetic.people import People, World, make_people
from mpi.synthetic.places import make_places
from mpi.synthetic.sheet import Tables, make_tables

PERSONS = 12_000


@pytest.fixture(scope="session")
def world() -> World:
    return World(make_name_book(), make_places(), NumberOffice(5))


@pytest.fixture(scope="session")
def tables() -> Tables:
    return make_tables()


@pytest.fixture(scope="session")
def people(world: World) -> People:
    return make_people(np.random.default_rng(5), world, households=8_000, first_person=0, first_household=0)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> CitySummary:
    return generate_city(tmp_path_factory.mktemp("city"), persons=PERSONS, seed=5)
