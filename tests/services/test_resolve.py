"""Resolve, case by case: what becomes of a record, what is written, and what a repeat gets."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from mpi.domain.errors import (
    RecordWithdrawnError,
    RequestReusedError,
    RulesNotReadyError,
    RunInProgressError,
)
from mpi.domain.model import BlockingRule, FrequencyCap, Thresholds
from mpi.domain.records import RecordKey
from mpi.matching.scorer import Scorer
from mpi.registry import blocking_keys, events, runs, source_records, tables
from mpi.registry.registry import Registry
from mpi.services.index_keys import keys_name
from mpi.services.resolution import Affected, PersonChange, RecordChange, Resolution, ResolveOutcome
from mpi.services.withdraw import withdraw
from tests.factories import with_blocking
from tests.online.desk import Desk, asked, came, told
from tests.services.linking import (
    assert_sound,
    contents,
    judge,
    link_rows,
    partition,
    query,
    questions,
    row,
    strangers,
    tasks,
)

LAN = {"name": "lan", "birth": "1980-01-01"}
HOA = {"name": "hoa", "birth": "1990-01-01"}


@pytest.fixture
def desk(registry: Registry, tmp_path: Path) -> Desk:
    """A registry of a hundred strangers, whose prior the cases are worked out with."""
    link_rows(registry, tmp_path / "known", x=strangers())
    return Desk(registry)


def _events(registry: Registry, since: int) -> list[tuple[str, int]]:
    event = tables.event.c
    return [(kind, at) for kind, at in query(registry, sa.select(event.kind, event.revision)) if at > since]


def _groups(desk: Desk) -> set[frozenset[str]]:
    assert_sound(desk.registry)
    return {group for group in partition(desk.registry) if not any(key.startswith("x:") for key in group)}


def _people(*groups: str) -> set[frozenset[str]]:
    return {frozenset(f"a:{each}" for each in group.split()) for group in groups}


def test_a_new_person(desk: Desk) -> None:
    done = desk.comes("a:1", **LAN)
    assert (done.outcome, done.change) == (ResolveOutcome.NEW_PERSON, RecordChange.NEW)
    assert done.affected == (Affected(done.enterprise_id, PersonChange.CREATED),)
    assert (done.match_weight, done.linked_through, done.review_tasks) == (None, None, ())
    assert _events(desk.registry, done.revision - 1) == [("person.created", done.revision)]
    assert _groups(desk) == _people("1")


def test_a_link_tells_what_tied_it(desk: Desk) -> None:
    first = desk.comes("a:1", **LAN)
    done = desk.comes("a:2", **LAN, number="71")
    assert (done.enterprise_id, done.outcome) == (first.enterprise_id, ResolveOutcome.LINKED)
    assert done.linked_through == RecordKey("a", "1")
    assert done.match_weight == pytest.approx(13.7, abs=0.2)
    assert done.affected == (Affected(first.enterprise_id, PersonChange.LINKED),)
    assert done.revision == first.revision + 1
    assert done.blocking.records == 1
    # the person's evidence, not one record's: the number is known now
    assert desk.comes("a:3", number="71").enterprise_id == first.enterprise_id
    assert _groups(desk) == _people("1 2 3")


def test_in_doubt_it_is_somebody_new_and_a_steward_is_asked(desk: Desk) -> None:
    known = desk.comes("a:1", **LAN)
    done = desk.comes("a:2", name="lan")
    assert done.outcome is ResolveOutcome.PROVISIONAL
    (task,) = done.review_tasks
    assert (task.kind, task.enterprise_id) == ("possible_match", known.enterprise_id)
    assert questions(desk.registry) == {frozenset({"possible_match", "a:1", "a:2"})}
    assert _groups(desk) == _people("1", "2")
    # and what a third record knows answers the question
    joined = desk.comes("a:2", name="lan", birth="1980-01-01")
    assert joined.change is RecordChange.NEW_VERSION
    assert joined.enterprise_id == known.enterprise_id
    assert tasks(desk.registry) == []
    [(_, _, why)] = tasks(desk.registry, status="closed")
    assert why == "the people asked about were joined"


def test_new_late_and_unchanged_versions(desk: Desk) -> None:
    first = desk.comes("a:1", at="2020-01-01", **LAN)
    same = desk.comes("a:1", at="2020-01-01", **LAN)
    assert (same.change, same.revision, same.affected) == (RecordChange.UNCHANGED, first.revision, ())
    late = desk.comes("a:1", at="2019-01-01", **HOA)
    assert (late.change, late.enterprise_id) == (RecordChange.LATE_VERSION, first.enterprise_id)
    assert desk.comes("a:1", at="2019-01-01", **HOA).change is RecordChange.UNCHANGED
    newer = desk.comes("a:1", at="2021-01-01", **LAN, number="71")
    assert newer.change is RecordChange.NEW_VERSION
    assert newer.affected == (Affected(first.enterprise_id, PersonChange.UPDATED),)
    assert _events(desk.registry, first.revision) == [("person.updated", newer.revision)]
    version = tables.source_record_version.c
    assert sorted(query(desk.registry, sa.select(version.version, version.recorded_at))) == [
        (1, "2019-01-01"),
        (2, "2020-01-01"),
    ]
    # it is found by what it says now
    assert desk.comes("a:2", number="71").enterprise_id == first.enterprise_id
    assert _groups(desk) == _people("1 2")


def test_a_version_that_contradicts_its_person_stays_and_asks(desk: Desk) -> None:
    desk.comes("a:1", **LAN, number="71")
    desk.comes("a:2", **LAN)
    done = desk.comes("a:2", **LAN, number="72")
    assert (done.outcome, done.change) == (ResolveOutcome.LINKED, RecordChange.NEW_VERSION)
    assert [task.kind for task in done.review_tasks] == ["overlay"]
    assert _groups(desk) == _people("1 2")


def test_a_record_without_any_key_is_somebody(desk: Desk) -> None:
    one, other = desk.comes("a:1"), desk.comes("a:2", name="  ")
    assert one.outcome is other.outcome is ResolveOutcome.NEW_PERSON
    assert one.blocking.records == 0
    assert _groups(desk) == _people("1", "2")


def test_several_at_once_meet_one_another(desk: Desk) -> None:
    first, second, third, other = desk.together(
        came("a:1", **LAN), came("b:1", **LAN, number="71"), came("c:1", number="71"), came("d:1", **HOA)
    )
    assert first.enterprise_id == second.enterprise_id == third.enterprise_id != other.enterprise_id
    assert [each.outcome for each in (first, second, third, other)] == [
        ResolveOutcome.NEW_PERSON,
        ResolveOutcome.LINKED,
        ResolveOutcome.LINKED,
        ResolveOutcome.NEW_PERSON,
    ]
    assert _groups(desk) == {frozenset({"a:1", "b:1", "c:1"}), frozenset({"d:1"})}
    assert len(_events(desk.registry, min(first.revision, other.revision) - 1)) == 2


def test_a_bridge_merges_two_people_and_says_so(desk: Desk) -> None:
    old, young = desk.comes("a:1", number="73"), desk.comes("a:2", **HOA)
    done = desk.comes("a:3", **HOA, number="73")
    assert done.enterprise_id == old.enterprise_id
    assert done.affected == (
        Affected(old.enterprise_id, PersonChange.MERGED),
        Affected(young.enterprise_id, PersonChange.SUPERSEDED, superseded_by=old.enterprise_id),
    )
    kinds = [kind for kind, _ in _events(desk.registry, young.revision)]
    assert kinds == ["person.merged", "person.superseded"]
    with desk.registry.snapshot() as uow:
        assert events.last_revision(uow) >= done.revision
    assert _groups(desk) == _people("1 2 3")
    # whoever knew the younger one's records gets the survivor
    assert desk.comes("a:2", **HOA).enterprise_id == old.enterprise_id


def test_two_numbers_forbid(desk: Desk) -> None:
    known = desk.comes("a:1", **LAN, number="71")
    done = desk.comes("a:2", **LAN, number="72")
    assert done.outcome is ResolveOutcome.PROVISIONAL
    assert [(task.kind, task.enterprise_id) for task in done.review_tasks] == [("stopped_by_veto", known.enterprise_id)]
    assert done.review_tasks[0].reason == "two numbers"
    assert _groups(desk) == _people("1", "2")


def test_judgements_are_obeyed(desk: Desk) -> None:
    desk.comes("a:1", **LAN)
    desk.comes("a:2", **HOA)
    desk.comes("a:3", name="mai", birth="1970-01-01")
    judge(desk.registry, "different", "a:1", "a:2")
    judge(desk.registry, "same", "a:2", "a:3")
    # the bridge of one and two may not be one
    desk.comes("a:4", **LAN, number="71")
    apart = desk.comes("a:2", **HOA, number="71")
    assert apart.change is RecordChange.NEW_VERSION
    # and two and three are, once a record comes by that weighs them both
    both = desk.comes("a:5", **HOA)
    assert _groups(desk) >= _people("1 4")
    assert both.enterprise_id == apart.enterprise_id


def test_a_repeat_gets_the_same_bytes_and_writes_nothing(desk: Desk) -> None:
    request = asked(came("a:1", **LAN), request_id="once")
    (first,) = desk.resolver.resolve([request])
    before = contents(desk.registry, without=())
    assert desk.resolver.resolve([request]) == [first]
    # whatever its encoder would say now
    assert desk.resolver.resolve([replace(request, encode=lambda _: b"else")]) == [first]
    assert contents(desk.registry, without=()) == before
    reused = asked(came("a:2", **LAN), request_id="once")
    (refused, other) = desk.resolver.resolve([reused, asked(came("a:3", **HOA))])
    assert isinstance(refused, RequestReusedError)
    assert refused.reason == "REQUEST_ID_REUSED"
    assert told(other).outcome is ResolveOutcome.NEW_PERSON
    assert _groups(desk) == _people("1", "3")


def test_a_withdrawn_record_takes_no_version(desk: Desk) -> None:
    desk.comes("a:1", **LAN)
    withdraw(
        desk.registry,
        request_id="gone",
        payload_digest=b"d",
        key=RecordKey("a", "1"),
        reason="sent in error",
        encode=lambda _: b"",
    )
    refused, other = desk.resolver.resolve([asked(came("a:1", **LAN, number="71")), asked(came("a:2", **LAN))])
    assert isinstance(refused, RecordWithdrawnError)
    assert told(other).outcome is ResolveOutcome.NEW_PERSON
    assert _groups(desk) == _people("2")


def test_a_bulk_run_in_progress_refuses_and_leaves_nothing(desk: Desk) -> None:
    with desk.registry.begin() as uow:
        run = runs.start_run(uow, "link", request={}, state={})
    before = contents(desk.registry, without=())
    for record in (came("a:1", **LAN), came("new system:1", **LAN)):
        with pytest.raises(RunInProgressError):
            desk.resolve(record)
    assert contents(desk.registry, without=()) == before
    with desk.registry.begin() as uow:
        runs.abandon(uow, run.run_id, reason="TEST", message="enough")
    assert desk.comes("a:1", **LAN).outcome is ResolveOutcome.NEW_PERSON


def test_a_source_system_that_was_forgotten_is_registered_anew(desk: Desk) -> None:
    """A run that took back its sources must not leave a desk with the number of a system that is no more."""
    with desk.registry.begin() as uow:
        run = runs.start_run(uow, "link", request={}, state={})
        source_records.source_system_ids(uow, ["short-lived"])
    with pytest.raises(RunInProgressError):
        desk.comes("short-lived:1", **LAN)
    with desk.registry.begin() as uow:
        source_records.forget_source_systems(uow, ["short-lived"])
        runs.abandon(uow, run.run_id, reason="TEST", message="enough")
    Desk(desk.registry).comes("other:1", **HOA)
    desk.comes("short-lived:1", **LAN)
    assert _groups(desk) == {frozenset({"other:1"}), frozenset({"short-lived:1"})}


def test_a_registry_with_keys_of_other_rules_is_refused(desk: Desk) -> None:
    with pytest.raises(RulesNotReadyError, match="mpi db index"):
        Desk(desk.registry, with_blocking(BlockingRule("name", ("name",))))


CAPPED = with_blocking(
    BlockingRule("phone", ("phones",)),
    BlockingRule("name", ("name",)),
    caps=[FrequencyCap("phones", ("name",), 3)],
)


def _calls(desk: Desk, key: str, **values: str) -> Resolution:
    return desk.comes(f"a:{key}", phone="0903718264", **values)


def test_a_number_that_many_share_stops_linking(desk: Desk, registry: Registry) -> None:
    """Here, at a desk that has read the list of such numbers before, and at one that reads it anew."""
    links = Scorer(replace(CAPPED.model, thresholds=Thresholds(link=2.0, review=-12.0, margin=0.1)))
    with registry.begin() as uow:
        blocking_keys.note_made_by(uow, keys_name(links))
    here, there = Desk(registry, links), Desk(registry, links)
    there.comes("b:0", name="before")
    held = [_calls(here, f"1{place}", name=name) for place, name in enumerate(("an", "ba", "chi"))]
    assert [len(each.review_tasks) for each in held] == [0, 1, 2]
    # three people hold it: it is evidence still
    assert _calls(here, "1x").blocking.records == 3
    fourth = _calls(here, "20", name="dung")
    assert (fourth.outcome, fourth.review_tasks) == (ResolveOutcome.NEW_PERSON, ())
    assert query(registry, sa.select(tables.capped_value.c.standard_column)) == [("phones",)]
    for place, desk in enumerate((here, there, Desk(registry, links))):
        done = _calls(desk, f"3{place}", name=f"more {place}")
        assert (done.outcome, done.review_tasks) == (ResolveOutcome.NEW_PERSON, ())
    assert_sound(registry)


def test_a_bulk_run_and_single_records_know_each_other(desk: Desk, tmp_path: Path) -> None:
    known = desk.comes("a:1", **LAN)
    link_rows(desk.registry, tmp_path / "more", b=[row("1", **LAN, number="71"), row("2", **HOA)])
    assert desk.comes("a:2", number="71").enterprise_id == known.enterprise_id
    assert _groups(desk) == {frozenset({"a:1", "a:2", "b:1"}), frozenset({"b:2"})}
