"""What each kind of decision does: merge, split, move, unmerge, keep apart. Inside one transaction (see deciding.py).

On a merge the oldest person keeps its ID; on a split the largest part does; who is unmerged gets their own ID back.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError, UndoBlockedError
from mpi.domain.review import DecisionKind, Verdict
from mpi.matching.kernel import as_rows
from mpi.persons.clusters import Constraints, Edges, cluster
from mpi.registry import decisions, judgements, online, persons
from mpi.registry.decisions import Decision
from mpi.services.stewardship.deciding import Deciding, Made, Said, apart
from mpi.services.stewardship.people_writing import NEW, Author, Move, Rearrangement
from mpi.services.stewardship.place_again import place_again


def merge(deciding: Deciding, one: int, other: int, said: Sequence[Said]) -> Made:
    """Two people become one. Raises ContradictionError, InvalidInputError for one person."""
    refuse_merge(deciding, one, other)
    return join(deciding, one, other, said)


def join(deciding: Deciding, one: int, other: int, said: Sequence[Said]) -> Made:
    """Two people become one, whom `refuse_merge` let pass in this transaction."""
    survivor, dead = min(one, other), max(one, other)
    moves = tuple(Move(record, dead, survivor) for record in deciding.records_of(dead))
    wanted = Rearrangement(moves, superseded=((dead, survivor),))
    return deciding.make(DecisionKind.MERGE, wanted=wanted, said=said)


def refuse_merge(deciding: Deciding, one: int, other: int) -> None:
    """Raises ContradictionError where earlier judgements keep two people apart, InvalidInputError for one person."""
    if one == other:
        raise InvalidInputError("both are one person already", metadata={"field": "enterprise_ids"})
    left, right = deciding.records_of(one), deciding.records_of(other)
    deciding.refuse_contradiction(deciding.judged([*left, *right]).against_one_person(left, right))


def keep_apart(deciding: Deciding, a: int, b: int, people: Collection[int]) -> Made:
    """Two records of two people are judged different, for ever. Raises ContradictionError."""
    refuse_apart(deciding, a, b)
    return deciding.make(DecisionKind.JUDGE, said=[Said(a, b, Verdict.DIFFERENT)], people=people)


def refuse_apart(deciding: Deciding, a: int, b: int) -> None:
    """Raises ContradictionError where earlier judgements tie two records together."""
    deciding.refuse_contradiction(deciding.judged([a, b]).against_two_people([a], [b]))


def judge(deciding: Deciding, a: int, b: int, verdict: Verdict, people: Collection[int]) -> Made:
    """A judgement that changes nobody: two records of one person are one, or nobody can tell."""
    if verdict is Verdict.SAME:
        deciding.refuse_contradiction(deciding.judged([a, b]).against_one_person([a], [b]))
    return deciding.make(DecisionKind.JUDGE, said=[Said(a, b, verdict)], people=people)


def split(deciding: Deciding, person: int, leaving: Collection[int], into: int | None = None) -> Made:
    """Some records leave a person, for a new one or for one that exists; the two sides are kept apart for ever.

    Raises InvalidInputError where nothing or everything leaves, ContradictionError.
    """
    gone, stay = refuse_split(deciding, person, leaving, into)
    if into is not None:
        moves = tuple(Move(record, person, into) for record in gone)
        theirs = deciding.records_of(into)
        tied = [Said(record, theirs[0], Verdict.SAME) for record in gone] if theirs else []
        said = [*apart(gone, stay), *tied]
        return deciding.make(DecisionKind.MOVE, wanted=Rearrangement(moves), said=said, people=[into])
    going = smaller_part(gone, stay)
    moves = tuple(Move(record, person, NEW) for record in going)
    return deciding.make(DecisionKind.SPLIT, wanted=Rearrangement(moves), said=apart(gone, stay))


def refuse_split(
    deciding: Deciding, person: int, leaving: Collection[int], into: int | None
) -> tuple[list[int], list[int]]:
    """Those that leave and those that stay. Raises InvalidInputError, ContradictionError."""
    records = deciding.records_of(person)
    gone = sorted(set(leaving))
    stay = [record for record in records if record not in set(gone)]
    if not set(gone) <= set(records):
        raise InvalidInputError("a record that should leave is not this person's", metadata={"field": "records"})
    if not gone or not stay:
        raise InvalidInputError(
            "some records must leave and some must stay; to move all, merge the people", metadata={"field": "records"}
        )
    if into == person:
        raise InvalidInputError("they are this person's already", metadata={"field": "into"})
    judged = deciding.judged(records if into is None else [*records, *deciding.records_of(into)])
    deciding.refuse_contradiction(judged.against_two_people(gone, stay))
    if into is not None:
        deciding.refuse_contradiction(judged.against_one_person(gone, deciding.records_of(into)))
    return gone, stay


def smaller_part(gone: list[int], stay: list[int]) -> list[int]:
    """The part that gets a new ID: the smaller; of two alike the one without the oldest record."""
    if len(gone) != len(stay):
        return min(gone, stay, key=len)
    return max(gone, stay, key=min)


def proposed_parts(deciding: Deciding, person: int, a: int, b: int) -> tuple[list[int], list[int]]:
    """A person's records as the rules part them when two of them are kept apart: those with `a`, those with `b`.

    Raises ContradictionError where the two were judged the same.
    """
    refuse_apart(deciding, a, b)
    rules, layout = deciding.rules, deciding.rules.scorer.layout
    placed = online.members(deciding.uow, [person], layout=layout.digest, width=layout.width).placed
    ids = placed.record_ids.tolist()
    place_of = {record: place for place, record in enumerate(ids)}
    rows = rules.without(placed.rows, rules.known_capped(deciding.uow))
    left, right = (np.ascontiguousarray(each).astype(np.int32) for each in np.triu_indices(len(ids), 1))
    prior = rules.scorer.prior(online.numbers_now(deciding.uow).records)
    scores = rules.scorer.score(rows, left, right, prior=prior)
    must, _ = deciding.judged(ids).constraints(ids)
    ties = np.array([(place_of[one], place_of[other]) for one, other in must], dtype=np.int32).reshape(-1, 2)
    found = cluster(
        rules.scorer.program,
        as_rows(rows),
        Edges(left, right, scores.weights, scores.vetoes),
        persons=np.full(len(ids), -1, dtype=np.int64),
        constraints=Constraints(ties, np.array([[place_of[a], place_of[b]]], dtype=np.int32)),
        thresholds=rules.model.thresholds,
        prior=prior,
    )
    weight = np.full((len(ids), len(ids)), -np.inf)
    weight[left, right] = weight[right, left] = scores.weights
    with_a = _with_a(found.labels, weight, place_of[a], place_of[b])
    return [each for each, here in zip(ids, with_a, strict=True) if here], [
        each for each, here in zip(ids, with_a, strict=True) if not here
    ]


def _with_a(labels: NDArray[np.int32], weight: NDArray[np.float64], a: int, b: int) -> list[bool]:
    """Whether each record goes with `a`: its group does, or fits that one better than the group of `b`."""
    groups = {label: np.flatnonzero(labels == label) for label in np.unique(labels).tolist()}
    of_a, of_b = groups[int(labels[a])], groups[int(labels[b])]
    chosen = np.zeros(len(labels), dtype=np.bool_)
    for label, members in groups.items():
        if label == labels[a]:
            chosen[members] = True
        elif label != labels[b]:
            nearer = weight[np.ix_(members, of_a)].max() >= weight[np.ix_(members, of_b)].max()
            chosen[members] = bool(nearer)
    return list(chosen.tolist())


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge that holds: into whom, at which revision, and by which decision; none where the rules did it, be it in
    the wake of a decision."""

    survivor: int
    revision: int
    origin: Decision | None

    @property
    def last_revision(self) -> int:
        """The last revision that belongs to it: what came later came since."""
        return self.revision if self.origin is None else self.origin.last_revision


