"""What an unmerge would do, found by doing it in a transaction that is taken back: nothing is ever changed here."""

from dataclasses import dataclass

from mpi.domain.errors import ContradictionError, UndoBlockedError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Right
from mpi.registry import events, persons
from mpi.registry.registry import Registry
from mpi.services.access import require
from mpi.services.neighbourhood import OnlineRules
from mpi.services.stewardship import applying
from mpi.services.stewardship.deciding import Deciding
from mpi.services.stewardship.person_sides import PersonSide, person_side


@dataclass(frozen=True, slots=True)
class UnmergePreview:
    """What an unmerge would do. `sides` are the one who stays and the one who gets the ID back, then anybody else to
    whom the rules would give a record that came since; `since` are such records.

    Where it would be refused there are no sides: `blocked_by` names the later decision that has to be undone first, or
    `contradiction` the judgements in the way.
    """

    enterprise_id: str
    survivor: str
    sides: tuple[PersonSide, ...]
    since: tuple[RecordKey, ...]
    moved: tuple[RecordKey, ...]
    blocked_by: str | None
    contradiction: str | None
    seen_revision: int


class _TakenBackError(Exception):
    """Ends the transaction of a preview."""


def preview_unmerge(registry: Registry, rules: OnlineRules, actor: Actor, enterprise_id: str) -> UnmergePreview:
    """What giving a merged person its ID back would do. Changes nothing.

    Raises MissingRightError, InvalidInputError for a mistyped ID and for one who is not merged, UnknownPersonError,
    RunInProgressError.
    """
    require(actor, Right.CHANGE_PEOPLE)
    found: list[UnmergePreview] = []
    try:
        with registry.begin() as uow:
            uow.dialect.lock_keys(uow.driver, [], all_keys=True)
            found.append(_tried(Deciding(uow, registry.secret, rules, actor, ""), enterprise_id))
            raise _TakenBackError
    except _TakenBackError:
        return found[0]


def _tried(deciding: Deciding, enterprise_id: str) -> UnmergePreview:
    uow = deciding.uow
    dead = deciding.merged_person(enterprise_id)
    merged = applying.merge_of(deciding, dead.person_id)
    survivor = persons.find_person(uow, merged.survivor)
    newest = events.last_revision(uow)
    before = deciding.records_of(survivor.person_id)
    came = persons.linked_since(uow, survivor.person_id, merged.last_revision)
    blocked_by = contradiction = None
    sides: tuple[PersonSide, ...] = ()
    moved: list[int] = []
    try:
        made = applying.unmerge(deciding, dead.person_id)
        people = [survivor.person_id, dead.person_id]
        sides = tuple(person_side(deciding, each)[0] for each in (*people, *sorted(made.people.difference(people))))
        moved = sorted(set(before).difference(deciding.records_of(survivor.person_id)))
    except UndoBlockedError as refused:
        blocked_by = refused.metadata["decision"]
    except ContradictionError as refused:
        contradiction = refused.metadata["path"]
    return UnmergePreview(
        enterprise_id=dead.enterprise_id,
        survivor=survivor.enterprise_id,
        sides=sides,
        since=deciding.keys_of(came),
        moved=deciding.keys_of(moved),
        blocked_by=blocked_by,
        contradiction=contradiction,
        seen_revision=newest,
    )
