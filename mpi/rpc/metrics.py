"""What a server counts, for Prometheus. One process counts for itself; `mpi serve` sets PROMETHEUS_MULTIPROC_DIR before
this is imported, and what is read then is the sum over its workers.
"""

from collections.abc import Callable

import grpc
from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (
    *(0.0005, 0.00075, 0.001, 0.00125, 0.0015, 0.002, 0.0025, 0.0035, 0.005, 0.0075),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30),
)

_CALL_SECONDS = Histogram(
    "mpi_rpc_seconds",
    "Calls by method and gRPC code: their number, and the seconds from the whole request to the reply. Streams count "
    "once, when they end.",
    ["method", "code"],
    buckets=_SECONDS,
)
_ITEMS = Counter("mpi_rpc_items", "Items of streams that were answered, by method and gRPC code.", ["method", "code"])
_GATHERED = Histogram(
    "mpi_gathered_resolves",
    "Resolves that were written in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
_CANDIDATES = Histogram(
    "mpi_candidate_records",
    "Records that were compared with the one in question, by method.",
    ["method"],
    buckets=(0, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
)
_BOUNDED = Counter(
    "mpi_bounded_blocks", "Blocks too large to be compared whole (hot keys), by blocking rule.", ["blocking_rule"]
)
_WATCHERS = Gauge("mpi_open_watchers", "Open streams of WatchPersons.", multiprocess_mode="livesum")
_BATCHES = Gauge("mpi_open_batches", "Open streams of BatchMatch and BatchResolve.", multiprocess_mode="livesum")
_WAITING = Gauge("mpi_waiting_calls", "Calls that wait for a thread, each second.", multiprocess_mode="livesum")
_RECENT_KEYS = Gauge(
    "mpi_recent_keys",
    "Blocking keys that each process keeps in memory: those of records that came since the last bulk run.",
    multiprocess_mode="livemax",
)

Observe = Callable[[float], None]


class CallMeter:
    """Seconds of one method's calls by code; the meter of a code is made when it is first needed."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._of: dict[grpc.StatusCode, Observe] = {}

    def __call__(self, code: grpc.StatusCode, seconds: float) -> None:
        """Count one call."""
        observe = self._of.get(code)
        if observe is None:
            observe = self._of[code] = _CALL_SECONDS.labels(self._method, code.name).observe
        observe(seconds)


class ItemMeter:
    """Items of one method's streams by code."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._of: dict[grpc.StatusCode, Callable[[], None]] = {}

    def __call__(self, code: grpc.StatusCode) -> None:
        """Count one item."""
        count = self._of.get(code)
        if count is None:
            count = self._of[code] = _ITEMS.labels(self._method, code.name).inc
        count()


class BlockingMeter:
    """Candidate records of one method's calls, and the blocks that were bounded."""

    def __init__(self, method: str) -> None:
        self._candidates: Observe = _CANDIDATES.labels(method).observe
        self._bounded: dict[str, Callable[[], None]] = {}

    def __call__(self, records: int, bounded_rules: tuple[str, ...]) -> None:
        """Count what blocking did for one record."""
        self._candidates(records)
        for rule in bounded_rules:
            count = self._bounded.get(rule)
            if count is None:
                count = self._bounded[rule] = _BOUNDED.labels(rule).inc
            count()


def gathered(resolves: int) -> None:
    """Count one transaction of gathered resolves."""
    _GATHERED.observe(resolves)


def watchers(change: int) -> None:
    """Count watchers that came (1) or went (-1)."""
    _WATCHERS.inc(change)


def batches(change: int) -> None:
    """Count batch streams that came (1) or went (-1)."""
    _BATCHES.inc(change)


def waiting(calls: int) -> None:
    """Note how many calls wait for a thread."""
    _WAITING.set(calls)


def recent_keys(keys: int) -> None:
    """Note how many stored keys are kept in memory."""
    _RECENT_KEYS.set(keys)
