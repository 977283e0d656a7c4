"""How this floor compiles. Kernels are nogil and cached on disk; leaves do no reference counting and so may not
allocate."""

from numba import njit

kernel = njit(nogil=True, cache=True)
"""For functions that Python calls."""

leaf = njit(nogil=True, cache=True, _nrt=False)
"""For functions that kernels call in their hot loops: counting references of the arrays passed would cost more than
the work."""

inlined = njit(inline="always")
"""For a few operations that must vanish into their caller."""
