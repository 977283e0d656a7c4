"""The identity service's client for threads. One client may be used by many threads at once."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

import grpc

from mpi.client import requests
from mpi.client.batches import Batch
from mpi.client.connection import Connection
from mpi.client.errors import IdentityError, error_of, pause_before
from mpi.identity.v1 import health_record_pb2 as health
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import identity_service_pb2_grpc as service_grpc
from mpi.identity.v1 import match_pb2, person_pb2, record_pb2


class IdentityClient(Connection):
    """The identity service at `host:port`. Close it, or use it as a context manager.

    `timeout` is how many seconds a call gets, all tries together; `attempts` how many tries. Every method raises
    IdentityError. Without `credentials` the connection is not encrypted.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout: float = 10.0,
        attempts: int = 5,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        super().__init__(target, timeout=timeout, attempts=attempts, credentials=credentials)
        self._service = service_grpc.IdentityServiceStub(self._channel)

    def match(
        self,
        record: record_pb2.SourceRecord,
        *,
        max_candidates: int = 0,
        include_explanations: bool = False,
        include_certainly_not: bool = False,
        consistency_token: str = "",
        timeout: float | None = None,
    ) -> service.MatchResponse:
        """What would this record match? Nothing is written."""
        request = requests.match(record, max_candidates, include_explanations, include_certainly_not, consistency_token)
        return self._call(self._service.Match, request, timeout)

    def resolve(
        self, record: record_pb2.SourceRecord, *, request_id: str | None = None, timeout: float | None = None
    ) -> service.ResolveResponse:
        """Register a record and learn who it is."""
        request = service.ResolveRequest(request_id=request_id or requests.new_request_id(), record=record)
        return self._call(self._service.Resolve, request, timeout)

    def match_many(
        self, asked: Iterable[service.MatchRequest], *, at_once: int = 64
    ) -> Iterator[tuple[service.MatchRequest, service.MatchResponse | IdentityError]]:
        """`match` for many requests, in the order in which answers are ready; one that fails stops no other."""
        return Batch(self._service.BatchMatch, service.BatchMatchRequest, self._attempts, at_once).run(asked)

    def resolve_many(
        self, records: Iterable[record_pb2.SourceRecord | service.ResolveRequest], *, at_once: int = 256
    ) -> Iterator[tuple[service.ResolveRequest, service.ResolveResponse | IdentityError]]:
        """`resolve` for many records, in the order in which answers are ready; one that fails stops no other.

        A record without a request gets a request id here; when the stream breaks, what was not answered is sent again.
        """
        asked = (
            each
            if isinstance(each, service.ResolveRequest)
            else service.ResolveRequest(request_id=requests.new_request_id(), record=each)
            for each in records
        )
        return Batch(self._service.BatchResolve, service.BatchResolveRequest, self._attempts, at_once).run(asked)

    def look_up(
        self,
        *,
        source_record: record_pb2.RecordKey | None = None,
        citizen_id: str | None = None,
        health_insurance_number: str | None = None,
        consistency_token: str = "",
        timeout: float | None = None,
    ) -> service.LookUpIdentifierResponse:
        """Who bears this identifier? Exactly one is to be given."""
        request = requests.look_up(source_record, citizen_id, health_insurance_number, consistency_token)
        return self._call(self._service.LookUpIdentifier, request, timeout)

    def get_person(
        self,
        enterprise_id: str,
        *,
        as_of_time: datetime | None = None,
        as_of_revision: int | None = None,
        consistency_token: str = "",
        timeout: float | None = None,
    ) -> person_pb2.Person:
        """One person, today or as of a time or revision."""
        request = requests.get_person(enterprise_id, as_of_time, as_of_revision, consistency_token)
        return self._call(self._service.GetPerson, request, timeout).person

    def register_entries(
        self,
        entries: Sequence[health.HealthRecordEntry],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> health.RegisterHealthRecordEntriesResponse:
        """Register pointers to entries of the lifelong health record, at most 500."""
        request = health.RegisterHealthRecordEntriesRequest(
            request_id=request_id or requests.new_request_id(), entries=entries
        )
        return self._call(self._service.RegisterHealthRecordEntries, request, timeout)

    def list_entries(
        self,
        enterprise_id: str,
        *,
        kinds: Iterable[health.EntryKind] = (),
        start_date: date | None = None,
        end_date: date | None = None,
        consistency_token: str = "",
        timeout: float | None = None,
    ) -> Iterator[health.HealthRecordEntry]:
        """The lifelong health record of a person, oldest first, page by page; `timeout` is that of one page."""
        request = requests.list_entries(enterprise_id, kinds, start_date, end_date, consistency_token)
        while True:
            page = self._call(self._service.ListHealthRecordEntries, request, timeout)
            yield from page.entries
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def explain(
        self,
        left: record_pb2.RecordKey,
        right: record_pb2.RecordKey,
        *,
        consistency_token: str = "",
        timeout: float | None = None,
    ) -> service.ExplainMatchResponse:
        """Why two records are, or are not, held to be one person."""
        request = service.ExplainMatchRequest(left=left, right=right, consistency_token=consistency_token)
        return self._call(self._service.ExplainMatch, request, timeout)

    def withdraw(
        self, record: record_pb2.RecordKey, reason: str, *, request_id: str | None = None, timeout: float | None = None
    ) -> service.WithdrawRecordResponse:
        """Take a record out of matching, and from its person."""
        request = service.WithdrawRecordRequest(
            request_id=request_id or requests.new_request_id(), record=record, reason=reason
        )
        return self._call(self._service.WithdrawRecord, request, timeout)

    def active_rules(self, *, timeout: float | None = None) -> match_pb2.LinkageRules:
        """The rules in force."""
        return self._call(self._service.GetActiveRules, service.GetActiveRulesRequest(), timeout).rules

    def watch(
        self,
        *,
        resume_token: str = "",
        after_revision: int | None = None,
        kinds: Iterable[person_pb2.PersonChangeKind] = (),
    ) -> Iterator[service.WatchPersonsResponse]:
        """Every change of people, in order, without a gap, for ever: when the stream breaks it goes on by itself.

        Messages without a change only carry a resume token; keep the last token to go on from in another process.
        Close the iterator, or the client, to end.
        """
        request = requests.watch(resume_token, after_revision, kinds)
        failures = 0
        while True:
            stream = self._service.WatchPersons(request)
            try:
                for message in stream:
                    failures = 0
                    request.resume_token = message.resume_token
                    yield message
                error = IdentityError(grpc.StatusCode.UNAVAILABLE, "the stream ended")
            except grpc.RpcError as failed:
                error = error_of(failed)
            finally:
                stream.cancel()
            failures += 1
            if self._closed:
                return
            if not error.broken or failures > self._attempts * 10:
                raise error
            if token := error.metadata.get("resume_token"):
                request.resume_token = token
            time.sleep(pause_before(min(failures, 8), error))
