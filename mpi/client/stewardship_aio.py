"""The stewards' client for asyncio: the same calls, deadlines and tries as the threaded one."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc

from mpi.client import stewardship_requests as requests
from mpi.client.connection import AsyncConnection, bearing
from mpi.client.requests import person_name
from mpi.identity.v1 import person_pb2, record_pb2, review_pb2
from mpi.identity.v1 import stewardship_service_pb2 as service
from mpi.identity.v1 import stewardship_service_pb2_grpc as service_grpc


class AsyncStewardshipClient(AsyncConnection):
    """The stewardship service at `host:port`, for one event loop. Use it as an async context manager, or close it.

    Methods, arguments and errors are those of StewardshipClient.
    """

    def __init__(
        self,
        target: str,
        token: str,
        *,
        timeout: float = 10.0,
        attempts: int = 5,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        super().__init__(target, timeout=timeout, attempts=attempts, credentials=credentials, metadata=bearing(token))
        self._service: Any = service_grpc.StewardshipServiceStub(self._channel)

    async def list_tasks(
        self,
        *,
        kinds: Iterable[person_pb2.ReviewTaskKind] = (),
        stages: Iterable[review_pb2.ReviewTaskStage] = (),
        claimed_by_me: bool = False,
        timeout: float | None = None,
    ) -> AsyncIterator[review_pb2.ReviewTask]:
        """Open questions, the most urgent first, page by page; `timeout` is that of one page."""
        request = requests.list_tasks(kinds, stages, claimed_by_me)
        while True:
            page = await self._call(self._service.ListReviewTasks, request, timeout)
            for task in page.review_tasks:
                yield task
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def claim(
        self, task_id: str, *, lease_seconds: int = 0, timeout: float | None = None
    ) -> review_pb2.ReviewTask:
        """Take a question for a while, and see it as it is now."""
        request = service.ClaimReviewTaskRequest(name=requests.task_name(task_id), lease_seconds=lease_seconds)
        done: service.ClaimReviewTaskResponse = await self._call(self._service.ClaimReviewTask, request, timeout)
        return done.review_task

    async def release(self, task_id: str, *, timeout: float | None = None) -> review_pb2.ReviewTask:
        """Give a question back."""
        request = service.ReleaseReviewTaskRequest(name=requests.task_name(task_id))
        done: service.ReleaseReviewTaskResponse = await self._call(self._service.ReleaseReviewTask, request, timeout)
        return done.review_task

    async def decide(
        self,
        task: review_pb2.ReviewTask,
        verdict: review_pb2.ReviewVerdict,
        *,
        comment: str = "",
        seconds_spent: float = 0.0,
        records: Iterable[record_pb2.RecordKey] = (),
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> service.DecideReviewTaskResponse:
        """Answer a question, as it was seen in `task`."""
        request = requests.decide(task, verdict, comment, seconds_spent, records, request_id)
        done: service.DecideReviewTaskResponse = await self._call(self._service.DecideReviewTask, request, timeout)
        return done

    async def preview_merge(
        self, enterprise_id: str, other_enterprise_id: str, *, timeout: float | None = None
    ) -> service.PreviewMergeResponse:
        """What a merge of two people would come to."""
        request = service.PreviewMergeRequest(
            left_name=person_name(enterprise_id), right_name=person_name(other_enterprise_id)
        )
        done: service.PreviewMergeResponse = await self._call(self._service.PreviewMerge, request, timeout)
        return done

    async def merge(
        self,
        preview: service.PreviewMergeResponse,
        reason: str,
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> service.MergePersonsResponse:
        """Make the two people of a preview one."""
        done: service.MergePersonsResponse = await self._call(
            self._service.MergePersons, requests.merge(preview, reason, request_id), timeout
        )
        return done

    async def unmerge(
        self,
        enterprise_id: str,
        reason: str,
        *,
        seen_revision: int,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> service.UnmergePersonsResponse:
        """Take a merge back: the person with this superseded ID has it again, as of what was seen at a revision."""
        request = requests.unmerge(enterprise_id, reason, seen_revision, request_id)
        done: service.UnmergePersonsResponse = await self._call(self._service.UnmergePersons, request, timeout)
        return done

    async def split(
        self,
        person: person_pb2.Person,
        records: Iterable[record_pb2.RecordKey],
        reason: str,
        *,
        into: person_pb2.Person | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> service.SplitPersonResponse:
        """Take records from a person, as it was seen, for a new person or for another one, as that was seen."""
        request = requests.split(person, records, reason, into, request_id)
        done: service.SplitPersonResponse = await self._call(self._service.SplitPerson, request, timeout)
        return done
