"""`WatchPersons`: a stream of changes, each message of which says where to go on; cut when nobody reads it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from mpi.domain.errors import WatcherTooSlowError
from mpi.identity.v1 import identity_service_pb2 as service_pb2
from mpi.rpc import metrics
from mpi.rpc.calls import parsed
from mpi.rpc.convert import PERSON_CHANGES, put_keys
from mpi.rpc.convert_persons import made_by, put_moment
from mpi.rpc.draining import Drain
from mpi.rpc.errors import DrainingError
from mpi.rpc.tokens import Tokens
from mpi.services.watch import Change, Subscription, Watch

HEARTBEAT = 10.0
"""Seconds after which a stream without changes says how far it has come."""

_CHANGES = {number: change for change, number in PERSON_CHANGES.items()}


class Watching:
    """The streams of one process over its one feed."""

    def __init__(self, watch: Watch, tokens: Tokens, drain: Drain) -> None:
        self._watch = watch
        self._tokens = tokens
        self._drain = drain
        self._stuck = _Stuck(watch.limits.patience)

    def close(self) -> None:
        """End the feed."""
        self._watch.close()

    def answer(self, data: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """The messages of one stream.

        Raises what is wrong with the request, and WatcherTooSlowError or DrainingError with a `resume_token`.
        """
        request = parsed(data, service_pb2.WatchPersonsRequest)
        subscription = self._subscribe(request)
        context.add_callback(subscription.close)
        metrics.watchers(1)
        try:
            with self._drain.heard_by(subscription.close), self._stuck.guarding(context) as sends:
                for message in self._messages(subscription):
                    with sends:
                        yield message
        finally:
            subscription.close()
            metrics.watchers(-1)

    def _subscribe(self, request: service_pb2.WatchPersonsRequest) -> Subscription:
        after: int | None = None
        start = request.WhichOneof("start")
        if start == "resume_token":
            after = self._tokens.resumed(request.resume_token)
        elif start == "after_revision":
            after = request.after_revision
        return self._watch.subscribe(after, kinds=[_CHANGES[kind] for kind in request.kinds])

    def _messages(self, subscription: Subscription) -> Iterator[bytes]:
        """Where the stream stands, then changes, and between them now and then where it stands."""
        yield self._progress(subscription)
        try:
            while True:
                changes = subscription.take(HEARTBEAT)
                for change in changes:
                    yield self._message(change)
                if not changes:
                    yield self._progress(subscription)
                if subscription.closed:
                    break
        except WatcherTooSlowError as error:
            token = self._tokens.resume(int(error.metadata["revision"]))
            raise WatcherTooSlowError(str(error), metadata={"resume_token": token}) from None
        token = self._tokens.resume(subscription.revision)
        raise DrainingError("the server is going down; go on at another", metadata={"resume_token": token})

    def _progress(self, subscription: Subscription) -> bytes:
        token = self._tokens.resume(subscription.revision)
        return service_pb2.WatchPersonsResponse(resume_token=token).SerializeToString()

    def _message(self, change: Change) -> bytes:
        response = service_pb2.WatchPersonsResponse(resume_token=self._tokens.resume(change.revision))
        message = response.change
        message.revision = change.revision
        message.kind = PERSON_CHANGES[change.kind]
        message.enterprise_id = change.enterprise_id
        message.other_enterprise_ids.extend(change.others)
        put_keys(message.records, change.records)
        message.made_by = made_by(change.made_by)
        put_moment(message.event_time, change.recorded_at)
        return response.SerializeToString()


class _Sends:
    """Since when one stream waits for its reader; used as a context around each message."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self.context = context
        self.since: float | None = None

    def __enter__(self) -> None:
        self.since = time.monotonic()

    def __exit__(self, *_error: object) -> None:
        self.since = None


class _Stuck:
    """Cuts streams whose reader takes nothing for too long: they would hold their thread for ever.

    The reader has the token of the last message that it did read.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._open: set[_Sends] = set()
        self._lock = threading.Lock()
        self._running = False

    @contextmanager
    def guarding(self, context: grpc.ServicerContext) -> Iterator[_Sends]:
        """Guards a stream while the block lasts."""
        sends = _Sends(context)
        with self._lock:
            self._open.add(sends)
            if not self._running:
                self._running = True
                threading.Thread(target=self._guard, name="mpi-stuck", daemon=True).start()
        try:
            yield sends
        finally:
            with self._lock:
                self._open.discard(sends)

    def _guard(self) -> None:
        while True:
            time.sleep(self._patience / 10)
            with self._lock:
                if not self._open:
                    self._running = False
                    return
                late = time.monotonic() - self._patience
                stuck = [each for each in self._open if each.since is not None and each.since < late]
            for each in stuck:
                each.context.cancel()
