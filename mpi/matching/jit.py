"""How this floor compiles: nogil, cached on disk.

The decorators keep the plain function's type: callers are checked against the signature that is written.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_njit = cast(Any, numba.njit)


def kernel(function: F) -> F:
    """For functions that Python calls."""
    return cast(F, _njit(nogil=True, cache=True)(function))


def leaf(function: F) -> F:
    """For hot loops; may not allocate: without reference counts, which would cost more than the work itself."""
    return cast(F, _njit(nogil=True, cache=True, _nrt=False)(function))


def inlined(function: F) -> F:
    """For a few operations that must vanish into their caller."""
    return cast(F, _njit(inline="always")(function))
