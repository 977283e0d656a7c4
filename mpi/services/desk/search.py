"""Search for people by what a steward has at hand: an ID, a record's key, a number, a phone, or a name.

Names are looked up by the rules' blocking keys and weighed as records are, so that what a run would find is found here.
What is found is masked, and no message, log line or address repeats what was asked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import InvalidInputError, NotFoundError, RecordWithdrawnError
from mpi.domain.records import RecordKey, SourceRecord
from mpi.domain.review import Actor, Right
from mpi.matching.stored_keys import blocks_of, stored_keys
from mpi.persons.enterprise_id import parse
from mpi.persons.survivorship import key_order
from mpi.registry import key_reads, online, persons
from mpi.registry.registry import Registry
from mpi.registry.source_records import raw_records, source_system_names
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services.access import require
from mpi.services.desk.masking import Masking
from mpi.services.golden_records import golden_record_of
from mpi.services.lookup import find_record, look_up
from mpi.services.neighbourhood import OnlineRules
from mpi.standardise.record import standardise_record

MOST_PEOPLE = 50
"""People that one answer shows."""

LONGEST = 200
"""Characters of each part of a question that are read."""

_ID_FORM = re.compile(r"[0-9A-Za-z]{3}-[0-9A-Za-z]{3}-[0-9A-Za-z]{3}")
_NAME, _BIRTH, _PHONE, _WARD, _ADDRESS = "full_name", "birth_date", "phone", "ward_code", "address"
_CITIZEN, _INSURANCE = "citizen_id", "health_insurance_number"
_WARD_KINDS = ("", "Phường ", "Xã ", "Thị trấn ", "Đặc khu ")
_NUMBER_DIGITS = 7
_SPEAKS = 1.0
"""Bits of evidence from which on a name, or a phone, speaks for somebody."""

_STRANGER = "Zzyzx"
"""A word that is in nobody's name."""

_NOBODY = RecordKey("", "")

Integers = NDArray[np.int64]


class Understood(StrEnum):
    """What a question was read as."""

    NOTHING = "nothing"
    ENTERPRISE_ID = "enterprise_id"
    RECORD_KEY = "record_key"
    NUMBER = "number"
    PHONE = "phone"
    NAME = "name"


class Problem(StrEnum):
    """Why an answer is empty or not whole. Too little: a name that only a birth date or a ward makes findable."""

    TOO_LITTLE = "too_little"
    MISTYPED_ID = "mistyped_id"
    NO_NUMBER = "no_number"
    UNKNOWN_WARD = "unknown_ward"
    UNKNOWN_BIRTH = "unknown_birth"
    WITHDRAWN = "withdrawn"
    MORE = "more"
    SHARED_WIDELY = "shared_widely"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for: one text, and for names a birth date or year and a ward (its code or name)."""

    text: str
    birth: str = ""
    ward: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One person: masked golden values by raw column, the source systems, and how many records.

    `through` is the record that was found, None where the person's own ID was asked for.
    """

    enterprise_id: str
    values: Mapping[str, str]
    source_systems: tuple[str, ...]
    records: int
    through: RecordKey | None


