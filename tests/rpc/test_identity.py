"""Every method over a real socket and a real registry: what it answers, and how it refuses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from mpi.client import IdentityError
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.identity.v1 import match_pb2, person_pb2, record_pb2
from mpi.identity.v1.record_pb2 import RecordKey, SourceRecord
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret
from tests.rpc.serving import Running, lan, refused, resolve_request, running, stranger
from tests.services.stored import MODEL


def key(system: str, local_id: str) -> RecordKey:
    return RecordKey(source_system=system, source_record_id=local_id)


def test_the_first_record_is_a_new_person_and_a_like_one_is_linked_to_it(served: Running) -> None:
    first = served.client.resolve(lan())
    assert first.outcome == service.RESOLVE_OUTCOME_NEW_PERSON
    assert first.record_change == record_pb2.RECORD_CHANGE_NEW
    assert not first.HasField("match_weight")
    assert not first.HasField("linked_through")
    [created] = first.affected_persons
    assert (created.enterprise_id, list(created.changes)) == (
        first.enterprise_id,
        [person_pb2.PERSON_CHANGE_KIND_CREATED],
    )
    second = served.client.resolve(lan("S1", "station"))
    assert second.outcome == service.RESOLVE_OUTCOME_LINKED
    assert second.enterprise_id == first.enterprise_id
    assert second.match_weight > MODEL.thresholds.link
    assert second.linked_through == key("hospital", "H1")
    assert second.revision > first.revision
    assert second.decision_id == str(second.revision)
    assert (second.rule_version, second.thresholds.link) == (MODEL.name, MODEL.thresholds.link)
    assert second.blocking.candidate_records == 1


def test_a_repeated_request_gets_the_same_bytes_and_writes_nothing(served: Running) -> None:
    request = resolve_request(lan(), "one")
    method = "/mpi.identity.v1.IdentityService/Resolve"
    call: Any = served.channel.unary_unary(method, request_serializer=None, response_deserializer=None)
    sent = request.SerializeToString()
    first = call(sent)
    assert call(sent) == first
    assert service.ResolveResponse.FromString(first).record_change == record_pb2.RECORD_CHANGE_NEW
    told = refused(lambda: served.stub.Resolve(resolve_request(lan(sex="Nam"), "one")))
    assert (told.code, told.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


def test_the_same_record_again_is_unchanged_and_decides_nothing(served: Running) -> None:
    first = served.client.resolve(lan())
    again = served.client.resolve(lan())
    assert again.record_change == record_pb2.RECORD_CHANGE_UNCHANGED
    assert (again.enterprise_id, again.decision_id, len(again.affected_persons)) == (first.enterprise_id, "", 0)


def test_a_match_shows_who_fits_and_writes_nothing(served: Running) -> None:
    made = served.client.resolve(lan())
    served.client.resolve(lan("S1", "station", phone="0912604837"))
    served.client.resolve(stranger(1))
    asked = lan()
    asked.ClearField("key")
    found = served.client.match(asked, include_explanations=True)
    assert found.outcome == service.MATCH_OUTCOME_MATCH
    [candidate] = found.candidates
    assert candidate.enterprise_id == made.enterprise_id
    assert candidate.grade == match_pb2.MATCH_GRADE_CERTAIN
    assert candidate.match_probability > 0.99
    assert list(candidate.cross_references) == [key("hospital", "H1"), key("station", "S1")]
    assert candidate.best_record == key("hospital", "H1")
    total = candidate.explanation.prior + sum(each.weight for each in candidate.explanation.contributions)
    assert total == pytest.approx(candidate.explanation.match_weight)
    assert candidate.explanation.contributions[-1].running_total == pytest.approx(total)
    assert [each.comparison for each in candidate.explanation.contributions] == [
        each.name for each in MODEL.comparisons
    ]
    without = served.client.match(asked)
    assert not without.candidates[0].HasField("explanation")
    nobody = served.client.match(stranger(7))
    assert (nobody.outcome, len(nobody.candidates)) == (service.MATCH_OUTCOME_NO_MATCH, 0)
    assert served.client.active_rules().records_in_play == 3


def test_a_consistency_token_asks_for_what_was_written(served: Running, tmp_path: Path) -> None:
    done = served.client.resolve(lan())
    found = served.client.match(lan(), consistency_token=done.consistency_token)
    assert found.candidates[0].enterprise_id == done.enterprise_id
    url = f"sqlite:///{tmp_path}/other.db"
    with (
        Registry.open(url, secret=RegistrySecret(bytes(16)), create=True) as registry,
        running(registry) as other,
    ):
        told = refused(
            lambda: other.stub.Match(service.MatchRequest(record=lan(), consistency_token=done.consistency_token))
        )
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CONSISTENCY_TOKEN_INVALID")
    assert told.fields == ["consistency_token"]


def test_a_registry_that_lags_behind_says_so(served: Running) -> None:
    identity = served.server._identity
    ahead = identity._tokens.consistency(10**6)
    request = service.GetPersonRequest(name="persons/K7Q2MD9XA", consistency_token=ahead)
    for told in (
        refused(lambda: served.stub.Match(service.MatchRequest(record=lan(), consistency_token=ahead))),
        refused(lambda: served.stub.GetPerson(request)),
    ):
        assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "NOT_YET_VISIBLE")
        assert told.retry_seconds is not None


def test_identifiers_lead_to_people(served: Running) -> None:
    done = served.client.resolve(lan())
    for found in (
        served.client.look_up(source_record=key("hospital", "H1")),
        served.client.look_up(citizen_id="079184000123", consistency_token=done.consistency_token),
    ):
        [person] = found.persons
        assert person.enterprise_id == done.enterprise_id
        assert list(person.bearing_records) == [key("hospital", "H1")]
        assert not found.shared_widely


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"source_record": key("nowhere", "H1")}, "UNKNOWN_SOURCE_SYSTEM"),
        ({"source_record": key("hospital", "H9")}, "UNKNOWN_RECORD"),
        ({"citizen_id": "079184000999"}, "UNKNOWN_IDENTIFIER"),
    ],
)
def test_unknown_identifiers_are_told_apart(asked: dict[str, Any], reason: str, served: Running) -> None:
    served.client.resolve(lan())
    told = refused(lambda: served.stub.LookUpIdentifier(service.LookUpIdentifierRequest(**asked)))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, reason)
    assert "079184000999" not in f"{told.message}{told.metadata}"


def test_a_number_that_is_none_names_its_field(served: Running) -> None:
    told = refused(lambda: served.stub.LookUpIdentifier(service.LookUpIdentifierRequest(citizen_id="12")))
    assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["citizen_id"])


def test_a_person_is_shown_today_and_as_they_were(served: Running) -> None:
    first = served.client.resolve(lan(recorded_at="2025-01-01"))
    second = served.client.resolve(lan("S1", "station", recorded_at="2025-02-01"))
    person = served.client.get_person(first.enterprise_id)
    assert person.name == f"persons/{first.enterprise_id}"
    assert (person.enterprise_id, person.requested_enterprise_id) == (first.enterprise_id, first.enterprise_id)
    assert not person.redirected
    assert [each.record for each in person.cross_references] == [key("hospital", "H1"), key("station", "S1")]
    linked = person.cross_references[1]
    assert (linked.linked_through, linked.made_by) == (key("hospital", "H1"), person_pb2.MADE_BY_RULES)
    assert linked.since_revision == person.revision == second.revision
    golden = {each.field: each for each in person.golden_fields}
    assert golden["full_name"].value == "Trần Thị Lan"
    assert golden["full_name"].reason
    then = served.client.get_person(first.enterprise_id.lower().replace("-", ""), as_of_revision=first.revision)
    assert [each.record for each in then.cross_references] == [key("hospital", "H1")]
    assert (person.seen_revision, then.seen_revision) == (second.revision, 0)
    moment = then.create_time.ToDatetime(tzinfo=UTC)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)
    at_birth = served.client.get_person(first.enterprise_id, as_of_time=moment)
    assert [each.record for each in at_birth.cross_references] == [key("hospital", "H1")]


def test_points_in_time_that_cannot_be_shown_are_refused(served: Running) -> None:
    first = served.client.resolve(stranger(1))
    later = served.client.resolve(lan())

    def at(enterprise_id: str, revision: int) -> service.GetPersonRequest:
        return service.GetPersonRequest(name=f"persons/{enterprise_id}", as_of_revision=revision)

    future = refused(lambda: served.stub.GetPerson(at(later.enterprise_id, 1000)))
    assert (future.code, future.reason) == (grpc.StatusCode.OUT_OF_RANGE, "REVISION_NOT_REACHED")
    assert future.metadata["revision"] == str(later.revision)
    before = refused(lambda: served.stub.GetPerson(at(later.enterprise_id, first.revision)))
    assert (before.code, before.reason) == (grpc.StatusCode.OUT_OF_RANGE, "PERSON_NOT_YET_CREATED")
    unknown = refused(lambda: served.stub.GetPerson(service.GetPersonRequest(name="persons/00000000000")))
    assert (unknown.code, unknown.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["name"])


def test_a_pair_is_explained_without_a_value(served: Running) -> None:
    one = served.client.resolve(lan())
    other = served.client.resolve(stranger(3))
    why = served.client.explain(key("hospital", "H1"), key("school", "S3"))
    assert why.verdict == match_pb2.PAIR_VERDICT_APART
    assert not why.same_person
    assert (why.left_enterprise_id, why.right_enterprise_id) == (one.enterprise_id, other.enterprise_id)
    assert (why.records_in_play, why.rule_version) == (2, MODEL.name)
    assert len(why.explanation.contributions) == len(MODEL.comparisons)
    assert "079184000123" not in str(why)
    with pytest.raises(IdentityError) as unknown:
        served.client.explain(key("hospital", "H1"), key("school", "S4"))
    assert (unknown.value.reason, unknown.value.metadata) == ("UNKNOWN_RECORD", {"source_system": "school"})
    with pytest.raises(IdentityError) as same:
        served.client.explain(key("hospital", "H1"), key("hospital", "H1"))
    assert [each.field for each in same.value.field_violations] == ["right"]


def test_a_withdrawn_record_is_gone_for_good(served: Running) -> None:
    done = served.client.resolve(lan())
    withdrawn = served.client.withdraw(key("hospital", "H1"), "registered by mistake", request_id="w")
    [touched] = withdrawn.affected_persons
    assert touched.enterprise_id == done.enterprise_id
    assert list(touched.changes) == [person_pb2.PERSON_CHANGE_KIND_RECORD_WITHDRAWN]
    assert withdrawn.revision > done.revision
    assert served.client.withdraw(key("hospital", "H1"), "registered by mistake", request_id="w") == withdrawn
    for call in (
        lambda: served.client.resolve(lan(sex="Nữ")),
        lambda: served.client.withdraw(key("hospital", "H1"), "once more"),
        lambda: served.client.look_up(source_record=key("hospital", "H1")),
    ):
        with pytest.raises(IdentityError) as gone:
            call()
        assert (gone.value.code, gone.value.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RECORD_WITHDRAWN")
    assert served.client.match(lan()).outcome == service.MATCH_OUTCOME_NO_MATCH


def test_the_rules_in_force_are_told(served: Running) -> None:
    rules = served.client.active_rules()
    assert (rules.family, rules.version, rules.digest) == (MODEL.family, MODEL.version, MODEL.digest)
    assert [each.name for each in rules.comparisons] == [each.name for each in MODEL.comparisons]
    assert [each.name for each in rules.blocking_rules] == [each.name for each in MODEL.blocking]
    assert [each.name for each in rules.vetoes] == [each.name for each in MODEL.vetoes]
    assert [each.limit for each in rules.frequency_caps] == [each.limit for each in MODEL.frequency_caps]
    assert MODEL.parameters is not None
    for told, model in zip(rules.comparisons, MODEL.comparisons, strict=True):
        for level, ours in zip(told.levels, model.levels, strict=True):
            assert level.label == ours.label
            trained = MODEL.parameters.levels.get((model.name, ours.label))
            assert level.HasField("m_probability") == (trained is not None and not ours.is_null)
            if trained is not None:
                assert 2.0**level.weight == pytest.approx(trained.m / trained.u)


def test_a_column_that_the_rules_do_not_know_is_refused(served: Running) -> None:
    record = SourceRecord(key=key("hospital", "H1"), full_name="Lan", additional_values={"shoe_size": "37"})
    told = refused(lambda: served.stub.Resolve(resolve_request(record, "r")))
    assert (told.reason, told.fields) == ("INVALID_FIELD", ["record.additional_values[shoe_size]"])
    record = SourceRecord(key=key("hospital", "H1"), additional_values={"full_name": "Lan"})
    told = refused(lambda: served.stub.Resolve(resolve_request(record, "r")))
    assert told.fields == ["record.additional_values[full_name]"]
