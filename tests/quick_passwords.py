"""Passwords whose hash costs little, for tests that are not about the cost: a plugin named by tests/conftest.py."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from mpi.services import passwords


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every hash of the test is made with the least cost there is."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._of_nobody.cache_clear()
    yield
    passwords._of_nobody.cache_clear()
