"""A running server over the registry of the test, and stewards at work on it."""

from collections.abc import Iterator

import pytest

from mpi.registry.registry import Registry
from mpi.rpc.warm_up import warm_up
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from tests.rpc.serving import Running, running
from tests.rpc.stewards import Stewards, at_work
from tests.services.stored import SCORER


@pytest.fixture(scope="session", autouse=True)
def warm() -> None:
    """Kernels are compiled before the first call, as `mpi serve` does it: no deadline runs meanwhile."""
    warm_up(SCORER, Catalogue(default_root()).find("vn_person"))


@pytest.fixture
def served(registry: Registry) -> Iterator[Running]:
    with running(registry) as up:
        yield up


@pytest.fixture
def stewards(registry: Registry, served: Running) -> Iterator[Stewards]:
    with at_work(registry, served) as found:
        yield found
