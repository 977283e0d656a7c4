"""Stewards over a real socket and a real registry: questions, decisions, people merged, unmerged and split."""

import threading

import grpc
import pytest

from mpi.client import IdentityError, StewardshipClient
from mpi.domain.review import Actor, Role
from mpi.identity.v1 import identity_service_pb2 as identity
from mpi.identity.v1 import person_pb2, review_pb2
from mpi.identity.v1 import stewardship_service_pb2 as service
from mpi.registry.registry import Registry
from mpi.services.stewardship.gold import add_gold
from tests.rpc.serving import lan, refused, stranger
from tests.rpc.stewards import (
    ADJUDICATION,
    APPLIED,
    DIFFERENT,
    ESCALATE,
    SAME,
    SECOND,
    Stewards,
    decision_on,
)
from tests.rpc.test_watching import changes_of

FIRST = review_pb2.REVIEW_TASK_STAGE_FIRST
OPEN, CLOSED = review_pb2.REVIEW_TASK_STATUS_OPEN, review_pb2.REVIEW_TASK_STATUS_CLOSED
MERGED, SUPERSEDED = person_pb2.PERSON_CHANGE_KIND_MERGED, person_pb2.PERSON_CHANGE_KIND_SUPERSEDED
SPLIT, CREATED = person_pb2.PERSON_CHANGE_KIND_SPLIT, person_pb2.PERSON_CHANGE_KIND_CREATED
UNMERGED, RESTORED = person_pb2.PERSON_CHANGE_KIND_UNMERGED, person_pb2.PERSON_CHANGE_KIND_RESTORED


def changes_in(affected: object) -> dict[str, list[int]]:
    return {each.enterprise_id: list(each.changes) for each in affected}  # type: ignore[attr-defined]


def people_of(task: review_pb2.ReviewTask) -> set[str]:
    return {task.left_enterprise_id, task.right_enterprise_id}


def established(stewards: Stewards) -> review_pb2.ReviewTask:
    """A question about two people of whom each has two records."""
    task = stewards.doubt()
    for letter, key in (("A", task.left), ("B", task.right)):
        number = "079184000001" if key.source_record_id.startswith("H") else "079184999991"
        stewards.up.client.resolve(lan(f"{letter}9", "school", citizen_id=number, phone="0903700001"))
    [found] = [each for each in stewards.mai.list_tasks() if each.task_id == task.task_id]
    assert len(people_of(found)) == 2
    return found


def test_a_question_is_listed_claimed_and_answered(stewards: Stewards) -> None:
    task = stewards.doubt()
    assert task.name == f"reviewTasks/{task.task_id}"
    assert (task.kind, task.stage) == (person_pb2.REVIEW_TASK_KIND_STOPPED_BY_VETO, FIRST)
    assert (task.status, task.reason) == (OPEN, "two different valid citizen numbers")
    assert {task.left.source_record_id, task.right.source_record_id} == {"H1", "S1"}
    assert task.HasField("match_weight")
    assert not task.score_hidden
    assert not task.HasField("claim_expire_time")
    held = stewards.mai.claim(task.task_id, lease_seconds=60)
    assert held.claimed_by == "mai"
    assert 0 < held.claim_expire_time.seconds - held.open_time.seconds < 90
    assert [each.task_id for each in stewards.mai.list_tasks(claimed_by_me=True)] == [task.task_id]
    assert list(stewards.nam.list_tasks(claimed_by_me=True)) == []
    done = stewards.mai.decide(held, DIFFERENT, comment="two cards were seen", seconds_spent=9.5)
    decision = done.decision
    assert (decision.standing, decision.kind) == (APPLIED, review_pb2.DECISION_KIND_JUDGE)
    assert decision.decision_id
    assert (decision.review_task.status, decision.review_task.closed_reason) == (CLOSED, "judged different")
    assert list(decision.second_reading_reasons) == []
    assert list(stewards.mai.list_tasks()) == []
    for name in people_of(task):
        assert stewards.up.client.get_person(name).enterprise_id == name


def test_a_released_question_is_free_for_others(stewards: Stewards) -> None:
    task = stewards.doubt()
    stewards.mai.claim(task.task_id)
    assert stewards.mai.release(task.task_id).claimed_by == ""
    assert stewards.nam.claim(task.task_id).claimed_by == "nam"
    # and what somebody else has by now stays theirs
    assert stewards.mai.release(task.task_id).claimed_by == "nam"