@dataclass(frozen=True, slots=True)
class Answer:
    """At most MOST_PEOPLE people, the likeliest first, how the question was understood, and what stands in the way."""

    understood: Understood
    people: tuple[Found, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Hits:
    """People by number with the record found of each, the likeliest first; None where it was the person itself."""

    people: Sequence[tuple[int, int | None]] = ()
    problems: tuple[Problem, ...] = ()


def search(registry: Registry, rules: OnlineRules, actor: Actor, question: Question) -> Answer:
    """The people that a question is about. Raises MissingRightError."""
    require(actor, Right.LOOK_UP)
    asked = Question(*(" ".join(each[:LONGEST].split()) for each in (question.text, question.birth, question.ward)))
    if not asked.text:
        return Answer(Understood.NOTHING)
    understood, hits = _hits(registry, rules, asked)
    with registry.snapshot() as uow:
        people = _shown(uow, rules, hits.people[:MOST_PEOPLE])
    more = len(hits.people) > MOST_PEOPLE and Problem.MORE not in hits.problems
    return Answer(understood, people, (*hits.problems, *((Problem.MORE,) if more else ())))


def _hits(registry: Registry, rules: OnlineRules, asked: Question) -> tuple[Understood, _Hits]:
    """How a question is to be understood, and whom it leads to."""
    with registry.snapshot() as uow:
        own = _by_id(uow, asked.text)
        if own is not None:
            return Understood.ENTERPRISE_ID, own
        system, colon, local_id = asked.text.partition(":")
        if colon and system in source_system_names(uow).values():
            return Understood.RECORD_KEY, _by_key(uow, RecordKey(system, local_id.strip()))
    if sum(letter.isdigit() for letter in asked.text) >= _NUMBER_DIGITS:
        return _by_number(registry, rules, asked.text)
    return Understood.NAME, _by_name(registry, rules, asked)


def _by_id(uow: UnitOfWork, text: str) -> _Hits | None:
    """The person of an ID; None for what is no ID."""
    try:
        parse(text)
        return _Hits([(persons.resolve_enterprise_id(uow, text).person_id, None)])
    except InvalidInputError:
        looks_like_one = _ID_FORM.fullmatch(text) and any(letter.isdigit() for letter in text)
        return _Hits(problems=(Problem.MISTYPED_ID,)) if looks_like_one else None
    except NotFoundError:
        # nine letters of a name may happen to be an ID that nobody has
        return _Hits() if any(letter.isdigit() for letter in text) else None


def _by_key(uow: UnitOfWork, key: RecordKey) -> _Hits:
    try:
        record_id = find_record(uow, key)
    except NotFoundError:
        return _Hits()
    links = persons.links_of_records(uow, np.array([record_id], dtype=np.int64))
    found = [(person_id, record_id) for person_id in links.person_ids.tolist()]
    return _Hits(found) if found else _Hits(problems=(Problem.WITHDRAWN,))


def _by_number(registry: Registry, rules: OnlineRules, text: str) -> tuple[Understood, _Hits]:
    """Who bears a number that may be of any kind; a phone number is looked up as one."""
    for column in (_CITIZEN, _INSURANCE):
        try:
            found = look_up(registry, rules, **{column: text})  # type: ignore[arg-type]
        except InvalidInputError:
            continue
        except (NotFoundError, RecordWithdrawnError):
            return Understood.NUMBER, _Hits()
        problems = (Problem.SHARED_WIDELY,) if found.shared_widely else ()
        with registry.snapshot() as uow:
            bearing = [find_record(uow, person.bearing[0]) for person in found.people]
            links = persons.links_of_records(uow, np.array(sorted(bearing), dtype=np.int64))
        owner = dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))
        return Understood.NUMBER, _Hits([(owner[each], each) for each in bearing if each in owner], problems)
    if _standard(rules, {_PHONE: text}):
        return Understood.PHONE, _near(registry, rules, {_PHONE: text})
    return Understood.NUMBER, _Hits(problems=(Problem.NO_NUMBER,))


def _by_name(registry: Registry, rules: OnlineRules, asked: Question) -> _Hits:
    problems: list[Problem] = []
    values = {_NAME: asked.text}
    if asked.birth:
        if _standard(rules, {_BIRTH: asked.birth}):
            values[_BIRTH] = asked.birth
        else:
            problems.append(Problem.UNKNOWN_BIRTH)
    if asked.ward:
        ward = _ward(rules, asked.ward)
        values |= ward
        problems += [] if ward else [Problem.UNKNOWN_WARD]
    # one word is a given name: half a city may have it, and no key is of given names alone
    if len(asked.text.split()) == 1 and len(values) == 1:
        return _Hits(problems=(*problems, Problem.TOO_LITTLE))
    hits = _near(registry, rules, values)
    return _Hits(hits.people, (*problems, *hits.problems))


def _ward(rules: OnlineRules, text: str) -> dict[str, str]:
    """A ward by its code, or by its name with or without its kind; nothing where no ward is meant."""
    wanted = [{_WARD: text}] if text.isdigit() else [{_ADDRESS: kind + text} for kind in _WARD_KINDS]
    return next((each for each in wanted if _standard(rules, each)), {})


def _standard(rules: OnlineRules, values: Mapping[str, str]) -> bool:
    """Whether the rules make anything of some raw values."""
    standard = standardise_record(SourceRecord(_NOBODY, values), rules.model.fields)
    return any(value is not None for value in standard.values.values())


