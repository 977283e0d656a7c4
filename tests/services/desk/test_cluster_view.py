"""One person laid out by fields and pairs: groups of equal values, the weakest pair, vetoes, judgements, masking."""

from dataclasses import replace
from datetime import date

import pytest

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.errors import InvalidInputError, MissingRightError, UnknownPersonError
from mpi.domain.model import VetoEffect
from mpi.domain.records import RecordKey, SourceRecord
from mpi.domain.review import Actor, Role, Verdict
from mpi.persons.enterprise_id import enterprise_id
from mpi.registry import judgements
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.source_records import find
from mpi.services.desk import cluster_view as cluster_views
from mpi.services.desk.cluster_view import ClusterView, MemberPair, Strength, cluster_view
from mpi.services.entries import register
from mpi.services.explain import explain_online
from mpi.services.neighbourhood import OnlineRules
from tests.registry.rows import KEY
from tests.services.stored import HUNG, LAN, MAI, SCORER, merge, record, store

STEWARD = Actor("an", Role.STEWARD)

TWO_WOMEN = (
    record("hospital", "A1", full_name="Trần Thị Lan", birth_date="1984-03-19", citizen_id="079184000123"),
    record("hospital", "A2", full_name="TRAN THI LAN", birth_date="19/03/1984", citizen_id="079184000123"),
    record("insurance", "B1", full_name="Trần Thị Lan", birth_date="1984-03-19", phone="0903718264"),
    record("insurance", "B2", full_name="Trần Thị Lành", birth_date="1985-07-02", phone="0903718264"),
    record("station", "B3", full_name="Trần Thị Lành", birth_date="1985-07-02", phone="0903718264", sex="Nữ"),
)
"""Two women whom one record of the first, without a number, holds together."""


def look(registry: Registry, person: str, **options: object) -> ClusterView:
    return cluster_view(registry, OnlineRules(SCORER, registry.secret), STEWARD, person, **options)  # type: ignore[arg-type]


def judge(registry: Registry, one: SourceRecord, other: SourceRecord, verdict: Verdict) -> None:
    with registry.begin() as uow:
        pair = find(uow, one.key), find(uow, other.key)
        first = allocate(uow, Counters(judgement=1)).judgement
        judgements.add(uow, [pair], [verdict], first_judgement=first, decision_id=1, made_by="binh", reason="")


def pair_of(view: ClusterView, left: int, right: int) -> MemberPair:
    assert view.pairs is not None
    (found,) = [pair for pair in view.pairs if (pair.left, pair.right) == (left, right)]
    return found


def test_equal_values_share_a_group_however_they_are_written(registry: Registry) -> None:
    _, lan = store(registry, [HUNG, LAN])
    view = look(registry, lan)
    assert [str(each.key) for each in view.members] == ["hospital:H1", "insurance:I1", "station:S1"]
    rows = {row.column: row for row in view.rows}
    assert [cell.group for cell in rows["birth_date"].cells] == [0, 0, 0]
    assert (rows["birth_date"].groups, rows["phone"].groups) == (1, 1)
    # a placeholder is a value that counts as missing, and an absent one is none
    assert [cell.group for cell in rows["full_name"].cells][2] is None
    assert [cell.text is None for cell in rows["phone"].cells] == [False, True, False]
    assert [cell.group for cell in rows["phone"].cells] == [0, None, None]
    assert "sex" not in rows


def test_the_time_of_capture_is_no_field_of_the_person(registry: Registry) -> None:
    came = record("hospital", "H9", at="2025-01-10", full_name="Lê Văn Hùng", recorded_at="2025-01-10")
    (person,) = store(registry, [[came]])
    view = look(registry, person)
    assert [row.column for row in view.rows] == ["full_name"]
    assert view.members[0].recorded_at == "2025-01-10"


def test_values_are_masked(registry: Registry) -> None:
    (lan,) = store(registry, [LAN])
    shown = repr(look(registry, lan))
    for hidden in ("0903718264", "079184000123"):
        assert hidden not in shown


def test_weights_are_those_of_the_rules_and_the_weakest_pair_parts_the_records(registry: Registry) -> None:
    (found,) = store(registry, [TWO_WOMEN])
    view = look(registry, found)
    assert view.parts == ((1, 2, 3), (4, 5))
    weakest = view.weakest
    assert weakest is not None
    assert (weakest.left in (1, 2, 3), weakest.right in (4, 5)) == (True, True)
    assert view.pairs is not None
    assert view.pairs[0] == weakest
    joining = [pair for pair in view.pairs if pair.joins]
    assert len(joining) == 4
    assert weakest.weight == min(pair.weight for pair in joining)
    rules = OnlineRules(SCORER, registry.secret)
    for pair in view.pairs:
        keys = view.members[pair.left - 1].key, view.members[pair.right - 1].key
        waterfall = explain_online(registry, rules, *keys).waterfall
        assert pair.weight == pytest.approx(waterfall.weight, abs=1e-9)
        assert pair.vetoes == waterfall.vetoes


