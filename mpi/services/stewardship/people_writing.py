"""Writing what a decision does to people: records that move, IDs that lead elsewhere or come back, and the events.

One event for each person that gains or loses; links and redirects carry the revision of the one who gains.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpi.registry import events, persons
from mpi.registry.counters import Counters, allocate
from mpi.registry.events import EventRows, payload_text
from mpi.registry.persons import LinkRows
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.resolution import Affected, PersonChange

NEW = -1
"""Stands for the one person that a rearrangement may create."""


@dataclass(frozen=True, slots=True)
class Move:
    """A record that goes from one person to another (or to NEW). `as_link` is the closed link that it goes back to,
    with its evidence; None where a steward places it."""

    record_id: int
    from_person: int
    to_person: int
    as_link: int | None = None


@dataclass(frozen=True, slots=True)
class Rearrangement:
    """What a decision does to people: moves; (superseded, survivor); (restored, the survivor that they had)."""

    moves: tuple[Move, ...] = ()
    superseded: tuple[tuple[int, int], ...] = ()
    restored: tuple[tuple[int, int], ...] = ()

    @property
    def people(self) -> set[int]:
        """All whom it touches, but for the new one."""
        ends = {end for move in self.moves for end in (move.from_person, move.to_person)}
        return (ends | {each for pair in (*self.superseded, *self.restored) for each in pair}) - {NEW}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the new person's number (None for none), everybody touched, and what callers are told."""

    created: int | None
    people: frozenset[int]
    changes: tuple[tuple[int, PersonChange, int | None], ...]

    def affected(self, names: Mapping[int, str]) -> tuple[Affected, ...]:
        """The changes by enterprise ID."""
        return tuple(
            Affected(names[who], change, None if survivor is None else names[survivor])
            for who, change, survivor in self.changes
        )


@dataclass(frozen=True, slots=True)
class Author:
    """Who decides, and which decision it is: what the payload of every event says. `rule_version` is in force."""

    steward: str
    decision_id: int
    rule_version: str


@dataclass(frozen=True, slots=True)
class _Event:
    person: int
    change: PersonChange
    payload: dict[str, Any]
    survivor: int | None = None


def write(uow: UnitOfWork, secret: bytes, wanted: Rearrangement, author: Author) -> Written:
    """Write a rearrangement in the caller's transaction, which holds all locks. Raises RegistryError where people or
    links are not as it takes them to be."""
    planned = _events(wanted)
    moved = len(wanted.moves)
    creates = any(move.to_person == NEW for move in wanted.moves)
    first = allocate(uow, Counters(revision=len(planned), link=moved, person=int(creates)))
    number = {NEW: first.person} if creates else {}
    revision_of = {event.person: first.revision + place for place, event in enumerate(planned)}
    if creates:
        revisions = np.array([revision_of[NEW]], dtype=np.int64)
        persons.insert_persons(uow, np.array([first.person], dtype=np.int64), revisions=revisions, key=secret)
    _move(uow, wanted.moves, number, revision_of, first_link=first.link, author=author)
    if wanted.superseded:
        dead, survivors = (np.array(column, dtype=np.int64) for column in zip(*wanted.superseded, strict=True))
        told = np.array([revision_of[survivor] for survivor in survivors.tolist()], dtype=np.int64)
        persons.supersede_persons(uow, dead, survivors=survivors, revisions=told)
    if wanted.restored:
        back = np.array([person for person, _ in wanted.restored], dtype=np.int64)
        persons.restore_persons(uow, back, revisions=np.array([revision_of[each] for each in back.tolist()]))
    gone = {dead for dead, _ in wanted.superseded}
    touched = [event.person for event in planned if event.person not in gone and event.person != NEW]
    at = np.array([revision_of[person] for person in touched], dtype=np.int64)
    persons.touch_persons(uow, np.array(touched, dtype=np.int64), revisions=at)
    signed = {"decision": author.decision_id, "steward": author.steward}
    events.append(
        uow,
        EventRows(
            kinds=[f"person.{event.change.value}" for event in planned],
            person_ids=np.array([number.get(event.person, event.person) for event in planned], dtype=np.int64),
            payloads=[payload_text({**_numbered(event.payload, number), **signed}) for event in planned],
            made_by="steward",
        ),
        first_revision=first.revision,
    )
    return Written(
        created=number.get(NEW),
        people=frozenset(wanted.people | set(number.values())),
        changes=tuple((number.get(each.person, each.person), each.change, each.survivor) for each in planned),
    )


