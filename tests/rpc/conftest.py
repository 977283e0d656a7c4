"""A running server over the registry of the test."""

from collections.abc import Iterator

import pytest

from mpi.registry.registry import Registry
from tests.rpc.serving import Running, running


@pytest.fixture
def served(registry: Registry) -> Iterator[Running]:
    with running(registry) as up:
        yield up