def test_what_a_veto_says_of_two_members_is_a_conflict(registry: Registry) -> None:
    other = replace(LAN[0], values={**LAN[0].values, "citizen_id": "079184000457"})
    (lan,) = store(registry, [[other, *LAN[1:]]])
    pair = pair_of(look(registry, lan), 1, 2)
    assert (pair.effect, pair.conflicts) == (VetoEffect.FORBID, True)
    assert pair.vetoes == ("two different valid citizen numbers",)


def test_strength_is_told_by_the_thresholds_of_the_rules(registry: Registry) -> None:
    (found,) = store(registry, [TWO_WOMEN])
    view = look(registry, found)
    limits = SCORER.model.thresholds
    assert view.pairs is not None
    for pair in view.pairs:
        expected = (
            Strength.CERTAIN
            if pair.weight >= limits.link + 10
            else Strength.LIKELY
            if pair.weight >= limits.link
            else Strength.DOUBTFUL
            if pair.weight >= limits.review
            else Strength.AGAINST
        )
        assert pair.strength is expected
    assert {pair.strength for pair in view.pairs} >= {Strength.CERTAIN}


def test_what_a_steward_joined_is_not_the_weakest_pair(registry: Registry) -> None:
    (found,) = store(registry, [TWO_WOMEN])
    before = look(registry, found).weakest
    assert before is not None
    judge(registry, TWO_WOMEN[before.left - 1], TWO_WOMEN[before.right - 1], Verdict.SAME)
    view = look(registry, found)
    pair = pair_of(view, before.left, before.right)
    assert pair.joins
    assert pair.judged is not None
    assert (pair.judged.verdict, pair.judged.made_by) == (Verdict.SAME, "binh")
    after = view.weakest
    assert after is not None
    assert (after.left, after.right) != (before.left, before.right)


def test_unsure_judgements_are_not_shown(registry: Registry) -> None:
    (found,) = store(registry, [TWO_WOMEN])
    judge(registry, TWO_WOMEN[0], TWO_WOMEN[4], Verdict.UNSURE)
    view = look(registry, found)
    assert view.pairs is not None
    assert not [pair for pair in view.pairs if pair.judged]


def test_entries_are_counted_and_marked_records_pointed_out(registry: Registry) -> None:
    (found,) = store(registry, [TWO_WOMEN])
    given = [
        HealthRecordEntry(TWO_WOMEN[at].key, f"e{at}", EntryKind.ENCOUNTER, date(2024, 3, 1), "facility 12", "urn:x:1")
        for at in (0, 3)
    ]
    register(registry, "r1", b"d", given, lambda _: b"")
    view = look(registry, found, marked=(TWO_WOMEN[1].key, RecordKey("hospital", "nobody")))
    assert [each.marked for each in view.members] == [False, True, False, False, False]
    assert [each.entries for each in view.members] == [1, 0, 0, 1, 0]
    assert all(each.link is not None for each in view.members)


def test_a_person_of_one_record_has_no_pairs(registry: Registry) -> None:
    (hung,) = store(registry, [HUNG])
    view = look(registry, hung)
    assert (view.pairs, view.parts, view.weakest, view.total, view.pages) == ((), (), None, 1, 1)


def test_a_person_without_records_has_nothing_to_show(registry: Registry) -> None:
    hung, empty = store(registry, [HUNG, ()])
    view = look(registry, empty)
    assert (view.members, view.rows, view.pairs, view.total, view.pages) == ((), (), (), 0, 1)
    assert view.enterprise_id != hung


def test_more_records_than_are_weighed_are_paged(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = store(registry, [TWO_WOMEN])
    monkeypatch.setattr(cluster_views, "MOST_WEIGHED", 2)
    pages = [look(registry, found, page=page) for page in (0, 1, 2, 3, 9)]
    assert [[each.number for each in view.members] for view in pages] == [[1, 2], [1, 2], [3, 4], [5], [5]]
    assert {(view.total, view.pages, view.pairs, view.parts) for view in pages} == {(5, 3, None, ())}
    assert [len(row.cells) for row in pages[2].rows] == [2] * len(pages[2].rows)


def test_an_id_that_was_merged_leads_to_the_survivor(registry: Registry) -> None:
    lan, mai = store(registry, [LAN, MAI])
    merge(registry, mai, lan)
    view = look(registry, mai)
    assert (view.enterprise_id, view.asked_for, view.total) == (lan, mai, 5)


def test_whoever_may_not_look_people_up_is_refused(registry: Registry) -> None:
    (lan,) = store(registry, [LAN])
    with pytest.raises(MissingRightError) as refused:
        cluster_view(registry, OnlineRules(SCORER, registry.secret), Actor("ha", Role.ADMIN), lan)
    assert refused.value.metadata == {"right": "look_up"}


def test_unknown_and_mistyped_ids(registry: Registry) -> None:
    store(registry, [LAN])
    with pytest.raises(InvalidInputError):
        look(registry, "not an id")
    with pytest.raises(UnknownPersonError):
        look(registry, enterprise_id(999, KEY))
