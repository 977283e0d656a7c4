"""A server that is warm before a client calls it."""

from tests.rpc.conftest import warm

__all__ = ["warm"]
