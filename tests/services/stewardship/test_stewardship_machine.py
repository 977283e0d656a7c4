"""Resolve, judge, merge, unmerge, split, undo and withdraw in any order, against a model that is a few dictionaries.

After every step: the tables are what the events tell, judgements hold, nobody's record is in two people, no ID is given
to somebody else, and what is taken back is exactly what was there.
"""

import itertools
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mpi.domain.errors import ContradictionError, MpiError, RecordWithdrawnError, UndoBlockedError
from mpi.domain.review import Verdict
from mpi.registry import tables
from mpi.registry.migrate import migrate
from mpi.registry.registry import Registry
from mpi.services.stewardship.adjudicate import Outcome
from tests.online.desk import Desk
from tests.postgres import PostgresServer
from tests.registries import SECRET, migrated
from tests.services.linking import query
from tests.services.stewardship.replayed import Look, look
from tests.services.stewardship.stewards import HOA, LAN, Stewards

STEPS = 5_000

RECORDS = [f"{system}:{number}" for system in "abc" for number in range(4)]
NAMES, BIRTHS = ("lan", "lan thi", "hung"), ("19850101", "19850201")
NUMBERS, PHONES = ("", "", "71", "72"), ("", "0901234567", "0907654321")
ABOUT_ONE = {"overlay", "suspected_wrong_merge"}

Opens = Callable[[], AbstractContextManager[Registry]]


@dataclass
class Kept:
    """A decision and what was there before: the links of the people it touched, as they were in every column."""

    decision_id: int
    before: dict[int, tuple[Any, ...]]
    people: set[int]
    revision: int


