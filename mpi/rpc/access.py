"""Who calls: the account whose token a call bears. Tokens are looked up at every call, so that a closed account is out
at once, and they are never logged.
"""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import Message

from mpi.domain.errors import NotSignedInError
from mpi.domain.review import Actor
from mpi.registry.registry import Registry
from mpi.rpc.calls import Answer, parsed
from mpi.services.accounts import actor_of_token

METADATA_KEY = "authorization"
"""The metadata in which a call bears its token, as `Bearer {token}`."""

_SCHEME = "bearer"
_LONGEST_TOKEN = 256

SignedMethod = Callable[[Actor, Any], bytes]
"""Who calls and a checked request, to the bytes of the reply."""


def for_accounts(registry: Registry, request: type[Message], method: SignedMethod) -> Answer:
    """A method for accounts: who calls is known before the request is looked at."""

    def answer(data: bytes, context: grpc.ServicerContext, _seconds: float) -> bytes:
        actor = actor_of_token(registry, _token(context))
        return method(actor, parsed(data, request))

    return answer


def _token(context: grpc.ServicerContext) -> str:
    """The token that a call bears. Raises NotSignedInError where there is not exactly one."""
    given = [value for key, value in context.invocation_metadata() if key == METADATA_KEY]
    if len(given) == 1 and isinstance(given[0], str):
        scheme, _, token = given[0].partition(" ")
        if scheme.lower() == _SCHEME and 0 < len(token) <= _LONGEST_TOKEN:
            return token
    raise NotSignedInError(f"the call needs an account's token, as metadata {METADATA_KEY}: Bearer TOKEN")
