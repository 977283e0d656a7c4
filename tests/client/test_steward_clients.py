"""Both clients of stewards against a real server: what they send of what was seen, and tries that do nothing twice."""

import asyncio

import grpc
import pytest

from mpi.client import AsyncStewardshipClient, IdentityError, StewardshipClient, stewardship_requests
from mpi.identity.v1 import person_pb2, review_pb2
from mpi.registry.registry import Registry
from tests.rpc.conftest import served, stewards
from tests.rpc.serving import lan, stranger, wait_until, writers_held
from tests.rpc.stewards import APPLIED, DIFFERENT, SAME, Stewards

__all__ = ["served", "stewards"]

NAMES = ("Nguyễn Văn Bình", "Lê Thị Cúc", "Phạm Quốc Dũng")


def test_questions_come_page_by_page(stewards: Stewards, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(NAMES, 1):
        stewards.doubt(str(number), full_name=name, birth_date=f"1984-0{2 * number}-{11 + number}")
    whole = [each.task_id for each in stewards.mai.list_tasks()]
    monkeypatch.setattr(stewardship_requests, "PAGE", 1)
    assert [each.task_id for each in stewards.mai.list_tasks()] == whole
    assert len(whole) == len(NAMES)


def test_a_decision_that_is_tried_again_is_made_once(stewards: Stewards, registry: Registry) -> None:
    task = stewards.doubt()
    with writers_held(registry):
        for _ in range(2):
            with pytest.raises(IdentityError) as late:
                stewards.mai.decide(task, DIFFERENT, request_id="kept", timeout=0.2)
            assert late.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
    wait_until(lambda: stewards.up.server._calls.load == 0)
    tries = [stewards.mai.decide(task, DIFFERENT, request_id="kept") for _ in range(2)]
    assert tries[0] == tries[1]
    assert tries[0].decision.standing == APPLIED
    assert tries[0].decision.revision == task.seen_revision + 1


def test_what_was_seen_too_long_ago_is_asked_once(stewards: Stewards, caplog: pytest.LogCaptureFixture) -> None:
    one = stewards.up.client.resolve(lan()).enterprise_id
    other = stewards.up.client.resolve(stranger(3)).enterprise_id
    preview = stewards.mai.preview_merge(one, other)
    stewards.up.client.resolve(lan("S1", "station"))
    with caplog.at_level("INFO"), pytest.raises(IdentityError) as stale:
        stewards.mai.merge(preview, "late")
    assert caplog.text.count("MergePersons ABORTED") == 1
    assert (stale.value.code, stale.value.reason) == (grpc.StatusCode.ABORTED, "STALE_VERSION")
    assert stale.value.metadata["changed"] == "linked"


def test_a_token_that_is_nobodys_is_told(stewards: Stewards) -> None:
    with StewardshipClient(stewards.up.address, "mpi_nobody") as client:
        with pytest.raises(IdentityError) as refused:
            list(client.list_tasks())
        assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.UNAUTHENTICATED, "NOT_SIGNED_IN")
        assert "mpi_nobody" not in f"{client!r} {refused.value!r} {refused.value.metadata}"


def test_the_asyncio_client_does_the_same(stewards: Stewards) -> None:
    task = stewards.doubt()
    identity = stewards.up.client

    async def calls() -> None:
        async with AsyncStewardshipClient(stewards.up.address, stewards.token("mai")) as client:
            listed = [each async for each in client.list_tasks(kinds=[person_pb2.REVIEW_TASK_KIND_STOPPED_BY_VETO])]
            assert [each.task_id for each in listed] == [task.task_id]
            held = await client.claim(task.task_id, lease_seconds=30)
            assert held.claimed_by == "mai"
            assert (await client.release(task.task_id)).claimed_by == ""
            with pytest.raises(IdentityError) as refused:
                await client.decide(review_pb2.ReviewTask(name="reviewTasks/999", version=1, seen_revision=1), SAME)
            assert refused.value.reason == "UNKNOWN_REVIEW_TASK"
            done = await client.decide(held, SAME, comment="one card", seconds_spent=2.5)
            assert done.decision.kind == review_pb2.DECISION_KIND_MERGE
            [gone] = [each for each in done.decision.affected_persons if each.superseded_by]
            person = identity.get_person(gone.enterprise_id, consistency_token=done.consistency_token)
            back = await client.unmerge(gone.enterprise_id, "two cards", seen_revision=person.seen_revision)
            assert back.decision.kind == review_pb2.DECISION_KIND_UNMERGE
            other = identity.resolve(stranger(3))
            preview = await client.preview_merge(person.enterprise_id, other.enterprise_id)
            merged = await client.merge(preview, "one card, seen")
            assert merged.decision.kind == review_pb2.DECISION_KIND_MERGE
            identity.resolve(stranger(7))
            came = identity.resolve(stranger(7, "clinic"))
            person = identity.get_person(came.enterprise_id, consistency_token=came.consistency_token)
            parted = await client.split(person, [stranger(7, "clinic").key], "not so")
            assert parted.decision.kind == review_pb2.DECISION_KIND_SPLIT

    asyncio.run(calls())
