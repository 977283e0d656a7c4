"""Every method of StewardshipService: an account and a checked request become one call of one service.

Who the account is and what it may do is asked before anything else: the token here, the right in the service.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from mpi.domain.errors import InvalidInputError
from mpi.domain.review import Actor
from mpi.identity.v1 import stewardship_service_pb2 as service_pb2
from mpi.persons.enterprise_id import parse
from mpi.registry.registry import Registry
from mpi.rpc import convert_review
from mpi.rpc.access import SignedMethod, for_accounts
from mpi.rpc.calls import UnaryCall
from mpi.rpc.convert_persons import enterprise_id
from mpi.rpc.errors import Blame
from mpi.rpc.tokens import Tokens, digest_of
from mpi.rpc.validation import InvalidFieldError
from mpi.services.answering import WritingCall
from mpi.services.neighbourhood import OnlineRules
from mpi.services.stewardship import adjudicate, rearrange, review_queue
from mpi.services.stewardship.adjudicate import Outcome

SERVICE = service_pb2.DESCRIPTOR.services_by_name["StewardshipService"].full_name
"""Full name of the service."""

USUAL_TASKS, MOST_TASKS = 50, 500
"""Tasks of one page."""

USUAL_LEASE = 600
"""Seconds for which a claim holds."""


_Writing = (
    service_pb2.DecideReviewTaskRequest
    | service_pb2.MergePersonsRequest
    | service_pb2.UnmergePersonsRequest
    | service_pb2.SplitPersonRequest
)


class Stewardship:
    """The methods of the service over one registry and its rules. Safe to share between threads; holds nothing open."""

    def __init__(self, registry: Registry, rules: OnlineRules) -> None:
        self._registry = registry
        self._rules = rules
        self._tokens = Tokens(registry.secret)

    def unary_calls(self) -> dict[str, UnaryCall]:
        """The methods, by name."""
        task = Blame("UNKNOWN_REVIEW_TASK", "name", {"reason": "comment"})
        person = Blame("UNKNOWN_PERSON", "name", {"enterprise_id": "name", "into": "into_name"})
        pair = Blame("UNKNOWN_PERSON", "left_name", {"enterprise_ids": "right_name"})
        table: dict[str, tuple[type[Message], SignedMethod, Blame]] = {
            "ListReviewTasks": (service_pb2.ListReviewTasksRequest, self.list_tasks, task),
            "ClaimReviewTask": (service_pb2.ClaimReviewTaskRequest, self.claim, task),
            "ReleaseReviewTask": (service_pb2.ReleaseReviewTaskRequest, self.release, task),
            "DecideReviewTask": (service_pb2.DecideReviewTaskRequest, self.decide, task),
            "PreviewMerge": (service_pb2.PreviewMergeRequest, self.preview_merge, pair),
            "MergePersons": (service_pb2.MergePersonsRequest, self.merge, pair),
            "UnmergePersons": (service_pb2.UnmergePersonsRequest, self.unmerge, person),
            "SplitPerson": (service_pb2.SplitPersonRequest, self.split, person),
        }
        return {
            name: UnaryCall(name, for_accounts(self._registry, request, method), blame)
            for name, (request, method, blame) in table.items()
        }

    def list_tasks(self, actor: Actor, request: service_pb2.ListReviewTasksRequest) -> bytes:
        """One page of the open questions that the account may answer."""
        question = convert_review.list_question(request, actor.name)
        page = review_queue.list_tasks(
            self._registry,
            actor,
            convert_review.task_filter(request),
            page_size=min(request.page_size or USUAL_TASKS, MOST_TASKS),
            after=convert_review.place_after(question, request.page_token, self._tokens),
        )
        return convert_review.list_response(page, question, self._tokens).SerializeToString()

    def claim(self, actor: Actor, request: service_pb2.ClaimReviewTaskRequest) -> bytes:
        """Take a question for a while."""
        seconds = float(request.lease_seconds or USUAL_LEASE)
        task = review_queue.claim(self._registry, actor, convert_review.task_id(request.name), seconds=seconds)
        response = service_pb2.ClaimReviewTaskResponse()
        convert_review.put_task(response.review_task, task)
        return response.SerializeToString()

    def release(self, actor: Actor, request: service_pb2.ReleaseReviewTaskRequest) -> bytes:
        """Give a question back."""
        task = review_queue.release(self._registry, actor, convert_review.task_id(request.name))
        response = service_pb2.ReleaseReviewTaskResponse()
        convert_review.put_task(response.review_task, task)
        return response.SerializeToString()

    def decide(self, actor: Actor, request: service_pb2.DecideReviewTaskRequest) -> bytes:
        """Answer a question: the bytes of the answer, which are those of the first time for a repeat."""
        return adjudicate.decide(
            self._registry,
            self._rules,
            actor,
            _call("DecideReviewTask", actor, request),
            convert_review.decision_request(request),
            self._encode(service_pb2.DecideReviewTaskResponse),
        )

    def preview_merge(self, actor: Actor, request: service_pb2.PreviewMergeRequest) -> bytes:
        """What a merge would come to."""
        preview = rearrange.preview_merge(self._registry, self._rules, actor, _pair(request))
        return convert_review.preview_response(preview, self._tokens).SerializeToString()

    def merge(self, actor: Actor, request: service_pb2.MergePersonsRequest) -> bytes:
        """Make two people one: the bytes of the answer, which are those of the first time for a repeat."""
        return rearrange.merge_persons(
            self._registry,
            self._rules,
            actor,
            _call("MergePersons", actor, request),
            rearrange.MergeRequest(_pair(request), request.reason, request.seen_revision),
            self._encode(service_pb2.MergePersonsResponse),
        )

    def unmerge(self, actor: Actor, request: service_pb2.UnmergePersonsRequest) -> bytes:
        """Take a merge back: the bytes of the answer, which are those of the first time for a repeat."""
        return rearrange.unmerge_persons(
            self._registry,
            self._rules,
            actor,
            _call("UnmergePersons", actor, request),
            rearrange.UnmergeRequest(_person(request.name, "name"), request.reason, request.seen_revision),
            self._encode(service_pb2.UnmergePersonsResponse),
        )

    def split(self, actor: Actor, request: service_pb2.SplitPersonRequest) -> bytes:
        """Take records from a person: the bytes of the answer, which are those of the first time for a repeat."""
        wanted = rearrange.SplitRequest(
            enterprise_id=_person(request.name, "name"),
            records=convert_review.keys(request.records),
            into=_person(request.into_name, "into_name") if request.into_name else None,
            reason=request.reason,
            seen_revision=request.seen_revision,
        )
        return rearrange.split_person(
            self._registry,
            self._rules,
            actor,
            _call("SplitPerson", actor, request),
            wanted,
            self._encode(service_pb2.SplitPersonResponse),
        )

    def _encode(self, response: Callable[..., Any]) -> Callable[[Outcome], bytes]:
        """Makes the reply of a method that decides."""

        def encode(done: Outcome) -> bytes:
            message = response(consistency_token=self._tokens.consistency(done.revision))
            convert_review.put_decision(message.decision, done)
            encoded: bytes = message.SerializeToString()
            return encoded

        return encode


def _pair(request: service_pb2.PreviewMergeRequest | service_pb2.MergePersonsRequest) -> tuple[str, str]:
    return _person(request.left_name, "left_name"), _person(request.right_name, "right_name")


def _person(name: str, field: str) -> str:
    """The enterprise ID in a resource name. Raises InvalidFieldError for a mistyped one, which names the field."""
    try:
        return parse(enterprise_id(name))
    except InvalidInputError as mistyped:
        raise InvalidFieldError(str(mistyped), metadata={"field": field}) from None


def _call(verb: str, actor: Actor, request: _Writing) -> WritingCall:
    """A writing call: what an account asks under a request id is another call than what others ask under it."""
    payload = actor.name.encode() + b"\x00" + request.SerializeToString(deterministic=True)
    return WritingCall(request.request_id, verb, digest_of(verb, payload))