def merge_of(deciding: Deciding, dead: int) -> Merge:
    """How a person was merged into another. Raises UnknownPersonError, InvalidInputError for one who is not."""
    revision = decisions.redirected_since(deciding.uow, dead)
    survivor = persons.find_person(deciding.uow, dead).superseded_by
    if revision is None or survivor is None:
        raise InvalidInputError("this person is not merged into another", metadata={"field": "enterprise_id"})
    found = decisions.at_revision(deciding.uow, revision)
    by_decision = found is not None and found.kind in (DecisionKind.MERGE, DecisionKind.UNDO)
    return Merge(survivor, revision, found if by_decision else None)


def unmerge(deciding: Deciding, dead: int) -> Made:
    """A merged person gets its own ID and its records back; those that came since are placed by the rules.

    Raises InvalidInputError for a person who is not merged, UndoBlockedError, ContradictionError.
    """
    uow = deciding.uow
    merged = merge_of(deciding, dead)
    survivor, origin = merged.survivor, merged.origin
    refuse_later(deciding, {dead, survivor}, merged.last_revision)
    back = persons.links_closed_at(uow, dead, merged.revision)
    now = deciding.owners(back)
    moves = tuple(Move(record, survivor, dead, as_link=old) for record, old in sorted(back.items()) if record in now)
    stay = [record for record in deciding.records_of(survivor) if record not in back]
    since_then = persons.linked_since(uow, survivor, merged.last_revision)
    came = [record for record in stay if record in since_then]
    own = [record for record in stay if record not in since_then]
    taken_back = _of_merge(deciding, origin)
    along, came = tied_newcomers(deciding, came, (back, own), without=taken_back)
    moves += tuple(Move(record, survivor, dead) for record in along)
    judged = deciding.judged([*own, *back, *along, *came], without=taken_back)
    moved = [move.record_id for move in moves]
    obstacle = judged.against_two_people(moved, own)
    if obstacle is not None and obstacle.judgement.decision_id is not None:
        raise UndoBlockedError(
            f"decision {obstacle.judgement.decision_id} rests on it: {deciding.in_words(obstacle)}",
            metadata={"decision": str(obstacle.judgement.decision_id)},
        )
    deciding.refuse_contradiction(obstacle)
    said = apart(moved, own) if moved and own else []
    wanted = Rearrangement(moves, restored=((dead, survivor),))
    made = deciding.make(DecisionKind.UNMERGE, wanted=wanted, said=said, takes_back=taken_back)
    made = with_newcomers(deciding, made, came, (survivor, dead))
    if origin is not None:
        decisions.mark_undone(uow, origin.decision_id, made.decision_id)
        made = replace(made, undoes=origin.decision_id)
    return made


