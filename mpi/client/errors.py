"""What a failed call says: its code, reason and details, and whether the same call may be made again."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

_STATUS_KEY = "grpc-status-details-bin"
_CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}

_BROKEN = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN})

_FIRST_DELAY, _LONGEST_DELAY = 0.05, 2.0
"""Seconds before the second try, doubled with every further one, where the service does not say."""


class FieldViolation(NamedTuple):
    """A field that the service refused, by its path, and what is wrong with it."""

    field: str
    description: str


class IdentityError(Exception):
    """A call that failed.

    `reason` is the name of an ErrorReason without its prefix ("" where none came, as when nobody answers), `metadata`
    what belongs to it; `incident` the word under which the service's log explains an INTERNAL error; `retry_after` the
    seconds after which the service says that another try makes sense, None where it does not say.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code.name}{f' ({reason})' if reason else ''}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.field_violations = field_violations
        self.retry_after = retry_after

    @property
    def incident(self) -> str:
        """The service's own word for an unexpected error; empty for all others."""
        return self.metadata.get("incident", "")

    @property
    def transient(self) -> bool:
        """Whether the very same call may succeed later: nobody answered, or too many asked at once."""
        if not self.reason:
            # A server that goes down refuses calls that had just reached it with either.
            return self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        if self.reason == "STALE_VERSION":
            return False  # Aborted too, but the caller has to look again first.
        return self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED) or self.reason == "TOO_MANY_CALLS"

    @property
    def broken(self) -> bool:
        """Whether a stream broke off without the service's saying why: it may be begun again where it was."""
        return self.transient or (not self.reason and self.code in _BROKEN)


def error_of(failed: grpc.RpcError) -> IdentityError:
    """The error that gRPC's own stands for."""
    trailing: Any = failed.trailing_metadata()  # pairs; the stubs know them by another name
    for key, value in trailing or ():
        if key == _STATUS_KEY:
            try:
                return error_of_status(Status.FromString(value))
            except DecodeError:
                break
    return IdentityError(failed.code(), failed.details() or "no details")


def error_of_status(status: Status) -> IdentityError:
    """The error that a status stands for, such as that of one item of a batch."""
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    violations: tuple[FieldViolation, ...] = ()
    retry_after = None
    details: Sequence[Any] = status.details
    for detail in details:
        if detail.Is(ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(BadRequest.DESCRIPTOR):
            detail.Unpack(bad)
            violations = tuple(FieldViolation(each.field, each.description) for each in bad.field_violations)
        elif detail.Is(RetryInfo.DESCRIPTOR):
            detail.Unpack(retry)
            retry_after = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return IdentityError(
        _CODES.get(status.code, grpc.StatusCode.UNKNOWN),
        status.message,
        reason=info.reason,
        metadata=info.metadata,
        field_violations=violations,
        retry_after=retry_after,
    )


def pause_before(attempt: int, error: IdentityError) -> float:
    """Seconds to wait before another try, the first of which is attempt 1: longer each time, never the same for all."""
    delay: float = min(_FIRST_DELAY * 2 ** (attempt - 1), _LONGEST_DELAY)
    return max(delay, error.retry_after or 0.0) * random.uniform(0.75, 1.25)
