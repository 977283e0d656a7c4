"""Taking a decision back: as a new event, never by removing the old one; all goes back to where it was.

Records that came since are placed by the rules. What rests on the decision must be undone first, and is named.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from mpi.domain.errors import MissingRightError, UndoBlockedError
from mpi.domain.review import DecisionKind, Right, Verdict
from mpi.persons.judged import Judged, Judgement, Obstacle
from mpi.registry import decisions, events, judgements, persons
from mpi.registry.decisions import Decision, Moved, Traces
from mpi.services.stewardship.applying import refuse_later, tied_newcomers, with_newcomers
from mpi.services.stewardship.deciding import Deciding, Made, Said
from mpi.services.stewardship.people_writing import Move, Rearrangement


def undo(deciding: Deciding, decision_id: int) -> Made:
    """Take a decision back. One's own, or anybody's for those who may adjudicate.

    Raises UnknownDecisionError, MissingRightError, UndoBlockedError naming what rests on it or undid it.
    """
    found = decisions.find(deciding.uow, decision_id)
    if found.made_by != deciding.actor.name and not deciding.actor.may(Right.ADJUDICATE):
        raise MissingRightError(
            f"decision {decision_id} is somebody else's", metadata={"right": Right.ADJUDICATE.value}
        )
    if found.undone_by is not None:
        raise UndoBlockedError(
            f"decision {decision_id} was undone by decision {found.undone_by}",
            metadata={"decision": str(found.undone_by)},
        )
    while (redone := decisions.redone_by(deciding.uow, found.decision_id)) is not None:
        # it stands by another decision, and that one is what can be taken back
        found = redone
    return _undo(deciding, found)


def _undo(deciding: Deciding, found: Decision) -> Made:
    decision_id = found.decision_id
    people = decisions.people_of(deciding.uow, decision_id)
    done = decisions.traces(deciding.uow, np.array(people, dtype=np.int64), found.decision_id, found.last_revision)
    changed = bool(done.moved or done.superseded or done.restored or done.created)
    if changed:
        refuse_later(deciding, people, found.last_revision)
        _refuse_moved(deciding, found, done)
    mine = [each.judgement_id for each in judgements.of_decision(deciding.uow, decision_id)]
    wanted, came, parted = _back(deciding, found, done, without=mine)
    again = _taken_back_by(deciding, found)
    _refuse_judged(deciding, found, wanted, mine)
    _refuse_again(deciding, found, wanted, again, without=mine)
    made = deciding.make(
        DecisionKind.UNDO,
        wanted=wanted,
        said=[Said(each.record_a, each.record_b, each.verdict) for each in again],
        takes_back=mine,
        undoes=decision_id,
        people=people,
    )
    if came and parted is not None:
        made = with_newcomers(deciding, made, came, parted)
    _mark(deciding, found, made.decision_id)
    return made


def _mark(deciding: Deciding, found: Decision, by: int) -> None:
    """Note that a decision is undone; what it had undone stands again, what that had undone does not, and so on."""
    undone_by: int | None = by
    while True:
        decisions.mark_undone(deciding.uow, found.decision_id, undone_by)
        if found.undoes is None:
            return
        undone_by = None if undone_by is not None else found.decision_id
        found = decisions.find(deciding.uow, found.undoes)


def _back(
    deciding: Deciding, found: Decision, done: Traces, *, without: Collection[int]
) -> tuple[Rearrangement, list[int], tuple[int, int] | None]:
    """The way back: moves and IDs; the records that came since a merge, and the two people who are parted. Judgements
    `without` are taken back with the decision."""
    now = deciding.owners([each.record_id for each in done.moved])
    moves = [
        Move(each.record_id, each.to_person, each.from_person, as_link=each.closed_link)
        for each in done.moved
        # a record that was withdrawn since has nowhere to go back to
        if each.record_id in now and each.from_person != each.to_person and each.from_person >= 0
    ]
    superseded = list(done.restored)
    superseded += [(person, _origin_of(done.moved, person)) for person in done.created]
    gone = dict(superseded)
    going = {move.record_id for move in moves}
    # whoever ceases to be takes all along that came to them since
    for person, survivor in superseded:
        moves += [Move(record, person, survivor) for record in deciding.records_of(person) if record not in going]
    restored = tuple(done.superseded)
    if not restored:
        return Rearrangement(tuple(moves), tuple(superseded), restored), [], None
    dead, survivor = restored[0]
    since = persons.linked_since(deciding.uow, survivor, found.last_revision) - going
    back = [move.record_id for move in moves if move.to_person == dead]
    own = [record for record in deciding.records_of(survivor) if record not in since and record not in going]
    came = sorted(since) if survivor not in gone else []
    along, came = tied_newcomers(deciding, came, (back, own), without=without)
    moves += [Move(record, survivor, dead) for record in along]
    return Rearrangement(tuple(moves), tuple(superseded), restored), came, (survivor, dead)


def _origin_of(moved: Iterable[Moved], person: int) -> int:
    """Whose the records of a new person were."""
    return min(each.from_person for each in moved if each.to_person == person and each.from_person >= 0)


def _taken_back_by(deciding: Deciding, found: Decision) -> list[Judgement]:
    """The judgements that a decision took back: they stand again, as new ones."""
    return judgements.withdrawn_between(deciding.uow, found.decision_id, found.last_revision)


def _refuse_moved(deciding: Deciding, found: Decision, done: Traces) -> None:
    """Every record must be where the decision put it, or be withdrawn. Raises UndoBlockedError."""
    links = persons.links_of_records(deciding.uow, np.array([each.record_id for each in done.moved], dtype=np.int64))
    where = dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))
    for each in done.moved:
        if each.record_id in where and where[each.record_id] != each.to_person:
            last = events.last_of_person(deciding.uow, where[each.record_id], events.last_revision(deciding.uow))
            name = deciding.names([where[each.record_id]])[where[each.record_id]]
            raise UndoBlockedError(
                f"a record of decision {found.decision_id} came to {name} later, at revision {last}",
                metadata={"decision": str(last), "enterprise_id": name},
            )


def _refuse_judged(deciding: Deciding, found: Decision, wanted: Rearrangement, without: Collection[int]) -> None:
    """No judgement made since may stand against the way back. Raises UndoBlockedError naming its decision."""
    for person in sorted({move.from_person for move in wanted.moves}):
        gone = [move.record_id for move in wanted.moves if move.from_person == person]
        stay = [record for record in deciding.records_of(person) if record not in set(gone)]
        judged = deciding.judged([*gone, *stay], without=without)
        _refuse(deciding, found, judged.against_two_people(gone, stay))
    for to in sorted({move.to_person for move in wanted.moves}):
        coming = [move.record_id for move in wanted.moves if move.to_person == to]
        there = deciding.records_of(to)
        judged = deciding.judged([*coming, *there], without=without)
        _refuse(deciding, found, judged.against_one_person(coming, there))


def _refuse_again(
    deciding: Deciding,
    found: Decision,
    wanted: Rearrangement,
    again: Sequence[Judgement],
    *,
    without: Collection[int],
) -> None:
    """What stands again must be true of the people then: SAME of one person, DIFFERENT of two. Raises UndoBlockedError
    naming what has joined or parted them since."""
    ends = sorted({end for each in again for end in (each.record_a, each.record_b)})
    said = [each for each in judgements.about(deciding.uow, ends) if each.judgement_id not in without]
    judged = Judged([*said, *again])
    moved = {move.record_id: move.to_person for move in wanted.moves}
    for each in again:
        if each.verdict is Verdict.UNSURE:
            continue
        one, other = (judged.chain([end]) for end in (each.record_a, each.record_b))
        owner = deciding.owners({*one, *other})
        owner |= {record: moved[record] for record in owner if record in moved}
        left, right = ({owner[record] for record in chain if record in owner} for chain in (one, other))
        if len(left | right) > 1 if each.verdict is Verdict.SAME else left & right:
            raise _changed_since(deciding, found, left | right)


def _changed_since(deciding: Deciding, found: Decision, people: Collection[int]) -> UndoBlockedError:
    """The error that names what changed some people after a decision: the newest decision, else their newest event."""
    later = decisions.later_about(deciding.uow, np.array(sorted(people), dtype=np.int64), found.last_revision)
    newest = events.last_revision(deciding.uow)
    named = later[-1].decision_id if later else max(events.last_of_person(deciding.uow, one, newest) for one in people)
    return UndoBlockedError(
        f"what decision {found.decision_id} took back is no longer true: decision {named} changed these people later",
        metadata={"decision": str(named)},
    )


def _refuse(deciding: Deciding, found: Decision, obstacle: Obstacle | None) -> None:
    if obstacle is None:
        return
    named = obstacle.judgement.decision_id
    raise UndoBlockedError(
        f"decision {named or 'of old'} stands against undoing decision {found.decision_id}:"
        f" {deciding.in_words(obstacle)}",
        metadata={"decision": str(named or "")},
    )