class Machine(RuleBasedStateMachine):
    """One registry, and what there should be in it. The test that runs it sets `opens`, and `taken`: how often each
    step was taken, by whether it was done or refused."""

    opens: Opens
    taken: Counter[tuple[str, bool]]

    @initialize()
    def begin(self) -> None:
        self.context = type(self).opens()
        self.stewards = Stewards(Desk(self.context.__enter__()))
        self.decided: list[Kept] = []
        self.now = look(self.stewards.registry)

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)

    # what is there

    @property
    def owner(self) -> dict[int, int]:
        return self.now.there.owner

    def members(self, person: int) -> set[int]:
        return {record for record, owner in self.owner.items() if owner == person}

    def people(self) -> list[int]:
        return sorted(set(self.owner.values()))

    def name(self, person: int) -> str:
        return self.now.names[person]

    def chains(self) -> dict[int, int]:
        """The smallest record that each record is tied to, by judgements alone; worked out by brute force."""
        same = [(each.record_a, each.record_b) for each in self.now.judged if each.verdict is Verdict.SAME]
        ends = {end for each in self.now.judged for end in (each.record_a, each.record_b)}
        root = {record: record for record in ends | self.owner.keys()}
        for _ in same:
            for a, b in same:
                root[a] = root[b] = min(root[a], root[b])
        return root

    def different(self) -> list[tuple[int, int]]:
        return [(each.record_a, each.record_b) for each in self.now.judged if each.verdict is Verdict.DIFFERENT]

    def apart(self, one: set[int], other: set[int]) -> bool:
        """Whether judgements keep two sets of records apart."""
        root = self.chains()
        left, right = ({root[record] for record in side} for side in (one, other))
        ends = [(root[a], root[b]) for a, b in self.different()]
        return any((a in left and b in right) or (b in left and a in right) for a, b in ends)

    def tied(self, one: set[int], other: set[int]) -> bool:
        root = self.chains()
        return bool({root[record] for record in one} & {root[record] for record in other})

    def quiet_since(self, kept: Kept) -> bool:
        """Whether nothing has happened to the people of a decision since, and nothing was judged of anybody."""
        later = [each for each in self.now.events if each[0] > kept.revision]
        return not any(person in kept.people or kind.startswith("review.") for _, kind, person in later)

    # steps

    def step(self, name: str, does: Callable[[], Any], refusals: tuple[type[MpiError], ...]) -> tuple[Look, Any]:
        """One step: what was there before it, and what it gave, or the error that refused it; nothing then changed."""
        before = self.now
        try:
            given = does()
        except refusals as refused:
            given = refused
        type(self).taken[name, not isinstance(given, MpiError)] += 1
        self.now = look(self.stewards.registry)
        if isinstance(given, MpiError):
            assert self.now == before
        assert before.names.items() <= self.now.names.items()
        assert len(set(self.now.names.values())) == len(self.now.names)
        return before, given

    def keep(self, before: Look, outcome: Outcome) -> None:
        assert outcome.decision_id is not None
        table = tables.decision_person.c
        rows = query(self.stewards.registry, sa.select(table.person_id).where(table.decision_id == outcome.decision_id))
        people = {row[0] for row in rows}
        mine = {record: link for record, link in before.links.items() if link[0] in people}
        self.decided.append(Kept(outcome.decision_id, mine, people, outcome.revision))

    @rule(
        record=st.sampled_from(RECORDS),
        name=st.sampled_from(NAMES),
        birth=st.sampled_from(BIRTHS),
        number=st.sampled_from(NUMBERS),
        phone=st.sampled_from(PHONES),
    )
    def resolve(self, record: str, **values: str) -> None:
        given = {name: value for name, value in values.items() if value}
        before, told = self.step("resolve", lambda: self.stewards.desk.comes(record, **given), (RecordWithdrawnError,))
        if isinstance(told, MpiError):
            return
        assert self.name(self.owner[self.now.keys[record]]) == told.enterprise_id
        for number, person in before.there.owner.items():
            # the rules may join people, they never part them
            assert self.owner[number] in (person, self.now.there.leads_to.get(person))

    @precondition(lambda self: self.now.tasks)
    @rule(which=st.integers(0, 50), verdict=st.sampled_from(list(Verdict)))
    def judge(self, which: int, verdict: Verdict) -> None:
        number, _, _, a, b, one, other = self.now.tasks[which % len(self.now.tasks)]
        expected = dict(self.owner)
        refused = False
        if verdict is Verdict.SAME:
            refused = self.apart(self.members(one), self.members(other)) if one != other else self.apart({a}, {b})
            expected |= dict.fromkeys(self.members(max(one, other)), min(one, other))
        elif verdict is Verdict.DIFFERENT:
            refused = self.tied({a}, {b})
        task = self.stewards.task(number, HOA)
        if task.stage.value != "first":
            return
        before, told = self.step(
            "judge", lambda: self.stewards.settle(task, verdict, by=LAN, then=HOA), (ContradictionError,)
        )
        assert isinstance(told, ContradictionError) == refused
        if refused:
            return
        if one == other and verdict is Verdict.DIFFERENT:
            assert self.owner[a] != self.owner[b]
        else:
            assert self.owner == expected
        self.keep(before, told)

    @precondition(lambda self: len(self.people()) > 1)
    @rule(first=st.integers(0, 50), second=st.integers(0, 50))
    def merge(self, first: int, second: int) -> None:
        one = self.people()[first % len(self.people())]
        others = [each for each in self.people() if each != one]
        other = others[second % len(others)]
        refused = self.apart(self.members(one), self.members(other))
        survivor, dead = min(one, other), max(one, other)
        expected = self.owner | dict.fromkeys(self.members(dead), survivor)
        before, told = self.step(
            "merge",
            lambda: self.stewards.merge(self.name(one), self.name(other), by=LAN, then=HOA),
            (ContradictionError,),
        )
        assert isinstance(told, ContradictionError) == refused
        if refused:
            assert "judgement" in told.metadata["path"]
            return
        assert self.owner == expected
        assert self.now.there.leads_to[dead] == survivor
        self.keep(before, told)

    @precondition(lambda self: len(self.owner) > len(self.people()))
    @rule(which=st.integers(0, 50), part=st.sets(st.integers(0, 20), min_size=1, max_size=4), other=st.integers(0, 9))
    def split(self, which: int, part: set[int], other: int) -> None:
        several = [person for person in self.people() if len(self.members(person)) > 1]
        person = several[which % len(several)]
        members = sorted(self.members(person))
        leaving = {members[place % len(members)] for place in part}
        if len(leaving) == len(members):
            leaving.pop()
        stay = set(members) - leaving
        others = [each for each in self.people() if each != person]
        into = others[which % len(others)] if others and other < 3 else None
        refused = self.tied(leaving, stay) or (into is not None and self.apart(leaving, self.members(into)))
        named = {number: record for record, number in self.now.keys.items()}
        target = None if into is None else self.name(into)
        before, told = self.step(
            "split",
            lambda: self.stewards.split(self.name(person), *(named[each] for each in leaving), into=target),
            (ContradictionError,),
        )
        assert isinstance(told, ContradictionError) == refused
        if refused:
            return
        going = leaving
        if into is None:
            going = leaving if (len(leaving), -min(leaving)) < (len(stay), -min(stay)) else stay
            (into,) = self.now.there.people - before.there.people
        assert self.owner == before.there.owner | dict.fromkeys(going, into)
        self.keep(before, told)

    @precondition(lambda self: self.now.there.leads_to)
    @rule(which=st.integers(0, 50))
    def unmerge(self, which: int) -> None:
        merged = sorted(self.now.there.leads_to)
        dead = merged[which % len(merged)]
        had = self._had(dead)
        refusals = (UndoBlockedError, ContradictionError)
        before, told = self.step("unmerge", lambda: self.stewards.unmerge(self.name(dead)), refusals)
        if isinstance(told, MpiError):
            assert told.metadata["decision"]
            return
        assert dead not in self.now.there.leads_to
        for record, link in had.items():
            # exactly as it was, but for records that were withdrawn since
            assert self.now.links.get(record, link) == link
        survivor = before.there.leads_to[dead]
        for record, owner in before.there.owner.items():
            # others stay, or are joined by the rules with those whom they see more clearly now
            assert owner in (survivor, dead) or self.owner[record] in (owner, self.now.there.leads_to.get(owner))
        self.keep(before, told)

    def _had(self, dead: int) -> dict[int, tuple[Any, ...]]:
        """The links that a merged person had when it was merged."""
        link, redirect = tables.link.c, tables.redirect.c
        evidence = (link.made_by, link.match_weight, link.via_record_id, link.rule_version, link.run_id)
        since = sa.select(redirect.valid_from_revision).where(
            redirect.person_id == dead, redirect.valid_to_revision.is_(None)
        )
        rows = query(
            self.stewards.registry,
            sa.select(link.record_id, link.person_id, *evidence).where(
                link.person_id == dead, link.valid_to_revision == since.scalar_subquery()
            ),
        )
        return {row[0]: tuple(row[1:]) for row in rows}

    @precondition(lambda self: self.decided)
    @rule(back=st.integers(0, 5))
    def undo(self, back: int) -> None:
        place = max(len(self.decided) - 1 - back, 0)
        kept = self.decided[place]
        quiet = self.quiet_since(kept)
        before, told = self.step(
            "undo", lambda: self.stewards.undo_decision(kept.decision_id, by=HOA), (UndoBlockedError,)
        )
        if isinstance(told, MpiError):
            assert not quiet
            return
        if quiet:
            touched = {record: link for record, link in self.now.links.items() if link[0] in kept.people}
            assert touched == kept.before
        del self.decided[place]
        if back % 2:
            # what was undone may be done again, by undoing the undo
            self.keep(before, told)

    @precondition(lambda self: self.owner)
    @rule(which=st.integers(0, 50), rarely=st.integers(0, 3))
    def withdraw(self, which: int, rarely: int) -> None:
        if rarely:
            return
        number = sorted(self.owner)[which % len(self.owner)]
        named = {number: record for record, number in self.now.keys.items()}
        expected = {each: owner for each, owner in self.owner.items() if each != number}
        self.step("withdraw", lambda: self.stewards.withdraw(named[number]), ())
        assert self.owner == expected

    # what always holds

    @invariant()
    def tables_are_what_the_events_tell(self) -> None:
        assert self.now.told == self.now.there

    @invariant()
    def judgements_hold(self) -> None:
        root = self.chains()
        people_of: dict[int, set[int]] = {}
        for record, person in self.owner.items():
            people_of.setdefault(root[record], set()).add(person)
        assert all(len(people) == 1 for people in people_of.values())
        for a, b in self.different():
            assert not people_of.get(root[a], set()) & people_of.get(root[b], set())

    @invariant()
    def questions_are_open_ones(self) -> None:
        assert len({question for _, question, *_ in self.now.tasks}) == len(self.now.tasks)
        for _, _, kind, a, b, person_a, person_b in self.now.tasks:
            assert (self.owner[a], self.owner[b]) == (person_a, person_b)
            assert (person_a == person_b) == (kind in ABOUT_ONE)


