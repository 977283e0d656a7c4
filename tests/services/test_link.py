"""`link` on small hand-made people, on both databases: what a run writes, leaves alone, asks and takes back."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from mpi.domain.errors import RunConflictError, UntrainedLevelError
from mpi.domain.model import BlockingRule
from mpi.matching.scorer import Scorer
from mpi.registry import persons, source_records, tables
from mpi.registry.registry import Registry
from tests.factories import small_model
from tests.registries import SECRET
from tests.services.linking import (
    contents,
    judge,
    link_files,
    link_rows,
    partition,
    people,
    query,
    questions,
    record_id,
    row,
    strangers,
    tasks,
    write_source,
)

LAN = {"name": "lan", "birth": "1984-03-19"}


def _events(registry: Registry) -> list[tuple[str, int, str]]:
    event = tables.event.c
    return query(registry, sa.select(event.kind, event.person_id, event.payload).order_by(event.revision))


def _numbers_given(registry: Registry) -> list[int]:
    """The last number given of every kind but runs."""
    columns = [column for column in tables.registry_counter.c if column.name != "run"]
    [numbers] = query(registry, sa.select(*columns))
    return list(numbers)


def test_counts_reconcile(registry: Registry, tmp_path: Path) -> None:
    rows = [row("1", **LAN), row("2", **LAN), row("2", **LAN), row("3", name="ba"), row("", name="nobody"), row("3")]
    summary = link_rows(registry, tmp_path, a=rows, x=strangers())
    counts = summary.sources["a"]
    assert (counts.read, counts.new, counts.changed, counts.unchanged, counts.rejected) == (6, 3, 1, 1, 1)
    assert summary.sources["x"].new == 100
    assert summary.records == 103
    assert summary.people == summary.people_created == 102
    assert summary.records_linked == 103
    assert sum(summary.links_by_rule.values()) == 2
    assert partition(registry, only="a") == {frozenset({"a:1", "a:2"}), frozenset({"a:3"})}
    [(kept,)] = query(registry, sa.select(tables.run.c.status))
    assert kept == "done"


def test_the_same_files_again_change_nothing(registry: Registry, tmp_path: Path) -> None:
    rows = [row("1", **LAN), row("2", **LAN), row("3", name="lan"), row("3", name="lan", phone="0903718264")]
    first = link_rows(registry, tmp_path, a=rows, x=strangers())
    assert first.review_tasks_opened == 1
    before, numbers = contents(registry), _numbers_given(registry)
    for _ in range(2):
        again = link_rows(registry, tmp_path, a=rows, x=strangers())
        assert contents(registry) == before
        assert _numbers_given(registry) == numbers
        assert (again.records_linked, again.people_created, again.review_tasks_opened) == (0, 0, 0)
        assert again.sources["a"].unchanged == 4
        assert again.review_tasks_open == 1


def test_one_record_alone_and_nothing_at_all(registry: Registry, tmp_path: Path) -> None:
    assert link_rows(registry, tmp_path, a=[]).people == 0
    assert link_rows(registry, tmp_path, a=[row("1", **LAN)]).people == 1
    assert link_rows(registry, tmp_path, a=[row("1", **LAN)]).records_linked == 0


def test_changed_rows_make_versions(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN, recorded_at="2020-01-01")], x=strangers())
    summary = link_rows(registry, tmp_path, a=[row("1", name="lan", birth="1984-03-20", recorded_at="2021-01-01")])
    assert (summary.sources["a"].changed, summary.sources["a"].new) == (1, 0)
    # an old version that is sent again is no news, the same values at a later time are
    assert link_rows(registry, tmp_path, a=[row("1", **LAN, recorded_at="2020-01-01")]).sources["a"].unchanged == 1
    assert link_rows(registry, tmp_path, a=[row("1", **LAN, recorded_at="2022-01-01")]).sources["a"].changed == 1
    record = record_id(registry, "a:1")
    version = tables.source_record_version.c
    [(current,)] = query(
        registry, sa.select(tables.source_record.c.version).where(tables.source_record.c.record_id == record)
    )
    old = query(registry, sa.select(version.version, version.recorded_at).where(version.record_id == record))
    assert current == 3
    assert sorted(old) == [(1, "2020-01-01"), (2, "2021-01-01")]
    assert len(people(registry)) == 101


def _versions(registry: Registry, key: str) -> tuple[str, list[str]]:
    """The birth date of the current version of a record, and those of the others by number."""
    record = record_id(registry, key)
    raw, old = tables.record_content.c, tables.source_record_version.c
    [(current,)] = query(registry, sa.select(raw.raw).where(raw.record_id == record))
    others = query(registry, sa.select(old.raw).where(old.record_id == record).order_by(old.version))
    births = [json.loads(text)["birth"] for (text,) in others]
    [(version,)] = query(
        registry, sa.select(tables.source_record.c.version).where(tables.source_record.c.record_id == record)
    )
    assert version == len(others) + 1
    return json.loads(current)["birth"], births


DATED = [row("1", name="lan", birth=f"{year}-03-19", recorded_at=f"{year}-05-01") for year in (2001, 2002, 2003)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("runs", [1, 3])
def test_the_version_captured_last_is_current_in_whatever_order_they_come(
    order: tuple[int, ...], runs: int, registry: Registry, tmp_path: Path
) -> None:
    rows = [DATED[place] for place in order]
    other = row("2", name="lan", birth="2003-03-19")
    link_rows(registry, tmp_path, x=[*strangers(), other])
    for part in [rows] if runs == 1 else [[each] for each in rows]:
        counts = link_rows(registry, tmp_path, a=part).sources["a"]
        assert counts.read == counts.stored == len(part)
    current, others = _versions(registry, "a:1")
    assert current == "2003-03-19"
    assert sorted(others) == ["2001-03-19", "2002-03-19"]
    assert link_rows(registry, tmp_path, a=rows).sources["a"].unchanged == 3
    assert frozenset({"a:1", "x:2"}) in partition(registry)


@pytest.mark.parametrize(
    ("first", "second", "current"),
    [
        ("2021-01-01", "2021-01-01", "second"),
        ("2021-01-01", None, "second"),
        (None, "2021-01-01", "second"),
        ("2021-01-01", "no date", "second"),
        ("2021-01-01T08:00:00", "2021-01-01", "second"),
        ("2021-01-01T08:00:00", "2021-01-01T07:59:00", "first"),
        ("01/02/2021", "2021-01-31", "first"),
        ("2021-01-31", "01/02/2021", "second"),
    ],
)
def test_at_equal_or_unknown_times_the_version_read_last_is_current(
    first: str | None, second: str | None, current: str, registry: Registry, tmp_path: Path
) -> None:
    rows = [
        {"source_record_id": "1", "birth": birth, "recorded_at": at}
        for birth, at in (("first", first), ("second", second))
    ]
    link_rows(registry, tmp_path, a=rows)
    other = "second" if current == "first" else "first"
    assert _versions(registry, "a:1") == (current, [other])


def test_a_late_version_changes_no_link(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN, recorded_at="2021-01-01"), row("2", **LAN)], x=strangers())
    before = partition(registry)
    summary = link_rows(registry, tmp_path, a=[row("1", name="someone else", number="55", recorded_at="2019-01-01")])
    assert (summary.sources["a"].changed, summary.records_linked, summary.people_created) == (1, 0, 0)
    assert partition(registry) == before


def test_a_late_record_that_bridges_two_people_merges_them_in_the_open(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN)], b=[row("1", number="77", phone="0903718264")], x=strangers())
    before = people(registry)
    old, young = sorted((before["a:1"], before["b:1"]))
    summary = link_rows(registry, tmp_path, c=[row("1", **LAN, number="77", phone="0903718264")])
    assert summary.people_merged == 1
    assert partition(registry, only="a") == {frozenset({"a:1"})}
    after = people(registry)
    assert {after[key] for key in ("a:1", "b:1", "c:1")} == {old}
    events = _events(registry)[-2:]
    assert [(kind, person) for kind, person, _ in events] == [("person.merged", old), ("person.superseded", young)]
    assert events[1][2] == f'{{"superseded_by":{old}}}'
    moved = "a:1" if before["a:1"] == young else "b:1"
    link = tables.link.c
    history = query(
        registry,
        sa.select(link.person_id, link.valid_from_revision, link.valid_to_revision)
        .where(link.record_id == record_id(registry, moved))
        .order_by(link.link_id),
    )
    [(revision,)] = query(
        registry, sa.select(sa.func.min(tables.event.c.revision)).where(tables.event.c.kind == "person.merged")
    )
    assert history == [(young, history[0][1], revision), (old, revision, None)]
    with registry.snapshot() as uow:
        gone = persons.find_person(uow, young)
        assert persons.resolve_enterprise_id(uow, gone.enterprise_id).person_id == old
        assert persons.links_as_of(uow, revision - 1).person_ids.tolist().count(young) == 1


def test_stewards_are_obeyed(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN), row("2", name="ba", number="1")], x=strangers())
    link_rows(registry, tmp_path, b=[row("1", name="ca", birth="2001-01-01")])
    judge(registry, "same", "a:2", "b:1")
    judge(registry, "unsure", "a:1", "b:1")
    judge(registry, "same", "a:1", "x:X1", withdrawn=1)
    assert link_rows(registry, tmp_path, c=[]).people_merged == 1
    assert partition(registry) >= {frozenset({"a:1"}), frozenset({"a:2", "b:1"}), frozenset({"x:X1"})}
    # the two are one person's now, and a third that contradicts one of them is kept away by the other
    link_rows(registry, tmp_path, d=[row("1", name="ca", birth="2001-01-01", number="2")])
    assert frozenset({"d:1"}) in partition(registry)


def test_what_a_steward_kept_apart_stays_apart_unasked(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", name="lan"), row("2", name="lan")], x=strangers())
    assert len(tasks(registry)) == 1
    judge(registry, "different", "a:1", "a:2")
    summary = link_rows(registry, tmp_path, a=[row("1", **LAN), row("2", **LAN)])
    assert frozenset({"a:1"}) in partition(registry)
    assert (summary.review_tasks_open, summary.review_tasks_closed) == (0, 1)


def test_a_question_closes_when_its_people_are_joined(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", name="lan")], b=[row("1", name="lan", number="7")], x=strangers())
    assert [kind for kind, _, _ in tasks(registry)] == ["possible_match"]
    summary = link_rows(registry, tmp_path, a=[row("1", name="lan", number="7")])
    assert (summary.review_tasks_closed, summary.review_tasks_open) == (1, 0)
    assert frozenset({"a:1", "b:1"}) in partition(registry)
    assert tasks(registry, status="closed")[0][2] == "the people asked about were joined"


def test_a_question_closes_when_the_doubt_is_gone(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", name="lan")], b=[row("1", name="lan")], x=strangers())
    summary = link_rows(registry, tmp_path, a=[row("1", name="hoa")])
    assert (summary.review_tasks_closed, summary.review_tasks_open) == (1, 0)
    assert tasks(registry, status="closed")[0][2] == "the evidence no longer leaves it in doubt"


def test_a_question_follows_its_people_into_a_merge(registry: Registry, tmp_path: Path) -> None:
    """a:1 and b:1 are in doubt. c:1 brings a:1 to an older person, and the doubt about b:1 is as open as before."""
    number, phone = {"number": "7"}, {"phone": "0903718264", "birth": "1984-03-19"}
    link_rows(registry, tmp_path, o=[row("1", **number)], x=strangers())
    link_rows(registry, tmp_path, a=[row("1", name="lan", **phone)], b=[row("1", name="lan")])
    [before] = tasks(registry)
    summary = link_rows(registry, tmp_path, c=[row("1", **number, **phone)])
    assert summary.people_merged == 1
    assert frozenset({"o:1", "a:1", "c:1"}) in partition(registry)
    [after] = tasks(registry)
    found = people(registry)
    assert after[1] == "people:{}-{}".format(*sorted((found["o:1"], found["b:1"])))
    assert after[1] != before[1]
    assert tasks(registry, status="closed") == [
        (before[0], before[1], "one of the people asked about was joined with another")
    ]
    assert questions(registry) == {frozenset({"possible_duplicate", "a:1", "b:1"})}


def test_a_question_is_settled_by_what_its_people_learn_later(registry: Registry, tmp_path: Path) -> None:
    """a:1 and b:1 share a name, which leaves them in doubt; c:1 is a:1 by its number and has the phone of b:1."""
    link_rows(registry, tmp_path, a=[row("1", name="lan", number="1")], b=[row("1", name="lan")], x=strangers())
    assert len(tasks(registry)) == 1
    link_rows(registry, tmp_path, b=[row("1", name="lan", phone="0903718264")])
    summary = link_rows(registry, tmp_path, c=[row("1", number="1", phone="0903718264")])
    assert summary.review_tasks_open == 0
    assert frozenset({"a:1", "b:1", "c:1"}) in partition(registry)


def test_new_values_that_contradict_a_person_are_a_task_and_no_split(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN, number="1"), row("2", **LAN, number="1")], x=strangers())
    changed = [row("1", name="hoa", birth="1999-09-09", number="2")]
    summary = link_rows(registry, tmp_path, a=changed)
    assert [kind for kind, _, _ in tasks(registry)] == ["overlay"]
    assert frozenset({"a:1", "a:2"}) in partition(registry)
    assert summary.review_tasks_opened == 1
    assert link_rows(registry, tmp_path, a=changed).review_tasks_opened == 0
    assert [kind for kind, _, _ in tasks(registry)] == ["overlay"]


def test_an_ambiguous_record_is_two_tasks(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN, number="1"), row("2", **LAN, number="2")], x=strangers())
    link_rows(registry, tmp_path, b=[row("1", **LAN)])
    assert frozenset({"b:1"}) in partition(registry)
    found = {(kind, reason) for kind, _, reason in tasks(registry)}
    assert ("possible_match", "several people fit about equally well") in found
    assert {frozenset({"possible_match", "a:1", "b:1"}), frozenset({"possible_match", "a:2", "b:1"})} <= questions(
        registry
    )
    # a steward says who it is
    judge(registry, "same", "b:1", "a:2")
    link_rows(registry, tmp_path, b=[])
    assert frozenset({"b:1", "a:2"}) in partition(registry)


def test_of_two_records_that_exclude_each_other_the_same_one_wins_in_any_order(
    registry: Registry, tmp_path: Path
) -> None:
    """Ten people, each with two newcomers that fit it equally and may not be one: a draw, but always the same."""
    known = [row(f"{n}", name=f"an {n}", birth=f"1980-02-{10 + n}") for n in range(10)]
    rivals = [
        row(f"{n}{m}", name=f"an {n}", birth=f"1980-02-{10 + n}", number=f"{n}{m}") for n in range(10) for m in "12"
    ]
    link_rows(registry, tmp_path, a=known, x=strangers())
    link_rows(registry, tmp_path, b=rivals)
    with Registry.open(f"sqlite:///{tmp_path}/other.db", secret=SECRET, create=True) as other:
        link_rows(other, tmp_path, a=known, x=strangers())
        link_rows(other, tmp_path, b=rivals[::-1])
        assert partition(other) == partition(registry)
    assert len(partition(registry, only="b")) == 20
    assert len(partition(registry)) == 120


def test_a_change_of_rules_makes_feature_rows_anew(registry: Registry, tmp_path: Path) -> None:
    link_rows(registry, tmp_path, a=[row("1", **LAN), row("2", name="lan", year="1984")], x=strangers())
    other = replace(
        small_model(),
        version="1.1.0",
        digest="1" * 64,
        blocking=(*small_model().blocking, BlockingRule("name and year", ("name", "year"))),
    )
    layout = Scorer(other).layout
    assert layout.digest != Scorer(small_model()).layout.digest
    link_files(registry, {"b": write_source(tmp_path / "b.parquet", [row("1", **LAN)])}, model=other)
    assert frozenset({"a:1", "b:1"}) in partition(registry)
    with registry.snapshot() as uow:
        assert len(source_records.records_with_other_layout(uow, layout.digest)) == 0
        refreshed = {int(i): bytes(r) for ids, part in source_records.feature_rows(uow, layout.digest)
                     for i, r in zip(ids, part, strict=True)}  # fmt: skip
    with Registry.open(f"sqlite:///{tmp_path}/other.db", secret=SECRET, create=True) as second:
        files = {"a": tmp_path / "a.parquet", "x": tmp_path / "x.parquet", "b": tmp_path / "b.parquet"}
        link_files(second, files, model=other)
        with second.snapshot() as uow:
            made = {int(i): bytes(r) for ids, part in source_records.feature_rows(uow, layout.digest)
                    for i, r in zip(ids, part, strict=True)}  # fmt: skip
        keys = ["a:1", "a:2", "x:X7", "b:1"]
        assert [refreshed[record_id(registry, key)] for key in keys] == [made[record_id(second, key)] for key in keys]


def test_one_source_system_may_come_from_two_places(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    write_source(folder / "one.parquet", [row("1", **LAN)])
    write_source(folder / "two.parquet", [row("2", **LAN)])
    summary = link_files(registry, {"a": folder})
    assert summary.sources["a"].new == 2
    assert partition(registry) == {frozenset({"a:1", "a:2"})}


def test_rules_without_training_are_refused_before_anything_is_read(registry: Registry, tmp_path: Path) -> None:
    before = contents(registry, without=())
    path = write_source(tmp_path / "a.parquet", [row("1")])
    with pytest.raises(UntrainedLevelError, match="number / equal"):
        link_files(registry, {"a": path}, model=replace(small_model(), parameters=None))
    assert contents(registry, without=()) == before


def test_two_runs_at_once_are_one_conflict(registry: Registry, registry_url: str, tmp_path: Path) -> None:
    path = write_source(tmp_path / "a.parquet", [row("1", **LAN)])
    with (
        Registry.open(registry_url, secret=SECRET, create=False) as other,
        other.lock_for_bulk(),
        pytest.raises(RunConflictError, match="another bulk run"),
    ):
        link_files(registry, {"a": path})
    assert link_files(registry, {"a": path}).people == 1