def tied_newcomers(
    deciding: Deciding,
    came: Collection[int],
    parts: tuple[Collection[int], Collection[int]],
    *,
    without: Collection[int],
) -> tuple[list[int], list[int]]:
    """Records that came since, of which judgements (but for some) decide: those that go along with the first part, and
    those that the rules may place; what is tied to the second part stays and is in neither."""
    judged = deciding.judged([*came, *parts[0], *parts[1]], without=without)
    going, staying = (judged.chain(part) for part in parts)
    along = [record for record in came if record in going]
    return along, [record for record in came if record not in going and record not in staying]


def with_newcomers(deciding: Deciding, made: Made, came: Collection[int], parted: tuple[int, int]) -> Made:
    """The decision, with records that came since placed by the rules among the two who were parted, or elsewhere."""
    author = Author(deciding.actor.name, made.decision_id, deciding.rules.model.name)
    deciding.forget()
    placed = place_again(deciding.uow, deciding.secret, deciding.rules, came, parted=parted, author=author)
    return replace(made, people=made.people | placed.people, affected=(*made.affected, *placed.affected))


def refuse_later(deciding: Deciding, people: Collection[int], revision: int) -> None:
    """Nothing later may rest on what is to be taken back: no decision that changed these people and stands, and no
    merge by rules. Raises UndoBlockedError naming what does."""
    numbers = np.array(sorted(people), dtype=np.int64)
    for later in decisions.later_about(deciding.uow, numbers, revision):
        raise UndoBlockedError(
            f"decision {later.decision_id} ({later.kind}, by {later.made_by} on {later.made_at[:10]}) came later and"
            " changed the same people: undo that one first",
            metadata={"decision": str(later.decision_id)},
        )
    for dead, survivor, since in decisions.redirects_since(deciding.uow, numbers, revision):
        names = deciding.names([dead, survivor])
        raise UndoBlockedError(
            f"{names[dead]} was merged into {names[survivor]} later, at revision {since}: unmerge that first",
            metadata={"decision": str(since), "enterprise_id": names[dead]},
        )


def _of_merge(deciding: Deciding, origin: Decision | None) -> list[int]:
    """The judgements that a merge was made with: they are taken back with it."""
    if origin is None:
        return []
    return [each.judgement_id for each in judgements.of_decision(deciding.uow, origin.decision_id)]
