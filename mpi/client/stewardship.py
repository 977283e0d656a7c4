"""The stewards' client for threads. A decision is made of what was looked at, so that none is made blindly.

One client may be used by many threads at once.
"""

from collections.abc import Iterable, Iterator

import grpc

from mpi.client import stewardship_requests as requests
from mpi.client.connection import Connection, bearing
from mpi.client.requests import person_name
from mpi.identity.v1 import person_pb2, record_pb2, review_pb2
from mpi.identity.v1 import stewardship_service_pb2 as service
from mpi.identity.v1 import stewardship_service_pb2_grpc as service_grpc


class StewardshipClient(Connection):
    """The stewardship service at `host:port`, for the account whose `token` it is. Close it, or use it as a context
    manager.

    `timeout` is how many seconds a call gets, all tries together; `attempts` how many tries. Every method raises
    IdentityError. Without `credentials` the connection is not encrypted, and so neither is the token.
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
        self._service = service_grpc.StewardshipServiceStub(self._channel)

    def list_tasks(
        self,
        *,
        kinds: Iterable[person_pb2.ReviewTaskKind] = (),
        stages: Iterable[review_pb2.ReviewTaskStage] = (),
        claimed_by_me: bool = False,
        timeout: float | None = None,
    ) -> Iterator[review_pb2.ReviewTask]:
        """Open questions, the most urgent first, page by page; `timeout` is that of one page."""
        request = requests.list_tasks(kinds, stages, claimed_by_me)
        while True:
            page = self._call(self._service.ListReviewTasks, request, timeout)
            yield from page.review_tasks
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def claim(self, task_id: str, *, lease_seconds: int = 0, timeout: float | None = None) -> review_pb2.ReviewTask:
        """Take a question for a while, and see it as it is now."""
        request = service.ClaimReviewTaskRequest(name=requests.task_name(task_id), lease_seconds=lease_seconds)
        return self._call(self._service.ClaimReviewTask, request, timeout).review_task

    def release(self, task_id: str, *, timeout: float | None = None) -> review_pb2.ReviewTask:
        """Give a question back."""
        request = service.ReleaseReviewTaskRequest(name=requests.task_name(task_id))
        return self._call(self._service.ReleaseReviewTask, request, timeout).review_task

    def decide(
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
        return self._call(self._service.DecideReviewTask, request, timeout)

    def preview_merge(
        self, enterprise_id: str, other_enterprise_id: str, *, timeout: float | None = None
    ) -> service.PreviewMergeResponse:
        """What a merge of two people would come to."""
        request = service.PreviewMergeRequest(
            left_name=person_name(enterprise_id), right_name=person_name(other_enterprise_id)
        )
        return self._call(self._service.PreviewMerge, request, timeout)

    def merge(
        self,
        preview: service.PreviewMergeResponse,
        reason: str,
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> service.MergePersonsResponse:
        """Make the two people of a preview one."""
        return self._call(self._service.MergePersons, requests.merge(preview, reason, request_id), timeout)

    def unmerge(
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
        return self._call(self._service.UnmergePersons, request, timeout)

    def split(
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
        return self._call(self._service.SplitPerson, request, timeout)
