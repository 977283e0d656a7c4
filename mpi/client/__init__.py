"""Typed clients of the services: generated messages in and out, deadlines, retries only where safe.

`IdentityClient` and `StewardshipClient` for threads, `AsyncIdentityClient` and `AsyncStewardshipClient` for asyncio.
They need gRPC and the generated code, no more of mpi.
"""

from mpi.client.aio import AsyncIdentityClient
from mpi.client.errors import FieldViolation, IdentityError
from mpi.client.stewardship import StewardshipClient
from mpi.client.stewardship_aio import AsyncStewardshipClient
from mpi.client.sync import IdentityClient

__all__ = [
    "AsyncIdentityClient",
    "AsyncStewardshipClient",
    "FieldViolation",
    "IdentityClient",
    "IdentityError",
    "StewardshipClient",
]
