"""The client for asyncio: the same calls, deadlines and tries as the threaded one. Batches are the threaded one's."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import grpc

from mpi.client import requests
from mpi.client.connection import AsyncConnection
from mpi.client.errors import IdentityError, error_of, pause_before
from mpi.identity.v1 import health_record_pb2 as health
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import identity_service_pb2_grpc as service_grpc
from mpi.identity.v1 import match_pb2, person_pb2, record_pb2


class AsyncIdentityClient(AsyncConnection):
    """The identity service at `host:port`, for one event loop. Use it as an async context manager, or close it.

    Methods, arguments and errors are those of IdentityClient.
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
        self._service: Any = service_grpc.IdentityServiceStub(self._channel)

    async def match(
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
        found: service.MatchResponse = await self._call(self._service.Match, request, timeout)
        return found

    async def resolve(
        self, record: record_pb2.SourceRecord, *, request_id: str | None = None, timeout: float | None = None
    ) -> service.ResolveResponse:
        """Register a record and learn who it is."""
        request = service.ResolveRequest(request_id=request_id or requests.new_request_id(), record=record)
        done: service.ResolveResponse = await self._call(self._service.Resolve, request, timeout)
        return done

    async def look_up(
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
        found: service.LookUpIdentifierResponse = await self._call(self._service.LookUpIdentifier, request, timeout)
        return found

    async def get_person(
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
        found: service.GetPersonResponse = await self._call(self._service.GetPerson, request, timeout)
        return found.person

    async def register_entries(
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
        done: health.RegisterHealthRecordEntriesResponse = await self._call(
            self._service.RegisterHealthRecordEntries, request, timeout
        )
        return done

    async def list_entries(
        self,
        enterprise_id: str,
        *,
        kinds: Iterable[health.EntryKind] = (),
        start_date: date | None = None,
        end_date: date | None = None,
        consistency_token: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[health.HealthRecordEntry]:
        """The lifelong health record of a person, oldest first, page by page; `timeout` is that of one page."""
        request = requests.list_entries(enterprise_id, kinds, start_date, end_date, consistency_token)
        while True:
            page = await self._call(self._service.ListHealthRecordEntries, request, timeout)
            for entry in page.entries:
                yield entry
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def explain(
        self,
        left: record_pb2.RecordKey,
        right: record_pb2.RecordKey,
        *,
        consistency_token: str = "",
        timeout: float | None = None,
    ) -> service.ExplainMatchResponse:
        """Why two records are, or are not, held to be one person."""
        request = service.ExplainMatchRequest(left=left, right=right, consistency_token=consistency_token)
        why: service.ExplainMatchResponse = await self._call(self._service.ExplainMatch, request, timeout)
        return why

    async def withdraw(
        self, record: record_pb2.RecordKey, reason: str, *, request_id: str | None = None, timeout: float | None = None
    ) -> service.WithdrawRecordResponse:
        """Take a record out of matching, and from its person."""
        request = service.WithdrawRecordRequest(
            request_id=request_id or requests.new_request_id(), record=record, reason=reason
        )
        done: service.WithdrawRecordResponse = await self._call(self._service.WithdrawRecord, request, timeout)
        return done

    async def active_rules(self, *, timeout: float | None = None) -> match_pb2.LinkageRules:
        """The rules in force."""
        answer: service.GetActiveRulesResponse = await self._call(
            self._service.GetActiveRules, service.GetActiveRulesRequest(), timeout
        )
        return answer.rules

    async def watch(
        self,
        *,
        resume_token: str = "",
        after_revision: int | None = None,
        kinds: Iterable[person_pb2.PersonChangeKind] = (),
    ) -> AsyncIterator[service.WatchPersonsResponse]:
        """Every change of people, in order, without a gap, for ever: when the stream breaks it goes on by itself."""
        request = requests.watch(resume_token, after_revision, kinds)
        failures = 0
        while True:
            stream = self._service.WatchPersons(request)
            try:
                async for message in stream:
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
            await asyncio.sleep(pause_before(min(failures, 8), error))
