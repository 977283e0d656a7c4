"""Match: grades, outcomes and candidates, and that nothing is written."""

from pathlib import Path

import pytest

from mpi.domain.errors import NotYetVisibleError
from mpi.domain.records import RecordKey
from mpi.registry.registry import Registry
from mpi.services.resolution import Grade, MatchOutcome, ResolveOutcome
from tests.online.desk import Desk, came
from tests.services.linking import contents, judge, link_rows, strangers

LAN = {"name": "lan", "birth": "1980-01-01"}


@pytest.fixture
def desk(registry: Registry, tmp_path: Path) -> Desk:
    """A registry of a hundred strangers, whose prior the cases are worked out with."""
    link_rows(registry, tmp_path / "known", x=strangers())
    return Desk(registry)


def test_a_sure_match_names_the_person_and_its_records(desk: Desk) -> None:
    first, second = desk.comes("a:1", **LAN), desk.comes("b:2", **LAN, number="71")
    before = contents(desk.registry, without=())
    found = desk.match(came("c:1", number="71"))
    assert contents(desk.registry, without=()) == before
    assert found.outcome is MatchOutcome.MATCH
    (candidate,) = found.candidates
    assert candidate.enterprise_id == first.enterprise_id
    assert candidate.grade is Grade.CERTAIN
    assert candidate.match_weight == pytest.approx(9.6, abs=0.2)
    assert candidate.probability == pytest.approx(1 / (1 + 2**-candidate.match_weight))
    assert set(candidate.cross_references) == {RecordKey("a", "1"), RecordKey("b", "2")}
    assert candidate.best_record == RecordKey("b", "2")
    assert candidate.explanation is None
    assert (found.revision, found.rule_version) == (second.revision, "small@1.0.0")
    assert found.blocking.records == 1


def test_evidence_is_the_whole_persons(desk: Desk) -> None:
    """What one record of a person lacks another has."""
    desk.comes("a:1", **LAN)
    desk.comes("a:2", **LAN, phone="0903718264")
    (candidate,) = desk.match(came("c:1", name="lan", phone="0903718264")).candidates
    assert candidate.match_weight == pytest.approx(11.9, abs=0.3)


def test_nobody_and_somebody_possible(desk: Desk) -> None:
    assert desk.match(came("c:1", name="lan")).outcome is MatchOutcome.NO_MATCH
    desk.comes("a:1", **LAN)
    found = desk.match(came("c:1", name="lan"))
    assert found.outcome is MatchOutcome.POSSIBLE_MATCHES
    assert [each.grade for each in found.candidates] == [Grade.PROBABLE]
    assert desk.comes("c:1", name="lan").outcome is ResolveOutcome.PROVISIONAL


def test_a_forbidden_candidate_is_shown_on_demand_with_its_veto(desk: Desk) -> None:
    known = desk.comes("a:1", **LAN, number="71")
    record = came("c:1", **LAN, number="72")
    assert desk.match(record).outcome is MatchOutcome.NO_MATCH
    assert desk.match(record).candidates == ()
    found = desk.matcher.match(record, limit=5, explain=True, include_certainly_not=True)
    assert found.outcome is MatchOutcome.NO_MATCH
    (candidate,) = found.candidates
    assert (candidate.enterprise_id, candidate.grade) == (known.enterprise_id, Grade.CERTAINLY_NOT)
    assert candidate.vetoes == ("two numbers",)
    assert candidate.explanation is not None


def test_several_fit_and_the_limit_takes_the_best(desk: Desk) -> None:
    desk.comes("a:1", **LAN)
    desk.comes("a:2", name="nobody")
    desk.comes("a:2", name="nobody", number="71")
    desk.comes("a:3", name="ba", birth="1981-01-01")
    desk.comes("a:4", **LAN)
    twin = desk.comes("a:5", **LAN, number="75")
    other = desk.comes("a:6", **LAN, number="76")
    assert twin.enterprise_id != other.enterprise_id
    found = desk.match(came("c:1", **LAN))
    assert found.outcome is MatchOutcome.SEVERAL_FIT
    assert [each.grade for each in found.candidates] == [Grade.CERTAIN] * 2
    weights = [each.match_weight for each in found.candidates]
    assert weights == sorted(weights, reverse=True)
    (best,) = desk.match(came("c:1", **LAN), limit=1).candidates
    assert best == found.candidates[0]
    assert desk.match(came("c:1", **LAN), limit=1).outcome is MatchOutcome.SEVERAL_FIT
    # and a resolve leaves it to a steward
    assert desk.comes("c:1", **LAN).outcome is ResolveOutcome.PROVISIONAL


def test_people_that_a_steward_joined_are_weighed_as_they_stand(desk: Desk) -> None:
    one, other = desk.comes("a:1", number="71"), desk.comes("a:2", **LAN)
    judge(desk.registry, "different", "a:1", "a:2")
    found = desk.match(came("c:1", **LAN, number="71"))
    assert {each.enterprise_id for each in found.candidates} == {one.enterprise_id, other.enterprise_id}


def test_at_least_as_fresh(desk: Desk) -> None:
    done = desk.comes("a:1", **LAN)
    record = came("c:1", **LAN)
    assert desk.matcher.match(record, limit=1, at_least=done.revision).outcome is MatchOutcome.MATCH
    with pytest.raises(NotYetVisibleError):
        desk.matcher.match(record, limit=1, at_least=done.revision + 1)
