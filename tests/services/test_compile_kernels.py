"""Compiling before a job: told once when something is compiled, silent when all is there."""

import numba
import pytest

from mpi.app import App
from mpi.services.compile_kernels import compile_kernels
from mpi.services.notice_compiling import noticing


def test_notice_is_given_once_and_only_while_it_is_wanted() -> None:
    told: list[str] = []
    with noticing(lambda: told.append("compiling")):
        numba.njit(lambda x: x + 1)(1)
        numba.njit(lambda x: x + 2)(1)
    numba.njit(lambda x: x + 3)(1)
    assert told == ["compiling"]


@pytest.mark.parametrize("family", ["vn_person", "febrl"])
def test_a_second_time_nothing_is_compiled(family: str) -> None:
    """The three made-up records go the whole way under every rule family, and the first time compiles all there is."""
    model = App.start().rules(family).model
    told: list[str] = []
    compile_kernels(model, lambda: None)
    compile_kernels(model, lambda: told.append("compiling"))
    assert told == []
