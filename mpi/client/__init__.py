"""A typed client of the identity service: generated messages in and out, deadlines, retries only where safe.

`IdentityClient` for threads, `AsyncIdentityClient` for asyncio. Needs gRPC and the generated code, no more of mpi.
"""

from mpi.client.aio import AsyncIdentityClient
from mpi.client.errors import FieldViolation, IdentityError
from mpi.client.sync import IdentityClient

__all__ = ["AsyncIdentityClient", "FieldViolation", "IdentityClient", "IdentityError"]