def test_one_person_is_made_of_two_and_watchers_hear_of_it(stewards: Stewards) -> None:
    task = stewards.doubt()
    stream = stewards.up.stub.WatchPersons(
        identity.WatchPersonsRequest(after_revision=task.seen_revision, kinds=[MERGED, SUPERSEDED])
    )
    done = stewards.mai.decide(stewards.mai.claim(task.task_id), SAME)
    assert (done.decision.standing, done.decision.kind) == (APPLIED, review_pb2.DECISION_KIND_MERGE)
    affected = {each.enterprise_id: each for each in done.decision.affected_persons}
    assert affected.keys() == people_of(task)
    [gone] = [each for each in affected.values() if each.superseded_by]
    [survivor] = affected.keys() - {gone.enterprise_id}
    assert gone.superseded_by == survivor
    assert list(gone.changes) == [SUPERSEDED]
    person = stewards.up.client.get_person(gone.enterprise_id, consistency_token=done.consistency_token)
    assert (person.enterprise_id, person.redirected) == (survivor, True)
    assert len(person.cross_references) == 2
    heard = {each.kind: each for each in changes_of(stream, 2)}
    stream.cancel()
    assert (heard[MERGED].enterprise_id, list(heard[MERGED].other_enterprise_ids)) == (survivor, [gone.enterprise_id])
    assert list(heard[SUPERSEDED].other_enterprise_ids) == [survivor]
    assert {each.made_by for each in heard.values()} == {person_pb2.MADE_BY_STEWARD}
    assert len(heard[MERGED].records) == 1


