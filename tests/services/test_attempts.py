"""Attempts are counted in a window that moves."""

import pytest

from mpi.domain.errors import TooManyAttemptsError
from mpi.services import attempts
from mpi.services.attempts import Attempts


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_few_are_let_through_and_then_there_is_a_wait() -> None:
    clock = Clock()
    counted = Attempts(most=3, seconds=60, clock=clock)
    for clock.now in (0.0, 10.0, 20.0):
        counted.check("a")
        counted.note("a")
    with pytest.raises(TooManyAttemptsError) as refused:
        counted.note("a")
    assert refused.value.metadata["seconds"] == "41"
    with pytest.raises(TooManyAttemptsError):
        counted.check("a")
    counted.note("b")
    clock.now = 60.5
    counted.note("a")  # the first of the three is forgotten, and only that
    with pytest.raises(TooManyAttemptsError):
        counted.note("a")
    counted.forget("a")
    counted.forget("never seen")
    counted.note("a")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_MOST_KEYS", 3)
    counted = Attempts(most=1, seconds=60)
    for key in "abcd":
        counted.note(key)
    counted.check("a")
    for key in "bcd":
        with pytest.raises(TooManyAttemptsError):
            counted.check(key)