def _near(registry: Registry, rules: OnlineRules, values: Mapping[str, str]) -> _Hits:
    """Whom the blocking keys of some raw values lead to and the first of the values speaks for."""
    asked = _Asked(rules, values)
    with registry.snapshot() as uow:
        keys = asked.keys()
        if not len(keys):
            return _Hits(problems=(Problem.TOO_LITTLE,))
        entries = rules.keys.near(uow, keys)[0].entries
        candidates = np.unique(entries[np.isin(blocks_of(entries[:, 0]), blocks_of(keys)), 1])
        people = asked.weigh(uow, candidates)
        # a smaller block that is seen whole holds whoever fits the question in all its parts
        cut = key_reads.all_split(uow, keys)
    return _Hits(people, (Problem.MORE,) if cut else ())


class _Asked:
    """Raw values as feature rows: the whole question, which ranks; its first value, which must speak for a candidate;
    and of a name of one word that word behind a surname that nobody has, and that surname alone."""

    def __init__(self, rules: OnlineRules, values: Mapping[str, str]) -> None:
        self._rules = rules
        (leading, text), *_ = values.items()
        self._given_name = leading == _NAME and len(text.split()) == 1
        questions: list[Mapping[str, str]] = [values, {leading: text}]
        if self._given_name:
            questions += [{**values, _NAME: f"{_STRANGER} {text}"}, {_NAME: _STRANGER}]
        self._rows = rules.feature_rows([SourceRecord(_NOBODY, each) for each in questions])

    def keys(self) -> Integers:
        """The keys to look up, int64 (k,). Of a given name only those that do not hang on the rest of the name."""
        keys: Integers = stored_keys(self._rules.plan, self._rows, self._rules.secret).view(np.int64)
        usable = keys[0] != 0
        if self._given_name:
            usable &= blocks_of(keys[0]) == blocks_of(keys[2])
        found: Integers = np.unique(keys[0, usable])
        return found

    def weigh(self, uow: UnitOfWork, candidates: Integers) -> list[tuple[int, int]]:
        """The people of candidates that the question fits, best first, each with the record that fits most."""
        layout = self._rules.scorer.layout
        ids, stored = online.feature_rows(uow, candidates, layout=layout.digest, width=layout.width)
        table, first = np.concatenate([self._rows, stored]), len(self._rows)
        whole, leading = self._weights(table, 0), self._weights(table, 1)
        # a given name alone is less than nothing; it has to be more than what a stranger's is
        least = leading[3] + _SPEAKS if self._given_name else _SPEAKS
        speaking = np.flatnonzero(leading[first:] >= least)
        links = persons.links_of_records(uow, ids[speaking])
        owner = dict(zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True))
        best: dict[int, int] = {}
        for place in speaking[np.lexsort([ids[speaking], -whole[first:][speaking]])].tolist():
            record_id = int(ids[place])
            if record_id in owner:
                best.setdefault(owner[record_id], record_id)
        return list(best.items())

    def _weights(self, table: NDArray[np.uint8], place: int) -> NDArray[np.float64]:
        """The evidence of one row against all, in bits."""
        left = np.full(len(table), place, dtype=np.int32)
        return self._rules.scorer.score(table, left, np.arange(len(table), dtype=np.int32), prior=0.0).weights


def _shown(uow: UnitOfWork, rules: OnlineRules, hits: Sequence[tuple[int, int | None]]) -> tuple[Found, ...]:
    """People as a list shows them, in the order given."""
    people = np.array(sorted({person_id for person_id, _ in hits}), dtype=np.int64)
    links = persons.members(uow, people)
    stored = dict(raw_records(uow, links.record_ids))
    names = persons.enterprise_ids_of(uow, people)
    records: dict[int, list[SourceRecord]] = {person_id: [] for person_id in people.tolist()}
    for record_id, person_id in zip(links.record_ids.tolist(), links.person_ids.tolist(), strict=True):
        records[person_id].append(stored[record_id])
    masking = Masking(rules.model)
    found = []
    for person_id, record_id in hits:
        mine = sorted(records[person_id], key=lambda record: key_order(record.key))
        golden = golden_record_of(rules.model, names[person_id], mine)
        found.append(
            Found(
                enterprise_id=names[person_id],
                values=masking.values({each.field: each.value for each in golden.survivors}),
                source_systems=tuple(sorted({record.key.source_system for record in mine})),
                records=len(mine),
                through=None if record_id is None else stored[record_id].key,
            )
        )
    return tuple(found)
