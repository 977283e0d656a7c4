"""Records that came to a person after a merge, when the merge is taken back: the rules place them anew.

They are treated as a resolve treats newcomers; those that the rules leave where they are keep their links.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from mpi.persons.clusters import Constraints
from mpi.persons.enterprise_id import names_of
from mpi.registry import events, online, persons
from mpi.registry.counters import Counters, allocate
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.neighbourhood import (
    Newcomers,
    OnlineRules,
    Surroundings,
    decide,
    links_before,
    look_around,
    numbered,
)
from mpi.services.placing import Placed, PlanWriter
from mpi.services.resolution import Affected, PersonChange
from mpi.services.stewardship.people_writing import Author


@dataclass(frozen=True, slots=True)
class PlacedAgain:
    """Everybody who changed, by number, and what callers are told of those who did."""

    people: frozenset[int]
    affected: tuple[Affected, ...]


def place_again(
    uow: UnitOfWork,
    secret: bytes,
    rules: OnlineRules,
    record_ids: Collection[int],
    *,
    parted: tuple[int, int],
    author: Author,
) -> PlacedAgain:
    """Place records of the first of two `parted` people anew, who are not joined by them. In the caller's transaction,
    which holds all locks and has parted the two already."""
    home, _ = parted
    layout = rules.scorer.layout
    wanted = np.array(sorted(record_ids), dtype=np.int64)
    ids, rows = online.feature_rows(uow, wanted, layout=layout.digest, width=layout.width)
    if not len(ids):
        return PlacedAgain(frozenset(), ())
    around = look_around(uow, rules, Newcomers(rows.copy(), ids, np.full(len(ids), -1, dtype=np.int64)))
    around = _kept_apart(around, parted)
    decided = decide(rules, around, len(ids))
    first = allocate(uow, Counters(person=len(decided.plan.new_persons)))
    plan = numbered(decided.plan, first.person)
    leaves = np.flatnonzero(plan.person_of[: len(ids)] != home).astype(np.int32)
    others = plan.linked[plan.linked >= len(ids)]
    plan = replace(plan, linked=np.concatenate([leaves, others]))
    placed = Placed(around.record_ids, links_before(around), replace(decided, plan=plan), np.empty(0, dtype=np.int64))
    writer = PlanWriter(secret, rules.model, None, placed)
    revisions = writer.write_all(uow)
    writer.write_tasks(uow, {each.question: each.task_id for each in around.questions})
    changed = set(revisions) | {int(gone) for gone in plan.merges[:, 1]}
    if len(leaves):
        _tell_home(uow, home, {int(ids[at]): int(plan.person_of[at]) for at in leaves.tolist()}, author)
    names = names_of(changed, secret)
    change = dict.fromkeys(revisions, PersonChange.LINKED)
    change |= dict.fromkeys(plan.new_persons.tolist(), PersonChange.CREATED)
    # what the rules see clearly once the two are parted they join, as with any newcomer
    change |= dict.fromkeys(plan.merges[:, 0].tolist(), PersonChange.MERGED)
    told = [Affected(names[person], change[person]) for person in sorted(revisions)]
    told += [Affected(names[dead], PersonChange.SUPERSEDED, names[survivor]) for survivor, dead in plan.merges.tolist()]
    return PlacedAgain(frozenset(changed), tuple(told))


def _kept_apart(around: Surroundings, parted: tuple[int, int]) -> Surroundings:
    """The table with a cannot-link between two people, where both are in it."""
    places = [np.flatnonzero(around.person_ids == person) for person in parted]
    if not all(len(each) for each in places):
        return around
    between = np.array([[each[0] for each in places]], dtype=np.int32)
    constraints = around.constraints
    cannot = np.concatenate([constraints.cannot_link, between])
    return replace(around, constraints=Constraints(constraints.must_link, cannot))


def _tell_home(uow: UnitOfWork, home: int, went: dict[int, int], author: Author) -> None:
    """One event for the person whom records left: whoever watches it must hear of it."""
    payload = {
        "moved": sorted(went),
        "into": min(went.values()),
        "decision": author.decision_id,
        "steward": author.steward,
    }
    revision = events.append_one(uow, "person.split", home, payload, made_by="rules")
    persons.touch_persons(uow, np.array([home], dtype=np.int64), revisions=np.array([revision], dtype=np.int64))
