"""A desk for one test: an empty registry with everybody's account, served on a port of its own.

What services do is tested on both databases; the pages over them are tested on one.
"""

from collections.abc import Iterator

import pytest

from mpi.registry.registry import Registry
from tests.reviewer_ui.running_desk import Visitor, people_at_the_desk, running_desk


@pytest.fixture
def database() -> str:
    return "sqlite"


@pytest.fixture
def desk(registry: Registry, quick_passwords: None) -> Iterator[str]:
    """The address of a desk over the registry of the test."""
    people_at_the_desk(registry)
    with running_desk(registry) as address:
        yield address


@pytest.fixture
def visitor(desk: str) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(desk)


@pytest.fixture
def steward(desk: str) -> Visitor:
    """A steward who is signed in."""
    signed_in = Visitor(desk)
    assert signed_in.sign_in("steward").status_code == 303
    return signed_in
