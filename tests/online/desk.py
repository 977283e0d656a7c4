"""A desk where single records come in: resolves and matches on a registry, with answers kept as they are."""

import pickle
from collections.abc import Sequence
from uuid import uuid4

from mpi.domain.errors import MpiError
from mpi.domain.records import RecordKey, SourceRecord
from mpi.matching.scorer import Scorer
from mpi.registry.registry import Registry
from mpi.services.gather import Gatherer
from mpi.services.index_keys import check_keys
from mpi.services.match import Matcher
from mpi.services.neighbourhood import OnlineRules
from mpi.services.resolution import MatchResult, Resolution, ResolveRequest
from mpi.services.resolve import Resolver
from tests.factories import small_scorer


def came(key: str, *, at: str | None = None, **values: str) -> SourceRecord:
    """A record by its key as tests write it, such as a:1."""
    system, _, local_id = key.partition(":")
    return SourceRecord(RecordKey(system, local_id), values, at)


def asked(record: SourceRecord, *, request_id: str | None = None) -> ResolveRequest:
    """A request to resolve a record; its digest is that of the record's values, its answer a pickled Resolution."""
    digest = repr((record.key, sorted(record.values.items()), record.recorded_at)).encode()
    return ResolveRequest(request_id or str(uuid4()), digest, record, pickle.dumps)


def told(answer: bytes | MpiError) -> Resolution:
    """What an answer says; an error is raised."""
    if isinstance(answer, MpiError):
        raise answer
    resolution = pickle.loads(answer)
    assert isinstance(resolution, Resolution)
    return resolution


class Desk:
    """Resolves and matches by one set of rules."""

    def __init__(self, registry: Registry, scorer: Scorer | None = None) -> None:
        self.registry = registry
        self.rules = OnlineRules(scorer or small_scorer(), registry.secret)
        check_keys(registry, self.rules.scorer)
        self.resolver = Resolver(registry, self.rules)
        self.matcher = Matcher(registry, self.rules)

    def resolve(self, record: SourceRecord, *, request_id: str | None = None) -> Resolution:
        """One record in a transaction of its own."""
        (answer,) = self.resolver.resolve([asked(record, request_id=request_id)])
        return told(answer)

    def comes(self, key: str, *, at: str | None = None, **values: str) -> Resolution:
        """One record by its key and values."""
        return self.resolve(came(key, at=at, **values))

    def together(self, *records: SourceRecord) -> list[Resolution]:
        """Several records in one transaction."""
        return [told(answer) for answer in self.resolver.resolve([asked(record) for record in records])]

    def match(self, record: SourceRecord, *, limit: int = 10) -> MatchResult:
        return self.matcher.match(record, limit=limit)

    def gatherer(self) -> Gatherer:
        return Gatherer(self.resolver)


def resolve_all(desk: Desk, records: Sequence[SourceRecord], *, at_once: int = 1) -> list[Resolution]:
    """Every record, so many in a transaction."""
    return [
        resolution
        for start in range(0, len(records), at_once)
        for resolution in desk.together(*records[start : start + at_once])
    ]