def _move(
    uow: UnitOfWork,
    moves: Sequence[Move],
    number: Mapping[int, int],
    revision_of: Mapping[int, int],
    *,
    first_link: int,
    author: Author,
) -> None:
    """Close the links of moved records and open their new ones."""
    if not moves:
        return
    records = np.array([move.record_id for move in moves], dtype=np.int64)
    revisions = np.array([revision_of[move.to_person] for move in moves], dtype=np.int64)
    now = persons.links_of_records(uow, records)
    place_of = {record: place for place, record in enumerate(records.tolist())}
    ends = revisions[[place_of[record] for record in now.record_ids.tolist()]]
    persons.close_links(uow, now.link_ids, revisions=ends)
    link_ids = first_link + np.arange(len(moves), dtype=np.int64)
    back = np.array([move.as_link is not None for move in moves], dtype=np.bool_)
    old = np.array([move.as_link for move in moves if move.as_link is not None], dtype=np.int64)
    persons.reopen_links(uow, old, link_ids=link_ids[back], revisions=revisions[back])
    to = np.array([number.get(move.to_person, move.to_person) for move in moves], dtype=np.int64)
    if not back.all():
        fresh = ~back
        persons.open_links(
            uow,
            LinkRows(link_ids[fresh], records[fresh], to[fresh], revisions[fresh], "steward", author.rule_version),
        )


def _events(wanted: Rearrangement) -> list[_Event]:
    """One event a person that gains records or comes back, then one a person that loses them, in order of numbers."""
    gained: dict[int, list[int]] = defaultdict(list)
    lost: dict[tuple[int, int], list[int]] = defaultdict(list)
    for move in wanted.moves:
        gained[move.to_person].append(move.record_id)
        lost[move.from_person, move.to_person].append(move.record_id)
    survivor_of, restored_from = dict(wanted.superseded), dict(wanted.restored)
    found: list[_Event] = []
    for person in sorted({*gained, *survivor_of.values(), *restored_from}):
        payload: dict[str, Any] = {"records": sorted(gained.get(person, ()))}
        merged = sorted(dead for dead, survivor in wanted.superseded if survivor == person)
        if person == NEW:
            change, payload["from"] = PersonChange.CREATED, _only(source for source, to in lost if to == NEW)
        elif person in restored_from:
            change, payload["from"] = PersonChange.RESTORED, restored_from[person]
        elif merged:
            change, payload["superseded"] = PersonChange.MERGED, merged
        else:
            change, payload["from"] = PersonChange.LINKED, _only(source for source, to in lost if to == person)
        found.append(_Event(person, change, payload))
    told = {event.person for event in found}
    for (person, to), records in sorted(lost.items()):
        if person in survivor_of or person in told:
            continue
        change = PersonChange.UNMERGED if to in restored_from else PersonChange.SPLIT
        found.append(_Event(person, change, {"moved": sorted(records), _where(change): to}))
        told.add(person)
    # one who gave back a person without records gave up nothing but the ID
    for person, survivor in wanted.restored:
        if survivor not in told:
            found.append(_Event(survivor, PersonChange.UNMERGED, {"moved": [], "restored": person}))
            told.add(survivor)
    for dead, survivor in sorted(wanted.superseded):
        found.append(_Event(dead, PersonChange.SUPERSEDED, {"superseded_by": survivor}, survivor))
    return found


def _where(change: PersonChange) -> str:
    return "restored" if change is PersonChange.UNMERGED else "into"


def _only(people: Iterable[int]) -> int:
    """Where records came from; the first where there are several."""
    return min(people)


def _numbered(payload: Mapping[str, Any], number: Mapping[int, int]) -> dict[str, Any]:
    """The payload with the real number of the new person."""
    return {name: number.get(value, value) if isinstance(value, int) else value for name, value in payload.items()}