def _run(opens: Opens, taken: Counter[tuple[str, bool]], *, examples: int, steps: int, seed: int) -> None:
    machine = type(f"Machine{seed}", (Machine,), {"opens": staticmethod(opens), "taken": taken})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_five_thousand_steps(tmp_path: Path) -> None:
    template, numbers = tmp_path / "template.db", itertools.count()
    migrate(f"sqlite:///{template}")

    @contextmanager
    def opens() -> Any:
        path = tmp_path / f"{next(numbers)}.db"
        shutil.copy(template, path)
        with Registry.open(f"sqlite:///{path}", secret=SECRET, create=False) as registry:
            yield registry
        path.unlink()

    taken: Counter[tuple[str, bool]] = Counter()
    for seed in itertools.count():
        _run(opens, taken, examples=25, steps=60, seed=seed)
        if taken.total() >= STEPS:
            break
    done = {name: taken[name, True] for name, _ in taken}
    assert min(done.values()) >= STEPS // 100, done
    assert {name for name, was_done in taken if not was_done} >= {"merge", "unmerge", "split", "undo"}


@pytest.mark.postgresql
def test_on_postgresql(postgres: PostgresServer) -> None:
    @contextmanager
    def opens() -> Any:
        with migrated(postgres) as url, Registry.open(url, secret=SECRET, create=False) as registry:
            yield registry

    taken: Counter[tuple[str, bool]] = Counter()
    _run(opens, taken, examples=5, steps=50, seed=1_000)
    assert {name for name, was_done in taken if was_done} >= {"resolve", "judge", "merge", "split", "undo"}
