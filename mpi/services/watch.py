"""Watch: every change of people, gap-free and in order, to any number of subscribers of one process.

One thread polls the history and feeds those who are up to date, each through a bounded queue. Who is behind reads pages
from the registry at its own pace until it is up to date again; nothing is ever buffered without bound.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mpi.domain.errors import RegistryError, RevisionNotReachedError, WatcherTooSlowError
from mpi.domain.records import RecordKey
from mpi.registry.change_feed import FeedEvent, read_feed
from mpi.registry.events import last_revision
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.resolution import PersonChange

_BUSY_SECONDS, _IDLE_SECONDS = 0.05, 0.25
_BACKING_OFF = 1.5
_READERS = 2
_PREFIX = "person."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one person: what happened, whom it names beside, which records, who made it and when (ISO 8601,
    UTC). Every event is one change; revisions rise and leave none out."""

    revision: int
    kind: PersonChange
    enterprise_id: str
    others: tuple[str, ...]
    records: tuple[RecordKey, ...]
    made_by: str
    recorded_at: str


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How many changes wait for one subscriber at most, how many are read at once, and the seconds within which one
    that fell behind must be up to date again, or is cut."""

    waiting: int = 2_048
    page: int = 500
    patience: float = 10.0


@dataclass(frozen=True, slots=True)
class Page:
    """The changes of some events that follow each other up to a revision; `is_last` when there were no more then."""

    changes: tuple[Change, ...]
    revision: int
    is_last: bool


class Watch:
    """The one feed of a process. Close it before the registry."""

    def __init__(self, registry: Registry, limits: WatchLimits | None = None) -> None:
        self.limits = limits or WatchLimits()
        self._registry = registry.beside()
        self._readers = threading.Semaphore(_READERS)
        self._moved = threading.Condition()
        self._stop = threading.Event()
        self._live: set[Subscription] = set()
        self._head = 0
        self._poller: threading.Thread | None = None

    def subscribe(self, after_revision: int | None = None, *, kinds: Collection[PersonChange] = ()) -> "Subscription":
        """The changes after a revision, or those after now; only some kinds where any are named.

        Raises RevisionNotReachedError for a revision in the future, RegistryError.
        """
        with self._registry.snapshot() as uow:
            newest = last_revision(uow)
        if after_revision is not None and after_revision > newest:
            raise RevisionNotReachedError(
                f"the registry stands at revision {newest}, before the one to go on from",
                metadata={"revision": str(newest)},
            )
        with self._moved:
            if self._poller is None and not self._stop.is_set():
                self._poller = threading.Thread(target=self._poll, name="watch", daemon=True)
                self._poller.start()
        return Subscription(self, newest if after_revision is None else max(after_revision, 0), frozenset(kinds))

    @property
    def closed(self) -> bool:
        """Whether the feed has ended."""
        return self._stop.is_set()

    def close(self) -> None:
        """End the feed: subscribers get nothing more."""
        with self._moved:
            self._stop.set()
            self._moved.notify_all()
        if self._poller is not None:
            self._poller.join()
        self._registry.close()

    def _poll(self) -> None:
        pause = _BUSY_SECONDS
        while not self._stop.is_set():
            with self._moved:
                while not self._live and not self._stop.is_set():
                    self._moved.wait()
                head = self._head
            page = self._polled(head)
            if page is not None and self._publish(head, page) and not page.is_last:
                continue
            pause = _BUSY_SECONDS if page is not None else min(pause * _BACKING_OFF, _IDLE_SECONDS)
            self._stop.wait(pause)

    def _polled(self, head: int) -> Page | None:
        """What follows; None for nothing, and while the registry cannot be read."""
        if self._stop.is_set():
            return None
        try:
            with self._registry.snapshot() as uow:
                page = self._page(uow, head)
            return page if page.revision > head else None
        except RegistryError as error:
            _log.warning("the change feed waits: %s", error)
        except Exception as error:
            # whatever it is, watchers must not wait for a thread that died; what it says may hold a person's data
            _log.error("the change feed failed with %s and tries again", type(error).__name__)
        return None

    def _publish(self, head: int, page: Page) -> bool:
        """Hand a page out, unless the feed has moved elsewhere since it was asked for."""
        with self._moved:
            if head != self._head:
                return False
            self._head = page.revision
            for subscriber in list(self._live):
                if not subscriber.offer(page):
                    self._live.discard(subscriber)
            self._moved.notify_all()
            return True

    def join(self, subscriber: "Subscription", revision: int) -> bool:
        """Feed a subscriber from a revision on, if the feed is not ahead of it. The caller holds `lock`."""
        if not self._live:
            self._head = revision
        elif revision < self._head:
            return False
        self._live.add(subscriber)
        self._moved.notify_all()
        return True

    def leave(self, subscriber: "Subscription") -> None:
        """Feed a subscriber no more. The caller holds `lock`."""
        self._live.discard(subscriber)
        self._moved.notify_all()

    @property
    def lock(self) -> threading.Condition:
        """Guards the feed and its subscribers; notified when the feed moves."""
        return self._moved

    def read(self, after: int) -> Page:
        """A page from the registry, for who is behind. Raises RegistryError."""
        with self._readers, self._registry.snapshot() as uow:
            return self._page(uow, after)

    def _page(self, uow: UnitOfWork, after: int) -> Page:
        found = read_feed(uow, after, limit=self.limits.page, key=self._registry.secret)
        changes = tuple(change for event in found if (change := _change(event)) is not None)
        return Page(changes, found[-1].revision if found else after, len(found) < self.limits.page)


def _change(event: FeedEvent) -> Change | None:
    """An event as watchers are told of it; None where it is about nobody, or of a kind that is not told."""
    kind = _KINDS.get(event.kind)
    if kind is None or event.enterprise_id is None:
        return None
    return Change(
        event.revision, kind, event.enterprise_id, event.others, event.records, event.made_by, event.recorded_at
    )


class Subscription:
    """One subscriber's changes; for one thread at a time. Close it when nobody reads it any more."""

    def __init__(self, watch: Watch, revision: int, kinds: frozenset[PersonChange]) -> None:
        self._watch = watch
        self._kinds = kinds
        self._given = revision  # everything up to here was handed out, or is not of the kinds wanted
        self._offered = revision
        self._waiting: deque[Change] = deque()
        self._live = False
        self._up_to_date = False
        self._behind_since: float | None = None
        self._closed = False

    @property
    def revision(self) -> int:
        """How far the subscription has come: go on after this, and nothing is missed or comes twice."""
        with self._watch.lock:
            return self._given if self._waiting or not self._live else self._offered

    @property
    def closed(self) -> bool:
        """Whether it has ended, by its own closing or the feed's."""
        return self._closed or self._watch.closed

    def __iter__(self) -> Iterator[Change]:
        """Every change until the subscription ends. Raises WatcherTooSlowError."""
        while not self.closed:
            yield from self.take(1.0)

    def take(self, timeout: float) -> list[Change]:
        """The next changes, as many as are there; none when `timeout` seconds pass or the subscription ends.

        While the registry cannot be read, nothing comes, and afterwards everything.
        Raises WatcherTooSlowError, with the revision to go on from, when it stayed behind for too long.
        """
        until = time.monotonic() + timeout
        while True:
            with self._watch.lock:
                found = self._fed(until)
            if found is None:
                found = self._read(until)
            if found or self.closed or time.monotonic() >= until:
                return found

    def close(self) -> None:
        """Ends the subscription; whoever waits in `take` gets nothing."""
        with self._watch.lock:
            self._closed = True
            self._live = False
            self._waiting.clear()
            self._watch.leave(self)

    def offer(self, page: Page) -> bool:
        """Put changes in the queue; False when it is full and the subscriber falls behind. Called under the lock."""
        self._waiting.extend(self._wanted(page, self._offered))
        self._offered = max(self._offered, page.revision)
        if len(self._waiting) <= self._watch.limits.waiting:
            return True
        self._waiting.clear()
        self._live = self._up_to_date = False
        self._behind_since = time.monotonic()
        return False

    def _fed(self, until: float) -> list[Change] | None:
        """What the feed has put in the queue; None for who must read for itself."""
        if self.closed:
            return []
        if not self._live and not self._catch_up():
            return None
        if not self._waiting:
            self._watch.lock.wait(max(until - time.monotonic(), 0))
        if not self._live:
            return [] if self.closed else None
        found = list(self._waiting)
        self._waiting.clear()
        self._given = self._offered
        return found

    def _catch_up(self) -> bool:
        """Join the feed once the registry's end has been read; see that this does not take too long."""
        late = self._behind_since is not None and time.monotonic() - self._behind_since > self._watch.limits.patience
        if late:
            raise WatcherTooSlowError(
                "changes came faster than they were read; go on from the revision given",
                metadata={"revision": str(self._given)},
            )
        if self._up_to_date and self._watch.join(self, self._given):
            self._live, self._offered, self._behind_since = True, self._given, None
            return True
        return False

    def _read(self, until: float) -> list[Change]:
        try:
            page = self._watch.read(self._given)
        except RegistryError:
            time.sleep(max(min(until - time.monotonic(), _IDLE_SECONDS), 0))
            return []
        found = self._wanted(page, self._given)
        self._given, self._up_to_date = page.revision, page.is_last
        return found

    def _wanted(self, page: Page, after: int) -> list[Change]:
        return [
            change
            for change in page.changes
            if change.revision > after and (not self._kinds or change.kind in self._kinds)
        ]


_KINDS = {f"{_PREFIX}{kind}": kind for kind in PersonChange}
"""What watchers call an event; others they are not told of."""
