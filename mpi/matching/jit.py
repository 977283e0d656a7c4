"""How this floor compiles: nogil, cached on disk; and two machine instructions that numba has no name for.

The decorators keep the plain function's type: callers are checked against the signature that is written.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

_njit = cast(Any, numba.njit)
_intrinsic = cast(Callable[[Callable[..., Any]], Callable[[Any], Any]], intrinsic)


def kernel(function: F) -> F:
    """For functions that Python calls."""
    return cast(F, _njit(nogil=True, cache=True)(function))


def leaf(function: F) -> F:
    """For hot loops; may not allocate: without reference counts, which would cost more than the work itself."""
    return cast(F, _njit(nogil=True, cache=True, _nrt=False)(function))


def inlined(function: F) -> F:
    """For a few operations that must vanish into their caller."""
    return cast(F, _njit(inline="always")(function))


@_intrinsic
def bits_set(typing: Any, word: Any) -> Any:
    """How many bits of a uint64 are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@_intrinsic
def lowest_bit(typing: Any, word: Any) -> Any:
    """Place of the lowest set bit of a uint64 that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.uint64(types.uint64), generate
