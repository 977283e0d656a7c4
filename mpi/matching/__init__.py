"""The performance core: feature rows, blocking keys, levels, weights. numpy and numba only, no I/O."""