def test_two_who_claim_at_once(stewards: Stewards) -> None:
    task = stewards.doubt()
    told: dict[str, str] = {}
    start = threading.Barrier(2)

    def take(name: str, client: StewardshipClient) -> None:
        start.wait()
        try:
            told[name] = client.claim(task.task_id).claimed_by
        except IdentityError as error:
            told[name] = f"{error.code.name} {error.reason} {error.metadata['claimed_by']}"

    pair = {"mai": stewards.mai, "nam": stewards.nam}
    threads = [threading.Thread(target=take, args=each) for each in pair.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    [winner] = [name for name, said in told.items() if said == name]
    [loser] = told.keys() - {winner}
    assert told[loser] == f"FAILED_PRECONDITION REVIEW_TASK_CLAIMED {winner}"
    with pytest.raises(IdentityError) as late:
        pair[loser].decide(task, SAME)
    assert (late.value.reason, late.value.metadata["claimed_by"]) == ("REVIEW_TASK_CLAIMED", winner)


def test_two_who_decide_at_once(stewards: Stewards) -> None:
    task = stewards.doubt()
    told: list[str] = []
    start = threading.Barrier(2)

    def decide(client: StewardshipClient) -> None:
        start.wait()
        try:
            told.append(review_pb2.DecisionStanding.Name(client.decide(task, DIFFERENT).decision.standing))
        except IdentityError as error:
            told.append(f"{error.code.name} {error.reason} {error.metadata['closed_reason']}")

    threads = [threading.Thread(target=decide, args=(client,)) for client in (stewards.mai, stewards.nam)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == ["DECISION_STANDING_APPLIED", "FAILED_PRECONDITION REVIEW_TASK_CLOSED judged different"]


def test_a_second_reader_is_somebody_else_who_does_not_see_the_score(stewards: Stewards) -> None:
    task = established(stewards)
    first = stewards.mai.decide(task, SAME).decision
    assert first.standing == review_pb2.DECISION_STANDING_SECOND_READING
    assert review_pb2.SECOND_READING_REASON_ESTABLISHED in first.second_reading_reasons
    assert (first.kind, first.decision_id) == (review_pb2.DECISION_KIND_UNSPECIFIED, "")
    assert list(first.affected_persons) == []
    assert task.task_id not in {each.task_id for each in stewards.mai.list_tasks()}
    own = refused(lambda: stewards.ask("ClaimReviewTask", service.ClaimReviewTaskRequest(name=task.name)))
    assert (own.code, own.reason) == (grpc.StatusCode.PERMISSION_DENIED, "OWN_SECOND_READING")
    [shown] = stewards.nam.list_tasks(stages=[SECOND])
    assert shown.task_id == task.task_id
    assert shown.score_hidden
    assert not shown.HasField("match_weight")
    assert (shown.left_enterprise_id, shown.right_enterprise_id, shown.reason) == ("", "", "")
    assert (shown.left, shown.right) == (task.left, task.right)
    second = stewards.nam.decide(stewards.nam.claim(task.task_id), SAME).decision
    assert (second.standing, second.kind) == (APPLIED, review_pb2.DECISION_KIND_MERGE)
    assert second.review_task.HasField("match_weight")


def test_readers_who_disagree_leave_it_to_a_lead(stewards: Stewards) -> None:
    task = established(stewards)
    stewards.mai.decide(task, SAME)
    done = stewards.nam.decide(stewards.nam.claim(task.task_id), DIFFERENT).decision
    assert done.standing == review_pb2.DECISION_STANDING_ADJUDICATION
    [asked] = stewards.hoa.list_tasks(stages=[ADJUDICATION])
    settled = stewards.hoa.decide(asked, DIFFERENT).decision
    assert (settled.standing, settled.review_task.status) == (APPLIED, CLOSED)


def test_an_escalated_question_is_for_leads_only(stewards: Stewards) -> None:
    task = stewards.doubt()
    done = stewards.mai.decide(task, ESCALATE, comment="please look").decision
    assert done.standing == review_pb2.DECISION_STANDING_ADJUDICATION
    told = refused(lambda: stewards.ask("ClaimReviewTask", service.ClaimReviewTaskRequest(name=task.name), by="nam"))
    assert (told.code, told.reason) == (grpc.StatusCode.PERMISSION_DENIED, "MISSING_RIGHT")
    assert told.metadata == {"right": "adjudicate"}
    assert stewards.hoa.claim(task.task_id).stage == ADJUDICATION


def test_a_question_that_tests_readers_looks_like_a_second_reading(stewards: Stewards, registry: Registry) -> None:
    task = established(stewards)
    stewards.mai.decide(task, SAME)
    stewards.nam.decide(stewards.nam.claim(task.task_id), SAME)
    number = str(add_gold(registry, Actor("quy", Role.LEAD), int(task.task_id)))
    [shown] = [each for each in stewards.hoa.list_tasks() if each.task_id == number]
    assert (shown.stage, shown.score_hidden) == (SECOND, True)
    assert (shown.reason, shown.left_enterprise_id, shown.HasField("match_weight")) == ("", "", False)
    told = stewards.hoa.decide(stewards.hoa.claim(number), DIFFERENT).decision
    assert told.standing == APPLIED
    assert list(told.affected_persons) == []
    people = {stewards.up.client.get_person(each).enterprise_id for each in people_of(task)}
    assert len(people) == 1


def test_a_repeated_decision_gets_the_same_bytes(stewards: Stewards) -> None:
    task = stewards.doubt()
    sent = decision_on(task).SerializeToString()
    first = stewards.send("DecideReviewTask", sent)
    assert stewards.send("DecideReviewTask", sent) == first
    assert service.DecideReviewTaskResponse.FromString(first).decision.decision_id
    other = refused(lambda: stewards.ask("DecideReviewTask", decision_on(task, verdict=SAME)))
    assert (other.code, other.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    # the very same bytes from somebody else are another call
    stranger_to_it = refused(lambda: stewards.ask("DecideReviewTask", decision_on(task), by="nam"))
    assert (stranger_to_it.code, stranger_to_it.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


def test_what_has_changed_since_is_told_and_nothing_is_written(stewards: Stewards) -> None:
    task = stewards.doubt()
    late = refused(lambda: stewards.ask("DecideReviewTask", decision_on(task, expected_version=task.version + 1)))
    assert (late.code, late.reason) == (grpc.StatusCode.ABORTED, "STALE_VERSION")
    assert late.metadata == {"changed": "task", "version": str(task.version)}
    assert late.retry_seconds is None
    number = "079184000001" if task.left.source_record_id == "H1" else "079184999991"
    came = stewards.up.client.resolve(lan("X1", "school", citizen_id=number, phone="0903700001"))
    assert came.enterprise_id == task.left_enterprise_id
    stale = refused(lambda: stewards.ask("DecideReviewTask", decision_on(task, verdict=SAME)))
    assert (stale.code, stale.reason) == (grpc.StatusCode.ABORTED, "STALE_VERSION")
    assert stale.metadata["enterprise_id"] == task.left_enterprise_id
    assert "linked" in stale.metadata["changed"].split(",")
    assert int(stale.metadata["revision"]) > task.seen_revision
    with pytest.raises(IdentityError, match="STALE_VERSION"):
        stewards.mai.decide(task, SAME)
    [again] = [each for each in stewards.mai.list_tasks() if each.task_id == task.task_id]
    assert (again.status, again.version) == (OPEN, task.version)
    assert stewards.mai.decide(again, DIFFERENT).decision.standing == APPLIED


def test_a_merge_is_previewed_made_and_taken_back(stewards: Stewards) -> None:
    one = stewards.up.client.resolve(lan()).enterprise_id
    other = stewards.up.client.resolve(stranger(3)).enterprise_id
    preview = stewards.mai.preview_merge(other.lower().replace("-", ""), one)
    assert (preview.survivor.enterprise_id, preview.superseded.enterprise_id) == (one, other)
    assert preview.survivor.name == f"persons/{one}"
    assert preview.survivor.create_revision < preview.superseded.create_revision
    assert [each.source_record_id for each in preview.changed_records] == ["S3"]
    assert list(preview.affected_source_systems) == ["school"]
    after = {each.field: each.value for each in preview.golden_fields_after}
    before = {each.field: each.value for each in preview.survivor.golden_fields}
    assert after.keys() >= before.keys()
    assert preview.contradiction == ""
    merged = stewards.mai.merge(preview, "one card, seen")
    assert (merged.decision.standing, merged.decision.kind) == (APPLIED, review_pb2.DECISION_KIND_MERGE)
    person = stewards.up.client.get_person(other, consistency_token=merged.consistency_token)
    assert person.enterprise_id == one
    itself = service.PreviewMergeRequest(left_name=f"persons/{one}", right_name=person.name)
    again = refused(lambda: stewards.ask("PreviewMerge", itself))
    assert (again.code, again.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["right_name"])
    stream = stewards.up.stub.WatchPersons(
        identity.WatchPersonsRequest(after_revision=person.revision, kinds=[UNMERGED, RESTORED])
    )
    undone = stewards.mai.unmerge(other, "two cards after all", seen_revision=person.seen_revision)
    assert undone.decision.kind == review_pb2.DECISION_KIND_UNMERGE
    assert changes_in(undone.decision.affected_persons) == {one: [UNMERGED], other: [RESTORED]}
    own = stewards.up.client.get_person(other, consistency_token=undone.consistency_token)
    assert (own.enterprise_id, own.redirected) == (other, False)
    assert [each.record.source_record_id for each in own.cross_references] == ["S3"]
    heard = {each.kind: each for each in changes_of(stream, 2)}
    stream.cancel()
    assert (heard[UNMERGED].enterprise_id, list(heard[UNMERGED].other_enterprise_ids)) == (one, [other])
    assert (heard[RESTORED].enterprise_id, list(heard[RESTORED].other_enterprise_ids)) == (other, [one])
    # they are kept apart from now on: the judgement stands in the way, and its path is told
    barred = stewards.mai.preview_merge(one, other)
    assert barred.contradiction
    with pytest.raises(IdentityError) as refusal:
        stewards.mai.merge(barred, "changed my mind")
    assert (refusal.value.code, refusal.value.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "JUDGEMENT_CONTRADICTED",
    )
    assert refusal.value.metadata["path"] == barred.contradiction
    assert refusal.value.metadata["judgement"]


def test_records_leave_a_person_for_a_new_one_or_another(stewards: Stewards) -> None:
    first = stewards.up.client.resolve(lan())
    stewards.up.client.resolve(lan("S1", "station"))
    newest = stewards.up.client.resolve(lan("I1", "insurance"))
    whole = stewards.up.client.get_person(first.enterprise_id, consistency_token=newest.consistency_token)
    assert len(whole.cross_references) == 3
    stream = stewards.up.stub.WatchPersons(
        identity.WatchPersonsRequest(after_revision=whole.revision, kinds=[SPLIT, CREATED])
    )
    done = stewards.mai.split(whole, [lan("I1", "insurance").key], "a namesake")
    assert done.decision.kind == review_pb2.DECISION_KIND_SPLIT
    changes = changes_in(done.decision.affected_persons)
    assert changes[first.enterprise_id] == [SPLIT]
    [part] = changes.keys() - {first.enterprise_id}
    assert changes[part] == [CREATED]
    heard = {each.kind: each for each in changes_of(stream, 2)}
    stream.cancel()
    assert list(heard[SPLIT].other_enterprise_ids) == [part]
    assert list(heard[SPLIT].records) == [lan("I1", "insurance").key]
    assert heard[CREATED].enterprise_id == part
    stale = refused(
        lambda: stewards.ask(
            "SplitPerson",
            service.SplitPersonRequest(
                request_id="late",
                name=whole.name,
                records=[lan("S1", "station").key],
                reason="late",
                seen_revision=whole.revision,
            ),
        )
    )
    assert (stale.code, stale.reason, stale.metadata["changed"]) == (grpc.StatusCode.ABORTED, "STALE_VERSION", "split")
    other = stewards.up.client.resolve(stranger(5))
    into = stewards.up.client.get_person(other.enterprise_id, consistency_token=other.consistency_token)
    rest = stewards.up.client.get_person(first.enterprise_id, consistency_token=other.consistency_token)
    moved = stewards.mai.split(rest, [lan("S1", "station").key], "entered for the wrong person", into=into)
    assert moved.decision.kind == review_pb2.DECISION_KIND_MOVE
    gained = stewards.up.client.get_person(other.enterprise_id, consistency_token=moved.consistency_token)
    assert len(gained.cross_references) == 2


def test_pages_follow_each_other(stewards: Stewards) -> None:
    for number, name in enumerate(("Nguyễn Văn Bình", "Lê Thị Cúc", "Phạm Quốc Dũng", "Hồ Ngọc Hân"), 1):
        stewards.doubt(str(number), full_name=name, birth_date=f"1984-0{2 * number}-{11 + number}")
    tasks = list(stewards.mai.list_tasks())
    assert len(tasks) == 4
    assert [each.priority for each in tasks] == sorted((each.priority for each in tasks), reverse=True)
    found: list[str] = []
    request = service.ListReviewTasksRequest(page_size=1)
    while True:
        page = stewards.ask("ListReviewTasks", request)
        assert (page.total_size, len(page.review_tasks)) == (len(tasks), 1)
        found += [each.task_id for each in page.review_tasks]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == [each.task_id for each in tasks]
    first = stewards.ask("ListReviewTasks", service.ListReviewTasksRequest(page_size=1))
    for by, claimed in (("nam", False), ("mai", True)):
        other = service.ListReviewTasksRequest(page_token=first.next_page_token, claimed_by_me=claimed)
        told = refused(lambda: stewards.ask("ListReviewTasks", other, by=by))  # noqa: B023 (called at once)
        assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")
    overlays = stewards.mai.list_tasks(kinds=[person_pb2.REVIEW_TASK_KIND_OVERLAY])
    assert list(overlays) == []


def test_what_is_not_there_is_told(stewards: Stewards) -> None:
    one = stewards.up.client.resolve(lan()).enterprise_id
    for method, request in (
        ("ClaimReviewTask", service.ClaimReviewTaskRequest(name="reviewTasks/999")),
        ("ReleaseReviewTask", service.ReleaseReviewTaskRequest(name="reviewTasks/999")),
    ):
        told = refused(lambda: stewards.ask(method, request))  # noqa: B023 (called at once)
        assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_REVIEW_TASK")
    mistyped = f"persons/{one[:-1]}{'0' if one[-1] != '0' else '1'}"
    pair = service.PreviewMergeRequest(left_name=f"persons/{one}", right_name=mistyped)
    told = refused(lambda: stewards.ask("PreviewMerge", pair))
    assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["right_name"])
    unmerge = service.UnmergePersonsRequest(request_id="u", name=f"persons/{one}", reason="r", seen_revision=1)
    told = refused(lambda: stewards.ask("UnmergePersons", unmerge))
    assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["name"])
    split = service.SplitPersonRequest(
        request_id="s", name=f"persons/{one}", records=[lan().key], into_name=mistyped, reason="r", seen_revision=1
    )
    told = refused(lambda: stewards.ask("SplitPerson", split))
    assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["into_name"])
